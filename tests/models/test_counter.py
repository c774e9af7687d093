import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.analysis.learning.expectation import (
    amplitude,
    bump_ratio,
    expectation_error,
    overshoot,
    peak_times,
    trials_to_recover,
)
from neurodyn.models.counter import counter
from neurodyn.session import Session, Trial
from neurodyn.tasks import WhatWhen, protocol, sweep, switching

ONE_EVENT = WhatWhen(latencies="150 ms", probability=1, dt="10 ms", trial="300 ms")


def train(session):
    return np.array([trial.labels["phase"] == "train" for trial in session.trials])


@given(eta=st.floats(0.01, 1), q0=st.floats(0, 1), n=st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_closed_form_for_an_event_that_always_occurs(eta, q0, n):
    session = ONE_EVENT.session(n, tests=())
    q = counter(session, eta=eta, q0=q0).q[-1, 0]
    assert q == pytest.approx(1 + (q0 - 1) * (1 - eta) ** n, abs=1e-12)


@given(eta=st.floats(0.01, 1), q0=st.floats(0, 1), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_closed_form_for_a_given_sequence(eta, q0, seed):
    session = WhatWhen(probability=0.3, dt="10 ms").session(30, seed=seed)
    occurred = np.array([t.inputs["occurred"] for t in session.trials if t.learning])
    # q_n = (1 - eta)^n q_0 + eta sum_k (1 - eta)^(n - k) 1[c_k = X]
    decay = (1 - eta) ** np.arange(29, -1, -1)
    closed = (1 - eta) ** 30 * q0 + eta * decay @ occurred
    assert counter(session, eta=eta, q0=q0).q[-1] == pytest.approx(closed, abs=1e-12)


def test_mean_and_variance_over_independent_sequences():
    # E q_n = p + (q_0 - p)(1 - eta)^n; var q -> p (1 - p) eta / (2 - eta). 300 sequences, five SE.
    p, eta, task = 0.3, 0.2, WhatWhen(probability=0.3, iid=True, dt="10 ms")
    runs = []
    for seed in range(300):
        session = task.session(30, seed=seed, tests=(), calibration=0)
        runs.append(counter(session, eta=eta, q0=1.0).q[:, 0])
    q = np.array(runs)
    variance = p * (1 - p) * eta / (2 - eta)
    tolerance = 5 * np.sqrt(variance / 300)
    n = np.arange(1, 31)
    assert q.mean(axis=0) == pytest.approx(p + (1 - p) * (1 - eta) ** n, abs=tolerance)
    assert q[:, -1].var() == pytest.approx(variance, rel=5 * np.sqrt(2 / 300))


def test_nothing_is_learnt_without_learning():
    session = WhatWhen().session(10, tests=(5, 10))
    run = counter(session)
    before = np.vstack([np.zeros((1, 2)), run.q[:-1]])
    changed = (run.q != before).any(axis=1)
    assert (changed == train(session)).all()


def test_probabilities_sum_to_what_has_been_learnt():
    run = counter(WhatWhen(latencies=("120 ms", "240 ms", "360 ms"), probability=(0.5, 0.3, 0.2)).session(20))
    learnt = np.cumsum(np.diff(run.q.sum(axis=1), prepend=0) > 0)
    assert run.q.sum(axis=1) == pytest.approx(1 - 0.96**learnt)


def test_latency_is_taken_over_and_then_moved():
    before, after = ONE_EVENT, ONE_EVENT.with_(latencies="50 ms")
    run = counter(switching([before, after], trials=3, tests=()), eta_when=0.5)
    assert np.isnan(run.latency_ms[:5]).all()
    assert run.latency_ms[5:, 0].tolist() == [150, 150, 150, 100, 75, 62.5]


def test_expectation_of_a_test_uses_what_is_known_then():
    session = WhatWhen().session(10, tests=(0, 10), test_trials=1)
    run = counter(session)
    assert not run.output[0].any()
    assert run.tests.tolist() == [5, 16]
    assert run.output[1].max(axis=0) == pytest.approx(run.q[15])
    assert np.asarray(peak_times(run.output[1], WhatWhen().time_ms)).tolist() == [250.0, 400.0]
    assert np.array_equal(run.target[1], WhatWhen().expectation())


@pytest.mark.parametrize("seed", range(3))
def test_meets_the_learning_targets_without_a_network(seed):
    """Which is why they say nothing about a network: learning, switches of probability and of timing."""
    session = protocol("P3", seed=seed)
    run = counter(session)
    error = np.asarray(expectation_error(run.output, run.target, run.scored).nrmse)
    error = error.reshape(4, 5, 3).mean(axis=-1)
    assert (error[:, -1] <= 0.05).all()
    assert (np.diff(error, axis=1)[0] < 0).all()
    assert trials_to_recover([1, 10, 25, 50, 100], error[2], 0.2) == 10
    block = np.array([trial.labels["block"] for trial in session.trials])
    assert overshoot(run.q[block == 1, 0], 0.8, 0.2) <= 0.1
    time = WhatWhen().time_ms - 100
    end_of_timing_block = run.output[3 * 15 - 1]
    assert (np.asarray(bump_ratio(end_of_timing_block, time, [150, 300], [300, 150], 30.0)) <= 0.35).all()
    assert np.asarray(peak_times(end_of_timing_block, time)) == pytest.approx([300, 150], abs=2)


def test_amplitude_follows_probability_without_a_network():
    """The same for the code of probability by amplitude."""
    tasks = sweep("P2")
    p = [task.probabilities[0] for task in tasks]
    outputs = [counter(task.session(tests=(100,), test_trials=1)).output[0] for task in tasks]
    heights = np.array([amplitude(o, tasks[0].time_ms - 100, [150, 300], 30.0) for o in outputs])
    assert np.corrcoef(heights[:, 0], p)[0, 1] > 0.99
    assert np.corrcoef(heights[:, 1], p)[0, 1] < -0.99


def test_a_session_without_tests():
    run = counter(WhatWhen().session(2, tests=()))
    assert run.output.shape == run.target.shape == (0, 700, 2) and run.scored.sum() == 600


@pytest.mark.parametrize(
    "options, message",
    [
        ({"eta": 0.0}, "eta=0.0"),
        ({"eta": 1.5}, "eta=1.5"),
        ({"eta_when": float("nan")}, "eta_when=nan"),
        ({"q0": -0.1}, "q0=-0.1"),
        ({"width": "0 ms"}, "width='0 ms'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        counter(WhatWhen().session(1), **options)


def test_foreign_sessions_are_refused():
    with pytest.raises(ValueError, match="trial 0 has no cue_ms, latency_ms, occurred"):
        counter(Session((Trial(3, {}),), dt=1e-3))
    with pytest.raises(ValueError, match="no trials"):
        counter(Session((), dt=1e-3))
    with pytest.raises(ValueError, match="differ in length"):
        counter(switching([WhatWhen(), WhatWhen(trial="800 ms")], trials=1))
