import numpy as np
import pytest

from neurodyn.analysis import spike_field_coherence, spike_spectrum


def poisson(units, duration=40_000.0, spikes=400, seed=0):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0, duration, spikes)) for _ in range(units)]


def locked(units=10, seed=0):
    """Half of the spikes in the first 10 ms of periods of 50 ms."""
    rng = np.random.default_rng(seed)
    moved = [np.where(rng.random(400) < 0.5, np.floor(t / 50) * 50 + 10 * rng.random(400), t) for t in poisson(units)]
    return [np.sort(train) for train in moved]


def test_poisson_trains_are_flat_at_twice_their_rate():
    found = spike_spectrum(poisson(30), duration_ms=40_000, samples=3)
    inner = slice(3, -1)
    assert found.units[inner].mean() == pytest.approx(20, rel=0.02)
    assert found.population[inner].mean() == pytest.approx(20 / 30, rel=0.05)
    np.testing.assert_allclose(found.poisson, 20)
    assert found.frequency[1] == 1 and found.frequency[-1] == 500 and found.segments == 79
    assert found.conventions.sided == "one"


def test_its_area_is_the_variance_of_the_counts():
    (train,) = poisson(1, spikes=4000)
    found = spike_spectrum([train], duration_ms=40_000, samples=1)
    counts = np.bincount(train.astype(int), minlength=40_000) * 1000.0
    assert found.units[:, 0].sum() * found.frequency[1] == pytest.approx(counts.var(), rel=0.03)


def test_a_gamma_process_is_quiet_at_low_frequencies():
    # S(0) = 2 rate CV^2, S(large f) = 2 rate
    rng = np.random.default_rng(0)
    trains = [np.cumsum(rng.gamma(4, 5, 2500)) for _ in range(20)]
    found = spike_spectrum([t[t < 40_000] for t in trains], duration_ms=40_000, samples=1)
    relative = (found.units / found.poisson).mean(axis=1)
    assert relative[2:6].mean() == pytest.approx(0.25, abs=0.03)
    assert relative[300:450].mean() == pytest.approx(1, abs=0.02)


def test_a_shared_rhythm_is_found_and_a_private_one_is_not():
    common = spike_spectrum(locked(), duration_ms=40_000, samples=19)
    assert common.peak == 20 and common.test.p <= 0.05 and "at 20 Hz" in str(common)
    rng = np.random.default_rng(5)
    private = [np.sort((train + rng.uniform(0, 40_000)) % 40_000) for train in locked()]
    assert spike_spectrum(private, duration_ms=40_000, samples=19).test.p > 0.05


def test_coherence_with_the_signal_that_drives():
    rng = np.random.default_rng(0)
    field = np.sin(2 * np.pi * 0.02 * np.arange(40_000)) + rng.normal(size=40_000)
    found = spike_field_coherence(locked()[0], field, dt=1, samples=19)
    assert found.frequency[np.argmax(found.coherence)] == 20 and found.test.p <= 0.05 and "at 20 Hz" in str(found)
    assert found.coherence[100:400].mean() == pytest.approx(1 / 75, rel=0.3)  # half overlapping Hann: 79 count as 75
    short = [poisson(1, 8000, 80, seed=s)[0] for s in range(1, 11)]
    p = [spike_field_coherence(train, field[:8000], dt=1, samples=19).test.p for train in short]
    assert sum(each <= 0.05 for each in p) <= 3  # of 10, 0.5 expected: more than 3 in 0.1 %


def test_bad_input():
    with pytest.raises(ValueError, match="no spikes"):
        spike_spectrum([[], []], duration_ms=4000)
    with pytest.raises(ValueError, match="segment = 3000 ms: from 8 ms"):
        spike_spectrum(poisson(1, 4000), duration_ms=4000, segment=3000)
    with pytest.raises(ValueError, match="field never varies"):
        spike_field_coherence([1.0], np.ones(100), dt=1)
    with pytest.raises(ValueError, match="outside 0 to duration_ms = 4000"):
        spike_field_coherence([1.0, 4100.0], np.arange(4000.0), dt=1)
