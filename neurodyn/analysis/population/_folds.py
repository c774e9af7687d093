"""Trials, their groups, and the folds that keep them whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, floats


def activity_of(
    x: ArrayLike, groups: ArrayLike | None, seed: int
) -> tuple[FloatArray, np.ndarray, np.random.Generator]:
    """(trial, time, unit), group of each trial, generator."""
    values = floats(x, "x", axes=("trial, unit", "trial, time, unit"), shortest=2)
    values = values[:, None, :] if values.ndim == 2 else values
    member = np.arange(len(values)) if groups is None else np.asarray(groups)
    if member.ndim != 1:
        raise ValueError(f"groups has shape {member.shape}: give one label per trial")
    match(values, member.size, 0, "groups")
    return values, member, np.random.default_rng(seed)


def match(values: FloatArray, size: int, axis: int, name: str) -> None:
    """Refuse labels that do not fit the trials, or the time bins, of `values`."""
    if values.shape[axis] != size:
        which = ("trial", "time")[axis]
        raise ValueError(
            f"{name} has {size} entries, x has shape {values.shape}: they must agree along the "
            f"axis {which!r} of x (trial, time, unit); transpose x if its axes stand in another order"
        )


def assign_folds(
    groups: np.ndarray, folds: int, rng: np.random.Generator, strata: np.ndarray | None = None
) -> IntArray:
    """Fold of each trial: groups stay whole and, where each has one stratum, strata are spread evenly."""
    names, first, member = np.unique(groups, return_index=True, return_inverse=True)
    order = rng.permutation(len(names))
    if strata is not None:
        order = order[np.argsort(strata[first][order], kind="stable")]
    fold = np.empty(len(names), dtype=np.int64)
    fold[order] = np.arange(len(names)) % folds
    return fold[member]
