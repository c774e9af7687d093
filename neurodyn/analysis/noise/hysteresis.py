"""Residence times of a two-state signal: switches by two thresholds, escape rates, peaks under a periodic drive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, IntArray, floats, number, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest
from ._periodic import discarded, paths_of, step_of

COARSEST = 10  # samples in a mean residence: with fewer, switches that are missed lengthen it by more than a tenth
_FEWEST = 20  # residence times, for CV, peaks and null


@dataclass(frozen=True, eq=False)
class ResidenceTimes(Result, figure="residence_times"):
    """Complete residences between switches, and rates that count the incomplete ones; ``print`` shows them with the null.

    Attributes
    ----------
    times : array, shape (residence)
        Complete residences of all paths, in units of ``dt``.
    states, path : array, shape (residence)
        1 (high) or 0 (low), and the path.
    watched : tuple of two floats
        Total time seen in the low and in the high state, with incomplete residences: until the first switch, and after the last.
    exits : tuple of two ints
        Switches seen out of the low and the high state.
    incomplete : int
        Residences cut off by the start or the end of the record.
    frequency, width : float or None
        Of the drive, and half-width of the windows of peaks in periods.
    null : dict of str to NullTest
        "cv" (two-sided), and with a drive "peak 1" (greater): beside exponential residences above a dead time. Empty for fewer
        than 20 residences of a state.
    dead_time : tuple of two floats
        Of the null, low and high; NaN without one.
    thresholds : tuple of two floats
    dt : float
    conventions : Conventions
    """

    times: FloatArray
    states: IntArray
    path: IntArray
    watched: tuple[float, float]
    exits: tuple[int, int]
    incomplete: int
    frequency: float | None
    width: float
    null: dict[str, NullTest[float]]
    dead_time: tuple[float, float]
    thresholds: tuple[float, float]
    dt: float
    conventions: Conventions = field(default_factory=Conventions)

    @property
    def mean(self) -> float:
        """Mean complete residence; NaN for none. Long ones are cut off more often: trust ``rates`` in short records."""
        return float(self.times.mean()) if self.times.size else np.nan

    @property
    def cv(self) -> float:
        """Standard deviation over mean; 1 for exponential residences of one rate, NaN for fewer than 20."""
        return _cv(self.times) if self.times.size >= _FEWEST else np.nan

    @property
    def rates(self) -> tuple[float, float]:
        """Escapes per unit of time out of the low and the high state, exits / time watched; NaN in a state never seen.

        The maximum-likelihood estimate for exponential residences, unbiased by what the ends of a record cut off. Its standard
        error is rate / sqrt(exits). Compare with Kramers' rate where the two wells are alike.
        """
        low, high = (n / t if t > 0 else np.nan for n, t in zip(self.exits, self.watched, strict=True))
        return low, high

    @property
    def peaks(self) -> FloatArray:
        """Share of residences within ``width`` periods of (n - 1/2) T, for n = 1, 2, ... up to the longest; empty without drive."""
        if self.frequency is None:
            return np.zeros(0)
        turns = self.times * self.frequency
        last = int(np.ceil(turns.max() + 0.5)) if turns.size else 0
        return np.array([_peak(turns, n, self.width) for n in range(1, last + 1)])

    def __str__(self) -> str:
        unit, rates = self.conventions.time, self.rates
        lines = [
            f"{self.times.size} complete residences ({self.incomplete} incomplete): mean {self.mean:.4g} {unit}, CV {self.cv:.3g}; "
            f"escape rates {rates[0]:.4g} (low) and {rates[1]:.4g} (high) per {unit}"
        ]
        if self.frequency is not None:
            shown = ", ".join(f"{share:.3f}" for share in self.peaks[:4])
            lines.append(f"peaks at (n - 1/2) periods of {1 / self.frequency:.4g} {unit}: {shown or 'none'}")
        lines += [f"{name}: {test}" for name, test in self.null.items()]
        if not self.null:
            lines.append(f"no null: fewer than {_FEWEST} residences in a state")
        return "\n".join(lines)


def residence_times(
    x: Any,
    *,
    dt: float,
    low: float,
    high: float,
    frequency: float | None = None,
    width: float = 0.25,
    dead_time: float | None = None,
    discard: float = 0.0,
    samples: int = 200,
    seed: int = 0,
    time: str = "ms",
) -> ResidenceTimes:
    """Times that a signal stays in its high and its low state, between switches by two thresholds.

    A path is in the high state from where it reaches ``high`` until it reaches ``low``: small fluctuations around one threshold
    make no switches.

    Parameters
    ----------
    x : array, shape (time, path) or (time)
        Independent paths, evenly sampled; read a path at a time if it is left in a file.
    dt : float
        Time between samples. A mean residence has to hold 10 of them: switches there and back within dt go unseen, which makes
        the mean too long by about the share dt / mean.
    low, high : float
        Thresholds in units of x, low below high; in a double well some way up its two sides, such as -0.5 and 0.5 of +-1.
    frequency : float, optional
        Of a periodic drive, in cycles per unit of time, for the peaks of the distribution.
    width : float
        Half-width of a peak's window in periods, above 0 to 0.25; with 0.25 windows cover half of all time.
    dead_time : float, optional
        Shortest residence under the null (what a path needs to settle). By default estimated in each state from the shortest of
        its N residences: (N min - mean) / (N - 1), at least 0, unbiased for an exponential above a dead time.
    discard : float
        Time left out at the beginning.
    samples, seed : int
        Surrogates for the null: as many residences in each state, exponential above its dead time, with the same mean.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For thresholds that are not in order or that no path reaches, a mean residence below 10 samples, and values that are NaN.

    Notes
    -----
    The area of the first peak against noise has a maximum where the escape rate is about 2 f ("bona fide" resonance), also where
    the signal-to-noise ratio has none. A path without a switch counts in the rates; with no complete residence mean and CV are NaN.
    Thresholds too near to each other count recrossings of the barrier as residences: move them apart until the mean stays.

    References
    ----------
    Gammaitoni, Marchesoni & Santucci (1995) Phys Rev Lett 74:1052. Gammaitoni, Haenggi, Jung & Marchesoni (1998) Rev Mod Phys
    70:223, section II.C. Berglund & Gentz (2005) Europhys Lett 70:1.
    """
    dt = step_of(dt)
    low, high = number(low, "low", unit="units of x"), number(high, "high", unit="units of x")
    if not low < high:
        raise ValueError(f"low = {low:g}, high = {high:g}: give low below high")
    if frequency is not None:
        frequency = number(frequency, "frequency", unit="cycles per unit of time", low=0, strict=True)
    if number(width, "width", unit="periods", low=0, strict=True) > 0.25:
        raise ValueError(
            f"width = {width!r}: at most 0.25 periods, where windows of peaks and of the gaps between them are alike"
        )
    if dead_time is not None:
        dead_time = number(dead_time, "dead_time", unit="the unit of time", low=0)
    paths = paths_of(x)
    skipped = discarded(discard, dt, paths.shape[0])
    seen = [_visits(floats(paths[skipped:, k], "x", axes=("time",)), low, high) for k in range(paths.shape[1])]
    if not any(states.size for states, _ in seen):
        raise ValueError(f"no path reaches low = {low:g} or high = {high:g}: give thresholds within the range of x")
    watched, exits, incomplete = np.zeros(2), np.zeros(2, int), 0
    for states, lengths in seen:
        np.add.at(watched, states, lengths * dt)
        np.add.at(exits, states[:-1], 1)
        incomplete += min(len(states), 2)
    times = np.concatenate([lengths[1:-1] for _, lengths in seen]) * dt
    states = np.concatenate([states[1:-1] for states, _ in seen])
    path = np.repeat(np.arange(len(seen)), [max(len(states) - 2, 0) for states, _ in seen])
    if times.size and times.mean() < COARSEST * dt:
        raise ValueError(
            f"dt = {dt:g}, but a mean residence of {times.mean():.3g} is {times.mean() / dt:.2g} samples: at least {COARSEST}; "
            "sample more finely, or move low and high apart"
        )
    null, dead = _null(times, states, frequency, width, dead_time, whole(samples, "samples"), seed)
    return ResidenceTimes(
        times,
        states,
        path,
        (float(watched[0]), float(watched[1])),
        (int(exits[0]), int(exits[1])),
        incomplete,
        frequency,
        width,
        null,
        dead,
        (low, high),
        dt,
        Conventions(time=time),
    )


def _visits(path: FloatArray, low: float, high: float) -> tuple[IntArray, IntArray]:
    """States one after another, 1 high and 0 low, and their lengths in samples; the first and the last are incomplete."""
    reached = np.flatnonzero((path >= high) | (path <= low))
    if not reached.size:
        return np.zeros(0, int), np.zeros(0, int)
    states = (path[reached] >= high).astype(int)
    begins = np.flatnonzero(np.diff(states, prepend=1 - states[0]))
    return states[begins], np.diff(reached[begins], append=len(path))


def _null(
    times: FloatArray,
    states: IntArray,
    frequency: float | None,
    width: float,
    dead_time: float | None,
    samples: int,
    seed: int,
) -> tuple[dict[str, NullTest[float]], tuple[float, float]]:
    of_state = [times[states == k] for k in (0, 1)]
    if min(each.size for each in of_state) < _FEWEST:
        return {}, (np.nan, np.nan)
    dead = [_dead(each) if dead_time is None else dead_time for each in of_state]
    for each, floor, name in zip(of_state, dead, ("low", "high"), strict=True):
        if floor >= each.mean():
            raise ValueError(f"dead_time = {floor:g}, but the mean residence in the {name} state is {each.mean():.3g}")
    rng = np.random.default_rng(seed)
    made = np.hstack(
        [
            floor + rng.exponential(each.mean() - floor, (samples, each.size))
            for each, floor in zip(of_state, dead, strict=True)
        ]
    )
    null = {"cv": NullTest(_cv(times), np.array([_cv(row) for row in made]), "two-sided")}
    if frequency is not None:
        shares = np.array([_peak(row * frequency, 1, width) for row in made])
        null["peak 1"] = NullTest(_peak(times * frequency, 1, width), shares)
    return null, (float(dead[0]), float(dead[1]))


def _dead(times: FloatArray) -> float:
    return max(0.0, float((times.size * times.min() - times.mean()) / (times.size - 1)))


def _cv(times: FloatArray) -> float:
    return float(times.std(ddof=1) / times.mean())


def _peak(turns: FloatArray, n: int, width: float) -> float:
    return float(np.mean(np.abs(turns - (n - 0.5)) < width))
