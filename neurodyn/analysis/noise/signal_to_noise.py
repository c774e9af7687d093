"""Signal-to-noise ratio of a periodically driven output: the line in its spectrum over the noise floor around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .._checks import FloatArray, IntArray, choice, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest
from ._periodic import discarded, frequency_of, paths_of, step_of, whole_periods
from ._segments import densities

FEWEST_PERIODS = 8  # in a segment, so that there are neighbours on both sides
_USUAL_PERIODS = 32
_NULL_BINS = 40
_OFF_LINE = 0.01  # of a bin: a line so far off leaks 1e-4 of its power into the next bin
_LOBE = {"boxcar": 0, "hann": 1}  # bins that a line on a bin spreads to, on either side


@dataclass(frozen=True, eq=False)
class OutputSNR(Result, figure="output_snr"):
    """A spectral line over the floor of noise around it; ``print`` shows it with its null.

    Attributes
    ----------
    ratio : float
        Power of the line over the density of the noise, per unit of time (cycles): (r^2 / 2) / S_N, with r the amplitude of the
        response and S_N one-sided per cycle. Below 0 by chance where there is no line.
    error : float
        Standard error, from a bootstrap over paths (segments of a single path); NaN for a single segment.
    line, floor : float
        Power of the line, in squared units of x, and density of the noise at it, per cycle per unit of time.
    null : NullTest
        The ratio at up to 40 frequencies near the line, each over the floor there, as if the line were there.
    frequencies, density : array, shape (frequency)
        One-sided spectrum, mean over segments and paths.
    bins : array of int, shape (bin)
        Those of ``frequencies`` that tell the floor.
    frequency : float
        Of the line, in cycles per unit of time.
    segments : int
        Averaged, of all paths together.
    conventions : Conventions
    """

    ratio: float
    error: float
    line: float
    floor: float
    null: NullTest[float]
    frequencies: FloatArray
    density: FloatArray
    bins: IntArray
    frequency: float
    segments: int
    conventions: Conventions = field(default_factory=Conventions)

    @property
    def angular(self) -> float:
        """The ratio by the convention of Gammaitoni et al. 1998, pi r^2 / S_N in radians per unit of time: 4 pi times ``ratio``.

        Their S_N(omega) is two-sided, the integral of exp(-i omega t) C(t) dt, and thus half of ours; both lines at +-Omega are
        counted. With r^2 = 2 line: pi 2 line / (floor / 2) = 4 pi line / floor.
        """
        return 4 * np.pi * self.ratio

    @property
    def decibels(self) -> float:
        """10 log10 of the ratio, relative to 1 per unit of time; NaN where it isn't above 0."""
        return 10 * float(np.log10(self.ratio)) if self.ratio > 0 else np.nan

    def __str__(self) -> str:
        return (
            f"SNR {self.null} per {self.conventions.time}, standard error {self.error:.2g}; {self.decibels:.1f} dB, "
            f"by pi r^2 / S_N {self.angular:.4g} rad per {self.conventions.time}; line {self.line:.4g} at "
            f"{self.frequency:g}, floor {self.floor:.4g}; {self.segments} segments; {self.conventions}"
        )


def output_snr(
    x: Any,
    *,
    dt: float,
    frequency: float,
    periods: int | None = None,
    neighbours: int | None = None,
    window: Literal["boxcar", "hann"] = "boxcar",
    discard: float = 0.0,
    samples: int = 1000,
    seed: int = 0,
    time: str = "ms",
) -> OutputSNR:
    """Output signal-to-noise ratio at the frequency of a periodic drive, with a local noise floor.

    Parameters
    ----------
    x : array, shape (time, path) or (time)
        Independent paths; samples evenly spaced. Read segment by segment if it is left in a file.
    dt : float
        Time between samples, in any unit.
    frequency : float
        Of the drive, in cycles per that unit, below 1 / (2 dt).
    periods : int, optional
        Of the drive in a segment, at least 8; by default 32, or as many as there are. Fewer, down to two thirds, are taken where
        they are nearer to a whole number of samples, so that the line falls on a bin.
    neighbours : int, optional
        Bins on each side of the line that tell the floor; by default a quarter of ``periods``. At least 2.
    window : "boxcar" or "hann"
        A line on a bin stays there with "boxcar". Take "hann", which spreads it over three bins that are added up, where the
        spectrum falls by orders of magnitude within the segment's range: "boxcar" lets low frequencies leak.
    discard : float
        Time left out at the beginning.
    samples, seed : int
        Bootstrap.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For fewer than 8 periods, samples that alias the frequency, a period of which no whole number is near a whole number of
        samples, and values that are NaN or never vary.

    Notes
    -----
    Segments don't overlap. The floor is a power law S = a f^b through the neighbouring bins, least squares in logarithms, read at
    the line: a slope of the spectrum does no harm, as in a plain mean. The bias of
    logarithms of K periodograms is taken off, exactly for white segments. (The ratio, not the floor, comes out too high by about the
    squared relative error of the floor.) Ratio = sum over the bins of the line of (S - floor) df / floor.

    Not to be trusted where the spectrum bends strongly within the neighbours (another peak), below about ten segments as to the
    error, or for a ratio below a few times ``error``. ratio / df is the height of the line over the floor; it grows with the length
    of segments, ratio doesn't.

    References
    ----------
    McNamara & Wiesenfeld (1989) Phys Rev A 39:4854. Gammaitoni, Haenggi, Jung & Marchesoni (1998) Rev Mod Phys 70:223, section
    II (convention: :attr:`OutputSNR.angular`).
    """
    dt = step_of(dt)
    frequency = frequency_of(frequency, dt)
    choice(window, "window", tuple(_LOBE))
    paths = paths_of(x)
    skipped = discarded(discard, dt, paths.shape[0])
    available, _ = whole_periods(paths.shape[0] - skipped, dt, frequency, FEWEST_PERIODS)
    if periods is not None:
        whole(periods, "periods", low=FEWEST_PERIODS, high=available)
    cycles, length = _segment(periods or min(_USUAL_PERIODS, available), frequency * dt)
    near = cycles // 4 if neighbours is None else whole(neighbours, "neighbours", low=2, high=cycles - 1)
    segments = (paths.shape[0] - skipped) // length * paths.shape[1]
    lines = _Lines(cycles, length, near, _LOBE[window], segments, 1 / (length * dt))
    bins = lines.around(cycles)
    if not bins.size:
        raise ValueError(
            f"{cycles} periods in segments of {length} samples leave fewer than 2 bins for the floor on a side of the line: give "
            "more periods, more neighbours, or sample more finely"
        )
    density = densities(paths, skipped, length, dt, window)  # (segment, path, bin)
    units = density.mean(axis=0) if density.shape[1] > 1 else density[:, 0]
    mean = units.mean(axis=0)
    if not mean[1:].any():
        raise ValueError("x never varies: there is nothing to measure")
    line, floor = lines.at(mean, cycles, bins)
    error = np.nan
    if len(units) > 1:
        weights = np.random.default_rng(seed).multinomial(
            len(units), np.full(len(units), 1 / len(units)), whole(samples, "samples", low=2)
        )
        drawn = lines.at(weights @ units / len(units), cycles, bins)
        error = float((drawn[0] / drawn[1]).std(ddof=1))
    return OutputSNR(
        float(line / floor),
        error,
        float(line),
        float(floor),
        NullTest(float(line / floor), lines.null(mean)),
        np.fft.rfftfreq(length, dt),
        mean,
        bins,
        frequency,
        segments,
        Conventions(sided="one", frequency="cycles", time=time),
    )


