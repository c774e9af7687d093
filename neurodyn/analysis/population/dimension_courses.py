"""How the dimension of activity changes: over the time of a trial, along a recording, and over training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats, number, whole
from .._result import Result
from ..nulls import surrogate
from .dimensionality import participation_ratio

_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class DimensionCourse(Result, figure="dimension_course"):
    """The participation ratio at successive places, with an interval and the null of independent units.

    Attributes
    ----------
    places : array, shape (place)
        Middles of the windows, or what the snapshots stand for.
    ratio : array, shape (place)
        NaN where the samples are too few to tell the dimension, or nothing varies.
    low, high : array, shape (place)
        95 % interval of the bootstrap, over what ``resampled`` says; NaN without one.
    null_low, null_high : array, shape (place)
        5th and 95th percentile of the ratio of units made independent.
    resampled : "trials", "networks" or ""
    samples : array of int, shape (place)
        Rows that each ratio was computed from; of networks, of each.
    place : str
        What the places are, for a label: "time (ms)", "epoch".
    single : array, shape (network, place)
        The ratio of each network; empty unless there are several.
    """

    places: FloatArray
    ratio: FloatArray
    low: FloatArray
    high: FloatArray
    null_low: FloatArray
    null_high: FloatArray
    resampled: str
    samples: np.ndarray
    place: str
    single: FloatArray

    def __str__(self) -> str:
        over = f", 95 % interval over {self.resampled}" if self.resampled else ""
        lines = [f"participation ratio against {self.place}{over}; null of independent units 5 to 95 %"]
        shown = np.unique(np.linspace(0, len(self.places) - 1, 8).astype(int))
        for k in shown:
            interval = f" ({self.low[k]:.3g} to {self.high[k]:.3g})" if self.resampled else ""
            lines.append(
                f"  {self.places[k]:>8g}  {self.ratio[k]:.3g}{interval}  null {self.null_low[k]:.3g} to "
                f"{self.null_high[k]:.3g}"
            )
        return "\n".join(lines)


def dimension_course(
    x: ArrayLike,
    window: int,
    *,
    dt: float,
    step: int | None = None,
    thin: int = 1,
    samples: int = 100,
    seed: int = 0,
) -> DimensionCourse:
    """Participation ratio in windows that slide over the time of trials, or along a recording.

    Parameters
    ----------
    x : array, shape (trial, time, unit) or (time, unit)
        With trials, rows of all trials in a window are pooled, about their common mean; ``window=1`` asks for the
        dimension across trials at each time.
    window : int
        Samples of time, of each trial.
    dt : float, ms
        Time between samples.
    step : int, optional
        From window to window; the length of a window by default.
    thin : int
        Every so many samples within a window count: one per autocorrelation time, for which see
        :func:`participation_ratio`.
    samples, seed : int
        Number of bootstrap samples (of trials) and of surrogates, and the seed of their draws.

    Returns
    -------
    DimensionCourse
        Ratios are corrected for bias. With trials the interval is that of the bootstrap over trials and the null permutes the trials of
        each unit; without, there is no interval, and the null shifts units in time within the window.

    Raises
    ------
    ValueError
        For windows longer than the recording, fewer than 4 rows in a window, and NaN in x.

    Notes
    -----
    Trials of one network say nothing about other networks: for those call it for each, or use :func:`training_dimension`
    at a single place. Resampled trials occur twice, which takes the ratio down: the interval is shifted back to lie
    around the estimate of the trials as they are. A null across trials keeps what units do on average, so where
    all variance in a window is the common time course, ratio and null agree. Single windows of smooth activity without
    trials hold few independent samples, and their ratio is too low however long they are in samples.

    References
    ----------
    Mazzucato, Fontanini & La Camera 2016, Front Syst Neurosci 10:11 (dimension across trials and of shuffles).
    """
    values = floats(x, "x", axes=("trial, time, unit", "time, unit"))
    stacked = values if values.ndim == 3 else values[None]
    trials, length, _ = stacked.shape
    dt = number(dt, "dt", low=0, strict=True)
    whole(window, "window", high=length)
    stride = window if step is None else whole(step, "step")
    whole(thin, "thin", high=window)
    rows = trials * len(range(0, window, thin))
    if rows < 4:
        raise ValueError(
            f"window = {window}: {trials} trials of {window} samples, thinned by {thin}, are {rows} rows; at least 4"
        )
    whole(samples, "samples")
    rng = np.random.default_rng(seed)
    starts = np.arange(0, length - window + 1, stride)
    found = np.array([_at(stacked[:, s : s + window : thin], samples, rng) for s in starts])
    ratio, low, high, null_low, null_high = found.T
    return DimensionCourse(
        (starts + window / 2) * dt,
        ratio,
        low,
        high,
        null_low,
        null_high,
        "trials" if trials > 1 else "",
        np.full(len(starts), rows),
        "time (ms)",
        np.empty((0, len(starts))),
    )


def training_dimension(
    snapshots: Sequence[Any],
    places: ArrayLike | None = None,
    *,
    place: str = "snapshot",
    samples: int = 100,
    seed: int = 0,
) -> DimensionCourse:
    """Participation ratio of activity at successive stages, such as snapshots of training, of one or several networks.

    Parameters
    ----------
    snapshots : sequence over stages of arrays, or of sequences over networks of arrays
        Each array (time, unit) or (trial, time, unit), or left in its file (``recording.lazy(key)``); the same number of
        networks at each stage. Units may differ.
    places : array, shape (stage), optional
        Where the stages lie, such as numbers of trials; rising. 0, 1, 2, ... by default.
    place : str
        What these are, for the label.
    samples, seed : int
        Number of bootstrap samples (of networks) and of surrogates, and the seed of their draws.

    Returns
    -------
    DimensionCourse
        The ratio is the mean over networks, its interval the bootstrap's over networks; none of a single one. The null
        shifts units in time, and is that of the mean over networks.

    Raises
    ------
    ValueError
        For unequal numbers of networks, places that don't rise, and activity that has no ratio.

    Notes
    -----
    Intervals of fewer than ten networks are too narrow (:func:`bootstrap_mean`): show ``single`` too. Compare stages at equal
    numbers of samples, and the same input.
    """
    from ..statistics import bootstrap_mean
    from .dimensionality import participation_ratio_null

    stages = [list(s) if isinstance(s, (list, tuple)) else [s] for s in snapshots]
    counts = {len(s) for s in stages}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(
            f"snapshots hold {sorted(counts)} networks: give the same networks at each of one or more stages"
        )
    at = np.arange(len(stages), dtype=float) if places is None else floats(places, "places", axes=("stage",))
    if len(at) != len(stages) or np.any(np.diff(at) <= 0):
        raise ValueError(f"places = {at.tolist()}: give one for each of {len(stages)} stages, rising")
    tests = [[participation_ratio_null(x, samples=samples, seed=seed + k) for k, x in enumerate(s)] for s in stages]
    single = np.array([[t.observed for t in row] for row in tests]).T
    null = np.array([np.mean([t.null for t in row], axis=0) for row in tests])
    several = len(single) > 1
    missing = np.full(len(at), np.nan)
    null_low, null_high = np.percentile(null, [5, 95], axis=1)
    interval = bootstrap_mean(single, confidence=_CONFIDENCE, samples=10 * samples, seed=seed) if several else None
    return DimensionCourse(
        at,
        single.mean(axis=0),
        missing if interval is None else np.asarray(interval.low),
        missing if interval is None else np.asarray(interval.high),
        null_low,
        null_high,
        "networks" if several else "",
        np.array([_rows(s[0]) for s in stages]),
        place,
        single if several else np.empty((0, len(at))),
    )


def _rows(x: Any) -> int:
    return int(np.prod(np.shape(x)[:-1]))


def _at(piece: FloatArray, samples: int, rng: np.random.Generator) -> tuple[float, float, float, float, float]:
    """Ratio, interval and null of (trial, time, unit)."""
    trials, length, units = piece.shape
    ratio = _or_nan(piece)
    if np.isnan(ratio):
        return np.nan, np.nan, np.nan, np.nan, np.nan
    if trials == 1:
        null = [_or_nan(surrogate(piece[0], seed=rng)) for _ in range(samples)]
        return ratio, np.nan, np.nan, *_percentiles(null, 5, 95)
    null, again = [], []
    for _ in range(samples):
        order = rng.permuted(np.tile(np.arange(trials)[:, None], (1, units)), axis=0)
        null.append(_or_nan(np.take_along_axis(piece, order[:, None, :], axis=0)))
        again.append(_or_nan(piece[rng.integers(0, trials, trials)]))
    tail = 50 * (1 - _CONFIDENCE)
    low, high = _percentiles(again, tail, 100 - tail)
    shift = ratio - float(np.nanmedian(again))
    return ratio, low + shift, high + shift, *_percentiles(null, 5, 95)


def _or_nan(piece: FloatArray) -> float:
    """The ratio, or NaN where it isn't defined or can't be told."""
    try:
        return participation_ratio(piece)
    except ValueError:
        return np.nan


def _percentiles(values: list[float], low: float, high: float) -> tuple[float, float]:
    known = [v for v in values if np.isfinite(v)]
    if not known:
        return np.nan, np.nan
    below, above = np.percentile(known, [low, high])
    return float(below), float(above)
