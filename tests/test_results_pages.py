"""Pages of measured numbers, docs/results: how docs/results.py shows what recordings hold, and that the pages are of that form."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [page for page in sorted((DOCS / "results").glob("*.md")) if page.stem != "index"]


@pytest.fixture(scope="module")
def results() -> Any:
    spec = importlib.util.spec_from_file_location("results_pages", DOCS / "results.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(simulation: str, found: dict[str, Any], **parameters: Any) -> Any:
    return SimpleNamespace(config={"simulation": simulation, "parameters": parameters}, checks=[], results=found)


SPREAD = {"error: mean": 2.0, "error: SD": 0.0, "error: min": 2.0, "error: max": 2.0}


def test_sections_that_share_a_name_say_what_they_were_run_with(results: Any) -> None:
    runs = [
        run("hmm_emulation", {}, family="two", seeds=1),
        run("hmm_mechanism", {}, files=["somewhere/a.h5"], at="best"),
        run("hmm_mechanism", {}, files=["b.h5", "c.h5"], at="best"),
    ]
    assert results.titles(runs) == [
        "hmm_emulation, two", "hmm_mechanism: files = a.h5", "hmm_mechanism: files = b.h5, c.h5",
    ]  # fmt: skip
    assert results.titles(runs[:2]) == ["hmm_emulation, two", "hmm_mechanism"]
    page = results.page(runs)
    assert "files = a.h5, at = best; neurodyn" in page and "[emulation](../emulation.md)" in page
    assert "`simulations/hmm_emulation.py` and `simulations/hmm_mechanism.py`, whose" in page


@pytest.mark.parametrize(
    "shown, found, parameters",
    [
        ("| error | 2 ± 0 (2 to 2) |", SPREAD, {"seeds": 5}),
        ("| error | 2 |", SPREAD, {"seeds": 1}),
        ("| error | 2 |", SPREAD, {"files": ["a.h5"], "seeds": 5}),
        ("| error | 2 |", {"networks": 1, **SPREAD}, {}),
        ("| error | 2 ± 0.5 (2 to 2) |", {**SPREAD, "error: SD": 0.5}, {"seeds": 1}),  # of something else than networks
        ("| rate | -, 1.5 |", {"rate": [float("nan"), 1.5]}, {}),
        ("| resonance | yes |", {"resonance": True}, {}),
        ("| spikes | 25880 |", {"spikes": 25878.4}, {}),
        ("| length | 3.96e+06 |", {"length": 3.96e6}, {}),
        ("| left | 0.0001667 |", {"left": 1 / 6000}, {}),
    ],
)
def test_values_are_shown_as_a_reader_expects(results: Any, shown: str, found: dict, parameters: dict) -> None:
    assert shown in results.page([run("what_when", found, **parameters)]).split("\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_have_this_form(results: Any, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads and len(heads) == len(set(heads))
    assert results.LEGEND in text and not re.search(r"\bnan\b|\| (True|False) \||/tmp/|\['", text)
    for target in re.findall(r"\]\((\.\./[\w/]+\.md)\)", text.partition("\n## ")[0]):
        assert (page.parent / target).exists(), target
