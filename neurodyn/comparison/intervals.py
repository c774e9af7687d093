"""Intervals of means and of differences between means, by Student's t or by a bootstrap that is always the same."""

from __future__ import annotations

from typing import Literal

import numpy as np

Method = Literal["t", "bootstrap"]
WORDS = {"t": "Student's t", "bootstrap": "bootstrap"}  # what a text calls them
_RESAMPLES = 10_000


def mean_interval(values: np.ndarray, method: Method, confidence: float) -> tuple[float, float, float]:
    """Mean, low and high of independent values, shape (run,); NaN for what so few values don't tell."""
    if len(values) < 2:
        return (float(values[0]) if len(values) else np.nan), np.nan, np.nan
    mean = float(values.mean())
    if method == "bootstrap":
        return mean, *_percentiles(_resampled(values, "one"), confidence)
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def difference_interval(
    values: np.ndarray, others: np.ndarray, method: Method, confidence: float
) -> tuple[float, float, float]:
    """Mean of ``values`` less that of ``others``, which are other runs, with low and high (Welch's t, or bootstrap)."""
    if not len(values) or not len(others):
        return np.nan, np.nan, np.nan
    difference = float(values.mean() - others.mean())
    if min(len(values), len(others)) < 2:
        return difference, np.nan, np.nan
    if method == "bootstrap":
        return difference, *_percentiles(_resampled(values, "one") - _resampled(others, "other"), confidence)
    from scipy.stats import t

    a, b = values.var(ddof=1) / len(values), others.var(ddof=1) / len(others)
    if a + b == 0:
        return difference, difference, difference
    freedom = (a + b) ** 2 / (a**2 / (len(values) - 1) + b**2 / (len(others) - 1))
    half = float(t.ppf((1 + confidence) / 2, freedom) * np.sqrt(a + b))
    return difference, difference - half, difference + half


def _resampled(values: np.ndarray, stream: str) -> np.ndarray:
    """Means of resamples, drawn from a stream of its own for each of two groups."""
    from neurodyn.kernels.philox import draw

    size = len(values)
    u = draw("uniform", _RESAMPLES * size, seed=0, step=0, stream=f"bootstrap {stream}")
    return values[(u * size).astype(np.int64)].reshape(_RESAMPLES, size).mean(axis=1)


def _percentiles(means: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.percentile(means, [50 * (1 - confidence), 50 * (1 + confidence)])
    return float(low), float(high)
