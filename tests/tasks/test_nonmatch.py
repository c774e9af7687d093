"""The delayed nonmatch task: its time course, its order of kinds, its errors."""

from collections import Counter

import numpy as np
import pytest

import neurodyn as nd


def test_time_course_of_a_trial():
    session = nd.tasks.DelayedNonmatch().session(4, warm_up=0)
    by_kind = {trial.labels["kind"]: trial for trial in session.trials}
    trial = by_kind["AB"]
    task, scored = trial.inputs["task"], trial.inputs["scored"][:, 0]
    assert task.shape == (1000, 2) and session.dt == 1e-3
    assert np.flatnonzero(task[:, 0]).tolist() == list(range(200))
    assert np.flatnonzero(task[:, 1]).tolist() == list(range(400, 600))
    assert np.flatnonzero(scored).tolist() == list(range(800, 1000))
    assert {k: float(t.inputs["target"][0]) for k, t in by_kind.items()} == {
        "AA": -0.98,
        "AB": 0.98,
        "BA": 0.98,
        "BB": -0.98,
    }
    assert {k: t.labels["differ"] for k, t in by_kind.items()} == {"AA": False, "AB": True, "BA": True, "BB": False}
    for number, kind in enumerate(session.channels["kind"]):
        assert by_kind[kind].inputs["kind"].tolist() == np.eye(4)[number].tolist()
        first, second = (by_kind[kind].inputs["task"][at].argmax() for at in (100, 500))
        assert "AB"[first] + "AB"[second] == kind


def test_four_trials_hold_all_kinds_in_an_order_of_the_seed():
    one, longer, other = (
        nd.tasks.DelayedNonmatch().session(n, warm_up=0, seed=s) for n, s in ((40, 1), (80, 1), (40, 2))
    )
    kinds = [[trial.labels["kind"] for trial in s.trials] for s in (one, longer, other)]
    assert kinds[1][:40] == kinds[0] and kinds[2] != kinds[0]
    assert all(len(set(kinds[0][k : k + 4])) == 4 for k in range(0, 40, 4))
    assert len({tuple(kinds[0][k : k + 4]) for k in range(0, 40, 4)}) > 4


def test_phases_and_learning():
    session = nd.tasks.DelayedNonmatch().session(6, warm_up=3, tests=2)
    assert Counter(trial.labels["phase"] for trial in session.trials) == {"warm-up": 3, "train": 6, "test": 2}
    assert [trial.learning for trial in session.trials] == [False] * 3 + [True] * 6 + [False] * 2
    assert [trial.labels["exposure"] for trial in session.trials] == [0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6]
    assert session.config["session"] == {"trials": 6, "warm_up": 3, "tests": 2, "seed": 1}


def test_other_times_and_steps():
    task = nd.tasks.DelayedNonmatch(stimulus="50 ms", delay="0 ms", trial="0.2 s", scored="100 ms", dt="0.5 ms")
    inputs = task.session(1, warm_up=0).trials[0].inputs
    assert inputs["task"].sum() == 200 and inputs["scored"].sum() == 200 and len(inputs["task"]) == 400
    assert task == nd.tasks.DelayedNonmatch(stimulus="0.05 s", delay="0 s", trial="200 ms", scored="0.1 s", dt="500 us")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trial": "700 ms"}, "two stimuli of 200 ms, a delay of 200 ms and a response of 200 ms don't fit"),
        ({"stimulus": "0.5 ms"}, "stimulus='0.5 ms' is not a whole number of dt='1 ms'"),
        ({"target": 0.0}, "target=0.0: give a positive number"),
        ({"scored": "0 ms"}, "scored"),
    ],
)
def test_values_that_do_not_fit_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        nd.tasks.DelayedNonmatch(**given)


@pytest.mark.parametrize("given", [{"trials": 0}, {"warm_up": -1}, {"tests": 1.5}, {"seed": -1}])
def test_numbers_of_trials_are_checked(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        nd.tasks.DelayedNonmatch().session(**given)
