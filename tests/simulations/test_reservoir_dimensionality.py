"""Small forms of the analyses of the what/when reservoir's dimensions, and what goes into them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurodyn as nd

SCRIPT = Path(__file__).parents[2] / "simulations" / "reservoir_dimensionality.py"


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("reservoir_dimensionality_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
    sys.path.remove(str(SCRIPT.parent))


def test_rates_are_those_of_each_trial_alone(script: Any) -> None:
    task = nd.tasks.WhatWhen(latencies=script.LATENCIES, probability=(0.25,) * 4)
    rates, events = script.activity(task, 3, neurons=40, kept=12, trials=8, backend="numba")
    assert rates.shape == (8, 35, 12) and sorted(set(events)) == ["A", "B", "C", "D"]
    session = task.session(8, calibration=0, tests=(), seed=3)
    net = nd.SpikingReservoir(40, events=task.names, seed=3)
    spikes = nd.simulate(net, session, record=["spikes"], backend="numba")["spikes"]
    inside = [k for k, trial in enumerate(session.trials) if trial.labels["event"] != "none"]
    # The trace of a trial at its end, from the definition: each spike adds exp(-s/tau)/tau, read at the ends of steps.
    trial = spikes.between(inside[2] * 700, (inside[2] + 1) * 700)
    trace = np.zeros(40)
    np.add.at(trace, trial.ids, np.exp(-(700 - trial.times) / script.TAU_MS) / script.TAU_MS * 1e3)
    firing = np.flatnonzero(spikes.counts() >= 8)
    chosen = np.sort(np.random.default_rng(3).permutation(firing)[:12])
    np.testing.assert_allclose(rates[2, -1], trace[chosen], rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="kept = 41: of 40 cells"):
        script.activity(task, 3, neurons=40, kept=41, trials=8, backend="numba")


def made(script: Any, told: bool, seed: int) -> Any:
    """Analyses of activity that has a common time course and, if told, a place on a line for each event from sample 6 on."""
    rng = np.random.default_rng(seed)
    events = np.array(list("ABCD") * 8)
    time = np.sin(np.linspace(0, 3, 35))[None, :, None] * rng.normal(size=50)
    direction = rng.normal(size=50)
    rates = 20 + 5 * time + rng.normal(size=(32, 35, 50))
    if told:
        rates[:, 6:] += (np.char.find("ABCD", events)[:, None] * direction)[:, None]
    return script.analysed(rates, events, samples=19, seed=seed)


@pytest.mark.slow
def test_events_are_told_where_they_are_and_not_where_they_are_not(script: Any) -> None:
    time = 20.0 * np.arange(1, 36)
    told, blind = ([made(script, told, seed) for seed in (1, 2)] for told in (True, False))
    of = script.measured(told, time)
    results = of.results
    assert results["event told after the last event: mean"] > 0.9
    assert results["event told before the cue: mean"] < 0.6
    assert min(n.demixed.part_tests["event"].p for n in told) == 0.05
    other = script.measured(blind, time).results
    assert other["event told after the last event: mean"] < 0.5
    assert other["variance of averages that depends on the event (%): mean"] < 20
    for figure in (script.components(told), script.course(told)):
        figure.canvas.draw()
        assert len(figure.axes) == 3


def test_too_little_is_refused(script: Any) -> None:
    for options in ({"seeds": 1}, {"trials": 18}, {"trials": 12}, {"kept": 5}):
        with pytest.raises(ValueError, match="at least 2 seeds"):
            script.reservoir_dimensionality(**options)
