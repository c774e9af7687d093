"""Moments of activity that stays in its file: two passes over blocks, memory for the units alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import FloatArray
from .._streams import blocks, shape_of

AXES = ("time, unit", "trial, time, unit")
SURROGATE_BYTES = 2**27  # of the copy, as float64, that nulls of activity in a file work on


@dataclass(frozen=True, eq=False)
class Moments:
    """What principal components and the participation ratio need to know of activity.

    Attributes
    ----------
    samples : int
    mean : array, shape (unit)
    scale : float
        Largest deviation from the mean; products below are of deviations over it, so that none overflows.
    products : array, shape (unit, unit)
        Sum over samples of the products of the deviations of two units.
    fourth : float
        Sum over samples of the fourth power of the length of the deviation.
    """

    samples: int
    mean: FloatArray
    scale: float
    products: FloatArray
    fourth: float


def samples_and_units(x: Any) -> tuple[int, int]:
    """Number of samples, trials laid end to end, and of units."""
    shape = shape_of(x, "x", axes=AXES)
    return int(np.prod(shape[:-1])), shape[-1]


def moments(x: Any, *, shortest: int) -> Moments:
    """Moments of `x`: the mean in a first pass over its blocks, all else in a second, which loses no digits to the mean."""
    samples, units = samples_and_units(x)
    centre, scale = mean_and_scale(x, shortest=shortest)
    products, fourth = np.zeros((units, units)), 0.0
    for piece in blocks(x, "x", axes=AXES):
        away = (piece - centre) / scale
        products += away.T @ away
        fourth += float(np.sum(np.einsum("su,su->s", away, away) ** 2))
    return Moments(samples, centre, scale, products, fourth)


def mean_and_scale(x: Any, *, shortest: int) -> tuple[FloatArray, float]:
    """Mean of each unit, and the largest deviation from it, in a pass over the blocks of `x`."""
    samples, units = samples_and_units(x)
    if samples < shortest:
        raise ValueError(f"x has {samples} samples in time: at least {shortest} are needed")
    total, low, high = np.zeros(units), np.full(units, np.inf), np.full(units, -np.inf)
    for piece in blocks(x, "x", axes=AXES):
        total += piece.sum(axis=0)
        low, high = np.minimum(low, piece.min(axis=0)), np.maximum(high, piece.max(axis=0))
    if not (high > low).any():
        raise ValueError("x never varies: dimensions of constant activity are not defined")
    centre = total / samples
    return centre, float(np.maximum(high - centre, centre - low).max())


def every_kth(x: Any, *, shortest: int) -> FloatArray:
    """Every k-th sample of `x`, (sample, unit), with the least k that keeps the copy within 128 MB."""
    samples, units = samples_and_units(x)
    k = -(-samples * units * 8 // SURROGATE_BYTES)
    if samples // k < shortest:
        raise ValueError(
            f"x has {units} units in its file: fewer than {shortest} samples of them fit the copy that nulls are made "
            "of; take fewer units"
        )
    kept, start = [], 0
    for piece in blocks(x, "x", axes=AXES):
        kept.append(piece[-start % k :: k].copy())  # a view would hold the whole block
        start += len(piece)
    return np.concatenate(kept)
