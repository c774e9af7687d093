"""Events with known intervals: Poisson, gamma, inverse Gaussian, geometric, and intervals that remember each other."""

import numpy as np
import pytest

from neurodyn.analysis import event_regularity

RNG = np.random.default_rng


def trains(draw, count=40, intervals=500, seed=0):
    rng = RNG(seed)
    return [np.cumsum(draw(rng, intervals)) for _ in range(count)]


@pytest.mark.parametrize(
    "draw, mean, cv",
    [
        (lambda rng, n: rng.exponential(8, n), 8, 1),
        (lambda rng, n: rng.gamma(4, 2, n), 8, 0.5),
        # Drift v and diffusion D from 0 to a threshold b: inverse Gaussian, mean b / v, CV^2 = 2 D / (b v).
        (lambda rng, n: rng.wald(1 / 0.2, 1 / (2 * 0.02), n), 5, np.sqrt(2 * 0.02 / 0.2)),
        (lambda rng, n: rng.geometric(0.1, n).astype(float), 10, np.sqrt(0.9)),
    ],
)
def test_renewal_processes(draw, mean, cv):
    found = event_regularity(trains(draw))
    assert found.mean == pytest.approx(mean, rel=0.03) and found.rate == pytest.approx(1 / mean, rel=0.03)
    assert abs(found.cv - cv) < 4 * found.cv_error < 0.1 * cv
    assert np.mean(found.cvs) == pytest.approx(cv, rel=0.03)
    assert found.diffusion == pytest.approx(cv**2 / 2 / mean, rel=0.1)
    assert found.peclet == pytest.approx(2 / cv**2, rel=0.1)
    assert found.fano == pytest.approx(cv**2, rel=0.2)
    assert found.counted_diffusion == pytest.approx(found.diffusion, rel=0.2)
    assert found.renewal and found.poisson and found.renewal.p > 0.02
    assert found.poisson.p == pytest.approx(0.5, abs=0.49) if cv == 1 else found.poisson.p < 0.01
    assert "Peclet" in str(found) and "null" in str(found)


def test_drift_and_diffusion_are_those_of_the_phase():
    """A phase with drift v and diffusion D, an event at each whole cycle: D_eff = D, Pe = v / D; the inverse Gaussian again."""
    v, d = 0.25, 0.01
    found = event_regularity(trains(lambda rng, n: rng.wald(1 / v, 1 / (2 * d), n)))
    assert found.diffusion == pytest.approx(d, rel=0.05) and found.peclet == pytest.approx(v / d, rel=0.05)


def test_memory_of_intervals_shows_in_counts():
    """Long after short: the jittered clock, whose counts hardly vary."""
    rng = RNG(1)
    found = event_regularity([np.arange(1000) * 10 + rng.uniform(-4, 4, 1000) for _ in range(5)])
    # Differences of two uniform numbers: variance 2 * 64 / 12.
    assert found.cv == pytest.approx(np.sqrt(64 / 6) / 10, rel=0.03)
    assert found.renewal and found.fano < 0.2 * found.cv**2 and found.renewal.p < 0.02
    assert found.counted_diffusion < 0.2 * found.diffusion


def test_cv_error_is_right():
    many = [event_regularity(trains(lambda rng, n: rng.gamma(4, 2, n), 20, 50, seed=k), samples=60) for k in range(40)]
    spread = np.std([each.cv for each in many])
    assert np.median([each.cv_error for each in many]) == pytest.approx(spread, rel=0.4)
    single = [
        event_regularity(trains(lambda rng, n: rng.gamma(4, 2, n), 1, 1000, seed=k)[0], samples=60) for k in range(40)
    ]
    spread = np.std([each.cv for each in single])
    assert np.median([each.cv_error for each in single]) == pytest.approx(spread, rel=0.4)


def test_too_little_is_nan_and_says_so():
    found = event_regularity([[1.0, 2.0, 4.0], [], [3.0]])
    assert found.mean == 1.5 and len(found.intervals) == 3
    assert all(np.isnan(v) for v in (found.cv, found.fano, found.diffusion, found.peclet, found.cv_error))
    assert found.poisson is None and found.renewal is None and "nan" in str(found)
    none = event_regularity([[], [5.0]])
    assert np.isnan(none.mean) and np.isnan(none.window) and none.pooled.size == 0


def test_a_clock_is_perfect():
    found = event_regularity(np.arange(100) * 2.0, window=7.0)
    assert found.cv == 0 and found.peclet == np.inf and found.window == 7
    assert found.poisson and found.poisson.p < 0.01


@pytest.mark.parametrize(
    "times, match",
    [
        ([], "no train"),
        ([[1.0, 3.0, 2.0]], r"times\[0\]\[2\] = 2"),
        ([3.0, 1.0], "must not decrease"),
        ([[1.0, np.nan]], "NaN"),
        ([[1.0, 1.0, 2.0]], "same time"),
    ],
)
def test_bad_times(times, match):
    with pytest.raises(ValueError, match=match):
        event_regularity(times)


def test_bad_window():
    with pytest.raises(ValueError, match="window = 0"):
        event_regularity([1.0, 2.0], window=0)
