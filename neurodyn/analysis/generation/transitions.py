"""Which primitive follows which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, whole
from ..statistics import binomial_interval


@dataclass(frozen=True, eq=False)
class TransitionTable:
    """Counts of transitions; arrays have shape (primitive, next primitive), ``print`` shows the table.

    Attributes
    ----------
    counts : array of int
    probability : array
        Share of the transitions from a primitive that lead to the next one; NaN in rows without any.
    low, high : array
        Wilson interval of ``probability`` at ``confidence``; 0 and 1 in rows without transitions.
    allowed : array of bool, (primitive, next primitive), or None
        Which transitions the grammar has, if that was given.
    confidence : float
    """

    counts: IntArray
    probability: FloatArray
    low: FloatArray
    high: FloatArray
    allowed: np.ndarray | None
    confidence: float

    @property
    def total(self) -> int:
        """Number of transitions."""
        return int(self.counts.sum())

    @property
    def illegal(self) -> float:
        """Share of transitions that are not allowed, 0 to 1; NaN without transitions, and if it wasn't said which are."""
        if self.allowed is None or not self.total:
            return np.nan
        return float(self.counts[~self.allowed].sum() / self.total)

    @property
    def among_allowed(self) -> FloatArray:
        """Shares as ``probability``, of the allowed transitions alone; 0 where not allowed."""
        counts = self.counts if self.allowed is None else np.where(self.allowed, self.counts, 0)
        return _rows(counts)

    def __str__(self) -> str:
        lines = ["".join(["from", *(f"{'to ' + str(k):>24}" for k in range(len(self.counts)))])]
        for i, row in enumerate(self.probability):
            cells = (f"{p:.3f} ({a:.2f} to {b:.2f})" for p, a, b in zip(row, self.low[i], self.high[i], strict=True))
            lines.append(f"{i:>4}" + "".join(f"{cell:>24}" for cell in cells))
        end = "" if self.allowed is None else f", {self.illegal:.2%} not allowed"
        return "\n".join([*lines, f"{self.total} transitions{end}; {self.confidence:.0%} intervals"])


def transition_table(
    labels: Sequence[ArrayLike] | Any,
    *,
    primitives: int | None = None,
    allowed: ArrayLike | None = None,
    confidence: float = 0.95,
) -> TransitionTable:
    """Count transitions in sequences of primitives, such as ``task.segment(values).labels`` or ``sample.order``.

    Parameters
    ----------
    labels : sequence of arrays of int, shape (event)
        One for each movement; empty ones have no transitions. No transition leads from one movement to another.
    primitives : int, optional
        How many there are; one more than the largest label, or as many as ``allowed`` has rows, if not given.
    allowed : array, shape (primitive, next primitive), optional
        True, or a probability above 0, where a transition is legal.
    confidence : float
        Of the intervals, between 0 and 1; they take transitions from one primitive as independent.

    Raises
    ------
    ValueError
        For labels that are no whole numbers from 0 on or too large, and matrices of another shape.
    """
    arrays = [np.asarray(each) for each in labels]
    for k, each in enumerate(arrays):
        if each.ndim != 1 or (each.size and each.dtype.kind not in "iu"):
            raise ValueError(
                f"labels[{k}] has shape {each.shape} and dtype {each.dtype}: give whole numbers, (event), for each movement"
            )
    legal = None if allowed is None else np.asarray(allowed) > 0
    if legal is not None and (legal.ndim != 2 or legal.shape[0] != legal.shape[1]):
        raise ValueError(f"allowed has shape {legal.shape}: give one row and one column for each primitive")
    largest = max((int(each.max()) for each in arrays if each.size), default=-1)
    size = (
        (max(largest + 1, 1) if legal is None else len(legal))
        if primitives is None
        else whole(primitives, "primitives")
    )
    if legal is not None and len(legal) != size:
        raise ValueError(f"allowed has {len(legal)} rows for {size} primitives: give one for each")
    if largest >= size or any(each.size and each.min() < 0 for each in arrays):
        wrong = largest if largest >= size else min(int(each.min()) for each in arrays if each.size)
        raise ValueError(f"labels holds {wrong}: there are primitives 0 to {size - 1}")
    counts = np.zeros((size, size), dtype=np.int64)
    for each in arrays:
        if each.size:
            np.add.at(counts, (each[:-1], each[1:]), 1)
    low, high = np.zeros(counts.shape), np.ones(counts.shape)
    for i in np.flatnonzero(counts.any(axis=1)):
        for j in range(size):
            interval = binomial_interval(int(counts[i, j]), int(counts[i].sum()), confidence=confidence)
            low[i, j], high[i, j] = interval.low, interval.high
    return TransitionTable(counts, _rows(counts), low, high, legal, confidence)


def _rows(counts: IntArray) -> FloatArray:
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
