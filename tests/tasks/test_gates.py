import functools

import numpy as np
import pytest

from neurodyn.tasks import WhatWhen, local_gate, window_gate

TIME = np.arange(-100.0, 600.0)


def gate_of(task, seed=1):
    """Time after the cue, gate and event of the first training trial."""
    trial = task.session(1, seed=seed).trials[5]
    return task.time_ms - task.cue_ms, trial.inputs["gate"], int(np.argmax(trial.inputs["occurred"]))


def test_window_gate_is_open_from_the_cue_on():
    assert TIME[window_gate(TIME, 150.0) == 1].tolist() == list(range(600))
    assert set(window_gate(TIME, 150.0)) == {0.0, 1.0}


def test_local_gate_is_open_around_the_latency_and_never_before_the_cue():
    assert TIME[local_gate(TIME, 150.0) == 1].tolist() == list(range(60, 241))
    assert TIME[local_gate(TIME, 50.0, half_width_ms=60) == 1].tolist() == list(range(0, 111))


@pytest.mark.parametrize("name, function", [("window", window_gate), ("local", local_gate)])
def test_a_task_opens_the_gate_of_the_event_that_occurs(name, function):
    task = WhatWhen(gate=name)
    time, gate, event = gate_of(task)
    assert gate[:, event].tolist() == function(time, task.latencies_ms[event]).tolist()
    assert not gate[:, 1 - event].any()


def test_a_task_takes_any_function_and_names_it_in_its_configuration():
    task = WhatWhen(gate=functools.partial(local_gate, half_width_ms=10))
    _, gate, event = gate_of(task)
    assert gate[:, event].sum() == 21
    assert task.session(1).config["gate"] == "local_gate(half_width_ms=10)"


def test_the_gate_follows_the_jitter():
    session = WhatWhen(gate="local", jitter="10 ms").session(20)
    for trial in session.trials:
        if trial.labels["phase"] == "train":
            open_ms = np.flatnonzero(trial.inputs["gate"].sum(axis=1)) - 100
            assert open_ms.mean() == pytest.approx(trial.labels["latency_ms"], abs=1)


@pytest.mark.parametrize(
    "gate, message",
    [
        (lambda time, latency: np.ones(3), r"shape \(3,\).*shape \(700,\)"),
        (lambda time, latency: -np.ones(700), "from -1 to -1.*weights >= 0"),
        (lambda time, latency: time * np.nan, "finite"),
    ],
)
def test_a_function_that_returns_nonsense_is_refused(gate, message):
    with pytest.raises(ValueError, match=message):
        WhatWhen(gate=gate).session(1)


def test_an_unknown_gate_is_refused():
    with pytest.raises(ValueError, match="gate='locale'.*'window', 'local'"):
        WhatWhen(gate="locale")
