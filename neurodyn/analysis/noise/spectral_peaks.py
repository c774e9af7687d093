"""How sharp a peak the spectrum of a noisy oscillation has: the degree of coherence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, number, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest
from ._periodic import discarded, paths_of, step_of
from ._red_noise import red_spectrum
from ._segments import densities

FEWEST_SEGMENTS = 8
_NARROWEST = 3  # bins between the half heights of a peak


@dataclass(frozen=True, eq=False)
class SpectralPeak(Result, figure="spectral_peak"):
    """The highest peak of a spectrum; ``print`` shows it with its null.

    Attributes
    ----------
    frequency, height : float
        Of the peak, in cycles per unit of time, and in squared units of x per cycle per unit of time. NaN if the spectrum has no
        maximum that falls to half its height on both sides.
    width : float
        Between the half heights; NaN without a peak, and if it is below 3 bins: take longer segments.
    error : float
        Standard error of the quality, jackknife over paths (segments of a single path).
    null : NullTest
        The largest ratio of the spectrum, not smoothed, to that of red noise (AR(1)) with the same variance and correlation of successive samples,
        beside the largest of red noise itself: whether there is a peak beyond what slow noise makes.
    frequencies, density, red : array, shape (frequency)
        One-sided spectrum, slightly smoothed, and that of the red noise.
    segments : int
    conventions : Conventions
    """

    frequency: float
    height: float
    width: float
    error: float
    null: NullTest[float]
    frequencies: FloatArray
    density: FloatArray
    red: FloatArray
    segments: int
    conventions: Conventions = field(default_factory=Conventions)

    @property
    def quality(self) -> float:
        """Frequency over width, dimensionless."""
        return self.frequency / self.width

    @property
    def beta(self) -> float:
        """Degree of coherence S(w_p) w_p / dw, in the units of ``height``."""
        return self.height * self.quality

    def __str__(self) -> str:
        unit = self.conventions.time
        if np.isnan(self.frequency):
            found = "no peak that falls to half its height on both sides"
        else:
            wide = (
                f"width {self.width:.4g}" if np.isfinite(self.width) else "narrower than 3 bins: take longer segments"
            )
            found = f"peak at {self.frequency:.4g} cycles per {unit}, {wide}; quality {self.quality:.3g} ± {self.error:.2g}, beta {self.beta:.4g}"
        return f"{found}; largest ratio to red noise {self.null}; {self.segments} segments; {self.conventions}"


def spectral_peak(
    x: Any,
    *,
    dt: float,
    segment: float,
    discard: float = 0.0,
    samples: int = 1000,
    seed: int = 0,
    time: str = "ms",
) -> SpectralPeak:
    """Frequency, height and width of the highest peak in a spectrum, and the degree of coherence beta = S(w_p) w_p / dw.

    Parameters
    ----------
    x : array, shape (time, path) or (time)
        Stationary, evenly sampled; a trace, or counts in bins. Read segment by segment if it is left in a file.
    dt : float
        Time between samples.
    segment : float
        Length of segments; its inverse is the resolution. A peak has to be wider than 3 / segment.
    discard : float
        Time left out at the beginning.
    samples, seed : int
        Draws for the null.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For fewer than 8 segments in all paths together or 16 samples in one, and values that are NaN or never vary.

    Notes
    -----
    Hann window, no overlap; weights 1/4, 1/2, 1/4 over neighbouring bins. Half heights are interpolated. A maximum is taken of a noisy
    curve: height and quality come out too large by about 1 / sqrt(segments) where the peak is many bins wide. beta has units, those of
    a density: compare it between levels of noise, not between quantities.

    References
    ----------
    Hu, Ditzinger, Ning & Haken (1993) Phys Rev Lett 71:807 (beta). Pikovsky & Kurths (1997) Phys Rev Lett 78:775.
    """
    dt = step_of(dt)
    length = int(round(number(segment, "segment", unit="the unit of time", low=0, strict=True) / dt))
    paths = paths_of(x)
    skipped = discarded(discard, dt, paths.shape[0])
    count = (paths.shape[0] - skipped) // max(length, 1)
    segments = count * paths.shape[1]
    if length < 16 or segments < FEWEST_SEGMENTS:
        raise ValueError(
            f"segment = {segment:g} is {length} samples and makes {segments} segments: at least 16 samples and {FEWEST_SEGMENTS} segments"
        )
    each = densities(paths, skipped, length, dt, "hann")
    units = each.mean(axis=0) if each.shape[1] > 1 else each[:, 0]
    frequencies = np.fft.rfftfreq(length, dt)[1:-1]
    density = _smooth(units.mean(axis=0))
    if not density.any():
        raise ValueError("x never varies: there is nothing to measure")
    found = _peak(frequencies, density)
    n = len(units)
    left = np.array([_peak(frequencies, _smooth(np.delete(units, k, axis=0).mean(axis=0))) for k in range(n)])
    quality = left[:, 0] / left[:, 2]
    error = float(np.sqrt((n - 1) / n * np.sum((quality - quality.mean()) ** 2)))
    red = red_spectrum(paths, skipped, frequencies, dt)
    rng = np.random.default_rng(seed)
    # Of independent bins; those of a Hann window are correlated, and their maximum is a little smaller.
    drawn = rng.standard_gamma(segments, (whole(samples, "samples"), len(frequencies))) / segments
    return SpectralPeak(
        *found,
        error,
        NullTest(float(np.max(units.mean(axis=0)[1:-1] / red)), drawn.max(axis=1)),
        frequencies,
        density,
        red,
        segments,
        Conventions(sided="one", frequency="cycles", time=time),
    )


def _smooth(density: FloatArray) -> FloatArray:
    """Over three bins; the first and the last bin are lost."""
    return (density[..., :-2] + 2 * density[..., 1:-1] + density[..., 2:]) / 4


def _peak(frequencies: FloatArray, density: FloatArray) -> tuple[float, float, float]:
    """Frequency, height and width of the highest maximum; NaN where it is none."""
    top = int(np.argmax(density))
    half = density[top] / 2
    below, above = np.flatnonzero(density[:top] < half), np.flatnonzero(density[top:] < half)
    if not below.size or not above.size:
        return np.nan, np.nan, np.nan
    edges = []
    for outside, inside in ((below[-1], below[-1] + 1), (top + above[0], top + above[0] - 1)):
        part = (half - density[outside]) / (density[inside] - density[outside])
        edges.append(frequencies[outside] + part * (frequencies[inside] - frequencies[outside]))
    width = edges[1] - edges[0]
    resolved = width >= _NARROWEST * (frequencies[1] - frequencies[0])
    return float(frequencies[top]), float(density[top]), float(width) if resolved else np.nan
