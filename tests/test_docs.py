"""What the pages and tutorials show runs as it stands there."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "tutorials").glob("*.py"))


def snippets(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(2))
def test_snippets_on_plasticity(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(snippets("plasticity.md")) == 2
    names: dict = {}
    exec(compile(snippets("plasticity.md")[number], f"plasticity.md, snippet {number}", "exec"), names)
    if not number:
        assert names["trained"]["plastic"].plastic and names["run"]["plastic.w"].shape == (200, 2)


def test_snippets_on_timescales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(snippets("timescales.md")) == 2
    names: dict = {}
    for number, snippet in enumerate(snippets("timescales.md")):
        exec(compile(snippet, f"timescales.md, snippet {number}", "exec"), names)
    assert names["run"].snapshots == [2, 3] and names["simulated"]["units.r"].shape[1] == 64
    assert (tmp_path / "runs" / "tau.png").exists()
    assert names["runs"].net.models == 4 and names["runs"].select(2).snapshots[0] == 2


@pytest.mark.parametrize("number", range(2))
def test_snippets_on_pvrnn(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(snippets("pvrnn.md")) == 2
    names: dict = {}
    exec(compile(snippets("pvrnn.md")[number], f"pvrnn.md, snippet {number}", "exec"), names)
    if number:
        assert names["net"].models == 9
    else:
        assert names["made"].values.shape == (3, 12, 1000) and names["answer"].prediction.shape == (1, 1, 3)
        assert names["run"].history["log_likelihood"].notna().all()


def test_snippet_on_speed(capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = snippets("speed.md")
    names: dict = {}
    exec(compile(snippet, "speed.md", "exec"), names)
    assert abs(names["guess"].synapses - 1e8) < 1e5 and 12 < names["guess"].network / 1e8 < 12.5
    assert "GiB" in capsys.readouterr().out


def test_snippet_on_hidden_markov_models() -> None:
    (snippet,) = snippets("hidden_markov.md")
    names: dict = {}
    exec(compile(snippet, "hidden_markov.md", "exec"), names)
    assert names["posterior"].shape == (5000, 30, 3)
    assert abs(names["rate"] - 0.5854) < 4 * names["error"] + 0.0005


def test_snippet_on_emulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    snippet, of_many = snippets("emulation.md")
    names: dict = {}
    exec(compile(snippet, "emulation.md", "exec"), names)
    assert names["run"].snapshots == [25, 50] and names["simulated"]["units.h"].shape == (200, 50)
    assert names["symbols"].shape == (200,) and set(names["symbols"]) <= {0, 1, 2}
    out = capsys.readouterr().out
    assert "aligned distance" in out and "switching" in out
    exec(compile(of_many, "emulation.md", "exec"), names)
    assert len(names["run"].recording.results["best_loss"]) == 4 and names["net"].seed == 2 and not names["net"].many


@pytest.mark.parametrize("number", range(3))
def test_snippets_on_the_theory_of_resonance(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(snippets("resonance_theory.md")) == 3
    names: dict = {}
    exec(compile(snippets("resonance_theory.md")[number], f"resonance_theory.md, snippet {number}", "exec"), names)
    assert list(tmp_path.glob("resonance_theory_*.png"))
    if number == 1:
        assert abs(names["forced"].amplification - 13.46) < 0.01
    elif number == 2:
        assert abs(names["told"].best - 0.66) < 0.01


def test_snippet_on_analysis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (snippet,) = snippets("analysis.md")
    names: dict = {}
    exec(compile(snippet, "analysis.md", "exec"), names)
    out = capsys.readouterr().out
    assert "Poisson (5-95 %)" in out and "20 surrogates" in out and "principal components of 2 units" in out
    assert (tmp_path / "runs" / "regularity.png").exists() and len(names["found"].cv) == 100


def test_snippet_on_dimensionality(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (snippet,) = snippets("dimensionality.md")
    names: dict = {}
    exec(compile(snippet, "dimensionality.md", "exec"), names)
    assert names["kinds"] == {"event": ["A", "B"]} and names["demixed"].part_tests["event"].p <= 0.1
    assert "demixed PCA" in capsys.readouterr().out and (tmp_path / "runs" / "demixed.png").exists()


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda p: p.stem)
def test_tutorials_run(tutorial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(tutorial))
    assert names["figure"].axes
    if tutorial.stem.startswith("02"):
        simulated, formula = re.search(r"simulated ([\d.]+), formula ([\d.]+)", capsys.readouterr().out).groups()  # type: ignore[union-attr]
        assert simulated == formula


def test_snippet_on_resonance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (snippet,) = snippets("resonance.md")
    names: dict = {}
    exec(compile(snippet, "resonance.md", "exec"), names)
    assert names["curve"].resonance and 0.1 < names["curve"].optimum < 0.25
    assert abs(names["curve"].mean / names["exact"] - 1)[2:5].max() < 0.25
    assert (tmp_path / "resonance.png").exists()


@pytest.mark.parametrize("number", range(2))
def test_snippets_on_dynamics(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(snippets("dynamics.md")) == 2
    names: dict = {}
    exec(compile(snippets("dynamics.md")[number], f"dynamics.md, snippet {number}", "exec"), names)
    if number:
        assert names["training_set"].shape == (4, 500, 3) and abs(names["found"].exponents.mean(0)[0] - 0.906) < 0.3
    else:
        assert names["points"].fixed.any() and (tmp_path / "points.png").exists()
        assert (abs(names["spectrum"].exponents) < 10).all()


SCAN = ROOT / "docs" / "examples" / "scan"


@pytest.mark.parametrize("number", range(3))
def test_snippets_on_scans(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(SCAN / "noisy_cells.py", tmp_path)
    assert len(snippets("scans.md")) == 3
    names: dict = {"__name__": "__main__"}
    exec(compile(snippets("scans.md")[number], f"scans.md, snippet {number}", "exec"), names)
    status = names["scan"].status()
    assert status.done == status.points == (12, 16, 4)[number]
    if number == 0:
        assert names["table"]["rate (Hz)"].dims == ("drive", "noise", "repetition")


def test_commands_on_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those on a laptop are carried out, the others parsed."""
    from neurodyn._command_scan import parse
    from neurodyn.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(SCAN / "noisy_cells.py", tmp_path)
    page = (ROOT / "docs" / "scans.md").read_text()
    commands = [shlex.split(line)[2:] for line in re.findall(r"^\$ (neurodyn scan .*)$", page, re.M)]
    readme = re.findall(r"^\$ (neurodyn scan [^#\n]*)", (ROOT / "README.md").read_text(), re.M)
    assert len(commands) > 12 and len(readme) > 5
    for words in [*commands, *(shlex.split(line)[2:] for line in readme)]:
        assert parse(words).verb
    for words in commands[:5]:
        words = [word.replace("1.4, 9)", "1.4, 2)") for word in words]
        assert main(["scan", *words]) == 0, words
    assert (tmp_path / "scans" / "cells" / "results.csv").exists()
    plan = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert plan is not None
    (tmp_path / "plan.toml").write_text(plan[1].replace("scans/cells", "scans/planned"))
    assert main(["scan", "plan.toml", "--plan-only"]) == 0
