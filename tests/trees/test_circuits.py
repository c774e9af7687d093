"""Circuits through a file and back: the same Program, wiring, numbers and future."""

from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.circuit import Circuit
from neurodyn.network import realize
from neurodyn.parts import CircuitError
from neurodyn.trees.circuits import to_tree
from neurodyn.units import quantity

TASK = nd.tasks.WhatWhen(latencies=("100 ms", "160 ms"), probability=0.7, trial="300 ms", cue="50 ms", window="90 ms")


def through_a_file(circuit, path, session: Any = "2 ms", **options):
    nd.simulate(circuit, session, out=path, backend="interpreter", **options)
    return nd.load(path).network()


def assert_same_network(a, b):
    first, second = realize(a), realize(b)
    assert first.program.hash == second.program.hash
    assert first.values.keys() == second.values.keys() and first.seed == second.seed
    for name, value in first.values.items():
        np.testing.assert_array_equal(second.values[name], value, err_msg=name)
    for name, wiring in first.wiring.items():
        for field in ("indptr", "targets", "weights", "delays", "matrix"):
            mine, other = getattr(wiring, field), getattr(second.wiring[name], field)
            assert (mine is None) == (other is None)
            if mine is not None:
                np.testing.assert_array_equal(other, mine, err_msg=f"{name}.{field}")


def everything():
    """A circuit with each kind of part and each way to give a number."""
    cells = nd.Population(
        "cells", 7, "dv/dt = (v_rest - v + R*I)/tau : volt (unless refractory)\ndI/dt = -I/(5*ms) : amp", threshold="v > v_t", reset="v = v_rest", method="exact",
        refractory="2 ms", dt="0.5 ms", labels={}, silenced=[2, 5],
        parameters={"tau": nd.Uniform("10 ms", "20 ms"), "v_rest": "-70 mV", "R": quantity("100 Mohm"), "v_t": nd.Normal("-50 mV", "1 mV"),
                    "g": np.arange(7.0), "h": [1, 2, 3, 4, 5, 6, 7], "k": "g*2 + i"},
        initial={"v": "v_rest + 5*mV*rand()", "I": nd.Uniform("0 pA", "50 pA")},
    )  # fmt: skip
    other = nd.Population(
        "other", 3, code="x = x + I_in\n", variables={"x": "1", "I_in": "1"}, labels={"x": "counts"}, initial={"x": 0.5}
    )
    times = nd.SpikeTimes("times", 2, [0, 1], ["1 ms", "2 ms"])
    drive = nd.Input("drive", ("p", "q"))
    kick = nd.Input("kick", ("k",), pulses=(("0 ms", "1 ms", 2.0),))
    out = nd.Readout("out", "rate", ("p", "q"), state={"y": "output", "x": "unit"}, memory={"w": ("output*unit", 0.25), "count": "network"},
                     parameters={"scale": 0.1}, per_step="y = sum(w*r)*scale", trial_end="count += 1", labels={"y": "a.u."},
                     rule=nd.Rule("rule", per_step="w += eta*(drive - y)*r", parameters={"eta": 1e-3}, memory={"m": "unit"}))  # fmt: skip
    links = [
        nd.Connection(
            cells, cells, "I", probability=0.5, weight="20*pA*randn()", delay=nd.Uniform("1 ms", "3 ms"), name="random"
        ),
        nd.Connection(
            times,
            cells,
            "I",
            pairs=([0, 1, 1], [3, 3, 4]),
            weight=["10 pA", "20 pA", "30 pA"],
            delay="0.5 ms",
            name="pairs",
        ),
        nd.Connection(drive, other, "I_in", weight=np.array([[1.0, 2.0, np.nan], [3.0, 4.0, 5.0]]), name="matrix"),
        nd.Connection(kick, other, "I_in", weight=nd.Normal(0, 1), name="normal"),
        nd.Connection("out.y", other, "I_in", name="back", weight=0.1),
    ]
    return nd.Circuit([cells, other, times], links, inputs=[drive, kick], filters=[nd.Filter("rate", cells, "20 ms", tau_rise="2 ms", scale=0.5)],
                      readouts=[out], seed=2**63 + 5, name="everything")  # fmt: skip


def test_every_part_survives_a_file(tmp_path):
    net = everything().clamp("other", "x", [1], 3.0)
    back = through_a_file(net, tmp_path / "a.h5")
    trained = back.with_values({})
    assert_same_network(
        net.with_values({k: v for k, v in back.values.items() if k in ("out.w", "out.count", "rule.m")}), trained
    )
    assert [p.name for p in back.parts()] == [p.name for p in net.parts()]
    assert (
        back["cells"].silenced == (2, 5)
        and back["other"].labels == {"x": "counts"}
        and back["kick"].pulses == net["kick"].pulses
    )
    assert back["rate"].scale == 0.5 and back.timestep == 5e-4 and back.name == "everything"


def test_a_tree_without_a_file_is_as_good():
    net = everything()
    assert_same_network(net, Circuit.from_tree(net.to_tree()))


