"""Information rate of a response to a Gaussian input, bounded from below by their coherence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, number, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest
from ._periodic import ComplexArray, discarded, paths_of, step_of, stretch

FEWEST_SEGMENTS = 8


@dataclass(frozen=True, eq=False)
class InformationRate(Result, figure="information_rate"):
    """Lower bound of an information rate; ``print`` shows it with the null.

    Attributes
    ----------
    rate : float
        Bits per unit of time, less the bias; below 0 by chance.
    error : float
        Standard error, from a bootstrap over paths (segments of a single path).
    null : NullTest
        The rate between segments of the signal and other segments of the response.
    frequencies, coherence : array, shape (frequency)
        Magnitude-squared coherence, raw: about 1 / segments too high where there is none.
    band : tuple of two floats
        Frequencies that were added up.
    segments : int
        Averaged, of all paths together.
    conventions : Conventions
    """

    rate: float
    error: float
    null: NullTest[float]
    frequencies: FloatArray
    coherence: FloatArray
    band: tuple[float, float]
    segments: int
    conventions: Conventions = field(default_factory=Conventions)

    def __str__(self) -> str:
        unit = self.conventions.time
        return (
            f"information rate of at least {self.null} bits per {unit}, standard error {self.error:.2g}, from "
            f"{self.band[0]:g} to {self.band[1]:g} cycles per {unit}; {self.segments} segments"
        )


def information_rate(
    signal: Any,
    response: Any,
    *,
    dt: float,
    segment: float,
    band: tuple[float, float] | None = None,
    discard: float = 0.0,
    samples: int = 200,
    seed: int = 0,
    time: str = "ms",
) -> InformationRate:
    """Lower bound of the information that a response carries about a Gaussian signal, from their coherence.

    rate = - integral of log2[1 - C(f)] df over positive frequencies, ``C = |S_sr|^2 / (S_ss S_rr)``.

    Parameters
    ----------
    signal : array, shape (time) or (time, path)
        Input, aperiodic and Gaussian; one for all paths, or one each.
    response : array, shape (time) or (time, path)
        Output: a trace, or spike counts in bins of dt.
    dt : float
        Time between samples.
    segment : float
        Length of segments, in the same unit: several correlation times, 8 segments at least. Its inverse is the resolution.
    band : pair of floats, optional
        Frequencies to add up, in cycles per unit of time; by default 0 to 1 / (2 dt). Give the band of the input: beyond it the
        coherence is that of rounding.
    discard : float
        Time left out at the beginning.
    samples, seed : int
        Surrogates and bootstrap samples.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For fewer than 8 segments, shapes that don't fit, a band outside 0 to 1 / (2 dt), and values that are NaN or never vary.

    Notes
    -----
    Segments have no overlap and a Hann window. For Gaussian segments -ln(1 - C) from K of them is too large by exactly 1 / (K - 1)
    at each frequency, whatever C (the logarithms of two gamma variables, of K - 1 and K terms), which is taken off. If all paths share one
    signal, its K segments count as independent although they repeat: the correction is then a little off.

    A bound: a nonlinear response carries more. It is no bound for signals that aren't Gaussian. Segments shorter than the delay of the
    response lower the coherence.

    References
    ----------
    Stein, French & Holden (1972) Biophys J 12:295. Bialek, Rieke, de Ruyter van Steveninck & Warland (1991) Science 252:1854. Gabbiani (1996)
    Network 7:61. Borst & Theunissen (1999) Nat Neurosci 2:947.
    """
    dt = step_of(dt)
    length = int(round(number(segment, "segment", unit="the unit of time", low=0, strict=True) / dt))
    s, r = paths_of(signal, "signal"), paths_of(response, "response")
    if s.shape[0] != r.shape[0] or s.shape[1] not in (1, r.shape[1]):
        raise ValueError(
            f"signal is (time, path) {tuple(s.shape)}, response {tuple(r.shape)}: give as many samples, and one signal for all "
            "paths or one for each"
        )
    skipped = discarded(discard, dt, r.shape[0])
    count = (r.shape[0] - skipped) // max(length, 1)
    if length < 8 or count < FEWEST_SEGMENTS:
        raise ValueError(
            f"segment = {segment:g} is {length} samples and makes {count} segments: at least 8 samples and {FEWEST_SEGMENTS} segments"
        )
    frequencies = np.fft.rfftfreq(length, dt)[1 : (length + 1) // 2]
    low, high = _band(band, dt)
    weights = _weights(frequencies, low, high, 0.5 / dt)
    sent = _transformed(s, skipped, length, count, "signal")  # (segment, path, frequency)
    got = _transformed(r, skipped, length, count, "response")
    segments = got.shape[0] * got.shape[1]

    def rate(coherence: FloatArray) -> Any:
        bits = (-np.log1p(-np.minimum(coherence, 1 - 1e-15)) - 1 / (segments - 1)) / np.log(2)
        return bits @ weights

    rng = np.random.default_rng(seed)
    null = np.array(
        [rate(_coherence(sent[rng.permutation(count)], got)) for _ in range(whole(samples, "samples", low=2))]
    )
    over = 0 if got.shape[1] > 1 else 1  # mean within a path first, to draw paths; or draw segments
    parts = [np.mean(part, axis=over) for part in _parts(sent, got)]
    n = len(parts[0])
    drawn = rng.multinomial(n, np.full(n, 1 / n), samples) / n
    spread = rate(_ratio(*(np.tensordot(drawn, part, axes=1) for part in parts)))
    coherence = _coherence(sent, got)
    found = float(rate(coherence))
    return InformationRate(
        found,
        float(np.std(spread, ddof=1)),
        NullTest(found, null),
        frequencies,
        coherence,
        (low, high),
        segments,
        Conventions(time=time),
    )


def _band(band: tuple[float, float] | None, dt: float) -> tuple[float, float]:
    low, high = (0.0, 0.5 / dt) if band is None else (float(edge) for edge in band)
    if not 0 <= low < high <= 0.5 / dt * (1 + 1e-9):
        raise ValueError(
            f"band = {band!r}: give two frequencies in order, from 0 to {0.5 / dt:g} (half the sampling rate)"
        )
    return low, high


def _weights(frequencies: FloatArray, low: float, high: float, nyquist: float) -> FloatArray:
    """Width that each frequency stands for within the band; those at the ends stand for half a bin more."""
    half = frequencies[0] / 2
    lower, upper = frequencies - half, frequencies + half
    lower[0], upper[-1] = 0.0, nyquist
    return np.maximum(np.minimum(upper, high) - np.maximum(lower, low), 0.0)


def _transformed(x: Any, skipped: int, length: int, count: int, name: str) -> ComplexArray:
    """Fourier transforms of segments, without those at 0 and at half the sampling rate, (segment, path, frequency)."""
    window = np.hanning(length + 1)[:-1, None]
    found = []
    for k in range(count):
        piece = stretch(x, skipped + k * length, skipped + (k + 1) * length, name)
        found.append(np.fft.rfft((piece - piece.mean(axis=0)) * window, axis=0).T[:, 1 : (length + 1) // 2])
    return np.array(found)


def _parts(sent: ComplexArray, got: ComplexArray) -> tuple[ComplexArray, FloatArray, FloatArray]:
    """Cross-periodograms and periodograms, (segment, path, frequency)."""
    own = np.abs(got) ** 2
    return sent.conj() * got, np.broadcast_to(np.abs(sent) ** 2, own.shape), own


def _coherence(sent: ComplexArray, got: ComplexArray) -> FloatArray:
    return _ratio(*(part.mean(axis=(0, 1)) for part in _parts(sent, got)))


def _ratio(cross: ComplexArray, first: FloatArray, second: FloatArray) -> FloatArray:
    power = first * second
    return np.abs(cross) ** 2 / np.where(power > 0, power, np.inf)
