import numpy as np
import pytest

from neurodyn.analysis import firing_rates, spike_statistics
from neurodyn.recording import Spikes


def gamma_trains(shape, units=20, duration=60_000.0, mean=40.0, seed=0):
    """Renewal trains with intervals of CV 1 / sqrt(shape)."""
    rng = np.random.default_rng(seed)
    trains = [np.cumsum(rng.gamma(shape, mean / shape, int(2 * duration / mean))) for _ in range(units)]
    return [train[train < duration] for train in trains]


@pytest.mark.parametrize("shape", [1, 4])
def test_renewal_trains_have_the_variation_of_their_intervals(shape):
    trains = gamma_trains(shape)
    found = spike_statistics(trains, duration_ms=60_000, window=2000, refractory=0, samples=39)
    # of a gamma process LV = 3 / (2 shape + 1) (Shinomoto et al. 2003), and Fano factor and CV^2 are 1 / shape
    for values, expected in ((found.cv, shape**-0.5), (found.lv, 3 / (2 * shape + 1)), (found.fano, 1 / shape)):
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - expected) < 4 * error + 0.03 * expected
    np.testing.assert_array_equal(found.lvr, found.lv)  # without a dead time
    assert found.renewal["cv2"].p > 0.02 and "cv" not in found.renewal
    assert (found.poisson["lv"].p > 0.05) == (shape == 1)
    assert found.poisson["fano"].low < 1 < found.poisson["fano"].high * 1.1
    np.testing.assert_allclose(found.rate, [len(train) / 60 for train in trains])


def test_cv2_of_a_poisson_process_is_one():
    found = spike_statistics(gamma_trains(1), duration_ms=60_000, samples=1)
    assert abs(found.cv2.mean() - 1) < 4 * found.cv2.std() / np.sqrt(20)


def test_a_clock_varies_not_at_all():
    found = spike_statistics([np.arange(2.0, 1000, 10)], duration_ms=1000, samples=19)
    for values in (found.cv, found.cv2, found.lv, found.lvr, found.fano):
        assert values[0] == pytest.approx(0, abs=1e-12)
    assert found.poisson["cv"].p == pytest.approx(0.1)


def test_a_drift_shows_in_the_order_of_the_intervals():
    rng = np.random.default_rng(1)
    trains = []
    for _ in range(20):
        t = np.sort(rng.uniform(0, 20_000, 800))
        trains.append(np.sqrt(t / 20_000) * 20_000)  # the rate grows linearly
    found = spike_statistics(trains, duration_ms=20_000, window=1000, samples=39)
    assert found.renewal["fano"].p <= 0.05 and found.renewal["fano"].observed > 2 * found.renewal["fano"].high
    assert found.fano.mean() > 3 > 1.2 > found.lv.mean()


def test_shuffled_intervals_are_the_same_intervals():
    from neurodyn.analysis.spikes._spike_trains import gathered, reordered, rotated

    given = gathered(gamma_trains(2, units=5, duration=2000), None, None, 2000)
    drawn = reordered(given, np.random.default_rng(0))
    for unit in range(5):
        before, after = given.train(unit), drawn.train(unit)
        assert after[0] == pytest.approx(before[0])
        np.testing.assert_allclose(np.sort(np.diff(after)), np.sort(np.diff(before)), atol=1e-9)
        assert not np.allclose(np.diff(after), np.diff(before))
        turned = rotated(given, np.random.default_rng(0)).train(unit)
        gaps = np.sort(np.append(np.diff(np.sort(turned)), 0.0))
        assert np.isin(np.round(np.diff(before), 6), np.round(gaps, 6)).mean() > 0.9


def test_the_three_forms_are_the_same():
    trains = gamma_trains(2, units=4, duration=3000)
    times, ids = np.concatenate(trains), np.repeat(np.arange(4), [len(t) for t in trains])
    order = np.argsort(times)
    recorded = Spikes(times[order], ids[order], "cells", 4, None, 3000.0)
    one = spike_statistics(trains, duration_ms=3000, samples=3)
    for other in (
        spike_statistics(recorded, samples=3),
        spike_statistics(times[order], ids[order], 4, duration_ms=3000, samples=3),
    ):
        np.testing.assert_array_equal(one.cv, other.cv)
        np.testing.assert_array_equal(one.fano, other.fano)
    np.testing.assert_allclose(one.rate, firing_rates(ids, 4, 3000))


def test_units_with_few_spikes_are_nan():
    found = spike_statistics([[], [1, 2, 5], np.arange(0.0, 100, 5)], duration_ms=1000, samples=2)
    assert np.isnan(found.cv).tolist() == np.isnan(found.fano).tolist() == [True, True, False]
    assert found.rate.tolist() == [0, 3, 20] and found.enough == 1
    nobody = spike_statistics([[], [1, 2]], duration_ms=1000)
    assert np.isnan(nobody.cv).all() and not nobody.poisson and "they are NaN" in str(nobody)


def test_print():
    text = str(spike_statistics(gamma_trains(4, units=5, duration=5000), duration_ms=5000, samples=9))
    assert "5 units over 5000 ms" in text and "Poisson (5-95 %)" in text
    (row,) = (line for line in text.splitlines() if line.strip().startswith("Fano"))
    assert len(row.split()) == 11  # two words, the median, and from, to, p twice, with two "to"


@pytest.mark.parametrize(
    ("spikes", "options", "message"),
    [
        ([[1.0, 5.0]], {}, "duration_ms is missing"),
        ([[5.0, 1.0]], {"duration_ms": 10}, r"spikes\[0\] must not decrease.*sort"),
        ([[1.0, 11.0]], {"duration_ms": 10}, "unit 0 has a spike at 11 ms, outside"),
        ([[1.0, np.nan]], {"duration_ms": 10}, "NaN"),
        ([[1.0, 5.0]], {"duration_ms": 150}, "window = 100 ms: the 150 ms recorded"),
        (np.ones((3, 2)), {"duration_ms": 10}, "a list with one array"),
        ([1.0, 2.0], {"duration_ms": 10}, "a list with one array"),
        ([1.0, 2.0], {"duration_ms": 10, "n": 2}, "both ids and n"),
        ([[1.0, 2.0]], {"duration_ms": 1000, "least": 2}, "least = 2"),
        (Spikes(np.array([1.0]), np.array([0]), "a", 1, None, 1e3), {"n": 2}, "leave them out"),
    ],
)
def test_bad_input(spikes, options, message):
    with pytest.raises(ValueError, match=message):
        spike_statistics(spikes, **options)
