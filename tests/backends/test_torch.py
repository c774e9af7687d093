"""The batched runner on the CPU: every network of a batch is what it is alone, whatever stands beside it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.backends import memory
from neurodyn.backends.engine import Begin, SampleSpec
from neurodyn.backends.memory import layout_bytes
from neurodyn.backends.numba import NumbaEngine
from neurodyn.backends.torch import TorchBatch, TorchEngine
from neurodyn.network import realize
from neurodyn.session import Session, Trial


def noisy(size, *, seed, delay, probability=0.3, limit=1.0):
    """Cells of any number, with draws in update, threshold and reset, delays and an input through sparse synapses."""
    cells = nd.Population(
        "cells",
        size,
        code="v = 0.9*v + x + 0.2*randn() + I",
        threshold="v > limit or rand() < 0.02",
        reset="v = 0.1*rand()",
        variables={"v": "1", "I": "1"},
        parameters={"x": nd.Uniform(0, 0.2), "limit": limit},
        initial={"v": "randn()"},
    )
    push = nd.Input("push", ("a", "b"))
    connections = [
        nd.Connection(cells, cells, "v", probability=probability, weight=nd.Normal(0, 0.2), delay=delay),
        nd.Connection(push, cells, "I", probability=0.5, weight=nd.Uniform(0, 1), name="drive"),
    ]
    return nd.Circuit([cells], connections, inputs=[push], dt="1 ms", seed=seed)


def pushed(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    trials = [Trial(n, {"push": rng.normal(size=(n, 2))}, reset=k != 1) for k, n in enumerate(lengths)]
    return Session(tuple(trials), 1e-3, {"push": ("a", "b")})


UNEQUAL = [
    (noisy(5, seed=1, delay=nd.Uniform("1 ms", "9 ms")), pushed(40, 17, 5)),
    (noisy(12, seed=2, delay=nd.Uniform("1 ms", "30 ms"), probability=1.0), pushed(33, seed=1)),
    (noisy(1, seed=3, delay=nd.Uniform("2 ms", "3 ms"), limit=0.5), pushed(1, 1, 70, seed=2)),
    (noisy(0, seed=4, delay=nd.Uniform("1 ms", "2 ms")), pushed(9, seed=3)),
    (noisy(12, seed=2, delay=nd.Uniform("1 ms", "30 ms"), probability=0.0), pushed(60, 2, seed=4)),
]
RECORD = ["spikes", "stimulus", nd.Sample("cells.v", every="3 ms"), "cells.I"]


@pytest.mark.parametrize("chunk", [4096, 7])
def test_networks_that_share_nothing_but_their_structure(chunk, monkeypatch):
    """Sizes, wiring, delays, inputs, lengths of sessions and trials: all their own; one network is empty."""
    monkeypatch.setattr("neurodyn.running.run._CHUNK", chunk)
    circuits, sessions = zip(*UNEQUAL, strict=True)
    assert len({c.program.hash for c in circuits}) == 1
    batch = nd.simulate(list(circuits), list(sessions), record=RECORD, backend="torch", device="cpu")
    for circuit, session, found in zip(circuits, sessions, batch, strict=True):
        expected = nd.simulate(circuit, session, record=RECORD, backend="interpreter")
        report = nd.compare(found, expected)
        assert report, str(report)
        assert len(expected["spikes"]) > 5 or circuit["cells"].size == 0


def test_plastic_networks_of_different_size():
    """Readouts with feedback and recursive least squares, calibration, tests without learning."""
    task = nd.tasks.WhatWhen(latencies=("60 ms", "90 ms"), trial="200 ms", cue="30 ms", window="60 ms")
    nets = [nd.SpikingReservoir(n, seed=s) for s, n in enumerate((20, 31, 20))]
    sessions = [task.session(trials=t, calibration=1, test_trials=1, seed=t) for t in (2, 3, 2)]
    rule = nd.WhatWhenRule(when=nd.FORCE(forgetting=0.999), what=nd.TrialFORCE())
    options = {"learn": rule, "record": ["spikes", "readout", "weights"]}
    batch = nd.simulate(nets, sessions, backend="torch", device="cpu", **options)
    for net, session, found in zip(nets, sessions, batch, strict=True):
        report = nd.compare(found, nd.simulate(net, session, **options))
        assert report, str(report)
        assert found.network().values["when.w"].any()


def test_circuits_of_different_structure_are_several_batches():
    other = nd.Circuit([nd.izhikevich_2003("cells", 4, parameters={"bias": nd.Uniform(5, 15)})], seed=3)
    circuits, sessions = [UNEQUAL[0][0], other, UNEQUAL[1][0]], [UNEQUAL[0][1], "80 ms", UNEQUAL[1][1]]
    batch = nd.simulate(circuits, sessions, backend="torch", device="cpu")
    for circuit, session, found in zip(circuits, sessions, batch, strict=True):
        assert nd.compare(found, nd.simulate(circuit, session))


def test_closed_loops_see_their_own_network():
    def circuit(seed, size):
        cells = nd.izhikevich_2003("cells", size, cells="RS", parameters={"bias": nd.Uniform(0, 5)})
        hand = nd.Input("hand", ("x",), function=lambda t, a: [0.1 * (np.mean(a["cells.u"]) + 20)], every="7 ms")
        links = [nd.Connection(hand, cells, "I_in", weight=nd.Uniform(0, 5))]
        return nd.Circuit([cells], links, inputs=[hand], seed=seed)

    circuits = [circuit(1, 4), circuit(2, 6)]
    batch = nd.simulate(circuits, "150 ms", record=["spikes", "cells.v"], backend="torch", device="cpu")
    for one, found in zip(circuits, batch, strict=True):
        assert nd.compare(found, nd.simulate(one, "150 ms", record=["spikes", "cells.v"]))


def exploding(seed, growth):
    cells = nd.Population("cells", 3, code="v = v*growth + x", variables={"v": "1"}, parameters={"growth": growth, "x": nd.Uniform(1, 2)})  # fmt: skip
    return nd.Circuit([cells], dt="1 ms", seed=seed)


def test_a_network_that_blows_up_takes_no_other_with_it(tmp_path):
    outs = [tmp_path / f"{k}.h5" for k in range(3)]
    circuits = [exploding(1, 0.5), exploding(2, 1e30), exploding(3, 0.5)]
    with pytest.raises(nd.BlowUpError, match=r"v of 'cells', unit 0, became inf in step 11 \(t = 11 ms\)") as caught:
        nd.simulate(circuits, "40 ms", record=["cells.v"], out=outs, backend="torch", device="cpu")
    assert caught.value.path is not None and caught.value.path.name == "1.partial.h5"
    assert caught.value.recording is not None
    alone = pytest.raises(nd.BlowUpError, nd.simulate, circuits[1], "40 ms", record=["cells.v"])
    assert alone.value.recording is not None
    np.testing.assert_array_equal(caught.value.recording["v"], alone.value.recording["v"])
    assert len(caught.value.recording["v"]) == 11
    for number in (0, 2):
        expected = nd.simulate(circuits[number], "40 ms", record=["cells.v"])
        assert nd.compare(nd.load(outs[number]), expected)
    assert not outs[1].exists()


def test_an_error_of_the_batch_reaches_every_run(tmp_path, monkeypatch):
    """What was recorded until then is kept, with the true reason."""
    monkeypatch.setattr("neurodyn.running.run._CHUNK", 10)
    advance, calls = TorchBatch.advance, []

    def failing(self, *arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return advance(self, *arguments)

    monkeypatch.setattr(TorchBatch, "advance", failing)
    outs = [tmp_path / "0.h5", tmp_path / "1.h5"]
    with pytest.raises(KeyboardInterrupt):
        nd.simulate([exploding(1, 0.5), exploding(2, 0.5)], "40 ms", record=["cells.v"], out=outs, backend="torch", device="cpu")  # fmt: skip
    for number in range(2):
        kept = nd.load(tmp_path / f"{number}.partial.h5")
        assert kept.attrs["stopped"].startswith("KeyboardInterrupt") and len(kept["v"]) == 20


def test_states_travel_between_runners():
    """A batch takes over from single runs with spikes on their way, and gives back."""
    networks = [realize(c) for c, _ in UNEQUAL[:3]]
    batch = TorchBatch(networks, samples=[[SampleSpec("cells.v", np.arange(n.sizes["cells"]))] for n in networks], spikes=["cells"])  # fmt: skip
    inputs = [np.random.default_rng(k).normal(size=(60, 2)) for k in range(3)]
    singles = [NumbaEngine(n) for n in networks]
    under_way = 0
    for single, given, engine in zip(singles, inputs, batch.engines, strict=True):
        single.start_trial(learning=True, calibration=False, reset=True, inputs={"push": given[0]})
        single.advance(25, {"push": given[:25]})
        under_way += any(v.any() for k, v in single.to_arrays().items() if k.startswith("ring"))
        engine.from_arrays(single.to_arrays())
        single.advance(20, {"push": given[25:45]})
    assert under_way
    batch.advance(20, {k: {"push": given[25:45]} for k, given in enumerate(inputs)})
    for single, given, engine in zip(singles, inputs, batch.engines, strict=True):
        state = engine.to_arrays()
        for name, value in single.to_arrays().items():
            np.testing.assert_array_equal(state[name], value, err_msg=name)
        single.from_arrays(state)
        single.advance(15, {"push": given[45:]})
    batch.advance(15, {k: {"push": given[45:]} for k, given in enumerate(inputs)})
    for single, engine in zip(singles, batch.engines, strict=True):
        np.testing.assert_array_equal(engine.arrays["cells.v"], single.arrays["cells.v"])


def test_inputs_that_networks_share_travel_once_and_arrive_at_all():
    """The same rows, rows of their own, parts of one array, none at all; and a trial of some networks only."""
    batch = TorchBatch([realize(noisy(3, seed=s, delay="1 ms")) for s in range(6)])
    rows = np.random.default_rng(1).normal(size=(9, 2))
    given = {0: rows, 1: rows, 3: rows[2:6], 4: rows[2:6].copy() + 1, 5: rows[2:6]}
    given = {lane: {"push": values[:4]} for lane, values in given.items()}
    expected = np.stack([given[lane]["push"] if lane in given else np.zeros((4, 2)) for lane in range(6)], axis=1)
    np.testing.assert_array_equal(batch._stacked("push", 4, given).numpy(), expected)
    everyone = dict.fromkeys(range(6), given[0])
    np.testing.assert_array_equal(batch._stacked("push", 4, everyone).numpy(), np.stack([rows[:4]] * 6, axis=1))
    assert not batch._stacked("push", 4, {}).any()

    batch.begin({lane: Begin(lane == 4, lane == 1, True, {"push": rows[lane]}) for lane in (4, 1)})
    shown = [batch.arrays[name].tolist() for name in ("push.value", "learning", "calibration")]
    zero = [0.0, 0.0]
    assert shown[0] == [zero, rows[1].tolist(), zero, zero, rows[4].tolist(), zero]
    assert shown[1] == [k == 4 for k in range(6)] and shown[2] == [k == 1 for k in range(6)]
    assert batch.started.tolist() == [k in (1, 4) for k in range(6)]


def test_a_network_of_a_batch_does_not_advance_alone():
    batch = TorchBatch([realize(UNEQUAL[0][0])] * 2)
    with pytest.raises(RuntimeError, match="one of a batch"):
        batch.engines[0].advance(1, {})


def test_float32_stays_close_for_a_while():
    circuit, session = UNEQUAL[1]
    short, long = (nd.simulate(circuit, session, record=["cells.v"], backend="torch", device="cpu", dtype=t) for t in ("float32", "float64"))  # fmt: skip
    assert short["v"].dtype == np.float32
    np.testing.assert_allclose(short["v"][:10], long["v"][:10], rtol=1e-4, atol=1e-5)
    assert not np.array_equal(short["v"], long["v"])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"device": "gpu"}, "device = 'gpu'; allowed are 'auto', 'cpu', 'cuda'"),
        ({"device": "cuda", "backend": "numba"}, "backend 'numba' computes on the CPU; use backend='torch'"),
        ({"device": "cuda:7"}, "device = 'cuda:7': "),
    ],
)
def test_devices_that_can_not_be(options, message):
    if options["device"] == "cuda:7" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ValueError, match=message):
        nd.simulate(exploding(1, 0.5), "3 ms", backend=options.get("backend", "torch"), device=options["device"])


def test_a_batch_that_does_not_fit_is_told_which_one_does(monkeypatch):
    circuit = UNEQUAL[1][0]
    need = layout_bytes([realize(circuit)] * 8, "float64")
    monkeypatch.setattr(memory, "_free_bytes", lambda device: need / 2)
    with pytest.raises(MemoryError, match="8 networks need .* GiB on cpu, .* at most 3 such networks fit"):
        nd.simulate([circuit] * 8, "3 ms", backend="torch", device="cpu")
    nd.simulate([circuit] * 3, "3 ms", backend="torch", device="cpu")


def test_the_estimate_of_memory_is_what_is_allocated():
    networks = [realize(c) for c, _ in UNEQUAL]
    batch = TorchBatch(networks)
    layout, changing = batch.layout, batch.snapshot()
    found = [*layout.arrays.values(), *changing["arrays"].values(), *changing["buffers"].values()]
    for s in layout.synapses.values():
        found += [s.indptr, s.targets, s.weights, s.ring, *([] if s.delays is None else [s.delays])]
    for s in layout.sums.values():
        found += [x for x in (s.matrix, s.sources, s.targets, s.weights, s.history, s.total) if x is not None]
    assert layout_bytes(networks, "float64") == pytest.approx(sum(t.nbytes for t in found), rel=0.02)


def test_alone_it_is_a_batch_of_one():
    engine = TorchEngine(realize(UNEQUAL[1][0]))
    assert len(engine.batch.networks) == 1
    assert engine.batch.engines[0].batch is engine.batch
