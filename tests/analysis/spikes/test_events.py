import numpy as np
import pytest

from neurodyn.analysis import peth


def locked(seed, locking=True, events=40):
    """One train: background of 10 Hz, and three spikes 20 to 30 ms after each event if locked."""
    rng = np.random.default_rng(seed)
    at = 500 + 400.0 * np.arange(events)
    times = rng.uniform(0, at[-1] + 500, int((at[-1] + 500) * 0.010))
    if locking:
        times = np.append(times, (at + rng.uniform(20, 30, (3, events))).ravel())
    return np.sort(times), at


def test_histogram_equals_a_direct_count():
    times, at = locked(1)
    result = peth(times, at, window=(-100, 200), bin=10)
    counts = np.stack([np.histogram(times - e, bins=np.arange(-100, 201, 10))[0] for e in at])
    assert np.array_equal(result.counts, counts)
    assert np.allclose(result.mean, counts.mean(axis=0) * 100)
    assert np.allclose(result.sem, counts.std(axis=0, ddof=1) / np.sqrt(len(at)) * 100)
    assert np.allclose(result.time, np.arange(-95, 200, 10))


def test_locking_is_found_where_it_is():
    times, at = locked(2)
    result = peth(times, at, window=(-100, 200), bin=10)
    k = int(result.mean.argmax())
    assert result.time[k] == 25 and result.mean[k] == pytest.approx(310, rel=0.1)
    assert result.mean[k] > result.null_high[k]
    assert result.test.p == pytest.approx(1 / 201)


@pytest.mark.parametrize("options", [{}, {"null": "jitter", "jitter": 150.0}])
def test_level_of_the_test_without_locking(options):
    p = [peth(*locked(s, False, 12), window=(-100, 200), bin=20, samples=39, **options).test.p for s in range(200)]
    # Nominal 0.05 of 200: mean 10, standard deviation 3.1; 24 is 4.5 above.
    assert sum(value <= 0.05 for value in p) <= 24
    assert 0.35 < np.mean(p) < 0.65


def test_rotation_keeps_the_mean_rate_of_the_window():
    times, at = locked(3)
    result = peth(times, at, window=(-100, 200), bin=10, samples=2000)
    assert np.allclose(result.null_mean, result.mean.mean(), rtol=0.05)
    assert (result.null_low <= result.null_mean).all() and (result.null_mean <= result.null_high).all()


def test_units_apart_and_pooled():
    times, at = locked(4)
    ids = np.random.default_rng(0).integers(0, 3, times.size)
    apart = peth(times, at, window=(0, 100), bin=5, ids=ids, n=5)
    pooled = peth(times, at, window=(0, 100), bin=5, n=5)
    assert apart.mean.shape == (20, 5) and apart.counts.shape == (40, 20, 5)
    assert np.allclose(apart.mean.mean(axis=1), pooled.mean)
    assert np.array_equal(apart.counts[:, :, 1], peth(times[ids == 1], at, window=(0, 100), bin=5).counts)
    assert apart.test.p.shape == (5,)
    assert not apart.mean[:, 3:].any() and np.all(apart.test.p[3:] == 1)


def test_jitter_finer_than_the_response_sees_no_locking_it_does_not_break():
    rng = np.random.default_rng(8)
    at = 500 + 400.0 * np.arange(200)
    slow = np.sort((at[:, None] + rng.uniform(0, 200, (200, 4))).ravel())
    coarse = peth(slow, at, window=(-100, 300), bin=20, null="jitter", jitter=150)
    fine = peth(slow, at, window=(40, 160), bin=20, null="jitter", jitter=10)
    assert coarse.test.p == pytest.approx(1 / 201)
    assert fine.test.p > 0.05


def test_an_edge_spike_belongs_to_the_bin_that_starts_there():
    at = np.array([0.1 + 0.2])
    assert np.array_equal(peth([0.3 + 0.3], at, window=(0.0, 0.6), bin=0.3).counts, [[0, 1]])


def test_one_event_has_no_standard_error_and_silence_is_no_error():
    assert np.isnan(peth([5.0], [0.0], window=(0, 10), bin=5).sem).all()
    silent = peth([], [0.0, 10.0], window=(0, 10), bin=5)
    assert not silent.mean.any() and silent.test.p == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": [0]}, "without n"),
        ({"null": "jitter"}, "give jitter"),
        ({"jitter": 5.0}, "give jitter"),
        ({"null": "rotat"}, "mean 'rotate'"),
        ({"span": (0, 9)}, "leave those events out"),
        ({"bin": 3.0}, "whole number of steps"),
        ({"window": (10, 0)}, "at least 1"),
    ],
)
def test_errors_say_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        peth([1.0], [5.0], **{"window": (0, 10), "bin": 5, **options})
    with pytest.raises(ValueError, match="no empty axis"):
        peth([1.0], [], window=(0, 10), bin=5)
