"""The loop over trials and chunks: chunking, sessions, closed loops, blow-ups, refusals before the first step."""

import warnings
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurodyn as nd
from neurodyn.parts import CircuitError


def cells(name="cells", size=3, code="v = v + I", **options):
    return nd.Population(name, size, code=code, **{"variables": {"v": "1", "I": "1"}, **options})


def driven(code="v = I", channels=("a", "b", "c"), **options):
    task = nd.Input("task", channels, **options)
    part = cells(code=code)
    return nd.Circuit(
        [part], [nd.Connection(task, part, "I", pattern="one-to-one", name="drive")], inputs=[task], dt="1 ms"
    )


def voltages(net, session, **options):
    return np.asarray(nd.simulate(net, session, record=["cells.v"], backend="interpreter", **options)["v"])


def learning(neurons=25, trials=4, seed=1, rule=None, **options):
    task = nd.tasks.WhatWhen(
        latencies=("100 ms", "160 ms"), probability=0.8, trial="300 ms", cue="50 ms", window="90 ms"
    )
    session = task.session(trials=trials, calibration=1, test_trials=1, **options)
    return nd.SpikingReservoir(neurons, seed=seed), session, rule or nd.WhatWhenRule()


def trained(run):
    return {
        k: np.asarray(v)
        for k, v in run.network().values.items()
        if k.partition(".")[0] in ("when", "what", "when_rule", "what_rule")
    }


def assert_same(a, b):
    assert set(a.keys()) == set(b.keys())
    for key in a.keys():  # noqa: SIM118
        if key.startswith("spikes/"):
            np.testing.assert_array_equal(a[key].times, b[key].times)
            np.testing.assert_array_equal(a[key].ids, b[key].ids)
        else:
            np.testing.assert_array_equal(np.asarray(a[key]), np.asarray(b[key]), err_msg=key)


# -- sessions ----------------------------------------------------------------------------------------------------


def test_a_duration_is_one_trial():
    assert voltages(driven(), "5 ms").shape == (5, 3)
    assert voltages(driven(), nd.quantity("5 ms")).shape == (5, 3)


def test_inputs_reach_their_targets_in_the_step_they_are_given():
    series = np.arange(12.0).reshape(4, 3)
    session = nd.Session((nd.Trial(4, {"task": series}), nd.Trial(2, {"task": [7.0, 8.0, 9.0]}), nd.Trial(1)), dt=1e-3)
    np.testing.assert_array_equal(voltages(driven(), session), [*series, [7, 8, 9], [7, 8, 9], [0, 0, 0]])


def test_a_session_may_be_coarser_than_the_step():
    session = nd.Session((nd.Trial(2, {"task": [[1.0, 2, 3], [4, 5, 6]]}),), dt="3 ms")
    np.testing.assert_array_equal(voltages(driven(), session), [[1, 2, 3]] * 3 + [[4, 5, 6]] * 3)


def test_state_returns_to_its_start_only_where_a_trial_says_so():
    net = nd.Circuit([cells(code="v = v + 1", initial={"v": "10 + 0*i"})], dt="1 ms")
    session = nd.Session((nd.Trial(2), nd.Trial(2, reset=False), nd.Trial(1)), dt=1e-3)
    np.testing.assert_array_equal(voltages(net, session)[:, 0], [11, 12, 13, 14, 11])


def test_spikes_on_their_way_are_dropped_by_a_reset_and_only_by_it():
    for reset, expected in ((True, [0, 0, 0, 0, 0, 0]), (False, [0, 0, 0, 0, 0, 1])):
        source = nd.SpikeTimes("s", 1, [0], ["1 ms"])
        part = cells(code="v = v + I\nI = 0")
        net = nd.Circuit([part, source], [nd.Connection(source, part, "I", delay="3 ms", pattern="all")], dt="1 ms")
        session = nd.Session((nd.Trial(3), nd.Trial(3, reset=reset)), dt=1e-3)
        np.testing.assert_array_equal(voltages(net, session)[:, 0], expected)


