"""Estimates of memory and disk agree with what a run then takes."""

from __future__ import annotations

import numpy as np

import neurodyn as nd
from neurodyn.network import realize


def test_recording_of_samples_is_exact_before_compression() -> None:
    net = nd.SpikingReservoir(40, seed=2)
    guess = nd.estimate(net, "50 ms", record=["cells.v", nd.Sample("cells.u", units=[1, 2], every="5 ms")])
    run = nd.simulate(
        net, "50 ms", record=["cells.v", nd.Sample("cells.u", units=[1, 2], every="5 ms")], backend="interpreter"
    )
    assert guess.steps == 50
    assert guess.recording == np.asarray(run["v"]).nbytes + np.asarray(run["u"]).nbytes == 50 * 40 * 8 + 10 * 2 * 8


def test_network_counts_wiring_and_state() -> None:
    small, large = nd.SpikingReservoir(40, seed=2), nd.SpikingReservoir(400, seed=2)
    sizes = [nd.estimate(c, "10 ms") for c in (small, large)]
    network = realize(large)
    assert abs(sizes[1].synapses - network.synapses) < 6 * network.synapses**0.5  # drawn ones count by their mean
    assert sizes[1].peak >= sizes[1].network
    assert sizes[1].network > sum(w.weights.nbytes + w.targets.nbytes for w in network.wiring.values())
    assert sizes[1].network > sizes[0].network
    assert "synapses" in str(sizes[1])


def test_learning_adds_its_matrices() -> None:
    task = nd.tasks.WhatWhen()
    session = task.session(trials=1)
    plain, force = nd.WhatWhenRule(), nd.WhatWhenRule(when=nd.FORCE())
    net = nd.SpikingReservoir(100)
    more = nd.estimate(net, session, learn=force).network - nd.estimate(net, session, learn=plain).network
    assert 100 * 100 * 8 <= more < 2 * 100 * 100 * 8
