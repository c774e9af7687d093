"""One network on several threads: the bits of one thread; what threads can't share is left to one."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends import split
from neurodyn.backends.engine import SampleSpec
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.backends.numba import NumbaEngine
from neurodyn.backends.split import SplitAdvance
from neurodyn.kernels.split_step import LINE, meet, ranges, splittable
from neurodyn.kernels.table import Table
from neurodyn.network import realize
from tests.backends.test_numba import assert_equal_states


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "ENOUGH", 100)


def rich(**changes) -> nd.Circuit:
    """All that threads share: two populations and a source, draws, refractoriness, every kind of delay."""
    first = nd.Population(
        "first",
        301,
        "dv/dt = (y - v)/(10*ms) + 0.6*sqrt(1/ms)*xi : 1 (unless refractory)\ndy/dt = -y/(5*ms) : 1",
        method="euler",
        threshold="v > 0.9 + 0.1*rand()",
        reset="v = 0",
        refractory="2 ms",
        initial={"v": nd.Uniform(0, 1)},
    )
    second = nd.Population(
        "second",
        200,
        "dw/dt = -w/tau : 1",
        method="euler",
        threshold="w > 1",
        reset="w -= 1",
        parameters={"tau": "20 ms"},
    )
    times = nd.SpikeTimes("source", 4, units=[0, 1, 3, 3], times=["2 ms", "2 ms", "3 ms", "9.5 ms"])
    late = nd.Uniform("0.5 ms", "4 ms")
    connections = [
        nd.Connection(first, first, "y", probability=0.1, weight=nd.Normal(0.05, 0.1), delay=late),
        nd.Connection(first, second, "w", probability=0.2, weight=0.1, delay="1.5 ms"),
        nd.Connection(second, first, "v", probability=0.05, weight=-0.2),
        nd.Connection(times, second, "w", probability=0.5, weight=0.7),
    ]
    return nd.Circuit([first, second, times], connections, dt="0.5 ms", seed=3, **changes)


@pytest.mark.parametrize("parts", [2, 3])
def test_threads_give_the_bits_of_the_interpreter(parts: int) -> None:
    network = realize(rich())
    samples = [SampleSpec("first.v", np.arange(0, 301, 7)), SampleSpec("second.w", np.array([199, 0, 130]), 3)]
    options = {"samples": samples, "spikes": network.program.spiking}
    ours, plain = NumbaEngine(network, parts=parts, **options), InterpreterEngine(network, **options)
    assert isinstance(ours._advance, SplitAdvance)
    for engine in (ours, plain):
        engine.start_trial(learning=False, calibration=False, reset=True)
    fired = 0
    for steps in (1, 0, 1, 9, 30):
        mine, theirs = ours.advance(steps, {}), plain.advance(steps, {})
        assert_equal_states(ours, plain)
        for name in network.program.spiking:
            np.testing.assert_array_equal(mine.spikes[name], theirs.spikes[name])
            fired += mine.spikes[name][0].size
        for sample in samples:
            np.testing.assert_array_equal(mine.samples[sample.array], theirs.samples[sample.array])
    assert fired > 300


def test_a_run_says_that_threads_share_it() -> None:
    runs = [nd.simulate(rich(), "10 ms", record=["spikes", "first.v"], threads=n) for n in (1, 2)]
    assert nd.compare(*runs).difference is None
    assert [run.attrs["threads"] for run in runs] == [1, 2]


def test_what_threads_cannot_share_runs_on_one() -> None:
    cells = nd.Population("cells", 300, "dv/dt = -v/(10*ms) : 1", method="euler", threshold="v > 1", reset="v = 0")
    joined = nd.Connection(cells, cells, "v", pairs=([0, 0, 1], [200, 3, 4]), weight=0.1)
    unsorted = realize(nd.Circuit([cells], [joined], dt="1 ms"))
    assert unsorted.wiring[joined.name].targets.tolist() == [200, 3, 4]
    assert splittable(unsorted.program, ()) and SplitAdvance.of(unsorted, (), "float64", Table({}), (), 2) is None
    assert SplitAdvance.of(realize(rich()), (), "float64", Table({}), (), 1) is None
    reservoir = nd.WhatWhenRule().attach(nd.SpikingReservoir(300, events=("A", "B")))
    assert not splittable(reservoir.program, ())
    assert NumbaEngine(unsorted, parts=2).advance(3, {}).spikes == {}


def test_a_thread_that_fails_does_not_leave_the_others_waiting() -> None:
    gate = np.empty((2, LINE), np.int64)

    def kernel(part, parts, own):
        if part == 1:
            raise MemoryError("no room")
        meet(gate, part, parts, 7)
        return 7

    with pytest.raises(MemoryError, match="no room"):
        SplitAdvance(kernel, [[0, 2], [1, 2]], [Table.of({"gate": gate})] * 2, gate)()


def test_ranges_begin_at_whole_groups_and_cover_all_units() -> None:
    assert ranges(1000, 2) == [0, 512, 1000] and ranges(100, 3) == [0, 0, 0, 100] and ranges(0, 2) == [0, 0, 0]
