"""Closed forms of a threshold against direct simulation, with standard errors."""

from typing import Any

import numpy as np
import pytest
from scipy.linalg import cholesky, expm, solve_continuous_lyapunov
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from neurodyn.analysis import crossing_response, rice_rate, sampled_threshold_response, threshold_information

LEVELS = np.geomspace(0.05, 20, 200)


def entropy(p):
    p = np.asarray(p)
    return -(p * np.log2(p)).sum(axis=-1)


def test_information_against_simulation():
    rng, n, prior, theta = np.random.default_rng(0), 400_000, 0.3, 1.3
    found = threshold_information([0.4, 1.0], threshold=theta, prior=prior)
    for k, sigma in enumerate((0.4, 1.0)):
        s = rng.random(n) < prior
        y = s + sigma * rng.normal(size=n) > theta
        joint = np.array([[np.mean((s == a) & (y == b)) for b in (0, 1)] for a in (0, 1)])
        counted = entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel())
        density = np.log2(joint / joint.sum(0) / joint.sum(1)[:, None])
        error = np.sqrt(((joint * density**2).sum() - counted**2) / n)
        bias = 0.5 / (n * np.log(2))
        assert abs(counted - bias - found.information[k]) < 4 * error
        assert y[s].mean() == pytest.approx(found.hit[k], abs=4 * np.sqrt(0.25 / s.sum()))


def test_information_has_a_maximum_only_below_the_threshold():
    below = threshold_information(LEVELS, threshold=1.5)
    assert 0 < below.information.argmax() < len(LEVELS) - 1 and below.information[0] < 1e-20
    assert (below.information[:10] > 0).all()  # no rounding to nothing
    assert "below the threshold" in str(below)
    between = threshold_information(LEVELS, threshold=0.0, inputs=(-1, 1))
    flips = norm.sf(1 / LEVELS)
    channel = 1 - entropy(np.stack([flips, 1 - flips], axis=-1).clip(1e-300, 1))
    np.testing.assert_allclose(between.information, channel, atol=1e-12)  # the binary symmetric channel
    assert (np.diff(between.information) <= 1e-15).all() and "not below" in str(between)


def test_sampled_detector_against_simulation():
    # Line and background of the thresholded samples, from the Fourier transform over whole periods.
    rng, n, k, paths, dt = np.random.default_rng(1), 2048, 64, 800, 0.5
    theta, a, sigma = 1.0, 0.6, 0.5
    found = sampled_threshold_response(sigma, threshold=theta, amplitude=a, interval=dt)
    wave = np.cos(2 * np.pi * k * np.arange(n) / n)
    y = (a * wave[:, None] + sigma * rng.standard_normal((n, paths)) > theta).astype(float)
    transform = np.fft.rfft(y, axis=0)
    line = 2 / n * transform[k]
    assert abs(line.real.mean() - found.response[0]) < 4 * line.real.std() / np.sqrt(paths)
    beside = np.abs(transform[[k - 5, k - 3, k + 3, k + 5]]) ** 2 * dt / n
    assert abs(beside.mean() - found.background[0]) < 4 * beside.std() / np.sqrt(beside.size)
    assert found.snr(over="cycles") == pytest.approx(found.response**2 / 4 / found.background)
    assert found.snr() == pytest.approx(np.pi * found.response**2 / found.background)


def test_sampled_detector_for_weak_signals():
    a, theta = 1e-3, 1.0
    found = sampled_threshold_response(LEVELS, threshold=theta, amplitude=a, interval=0.1)
    p = norm.sf(theta / LEVELS)
    slope = a * norm.pdf(theta / LEVELS) / LEVELS
    where = p > 1e-12
    np.testing.assert_allclose(found.response[where], slope[where], rtol=5e-3)
    np.testing.assert_allclose(found.background[where], 0.1 * (p * (1 - p))[where], rtol=5e-3)
    best: Any = minimize_scalar(
        lambda s: -((norm.pdf(theta / s) / s) ** 2) / (norm.sf(theta / s) * norm.cdf(theta / s)),
        bounds=(0.2, 2),
        method="bounded",
    )
    assert found.best == pytest.approx(best.x, rel=0.05) and f"{found.best:.4g}" in str(found)


def test_a_silent_detector_has_no_ratio():
    found = sampled_threshold_response([1e-3, 0.5], threshold=1.0, amplitude=0.1, interval=1.0)
    assert np.isnan(found.snr()[0]) and found.best == 0.5


@pytest.mark.parametrize("theta", [0.0, 1.0, 1.5])
def test_rice_rate_against_simulation(theta):
    first, second, dt, steps, paths = 1.0, 0.4, 0.01, 4000, 400
    drift = np.array([[-1 / first, 0], [1 / second, -1 / second]])
    stationary = solve_continuous_lyapunov(drift, -np.diag([2.0 / first, 0]))
    step = expm(drift * dt)
    kick = cholesky(stationary - step @ stationary @ step.T, lower=True)
    rng = np.random.default_rng(4)
    state = cholesky(stationary, lower=True) @ rng.standard_normal((2, paths))
    sd = np.sqrt(stationary[1, 1])
    counts = np.zeros(paths)
    for _ in range(steps):
        before = state[1]
        state = step @ state + kick @ rng.standard_normal((2, paths))
        counts += (before < theta * sd) & (state[1] >= theta * sd)
    rates = counts / (steps * dt)
    expected = float(rice_rate(theta * sd, sd=sd, time_constants=(first, second)))
    # Crossings that return within a step are missed: about 1 % here.
    assert abs(rates.mean() - expected) < 4 * rates.std() / np.sqrt(paths) + 0.015 * expected


def test_crossings_follow_a_slow_signal():
    theta, a, times = 1.0, 1e-4, (1.0, 0.3)
    found = crossing_response(LEVELS, threshold=theta, amplitude=a, time_constants=times)
    high, low = (rice_rate(theta - sign * a, sd=LEVELS, time_constants=times) for sign in (1, -1))
    where = low > 1e-200
    np.testing.assert_allclose(found.response[where], ((high - low) / 2)[where], rtol=2e-2)
    np.testing.assert_allclose(found.background, rice_rate(theta, sd=LEVELS, time_constants=times))
    fine = np.linspace(0.3, 0.8, 501)
    assert crossing_response(fine, threshold=theta, amplitude=a, time_constants=times).best == pytest.approx(
        0.5, abs=1e-3
    )


def test_bad_input():
    with pytest.raises(ValueError, match="noise holds 0"):
        threshold_information([0.0, 1.0], threshold=1.0)
    with pytest.raises(ValueError, match="inputs"):
        threshold_information(1.0, threshold=1.0, inputs=(1, 0))
    with pytest.raises(ValueError, match="prior = 1"):
        threshold_information(1.0, threshold=1.0, prior=1.0)
    with pytest.raises(ValueError, match="interval = 0"):
        sampled_threshold_response(1.0, threshold=1.0, amplitude=0.1, interval=0)
    with pytest.raises(ValueError, match=r"time_constants\[1\] = 0"):
        rice_rate(1.0, sd=1.0, time_constants=(1.0, 0.0))
    with pytest.raises(ValueError, match="sd holds -1"):
        rice_rate(1.0, sd=-1.0, time_constants=(1.0, 1.0))
    with pytest.raises(ValueError, match="threshold = 0"):
        crossing_response(1.0, threshold=0.0, amplitude=0.1, time_constants=(1.0, 1.0))
