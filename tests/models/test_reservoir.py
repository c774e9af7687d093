"""The reservoir of the what/when task: structure, Dale's law, weights, and what is refused."""

import numpy as np
import pytest
from scipy import stats

import neurodyn as nd
from neurodyn.network import realize


@pytest.fixture(scope="module")
def network():
    return realize(nd.SpikingReservoir(400, seed=3))


def test_the_structure(network):
    circuit = network.circuit
    assert circuit["cells"].size == 400 and circuit.timestep == 1e-3 and circuit["task"].channels == ("cue", "A", "B")
    assert network.program.exactness == "exact"
    np.testing.assert_array_equal(network.values["cells.inhibitory"], np.arange(400) >= 320)


# False-alarm budget of the three statistical tests: 6 verdicts at p < 1e-5, seeds fixed.
def test_wiring_has_its_probability_and_no_autapses(network):
    w = network.wiring["recurrent"]
    assert not (w.sources == w.targets).any()
    assert stats.binomtest(w.targets.size, 400 * 399, 0.1).pvalue > 1e-5
    np.testing.assert_array_equal(w.delays, 0)


def test_dales_law_and_the_scale_of_weights(network):
    w = network.wiring["recurrent"]
    inhibitory = w.sources >= 320
    assert (w.weights[~inhibitory] > 0).all() and (w.weights[inhibitory] < 0).all()
    half = stats.halfnorm()
    for weights, scale in ((w.weights[~inhibitory], 0.3), (-w.weights[inhibitory], 1.2)):
        assert stats.kstest(weights * np.sqrt(0.1 * 400) / scale, half.cdf).pvalue > 1e-5


def test_input_reaches_half_of_the_cells(network):
    matrix = network.wiring["input"].matrix
    assert matrix is not None and matrix.shape == (3, 400)
    for row, weight in zip(matrix, (15.0, 2.0, 2.0), strict=True):
        reached = row != 0
        assert stats.binomtest(int(reached.sum()), 400, 0.5).pvalue > 1e-5
        assert stats.kstest(row[reached] / weight, stats.uniform().cdf).pvalue > 1e-5
    assert not np.array_equal(matrix[1] != 0, matrix[2] != 0)  # each event has its own cells


def test_options_reach_the_network():
    net = nd.SpikingReservoir(
        50, connection_probability=0.5, events=("left",), seed=4, inhibitory=0.5, excitatory_weight=0.0, inhibitory_weight=2.0, tau_syn="9 ms",
        bias=1.5, noise=0.0, cue_weight=0.0, event_weight=3.0, input_fraction=1.0, jitter=0.0,
    )  # fmt: skip
    network = realize(net)
    matrix, w = network.wiring["input"].matrix, network.wiring["recurrent"]
    assert net["task"].channels == ("cue", "left") and matrix is not None
    np.testing.assert_array_equal(matrix[0], 0)
    assert (matrix[1] > 0).all() and matrix[1].max() < 3
    np.testing.assert_array_equal(w.weights[w.sources < 25], 0)
    assert (w.weights[w.sources >= 25] < 0).all()
    assert network.values["cells.tau_syn"] == pytest.approx(9e-3) and network.values["cells.bias"] == 1.5


def test_without_noise_and_jitter_trials_repeat():
    net = nd.SpikingReservoir(30, noise=0.0, jitter=0.0, seed=5)
    session = nd.Session((nd.Trial(150, {"task": [1.0, 0.0, 0.0]}),) * 2, dt=1e-3)
    spikes = nd.simulate(net, session, backend="interpreter")["spikes"]
    first, second = ((spikes.times >= t) & (spikes.times < t + 150) for t in (0, 150))
    np.testing.assert_array_equal(spikes.times[first], spikes.times[second] - 150)
    np.testing.assert_array_equal(spikes.ids[first], spikes.ids[second])
    assert first.sum() > 20


def test_activity_is_that_of_the_sheet():
    """Sheet 1.4: about 7 spikes/s after the cue with the default numbers; 300 ms after a cue, here 4 to 12."""
    session = nd.tasks.WhatWhen().session(trials=1, calibration=4)
    session = nd.Session(session.trials[:4], dt=session.dt, channels=session.channels)
    spikes = nd.simulate(nd.SpikingReservoir(400, seed=1), session)["spikes"]
    after = (spikes.times % 700 >= 100) & (spikes.times % 700 < 700)
    assert 4 < after.sum() / 400 / 0.6 / 4 < 12


@pytest.mark.parametrize(("neurons", "probability"), [(1, 0.1), (2, 1.0), (0, 0.1)])
def test_small_networks_run(neurons, probability):
    net = nd.SpikingReservoir(neurons, connection_probability=probability)
    assert nd.simulate(net, "5 ms", record=["cells.v"], backend="interpreter")["v"].shape == (5, neurons)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"connection_probability": 0.0}, "connection_probability = 0.0, allowed is above 0 up to 1"), ({"connection_probability": 1.5}, "= 1.5"),
        ({"neurons": -1}, "size = -1"), ({"noise": -0.5}, "noise = -0.5, give 0 or a positive number"), ({"jitter": np.nan}, "jitter = nan"),
        ({"excitatory_weight": -0.3}, "excitatory_weight = -0.3.*signs follow from Dale's law"), ({"inhibitory_weight": np.inf}, "inhibitory_weight = inf"),
        ({"events": ("A", "A")}, "give one or more different labels"), ({"events": ("cue",)}, "different labels"), ({"seed": -1}, "seed = -1"),
        ({"tau_syn": "0 ms"}, "cells.tau_syn = 0 ms"), ({"tau_syn": "5 mV"}, "needs a number without unit"), ({"bias": "3 pA"}, "mixes"),
        ({"input_fraction": 1.5}, "input_fraction = 1.5, allowed is 0 to 1"), ({"inhibitory": -0.1}, "inhibitory = -0.1"), ({"cue_weight": np.nan}, "cue_weight = nan"),
        ({"event_weight": np.inf}, "event_weight = inf, give a finite number"),
    ],
)  # fmt: skip
def test_reservoirs_that_can_not_be(options, message):
    with pytest.raises(ValueError, match=message):
        realize(nd.SpikingReservoir(**{"neurons": 10, **options}))
