"""Checks of rows of probabilities, the stationary distribution of a chain, and edges to draw from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_SUM = 1e-9  # how far the sum of a row may be from 1


def rows(given: Any, name: str, *, ndim: int = 2) -> FloatArray:
    """Rows of probabilities as a read-only copy; each sums to 1."""
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {given!r}: give rows of numbers, all of one length") from None
    if array.ndim != ndim or not array.size:
        shape = "(row, column)" if ndim == 2 else "(state,)"
        raise ValueError(f"{name} has shape {array.shape}: give {shape}, with no empty axis")
    for number, row in enumerate(np.atleast_2d(array)):
        where = f"{name}: row {number}" if ndim == 2 else name
        bad = np.flatnonzero(~((row >= 0) & (row <= 1)))  # refuses NaN too
        if bad.size:
            raise ValueError(f"{where} holds {row[bad[0]]:g} in column {bad[0]}; probabilities lie between 0 and 1")
        if abs(row.sum() - 1) > _SUM:
            raise ValueError(f"{where} sums to {row.sum():.10g}; it has to be 1: divide it by its sum, in float64")
    array.setflags(write=False)
    return array


def stationary(transition: FloatArray) -> FloatArray:
    """The distribution that the chain keeps, shape (state,).

    By elimination of one state after the other, without a subtraction (Grassmann, Taksar & Heyman 1985): exact to
    rounding, also for states that are nearly never left.

    Raises
    ------
    ValueError
        For a chain with several sets of states that are never left: it keeps more than one distribution.
    """
    closed = closed_sets(transition)
    if len(closed) > 1:
        raise ValueError(
            f"transition: states {' and '.join(map(str, closed))} are sets that are never left, so no distribution is "
            "the stationary one; give a start, or a way from one set to another"
        )
    members = closed[0]
    p = transition[np.ix_(members, members)].copy()
    size = len(members)
    for last in range(size - 1, 0, -1):
        p[:last, last] /= p[last, :last].sum()
        p[:last, :last] += np.outer(p[:last, last], p[last, :last])
    weights = np.ones(size)
    for state in range(1, size):
        weights[state] = weights[:state] @ p[:state, state]
    result = np.zeros(len(transition))
    result[members] = weights / weights.sum()
    return result


def closed_sets(transition: FloatArray) -> list[list[int]]:
    """Sets of states that are reached from one another and never left."""
    size = len(transition)
    reached = np.eye(size, dtype=bool) | (transition > 0)
    for _ in range(size.bit_length()):  # paths of 1, 2, 4, ... steps
        reached = (reached.astype(np.int64) @ reached) > 0
    recurrent = [i for i in range(size) if not (reached[i] & ~reached[:, i]).any()]
    sets = {tuple(np.flatnonzero(reached[i]).tolist()) for i in recurrent}
    return [list(members) for members in sorted(sets)]


def edges(probabilities: FloatArray) -> FloatArray:
    """Upper edges (row, column) such that the number of edges at or below a uniform in (0, 1) is the drawn column."""
    result = np.cumsum(probabilities, axis=1)
    for row, p in zip(result, probabilities, strict=True):
        row[np.flatnonzero(p)[-1] :] = 1.0  # a sum of 1 - 1e-16 must not let a draw fall off the end
    return result


def entropy(probabilities: FloatArray) -> FloatArray:
    """Entropy in nats along the last axis; 0 log 0 is 0."""
    logs = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return -np.sum(probabilities * logs, axis=-1)
