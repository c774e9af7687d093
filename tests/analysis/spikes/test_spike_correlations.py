import numpy as np
import pytest

from neurodyn.analysis import count_correlations, cross_correlation


def poisson(units, duration=20_000.0, spikes=400, seed=0):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0, duration, spikes)) for _ in range(units)]


def with_common(share, units=10, seed=0):
    """Poisson trains that take each spike of a mother train with probability `share`: counts correlate by that much."""
    rng = np.random.default_rng(seed)
    mother = np.sort(rng.uniform(0, 20_000, 2000))
    return [mother[rng.random(mother.size) < share] for _ in range(units)]


def test_thinned_copies_correlate_by_the_share_they_keep():
    found = count_correlations(with_common(0.3), duration_ms=20_000, bin=20)
    assert found.mean.observed == pytest.approx(0.3, abs=0.02)
    assert found.mean.p < 0.05 and found.rms.p < 0.05 and found.synchrony.p < 0.05
    # chi^2 = (1 + (n - 1) r) / n
    assert found.synchrony.observed == pytest.approx((1 + 9 * 0.3) / 10, abs=0.03)
    pairs = found.matrix[np.triu_indices(10, 1)]
    assert found.mean.observed == pytest.approx(pairs.mean())
    assert found.rms.observed == pytest.approx(np.sqrt(np.mean(pairs**2)))
    np.testing.assert_allclose(np.diag(found.matrix), 1)


def test_long_and_wide_data_agree_on_the_mean_square():
    trains = with_common(0.3, units=30)
    few = count_correlations(trains, duration_ms=20_000, bin=1000, samples=1)  # fewer bins than units
    pairs = few.matrix[np.triu_indices(30, 1)]
    assert few.bins == 20 and few.rms.observed == pytest.approx(np.sqrt(np.mean(pairs**2)))


@pytest.mark.parametrize("null", [{"null": "shift"}, {"null": "jitter", "jitter": 500.0}])
def test_independent_units_are_within_the_null(null):
    p = [count_correlations(poisson(8, 5000, 100, s), duration_ms=5000, samples=39, **null).rms.p for s in range(20)]
    assert sum(each <= 0.05 for each in p) <= 4  # of 20, 1 expected: more than 4 in 0.3 %


def test_jitter_keeps_slow_rates_and_shift_does_not():
    rng = np.random.default_rng(3)
    slow = [np.sort(20_000 * rng.beta(2, 1, 600)) for _ in range(10)]  # rates that grow together
    shift = count_correlations(slow, duration_ms=20_000, bin=100, samples=39)
    jitter = count_correlations(slow, duration_ms=20_000, bin=100, null="jitter", jitter=1000, samples=39)
    assert shift.mean.p <= 0.05 < jitter.mean.p


def test_silent_units_are_left_out():
    found = count_correlations([*poisson(3), []], duration_ms=20_000, samples=2)
    assert found.units.tolist() == [0, 1, 2] and np.isnan(found.matrix[3]).all() and "3 units" in str(found)


def test_a_delay_shows_in_the_histogram():
    a, other = poisson(2)
    b = np.sort(np.concatenate((a[::2][a[::2] < 19_990] + 4.5, other)))
    found = cross_correlation(a, b, duration_ms=20_000)
    peak = found.counts[found.lag == 4.0][0] + found.counts[found.lag == 5.0][0]
    assert peak == pytest.approx(200 + 2 * 400 * 600 / 20_000, abs=15) and found.test.p < 0.01
    assert "at 4 ms" in str(found) or "at 5 ms" in str(found)
    naive = np.subtract.outer(np.floor(b).astype(int), np.floor(a).astype(int))
    np.testing.assert_array_equal(found.counts, [(naive == lag).sum() for lag in found.lag])
    np.testing.assert_allclose(found.rate, found.counts * 1000 / len(a))


def test_independent_trains_are_within_the_null():
    p = [cross_correlation(*poisson(2, 5000, 200, s), duration_ms=5000, samples=39).test.p for s in range(20)]
    assert sum(each <= 0.05 for each in p) <= 4


def test_a_dead_time_shows_in_the_autocorrelation():
    rng = np.random.default_rng(0)
    train = np.cumsum(10 + rng.exponential(10, 2000))
    found = cross_correlation(train, duration_ms=train[-1] + 1, longest=40)
    assert found.auto and found.test.p < 0.01
    assert not found.counts[np.abs(found.lag) < 9].any()
    np.testing.assert_array_equal(found.counts, found.counts[::-1])
    # a renewal process with dead time d and hazard h after it fires at h just behind d
    behind = found.rate[(found.lag > 11) & (found.lag < 15)].mean()
    assert behind == pytest.approx(100 * np.exp(-2.5 / 10), rel=0.1)


def test_shift_of_one_train_is_refused_and_so_are_others():
    (a, b) = poisson(2)
    with pytest.raises(ValueError, match="rotating one train"):
        cross_correlation(a, duration_ms=20_000, null="shift")
    with pytest.raises(ValueError, match="b has no spikes"):
        cross_correlation(a, [], duration_ms=20_000)
    with pytest.raises(ValueError, match="longest = 10000"):
        cross_correlation(a, b, duration_ms=20_000, longest=10_000)
    with pytest.raises(ValueError, match="a must not decrease"):
        cross_correlation(a[::-1], b, duration_ms=20_000)
    with pytest.raises(ValueError, match="give jitter in ms with"):
        count_correlations([a, b], duration_ms=20_000, jitter=5)
    with pytest.raises(ValueError, match="jitter = 50"):
        count_correlations([a, b], duration_ms=20_000, null="jitter", jitter=50)
    with pytest.raises(ValueError, match="did you mean 'shift'"):
        count_correlations([a, b], duration_ms=20_000, null="shifts")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 of 2 units"):
        count_correlations([a, []], duration_ms=20_000)
