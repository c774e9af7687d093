"""Trials and sessions: shapes, units of dt, joining, and what is refused."""

import numpy as np
import pytest

from neurodyn.session import Session, Trial


def test_inputs_are_series_or_constants():
    trial = Trial(3, {"task": [[1, 2], [3, 4], [5, 6]], "gate": [1.0, 0.0]})
    assert trial.inputs["task"].shape == (3, 2) and trial.inputs["gate"].shape == (2,)
    assert trial.inputs["task"].dtype == np.float64
    assert (trial.learning, trial.calibration, trial.reset, dict(trial.labels)) == (True, False, True, {})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "steps = 0: a trial needs a whole number of steps, at least 1"), ((-3,), "steps = -3"), ((2.5,), "steps = 2.5"),
        ((True,), "steps = True"), (("3",), "steps = '3'"), ((np.nan,), "steps = nan"),
        ((3, {"u": np.ones((4, 2))}), r"input 'u' has shape \(4, 2\): give \(steps, channels\) with steps = 3, or \(channels,\)"),
        ((3, {"u": 1.0}), r"input 'u' has shape \(\)"), ((3, {"u": np.ones((3, 1, 1))}), "input 'u' has shape"),
        ((3, {"u": [[1], [np.nan], [1]]}), r"input 'u' is nan at \(1, 0\): inputs must be finite"), ((3, {"u": [np.inf]}), "input 'u' is inf at"),
    ],
)  # fmt: skip
def test_trials_that_can_not_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        Trial(*arguments)


def test_a_session_has_a_length_and_a_duration():
    session = Session((Trial(3), Trial(7)), dt=1e-3)
    assert len(session) == 2
    assert session.duration == pytest.approx(10e-3, rel=1e-15)
    assert Session((Trial(3),), dt="0.5 ms").dt == 5e-4


@pytest.mark.parametrize(
    ("dt", "message"),
    [
        (0.0, "dt = 0.0 s: the sampling interval of a session must be positive and finite"), (-1e-3, "dt = -0.001 s"), (np.nan, "dt = nan"),
        (np.inf, "dt = inf"), ("1 mV", "dt='1 mV' is a voltage"), ("-1 ms", "dt = -0.001 s"), ("fast", "dt"),
    ],
)  # fmt: skip
def test_steps_that_can_not_be(dt, message):
    with pytest.raises(ValueError, match=message):
        Session((Trial(1),), dt=dt)


def test_channels_have_to_fit():
    Session((Trial(2, {"u": [1, 2]}), Trial(2)), dt=1e-3, channels={"u": ("a", "b")})
    with pytest.raises(ValueError, match=r"trial 1, input 'u': 3 channels given, the session names \('a', 'b'\)"):
        Session((Trial(2), Trial(2, {"u": [1, 2, 3]})), dt=1e-3, channels={"u": ("a", "b")})


def test_sessions_join_on_one_grid():
    first, second = (Session((Trial(n),), dt=1e-3, channels={"u": ("a",)}, config={"n": n}) for n in (2, 3))
    both = first + second
    assert [t.steps for t in both.trials] == [2, 3] and both.config == {"n": 2}
    for other in (Session((Trial(1),), dt=2e-3, channels={"u": ("a",)}), Session((Trial(1),), dt=1e-3)):
        with pytest.raises(ValueError, match="only if their dt and their channels agree"):
            _ = first + other
