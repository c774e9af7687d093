import numpy as np
import pytest
from scipy.signal import lfilter

from neurodyn.analysis import integrated_timescale


def ar1(tau, shape, seed):
    trials, steps, units = shape
    phi = np.exp(-1 / tau)
    noise = np.random.default_rng(seed).normal(size=(units, trials, steps))
    noise[:, :, 1:] *= np.sqrt(1 - phi**2)
    return np.asarray(lfilter([1], [1, -phi], noise, axis=2)).transpose(1, 2, 0)


@pytest.mark.parametrize("tau", [1.44, 5.0, 20.0])
def test_one_exponential_within_its_error(tau):
    result = integrated_timescale(ar1(tau, (5, 4000, 60), seed=1))
    # Cutting at five times the integral costs 0.7 %.
    error = np.std(result.tau) / np.sqrt(60)
    assert abs(result.tau.mean() - 0.993 * tau) < 4 * error + 0.003 * tau
    # The stated error is never too small, and at most a third too large; a spread of 60 is good to 9 %.
    assert 0.8 < result.standard_error.mean() / np.std(result.tau) < 1.7
    assert result.window.min() >= 5 * tau * 0.8


def test_the_integral_of_two_components_takes_a_longer_window():
    shape = (5, 20_000, 20)
    x = np.sqrt(0.7) * ar1(3.0, shape, seed=2) + np.sqrt(0.3) * ar1(25.0, shape, seed=3)
    integral = 0.5 + 0.7 / (np.exp(1 / 3) - 1) + 0.3 / (np.exp(1 / 25) - 1)
    short, long = (integrated_timescale(x, window=window).integral.mean() for window in (5, 15))
    assert long == pytest.approx(integral, rel=0.05)
    assert 0.8 * integral < short < 0.9 * integral


def test_short_trials_have_their_mean_made_good():
    short = integrated_timescale(ar1(5.0, (400, 150, 10), seed=4)).tau.mean()
    assert short == pytest.approx(5.0, rel=0.08)


def test_white_alternating_and_constant_units():
    rng = np.random.default_rng(5)
    x = np.stack([np.sign(rng.normal(size=3000)), np.arange(3000) % 2, np.ones(3000)], axis=1)
    result = integrated_timescale(x)
    assert result.tau[0] < 0.5 and result.tau[1] == 0 and np.isnan(result.tau[2])
    assert np.isnan(result.standard_error[1])


def test_trials_too_short_for_a_window_have_none():
    walk = np.cumsum(np.random.default_rng(6).normal(size=(30, 1)), axis=0)
    result = integrated_timescale(walk, window=20.0)
    assert np.isnan(result.tau[0]) and result.window[0] == -1


def test_more_lags_are_taken_where_the_window_asks_for_them():
    result = integrated_timescale(ar1(300.0, (4, 60_000, 1), seed=7))
    assert result.window[0] > 1000
    assert abs(result.tau[0] - 300) < 4 * result.standard_error[0]


def test_a_window_below_one_is_refused():
    with pytest.raises(ValueError, match="window = 0.5"):
        integrated_timescale(np.eye(9), window=0.5)
