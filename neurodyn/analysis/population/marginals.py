"""Activity over conditions, split into parts that depend on some of them only; trials sorted by condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats


def stack_conditions(
    x: ArrayLike, conditions: Mapping[str, ArrayLike], *, seed: int = 0
) -> tuple[FloatArray, dict[str, list[Any]]]:
    """Sort trials by their conditions, with equal numbers of each: what :func:`demixed_pca` takes.

    Parameters
    ----------
    x : array, shape (trial, time, unit)
    conditions : mapping of name to array, shape (trial)
        What each trial was, such as ``{"event": run.trials["event"]}``. Text or numbers.
    seed : int
        Of the choice of trials where a condition has more than the rarest.

    Returns
    -------
    array, shape (trial, condition, ..., time, unit)
        As many trials as the rarest combination has; conditions in the order given.
    dict of name to list
        The values along each condition's axis, sorted.

    Raises
    ------
    ValueError
        For a combination of conditions that no trial has, and names or numbers that don't fit.

    Notes
    -----
    Trials beyond the number of the rarest combination are left out, so that no condition weighs more than another.
    """
    values = floats(x, "x", axes=("trial, time, unit",))
    if not conditions:
        raise ValueError("conditions is empty: give at least one, such as {'event': labels of the trials}")
    kinds: dict[str, list[Any]] = {}
    code = np.zeros(len(values), dtype=np.int64)
    for name, given in conditions.items():
        labels = np.asarray(given)
        if labels.shape != (len(values),):
            raise ValueError(
                f"conditions[{name!r}] has shape {labels.shape}: give one label for each of {len(values)} trials"
            )
        found, number = np.unique(labels.astype(str) if labels.dtype.kind == "O" else labels, return_inverse=True)
        kinds[name] = found.tolist()
        code = code * len(found) + number
    sizes = [len(k) for k in kinds.values()]
    counts = np.bincount(code, minlength=int(np.prod(sizes)))
    if not counts.min():
        lacking = np.unravel_index(int(counts.argmin()), sizes)
        named = ", ".join(f"{name} = {kinds[name][i]!r}" for name, i in zip(kinds, lacking, strict=True))
        raise ValueError(f"conditions: no trial has {named}; leave out what isn't crossed with the rest")
    rng = np.random.default_rng(seed)
    taken = [np.sort(rng.permutation(np.flatnonzero(code == c))[: counts.min()]) for c in range(len(counts))]
    stacked = values[np.stack(taken, axis=1)]
    return stacked.reshape(int(counts.min()), *sizes, *values.shape[1:]), kinds


def marginal_names(labels: Sequence[str], *, join_time: bool) -> dict[str, list[tuple[int, ...]]]:
    """The parts of activity by name, each with the subsets of axes it is the sum of; the last label is time.

    With ``join_time`` what depends on conditions alone is joined with what depends on them and on time.
    """
    axes = range(len(labels))
    subsets = [subset for size in range(1, len(labels) + 1) for subset in combinations(axes, size)]
    parts: dict[str, list[tuple[int, ...]]] = {}
    for subset in subsets:
        named = subset[:-1] if join_time and subset[-1] == len(labels) - 1 and len(subset) > 1 else subset
        parts.setdefault(" x ".join(labels[i] for i in named), []).append(subset)
    return parts


def marginalise(averages: FloatArray, parts: Mapping[str, list[tuple[int, ...]]]) -> dict[str, FloatArray]:
    """Parts of `averages` (condition, ..., time, unit), less the mean of each unit, of the same shape; their sum is all of it.

    The part of a subset S of the axes is the mean over all axes outside S, less the parts of all smaller subsets of S.
    """
    axes = tuple(range(averages.ndim - 1))
    rest = averages - averages.mean(axis=axes)
    single: dict[tuple[int, ...], FloatArray] = {}
    for subset in sorted((s for subsets in parts.values() for s in subsets), key=len):
        mean = rest.mean(axis=tuple(a for a in axes if a not in subset), keepdims=True)
        # An array, and broadcast only at the end, so that the parts of few axes stay small.
        single[subset] = mean - sum((single[s] for s in single if set(s) < set(subset)), np.zeros(1))
    return {
        name: np.ascontiguousarray(np.broadcast_to(sum((single[s] for s in subsets), np.zeros(1)), averages.shape))
        for name, subsets in parts.items()
    }
