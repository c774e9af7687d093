"""One page for each kind of recording: whole, alone, and with nothing from the file taken for markup."""

from __future__ import annotations

import base64
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas
import pytest

import neurodyn as nd
from neurodyn.recording import annotate
from neurodyn.report import sections

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Elements and text of a page; complains about tags that aren't closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data

    @property
    def headings(self) -> list[str]:
        """Ids of the sections, which are also what the links at the top go to."""
        found = [str(attrs["id"]) for tag, attrs in self.tags if tag == "section"]
        assert [f"#{name}" for name in found] == [attrs["href"] for tag, attrs in self.tags if tag == "a"]
        return found

    @property
    def pictures(self) -> list[bytes]:
        """The pictures, decoded."""
        urls = [str(attrs["src"]) for tag, attrs in self.tags if tag == "img"]
        return [base64.b64decode(url.removeprefix("data:image/png;base64,"), validate=True) for url in urls]


def written(kinds: dict[str, Path], kind: str, folder: Path) -> Page:
    """The page of a recording, after checks that hold for all of them."""
    page = Page(nd.report(kinds[kind], folder / "page.html"))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "form", "base"}
    for _, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href"):
            assert str(attrs.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert "url(" not in page.source and "@import" not in page.source
    for picture in page.pictures:
        assert picture.startswith(b"\x89PNG") and picture.endswith(b"IEND\xaeB`\x82")
    assert f"Made by neurodyn {nd.__version__}" in page.text and kinds[kind].name in page.text
    return page


def test_page_of_a_session(kinds: dict[str, Path], tmp_path: Path) -> None:
    page = written(kinds, "session", tmp_path)
    assert page.headings == ["figures", "trials", "recorded", "model", "configuration", "repeating-it", "references"]
    for words in ("spiking reservoir", "complete", "interpreter, cpu, float64", "seed 1", "neurodyn rerun session.h5"):
        assert words in page.text
    assert "calibration (1)" in page.text and "throughout" in page.text and "D Neuron model: cells" in page.text
    assert "rls(P, x, forgetting)" in page.text and "Sussillo D and Abbott LF (2009)" in page.text
    assert "@article{yamada2025," in page.text and len(page.pictures) == 1
    run = nd.load(kinds["session"])
    assert run.attrs["program_hash"] in page.text
    assert "; ".join(json.loads(run.attrs["inexact"])) in page.text and "tolerant" in page.text
    start = page.text.index("{", page.text.index("As JSON"))
    assert json.JSONDecoder().raw_decode(page.text[start:])[0] == run.config


@pytest.mark.parametrize(("kind", "pictures"), [("training", 2), ("models", 1)])
def test_page_of_a_training(kinds: dict[str, Path], kind: str, pictures: int, tmp_path: Path) -> None:
    page = written(kinds, kind, tmp_path)
    assert nd.report(nd.load_training(kinds[kind]), tmp_path / "again.html").exists()
    assert page.headings == ["results", "figures", "recorded", "model", "configuration", "repeating-it", "references"]
    title = {"training": "LeakyRNN on Parity", "models": "PVRNN on sequences"}[kind]
    assert title in page.text and len(page.pictures) == pictures and "run the script that made it again" in page.text


def test_page_of_results_alone_with_the_figures_beside_it(kinds: dict[str, Path], tmp_path: Path) -> None:
    here = {"results": tmp_path / "coins.h5"}
    shutil.copyfile(kinds["results"], here["results"])
    nd.plots.traces(np.arange(3.0), np.zeros((3, 1)), labels=["a"], units="mV").savefig(tmp_path / "coins.a_b.png")
    for name in ("coins.overview.png", "coins.other.run.png", "others.png"):  # drawn anew; of other recordings
        shutil.copyfile(tmp_path / "coins.a_b.png", tmp_path / name)
    (tmp_path / "coins.broken.png").write_bytes(b"no picture")
    page = written(here, "results", tmp_path)
    assert page.headings == ["results", "checks", "figures", "configuration", "repeating-it", "references"]
    assert page.pictures == [(tmp_path / "coins.a_b.png").read_bytes()] and "a b" in page.text
    assert "1 of 2 passed." in page.text and "failed" in page.text and "chance" in page.text
    assert "neurodyn run SCRIPT.py:coins --set throws=10" in page.text


def test_page_of_a_run_that_stopped(kinds: dict[str, Path], tmp_path: Path) -> None:
    page = written(kinds, "stopped", tmp_path)
    assert "stopped: BlowUpError: v of 'cells'" in page.text and "complete" not in page.text
    assert "rerun" not in page.text and "model" not in page.headings


def test_nothing_from_a_file_becomes_markup(kinds: dict[str, Path], tmp_path: Path) -> None:
    evil = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">&amp;"
    net = nd.SpikingReservoir(neurons=4, events=(evil, "B")).with_(
        name=evil, references=(f"@misc{{x,\n  title = {{{evil}}},\n}}",)
    )
    trial = nd.Trial(3, labels={"event": evil})
    path = tmp_path / "evil.h5"
    session = nd.Session((trial,), dt=1e-3, config={"task": evil, evil: [evil]})
    nd.simulate(net, session, record=["spikes"], out=path, backend="interpreter", config={evil: {"a": evil}})
    check = {"name": evil, "value": evil, "threshold": evil, "reference": evil, "source": evil, "passed": True}
    annotate(path, results={evil: evil}, checks=[check])
    page = written({"evil": path}, "evil", tmp_path)
    assert page.text.count(evil) > 10 and evil not in page.source
    assert len(page.pictures) == 1


def test_the_page_is_kept_and_replaced_whole(kinds: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "coins.h5"
    shutil.copyfile(kinds["results"], path)
    assert nd.report(str(path)) == tmp_path / "coins.html"
    (tmp_path / "coins.html").write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        nd.report(path)
    assert (tmp_path / "coins.html").read_text() == "mine"
    assert nd.report(nd.load(path), overwrite=True) == tmp_path / "coins.html"
    assert "coins" in Page(tmp_path / "coins.html").text and sorted(p.name for p in tmp_path.iterdir()) == [
        "coins.h5",
        "coins.html",
    ]
    with pytest.raises(ValueError, match="is the recording itself"):
        nd.report(path, path, overwrite=True)


def test_a_recording_in_memory_needs_a_path(tmp_path: Path) -> None:
    run = nd.simulate(nd.DoubleWell(), "1 ms", record=["well.x"], backend="interpreter")
    with pytest.raises(ValueError, match="in memory: say where"):
        nd.report(run)
    page = Page(nd.report(run, tmp_path / "a.html"))
    assert "in memory" in page.text and "Gammaitoni L, Hänggi P" in page.text


def test_the_table_of_a_scan_is_refused_clearly(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "results.h5", "w") as file:
        file.attrs["scan"] = "abc"
    with pytest.raises(ValueError, match="table of a scan, no recording: nd.load_scan"):
        nd.report(tmp_path / "results.h5")
    assert not list(tmp_path.glob("*.html"))


def test_the_head_of_the_page(kinds: dict[str, Path], tmp_path: Path) -> None:
    text = nd.report(kinds["results"], tmp_path / "a.html").read_text(encoding="utf-8")
    assert re.search(r'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'', text)
    assert '<html lang="en">' in text and 'name="viewport"' in text and "prefers-color-scheme: dark" in text


def test_times_of_a_long_session_are_written_in_full() -> None:
    starts = pandas.Series(np.arange(465) * 700.0)
    assert sections._column(starts) == "0 to 324800, mean 162400"
    assert (
        sections._cell(324800.0) == "324800" and sections._cell(0.24176) == "0.2418" and sections._cell(np.nan) == "-"
    )
