import numpy as np
import pytest
from scipy.signal import lfilter

from neurodyn.analysis import autocorrelation, fit_exponentials, network_timescales
from neurodyn.analysis.timescales.ar1 import simulated_autocorrelation
from neurodyn.analysis.timescales.networks import fitted


def ar1(tau, shape, seed):
    """Stationary AR(1) of unit variance, shape (trial, time, unit)."""
    trials, steps, units = shape
    noise = np.random.default_rng(seed).normal(size=(units, trials, steps))
    phi = np.exp(-1 / tau)
    noise[:, :, 1:] *= np.sqrt(1 - phi**2)
    return np.asarray(lfilter([1], [1, -phi], noise, axis=2)).transpose(1, 2, 0)


@pytest.mark.parametrize("tau", [2.0, 10.0])
def test_an_isolated_leaky_unit_has_the_timescale_of_its_leak(tau):
    digits = np.random.default_rng(0).integers(0, 2, (10, 100_500, 1)).astype(float)
    rates = np.asarray(lfilter([1 / tau], [1, -(1 - 1 / tau)], digits, axis=1))[:, 500:]
    fit = fit_exponentials(autocorrelation(rates, lags=30))
    assert fit.tau[0, 0] == pytest.approx(-1 / np.log(1 - 1 / tau), rel=0.03)


@pytest.mark.parametrize(("tau", "tolerance"), [(5.0, 0.03), (20.0, 0.06)])
def test_one_exponential_is_recovered(tau, tolerance):
    result = network_timescales(ar1(tau, (10, 100_000, 2), seed=1))
    assert np.allclose(result.single.tau, tau, rtol=tolerance)


def test_two_components_are_found():
    shape = (10, 100_000, 2)
    x = np.sqrt(0.7) * ar1(3.0, shape, seed=2) + np.sqrt(0.3) * ar1(25.0, shape, seed=3)
    result = network_timescales(x)
    assert result.is_double.all()
    assert np.allclose(result.tau, 25, rtol=0.15) and np.allclose(result.double.weight[:, 1], 0.3, atol=0.05)


def test_nearly_all_units_of_white_noise_are_dropped():
    # With the global optimum 5 % get a long second component of weight 0.004; 200 units make that 10 +- 3.
    rng = np.random.default_rng(4)
    correlation = simulated_autocorrelation(np.zeros(200), 2000, 4, 30, rng)
    result = fitted(correlation, 2000, 4, fit_lags=30, longest=100.0)
    assert (result.single.tau < 1).all()
    assert result.summary()["kept"] < 0.1
    assert np.array_equal(result.tau > 1, result.is_double & (result.double.tau[:, 1] > 1))


def test_the_protocol_makes_long_timescales_out_of_one_short_one():
    correlation = simulated_autocorrelation(np.full(150, 0.5), 4000, 10, 30, np.random.default_rng(5))
    summary = fitted(correlation, 4000, 10, fit_lags=30, longest=100.0).summary()
    assert summary["median"] == pytest.approx(1 / np.log(2), rel=0.05)
    assert summary["mean"] > 4 and summary["double"] > 0.15 and summary["slow_weight"] < 0.1


def test_the_summary_by_hand():
    x = ar1(4.0, (2, 3000, 6), seed=6)
    x[:, :, 0] = 1.0
    x[:, :, 1] = np.random.default_rng(1).normal(size=(2, 3000))
    result = network_timescales(x)
    assert np.isnan(result.tau[0])
    tau, summary = result.tau[1:], result.summary()
    kept = tau[tau > 1]
    assert summary["units"] == 5 and summary["kept"] == len(kept) / 5
    assert summary["mean"] == pytest.approx(kept.mean()) and summary["sd"] == pytest.approx(kept.std())
    assert summary["median"] == pytest.approx(np.median(kept))
    assert summary["median_all"] == pytest.approx(np.median(tau))
    assert summary["double"] == result.is_double[1:].mean()
    assert summary["at_bound"] == (kept > 99.9).mean()


def test_a_population_without_timescales_has_nan_and_no_warning():
    steps = np.arange(400) % 2
    summary = network_timescales(np.stack([steps, np.ones(400)], axis=1)).summary()
    assert summary["units"] == 1 and summary["kept"] == 0 and np.isnan(summary["mean"])
    assert np.isnan(network_timescales(np.ones((400, 2))).summary()["kept"])


def test_longer_windows_by_refit():
    x = ar1(4.0, (2, 2000, 4), seed=7)
    result = network_timescales(x)
    assert len(result.autocorrelation) == 201 and result.fit_lags == 30
    for lags in (100, 200):
        again = result.refit(lags)
        assert again.fit_lags == lags
        assert np.allclose(again.tau, network_timescales(x, fit_lags=lags).tau, rtol=1e-6)
    with pytest.raises(ValueError, match="fit_lags = 201.*at most 200"):
        result.refit(201)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit_lags": 4}, "fit_lags = 4"),
        ({"fit_lags": 50}, "at most 49"),
        ({"longest": 1.0}, "longest"),
        ({"lags": 20}, "lags = 20"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        network_timescales(np.random.default_rng(0).normal(size=(50, 2)), **options)
