"""Sessions through a tree and a file: the same trials, held once where they are equal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurodyn as nd
from neurodyn.recording import Writer, load
from neurodyn.session import Session, Trial


def through_a_file(session, path):
    writer = Writer(path, header={"dt_ms": 1.0})
    writer.tree("session", session.to_tree())
    writer.trial({"number": 0})
    writer.finish()
    return Session.from_tree(load(path).tree("session"))


def assert_same_session(a, b):
    assert (a.dt, dict(a.channels), dict(a.config), len(a)) == (b.dt, dict(b.channels), dict(b.config), len(b))
    for mine, other in zip(a.trials, b.trials, strict=True):
        assert mine.steps == other.steps and mine.inputs.keys() == other.inputs.keys()
        assert all(getattr(mine, flag) is getattr(other, flag) for flag in ("learning", "calibration", "reset"))
        np.testing.assert_equal(dict(other.labels), dict(mine.labels))  # in which NaN equals NaN
        assert {k: type(v) for k, v in other.labels.items()} == {k: type(v) for k, v in mine.labels.items()}
        for name, values in mine.inputs.items():
            shape = (mine.steps, values.shape[-1])
            x, y = (np.ascontiguousarray(np.broadcast_to(v, shape)) for v in (values, other.inputs[name]))
            np.testing.assert_array_equal(x.view(np.int64), y.view(np.int64), err_msg=name)  # bits


def test_a_session_of_the_task_survives_a_file(tmp_path):
    task = nd.tasks.WhatWhen(latencies=("120 ms", "200 ms", "300 ms"), probability=(0.5, 0.3, 0.2), jitter="10 ms")
    session = task.session(20) + task.session(15, block=1)
    assert_same_session(session, through_a_file(session, tmp_path / "a.h5"))


def test_constants_absent_inputs_and_signs_of_zero(tmp_path):
    ramp = np.stack([np.arange(5.0), np.zeros(5)], axis=1)
    trials = (
        Trial(5, {"a": ramp, "b": [0.0]}, learning=False, calibration=True),
        Trial(5, {"a": [1.0, 2.0]}, reset=False),
        Trial(1, {"b": [[-0.0]], "a": [[3.0, -0.0]]}),
        Trial(7),
        Trial(7, {"b": np.full((7, 1), -0.0)}),
    )
    session = Session(trials, "0.5 ms", {"a": ("x", "y")}, {"made": ["by", "hand"], "nan": None})
    assert_same_session(session, through_a_file(session, tmp_path / "a.h5"))


def test_labels_keep_their_types(tmp_path):
    labels = (
        {"n": 1, "p": 0.5, "who": "A", "ok": True, "mixed": 1},
        {"n": 2, "p": float("nan"), "who": "é", "ok": False, "mixed": "two", "rare": 2**70},
        {"n": np.int64(3), "p": 1.0, "who": "", "ok": np.True_, "mixed": True},
    )
    trials = tuple(Trial(2, labels=row) for row in labels)
    back = through_a_file(Session(trials, 1e-3), tmp_path / "a.h5")
    for trial, row in zip(back.trials, labels, strict=True):
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in row.items()}
        np.testing.assert_equal(dict(trial.labels), plain)
        assert {k: type(v) for k, v in trial.labels.items()} == {k: type(v) for k, v in plain.items()}


@given(st.data())
def test_any_session_survives_a_tree(data):
    numbers = st.sampled_from([0.0, -0.0, 1.0, 2.5])
    trials = []
    for _ in range(data.draw(st.integers(1, 5))):
        steps = data.draw(st.integers(1, 4))
        inputs = {}
        for name, width in (("a", 1), ("b", 3)):
            shape = data.draw(st.sampled_from([None, (width,), (steps, width)]))
            if shape is not None:
                size = int(np.prod(shape))
                inputs[name] = np.reshape(data.draw(st.lists(numbers, min_size=size, max_size=size)), shape)
        trials.append(Trial(steps, inputs, learning=data.draw(st.booleans())))
    session = Session(tuple(trials), 1e-3)
    assert_same_session(session, Session.from_tree(session.to_tree()))


def test_equal_courses_are_held_once():
    """420 trials of 700 steps with nine channels are 21 MB; there are a dozen different courses."""
    task = nd.tasks.WhatWhen()
    tree = (task.session(200) + task.session(200, block=1)).to_tree()
    assert len(tree["steps"]) > 420
    assert len(tree["offsets"]) < 20
    assert tree["samples"].nbytes + sum(table.nbytes for table in tree["inputs"].values()) < 100_000
    back = Session.from_tree(tree)
    assert len({id(trial.inputs["task"]) for trial in back.trials}) == 3  # cue alone, A, B


def test_what_is_shared_can_not_be_written():
    back = Session.from_tree(Session((Trial(2, {"a": [[1.0], [2.0]]}),) * 2, 1e-3).to_tree())
    with pytest.raises(ValueError, match="read-only"):
        back.trials[0].inputs["a"][0] = 3.0


def test_a_configuration_that_is_no_json_is_named():
    with pytest.raises(TypeError, match=r"session.config\['gate'\] is of type function"):
        Session((Trial(2),), 1e-3, config={"gate": lambda t: t}).to_tree()
