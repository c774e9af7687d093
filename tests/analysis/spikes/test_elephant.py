"""The same numbers as elephant's on the same trains."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neurodyn.analysis import (
    count_correlations,
    cross_correlation,
    firing_rates,
    instantaneous_rate,
    spike_spectrum,
    spike_statistics,
)

# It uses what NumPy and quantities have deprecated; nothing of ours may, elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore")

DURATION, BIN = 20_000.0, 2.0
RNG = np.random.default_rng(7)
TRAINS = [np.cumsum(RNG.gamma(k, 30 / k, 2000)) for k in (1, 2, 5)]
TRAINS = [train[train < DURATION] for train in TRAINS]
TRAINS.append(np.sort(np.concatenate((TRAINS[0][::2] + 6, TRAINS[2][::3]))))
TRAINS[-1] = TRAINS[-1][TRAINS[-1] < DURATION]


@pytest.fixture(scope="module")
def theirs() -> Any:
    pytest.importorskip("elephant")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import neo
        import quantities as pq
        from elephant import conversion, kernels, spectral, spike_train_correlation, statistics

        trains = [neo.SpikeTrain(train * pq.ms, t_stop=DURATION * pq.ms) for train in TRAINS]
        binned = conversion.BinnedSpikeTrain(trains, bin_size=BIN * pq.ms)
        each = [conversion.BinnedSpikeTrain(train, bin_size=BIN * pq.ms) for train in trains]
    return SimpleNamespace(
        statistics=statistics,
        correlation=spike_train_correlation,
        spectral=spectral,
        kernels=kernels,
        trains=trains,
        binned=binned,
        each=each,
        pq=pq,
    )


def test_rates_and_intervals(theirs: Any) -> None:
    found = spike_statistics(TRAINS, duration_ms=DURATION, refractory=5, samples=1)
    for unit, train in enumerate(theirs.trains):
        isi = theirs.statistics.isi(train)
        np.testing.assert_allclose(np.diff(TRAINS[unit]), isi.magnitude)
        rate = theirs.statistics.mean_firing_rate(train).rescale("Hz").magnitude
        assert found.rate[unit] == pytest.approx(float(rate))
        assert found.rate[unit] == pytest.approx(firing_rates([0] * len(train), 1, DURATION)[0])
        assert found.cv[unit] == pytest.approx(theirs.statistics.cv(isi.magnitude))
        assert found.cv2[unit] == pytest.approx(theirs.statistics.cv2(isi))
        assert found.lv[unit] == pytest.approx(theirs.statistics.lv(isi))
        assert found.lvr[unit] == pytest.approx(theirs.statistics.lvr(isi, R=5 * theirs.pq.ms))


def test_fano_factor(theirs: Any) -> None:
    found = spike_statistics(TRAINS, duration_ms=DURATION, window=500, samples=1)
    for unit, train in enumerate(TRAINS):
        windows = [train[(train >= t) & (train < t + 500)] for t in np.arange(0, DURATION, 500)]
        assert found.fano[unit] == pytest.approx(theirs.statistics.fanofactor(windows))


def test_instantaneous_rate(theirs: Any) -> None:
    kernel = theirs.kernels.GaussianKernel(20 * theirs.pq.ms)
    other = theirs.statistics.instantaneous_rate(theirs.trains[1], 1 * theirs.pq.ms, kernel, cutoff=5.0)
    ours = instantaneous_rate(
        TRAINS[1], [0] * len(TRAINS[1]), 1, start=0, stop=DURATION, dt=1, kernel="gaussian", tau=20
    )
    # they put spikes on the grid, half a step late or early: the derivative of the rate times that
    inner = slice(200, -200)
    np.testing.assert_allclose(ours[inner, 0], other.rescale("Hz").magnitude[inner, 0], atol=0.03 * ours.max())


def test_correlation_of_counts(theirs: Any) -> None:
    found = count_correlations(TRAINS, duration_ms=DURATION, bin=BIN, samples=1)
    np.testing.assert_allclose(found.matrix, theirs.correlation.correlation_coefficient(theirs.binned), atol=1e-12)


def test_cross_correlation_histogram(theirs: Any) -> None:
    first, last = theirs.each[0], theirs.each[3]
    histogram, lags = theirs.correlation.cross_correlation_histogram(first, last, window=(-20, 20))
    found = cross_correlation(TRAINS[0], TRAINS[3], duration_ms=DURATION, bin=BIN, longest=40, samples=1)
    np.testing.assert_allclose(found.lag, lags * BIN)
    np.testing.assert_array_equal(found.counts, histogram.magnitude.ravel())
    assert found.lag[np.argmax(found.counts)] == 6


def test_spectrum(theirs: Any) -> None:
    found = spike_spectrum(TRAINS, duration_ms=DURATION, bin=BIN, segment=1000, samples=1)
    counts = theirs.binned.to_array() / BIN * 1000
    frequency, density = theirs.spectral.welch_psd(counts, len_segment=500, fs=1000 / BIN)
    np.testing.assert_allclose(found.frequency, frequency)
    np.testing.assert_allclose(found.units.T, density, rtol=1e-9)