def test_start_values_are_drawn_anew_at_every_reset():
    net = nd.Circuit([cells(code="v = v", initial={"v": "randn()"})], dt="1 ms")
    values = voltages(net, nd.Session((nd.Trial(2), nd.Trial(2)), dt=1e-3))
    np.testing.assert_array_equal(values[0], values[1])
    assert not np.intersect1d(values[1], values[2]).size


def test_readouts_know_what_kind_of_trial_it_is():
    out = nd.Readout("out", "cells.v", ("y",), state={"y": "output"}, memory={"begun": "network", "ended": "network"},
                     per_step="y = int(learning) + 10*int(calibration)", trial_start="begun += 1 + task", trial_end="ended += y")  # fmt: skip
    net = driven(channels=("a",)).with_part(cells(size=1)).with_part(out)
    trials = (nd.Trial(2, {"task": [5.0]}), nd.Trial(1, learning=False), nd.Trial(1, learning=False, calibration=True))
    run = nd.simulate(
        net, nd.Session(trials, dt=1e-3), record=["out.y", "out.begun", "out.ended"], backend="interpreter"
    )
    np.testing.assert_array_equal(np.asarray(run["out.y"])[:, 0], [1, 1, 0, 10])
    np.testing.assert_array_equal(
        np.asarray(run["begun"])[:, 0], [6, 6, 7, 8]
    )  # the first inputs of a trial are known at its start
    np.testing.assert_array_equal(np.asarray(run["ended"])[:, 0], [0, 0, 1, 1])


# -- chunks ------------------------------------------------------------------------------------------------------


RECORD = ["spikes", "readout", "weights", nd.Sample("cells.v", units=[0, 3], every="7 ms")]


@pytest.fixture(scope="module")
def whole():
    net, session, rule = learning()
    return nd.simulate(net, session, learn=rule, record=RECORD, backend="interpreter")


@pytest.mark.parametrize("chunk", [13, 299])
def test_chunks_leave_no_trace(whole, chunk, monkeypatch):
    monkeypatch.setattr("neurodyn.running.run._CHUNK", chunk)
    net, session, rule = learning()
    again = nd.simulate(net, session, learn=rule, record=RECORD, backend="interpreter")
    assert_same(again, whole)
    for key, value in trained(whole).items():
        np.testing.assert_array_equal(trained(again)[key], value, err_msg=key)


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=4))
@settings(deadline=None, max_examples=20)
def test_chunks_of_any_size_and_trials_of_any_length(chunk, trials):
    net = nd.Circuit([cells(code="v = 0.5*v + randn()", threshold="v > 0.5", reset="v = 0")], dt="1 ms")
    session = nd.Session(tuple(nd.Trial(n, reset=reset) for n, reset in trials), dt=1e-3)
    record = ["spikes", nd.Sample("cells.v", every="2 ms")]
    runs = []
    for size in (4096, chunk):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("neurodyn.running.run._CHUNK", size)
            runs.append(nd.simulate(net, session, record=record, backend="interpreter"))
    assert_same(*runs)
    assert len(runs[0]["v"]) == sum(t.steps for t in session.trials) // 2


# -- seeds and batches ---------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_and_another_gives_another():
    net, session, rule = learning(trials=1)
    runs = [
        nd.simulate(net.with_(seed=s), session, learn=rule, record=RECORD, backend="interpreter") for s in (5, 5, 6)
    ]
    assert_same(runs[0], runs[1])
    assert not np.array_equal(runs[0]["spikes"].times, runs[2]["spikes"].times)


def test_side_by_side_is_one_by_one():
    net, session, rule = learning(trials=2)
    nets = [net.with_(seed=s) for s in range(4)] + [nd.SpikingReservoir(11)]
    batch = nd.simulate(nets, session, learn=rule, record=["spikes", "weights"], threads=3)
    assert isinstance(batch, list)
    for one, together in zip(nets, batch, strict=True):
        assert_same(nd.simulate(one, session, learn=rule, record=["spikes", "weights"]), together)


