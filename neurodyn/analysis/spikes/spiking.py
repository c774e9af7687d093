"""How regularly units fire: rates, variation of intervals, variance of counts, beside Poisson and renewal trains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, number, whole
from .._result import Result
from ..nulls import NullTest
from ._spike_trains import Trains, gathered, reordered

STATISTICS = {"cv": "CV", "cv2": "CV2", "lv": "LV", "lvr": "LVR", "fano": "Fano factor"}


@dataclass(frozen=True, eq=False)
class SpikeStatistics(Result, figure="spike_statistics"):
    """How each unit fires; ``print`` shows medians over units beside two nulls.

    Attributes
    ----------
    rate : array, shape (unit), Hz
    spikes : array of int, shape (unit)
    cv, cv2, lv, lvr : array, shape (unit)
        Variation of the intervals; NaN for units with fewer than `least` spikes.
    fano : array, shape (unit)
        Variance over mean of the counts in windows; NaN for the same units.
    window : float, ms
        The windows of the Fano factor; `windows` is their number.
    duration_ms : float
    least : int
        Spikes that a unit needs.
    poisson : mapping of statistic to NullTest
        Median over units, beside units with as many spikes at random times. Two-sided.
    renewal : mapping of statistic to NullTest
        The same beside units with the same intervals in random order: tells serial correlations and drifts
        of the rate from irregularity. There is none for the CV, which knows no order.
    """

    rate: FloatArray
    spikes: IntArray
    cv: FloatArray
    cv2: FloatArray
    lv: FloatArray
    lvr: FloatArray
    fano: FloatArray
    window: float
    windows: int
    duration_ms: float
    least: int
    poisson: dict[str, NullTest[float]]
    renewal: dict[str, NullTest[float]]

    @property
    def enough(self) -> int:
        """How many units have spikes enough."""
        return int((self.spikes >= self.least).sum())

    def __str__(self) -> str:
        rate = self.rate
        lines = [
            f"{len(rate)} units over {self.duration_ms:g} ms, {int(self.spikes.sum())} spikes: rate {rate.mean():.3g} Hz on "
            f"average, median {np.median(rate):.3g}, {int((rate == 0).sum())} silent"
        ]
        if not self.poisson:
            return f"{lines[0]}\n  no unit has the {self.least} spikes that the other statistics need: they are NaN"
        lines.append(
            f"  {self.enough} units with at least {self.least} spikes; Fano factor in {self.windows} windows of {self.window:g} ms"
        )
        lines.append(
            f"  {'statistic':<12}{'median':>8}{'Poisson (5-95 %)':>22}{'p':>9}{'order shuffled (5-95 %)':>27}{'p':>9}"
        )
        for name, title in STATISTICS.items():
            if name in self.poisson:
                row = f"  {title:<12}{self.poisson[name].observed:>8.3f}{_beside(self.poisson[name], 22)}"
                lines.append(row + (_beside(self.renewal[name], 27) if name in self.renewal else ""))
        return "\n".join(lines)


def spike_statistics(
    spikes: Any,
    ids: ArrayLike | None = None,
    n: int | None = None,
    *,
    duration_ms: float | None = None,
    window: float = 100.0,
    refractory: float = 5.0,
    least: int = 10,
    samples: int = 100,
    seed: int = 0,
) -> SpikeStatistics:
    """Rates, variation of intervals and Fano factors of spike trains, with Poisson and renewal nulls.

    With I_k the intervals of a unit, n of them, and N_w its counts in windows::

        CV   = SD(I) / mean(I)
        CV2  = 2/(n-1) sum |I_{k+1} - I_k| / (I_{k+1} + I_k)
        LV   = 3/(n-1) sum [(I_{k+1} - I_k) / (I_{k+1} + I_k)]^2
        LVR  = 3/(n-1) sum [(I_{k+1} - I_k) / (I_{k+1} + I_k)]^2
                           [1 + 4 R / (I_k + I_{k+1})]
        Fano = var(N_w) / mean(N_w)

    All are 1 for a Poisson process (LVR: of one with dead time R), 0 for a clock. Variances divide by the number of
    values, as elephant's do.

    Parameters
    ----------
    spikes : Spikes, list of arrays, or array of shape (spike)
        ``recording["spikes"]``; or one array of times in ms for each unit; or all times in order, with `ids` and `n`.
    ids : array of int, shape (spike)
        Which unit fired, 0 to n - 1; only with times.
    n : int
        Number of units, silent ones included; only with times.
    duration_ms : float
        How long was recorded, from time 0 on; that of the recording if left out.
    window : float, ms
        Of the Fano factor; the recording has to hold two. What is left at the end is not counted.
    refractory : float, ms
        R of the LVR.
    least : int
        Units with fewer spikes get NaN, at least 3 (two intervals).
    samples, seed : int
        Number of surrogates of each null, and the seed of their draws.

    Returns
    -------
    SpikeStatistics

    Raises
    ------
    ValueError
        Times that decrease or lie outside [0, duration_ms), numbers out of range, fewer than two windows.

    Notes
    -----
    Short recordings favour short intervals: with some ten spikes CV and Fano factor come out low (the null has the same
    number of spikes and the same bias, so look at that). A rate that drifts raises CV and Fano factor, much less CV2, LV
    and LVR. The Fano factor depends on the window: for a renewal process it tends to CV^2 in long windows.

    References
    ----------
    Holt et al. 1996, J Neurophysiol 75:1806 (CV2). Shinomoto et al. 2003, Neural Comput 15:2823 (LV); 2009, PLoS Comput
    Biol 5:e1000433 (LVR). Nawrot et al. 2008, J Neurosci Methods 169:374 (CV and Fano factor, and their biases).

    Examples
    --------
    >>> from neurodyn.analysis import spike_statistics
    >>> train = list(range(5, 1000, 10))
    >>> clock = spike_statistics([train], duration_ms=1000, samples=9)
    >>> float(clock.rate[0]), float(clock.cv[0]), float(clock.fano[0])
    (100.0, 0.0, 0.0)
    """
    given = gathered(spikes, ids, n, duration_ms)
    windows = given.bins(window, "window")
    dead = number(refractory, "refractory", low=0)
    least, samples = whole(least, "least", low=3), whole(samples, "samples")
    rng = np.random.default_rng(seed)
    table = np.full((len(given), len(STATISTICS)), np.nan)
    busy = np.flatnonzero(given.counts >= least)
    poisson, renewal = {}, {}
    if busy.size:
        some = given.only(busy)
        table[busy] = _measured(some, window, windows, dead)
        nulls = [
            np.stack([_medians(_measured(drawn(some, rng), window, windows, dead)) for _ in range(samples)])
            for drawn in (_anywhere, reordered)
        ]
        poisson, renewal = (_tests(_medians(table[busy]), null) for null in nulls)
        renewal.pop("cv", None)
    cv, cv2, lv, lvr, fano = table.T
    return SpikeStatistics(
        given.counts * (1000.0 / given.duration_ms),
        given.counts,
        cv,
        cv2,
        lv,
        lvr,
        fano,
        window,
        windows,
        given.duration_ms,
        least,
        poisson,
        renewal,
    )


def _measured(given: Trains, window: float, windows: int, refractory: float) -> FloatArray:
    """CV, CV2, LV, LVR and Fano factor, (unit, statistic); each unit has three spikes or more."""
    unit, units = given.member, len(given)
    intervals = np.diff(given.times)[unit[1:] == unit[:-1]]
    owner = unit[1:][unit[1:] == unit[:-1]]
    inside = owner[1:] == owner[:-1]
    sums = (intervals[1:] + intervals[:-1])[inside]
    owner_of_pair, pairs = owner[1:][inside], given.counts - 2

    def averaged(values: FloatArray, whose: IntArray, number: IntArray) -> FloatArray:
        return np.bincount(whose, values, units) / number

    # Two intervals of 0 after another: CV2 and its like are not defined, nor is a CV without any interval above 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = averaged(intervals, owner, given.counts - 1)
        deviation = np.sqrt(averaged((intervals - mean[owner]) ** 2, owner, given.counts - 1))
        change = np.abs(np.diff(intervals)[inside]) / sums
        lvr = 3 * averaged(change**2 * (1 + 4 * refractory / sums), owner_of_pair, pairs)
        found = [deviation / mean, 2 * averaged(change, owner_of_pair, pairs)]
        found += [3 * averaged(change**2, owner_of_pair, pairs), lvr]
        counts = given.binned(window)
        found.append(counts.var(axis=0) / counts.mean(axis=0))  # NaN if all spikes lie behind the last whole window
    return np.stack(found, axis=1)


def _anywhere(given: Trains, rng: np.random.Generator) -> Trains:
    """As many spikes of each unit, anywhere: Poisson processes, given their counts."""
    # One sort for all: the unit before the point, the time behind it.
    times = np.sort(given.member + rng.random(given.times.size)) - given.member
    return replace(given, times=times * given.duration_ms)


def _medians(table: FloatArray) -> FloatArray:
    """Over the units for which a statistic is defined; NaN if there are none."""
    columns = [column[np.isfinite(column)] for column in table.T]
    return np.array([np.median(column) if column.size else np.nan for column in columns])


def _tests(observed: FloatArray, null: FloatArray) -> dict[str, NullTest[float]]:
    return {
        name: NullTest(float(value), np.ascontiguousarray(null[:, k]), "two-sided")
        for k, (name, value) in enumerate(zip(STATISTICS, observed, strict=True))
        if np.isfinite(value) and np.isfinite(null[:, k]).all()
    }


def _beside(test: NullTest[float], width: int) -> str:
    return f"{f'{test.low:.3f} to {test.high:.3f}':>{width}}{test.p:>9.3g}"
