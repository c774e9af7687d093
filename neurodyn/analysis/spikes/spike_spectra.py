"""Rhythms of spike trains: power spectra of units and population, and their coherence with a signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats, number, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest
from ._spike_trains import Trains, bin_of, gathered, reordered, rotated


@dataclass(frozen=True, eq=False)
class SpikeSpectrum(Result, figure="spike_spectrum"):
    """Power spectra of spike trains, one-sided; ``print`` shows the largest peak of the population beside the null.

    Attributes
    ----------
    frequency : array, shape (frequency), Hz
        From 0 (of no meaning: means are subtracted) to half of 1 / bin.
    units : array, shape (frequency, unit), spikes^2 / s
        Of single trains; twice the rate for Poisson trains, at all frequencies.
    population : array, shape (frequency), spikes^2 / s
        Of the mean train over units; twice the mean rate over the number of units, for independent Poisson trains.
    poisson : array, shape (unit), spikes^2 / s
        Twice the rates.
    null_mean, null_low, null_high : array, shape (frequency), spikes^2 / s
        Mean, 5th and 95th percentile of the population's spectrum once units are rotated in time: what is above is common to units.
    test : NullTest of a number, greater
        Largest ratio of the population's spectrum to the mean null, over the frequencies above 0; one p-value for all of them.
    segments : int
        That were averaged. They overlap by half.
    bin : float, ms
    conventions : Conventions
        One-sided, per cycle per second.
    """

    frequency: FloatArray
    units: FloatArray
    population: FloatArray
    poisson: FloatArray
    null_mean: FloatArray
    null_low: FloatArray
    null_high: FloatArray
    test: NullTest[float]
    segments: int
    bin: float
    conventions: Conventions = Conventions(sided="one", frequency="cycles", time="s")

    @property
    def peak(self) -> float:
        """Frequency in Hz at which the population's spectrum is farthest above the null."""
        return float(self.frequency[1:][np.argmax(self.population[1:] / self.null_mean[1:])])

    def __str__(self) -> str:
        return (
            f"spectra of {self.units.shape[1]} spike trains, {self.segments} segments, {self.frequency[1]:g} to "
            f"{self.frequency[-1]:g} Hz, one-sided\n"
            f"  population: largest at {self.peak:g} Hz; times the spectrum of units rotated in time {self.test}"
        )


@dataclass(frozen=True, eq=False)
class SpikeFieldCoherence(Result, figure="spike_field_coherence"):
    """Coherence of a spike train with a signal; ``print`` shows the largest beside the null.

    Attributes
    ----------
    frequency : array, shape (frequency), Hz
    coherence : array, shape (frequency)
        Squared magnitude, 0 to 1; about 1 / segments by chance.
    null_low, null_high : array, shape (frequency)
        5th and 95th percentile with the train's intervals in random order, from a random start: rotated alone, it would stay
        locked to a signal that is periodic.
    test : NullTest of a number, greater
        Largest coherence above frequency 0; one p-value for all frequencies.
    segments : int
    """

    frequency: FloatArray
    coherence: FloatArray
    null_low: FloatArray
    null_high: FloatArray
    test: NullTest[float]
    segments: int

    def __str__(self) -> str:
        peak = self.frequency[1:][np.argmax(self.coherence[1:])]
        return f"spike-field coherence, {self.segments} segments: largest at {peak:g} Hz, {self.test}"


