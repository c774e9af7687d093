"""Recursions of finite-state machines: a walk along edges, and the states that symbols leave possible."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def walk(uniforms, upper, following, emitted, start):
    """Return states before each step and symbols, (sequence, time) as ``uniforms``.

    ``upper`` (state, edge) are sums of the probabilities of edges, ``following`` and ``emitted`` their next states and
    symbols; rows are filled up with edges of an upper sum of 1.
    """
    states = np.empty(uniforms.shape, dtype=np.int64)
    symbols = np.empty(uniforms.shape, dtype=np.int64)
    for k in range(uniforms.shape[0]):
        here = start
        for t in range(uniforms.shape[1]):
            edge = 0
            while uniforms[k, t] >= upper[here, edge]:
                edge += 1
            states[k, t] = here
            symbols[k, t] = emitted[here, edge]
            here = following[here, edge]
    return states, symbols


@njit(cache=True, error_model="numpy", nogil=True)
def follow(symbols, ends, allowed, first):
    """Return which states are possible before each symbol (step, state), whether it is legal (step,), and the last ones.

    ``symbols`` (step,) holds sequences end to end, ``ends`` (sequence,) where each ends, ``allowed`` (symbol, state,
    next state) the edges, ``first`` (state,) the states possible in the beginning. After an illegal symbol any state is
    possible.
    """
    states = len(first)
    before = np.empty((len(symbols), states), dtype=np.bool_)
    legal = np.empty(len(symbols), dtype=np.bool_)
    after = np.empty((len(ends), states), dtype=np.bool_)
    here, later = np.empty(states, dtype=np.bool_), np.empty(states, dtype=np.bool_)
    begin = 0
    for k in range(len(ends)):
        here[:] = first
        for t in range(begin, ends[k]):
            before[t] = here
            legal[t] = False
            for j in range(states):
                later[j] = False
                for i in range(states):
                    if here[i] and allowed[symbols[t], i, j]:
                        later[j] = legal[t] = True
            for j in range(states):
                here[j] = later[j] or not legal[t]
        after[k] = here
        begin = ends[k]
    return before, legal, after
