"""What a network takes is known before it is drawn, is what it then takes, and no more than it has to be."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn import memory, synaptic_numbers, wiring
from neurodyn.backends import engine_class
from neurodyn.memory import NetworkSize, check_memory
from neurodyn.network import Network, axis_sizes, realize
from neurodyn.parts import CircuitError

CELLS = nd.Population("cells", 300, "dv/dt = -v/tau : 1", threshold="v > 1", reset="v = 0", parameters={"tau": "10 ms"})


def circuit(**link: Any) -> nd.Circuit:
    """Cells joined at random, by a connection "c"."""
    given = {"probability": 0.3, "weight": nd.Normal(0.0, 1.0), "name": "c", **link}
    return nd.Circuit([CELLS], [nd.Connection(given.pop("source", CELLS), CELLS, "v", **given)], dt="1 ms", seed=4)


def taken(network: Network, engine: Any) -> int:
    """Return the bytes of all arrays that a network and its runner hold, those they share once."""
    held = [
        *network.values.values(),
        *engine.arrays.values(),
        *engine._lasting_arrays.values(),
        *engine.histories.values(),
    ]
    for w in network.wiring.values():
        held += [w.indptr, w.targets, w.weights, w.delays, *([] if w.matrix is None else [w.matrix])]
    blocks: dict[int, int] = {}
    for x in map(np.asarray, held):
        size = x.nbytes if 0 not in x.strides else x.itemsize
        start = x.__array_interface__["data"][0]
        blocks[start] = max(size, blocks.get(start, 0))
    return sum(blocks.values())


VARIOUS: dict[str, dict[str, Any]] = {
    "static": {},
    "one delay": {"delay": "5 ms"},
    "many delays": {"delay": nd.Uniform("1 ms", "8 ms")},
    "plastic": {"rules": nd.stdp()},
    "plastic, bounded": {"rules": nd.stdp(), "weight": 0.5, "bounds": (0.0, 1.0)},
    "plastic, many delays": {"rules": nd.stdp(), "delay": nd.Uniform("1 ms", "8 ms")},
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", VARIOUS)
def test_what_is_estimated_is_what_is_taken(kind: str, dtype: str) -> None:
    net = circuit(**VARIOUS[kind])
    network = realize(net, dtype=dtype)
    engine = engine_class("numba")(network, dtype=dtype)
    size = NetworkSize.of(net, net.program, axis_sizes(net), dtype)
    actual = taken(network, engine)
    assert abs(size.held - actual) < 0.03 * actual + 20_000
    assert size.peak >= size.held
    assert abs(size.synapses["c"] - network.synapses) < 6 * network.synapses**0.5


@pytest.mark.parametrize(
    "kind, dtype, allowed",
    [("static", "float64", 14), ("one delay", "float64", 14), ("static", "float32", 10), ("plastic", "float64", 24)],
)
def test_a_synapse_takes_no_more_than_it_has_to(kind: str, dtype: str, allowed: int) -> None:
    """Two networks with the same units, so that all they take beside their synapses is the same.

    In networks as small as these, targets are there twice, with two bytes for the loop that passes spikes on.
    """
    few, many = (circuit(**VARIOUS[kind], probability=p) for p in (0.1, 0.9))
    sizes = []
    for net in (few, many):
        network = realize(net, dtype=dtype)
        sizes.append((taken(network, engine_class("numba")(network, dtype=dtype)), network.synapses))
        program = network.program
    state = sum(8 for a in program.arrays if a.kept and "c" in a.axes)
    each = (sizes[1][0] - sizes[0][0]) / (sizes[1][1] - sizes[0][1])
    assert each <= allowed + state


def test_building_takes_little_more_than_what_stays() -> None:
    net = circuit(probability=0.9)
    realize(net)
    size = NetworkSize.of(net, net.program, axis_sizes(net))
    tracemalloc.start()
    network = realize(net)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size.peak + 0.1 * size.held  # the check of finite numbers takes a byte of each of a block
    assert network.wiring["c"].weights.nbytes < peak


def test_dense_sums_share_their_matrix_with_their_list() -> None:
    rates = nd.Population("rates", 40, code="r = x", variables={"r": "1", "x": "1"}, dt="1 ms")
    link = nd.Connection("rates.r", rates, "x", weight=nd.Normal(0.0, 1.0), autapses=True, name="c")
    joined = realize(nd.Circuit([rates], [link], seed=1)).wiring["c"]
    assert joined.matrix is not None and np.shares_memory(joined.matrix, joined.weights)
    np.testing.assert_array_equal(joined.matrix[joined.sources, joined.targets], joined.weights)


def test_a_network_beyond_the_machine_is_refused_before_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = nd.Population("cells", 2_000_000, "dv/dt = -v/tau : 1", threshold="v > 1", parameters={"tau": "10 ms"})
    link = nd.Connection(cells, cells, "v", probability=0.5, weight=nd.Normal(0.0, 1.0))
    huge = nd.Circuit([cells], [link], dt="1 ms", name="huge")
    monkeypatch.delattr(wiring, "_pattern")  # what would draw
    with pytest.raises(MemoryError, match=r"network 'huge' needs 2.24e\+04 GiB for 2e\+12 synapses; this machine has"):
        nd.simulate(huge, "1 ms")
    guess = nd.estimate(huge, "1 ms")
    assert guess.synapses == 2 * 10**12 - 10**6 and 12 * guess.synapses < guess.network < 12.1 * guess.synapses


def test_what_does_not_fit_just_now_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    size = NetworkSize("large", {"c": 10**8}, 3 * 2**30, 4 * 2**30)
    monkeypatch.setattr(memory, "machine_bytes", lambda: (16 * 2**30, 10 * 2**30))
    check_memory([size])
    check_memory([size] * 3)  # 9 GiB and, while the last is built, one more
    with pytest.warns(
        RuntimeWarning, match="4 networks need 13 GiB for 4e\\+08 synapses; this machine has 16 GiB, 10 GiB"
    ):
        check_memory([size] * 4)
    with pytest.raises(MemoryError, match="6 networks need 19 GiB.*dtype='float32'"):
        check_memory([size] * 6)


def test_this_machine_has_memory() -> None:
    total, free = memory.machine_bytes()
    assert 0 < free <= total


@pytest.mark.parametrize("weight", ["0.1*i - j + randn()", "exp(-abs(i - j)/10) + v_pre*rand()", "0.5"])
def test_expressions_are_the_same_in_blocks(weight: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = nd.Population("cells", 60, "dw/dt = -w/tau : 1", threshold="w > 1", parameters={"tau": "10 ms", "v": nd.Uniform(0, 1)})  # fmt: skip
    links = [
        nd.Connection(cells, cells, "w", probability=0.5, weight=weight, delay="(1 + i % 3)*ms", name="c"),
        nd.Connection(cells, cells, "w", probability=0.0, weight=weight, name="none"),
    ]
    net = nd.Circuit([cells], links, dt="1 ms", seed=2)
    whole = realize(net).wiring["c"]
    monkeypatch.setattr(synaptic_numbers, "BLOCK", 7)
    parts = realize(net).wiring["c"]
    for name in ("indptr", "targets", "weights", "delays"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    assert len(set(whole.delays)) == 3


def test_the_first_weight_that_is_not_finite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synaptic_numbers, "BLOCK", 7)
    with pytest.raises(CircuitError, match="weight 19 is not finite"):
        realize(circuit(pairs=(np.zeros(30, int), np.arange(30)), probability=None, weight="1/(j - 19)"))


def test_a_run_in_float32_keeps_weights_in_float32_and_is_the_same_run() -> None:
    net = circuit(delay="2 ms")
    single, double = realize(net, dtype="float32"), realize(net)
    assert single.wiring["c"].weights.dtype == np.float32
    spikes = []
    for network in (single, double):
        engine = engine_class("numba")(network, spikes=["cells"], dtype="float32")
        engine.start_trial(learning=False, calibration=False, reset=True)
        engine.arrays["cells.v"][::7] = 2.0
        spikes.append(engine.advance(50, {}).spikes["cells"])
    np.testing.assert_array_equal(spikes[0], spikes[1])
    assert len(spikes[0][0]) > 43


def test_a_file_says_the_delay_of_every_synapse(tmp_path: Any) -> None:
    net = circuit(delay="3 ms")
    path = tmp_path / "run.h5"
    nd.simulate(net, "5 ms", out=path)
    values = nd.load(path).network().values
    drawn = realize(net).wiring["c"]
    assert drawn.delays.strides == (0,)
    np.testing.assert_array_equal(values["c.delays"], np.full(drawn.targets.size, 3))
    again = realize(nd.load(path).network()).wiring["c"]
    assert again.delays.strides == (0,)
    np.testing.assert_array_equal(again.weights, drawn.weights)


def test_targets_of_many_synapses_or_units_are_kept_once() -> None:
    assert wiring.in_two_bytes(2**16, 2**24)
    assert not wiring.in_two_bytes(2**16 + 1, 10) and not wiring.in_two_bytes(10, 2**24 + 1)