def spike_spectrum(
    spikes: Any,
    ids: ArrayLike | None = None,
    n: int | None = None,
    *,
    duration_ms: float | None = None,
    bin: float = 1.0,
    segment: float = 1000.0,
    samples: int = 100,
    seed: int = 0,
) -> SpikeSpectrum:
    """Power spectra of spike trains and of their mean (Welch), with units rotated in time as the null.

    Trains are counted in bins and divided by the bin, so that they are rates in spikes / s; segments are tapered by a
    Hann window after their mean is taken off, and overlap by half (``scipy.signal.welch``, ``scaling="density"``).

    Parameters
    ----------
    spikes, ids, n, duration_ms
        As for :func:`spike_statistics`.
    bin : float, ms
        Highest frequency 500 / bin Hz. Power is lowered by sinc(f bin)^2: to 0.81 at half of the highest frequency.
    segment : float, ms
        Length of the segments: frequencies are 1000 / segment Hz apart. At most half of the recording.
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    SpikeSpectrum

    Raises
    ------
    ValueError
        As :func:`spike_statistics`, no spikes at all, and a segment of fewer than 8 bins or above half of the recording.

    Notes
    -----
    An estimate from few segments scatters by 1 / sqrt(segments). Slow drifts leak into the lowest frequencies: don't trust
    the first one or two. A segment shorter than the rhythm's memory widens its peak.

    References
    ----------
    Welch 1967, IEEE Trans Audio 15:70. Gabbiani & Koch 1998 in Methods in Neuronal Modeling (spectra of point processes).
    """
    given = gathered(spikes, ids, n, duration_ms)
    if not given.counts.any():
        raise ValueError("there are no spikes: a spectrum is not defined")
    per_segment, segments = _segments(given, bin, segment)
    counts = given.binned(bin)
    frequency, units = _welch(counts, bin, per_segment)
    population = _welch(counts.mean(axis=1), bin, per_segment)[1]
    whole_bins = replace(given, duration_ms=len(counts) * bin)
    rng = np.random.default_rng(seed)
    drawn = np.empty((whole(samples, "samples"), len(frequency)))
    for k in range(len(drawn)):
        where = bin_of(rotated(whole_bins, rng).times, bin)
        moved = np.bincount(where, minlength=len(counts))[: len(counts)] / len(given)
        drawn[k] = _welch(moved, bin, per_segment)[1]
    # Under the null data and surrogates are exchangeable, and stay so beside a mean taken of both.
    mean = (population + drawn.sum(axis=0)) / (1 + len(drawn))
    test = NullTest(float((population[1:] / mean[1:]).max()), (drawn[:, 1:] / mean[1:]).max(axis=1))
    low, high = np.percentile(drawn, [5, 95], axis=0)
    poisson = 2000.0 * given.counts / given.duration_ms
    return SpikeSpectrum(
        frequency, units, population, poisson, drawn.mean(axis=0), low, high, test, segments, float(bin)
    )


def spike_field_coherence(
    train: ArrayLike,
    field: ArrayLike,
    *,
    dt: float,
    segment: float = 1000.0,
    samples: int = 200,
    seed: int = 0,
) -> SpikeFieldCoherence:
    """Coherence of a spike train with a signal sampled at the same time, with intervals in random order as the null.

    ``C(f) = |S_xy|^2 / (S_xx S_yy)``, with spectra averaged over segments (Hann, half overlapping; ``scipy.signal.coherence``).

    Parameters
    ----------
    train : array, shape (spike), ms, in order
        Within the samples of the field.
    field : array, shape (time)
        Sample k stands for [k dt, (k+1) dt): a membrane potential, or a field.
    dt : float, ms
        Time between samples; spikes are counted in bins of it.
    segment : float, ms
        As for :func:`spike_spectrum`.
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    SpikeFieldCoherence

    Raises
    ------
    ValueError
        A field that never varies, no spikes, times outside the field, numbers out of range.

    Notes
    -----
    One segment always gives 1; below some ten segments coherence is mostly bias. It depends on the number of spikes:
    compare trains of like rates. A field that holds the cell's own spikes is coherent with them at high frequencies.
    """
    from scipy.signal import coherence

    signal = floats(field, "field", axes=("time",), shortest=16)
    if not np.ptp(signal):
        raise ValueError("field never varies: coherence with it is not defined")
    width = number(dt, "dt", low=0, strict=True)
    given = gathered([np.asarray(train)], None, None, len(signal) * width)
    if not given.counts.any():
        raise ValueError("train has no spikes: coherence is not defined")
    per_segment, segments = _segments(given, width, segment)
    counts = given.binned(width)[:, 0]

    def found(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        frequency, value = coherence(x, signal[: len(x)], 1000.0 / width, nperseg=per_segment)
        return np.asarray(frequency), np.asarray(value)

    rng = np.random.default_rng(seed)
    frequency, value = found(counts)
    drawn = np.stack(
        [found(rotated(reordered(given, rng), rng).binned(width)[:, 0])[1] for _ in range(whole(samples, "samples"))]
    )
    test = NullTest(float(value[1:].max()), drawn[:, 1:].max(axis=1))
    low, high = np.percentile(drawn, [5, 95], axis=0)
    return SpikeFieldCoherence(frequency, value, low, high, test, segments)


def _segments(given: Trains, bin: float, segment: float) -> tuple[int, int]:
    """Bins of a segment, and how many half overlapping segments there are."""
    bins = given.bins(bin)
    length = int(np.rint(number(segment, "segment", low=0, strict=True) / bin))
    if length < 8 or 2 * length > bins:
        raise ValueError(
            f"segment = {segment:g} ms: from {8 * bin:g} ms (8 bins) to half of the {bins * bin:g} ms recorded"
        )
    step = length - length // 2
    return length, (bins - length // 2) // step


def _welch(counts: FloatArray, bin: float, per_segment: int) -> tuple[FloatArray, FloatArray]:
    from scipy.signal import welch

    frequency, density = welch(counts * (1000.0 / bin), 1000.0 / bin, nperseg=per_segment, axis=0)
    return np.asarray(frequency), np.asarray(density)