def test_each_circuit_may_have_its_session_and_its_file(tmp_path):
    outs = [tmp_path / f"{k}.h5" for k in range(2)]
    runs = nd.simulate([driven(), driven()], ["3 ms", "5 ms"], record=["cells.v"], out=outs, backend="interpreter")
    assert [r["v"].shape[0] for r in runs] == [3, 5] == [nd.load(p)["v"].shape[0] for p in outs]
    sessions: list[Any] = [["3 ms"], "3 ms", "3 ms"]
    for name, session, out in zip(
        ("session", "out", "out"), sessions, (None, tmp_path / "c.h5", outs[:1]), strict=True
    ):
        with pytest.raises(ValueError, match=f"{name}: . given for 2 circuits; give one for each"):
            nd.simulate([driven(), driven()], session, out=out)


# -- closed loops --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["interpreter", "numba"])
def test_a_closed_loop_is_called_when_it_is_due_and_its_values_hold(backend):
    calls = []

    def answer(t, values):
        calls.append((round(t * 1e3), float(values["cells.v"][0])))
        return [len(calls), 0.0, -values["cells.v"][2]]

    net = driven(code="v = v + I", function=answer, every="3 ms")
    session = nd.Session((nd.Trial(7), nd.Trial(4, reset=False)), dt=1e-3)
    values = np.asarray(nd.simulate(net, session, record=["cells.v", "task"], backend=backend)["v"])
    assert [t for t, _ in calls] == [0, 3, 6, 7, 9]  # every 3 ms, and at the start of a trial
    inputs = np.repeat([1.0, 2, 3, 4, 5], [3, 3, 1, 2, 2])
    np.testing.assert_array_equal(values[:, 0], np.cumsum(inputs))
    assert [v for _, v in calls] == [0, *np.cumsum(inputs)[[2, 5, 6, 8]]]


def test_a_closed_loop_sees_arrays_and_can_not_write_them():
    seen = {}

    def answer(t, values):
        seen.update(
            {k: values[k].copy() for k in ("cells.v", "task.value")}, names=len(values), some="cells.I" in values
        )
        with pytest.raises(ValueError, match="read-only"):
            values["cells.v"][0] = 5
        with pytest.raises(KeyError):
            values["cells.w"]
        return 1.0

    voltages(driven(channels=("a",), function=answer, every="1 ms").with_part(cells(size=1)), "3 ms")
    assert seen["some"] and seen["names"] > 4


def test_two_loops_keep_their_own_clocks():
    times = {"p": [], "q": []}

    def make(name):
        def answer(t, values):
            times[name].append(round(t * 1e3))
            return 0.0

        return answer

    inputs = [nd.Input(n, ("x",), function=make(n), every=every) for n, every in (("p", "2 ms"), ("q", "3 ms"))]
    nd.simulate(nd.Circuit([cells()], inputs=inputs, dt="1 ms"), "8 ms", backend="interpreter")
    assert times == {"p": [0, 2, 4, 6], "q": [0, 3, 6]}


@pytest.mark.parametrize("answer", [[1.0, 2.0], [np.nan] * 3, None])
def test_a_loop_has_to_answer(answer):
    with pytest.raises((CircuitError, TypeError), match="its function returned|NoneType"):
        voltages(driven(function=lambda t, values: answer, every="1 ms"), "3 ms")


def test_a_loop_does_not_write_into_the_session():
    series = np.zeros((3, 3))
    session = nd.Session((nd.Trial(3, {"task": series}),), dt=1e-3)
    voltages(driven(function=lambda t, values: [1.0, 2.0, 3.0], every="1 ms"), session)
    np.testing.assert_array_equal(session.trials[0].inputs["task"], np.zeros((3, 3)))


