"""Correlation times of processes with known autocorrelation."""

import numpy as np
import pytest
from scipy.signal import lfilter

from neurodyn.analysis import correlation_time
from neurodyn.analysis.noise._red_noise import red_noise

DT = 0.1


def oscillation(tau, period, samples, paths, seed=0):
    """C = exp(-t / tau) cos w t: the real part of complex red noise."""
    rng = np.random.default_rng(seed)
    pole = np.exp((-1 / tau + 2j * np.pi / period) * DT)
    drawn = rng.normal(size=(samples, paths)) + 1j * rng.normal(size=(samples, paths))
    drawn[1:] *= np.sqrt(1 - abs(pole) ** 2)
    return np.real(lfilter([1], [1, -pole], drawn, axis=0))


def test_red_noise_is_stationary():
    x = red_noise(0.9, (20000, 20), np.random.default_rng(0))
    assert x.var() == pytest.approx(1, rel=0.03) and x[0].size == 20
    assert np.mean(x[1:] * x[:-1]) == pytest.approx(0.9, rel=0.03)


@pytest.mark.parametrize("paths, samples", [(40, 4000), (1, 100000)])
def test_exponential(paths, samples):
    """tau / 2; which red noise explains."""
    x = red_noise(np.exp(-DT / 2), (samples, paths), np.random.default_rng(1))
    found = correlation_time(x, dt=DT, longest=20.0)
    assert found.value == pytest.approx(1.0, rel=0.12) and found.null.p > 0.02
    assert np.isnan(found.error) if paths == 1 else abs(found.value - 1) < 4 * found.error < 0.4
    np.testing.assert_allclose(found.correlation[:30], np.exp(-found.lags[:30] / 2), atol=0.08)
    assert "correlation time" in str(found) and "null" in str(found)


@pytest.mark.parametrize("period", [1.5, 6.0])
def test_damped_oscillation(period):
    tau = 5.0
    exact = tau / 4 * (1 + 1 / (1 + (2 * np.pi / period * tau) ** 2))
    found = correlation_time(oscillation(tau, period, 6000, 40), dt=DT, longest=30.0)
    assert abs(found.value - exact) < 4 * found.error < 0.3 * exact
    assert found.null.p < 0.05 and (found.value > found.null.high) == (period < 6)


@pytest.mark.parametrize("paths", [1, 4])
def test_noise_of_the_autocorrelation_adds_little(paths):
    """Records of 60 correlation times, lags up to a tenth: the plain integral is a fifth too large."""
    exact = 1.0
    found = [
        correlation_time(red_noise(np.exp(-DT / 2), (1200, paths), np.random.default_rng(k)), dt=DT, samples=1)
        for k in range(100)
    ]
    values = np.array([each.value for each in found])
    assert values.mean() == pytest.approx(exact, abs=4 * values.std() / 10 + 0.05)
    if paths > 2:
        assert np.median([each.error for each in found]) == pytest.approx(values.std(), rel=0.5)


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"longest": 0.01}, "longest = 0.01"),
        ({"longest": 60}, "half of the record"),
        ({"x": np.ones(100)}, "never varies"),
        ({"x": np.arange(30.0)}, "at least 40"),
        ({"discard": 99}, "10 samples"),
        ({"x": np.full(100, np.nan)}, "NaN"),
    ],
)
def test_bad_input(changes, match):
    options = {"x": red_noise(0.5, (1000, 2), np.random.default_rng(0)), "dt": DT} | changes
    with pytest.raises(ValueError, match=match):
        correlation_time(options.pop("x"), **options)
