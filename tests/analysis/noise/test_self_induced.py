"""Hazard theory of self-induced resonance: the sheet's numbers, a Monte Carlo of the hazards, and the equations themselves."""

import numpy as np
import pytest

from neurodyn.analysis import self_induced_resonance

LEVELS = np.array([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4])


def test_predicted_numbers_of_the_sheet():
    found = self_induced_resonance(0.001, noise=LEVELS)
    np.testing.assert_allclose(found.mean, [3.10, 2.81, 2.56, 2.33, 2.09, 1.85, 1.60, 1.35], atol=0.01)
    np.testing.assert_allclose(found.cv, [0.031, 0.035, 0.044, 0.057, 0.072, 0.092, 0.117, 0.152], rtol=0.02)
    # Beside the sheet's simulations: means 4 to 7 % short, CVs up to 11 % small.
    simulated = np.array([3.22, 2.92, 2.67, 2.42, 2.19, 1.95, 1.71, 1.45])
    off = 1 - found.mean / simulated
    assert (off > 0.03).all() and (off < 0.07).all()
    spread = found.cv / [0.033, 0.038, 0.049, 0.060, 0.072, 0.096, 0.121, 0.162]
    assert (spread > 0.88).all() and (spread < 1.02).all()
    assert (np.diff(found.mean) < 0).all()
    assert "noise as sigma" in str(found) and str(found).count("\n") == 9


def test_against_a_monte_carlo_of_the_hazards():
    # Drift and jumps in small steps of time, with branches found by inverting y(x): no quadrature, no formula for roots in common.
    eps, s, a, dt, paths, bins = 0.001, 0.3, 1.05, 1e-3, 1500, 20000
    y_of = np.linspace(-2 / 3, 2 / 3, bins)

    def branch(low, high):
        x = np.linspace(low, high, 200001)
        y = x - x**3 / 3
        return np.interp(y_of, *((y, x) if y[0] < y[-1] else (y[::-1], x[::-1])))

    wells, top = (branch(-2, -1), branch(1, 2)), branch(-1, 1)

    def hazard(x):
        low, high = (-(r**2) / 2 + r**4 / 12 + r * y_of for r in (x, top))
        return np.sqrt(np.abs((x**2 - 1) * (top**2 - 1))) / (2 * np.pi * eps) * np.exp(-2 * (high - low) / s**2)

    drift = np.concatenate(wells) + a
    chance = -np.expm1(-dt * np.concatenate([hazard(x) for x in wells]))
    rng = np.random.default_rng(2)
    y, right = np.full(paths, -0.4), np.zeros(paths, dtype=np.int64)
    spikes, intervals, last = np.zeros(paths), [], np.zeros(paths)
    for k in range(int(20 / dt)):
        place = bins * right + np.rint((y + 2 / 3) * (bins - 1) * 0.75).astype(np.int64)
        jump = (rng.random(paths) < chance[place]) | ((right == 1) & (y > 0.666))  # the knee
        y = np.clip(y + dt * drift[place], -2 / 3, 2 / 3)
        started = jump & (right == 0)
        if started.any():
            # As many rounds of each path: a window of time would favour short ones.
            intervals.append(k * dt - last[started & (spikes >= 2) & (spikes < 7)])
            last[started] = k * dt
            spikes += started
        right ^= jump
    assert spikes.min() >= 7
    intervals = np.concatenate(intervals)
    found = self_induced_resonance(eps, noise=s)
    n = len(intervals)
    # Half a step is lost at each of the two jumps of a round.
    assert abs(intervals.mean() - found.mean[0]) < 4 * intervals.std() / np.sqrt(n) + 2 * dt
    assert intervals.std() / intervals.mean() == pytest.approx(found.cv[0], rel=4 / np.sqrt(2 * n))


def test_far_from_the_bifurcation_it_waits_at_rest():
    # Escape from the state of rest at the constant rate of its barrier: exponential, CV near 1.
    eps, a, s = 0.001, 1.3, 0.09
    found = self_induced_resonance(eps, noise=s, a=a)
    y = -a + a**3 / 3
    top = np.sort(np.roots([1, 0, -3, 3 * y]).real)[1]
    height = (-(top**2) / 2 + top**4 / 12 + top * y) - (-(a**2) / 2 + a**4 / 12 - a * y)
    wait = 2 * np.pi * eps / np.sqrt((a**2 - 1) * (1 - top**2)) * np.exp(2 * height / s**2)
    assert wait > 100
    assert found.mean[0] == pytest.approx(wait, rel=0.05) and 0.9 < found.cv[0] < 1


def test_bad_input():
    with pytest.raises(ValueError, match="epsilon = 0.5"):
        self_induced_resonance(0.5, noise=0.1)
    with pytest.raises(ValueError, match="a = 0.9"):
        self_induced_resonance(0.001, noise=0.1, a=0.9)
    with pytest.raises(ValueError, match="noise holds 0"):
        self_induced_resonance(0.001, noise=[0.1, 0.0])
    with pytest.raises(ValueError, match="too weak"):
        self_induced_resonance(0.001, noise=0.005, a=1.5)


@pytest.mark.slow
def test_against_the_equations():
    eps, s, a = 0.001, 0.2, 1.05
    dt, paths = eps / 20, 300
    rng = np.random.default_rng(3)
    x, y = np.full(paths, -1.05), np.full(paths, -0.66)
    armed, last, intervals = np.ones(paths, dtype=bool), np.full(paths, np.nan), []
    for k in range(int(15 / dt)):
        kick = s * np.sqrt(dt / eps) * rng.standard_normal(paths)
        x, y = x + dt / eps * (x - x**3 / 3 - y) + kick, y + dt * (x + a)
        spike = armed & (x > 1)
        if spike.any():
            intervals.append(k * dt - last[spike & (last > 2)])
            last[spike] = k * dt
        armed = (armed & ~spike) | (x < -0.5)
    intervals = np.concatenate(intervals)
    assert len(intervals) > 1000
    found = self_induced_resonance(eps, noise=s)
    assert found.mean[0] == pytest.approx(intervals.mean(), rel=0.1)
    assert found.cv[0] == pytest.approx(intervals.std() / intervals.mean(), rel=0.15)