def _segment(wanted: int, turns: float) -> tuple[int, int]:
    """Periods and samples of a segment on a bin of which the line falls, of all up to the `wanted` number of periods."""
    tried = np.arange(wanted, max(FEWEST_PERIODS, int(np.ceil(2 * wanted / 3))) - 1, -1)
    lengths = np.rint(tried / turns).astype(int)
    off = np.abs(lengths * turns - tried)  # in bins
    best = int(np.argmin(np.round(off, 6)))  # the longest of equally good ones
    if off[best] > _OFF_LINE:
        raise ValueError(
            f"a period is {1 / turns:.6g} samples, and none of {tried[-1]} to {tried[0]} periods is near a whole number of "
            f"samples (the best is {off.min():.2g} bins off, at most {_OFF_LINE}): give a dt that divides the period, "
            "or more periods"
        )
    return int(tried[best]), int(lengths[best])


@dataclass(frozen=True)
class _Lines:
    """Power of a line and the floor under it, at any bin of spectra (..., bin) of segments with whole periods of the drive."""

    cycles: int
    length: int
    near: int
    lobe: int
    segments: int
    df: float

    def usable(self, bins: IntArray) -> np.ndarray:
        """Which bins hold noise alone: no mean, no line of the drive and no harmonic."""
        from_harmonic = np.minimum(bins % self.cycles, -bins % self.cycles)
        return (bins > self.lobe) & (bins < (self.length + 1) // 2) & (from_harmonic > self.lobe)

    def around(self, here: int) -> IntArray:
        """Neighbours that tell the floor at a bin; empty if there are fewer than two on either side."""
        away = np.arange(1 + self.lobe, self.near + self.lobe + 1)
        bins = np.concatenate([here - away[::-1], here + away])
        bins = bins[self.usable(bins)]
        both = (bins < here).sum() >= 2 and (bins > here).sum() >= 2
        return bins if both else bins[:0]

    def null(self, density: FloatArray) -> FloatArray:
        """Ratios at the bins nearest to the line that hold noise, each over the floor there."""
        everywhere = np.arange(1, (self.length + 1) // 2 - self.lobe)
        bins = everywhere[self.usable(everywhere)]
        found = []
        for here in bins[np.argsort(np.abs(bins - self.cycles), kind="stable")]:
            around = self.around(here)
            if around.size:
                line, floor = self.at(density, here, around)
                found.append(line / floor)
            if len(found) == _NULL_BINS:
                break
        return np.array(found)

    def at(self, density: FloatArray, here: int, around: IntArray) -> tuple[Any, Any]:
        """Power of the line at a bin, and the floor."""
        from scipy.special import gammaln

        place = np.log(around / here)
        centred = place - place.mean()
        weights = 1 / len(around) - place.mean() * centred / np.sum(centred**2)
        logs = np.log(np.maximum(density[..., around], np.finfo(float).tiny))
        # Means of K periodograms are gamma variables of K terms over K, and E[gamma(K)^w] = Gamma(K + w) / Gamma(K).
        k = self.segments
        bias = np.sum(gammaln(k + weights) - gammaln(k) - weights * np.log(k))
        floor = np.exp(logs @ weights - bias)
        inside = density[..., here - self.lobe : here + self.lobe + 1]
        return (inside - floor[..., None]).sum(axis=-1) * self.df, floor
