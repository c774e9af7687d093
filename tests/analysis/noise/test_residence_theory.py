"""Residence times of two states under a periodic force, against simulated telegraph signals."""

import numpy as np
import pytest

from neurodyn.analysis import TwoState


def quartic(x):
    return x**4 / 4 - x**2 / 2


def test_without_a_force_they_are_exponential():
    found = TwoState(0.1, 0.02).residence_times(0.0, 0.1)
    np.testing.assert_allclose(found.density, 0.02 * np.exp(-0.02 * found.times), rtol=1e-9)
    assert found.mean == pytest.approx(50)
    half = found.period / 4
    assert found.peak_area(1) == pytest.approx(np.exp(-0.02 * half) - np.exp(-0.02 * 3 * half), rel=1e-4)
    assert np.isnan(found.peak_area(9))
    with pytest.raises(ValueError, match="width = 0.6"):
        found.peak_area(1, width=0.6)
    assert "mean 50" in str(found)


def test_against_simulated_telegraph_signals():
    r, m, w, paths, steps, periods = 0.04, 0.9, 0.1, 600, 400, 14
    found = TwoState(0.1, r).residence_times(m * 0.1, w)
    assert found.modulation == pytest.approx(m)
    assert found.density.sum() * found.times[1] == pytest.approx(1, abs=0.01)
    assert (found.times * found.density).sum() * found.times[1] == pytest.approx(found.mean, rel=0.01)
    rng, dt = np.random.default_rng(1), 2 * np.pi / w / steps
    state, since, times = np.ones(paths), np.full(paths, np.nan), []
    for k in range(periods * steps):
        hazard = r * np.exp(-state * m * np.cos(w * (k + 0.5) * dt))
        jump = rng.random(paths) < -np.expm1(-hazard * dt)
        # Only stays begun in a window that leaves all but a few time to end, or long ones would be missing.
        ended = jump & (since > 4 * steps) & (since <= 9 * steps)
        times.append(k - since[ended])
        since[jump], state[jump] = k, -state[jump]
    times = np.concatenate(times) * dt / found.period
    assert len(times) > 5000
    for n in (1, 2, 3):
        area = found.peak_area(n)
        counted = (np.abs(times - (n - 0.5)) < 0.25).mean()
        # Stays of a path are nearly independent; the step rounds their ends.
        assert abs(counted - area) < 4 * np.sqrt(area * (1 - area) / len(times)) + 0.003
    assert abs(times.mean() * found.period - found.mean) < 4 * times.std() * found.period / np.sqrt(len(times)) + dt


def test_the_first_peak_is_largest_where_switching_matches_half_a_period():
    levels = np.linspace(0.08, 0.18, 11)
    for w in (0.05, 0.1):
        pairs = [TwoState.of_potential(quartic, noise=d) for d in levels]
        areas = [pair.residence_times(0.05, w, longest=1.0).peak_area(1) for pair in pairs]
        best = pairs[int(np.argmax(areas))]
        assert 0 < np.argmax(areas) < len(levels) - 1
        assert 0.7 * w < best.matched_frequency < 1.4 * w
