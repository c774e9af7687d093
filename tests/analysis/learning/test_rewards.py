import numpy as np
import pytest

from neurodyn import analysis

TIME = np.arange(0.0, 100_000.0, 10.0)


def signals(seed, *, rewarded, synapses=50):
    """Decaying eligibility after random pulses; rewards a second after those of ``rewarded``, or at random (None)."""
    rng = np.random.default_rng(seed)
    pulses = rng.random((len(TIME), synapses)) < 0.003
    trace = np.zeros_like(pulses, dtype=float)
    for k in range(1, len(TIME)):
        trace[k] = trace[k - 1] * 0.99 + pulses[k]
    times = TIME[pulses[:, rewarded]] + 1000 if rewarded is not None else rng.choice(TIME[::10], 60, replace=False)
    return trace, np.sort(times[times < TIME[-1]])


def test_eligibility_of_the_rewarded_synapse_stands_out():
    trace, rewards = signals(1, rewarded=7)
    found = analysis.eligibility_at_reward(TIME, trace, rewards, 7)
    at = np.searchsorted(TIME, rewards)
    np.testing.assert_array_equal(found.at_reward, trace[at, 7])
    np.testing.assert_allclose(found.others, np.delete(trace[at], 7, axis=1).mean(axis=1))
    assert found.timing.observed == found.specificity.observed == pytest.approx(trace[at, 7].mean())
    assert found.timing.p < 0.05 and found.specificity.p == pytest.approx(1 / 50)
    assert found.specificity.null.shape == (49,)
    other = analysis.eligibility_at_reward(TIME, trace, rewards, 8)
    assert other.timing.p > 0.05 and other.specificity.p > 0.05


def test_rewards_at_random_are_found_at_the_level_of_the_test():
    """40 data sets without an effect: false alarms at 5 % have a mean of 2; 7 or more come by chance in 0.3 %."""
    p = []
    for seed in range(40):
        trace, rewards = signals(seed, rewarded=None, synapses=20)
        found = analysis.eligibility_at_reward(TIME, trace, rewards, 0, samples=99, seed=seed)
        p.append((found.timing.p, found.specificity.p))
    assert (np.array(p) <= 0.05).sum(axis=0).max() < 7
    assert 0.35 < np.mean(p) < 0.65


def test_a_reward_between_samples_takes_the_one_before():
    trace = np.arange(10.0)[:, None] * [1, 0]
    found = analysis.eligibility_at_reward(np.arange(10) * 0.1, trace, [0.3, 0.39, 0.7], 0, samples=5)
    assert found.at_reward.tolist() == [3, 3, 7]


def test_average_around_rewards():
    rewards = np.array([2000.0, 5000.0, 9000.0, 12_500.0])
    signal = np.random.default_rng(0).normal(size=len(TIME)) * 0.01
    for reward in rewards:
        after = TIME - reward
        signal[(after >= 100) & (after < 300)] += 1
    found = analysis.reward_triggered_average(TIME, signal, rewards, window=(-200, 500))
    assert found.time[0] == -200 and found.time[-1] == 500 and found.rewards == 4
    inside = (found.time >= 100) & (found.time < 300)
    np.testing.assert_allclose(found.mean[inside], 1, atol=0.05)
    np.testing.assert_allclose(found.mean[~inside], 0, atol=0.05)
    at = np.searchsorted(TIME, rewards)
    segments = np.array([signal[k - 20 : k + 51] for k in at])
    np.testing.assert_allclose(found.mean, segments.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.sem, segments.std(axis=0, ddof=1) / 2, atol=1e-12)
    assert found.test.p < 0.02 and (found.mean[inside] > found.null_high[inside]).all()
    assert isinstance(found.test.observed, float)


def test_channels_get_one_test_each():
    rewards = np.array([2000.0, 5000.0, 9000.0, 12_500.0, 16_000.0])
    signal = np.random.default_rng(1).normal(size=(len(TIME), 2))
    signal[np.searchsorted(TIME, rewards) + 5, 1] += 20
    found = analysis.reward_triggered_average(TIME, signal, rewards, window=(0, 200))
    assert found.mean.shape == found.null_low.shape == (21, 2)
    assert found.test.p[0] > 0.05 and found.test.p[1] < 0.02


def test_a_drift_is_no_effect():
    found = analysis.reward_triggered_average(TIME, TIME / 1000, [5000.0, 9000.0], window=(-100, 100))
    assert found.test.p > 0.05 and np.isfinite(found.sem).all()
    assert np.isnan(analysis.reward_triggered_average(TIME, TIME, [5000.0], window=(-100, 100)).sem).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: analysis.eligibility_at_reward([0, 1, 3], np.ones((3, 2)), [1], 0), "evenly spaced"),
        (lambda: analysis.eligibility_at_reward([0, 1], np.ones((2, 1)), [1], 0), "two synapses or more"),
        (lambda: analysis.eligibility_at_reward([0, 1], np.ones((2, 2)), [1], 2), "synapse = 2"),
        (lambda: analysis.eligibility_at_reward([0, 1], np.ones((2, 2)), [5], 0), "leave out rewards beyond it"),
        (lambda: analysis.reward_triggered_average(TIME, TIME, [50.0], window=(-100, 100)), "leaves the recording"),
        (lambda: analysis.reward_triggered_average(TIME, TIME, [5e3], window=(100, 100)), "more than one sample"),
        (lambda: analysis.reward_triggered_average(TIME, TIME[1:], [5e3], window=(0, 100)), "one value for each time"),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
