"""Locking of trains made to be locked, or not."""

import numpy as np
import pytest

from neurodyn.analysis import phase_locking

F = 0.1


def locked(n, m, jitter, count=5, events=300, seed=0):
    """n phases of events for m of the drive: an event every n / m periods."""
    rng = np.random.default_rng(seed)
    clock = np.arange(events) * n / m / F
    return [np.sort(clock + rng.normal(0, jitter, events) + 3) for _ in range(count)]


@pytest.mark.parametrize("n, m", [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_locked_trains(n, m):
    found = phase_locking(locked(n, m, 0.02), frequency=F, n=n, m=m)
    assert found.index > 0.99 and found.null.p < 0.01 and found.ratio == pytest.approx(m / n, rel=1e-3)
    other = phase_locking(locked(n, m, 0.02), frequency=F, n=n, m=m + 1)
    assert other.index < 0.1
    assert f"{n}:{m}" in str(found) and "null" in str(found)


def test_index_of_gaussian_jitter():
    """Phases s at events, linear between: the mean of exp(i d) over an interval, with d from one Gaussian to the next."""
    jitter = 1.0
    sigma, u = 2 * np.pi * F * jitter, np.linspace(0, 1, 1001)
    exact = np.exp(-(sigma**2) / 2 * ((1 - u) ** 2 + u**2)).mean()
    found = phase_locking(locked(1, 1, jitter, events=3000), frequency=F, samples=2)
    assert found.index == pytest.approx(exact, abs=0.02)
    top = np.argmax(found.density)
    edges = np.linspace(-np.pi, np.pi, 37)
    # The event of number 0 comes 3 after time 0: the drive is 0.6 pi ahead.
    assert edges[top] - 0.2 < -0.6 * np.pi < edges[top + 1] + 0.2
    assert found.density.sum() * (edges[1] - edges[0]) == pytest.approx(1)


def test_poisson_trains_are_not_locked_and_p_is_uniform():
    rng = np.random.default_rng(1)
    p = [
        phase_locking([np.cumsum(rng.exponential(10, 80)) for _ in range(3)], frequency=F, samples=39).null.p
        for _ in range(60)
    ]
    assert np.mean(np.array(p) <= 0.1) < 0.25 and abs(np.mean(p) - 0.5) < 0.16


def test_short_trains_have_no_index():
    found = phase_locking([*locked(1, 1, 0.02), np.arange(3.0)], frequency=F)
    assert np.isnan(found.indices[-1]) and found.index == np.nanmean(found.indices)
    with pytest.raises(ValueError, match="at least 11"):
        phase_locking([np.arange(3.0)], frequency=F)


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"frequency": 0}, "frequency = 0"),
        ({"n": 0}, "n = 0"),
        ({"m": -1}, "m = -1"),
        ({"times": [[2.0, 1.0]]}, "must not"),
    ],
)
def test_bad_input(changes, match):
    options = {"times": locked(1, 1, 0.1), "frequency": F} | changes
    with pytest.raises(ValueError, match=match):
        phase_locking(options.pop("times"), **options)
