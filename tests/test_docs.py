"""What the pages show runs as it stands there (tutorials: test_tutorials.py).

The ```python blocks of README.md and of each page in docs/ are executed in order, in one namespace, in an empty folder.
A new page needs nothing here; `SLOW` names those that take long. What blocks have to leave behind stands under `@after`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SCAN = ROOT / "docs" / "examples" / "scan"

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS = {
    page.stem: BLOCK.findall(page.read_text(encoding="utf-8"))
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
ELSEWHERE = {"recording"}  # needs a recording made for it: tests/recording/test_docs.py
SLOW = {
    "brian2", "choose", "citing", "dynamics", "emulation", "exchange", "figures", "force", "local_learning", "pvrnn",
    "record_less", "resume", "scans", "timescales",
}  # fmt: skip
PAGES = [
    pytest.param(page, marks=pytest.mark.slow) if page in SLOW else page
    for page, blocks in BLOCKS.items()
    if blocks and page not in ELSEWHERE
]

#: names, printed text, folder
Check = Callable[[dict[str, Any], str, Path], None]
CHECKS: dict[tuple[str, int], Check] = {}


def after(page: str, *, block: int = -1) -> Callable[[Check], Check]:
    """What holds after a block of a page, by default the last."""

    def entered(check: Check) -> Check:
        number = range(len(BLOCKS[page]))[block]
        assert (page, number) not in CHECKS, f"two checks after block {number} of {page}"
        CHECKS[page, number] = check
        return check

    return entered


def told(page: str, number: int) -> str:
    """What a page says is printed: its ```text blocks."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[number]


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of_a_page_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    if page == "scans":
        shutil.copy(SCAN / "noisy_cells.py", tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    for number, block in enumerate(BLOCKS[page]):
        exec(compile(block, f"{page}.md, block {number}", "exec"), names)
        printed += capsys.readouterr().out
        if (page, number) in CHECKS:
            CHECKS[page, number](names, printed, tmp_path)


@after("README", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert (folder / "runs" / "first.h5").exists() and (folder / "runs" / "first.png").exists()
    assert "output: 2" in printed


@after("README", block=1)
def _(names: dict, printed: str, folder: Path) -> None:
    assert "identical" in printed


@after("README", block=2)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["run"].snapshots == [2, 3]


@after("README", block=3)
def _(names: dict, printed: str, folder: Path) -> None:
    assert len(names["runs"]) == len(list((folder / "runs").glob("net*.h5"))) == 4


@after("start")
def _(names: dict, printed: str, folder: Path) -> None:
    assert (folder / "runs" / "start.png").exists() and "identical" in printed and "order shuffled" in printed


@after("choose", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert printed.startswith("exact\nidentical")


@after("choose")
def _(names: dict, printed: str, folder: Path) -> None:
    assert told("choose", 0) in printed


@after("record_less", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert re.findall(r"^ *([\d.]+) MB for", printed, re.MULTILINE) == ["26.9", "698.9", "94.1", "40.3"]


@after("record_less")
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["short"]["cells.v"].shape == (700, 1000)


@after("resume")
def _(names: dict, printed: str, folder: Path) -> None:
    assert "SIGTERM stopped the run" in printed and "identical" in printed and len(names["run"].attrs["resumed"]) == 1


@after("seeds")
def _(names: dict, printed: str, folder: Path) -> None:
    assert "identical" in printed


@after("extend")
def _(names: dict, printed: str, folder: Path) -> None:
    assert "identical: 20 spikes" in printed and (folder / "runs" / "levels.h5").exists()


@after("plasticity", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["trained"]["plastic"].plastic and names["run"]["plastic.w"].shape == (200, 2)


@after("timescales")
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["run"].snapshots == [2, 3] and names["simulated"]["units.r"].shape[1] == 64
    assert (folder / "runs" / "tau.png").exists()
    assert names["runs"].net.models == 4 and names["runs"].select(2).snapshots[0] == 2


@after("pvrnn", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["made"].values.shape == (3, 12, 1000) and names["answer"].prediction.shape == (1, 1, 3)
    assert names["run"].history["log_likelihood"].notna().all()


@after("pvrnn", block=1)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["net"].models == 9


@after("speed")
def _(names: dict, printed: str, folder: Path) -> None:
    assert abs(names["guess"].synapses - 1e8) < 1e5 and 12 < names["guess"].network / 1e8 < 12.5
    assert "GiB" in printed


@after("hidden_markov")
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["posterior"].shape == (5000, 30, 3)
    assert abs(names["rate"] - 0.5854) < 4 * names["error"] + 0.0005


@after("emulation", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["run"].snapshots == [25, 50] and names["simulated"]["units.h"].shape == (200, 50)
    assert names["symbols"].shape == (200,) and set(names["symbols"]) <= {0, 1, 2}
    assert "aligned distance" in printed and "switching" in printed


@after("emulation", block=1)
def _(names: dict, printed: str, folder: Path) -> None:
    assert len(names["run"].recording.results["best_loss"]) == 4 and names["net"].seed == 2 and not names["net"].many


@after("resonance_theory", block=1)
def _(names: dict, printed: str, folder: Path) -> None:
    assert abs(names["forced"].amplification - 13.46) < 0.01


@after("resonance_theory", block=2)
def _(names: dict, printed: str, folder: Path) -> None:
    assert abs(names["told"].best - 0.66) < 0.01
    assert len(list(folder.glob("resonance_theory_*.png"))) == 3


@after("analysis")
def _(names: dict, printed: str, folder: Path) -> None:
    assert "Poisson (5-95 %)" in printed and "20 surrogates" in printed and "principal components of 2 units" in printed
    assert (folder / "runs" / "regularity.png").exists() and len(names["found"].cv) == 100


@after("dimensionality")
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["kinds"] == {"event": ["A", "B"]} and names["demixed"].part_tests["event"].p <= 0.1
    assert "demixed PCA" in printed and (folder / "runs" / "demixed.png").exists()


@after("resonance")
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["curve"].resonance and 0.1 < names["curve"].optimum < 0.25
    assert abs(names["curve"].mean / names["exact"] - 1)[2:5].max() < 0.25
    assert (folder / "resonance.png").exists()


@after("dynamics", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["points"].fixed.any() and (folder / "points.png").exists()
    assert (abs(names["spectrum"].exponents) < 10).all()


@after("dynamics", block=1)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["training_set"].shape == (4, 500, 3) and abs(names["found"].exponents.mean(0)[0] - 0.906) < 0.3


def all_done(points: int) -> Check:
    def check(names: dict, printed: str, folder: Path) -> None:
        status = names["scan"].status()
        assert status.done == status.points == points
        if points == 12:
            assert names["table"]["rate (Hz)"].dims == ("drive", "noise", "repetition")

    return check


for _block, _points in ((0, 12), (2, 16), (3, 4)):
    after("scans", block=_block)(all_done(_points))


@after("scans", block=1)
def _(names: dict, printed: str, folder: Path) -> None:
    assert 0.05 < names["outcome"].results["spikes per period"] <= 1


@after("force")
def _(names: dict, printed: str, folder: Path) -> None:
    assert (folder / "runs" / "sine.h5").exists() and names["run"]["output.y"].shape == (50_000, 3)


@after("local_learning")
def _(names: dict, printed: str, folder: Path) -> None:
    losses = np.asarray(names["run"]["output.loss"]).reshape(30, -1)[:, -1]
    assert losses[-5:].mean() < 0.85 * losses[0]
    assert names["values"]["eprop.gradient"].shape == names["values"]["recurrent.w"].shape == (50 * 49,)


@after("citing", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    keys = re.findall(r"^@\w+\{(\w+),", printed, re.MULTILINE)
    of_run = ["neurodyn", "yamada2025", "sussillo2009", "izhikevich2003", "stimberg2019", "lam2015"]
    assert keys == [*of_run, "neurodyn", "izhikevich2007dopamine", "khajehabdollahi2024"]


@after("citing")
def _(names: dict, printed: str, folder: Path) -> None:
    assert "@article{me2027,\n" in printed and told("citing", 0) in printed
    assert "each pair with probability 0.1" in names["table"].markdown()
    assert r"\toprule" in (folder / "runs" / "methods.tex").read_text()
    assert names["page"] == folder / "runs" / "a.html" and names["page"].stat().st_size > 50_000


@after("brian2", block=0)
def _(names: dict, printed: str, folder: Path) -> None:
    assert "the same trains: True" in printed and names["spikes"].num_spikes > 500


@after("brian2", block=1)
def _(names: dict, printed: str, folder: Path) -> None:
    assert printed.endswith("True\n")


@after("brian2", block=2)
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["apart"] < 1e-6 and "units" in names["on_brian2"].groups


@after("exchange")
def _(names: dict, printed: str, folder: Path) -> None:
    run = names["run"]
    assert np.array_equal(names["volts"], run["cells.v"]) and names["frames"].data.shape == (101, 5)
    assert len(names["source"].units) == len(run["spikes"].between(500, 1000)) and len(names["chosen"]) >= 1
    assert len(names["spikes"]) == len(run["spikes"]) and len(names["heard"]["spikes/cells"])


@after("figures", block=2)
def _(names: dict, printed: str, folder: Path) -> None:
    assert told("figures", 0) in printed
    assert set(told("figures", 1).splitlines()) <= set((folder / "runs" / "fig1.b.csv").read_text().splitlines())


@after("figures")
def _(names: dict, printed: str, folder: Path) -> None:
    assert names["found"].groups == ("0.1", "0.2", "0.4") and names["found"].differences["pairs"].tolist() == [5] * 4
    pictures = ("overview", "print", "slide", "comparison")
    assert all((folder / "runs" / f"figures_{name}.png").exists() for name in pictures)
