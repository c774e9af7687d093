"""What a run records: words, subsets, intervals, places and units in the file, time stamps."""

from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.network import realize
from neurodyn.parts import CircuitError
from neurodyn.running.recorder import plan_recording


def network(**options):
    cells = nd.Population(
        "cells", 6, "dv/dt = (v_rest - v + R*I)/tau : volt\nI : amp", threshold="v > -50*mV", reset="v = v_rest", method="euler",
        parameters={"tau": "20 ms", "v_rest": "-70 mV", "R": "100 Mohm"}, initial={"v": "v_rest", "I": "i*100*pA"},
    )  # fmt: skip
    other = nd.Population("other", 2, code="v = step", variables={"v": "1"}, labels={"v": "steps"}, threshold="v > 3")
    out = nd.Readout("out", "rate", ("p", "q"), state={"y": "output", "x": "unit", "n": "network", "ones": ("output", 1.0)},
                     memory={"w": "output*unit", "b": "output", "P": "unit*unit"}, per_step="x = r\ny = t/ms\nn = step",
                     rule=nd.Rule("rule", per_step="w += 1\nb += 1"))  # fmt: skip
    return nd.Circuit(
        [cells, other],
        inputs=[nd.Input("task", ("a", "b"))],
        filters=[nd.Filter("rate", cells, "30 ms")],
        readouts=[out],
        dt="1 ms",
        **options,
    )


def run(record, session: Any = "10 ms", net=None, **options):
    return nd.simulate(net or network(), session, record=record, backend="interpreter", **options)


# -- words -------------------------------------------------------------------------------------------------------


def plan(*words):
    return plan_recording(realize(network()), words)


def test_words_stand_for_arrays():
    assert plan("spikes").spikes == ("cells", "other") and plan("spikes/other", "spikes/other").spikes == ("other",)
    assert plan("weights").weights and not plan("spikes").weights
    assert [s.array for s in plan("readout").samples] == ["out.y"]
    assert [s.array for s in plan("stimulus").samples] == ["task.value"]
    assert [s.array for s in plan("cells.v", "rate", "out.x", "task", "I").samples] == [
        "cells.v",
        "rate.r",
        "out.x",
        "task.value",
        "cells.I",
    ]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("spike", r"record: 'spike' is unknown; did you mean 'spikes'\?"), ("v", "several parts have 'v': cells.v, other.v"),
        ("cells.u", r"'cells.u' is unknown; did you mean 'cells.v'\?"), ("spikes/cell", r"did you mean 'spikes/cells'\?"), ("cells", "'cells' is unknown"),
        ("zzz", "known are spikes, weights, readout, stimulus, spikes/cells"), ("out.w", "'out.w' is unknown"), ("cells.tau", "'cells.tau' is unknown"),
    ],
)  # fmt: skip
def test_unknown_words_are_refused_with_the_nearest(word, message):
    with pytest.raises(CircuitError, match=message):
        plan(word)


def test_readouts_need_a_readout():
    cells = nd.Population("cells", 2, code="v = 1", variables={"v": "1"})
    with pytest.raises(CircuitError, match=r"'readout', but the circuit has none; give simulate\(..., learn=...\)"):
        plan_recording(realize(nd.Circuit([cells], dt="1 ms")), ["readout"])


def test_units_have_to_exist():
    for units, bad in (([0, 6], 6), ([-1], -1)):
        with pytest.raises(CircuitError, match=f"unit {bad} of cells.v outside 0..5"):
            plan(nd.Sample("cells.v", units=units))


# -- intervals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 3, 4096])
def test_every_kth_step_of_some_units_with_right_time_stamps(chunk, monkeypatch):
    monkeypatch.setattr("neurodyn.running.run._CHUNK", chunk)
    session = nd.Session((nd.Trial(7), nd.Trial(1), nd.Trial(6)), dt=1e-3)
    got = run([nd.Sample("other.v", units=[1], every="4 ms"), nd.Sample("cells.v", units=[5, 0])], session)
    # states are those at the end of step k, stamped (k + 1) dt; the value of step k is k
    np.testing.assert_array_equal(got["other.v"].time, [4, 8, 12])
    np.testing.assert_array_equal(np.asarray(got["other.v"]), [[3], [7], [11]])
    np.testing.assert_array_equal(got["other.v"].unit, [1])
    np.testing.assert_array_equal(got["cells.v"].unit, [0, 5])
    np.testing.assert_allclose(got["cells.v"].time, np.arange(1, 15), rtol=1e-15)


