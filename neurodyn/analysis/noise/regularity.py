"""How regular events are: intervals, counts and phase diffusion, the measures of coherence resonance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, IntArray, number, spike_times, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest

_FEWEST = 10  # intervals for a CV, windows for a Fano factor


@dataclass(frozen=True, eq=False)
class EventRegularity(Result, figure="event_regularity"):
    """Intervals and counts of trains of events; ``print`` shows them with their nulls.

    Attributes
    ----------
    intervals : tuple of arrays, shape (interval)
        Of each train.
    cv_error : float
        Standard error of the pooled CV, bootstrap over trains (over intervals of a single train); NaN without a CV.
    fano : float
        Variance over mean of counts in windows; NaN for fewer than 10 windows.
    window : float
        Length of those windows; NaN without intervals.
    windows : int
    poisson : NullTest or None
        The pooled CV beside trains of as many exponential intervals (less); None without a CV.
    renewal : NullTest or None
        The Fano factor beside the same intervals in random order (two-sided): whether intervals remember each other.
    conventions : Conventions
    """

    intervals: tuple[FloatArray, ...]
    cv_error: float
    fano: float
    window: float
    windows: int
    poisson: NullTest[float] | None
    renewal: NullTest[float] | None
    conventions: Conventions = field(default_factory=Conventions)

    @property
    def pooled(self) -> FloatArray:
        """Intervals of all trains."""
        return np.concatenate([np.zeros(0), *self.intervals])

    @property
    def mean(self) -> float:
        """Mean of all intervals; NaN for none."""
        return float(self.pooled.mean()) if self.pooled.size else np.nan

    @property
    def cv(self) -> float:
        """SD over mean of all intervals, R of Pikovsky & Kurths: 1 for Poisson, 0 for a clock; NaN for fewer than 10.

        Trains of different rates make it larger than that of each (:attr:`cvs`).
        """
        return _cv(self.pooled)

    @property
    def cvs(self) -> FloatArray:
        """CV of each train; NaN for fewer than 10 intervals."""
        return np.array([_cv(each) for each in self.intervals])

    @property
    def rate(self) -> float:
        """Events per unit of time, 1 / mean; NaN without intervals."""
        return 1 / self.mean

    @property
    def diffusion(self) -> float:
        """Phase diffusion of a renewal process, CV^2 / (2 mean), in cycles^2 per unit of time; times 4 pi^2 in radians^2."""
        return self.cv**2 / (2 * self.mean)

    @property
    def counted_diffusion(self) -> float:
        """Phase diffusion from counts, var N / (2 window), in cycles^2 per unit of time: with whatever memory intervals have."""
        return self.fano * self.rate / 2

    @property
    def peclet(self) -> float:
        """Peclet number: mean velocity times one cycle over phase diffusion, 2 / CV^2 for a renewal process; 2 for Poisson.

        In counts rate / D; in radians 2 pi (2 pi rate) / (4 pi^2 D), the same. Papers that leave the cycle out, omega / D, have it
        smaller by 2 pi.
        """
        return self.rate / self.diffusion if self.diffusion > 0 else (np.inf if self.diffusion == 0 else np.nan)

    def __str__(self) -> str:
        unit = self.conventions.time
        lines = [
            f"{self.pooled.size} intervals of {len(self.intervals)} trains: mean {self.mean:.4g} {unit}, CV {self.cv:.3g} ± "
            f"{self.cv_error:.2g}, Peclet number {self.peclet:.3g}",
            f"Fano factor {self.fano:.3g} (CV^2 {self.cv**2:.3g}) in {self.windows} windows of {self.window:.4g} {unit}; phase "
            f"diffusion {self.diffusion:.3g} as a renewal process, {self.counted_diffusion:.3g} from counts, cycles^2 per {unit}",
        ]
        if self.poisson is not None:
            lines.append(f"CV beside Poisson: {self.poisson}")
        if self.renewal is not None:
            lines.append(f"Fano factor beside intervals in random order: {self.renewal}")
        return "\n".join(lines)


def event_regularity(
    times: Any, *, window: float | None = None, samples: int = 200, seed: int = 0, time: str = "ms"
) -> EventRegularity:
    """Interval statistics, Fano factor, phase diffusion and Peclet number of spikes, switches or other events.

    Parameters
    ----------
    times : array, shape (event), or a sequence of them
        Times of events in order, a train for each unit, path or network; trains count as independent and alike.
    window : float, optional
        Of counts, in the unit of the times; by default 20 mean intervals. Windows lie side by side from the first event of a train.
    samples, seed : int
        Surrogates and bootstrap samples.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For times that are NaN or not in order, events at the same time, or no train at all.

    Notes
    -----
    A train without two events gives no interval. With fewer than 10 intervals in all, CV and what follows from it are NaN; fewer than
    10 windows leave no Fano factor. Short records lose long intervals: the CV is too small where a record holds only tens of
    intervals of a train. The Fano factor of a renewal process tends to CV^2 in long windows, with a rest of order mean / window:
    equal within their errors means no memory; ``renewal`` tests it. D = CV^2 / (2 mean) has one power of the mean (counts); CV^2 /
    (2 mean^2), which is also found, is a different unit.

    References
    ----------
    Pikovsky & Kurths (1997) Phys Rev Lett 78:775. Cox & Lewis (1966), The Statistical Analysis of Series of Events (counts of renewal
    processes). Lindner, Garcia-Ojalvo, Neiman & Schimansky-Geier (2004) Phys Rep 392:321, section 2 (diffusion, Peclet number).
    """
    trains = trains_of(times)
    intervals = tuple(np.diff(train) for train in trains)
    pooled = np.concatenate(intervals)
    if (pooled == 0).any():
        raise ValueError("times holds events at the same time in a train: give each event once")
    if window is not None:
        window = number(window, "window", unit="the unit of times", low=0, strict=True)
    elif pooled.size:
        window = 20 * float(pooled.mean())
    samples = whole(samples, "samples", low=2)
    rng = np.random.default_rng(seed)
    error, poisson, renewal = np.nan, None, None
    train = np.repeat(np.arange(len(intervals)), [each.size for each in intervals])
    counts = _counts(pooled, train, window) if window and pooled.size else np.zeros(0)
    if pooled.size >= _FEWEST:
        error = _error(intervals, samples, rng)
        null = np.array([_cv(rng.exponential(size=pooled.size)) for _ in range(samples)])
        poisson = NullTest(_cv(pooled), null, "less")
    if counts.size >= _FEWEST and window:
        orders = (np.argsort(train + rng.random(train.size)) for _ in range(samples))  # within each train
        shuffled = [_fano(_counts(pooled[order], train, window)) for order in orders]
        renewal = NullTest(_fano(counts), np.array(shuffled), "two-sided")
    return EventRegularity(
        intervals,
        error,
        _fano(counts),
        np.nan if window is None else window,
        counts.size,
        poisson,
        renewal,
        Conventions(time=time),
    )


def trains_of(times: Any) -> list[FloatArray]:
    """Trains of events, each checked; a plain array of numbers is one train."""
    given = times if isinstance(times, np.ndarray) and times.dtype != object else list(times)
    if not len(given):
        raise ValueError("times holds no train: give an array of times (event), or a sequence of such arrays")
    if np.ndim(given[0]) == 0:
        return [spike_times(given)]
    return [spike_times(train, f"times[{k}]") for k, train in enumerate(given)]


def _cv(intervals: FloatArray) -> float:
    return float(intervals.std(ddof=1) / intervals.mean()) if intervals.size >= _FEWEST else np.nan


def _fano(counts: FloatArray) -> float:
    return float(counts.var(ddof=1) / counts.mean()) if counts.size >= _FEWEST else np.nan


def _counts(intervals: FloatArray, train: IntArray, window: float) -> FloatArray:
    """Events in whole windows of each train, from its first event on; `train` is that of each interval, in order."""
    lengths = np.bincount(train, intervals)
    after = np.cumsum(intervals) - (np.cumsum(lengths) - lengths)[train]
    windows = np.floor(lengths / window).astype(int)
    place = np.floor(after / window).astype(int)
    inside = place < windows[train]
    first = np.cumsum(windows) - windows
    return np.bincount((first[train] + place)[inside], minlength=int(windows.sum())).astype(float)


def _error(intervals: Sequence[FloatArray], samples: int, rng: np.random.Generator) -> float:
    """Bootstrap standard error of the pooled CV, through sums over what is drawn."""
    full = [each for each in intervals if each.size]
    units = full if len(full) > 1 else full[0][:, None]
    sums = np.array([(len(each), each.sum(), (each**2).sum()) for each in units])
    n, first, second = (rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), samples) @ sums).T
    mean = first / n
    return float(np.std(np.sqrt(np.maximum(second / n - mean**2, 0.0)) / mean, ddof=1))
