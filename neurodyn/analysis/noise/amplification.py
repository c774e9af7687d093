"""Spectral power amplification: how strongly the mean of noisy paths follows a weak sine, and how late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, number, whole
from .._result import Result
from .._streams import blocks
from ..conventions import Conventions
from ..nulls import NullTest
from ._periodic import ComplexArray, discarded, frequency_of, paths_of, step_of, whole_periods

FEWEST_PERIODS = 3
_FEWEST_NEIGHBOURS = 4


@dataclass(frozen=True, eq=False)
class SpectralAmplification(Result, figure="spectral_amplification"):
    """Response at the frequency of the drive; ``print`` shows it with its null.

    Attributes
    ----------
    eta : float
        Spectral power amplification (response / drive)^2, free of the bias that noise adds; below 0 by chance where there is
        no response. In squared units of x over those of the drive.
    error : float
        Its standard error.
    lag, lag_error : float
        How far the response is behind the drive, radians in (-pi, pi], and its standard error.
    null : NullTest
        The same estimate at neighbouring frequencies, where there is no drive.
    phasors : complex array, shape (path)
        Response of each path, r exp(-i lag), in units of x.
    offset : float
        Mean of x.
    frequency, amplitude : float
        Of the drive.
    periods : int
        Whole periods that were used.
    conventions : Conventions
    """

    eta: float
    error: float
    lag: float
    lag_error: float
    null: NullTest[float]
    phasors: ComplexArray
    offset: float
    frequency: float
    amplitude: float
    periods: int
    conventions: Conventions = field(default_factory=Conventions)

    @property
    def response(self) -> float:
        """Amplitude of the mean response, in units of x; 0 where eta is negative."""
        return self.amplitude * float(np.sqrt(max(self.eta, 0.0)))

    def __str__(self) -> str:
        paths = len(self.phasors)
        return (
            f"spectral amplification {self.null}, standard error {self.error:.2g}; response {self.response:.4g}, "
            f"{self.lag:.3f} ± {self.lag_error:.2g} rad behind a drive of {self.amplitude:g} at {self.frequency:g} "
            f"cycles per {self.conventions.time}; {paths} path{'s' * (paths > 1)} of {self.periods} periods"
        )


def spectral_amplification(
    x: Any,
    *,
    dt: float,
    frequency: float,
    amplitude: float,
    start: float = 0.0,
    discard: float = 0.0,
    neighbours: int = 20,
    samples: int = 1000,
    seed: int = 0,
    time: str = "ms",
) -> SpectralAmplification:
    """Amplification and lag of the mean response of noisy paths to a drive ``A cos(2 pi f t)``.

    eta = (r / A)^2, with r the amplitude of the mean response <x(t)> = offset + r cos(2 pi f t - lag) + harmonics.

    Parameters
    ----------
    x : array, shape (time, path) or (time)
        Independent paths under the same drive; samples evenly spaced. Read in pieces if it is left in a file
        (``recording.lazy(key)``).
    dt : float
        Time between samples, in any unit.
    frequency : float
        f, in cycles per that unit, below 1 / (2 dt). An angular frequency is 2 pi times it.
    amplitude : float
        A, above 0.
    start : float
        Time of the first sample, by the clock of the drive: recordings stamp a state at the end of its step, so theirs is one
        step late.
    discard : float
        Time left out at the beginning. Then x is cut to whole periods, at least 3.
    neighbours : int
        Frequencies on each side for the null, 1 / duration apart; harmonics of the drive are left out.
    samples, seed : int
        Bootstrap over paths.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For fewer than 3 periods, samples that alias the frequency, values that are NaN or never vary, and records so short
        that fewer than 4 neighbouring frequencies are left.

    Notes
    -----
    All frequencies are fitted together by least squares, so that periods need not be whole numbers of samples. Noise adds to the
    square of what is fitted. Of several paths with phasors z, ``|mean z|^2 - s^2 / paths`` is unbiased (s^2 their sample variance);
    errors come from a bootstrap over paths. Of a single path, the mean square of the neighbouring frequencies, N, is taken off;
    errors are those of Gaussian noise, ``var |z|^2 = 2 |z|^2 N + N^2`` and ``var lag = N / 2 |z|^2``: N has to be flat there.

    Not to be trusted where the response is not stationary (discard more), where the lag's error is above about 0.5 rad, and for
    fewer than ten paths as to the error. The response to a strong drive is not linear: eta then depends on A.

    References
    ----------
    Jung & Haenggi (1989) Europhys Lett 8:505; (1991) Phys Rev A 44:8032. Gammaitoni, Haenggi, Jung & Marchesoni (1998) Rev Mod
    Phys 70:223, eq. 2.8 and section IV.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodyn.analysis import spectral_amplification
    >>> t = np.arange(0, 400, 0.1)
    >>> noise = np.random.default_rng(0).normal(size=(4000, 20))
    >>> x = np.cos(2 * np.pi * 0.05 * t - 0.7)[:, None] + noise
    >>> drive = {"frequency": 0.05, "amplitude": 0.5}
    >>> found = spectral_amplification(x, dt=0.1, **drive)
    >>> bool(abs(found.eta - 4) < 0.2 and abs(found.lag - 0.7) < 0.05)
    True
    """
    dt = step_of(dt)
    frequency = frequency_of(frequency, dt)
    amplitude = number(amplitude, "amplitude", unit="the unit of the drive", low=0, strict=True)
    start = number(start, "start", unit="the unit of time")
    paths = paths_of(x)
    skipped = discarded(discard, dt, paths.shape[0])
    periods, length = whole_periods(paths.shape[0] - skipped, dt, frequency, FEWEST_PERIODS)
    cycles = _cycles(periods, length, whole(neighbours, "neighbours", low=_FEWEST_NEIGHBOURS))
    phase = 2 * np.pi * frequency * (start + skipped * dt)
    offset, found = _phasors(_cut(paths, skipped, length), cycles * frequency / periods * dt, length)
    found[0] *= np.exp(-1j * phase)
    power = np.array([_power(row) for row in found])
    if paths.shape[1] > 1:
        eta, null = power[0], power[1:]
        drawn = _redrawn(found[0], whole(samples, "samples", low=2), np.random.default_rng(seed))
        error, lag_error = drawn[0].std(ddof=1), np.angle(drawn[1] / found[0].mean()).std(ddof=1)
    else:
        noise = power[1:].mean()
        eta = power[0] - noise
        null = power[1:] - (power[1:].sum() - power[1:]) / (len(power) - 2)
        error = np.sqrt(2 * max(eta, 0.0) * noise + noise**2)
        lag_error = np.sqrt(noise / 2 / power[0])
    return SpectralAmplification(
        float(eta) / amplitude**2,
        float(error) / amplitude**2,
        float(-np.angle(found[0].mean())),
        float(lag_error),
        NullTest(float(eta) / amplitude**2, null / amplitude**2),
        found[0],
        float(offset.mean()),
        frequency,
        amplitude,
        periods,
        Conventions(time=time),
    )


def _cycles(periods: int, length: int, neighbours: int) -> FloatArray:
    """Whole cycles in the stretch: of the drive, then of its neighbours."""
    near = periods + np.arange(-neighbours, neighbours + 1)
    # Sums over a stretch keep frequencies apart up to half the number of samples.
    near = near[(near > 0) & (near < length / 2) & (near % periods != 0)]
    if len(near) < _FEWEST_NEIGHBOURS:
        raise ValueError(
            f"{periods} periods in {length} samples leave {len(near)} neighbouring frequencies for the null: "
            f"at least {_FEWEST_NEIGHBOURS}; record longer or sample more finely"
        )
    return np.concatenate([[periods], near]).astype(float)


def _cut(paths: Any, skipped: int, length: int) -> Iterator[tuple[int, FloatArray]]:
    """Pieces of the stretch, each with the number of its first sample."""
    at = 0
    for piece in blocks(paths, "x", axes=("time, path",)):
        first, last = max(skipped - at, 0), min(skipped + length - at, len(piece))
        if first < last:
            yield at + first - skipped, piece[first:last]
        at += len(piece)


def _phasors(
    pieces: Iterator[tuple[int, FloatArray]], turns: FloatArray, length: int
) -> tuple[FloatArray, ComplexArray]:
    """Least squares fit of a constant and of sines with `turns` a sample: offsets (path) and phasors (sine, path)."""
    gram: Any = 0.0
    sums: Any = 0.0
    for first, piece in pieces:
        angle = 2 * np.pi * turns * np.arange(first, first + len(piece))[:, None]
        basis = np.hstack([np.ones((len(piece), 1)), np.cos(angle), np.sin(angle)])
        gram, sums = gram + basis.T @ basis, sums + basis.T @ piece
    fitted = np.linalg.solve(gram / length, sums / length)
    count = len(turns)
    found = fitted[1 : count + 1] - 1j * fitted[count + 1 :]
    if not np.abs(found).any():
        raise ValueError("x never varies: there is nothing to measure")
    return fitted[0], found


def _power(phasors: ComplexArray) -> float:
    """|mean|^2 without the part of the noise; of a single path, with it."""
    noise = 0.0 if len(phasors) == 1 else phasors.var(ddof=1) / len(phasors)
    return float(np.abs(phasors.mean()) ** 2 - noise)


def _redrawn(phasors: ComplexArray, samples: int, rng: np.random.Generator) -> tuple[FloatArray, ComplexArray]:
    """Powers and mean phasors of paths drawn again."""
    paths = len(phasors)
    drawn = rng.multinomial(paths, np.full(paths, 1 / paths), samples) / paths
    mean = drawn @ phasors
    variance = drawn @ np.abs(phasors) ** 2 - np.abs(mean) ** 2
    return np.abs(mean) ** 2 - variance / (paths - 1), mean
