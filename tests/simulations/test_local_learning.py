"""Small forms of the experiments on local learning rules, and the measures behind their numbers."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "simulations" / "local_learning.py"


@pytest.fixture(scope="module")
def parts() -> Iterator[Any]:
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("local_learning_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from local import gradient, hoerzer, network, pattern  # type: ignore[import-not-found]

    yield SimpleNamespace(
        run=module.local_learning, gradient=gradient, hoerzer=hoerzer, network=network, pattern=pattern
    )
    sys.path.remove(str(SCRIPT.parent))


def test_gradients_are_one_without_recurrence_and_another_with_it(parts: Any) -> None:
    size: dict[str, Any] = {"cells": 20, "steps": 200, "backend": "interpreter"}
    none, some = (parts.gradient.compare(3, strength, **size) for strength in (0.0, 0.5))
    assert none.full_error < 1e-10 and none.cosines["symmetric"] == pytest.approx(1, abs=1e-10)
    assert none.length == pytest.approx(1, abs=1e-10) and none.cosines["symmetric, reset"] < 0.999
    assert some.full_error > 0.01 and some.cosines["symmetric"] < 0.99
    assert abs(none.cosines["random, reset"]) < 0.95
    for found in (none, some):
        assert found.own_error < 1e-10 and found.potential_error < 1e-10 and 2 < found.rate < 100


def test_cosines_and_errors_have_their_definition(parts: Any) -> None:
    g = parts.gradient
    a, b = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[2.0, -1.0], [5.0, 0.0]])
    assert g.cosine(a, 3 * a) == pytest.approx(1) and g.cosine(a, b) == pytest.approx(0)
    assert np.isnan(g.cosine(a, 0 * a)) and g.relative(a, b) == pytest.approx(1.0)


def test_arms_differ_in_what_learns(parts: Any) -> None:
    p, size = parts.pattern, {"cells": 12, "trials": 3, "steps": 80, "backend": "interpreter"}
    found = {arm: p.learners(arm, range(4, 5), **size)[0] for arm in p.ARMS}
    changed = {}
    for arm, learner in found.items():
        values = learner.recording.network().values
        changed[arm] = "w_rec.w" in values and not np.array_equal(values["w_rec.w"], values["w_rec.weights"])
        assert ("output_error.weights" in values) == arm.startswith("e-prop")
        assert learner.error.shape == learner.rate.shape == (3,) and learner.error[0] == pytest.approx(1)
    assert changed == {arm: about["inside"] for arm, about in p.ARMS.items()}
    ten, one = (found[arm].last for arm in ("readout alone x10", "readout alone"))
    assert np.abs(ten).max() > 5 * np.abs(one).max() > 0  # the same spikes, a readout that learns faster
    assert len({learner.rate[0] for learner in found.values()}) == 1
    after = p.after(found["e-prop"], 4, cells=12, steps=80, backend="interpreter")
    assert 0 <= after["least nMSE of any readout, after e-prop"] < 1
    assert all(-1 <= value <= 1 for value in after.values())


def test_the_trained_network_goes_on_where_it_stopped(parts: Any) -> None:
    """Spikes of the first trial after two trials of learning are those of the third trial of a longer session."""
    p, size = parts.pattern, {"cells": 12, "steps": 80, "backend": "interpreter"}
    two, three = (p.learners("e-prop", range(4, 5), trials=n, **size)[0] for n in (2, 3))
    pattern, target = parts.network.task(12, 80, seed=4)
    again = parts.pattern.nd.simulate(
        two.recording.network(), parts.network.session(pattern, target), record=["output.y"], backend="interpreter"
    )
    np.testing.assert_array_equal(np.asarray(again["output.y"])[:, 0], three.last)


def test_least_squares_bound_any_readout(parts: Any) -> None:
    p, rng = parts.pattern, np.random.default_rng(0)
    traces = rng.normal(size=(200, 5))
    target = traces @ rng.normal(size=5)
    assert p.least(traces, target) < 1e-20
    assert p.nmse(np.zeros(200), target) == 1 and p.nmse(2 * target, target) == 1
    noisy = target + rng.normal(size=200)
    assert 0.01 < p.least(traces, noisy) < p.nmse(target, noisy)


@pytest.mark.parametrize("late", [-120, -3, 0, 40])
def test_lags_have_their_sign_and_slips_count_in_full(parts: Any, late: int) -> None:
    t = np.arange(500) / 500
    target = np.sin(2 * np.pi * t) + 0.4 * np.sin(4 * np.pi * t + 1)
    output = np.array([np.roll(target, late * k) for k in range(8)]) * 1.1
    lag, error = parts.hoerzer.lags(output, target)
    np.testing.assert_array_equal(lag, late * np.arange(8))
    np.testing.assert_allclose(error, 0.1 * np.sqrt((target**2).mean()) / target.std())
    np.testing.assert_allclose(parts.hoerzer.Learner(output, output, target).correlation, 1)
    sine = np.sin(2 * np.pi * t)[None]
    np.testing.assert_allclose(parts.hoerzer.Learner(sine, sine, target).correlation, 1 / np.sqrt(1.16), atol=1e-4)


def test_reward_teaches_a_small_reservoir_and_a_coin_does_not(parts: Any) -> None:
    h = parts.hoerzer
    size: dict[str, Any] = {"units": 300, "periods": 30, "backend": "numba"}
    (taught,), (blind,) = (h.learners("triangle", name, range(12, 13), **size) for name in h.LEARNERS)
    assert taught.error[0] < 0.4 and taught.aligned[1][-1] < 0.3
    assert blind.error[0] > 0.7
    assert taught.learning.shape == (30, 1000) and taught.free.shape == (h.FREE, 1000)


@pytest.mark.parametrize("given", [{"seeds": 0}, {"cells": 1}, {"experiment": "pattern", "trials": 0}])
def test_numbers_out_of_range_are_named(parts: Any, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="(seeds = 0|cells = 1|trials = 0), give at least"):
        parts.run(**given)


def test_a_gradient_has_no_trials(parts: Any) -> None:
    with pytest.raises(ValueError, match="leave trials out"):
        parts.run(trials=10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "size", "figure", "checks"),
    [
        ("gradient", {"cells": 20}, "gradient", 5),
        ("pattern", {"cells": 20, "trials": 4}, "pattern", 6),
        ("hoerzer", {"cells": 60, "trials": 4}, "reward", 8),
    ],
)
def test_experiments_run(
    parts: Any, experiment: str, size: dict[str, int], figure: str, checks: int, tmp_path: Path
) -> None:
    outcome = parts.run(experiment=experiment, seeds=2, seed=1, out=tmp_path / "run.h5", **size)
    assert len(outcome.checks) == checks and set(outcome.figures) == {figure}
    assert (tmp_path / f"run.{figure}.png").exists()
    assert all(c.passed for c in outcome.checks if "1e-10" in c.threshold)


#: rows of the page, and the results that stand in them, column by column
ROWS = {
    "e-prop inside, readout": ["e-prop: nMSE of the last trial", "e-prop: rate in the last trial (Hz)"],
    "readout alone": ["readout alone: nMSE of the last trial", "readout alone: rate in the last trial (Hz)"],
    "rate term inside (B = 0), readout": [
        "readout and rate term: nMSE of the last trial",
        "readout and rate term: rate in the last trial (Hz)",
    ],
    "e-prop inside, readout 10 times as fast": [
        "e-prop, readout x10: nMSE of the last trial",
        "e-prop, readout x10: rate in the last trial (Hz)",
    ],
    "readout alone, 10 times as fast": [
        "readout alone x10: nMSE of the last trial",
        "readout alone x10: rate in the last trial (Hz)",
    ],
    "bound: least squares, network as it was drawn": ["least nMSE of any readout, before learning"],
    "bound: least squares, network after e-prop": ["least nMSE of any readout, after e-prop"],
    "nRMSE of the first free period": ["# reward: nRMSE of the first free period"],
    "the same, coin flip": ["# coin flip: nRMSE of the first free period"],
    "nRMSE of the tenth free period": ["# reward: nRMSE of free period 10"],
    "the same at the best lag": ["# reward: nRMSE at the best lag, free period 10"],
    "the same at the best lag, coin flip": ["# coin flip: nRMSE at the best lag, free period 10"],
    "growth of the lag, size (ms a period)": ["# reward: size of the growth (ms a period)"],
    "SD of the lag around even growth (ms)": ["# reward: SD of the lag around even growth (ms)"],
}


def test_the_tables_of_the_page_are_the_measured_numbers() -> None:
    """Mean and SD in docs/local_learning.md are those of the results that a command wrote, to the digits given."""
    docs = SCRIPT.parents[1] / "docs"
    page, results = (
        {row[1].strip(): [c.strip() for c in row[2:-1]] for row in (x.split("|") for x in text) if len(row) > 3}
        for text in (
            (docs / "local_learning.md").read_text().splitlines(),
            (docs / "results" / "local_learning.md").read_text().splitlines(),
        )
    )
    for row, names in ROWS.items():
        if names[0].startswith("#"):
            names = [name.replace("#", f"{target},") for name in names for target in ("triangle", "sines")]
        for cell, name in zip(page[row], names, strict=False):
            given = re.search(r"([\d.]+) ± ([\d.]+)", cell)
            assert given is not None, (row, cell)
            measured = [float(x) for x in results[name][0].split(" (")[0].split(" ± ")]
            for shown, exact in zip(given.groups(), measured, strict=True):
                digits = len(shown.partition(".")[2])
                assert float(shown) == pytest.approx(exact, abs=0.5001 * 10.0**-digits + 1e-9), (row, name)