def test_a_network_with_random_parameters_goes_on_identically(tmp_path):
    """As the circuit in memory would with the same weights: the same spikes, readouts and learned weights."""
    net, rule = nd.SpikingReservoir(30, seed=3), nd.WhatWhenRule()
    first, second = (
        TASK.session(trials=2, calibration=1, test_trials=1),
        TASK.session(trials=2, calibration=1, test_trials=1, seed=9),
    )
    loaded = through_a_file(net, tmp_path / "a.h5", first, learn=rule, record=["spikes"])
    attached = rule.attach(net)
    memory = [a.name for a in attached.program.arrays if a.role == "memory"]
    direct = attached.with_values({name: loaded.values[name] for name in memory})
    assert np.abs(loaded.values["when.w"]).max() > 0
    assert_same_network(direct, loaded)
    record = ["spikes", "readout", "weights"]
    a, b = (nd.simulate(n, second, record=record, backend="interpreter") for n in (direct, loaded))
    np.testing.assert_array_equal(a["spikes"].times, b["spikes"].times)
    np.testing.assert_array_equal(a["spikes"].ids, b["spikes"].ids)
    for key in a.keys():  # noqa: SIM118
        if not key.startswith("spikes"):
            np.testing.assert_array_equal(np.asarray(a[key]), np.asarray(b[key]), err_msg=key)


def test_two_sessions_in_a_row_are_one_but_for_the_noise(tmp_path):
    """The weights after the second file are those of one long session, where nothing is drawn."""
    quiet, rule = nd.SpikingReservoir(30, seed=3, noise=0.0, jitter=0.0), nd.WhatWhenRule()
    both = TASK.session(trials=4, calibration=1, test_trials=1, tests=[])
    head, tail = (nd.Session(part, dt=both.dt, channels=both.channels) for part in (both.trials[:3], both.trials[3:]))
    whole = through_a_file(quiet, tmp_path / "whole.h5", both, learn=rule)
    halves = through_a_file(through_a_file(quiet, tmp_path / "head.h5", head, learn=rule), tmp_path / "tail.h5", tail)
    for name in ("when.w", "what.v", "when.centre", "when.gain"):
        np.testing.assert_array_equal(halves.values[name], whole.values[name], err_msg=name)


def test_learned_weights_are_stored_once():
    net = nd.WhatWhenRule().attach(nd.SpikingReservoir(10)).with_values({"when.w": np.ones((2, 10))})
    values = net.to_tree()["values"]
    assert "when.w" in values and "when.w@initial" not in values
    assert_same_network(net, Circuit.from_tree(net.to_tree()))


def test_a_tree_of_a_run_that_ended_draws_nothing_again():
    net = nd.WhatWhenRule().attach(nd.SpikingReservoir(10, seed=3))
    trained = net.with_values({"when.w": np.ones((2, 10))})
    assert_same_network(Circuit.from_tree(to_tree(trained, realize(net))), Circuit.from_tree(trained.to_tree()))
    assert to_tree(trained, realize(net))["values"].keys() == trained.to_tree()["values"].keys()


def test_wiring_stays_when_the_seed_changes():
    net = nd.SpikingReservoir(30, seed=3)
    back = Circuit.from_tree(net.to_tree()).with_(seed=4)
    np.testing.assert_array_equal(realize(back).wiring["recurrent"].targets, realize(net).wiring["recurrent"].targets)
    assert not np.array_equal(
        realize(net.with_(seed=4)).wiring["recurrent"].targets, realize(net).wiring["recurrent"].targets
    )


def test_long_lists_are_stored_as_arrays(tmp_path):
    """An HDF5 object takes no 100 000 attributes."""
    size = 20_000
    cells = nd.Population(
        "cells",
        size,
        code="v = v",
        variables={"v": "1"},
        threshold="v > 1",
        silenced=range(size // 2),
        parameters={"g": list(range(size))},
    )
    back = through_a_file(nd.Circuit([cells], dt="1 ms"), tmp_path / "a.h5", "1 ms")
    assert back["cells"].silenced == tuple(range(size // 2))
    np.testing.assert_array_equal(realize(back).values["cells.g"], np.arange(size))


def test_closed_loops_have_to_be_set_again(tmp_path):
    cells = nd.Population("cells", 1, code="v = v", variables={"v": "1"})
    drive = nd.Input("drive", ("p",), function=lambda t, values: 1.0, every="1 ms")
    back = through_a_file(nd.Circuit([cells], inputs=[drive], dt="1 ms"), tmp_path / "a.h5")
    assert back["drive"].function is None and back["drive"].every is None and back["drive"].channels == ("p",)


@pytest.mark.parametrize("seed", [0, 2**53 + 1, 2**64 - 1])
def test_seeds_of_any_size_survive(seed, tmp_path):
    assert through_a_file(nd.SpikingReservoir(3, seed=seed), tmp_path / "a.h5").seed == seed


def test_what_is_not_known_is_not_built():
    tree = nd.SpikingReservoir(3).to_tree()
    tree["populations"]["0"]["@kind"] = "Population5"
    with pytest.raises(
        CircuitError,
        match="the file describes a 'Population5', which this version does not know; known are Circuit, Population",
    ):
        Circuit.from_tree(tree)
