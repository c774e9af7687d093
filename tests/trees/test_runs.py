"""What a run was given: enough to begin it again as it began."""

import numpy as np

import neurodyn as nd
from neurodyn.circuit import Circuit
from neurodyn.network import realize
from neurodyn.session import Session, Trial
from neurodyn.trees import runs

OPTIONS = {"record": ("spikes",), "backend": "numba", "device": "cpu", "dtype": "float64", "overwrite": True}
RULE = nd.WhatWhenRule()


def learned(circuit, **values):
    """The circuit as a run might leave it: every memory has other numbers."""
    network = realize(circuit)
    shapes = {a.name: [network.sizes[x] for x in a.axes] for a in circuit.program.arrays if a.role == "memory"}
    return circuit.with_values({name: np.full(shape, 0.5) for name, shape in shapes.items()} | values)


def test_a_trained_circuit_goes_back_to_its_start():
    fresh = RULE.attach(nd.SpikingReservoir(20, seed=3))
    tree = runs.run_tree(fresh, Session((Trial(5),), 1e-3), OPTIONS)
    trained = Circuit.from_tree(learned(fresh).to_tree())
    assert trained.program.hash != fresh.program.hash  # its weights start from numbers
    back = runs.untrained(tree, trained)
    assert back.program.hash == fresh.program.hash and back.seed == fresh.seed
    np.testing.assert_array_equal(realize(back).wiring["recurrent"].weights, realize(fresh).wiring["recurrent"].weights)


def test_weights_of_an_earlier_run_are_where_it_starts():
    old = np.arange(40.0).reshape(2, 20)
    before = RULE.attach(nd.SpikingReservoir(20, seed=3)).with_values({"when.w": old})
    tree = runs.run_tree(before, Session((Trial(5),), 1e-3), OPTIONS)
    back = runs.untrained(tree, Circuit.from_tree(learned(before).to_tree()))
    assert back.program.hash == before.program.hash
    np.testing.assert_array_equal(back.values["when.w"], old)
    assert "what.v" not in back.values


def test_start_values_given_as_arrays_stay_those_of_the_description():
    readout = nd.Readout("out", "rate", ("y",), state={"y": "output"}, memory={"w": ("unit", np.arange(4.0))})
    cells = nd.Population("cells", 4, code="v = v", variables={"v": "1"}, threshold="v > 1")
    before = nd.Circuit([cells], filters=[nd.Filter("rate", cells, "20 ms")], readouts=[readout], dt="1 ms")
    tree = runs.run_tree(before, Session((Trial(5),), 1e-3), OPTIONS)
    back = runs.untrained(tree, Circuit.from_tree(learned(before).to_tree()))
    np.testing.assert_array_equal(realize(back).values["out.w@initial"], np.arange(4.0))


def test_options_keep_what_was_asked_for():
    record = ("spikes", nd.Sample("cells.v", units=range(2, 4), every="2 ms"), nd.Sample("cells.u"))
    tree = runs.run_tree(nd.SpikingReservoir(5), Session((Trial(5),), 1e-3), {**OPTIONS, "record": record})
    assert tree["options"] == {"backend": "numba", "device": "cpu", "dtype": "float64"}
    assert tree["record"] == [
        "spikes",
        {"array": "cells.v", "units": [2, 3], "every": 2e-3},
        {"array": "cells.u", "units": None, "every": None},
    ]


def test_inputs_too_large_to_keep_are_left_out_and_said(monkeypatch):
    monkeypatch.setattr(runs, "KEPT_MB", 0.1)
    noise = np.random.default_rng(0).normal(size=(10_000, 2))
    shared = Session((Trial(10_000, {"task": noise[:5000].repeat(2, axis=0)}),) * 3, 1e-3)
    tree = runs.run_tree(nd.SpikingReservoir(5), shared, OPTIONS)
    assert tree["left_out"] == "the inputs of its session take 0.16 MB (up to 0.1 MB are kept)"
    assert "session" not in tree
    small = Session((Trial(1000, {"task": noise[:1000]}),) * 300, 1e-3)  # held once
    assert "session" in runs.run_tree(nd.SpikingReservoir(5), small, OPTIONS)
