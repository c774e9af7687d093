"""Quick forms of the experiments: every one runs, and learning happens in a small network."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from neurodyn.cli import main

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "simulations" / "what_when.py"


@pytest.fixture(scope="module")
def what_when():
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("what_when_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.what_when
    sys.path.remove(str(SCRIPT.parent))


def test_e1_learns_in_a_small_network(what_when) -> None:
    outcome = what_when(experiment="E1", seeds=2, neurons=400, trials=50)
    error = outcome.data["nrmse"]
    assert error.shape == (2, 4)  # tests after 1, 10, 25, 50 trials
    assert (error[:, 0] > 0.95).all() and (error[:, -1] < 0.75).all() and (np.diff(error.mean(axis=0)) < 0).all()
    assert set(outcome.figures) == {"expectation", "errors", "raster"}


@pytest.mark.parametrize(
    "experiment, checks",
    [("E2", 5), ("E3", 5), ("E4", 5), pytest.param("E7", 5, marks=pytest.mark.slow), ("demo", 3), ("protocol", 0)],
)
def test_experiments_run(what_when, experiment: str, checks: int) -> None:
    outcome = what_when(experiment=experiment, seeds=2, neurons=120, trials=10)
    assert len(outcome.checks) == checks
    assert outcome.figures and outcome.data
    for values in outcome.data.values():
        assert np.isfinite(np.asarray(values, dtype=float)).all()


@pytest.mark.parametrize("experiment, checks", [("E5", 6), ("E6", 6)])
def test_long_experiments_run(what_when, experiment: str, checks: int) -> None:
    outcome = what_when(experiment=experiment, seeds=1, neurons=100, trials=10)
    assert len(outcome.checks) == checks and outcome.figures


def test_backends_give_the_same_run(what_when) -> None:
    runs = {
        b: what_when(experiment="protocol", protocol="P1", seeds=1, neurons=60, trials=10, backend=b).data
        for b in ("numba", "interpreter")
    }
    for name in ("nrmse", "q"):
        np.testing.assert_array_equal(runs["numba"][name], runs["interpreter"][name])


def test_too_few_trials(what_when) -> None:
    with pytest.raises(ValueError, match="trials = 5"):
        what_when(trials=5)


@pytest.mark.slow
def test_readme_shows_what_the_demo_prints(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    shown = re.search(r"It prints\n\n```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    assert main(["run", str(SCRIPT), "--set", "experiment=demo", "--out", str(tmp_path / "demo.h5")]) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    start = printed.index("results")
    wanted = [line.rstrip() for line in shown[1].splitlines()]
    assert printed[start : start + len(wanted)] == wanted