def test_spikes_bear_the_time_of_their_step():
    spikes = run(["spikes/other"], "6 ms")["spikes"]
    np.testing.assert_array_equal(spikes.times, [4, 4, 5, 5])  # v > 3 in steps 4 and 5
    np.testing.assert_array_equal(spikes.ids, [0, 1, 0, 1])


def test_recording_nothing_is_possible_too():
    assert list(run([]).keys()) == []
    assert run([nd.Sample("cells.v", units=[])])["v"].shape == (10, 0)


def test_empty_populations_have_empty_records():
    empty = nd.Population("cells", 0, code="v = 1", variables={"v": "1"}, threshold="v > 0")
    for backend in ("interpreter", "numba"):
        got = nd.simulate(nd.Circuit([empty], dt="1 ms"), "3 ms", record=["spikes", "cells.v"], backend=backend)
        assert got["v"].shape == (3, 0) and got["spikes"].times.size == 0


# -- places and units ----------------------------------------------------------------------------------------------


def test_places_dimensions_and_units():
    session = nd.Session((nd.Trial(4, {"task": [1.0, 2.0]}),), dt=1e-3)
    got = run(["cells.v", "cells.I", "other.v", "rate", "readout", "out.x", "out.n", "task", "out.b"], session)
    assert set(got.keys()) == {
        "state/cells/v", "state/cells/I", "state/other/v", "state/rate/r", "readout/out/y", "readout/out/x", "readout/out/n", "stimulus/task", "readout/out/b"}  # fmt: skip
    voltage, current = got["state/cells/v"], got["state/cells/I"]
    assert voltage.attrs["units"] == "mV" and current.attrs["units"] == "pA"
    np.testing.assert_allclose(current[0], 100.0 * np.arange(6), rtol=1e-12)
    assert (voltage >= -70 - 1e-9).all() and (voltage < -50).all()
    assert got["state/other/v"].attrs["units"] == "steps" and got["state/rate/r"].attrs["units"] == "Hz"
    assert got["readout/out/y"].dims == ("time", "output") and list(got["readout/out/y"].output.values) == ["p", "q"]
    np.testing.assert_allclose(got["readout/out/y"], np.repeat(np.arange(4.0)[:, None], 2, axis=1), rtol=1e-12)
    assert got["readout/out/x"].dims == ("time", "unit") and got["readout/out/n"].shape == (4, 1)
    assert list(got["stimulus/task"].channel.values) == ["a", "b"]
    np.testing.assert_array_equal(got["stimulus/task"], [[1, 2]] * 4)


def test_outputs_without_axis_are_named():
    cells = nd.Population("cells", 2, code="v = 1", variables={"v": "1"})
    out = nd.Readout("out", "cells.v", ("only",), state={"y": "output"}, per_step="y = sum(r)")
    got = nd.simulate(
        nd.Circuit([cells], readouts=[out], dt="1 ms"), "2 ms", record=["readout"], backend="interpreter"
    )["out"]
    assert list(got.output.values) == ["only"]
    np.testing.assert_array_equal(got, [[2], [2]])


# -- weights and trials ----------------------------------------------------------------------------------------------


def test_weights_are_kept_around_trials_without_learning():
    flags = [True, True, False, False, True]
    session = nd.Session(tuple(nd.Trial(3, learning=x, labels={"number": k}) for k, x in enumerate(flags)), dt=1e-3)
    got = run(["weights"], session)
    assert set(got.keys()) == {
        "weights/out/w",
        "weights/out/b",
    }  # the matrix of recursive least squares is too large to repeat
    w = got["weights/out/w"]
    np.testing.assert_array_equal(w.time, [0, 6, 12, 15])
    assert w.dims == ("time", "output", "unit") and list(w.output.values) == ["p", "q"]
    np.testing.assert_array_equal(w[:, 0, 0], [0, 6, 6, 9])
    np.testing.assert_array_equal(got["weights/out/b"][:, 1], [0, 6, 6, 9])


