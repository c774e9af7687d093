import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurodyn.analysis import firing_rates, instantaneous_rate, population_rate, sample_times


def spikes(seed=0, n=4, count=200, stop=1000.0):
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, stop, count)), rng.integers(0, n, count)


def test_mean_rates_count_spikes():
    assert np.allclose(firing_rates(np.array([0, 2, 2], dtype=np.uint64), 4, 500.0), [2, 0, 4, 0])
    assert np.array_equal(firing_rates([], 3, 10.0), np.zeros(3))


@pytest.mark.parametrize("kernel", ["exponential", "gaussian"])
def test_rate_is_the_sum_of_kernels_at_the_exact_spike_times(kernel):
    times, ids = spikes()
    tau, t = 20.0, sample_times(100.0, 900.0, 0.5)
    u = t[:, None] - times
    if kernel == "exponential":
        each = np.where(u >= 0, np.exp(-np.maximum(u, 0) / tau) / tau, 0.0)
    else:
        each = np.exp(-0.5 * (u / tau) ** 2) / (tau * np.sqrt(2 * np.pi))
    expected = 1000 * np.stack([each[:, ids == i].sum(axis=1) for i in range(4)], axis=1)
    rate = instantaneous_rate(times, ids, 4, start=100, stop=900, dt=0.5, kernel=kernel, tau=tau)
    # The Gaussian is cut at five standard deviations, where it is 4e-6 of its peak.
    assert np.allclose(rate, expected, rtol=1e-9, atol=1e-10 if kernel == "exponential" else 4e-6 * 1000 / tau)


@pytest.mark.parametrize("kernel", ["exponential", "gaussian"])
def test_one_spike_has_unit_area(kernel):
    rate = instantaneous_rate([500.0], [0], 1, stop=1000.0, dt=0.1, kernel=kernel, tau=10.0)
    assert rate.sum() * 0.1 / 1000 == pytest.approx(1, abs=0.006)  # first-order sum of a jump of 0.1/10


def test_trace_of_a_network_is_reproduced():
    """r <- r exp(-dt/tau) + 1/tau per spike, the trace at the end of step k, for spikes at k dt."""
    rng = np.random.default_rng(2)
    steps = rng.random((300, 3)) < 0.05
    k, ids = np.nonzero(steps)
    trace, r = [], np.zeros(3)
    for row in steps:
        r = r * np.exp(-0.1 / 30) + row * 1000 / 30
        trace.append(r)
    # 0.1 is not a binary fraction, so k * 0.1 and the grid agree only within rounding.
    assert np.allclose(instantaneous_rate(k * 0.1, ids, 3, stop=30.0, dt=0.1, tau=30), trace, rtol=1e-9)


@given(st.floats(0.05, 3), st.integers(1, 40), st.integers(0, 30), st.integers(0, 39))
def test_exponential_rate_is_causal_on_any_grid(dt, steps, count, row):
    row = min(row, steps - 1)
    times = np.sort(np.random.default_rng(count).uniform(-5, dt * steps, count))
    ids = np.arange(count) % 2
    past = times <= row * dt
    options = {"stop": dt * steps, "dt": dt, "tau": 7.0}
    full = instantaneous_rate(times, ids, 2, **options)
    early = instantaneous_rate(times[past], ids[past], 2, **options)
    assert full.shape == (steps, 2)
    assert np.array_equal(full[: row + 1], early[: row + 1])
    late = ~past & (times < (steps - 1) * dt)
    assert late.any() == (full[row + 1 :] > early[row + 1 :]).any()


def test_population_rate_is_the_histogram_per_unit():
    times, _ = spikes(3)
    expected = np.histogram(times, bins=np.arange(0, 1001, 10))[0] / (4 * 0.010)
    assert np.allclose(population_rate(times, 4, stop=1000, bin=10), expected)
    assert population_rate([10 * 0.1 * 3], 1, stop=4, bin=1).argmax() == 3
    assert np.array_equal(population_rate([], 5, stop=3), np.zeros(3))


def test_a_poisson_train_gives_its_rate_back():
    rng = np.random.default_rng(4)
    count = rng.poisson(20 * 100, 5)
    times = np.concatenate([rng.uniform(0, 100_000, c) for c in count])
    order = np.argsort(times)
    ids = np.repeat(np.arange(5), count)[order]
    rate = instantaneous_rate(times[order], ids, 5, stop=100_000, dt=5, tau=50)
    assert np.allclose(rate.mean(axis=0), count / 100, rtol=0.06)  # left-hand sum adds dt / 2 tau = 5 %


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: firing_rates([0, 3], 3, 10), "ids run from 0 to n - 1"),
        (lambda: firing_rates([-1], 3, 10), "holds -1"),
        (lambda: firing_rates([0], 3, 0), "duration_ms = 0"),
        (lambda: instantaneous_rate([2, 1], [0, 0], 1, stop=3), "sort them"),
        (lambda: instantaneous_rate([1, np.nan], [0, 0], 1, stop=3), "NaN"),
        (lambda: instantaneous_rate([1], [0, 0], 1, stop=3), "one id for each spike"),
        (lambda: instantaneous_rate([1], [0], 1, stop=3, dt=2), "whole number of steps"),
        (lambda: instantaneous_rate([1], [0], 1, stop=3, tau=-1), "tau = -1"),
        (lambda: instantaneous_rate([1], [0], 1, stop=3, kernel="gausian"), "mean 'gaussian'"),  # type: ignore
        (lambda: population_rate([[1.0]], 1, stop=3), "give \\(spike\\)"),
        (lambda: population_rate([1.0], 1, start=3, stop=3), "at least 1"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_text_is_refused_with_the_unit():
    with pytest.raises(TypeError, match="tau = '20 ms'.*number in ms"):
        instantaneous_rate([1], [0], 1, stop=3, tau="20 ms")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="whole numbers"):
        firing_rates([0.5], 3, 10)
