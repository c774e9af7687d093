"""Simulations of resonance, at a size for tests: what they measure is what theory says, and they tell what is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd

FOLDER = Path(__file__).parents[2] / "simulations"


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def _checks():
    from resonance.checks import Checks  # type: ignore[import-not-found]

    return Checks("test")


def test_solver_agrees_with_another_one() -> None:
    from resonance import double_well  # type: ignore[import-not-found]

    found = _checks()
    double_well.solver(found)
    assert len(found.checks) == 5 and all(check.passed for check in found.checks)


def test_a_wrong_number_fails_its_check() -> None:
    found = _checks()
    values = np.array([[1.0, 1.1], [2.0, 2.2]])
    found.beside("right", [0.1, 0.2], values, np.array([1.0, 2.1]), 0.06)
    found.beside("wrong", [0.1, 0.2], values, np.array([1.0, 3.0]), 0.06)
    assert [check.passed for check in found.checks] == [True, False]
    assert "at 0.2" in found.checks[1].name and found.results["wrong: mean over seeds"] == [1.05, 2.1]


@pytest.mark.slow
def test_detector_follows_its_closed_forms() -> None:
    from resonance.detector import GRID, detector  # type: ignore[import-not-found]
    from resonance.double_well import Size  # type: ignore[import-not-found]

    found = _checks()
    curves, exact = detector(found, Size(range(101, 106), 100, 2000.0, "numba", tolerance=0.25))
    assert all(check.passed for check in found.checks), found.checks
    assert curves["information"].resonance and not curves["information"].control_margin > 0
    assert GRID[np.argmax(exact["information"])] == pytest.approx(0.6, rel=0.3)


def test_cells_are_most_regular_at_a_level_between() -> None:
    from resonance.cells import Size, measured  # type: ignore[import-not-found]

    cells = measured(Size(range(101, 103), 10, 100.0, "numba"), (0.03, 0.08, 0.4), traces=True)
    cv, tau = cells.cv.mean(axis=1), cells.correlation_time.mean(axis=1)
    assert cv[1] < 0.25 and cv[0] > cv[1] < cv[2]
    assert tau[0] < tau[1] > tau[2]
    assert len(cells.trains) == 3 and len(cells.trains[0]) == 10
    assert (np.diff(cells.mean.mean(axis=1)) < 0).all()


def test_information_of_spikes_with_and_without_a_signal() -> None:
    from resonance.reservoir import FREQUENCY, _information  # type: ignore[import-not-found]

    rng = np.random.default_rng(0)
    t = np.arange(32 * 200) * 5e-3
    rate = 0.1 * (1 + 0.9 * np.cos(2 * np.pi * FREQUENCY * t))[:, None] * np.ones(40)
    there, absent = rng.poisson(rate), rng.poisson(0.1, rate.shape)
    assert _information(there, absent, seed=1) > 0.9
    assert abs(_information(absent, rng.poisson(0.1, rate.shape), seed=1)) < 0.1
    assert _information(np.zeros_like(absent), np.zeros_like(absent), seed=1) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stochastic_resonance", "coherence_resonance", "reservoir_resonance"])
def test_whole_simulation(name: str, tmp_path: Path) -> None:
    from neurodyn.cli import main

    out = tmp_path / f"{name}.h5"
    assert main(["run", str(FOLDER / f"{name}.py"), "--quick", "--seeds", "4", "--out", str(out)]) == 0
    recording = nd.load(out)
    assert recording.checks and recording.results and "noise" in recording
    assert list(tmp_path.glob(f"{name}.*.png"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("stochastic_resonance", ["--seeds", "3"]),
        ("coherence_resonance", ["--time", "100"]),
        ("reservoir_resonance", ["--amplitude", "0"]),
    ],
)
def test_refused_before_anything_is_computed(
    name: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from neurodyn.cli import main

    out = tmp_path / "x.h5"
    assert main(["run", str(FOLDER / f"{name}.py"), *options, "--out", str(out)]) == 1
    assert "give at least 4 seeds" in capsys.readouterr().err and not out.exists()
