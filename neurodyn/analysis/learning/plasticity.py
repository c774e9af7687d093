"""What plasticity did to the weights: their distribution over time, and how many are at their bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, floats, whole


@dataclass(frozen=True, eq=False)
class WeightHistory:
    """Distribution of weights over time.

    Attributes
    ----------
    edges : array, shape (bin + 1)
        Of the bins, the same for all times, in the unit of the weights.
    counts : array of int, shape (time, bin)
        Synapses; every synapse is in a bin.
    mean, sd : array, shape (time)
    low, high : array, shape (time)
        Fractions of the synapses at the bounds, NaN without bounds.
    bounds : (float, float) or None
    """

    edges: FloatArray
    counts: IntArray
    mean: FloatArray
    sd: FloatArray
    low: FloatArray
    high: FloatArray
    bounds: tuple[float, float] | None


def weight_history(weights: ArrayLike, *, bins: int = 40, bounds: tuple[float, float] | None = None) -> WeightHistory:
    """Histograms of snapshots of weights, on one set of bins, and how many synapses are at their bounds.

    Parameters
    ----------
    weights : array, shape (time, synapse)
    bins : int
        Between the bounds or, without, between the least and the greatest weight.
    bounds : (float, float)
        Hard bounds of the weights; weights beyond them are refused. Within 1e-9 of their distance counts as at a bound.

    Returns
    -------
    WeightHistory

    Raises
    ------
    ValueError
        Bounds out of order, or weights beyond them.
    """
    values, bins = floats(weights, "weights", axes=("time, synapse",)), whole(bins, "bins")
    low, high = (float(values.min()), float(values.max())) if bounds is None else map(float, bounds)
    if bounds is not None:
        if not low < high:
            raise ValueError(f"bounds = {bounds!r}: give (low, high) with low < high")
        slack = 1e-9 * (high - low)
        if values.min() < low - slack or values.max() > high + slack:
            raise ValueError(
                f"weights run from {values.min():g} to {values.max():g}, beyond bounds = {bounds!r}: give wider ones, or none"
            )
        at_low, at_high = (values <= low + slack).mean(axis=1), (values >= high - slack).mean(axis=1)
    else:
        at_low = at_high = np.full(len(values), np.nan)
        if low == high:  # all the same: bins need some width
            low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    inside = np.clip(values, low, high)
    counts = np.array([np.histogram(row, edges)[0] for row in inside])
    kept = None if bounds is None else (float(bounds[0]), float(bounds[1]))
    return WeightHistory(edges, counts, values.mean(axis=1), values.std(axis=1), at_low, at_high, kept)
