"""Borders: no units, one unit, no spikes, a spike of every unit in every step, the longest delay, one step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurodyn as nd

RUNNERS = ("interpreter", "numba", "brian2")


def counters(size, *, threshold="v > 2", delay="3 ms", probability=0.5, seed=0, sources=()):
    """Units that count up by x and by what arrives."""
    cells = nd.Population(
        "cells",
        size,
        code="v = v + x\nw = w + 0.5*v*x",
        threshold=threshold,
        reset="v = v - 2\nw = 0.25*w",
        variables={"v": "1", "w": "1"},
        parameters={"x": nd.Uniform(0, 1)},
    )
    loop = nd.Connection(cells, cells, "v", probability=probability, weight=nd.Uniform(0, 0.5), delay=delay)
    return nd.Circuit([*sources, cells], [loop], dt="1 ms", seed=seed)


def run(circuit, duration, backend):
    return nd.simulate(circuit, duration, backend=backend, record=["spikes", "cells.v", "cells.w"])


@pytest.mark.parametrize("backend", RUNNERS[1:])
@pytest.mark.parametrize(
    "case, steps",
    [
        ({"size": 1}, 100),
        ({"size": 1, "probability": 0.0}, 100),
        ({"size": 9, "threshold": "v > 1e9"}, 100),
        ({"size": 9, "threshold": "v > -1e9"}, 100),
        ({"size": 9, "threshold": "v > -1e9", "delay": "0 ms"}, 50),
        ({"size": 9, "delay": nd.Uniform("1 ms", "60 ms")}, 200),
        ({"size": 9, "delay": "80 ms"}, 200),
        ({"size": 9, "delay": "2 s"}, 100),
        ({"size": 9, "probability": 1.0}, 1),
    ],
)
def test_borders(case, steps, backend):
    circuit = counters(**case)
    expected, found = (run(circuit, f"{steps} ms", b) for b in ("interpreter", backend))
    report = nd.compare(found, expected)
    assert report, str(report)
    if case.get("threshold") == "v > -1e9":
        assert len(expected["spikes"]) == steps * case["size"]
    if case.get("threshold") == "v > 1e9":
        assert len(expected["spikes"]) == 0


@pytest.mark.parametrize("delay", ["80 ms", nd.Uniform("1 ms", "60 ms")])
def test_the_longest_delay_matters(delay):
    """The cases above are no tests if nothing arrives."""
    with_loop, without = (run(counters(9, delay=delay, probability=p), "200 ms", "interpreter") for p in (0.5, 0.0))
    assert not nd.compare(with_loop, without)


@pytest.mark.parametrize("backend", ["interpreter", "numba"])
def test_an_empty_population(backend):
    recording = run(counters(0), "10 ms", backend)
    assert recording["spikes"].size == 0
    assert recording["state/cells/v"].shape == (10, 0)


def test_brian2_refuses_an_empty_population_by_name():
    with pytest.raises(nd.circuit.CircuitError, match="'cells' is empty.*numba"):
        run(counters(0), "10 ms", "brian2")


@pytest.mark.parametrize("backend", RUNNERS)
def test_a_spike_source_without_spikes_and_one_with_all(backend):
    silent = nd.SpikeTimes("silent", 2, [], nd.quantity([], name="none") if False else np.empty(0))
    busy = nd.SpikeTimes("busy", 2, np.tile([0, 1], 20), nd.quantity([f"{k} ms" for k in np.repeat(np.arange(20), 2)]))
    circuit = counters(3, sources=(silent, busy))
    links = [
        nd.Connection(source, "cells", "v", weight=w, delay="1 ms") for source, w in ((silent, 100.0), (busy, 0.125))
    ]
    circuit = circuit.with_(connections=[*circuit.connections, *links])
    report = nd.compare(run(circuit, "30 ms", backend), run(circuit, "30 ms", "interpreter"))
    assert report, str(report)
    assert len(run(circuit, "30 ms", backend)["spikes"]) > 10


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    size=st.integers(0, 4),
    steps=st.integers(1, 12),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    delays=st.tuples(st.integers(1, 4), st.integers(0, 15)),
    probability=st.sampled_from([0.0, 0.4, 1.0]),
    threshold=st.sampled_from([-1e9, 0.5, 2.0, 1e9]),
    seed=st.integers(0, 2**64 - 1),
)
def test_numba_is_the_interpreter_whatever_the_sizes(suite, size, steps, lengths, delays, probability, threshold, seed):
    """Sizes, delays and parameters are numbers of one Program, so this compiles once."""
    low, spread = delays
    cells = nd.Population(
        "cells",
        size,
        code="v = v + x",
        threshold="v > limit",
        reset="v = v - 2",
        variables={"v": "1"},
        parameters={"x": nd.Uniform(0, 1), "limit": threshold},
    )
    delay = nd.Uniform(f"{low} ms", f"{low + spread} ms")
    loop = nd.Connection(cells, cells, "v", probability=probability, weight=nd.Uniform(0, 2), delay=delay)
    from neurodyn.network import realize

    network = realize(nd.Circuit([cells], [loop], dt="1 ms", seed=seed))
    trials = [(steps, {"learning": True, "calibration": False, "reset": True}, {})]
    reference, machine = (suite.engine(network, runner) for runner in ("interpreter", "numba"))
    suite.same(suite.play(machine, trials, lengths), suite.play(reference, trials, (10**6,)))
    suite.same(machine.to_arrays(), reference.to_arrays())