def test_pulses_are_timed_from_the_start_of_each_trial_and_add_up():
    net = driven(pulses=(("1 ms", "3 ms", 2.0), ("2 ms", "4 ms", 1.0)))
    session = nd.Session((nd.Trial(5), nd.Trial(2)), dt=1e-3)
    np.testing.assert_array_equal(voltages(net, session)[:, 0], [0, 2, 3, 1, 0, 0, 2])


# -- learning and its absence ----------------------------------------------------------------------------------------


def test_trials_without_learning_leave_the_weights_as_they_are(whole):
    _, session, _ = learning()
    w, v = np.asarray(whole["weights/when/w"]), np.asarray(whole["weights/what/v"])
    times = np.asarray(whole["weights/when/w"].time)
    starts = np.cumsum([0, *(t.steps for t in session.trials)])
    learned = np.array([t.learning for t in session.trials])
    assert not learned.all() and learned.any()
    for k in range(len(times) - 1):
        inside = (starts[:-1] >= times[k]) & (starts[:-1] < times[k + 1])
        same = np.array_equal(w[k], w[k + 1]) and np.array_equal(v[k], v[k + 1])
        assert same == (not learned[inside].any())


def test_frozen_networks_do_not_learn(whole):
    net, session, rule = learning()
    before = trained(whole)
    run = nd.simulate(whole.network().freeze(), session, record=["spikes"], backend="interpreter")
    after = trained(run)
    for key in ("when.w", "what.v"):
        np.testing.assert_array_equal(after[key], before[key])
    assert np.abs(before["when.w"]).max() > 0


def test_recurrent_weights_never_change_and_keep_their_signs(whole):
    net, _, _ = learning()
    from neurodyn.network import realize

    before, after = realize(net).wiring["recurrent"], realize(whole.network()).wiring["recurrent"]
    for field in ("indptr", "targets", "weights", "delays"):
        np.testing.assert_array_equal(getattr(before, field), getattr(after, field))
    inhibitory = after.sources >= 20
    assert (after.weights[inhibitory] <= 0).all() and (after.weights[~inhibitory] >= 0).all()
    assert inhibitory.any() and (after.weights != 0).all()


def test_learning_can_be_attached_only_by_what_can_attach():
    with pytest.raises(
        TypeError, match=r"learn = 'delta'; give an object with attach\(circuit\), such as nd.WhatWhenRule\(\)"
    ):
        nd.simulate(driven(), "3 ms", learn="delta")


