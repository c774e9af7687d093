"""Checks of the edges of a finite-state machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodyn.tasks.fields import whole

Edge = tuple[int, int, int, float]  # state, next state, symbol, probability

_SUM = 1e-9  # how far the probabilities of a state may be from a sum of 1


def machine_edges(given: Any, start: int) -> tuple[Edge, ...]:
    """Edges as tuples of numbers, checked; every state is reached from ``start`` and left again."""
    try:
        edges = tuple(_edge(tuple(edge), f"edges[{k}]") for k, edge in enumerate(given))
    except TypeError:
        raise ValueError(f"edges={given!r}: give (state, next state, symbol, probability) for each edge") from None
    if not edges:
        raise ValueError("edges is empty: give at least one (state, next state, symbol, probability)")
    known: dict[Edge | tuple[int, ...], int] = {}
    for k, edge in enumerate(edges):
        if edge[:3] in known:
            raise ValueError(
                f"edges[{known[edge[:3]]}] and edges[{k}] both lead from state {edge[0]} to {edge[1]} with symbol "
                f"{edge[2]}: give one edge with the sum of their probabilities"
            )
        known[edge[:3]] = k
    states = 1 + max(max(edge[:2]) for edge in edges)
    if start >= states:
        raise ValueError(f"start={start}: the edges have states 0 to {states - 1}")
    for state in range(states):
        leaving = [edge[3] for edge in edges if edge[0] == state]
        if not leaving:
            raise ValueError(
                f"state {state} has no edge that leaves it: states count from 0 without a gap, and none ends"
            )
        if abs(sum(leaving) - 1) > _SUM:
            raise ValueError(
                f"the edges that leave state {state} have probabilities with a sum of {sum(leaving):.10g}; it has to be 1"
            )
    reached = _reached(edges, states, start)
    if not reached.all():
        missing = np.flatnonzero(~reached).tolist()
        raise ValueError(f"states {missing} are not reached from start={start}: leave them out, or add an edge to them")
    return edges


def _edge(values: tuple[Any, ...], name: str) -> Edge:
    if len(values) != 4:
        raise ValueError(f"{name}={values!r}: give (state, next state, symbol, probability)")
    state, following, symbol = (
        whole(value, f"{what} of {name}", 0)
        for value, what in zip(values, ("state", "next state", "symbol"), strict=False)
    )
    try:
        probability = float(values[3])
    except (TypeError, ValueError):
        probability = np.nan
    if not 0 < probability <= 1:  # refuses NaN too
        raise ValueError(
            f"probability of {name}={values[3]!r}: above 0, at most 1; leave out edges that are never taken"
        )
    return state, following, symbol, probability


def _reached(edges: tuple[Edge, ...], states: int, start: int) -> np.ndarray:
    reached = np.arange(states) == start
    for _ in range(states):
        for state, following, *_ in edges:
            reached[following] |= reached[state]
    return reached
