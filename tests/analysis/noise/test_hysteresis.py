"""Residence times of telegraph processes with known rates."""

from typing import Any

import numpy as np
import pytest

from neurodyn.analysis import residence_times

DT = 0.1


def telegraph(up, down, paths=20, samples=20000, seed=0):
    """0 and 1, left at the rates `up` and `down` (arrays over time, or numbers); exact at the times of samples if rates are constant."""
    rng = np.random.default_rng(seed)
    samples = max(samples, np.size(up))
    up, down = np.broadcast_to(up, samples), np.broadcast_to(down, samples)
    leave = 1 - np.exp(-(up + down) * DT)
    x = np.zeros((samples, paths), int)
    for k in range(1, samples):
        rate = np.where(x[k - 1], down[k], up[k]) / (up[k] + down[k])
        x[k] = x[k - 1] ^ (rng.random(paths) < rate * leave[k])
    return x.astype(float)


def measured(x, **options):
    given: dict[str, Any] = {"dt": DT, "low": 0.2, "high": 0.8}
    return residence_times(x, **given | options)


def test_by_hand():
    """Small steps between the thresholds are no switches."""
    x = np.repeat([0.5, 1.0, 0.3, 0.9, 0.0, 0.7, 0.1, 1.0, 0.0], [1, 9, 1, 20, 30, 2, 8, 50, 7])
    found = measured(x)
    np.testing.assert_allclose(found.times, [4.0, 5.0])
    np.testing.assert_array_equal(found.states, [0, 1])
    assert found.exits == (1, 2) and found.incomplete == 2
    np.testing.assert_allclose(found.watched, (4.7, 8.0))
    assert found.rates == pytest.approx((1 / 4.7, 2 / 8.0))
    assert found.mean == 4.5 and np.isnan(found.cv) and not found.null
    assert "no null" in str(found)


def test_rates_and_null_of_a_telegraph_process():
    found = measured(telegraph(0.05, 0.02))
    for rate, exact, exits in zip(found.rates, (0.05, 0.02), found.exits, strict=True):
        assert abs(rate - exact) < 4 * exact / np.sqrt(exits) + 0.1 * exact * exact
    low, high = (found.times[found.states == k] for k in (0, 1))
    assert low.mean() == pytest.approx(20, rel=0.1) and high.mean() == pytest.approx(50, rel=0.1)
    # Exponential with two rates: variance is the mean of 2 / r^2, less the square of the mean 35.
    assert found.cv == pytest.approx(np.sqrt(20**2 + 50**2 - 35**2) / 35, rel=0.1)
    assert found.null["cv"].p > 0.05 and found.peaks.size == 0
    assert "escape rates" in str(found) and "null" in str(found)


def test_rates_are_unbiased_in_short_records_and_means_are_not():
    found = measured(telegraph(0.05, 0.05, paths=2000, samples=400))
    assert found.mean < 15
    assert found.rates == pytest.approx((0.05, 0.05), rel=0.06)


def test_peaks_under_a_drive():
    """Rates modulated in opposite phase: residences near odd multiples of half the period T = 40."""
    t = DT * np.arange(30000)
    turn = np.exp(2.5 * np.cos(2 * np.pi * t / 40))
    found = measured(telegraph(0.02 * turn, 0.02 / turn, paths=10), frequency=1 / 40)
    assert found.null["peak 1"].p < 0.01 and found.null["cv"].p < 0.02
    p = found.peaks
    assert p[0] > found.null["peak 1"].high > p[1] and p.sum() > 0.7
    inside = np.abs(found.times / 40 - 0.5) < 0.25
    assert p[0] == inside.mean()
    control = measured(telegraph(0.05, 0.05, paths=10), frequency=1 / 40)
    exact = np.exp(-0.05 * 10) - np.exp(-0.05 * 30)
    assert control.peaks[0] == pytest.approx(exact, abs=0.05) and control.null["peak 1"].p > 0.02
    assert 0.3 < control.peaks.sum() < 0.7


def test_dead_time_of_the_null():
    """Residences that can't be shorter than 10 are more regular than exponential ones, but not than those above a dead time."""
    rng = np.random.default_rng(1)
    lengths = 100 + rng.exponential(200, 400).astype(int)
    x = np.repeat(np.arange(400) % 2, lengths)
    found = measured(x)
    assert found.dead_time == pytest.approx((10, 10), abs=0.5) and found.null["cv"].p > 0.05
    assert measured(x, dead_time=0).null["cv"].p < 0.02
    with pytest.raises(ValueError, match="dead_time = 50"):
        measured(x, dead_time=50)


def test_sampled_too_coarsely_is_refused():
    """The criterion: 10 samples in a mean residence; the mean is then too long by a tenth."""
    x = telegraph(0.5, 0.5, paths=50, samples=5000)
    fine = measured(x)
    np.testing.assert_allclose(fine.rates, 0.5 * (1 - 0.5 * DT), rtol=0.03)
    with pytest.raises(ValueError, match="sample more finely"):
        measured(x[::5], dt=0.5)


def test_paths_without_switches_count():
    x = np.zeros((1000, 3))
    x[500:, 0] = 1
    found = measured(x)
    assert found.exits == (1, 0) and found.watched == pytest.approx((250, 50))
    assert found.rates == pytest.approx((1 / 250, 0)) and np.isnan(found.mean) and np.isnan(found.cv)
    assert measured(x, discard=20).watched == pytest.approx((190, 50))


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"low": 0.8}, "low below high"),
        ({"low": -3, "high": 3}, "no path reaches"),
        ({"width": 0.3}, "at most 0.25"),
        ({"dt": 0}, "dt = 0"),
        ({"frequency": -1}, "frequency = -1"),
        ({"x": np.ones(100)}, "never varies"),
        ({"x": [0.0, np.nan, 1.0]}, "NaN"),
    ],
)
def test_bad_input(changes, match):
    x = changes.pop("x", telegraph(0.05, 0.05, paths=1, samples=2000))
    with pytest.raises(ValueError, match=match):
        measured(x, **changes)
