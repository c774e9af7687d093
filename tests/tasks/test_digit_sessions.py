"""Sessions of digit streams: what a trained network meets on a backend."""

import numpy as np
import pytest

import neurodyn as nd


def streams(session):
    """Digits of each trial, one for each time that they are held."""
    return [t.inputs["digits"][:: t.labels["hold"], 0] for t in session.trials]


def test_trials_hold_a_stream_and_its_label():
    session = nd.tasks.Parity(coding=(-1.0, 2.0)).session(trials=40, n=5, seed=1, dt="2 ms")
    assert len(session) == 40 and session.dt == 2e-3 and session.channels == {"digits": ("digit",)}
    for trial, seen in zip(session.trials, streams(session), strict=True):
        assert trial.labels["length"] == trial.steps and 7 <= trial.steps <= 21 and set(seen) <= {-1.0, 2.0}
        assert trial.labels["target"] == (seen[-5:] > 0).sum() % 2 and trial.labels["N"] == 5 and trial.reset
    assert len({trial.steps for trial in session.trials}) > 5
    assert session.config["task"] == "Parity" and session.config["session"]["n"] == 5


def test_digits_are_held_in_turns_and_lengths_may_be_given():
    session = nd.tasks.DelayedMatch(hold=(1, 3)).session(trials=30, n=3, length=6)
    assert {(t.labels["hold"], t.steps) for t in session.trials} == {(1, 6), (3, 18)}
    for trial, seen in zip(session.trials, streams(session), strict=True):
        np.testing.assert_array_equal(trial.inputs["digits"][:, 0], seen.repeat(trial.labels["hold"]))
        assert trial.labels["target"] == (seen[-1] == seen[-3])


def test_a_longer_session_begins_as_a_shorter_one_and_another_seed_differs():
    task = nd.tasks.Parity()
    long, short, other = (streams(task.session(trials=k, n=4, seed=s)) for k, s in ((12, 3), (5, 3), (12, 4)))
    for a, b in zip(long, short, strict=False):
        np.testing.assert_array_equal(a, b)
    assert any(a.size != b.size or (a != b).any() for a, b in zip(long, other, strict=True))


@pytest.mark.parametrize("step", [0, 2**63])
def test_no_sequence_is_one_of_training_or_its_tests(step):
    """Those of 400 digits are equal by chance never."""
    task = nd.tasks.DelayedMatch()
    trained = {tuple(task.batch(2, 1, seed=1, step=step + k, length=400).digits[:, 0].tolist()) for k in range(20)}
    met = {tuple(s.astype(int).tolist()) for s in streams(task.session(trials=20, n=2, seed=1, length=400))}
    assert len(trained) == len(met) == 20 and not trained & met


@pytest.mark.parametrize(
    ("given", "words"),
    [({"trials": 0, "n": 2}, "trials"), ({"trials": 3, "n": 0}, "n"), ({"trials": 3, "n": 4, "length": 3}, "length = 3"),
     ({"trials": 3, "n": 2, "seed": -1}, "seed"), ({"trials": 3, "n": 2, "dt": "1 mV"}, "dt")],
)  # fmt: skip
def test_errors_name_the_parameter(given, words):
    with pytest.raises(ValueError, match=words):
        nd.tasks.Parity().session(**given)