# -- numbers that blow up ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["interpreter", "numba"])
@pytest.mark.parametrize("chunk", [4, 4096])
def test_a_blow_up_is_named_and_what_came_before_is_kept(backend, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr("neurodyn.running.run._CHUNK", chunk)
    part = cells(code="v = where(i == 1, v*v*10, v + 1)", initial={"v": "2"}, threshold="v > 1e100")
    net = nd.Circuit([part], dt="1 ms")  # 2, 40, 16000, ... infinite in step 8
    expected, value = 0, np.float64(2)
    with np.errstate(over="ignore"):
        while np.isfinite(value := value * value * 10):
            expected += 1
    with pytest.raises(
        nd.BlowUpError,
        match=rf"v of 'cells', unit 1, became inf in step {expected} \(t = {expected} ms\); reduce the step",
    ) as error:
        nd.simulate(net, "20 ms", record=["cells.v", "spikes"], backend=backend, out=tmp_path / "run.h5")
    assert not (tmp_path / "run.h5").exists()
    assert error.value.path is not None and error.value.recording is not None
    kept = nd.load(error.value.path)
    assert kept["v"].shape == (expected, 3) and np.isfinite(kept["v"]).all()
    np.testing.assert_array_equal(kept["v"].time, np.arange(1, expected + 1))
    assert not kept.attrs["complete"]
    np.testing.assert_array_equal(np.asarray(kept["v"]), np.asarray(error.value.recording["v"]))


def test_nan_is_not_hidden_by_a_clip():
    net = nd.Circuit([cells(code="v = clip(sqrt(I), 0, 1)\nI -= 1", initial={"I": "3"})], dt="1 ms")
    for backend in ("interpreter", "numba"):
        with pytest.raises(nd.BlowUpError, match="v of 'cells', unit 0, became nan in step 4"):
            nd.simulate(net, "9 ms", backend=backend)


def test_weights_that_blow_up_at_the_end_of_a_trial_are_named_too():
    out = nd.Readout(
        "out",
        "cells.v",
        ("a", "b"),
        memory={"w": "output*unit"},
        trial_end="w = w + 1/(i_am - 1)",
        parameters={"i_am": 1.0},
    )
    net = nd.Circuit([cells()], readouts=[out], dt="1 ms")
    with pytest.raises(nd.BlowUpError, match="w of 'out', unit 0, 0, became inf at the end of trial 0"):
        nd.simulate(net, "3 ms", backend="interpreter")


def test_an_error_in_the_middle_keeps_what_was_recorded(tmp_path):
    def answer(t, values):
        if t > 2.5e-3:
            raise RuntimeError("the rig is off")
        return [1.0, 2.0, 3.0]

    with pytest.raises(RuntimeError, match="the rig is off") as error:
        nd.simulate(
            driven(function=answer, every="1 ms"),
            "9 ms",
            record=["cells.v"],
            backend="interpreter",
            out=tmp_path / "run.h5",
        )
    assert nd.load(error.value.path)["v"].shape == (3, 3)  # type: ignore[attr-defined]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.partial.h5"]


# -- refusals before the first step ------------------------------------------------------------------------------------


def session_of(inputs=None, *, dt=1e-3, channels=None):
    return nd.Session((nd.Trial(3, inputs or {}),), dt=dt, channels=channels or {})


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ("0.2 ms", "session = '0.2 ms': give a whole number of steps of 1 ms, such as 1 ms"), ("2.5 ms", "such as 2 ms or 3 ms"), ("-5 ms", "is out of range"), ("5 mV", "is a voltage"), ("inf s", "finite"),
        (nd.Session((), dt=1e-3), "session: it has no trials"), (session_of(dt=1.5e-3), "sampled every 1.5 ms, which is no whole multiple of .* 1 ms"),
        (session_of(dt=5e-4), "sampled every 0.5 ms"), (session_of({"tsk": [1.0, 2, 3]}), r"brings an input 'tsk', .* did you mean 'task'\?"),
        (session_of({"task": [1.0]}), "trial 0: input 'task' has 1 channels, the circuit 3"),
        (session_of(channels={"task": ("a", "b")}), r"the circuit expects the channels \('a', 'b', 'c'\), the session brings \('a', 'b'\)"),
        (session_of(channels={"cue": ("a",)}), r"the circuit has an input 'task' .* which the session doesn't bring; it has \['cue'\]"),
    ],
)  # fmt: skip
def test_sessions_that_do_not_fit(session, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        nd.simulate(driven(), session, out=tmp_path / "a.h5", backend="interpreter")
    assert not list(tmp_path.iterdir())


def test_a_task_with_more_events_than_the_readouts_is_refused():
    task = nd.tasks.WhatWhen(latencies=("150 ms", "300 ms", "400 ms"), probability=(0.5, 0.25, 0.25))
    with pytest.raises(
        CircuitError,
        match=r"'task': the circuit expects the channels \('cue', 'A', 'B'\), the session brings \('cue', 'A', 'B', 'C'\)",
    ):
        nd.simulate(nd.SpikingReservoir(10), task.session(trials=2), learn=nd.WhatWhenRule())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "numbaa"}, r"backend = 'numbaa'; did you mean 'numba'\? Backends are numba, torch, interpreter, brian2"), ({"dtype": "float16"}, "dtype = 'float16'"),
        ({"record": ["spiks"]}, "record: 'spiks' is unknown"), ({"record": [nd.Sample("cells.v", every="0.1 ms")]}, "every of cells.v = '0.1 ms'"),
    ],
)  # fmt: skip
def test_options_that_can_not_be(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        choices: dict[str, Any] = {"backend": "interpreter", **options}
        nd.simulate(driven(), "3 ms", out=tmp_path / "a.h5", **choices)
    assert not list(tmp_path.iterdir())


def test_float32_can_not_count_the_steps_of_a_long_session(monkeypatch):
    stepless(monkeypatch)
    with pytest.raises(ValueError, match=r"dtype = 'float32' counts steps up to 2\^24, the session has 20000000"):
        nd.simulate(driven(), "20000 s", backend="interpreter", dtype="float32")


def test_intervals_of_closed_loops_are_whole_steps(tmp_path):
    with pytest.raises(CircuitError, match="task.every = '1.5 ms': give a whole number of steps of 1 ms"):
        nd.simulate(
            driven(function=lambda t, v: [0, 0, 0], every="1.5 ms"),
            "3 ms",
            out=tmp_path / "a.h5",
            backend="interpreter",
        )
    assert not list(tmp_path.iterdir())


def stepless(monkeypatch):
    monkeypatch.setattr(
        "neurodyn.backends.interpreter.InterpreterEngine.advance", lambda *_: pytest.fail("a step was made")
    )


def test_an_existing_file_is_refused_before_the_first_step(tmp_path, monkeypatch):
    stepless(monkeypatch)
    path = tmp_path / "a.h5"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="overwrite"):
        nd.simulate(driven(), "3 ms", out=path, backend="interpreter")
    assert path.read_text() == "precious" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_can_not_be_written_is_refused_before_the_first_step(tmp_path, monkeypatch):
    stepless(monkeypatch)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        nd.simulate(driven(), "3 ms", out=tmp_path / "file" / "a.h5", backend="interpreter")