def test_trials_have_their_labels_and_both_clocks():
    session = nd.Session(
        (
            nd.Trial(3, labels={"block": 1, "event": "A"}),
            nd.Trial(2, learning=False, reset=False, calibration=True, labels={"block": 2, "event": "none"}),
        ),
        dt=1e-3,
    )
    table = run(["spikes"], session).trials
    assert list(table["start_ms"]) == [0, 3] and list(table["duration_ms"]) == [3, 2]
    assert (
        list(table["learning"]) == [True, False]
        and list(table["calibration"]) == [False, True]
        and list(table["reset"]) == [True, False]
    )
    assert list(table["block"]) == [1, 2] and list(table["event"]) == ["A", "none"]


@pytest.mark.parametrize("outputs", [("a", "b"), ("a",)])
def test_weights_from_labelled_values_tell_what_they_go_from_and_to(outputs):
    """A readout of an input, or of another readout, has labels on both sides of its weights."""
    code = {"state": {"y": "output"}, "memory": {"w": ("output*unit", 0.5)}, "per_step": "y = sum(w*r)"}
    first = nd.Readout("first", "levels", outputs, **code)
    second = nd.Readout("second", "first.y", ("sum", "difference"), **code)
    levels = nd.Input("levels", ("x", "y", "z"))
    circuit = nd.Circuit([nd.Population("cells", 1, code="")], inputs=[levels], readouts=[first, second], dt="1 ms")
    run = nd.simulate(circuit, "3 ms", record=["weights"], backend="interpreter")
    w = run["weights/first/w"]
    assert list(w.unit.values) == ["x", "y", "z"]
    assert len(outputs) == 1 or list(w.output.values) == ["a", "b"]
    assert run["weights/second/w"].sizes["output"] == 2


def test_a_long_trace_is_the_same_in_memory_and_in_its_place_in_a_file(tmp_path, monkeypatch):
    from neurodyn.backends.blocks import Block

    made = []
    new = Block._new
    monkeypatch.setattr(Block, "_new", lambda block, rows: (made.append(rows), new(block, rows))[-1])
    cells = nd.Population("cells", 100, "dv/dt = (I - v)/tau + 0.1*v*xi*tau**-.5 : volt\nI : volt", method="milstein",
                          parameters={"tau": "20 ms"}, initial={"I": "i*mV"})  # fmt: skip
    circuit = nd.Circuit([cells], dt="0.1 ms", seed=3)
    runs = [nd.simulate(circuit, "2.4 s", record=["v"], out=out) for out in (None, tmp_path / "a.h5")]
    memory, file = (run["cells.v"] for run in runs)
    assert memory.shape == (24_000, 100) and memory.attrs == file.attrs and memory.attrs["units"] == "mV"
    np.testing.assert_array_equal(memory, file)
    assert len(made) == 3  # 19 MB in blocks of 17: two in memory, and one again and again for the file
    assert file[-1, -1] > 50


def test_values_are_counted_in_the_unit_that_stands_beside_them() -> None:
    """Plastic weights were written in SI and called pA; so were variables in units such as 1/mV."""
    cells = nd.Population(
        "cells",
        2,
        "dv/dt = -v/(10*ms) : volt\ndg/dt = -g/(1*second) : 1/volt\ndI/dt = -I/(5*ms) : amp",
        threshold="v > 1*mV",
        reset="v = 0*mV",
        method="euler",
        initial={"g": "2 /mV"},
    )
    source = nd.poisson("source", 3, "0 Hz")
    plastic = nd.Connection(source, cells, "I", pattern="all", weight="20 pA", rules=nd.stdp(A_plus="1 pA", A_minus="1 pA"), name="plastic")  # fmt: skip
    net = nd.Circuit([source, cells], [plastic], dt="1 ms", seed=1)
    run = nd.simulate(net, "3 ms", record=["plastic.w", "cells.g", "weights"], backend="interpreter")
    for key, unit, value in (("state/plastic/w", "pA", 20.0), ("weights/plastic/w", "pA", 20.0)):
        assert run[key].attrs["units"] == unit
        np.testing.assert_allclose(run[key], value, rtol=1e-12)
    assert run["cells.g"].attrs["units"] == "1/mV"
    np.testing.assert_allclose(run["cells.g"][0], 2.0 * (1 - 1e-3), rtol=1e-12)
    np.testing.assert_allclose(run.network().synapses("plastic").weights, 20e-12)
