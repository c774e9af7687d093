import numpy as np
import pytest

from neurodyn.analysis import binomial_interval, bootstrap_mean


def test_wilson_interval_is_the_textbook_formula():
    k, n, z = 9, 10, 1.959963984540054
    centre = (k / n + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    interval = binomial_interval(k, n)
    assert (interval.low, interval.high) == pytest.approx((centre - half, centre + half))
    assert interval.share == 0.9
    assert str(interval) == "9/10 (95% interval 0.60 to 0.98)"


def test_exact_interval_inverts_the_binomial_tails():
    from scipy.stats import binom

    interval = binomial_interval(7, 20, method="exact", confidence=0.9)
    assert binom.sf(6, 20, interval.low) == pytest.approx(0.05)
    assert binom.cdf(7, 20, interval.high) == pytest.approx(0.05)
    assert binomial_interval(10, 10, method="exact").low == pytest.approx(0.025 ** (1 / 10))


def test_bootstrap_agrees_with_scipy():
    from scipy.stats import bootstrap

    values = np.random.default_rng(0).exponential(size=25)
    ours = bootstrap_mean(values, seed=1)
    theirs = bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(2)).confidence_interval
    assert ours.mean == pytest.approx(values.mean())
    # The quantiles of 10 000 resamples have a standard error near 0.03 standard errors of the mean.
    tolerance = 0.15 * values.std() / 5
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=tolerance)
    assert "25 networks" in str(ours)


def test_whole_networks_are_drawn_again():
    rng = np.random.default_rng(3)
    per_network = rng.normal(size=(12, 1)) + np.zeros((12, 4))
    result = bootstrap_mean(per_network)
    assert result.low.shape == (4,)
    assert np.allclose(result.low, result.low[0]) and np.allclose(result.high, result.high[0])
    assert bootstrap_mean(np.zeros((3, 2, 5))).mean.shape == (2, 5)


def test_equal_values_leave_no_interval_and_coverage_is_near_nominal():
    constant = bootstrap_mean([2.0, 2.0, 2.0])
    assert constant.low == pytest.approx(2) and constant.high == pytest.approx(2)
    rng = np.random.default_rng(4)
    draws = [bootstrap_mean(rng.normal(size=40), samples=400, seed=k) for k in range(300)]
    covered = np.mean([d.low <= 0 <= d.high for d in draws])
    assert 0.88 < covered < 0.99  # about 0.94 for 40 values; standard deviation 0.014


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: binomial_interval(11, 10), "successes = 11.*at most 10"),
        (lambda: binomial_interval(0, 0), "trials = 0"),
        (lambda: binomial_interval(1, 2, confidence=95), "confidence = 95: below 1"),
        (lambda: binomial_interval(1, 2, method="wald"), "method = 'wald'"),  # type: ignore
        (lambda: bootstrap_mean([1.0]), "at least 2 along 'network'"),
        (lambda: bootstrap_mean([1.0, np.nan]), "NaN"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