def test_one_bad_run_of_several_leaves_no_half_files(tmp_path, monkeypatch):
    stepless(monkeypatch)
    (tmp_path / "b.h5").write_text("precious")
    with pytest.raises(FileExistsError):
        nd.simulate([driven(), driven()], "3 ms", out=[tmp_path / "a.h5", tmp_path / "b.h5"], backend="interpreter")
    assert [p.name for p in tmp_path.iterdir() if p.name != "b.h5" and not p.name.endswith(".partial.h5")] == []
    assert (tmp_path / "b.h5").read_text() == "precious"


def test_overwriting_replaces_the_file(tmp_path):
    path = tmp_path / "a.h5"
    nd.simulate(driven(), "3 ms", record=["cells.v"], out=path, backend="interpreter")
    nd.simulate(driven(), "5 ms", record=["cells.v"], out=path, backend="interpreter", overwrite=True)
    assert nd.load(path)["v"].shape == (5, 3)


# -- the file ----------------------------------------------------------------------------------------------------


def test_the_header_says_what_was_run(tmp_path):
    path = tmp_path / "a.h5"
    net = driven().with_(seed=2**64 - 1, name="three cells")
    run = nd.simulate(
        net, "3 ms", record="cells.v", out=path, backend="interpreter", dtype="float32", config={"note": "first"}
    )
    with h5py.File(path) as file:
        head = dict(file.attrs)
    assert (
        head["seed"] == str(2**64 - 1)
        and head["circuit"] == "three cells"
        and head["dtype"] == "float32"
        and head["backend"] == "interpreter"
    )
    assert head["program_hash"] == net.program.hash and head["exactness"] == "exact" and head["dt_ms"] == 1.0
    assert (
        run.config["note"] == "first"
        and run.config["simulate"]["record"] == ["cells.v"]
        and run.config["session"] == {"duration_ms": 3.0}
    )


def test_progress_is_drawn_only_when_asked(capsys):
    voltages(driven(), "3 ms")
    assert capsys.readouterr().err == ""
    voltages(driven(), "3 ms", progress=True)
    assert "trial" in capsys.readouterr().err


def test_nothing_warns_where_numbers_overflow():
    net = nd.Circuit([cells(code="v = v*1e200", initial={"v": "1e200"})], dt="1 ms")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(nd.BlowUpError):
            voltages(net, "3 ms")
