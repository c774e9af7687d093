"""Rows of synapses by blocks of targets: cut where they should be, and the same sums."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends import rows
from neurodyn.backends.engine import SampleSpec
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.backends.numba import NumbaEngine
from neurodyn.network import realize
from tests.backends.test_numba import PlainEngine, assert_equal_states


def circuit(delay: str | nd.Uniform | None = None, probability: float = 0.8) -> nd.Circuit:
    cells = nd.Population(
        "cells",
        300,
        "dv/dt = -v/(10*ms) : 1",
        method="euler",
        threshold="v > 0.9",
        reset="v = 0",
        initial={"v": nd.Uniform(0, 1)},
    )
    joined = nd.Connection(cells, cells, "v", probability=probability, weight=nd.Normal(0.05, 0.05), delay=delay)
    return nd.Circuit([cells], [joined], dt="0.5 ms", seed=3)


def test_rows_are_cut_where_a_range_of_targets_begins() -> None:
    network = realize(circuit(probability=0.4))
    (wiring,) = network.wiring.values()
    starts = [0, 128, 131, 131, 300]
    cut = rows.row_starts(wiring, starts)
    assert cut is not None and cut.shape == (300, 5)
    np.testing.assert_array_equal(cut[:, 0], wiring.indptr[:-1])
    np.testing.assert_array_equal(cut[:, -1], wiring.indptr[1:])
    for j in range(300):
        own = wiring.targets[wiring.indptr[j] : wiring.indptr[j + 1]]
        for k, (first, end) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
            np.testing.assert_array_equal(wiring.targets[cut[j, k] : cut[j, k + 1]], own[(own >= first) & (own < end)])


def test_unsorted_rows_stay_whole() -> None:
    cells = circuit()["cells"]
    joined = nd.Connection("cells", "cells", "v", pairs=([0, 0, 1], [200, 3, 4]), weight=0.1)
    network = realize(nd.Circuit([cells], [joined], dt="1 ms"))
    (wiring,) = network.wiring.values()
    assert rows.row_starts(wiring, [0, 300]) is None
    assert rows.rows_of(network.program.spikes[0], wiring, 300).tolist()[:2] == [[0, 2], [2, 3]]


@pytest.mark.parametrize("make, delay", [(PlainEngine, None), (PlainEngine, "1.5 ms"), (NumbaEngine, None)])
def test_blocks_give_the_bits_of_the_interpreter(monkeypatch: pytest.MonkeyPatch, make, delay) -> None:
    monkeypatch.setattr(rows, "TARGETS", 100)
    network = realize(circuit(delay))
    options = {"spikes": ["cells"], "samples": [SampleSpec("cells.v", np.arange(300))]}
    ours, plain = make(network, **options), InterpreterEngine(network, **options)
    assert ours._lasting_arrays["c0_rows"].shape == (300, 4)
    for engine in (ours, plain):
        engine.start_trial(learning=False, calibration=False, reset=True)
    fired = ours.advance(30, {}).spikes["cells"][0].size
    plain.advance(30, {})
    assert fired > 100
    assert_equal_states(ours, plain)


def test_few_synapses_or_many_delays_make_no_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "TARGETS", 100)
    for net in (circuit(probability=0.1), circuit(nd.Uniform("0.5 ms", "4 ms"))):
        network = realize(net)
        (wiring,) = network.wiring.values()
        assert rows.rows_of(network.program.spikes[0], wiring, 300).shape == (300, 2)
