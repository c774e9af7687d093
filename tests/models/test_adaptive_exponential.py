"""Adaptive exponential cells: their arithmetic, their patterns, their errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.models.adaptive_exponential import TYPES_ADEX
from neurodyn.parts import CircuitError


def intervals(kind):
    (response,) = nd.cells(f"adex/{kind}").respond()
    return response.spikes_ms[0], np.diff(response.spikes_ms)


def test_a_step_is_its_arithmetic():
    cells = nd.adaptive_exponential("cells", 1, parameters={"bias": "300 pA"}, initial={"v": "-52 mV", "w": "40 pA"})
    got = nd.simulate(nd.Circuit([cells], dt="0.1 ms"), "0.1 ms", record=["cells.v", "cells.w"], backend="interpreter")
    v = -52 + 0.1 * (30 * (-70.6 + 52) + 30 * 2 * math.exp((-52 + 50.4) / 2) - 40 + 300) / 281
    w = 40 + 0.1 * (4 * (-52 + 70.6) - 40) / 144
    np.testing.assert_allclose([got["v"][0, 0], got["w"][0, 0]], [v, w], rtol=1e-6)


def test_resets_are_exact():
    cells = nd.adaptive_exponential("cells", 1, parameters={"bias": "1 nA"})
    got = nd.simulate(nd.Circuit([cells]), "60 ms", record=["spikes", "cells.v", "cells.w"], backend="interpreter")
    steps = np.rint(got["spikes"].times / 0.1).astype(int)
    v, w = np.asarray(got["v"], dtype=float)[:, 0], np.asarray(got["w"], dtype=float)[:, 0]
    assert steps.size >= 2 and v.max() <= 20
    np.testing.assert_allclose(v[steps], -70.6, rtol=1e-6)
    drift = 0.1 / 144 * (4 * (v[steps - 1] + 70.6) - w[steps - 1])
    np.testing.assert_allclose(w[steps] - w[steps - 1] - drift, 80.5, rtol=1e-4)


def test_the_cell_of_brette_and_gerstner_is_silent_below_its_rheobase():
    """From rest at the current, the closed form is exact; a step from no current fires a little earlier."""
    cells = nd.adaptive_exponential("cells", 2, parameters={"bias": ["600 pA", "650 pA"]})
    spikes = nd.simulate(nd.Circuit([cells]), "1 s")["spikes"]
    late = np.bincount(spikes.ids[spikes.times > 500], minlength=2)
    assert late[0] == 0 and late[1] > 0


def test_patterns_are_those_that_they_are_named_for():
    first, tonic = intervals("tonic")
    assert tonic.std() / tonic.mean() < 0.02
    _, adapting = intervals("adapting")
    assert (np.diff(adapting) > 0).all() and adapting[-1] > 5 * adapting[0]
    _, initial = intervals("initial_bursting")
    assert (initial[:2] < 10).all() and (initial[2:] > 50).all()
    _, bursting = intervals("regular_bursting")
    np.testing.assert_allclose(bursting[4::2], bursting[4], rtol=0.02)  # pauses
    assert bursting[2] > 100 and (bursting[3::2] < 10).all()
    begins, accelerating = intervals("delayed_accelerating")
    assert begins > 2 * first and (np.diff(accelerating) < 0.2).all() and accelerating[0] > 1.9 * accelerating[-1]
    _, irregular = intervals("irregular")
    assert len(set(np.round(irregular[5:], 1))) > 10 and irregular.std() / irregular.mean() > 0.3


def test_spikes_and_sums_arrive():
    cells = nd.adaptive_exponential("cells", 1, parameters={"tau_syn": "4 ms"})
    source = nd.SpikeTimes("s", 1, [0], ["0.1 ms"])
    drive = nd.Input("drive", ("x",), pulses=(("0 ms", "1 ms", 3.0),))
    links = [
        nd.Connection(source, cells, "I_syn", weight="2 pA", pattern="all"),
        nd.Connection(drive, cells, "I_in", weight="1 pA", pattern="all"),
    ]
    net = nd.Circuit([cells, source], links, inputs=[drive])
    got = nd.simulate(net, "0.4 ms", record=["cells.I_syn", "cells.I_in"], backend="interpreter")
    np.testing.assert_allclose(got["I_syn"][:, 0], [0, 2, 2 * 0.975, 2 * 0.975**2], rtol=1e-6)
    np.testing.assert_allclose(got["I_in"][:, 0], 3)


@pytest.mark.parametrize("backend", ["numba", "torch", "brian2"])
def test_every_runner_agrees_step_by_step(backend):
    """An exponential of state: runners agree to rounding while trajectories are together (docs/conformance.md)."""
    cells = nd.adaptive_exponential("cells", 3, parameters={"bias": ["600 pA", "800 pA", "1 nA"]})
    runs = [
        nd.simulate(nd.Circuit([cells]), "40 ms", record=["spikes", "cells.v"], backend=b)
        for b in ("interpreter", backend)
    ]
    comparison = nd.compare(*runs, tolerance=1e-6)
    assert len(runs[0]["spikes"]) >= 3 and comparison, str(comparison)


def test_unknown_names():
    with pytest.raises(CircuitError, match="cells of this model are regular_spiking, tonic.*did you mean 'adapting'"):
        nd.adaptive_exponential("cells", 1, cell="adaptive")
    with pytest.raises(CircuitError, match="no parameter 'gL'.*did you mean 'g_L'"):
        nd.adaptive_exponential("cells", 1, parameters={"gL": "3 nS"})
    assert set(TYPES_ADEX["tonic"]) == set(TYPES_ADEX["regular_spiking"])
