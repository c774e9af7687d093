import numpy as np
import pytest

from neurodyn.analysis import decode_scalar, decode_time

TIMES = np.arange(0.0, 300, 10)


def sequence(seed, trials=20, units=15, noise=0.3):
    """Units with bumps at successive times, the same in each trial, and independent noise."""
    rng = np.random.default_rng(seed)
    bumps = np.exp(-((TIMES[:, None] - np.linspace(0, 290, units)) ** 2) / (2 * 30**2))
    return bumps + noise * rng.normal(size=(trials, len(TIMES), units))


def test_time_is_read_from_a_sequence_beyond_chance():
    result = decode_time(sequence(0), TIMES, samples=39)
    assert result.r2.observed > 0.8 and result.error.observed < 40
    assert result.r2.p == pytest.approx(1 / 40) and result.error.p == pytest.approx(1 / 40)
    assert result.predictions.shape == (20, 30)
    assert np.mean(np.abs(result.predictions - TIMES)) == pytest.approx(result.error.observed)
    spread = np.sum((TIMES - TIMES.mean()) ** 2) * 20
    assert 1 - np.sum((result.predictions - TIMES) ** 2) / spread == pytest.approx(result.r2.observed)


@pytest.mark.parametrize("decay", [0.95, 1.0])
def test_slow_noise_without_a_common_time_is_at_chance(decay):
    """Neighbouring bins are alike: folds made of bins would decode this well, folds of trials must not."""
    rng = np.random.default_rng(1)
    p, r2 = [], []
    for k in range(120):
        x = rng.normal(size=(10, 90, 12))
        for t in range(1, 90):
            x[:, t] += decay * x[:, t - 1]
        result = decode_time(x[:, 60:], TIMES, samples=39, seed=k)
        p.append(result.r2.p)
        r2.append(result.r2.observed)
    assert sum(value <= 0.05 for value in p) <= 15  # nominal 6 of 120, standard deviation 2.4
    assert 0.38 < np.mean(p) < 0.62  # standard deviation 0.026
    assert np.mean(r2) < 0


def test_one_strength_and_leaving_one_trial_out_equal_a_plain_loop():
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    x = sequence(2, trials=5)
    result = decode_time(x, TIMES, folds=5, strength=0.01, samples=1)
    for trial in range(5):
        train = np.delete(x, trial, axis=0).reshape(-1, 15)
        scale = StandardScaler().fit(train)
        model = Ridge(alpha=0.01 * len(train)).fit(scale.transform(train), np.tile(TIMES, 4))
        assert np.allclose(result.predictions[trial], model.predict(scale.transform(x[trial])), atol=1e-8)
    assert sorted(result.folds) == [0, 1, 2, 3, 4]


def test_probability_is_read_from_trials_and_not_from_noise():
    rng = np.random.default_rng(3)
    p = rng.choice([0.2, 0.5, 0.8], 60)
    coded = np.outer(p, rng.normal(size=10)) + 0.1 * rng.normal(size=(60, 10))
    good = decode_scalar(coded, p, samples=39)
    assert good.r2.observed > 0.8 and good.r2.p == pytest.approx(1 / 40)
    assert good.predictions.shape == (60,)
    values = [decode_scalar(rng.normal(size=(30, 10)), p[:30], samples=19, seed=k).r2.p for k in range(60)]
    assert sum(v <= 0.05 for v in values) <= 11  # nominal 3 of 60, standard deviation 1.7


def test_bins_of_a_trial_share_its_value_and_its_fold():
    rng = np.random.default_rng(4)
    value = rng.normal(size=12)
    x = np.outer(value, np.ones(3))[:, None, :] + 0.1 * rng.normal(size=(12, 7, 3))
    result = decode_scalar(x, value, samples=19)
    assert result.predictions.shape == (12, 7) and result.r2.observed > 0.7


def test_blocks_with_a_drift_fool_trials_but_not_groups():
    """Each block has its own offset and value: it is one observation, however many trials it has."""
    trials, groups = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        block = np.repeat(np.arange(6), 10)
        value = rng.normal(size=6)[block]
        x = rng.normal(size=(6, 8))[block] + 0.1 * rng.normal(size=(60, 8))
        trials.append(decode_scalar(x, value, samples=19).r2.p <= 0.05)
        groups.append(decode_scalar(x, value, groups=block, folds=6, samples=19).r2.p <= 0.05)
    assert sum(trials) >= 25
    assert sum(groups) <= 8  # nominal 1.5 of 30, standard deviation 1.2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decode_time(np.zeros((30, 20, 5)), TIMES), "axis 'time'.*transpose x"),
        (lambda: decode_time(np.zeros((20, 30, 5)), TIMES[::-1]), "times must increase"),
        (lambda: decode_time(np.full((20, 30, 5), np.nan), TIMES), "NaN"),
        (lambda: decode_time(np.zeros((20, 30, 5)), TIMES, folds=21), "folds = 21.*at most 20"),
        (lambda: decode_time(np.zeros((1, 30, 5)), TIMES), "at least 2 along 'trial'"),
        (lambda: decode_time(np.zeros((2, 30, 5)), TIMES, folds=2), "two trials or groups are too few"),
        (lambda: decode_time(np.zeros((8, 30, 5)), TIMES, strength=0), "strength = 0"),
        (lambda: decode_scalar(np.zeros((20, 5)), np.ones(20)), "nothing to decode"),
        (lambda: decode_scalar(np.zeros((5, 20)), np.arange(20)), "axis 'trial'"),
        (lambda: decode_scalar(np.zeros((4, 5)), np.arange(4), groups=[0, 1]), "groups has 2 entries"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
