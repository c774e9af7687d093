"""Recursions of hidden Markov models over sequences laid end to end, in log space.

``start`` (state,), ``transition`` (state, state) and ``emission`` (state, symbol) are logarithms of probabilities;
``symbols`` (step,) holds the sequences and ``ends`` (sequence,) where each ends. Everything is kept relative to the
step before, so that neither small probabilities nor long sequences cost digits.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def forward(symbols, ends, start, transition, emission):
    """Return log p(state | symbols so far), (step, state), and log p(symbol | symbols before it), (step,).

    From an impossible symbol on to the end of its sequence, both are -inf.
    """
    states = len(start)
    filtered = np.full((len(symbols), states), -np.inf)
    predicted = np.full(len(symbols), -np.inf)
    here = np.empty(states)
    begin = 0
    for end in ends:
        for t in range(begin, end):
            highest = -np.inf
            for j in range(states):
                here[j] = start[j] if t == begin else _into(filtered[t - 1], transition, j)
                here[j] += emission[j, symbols[t]]
                highest = max(highest, here[j])
            if highest == -np.inf:
                break
            total = 0.0
            for j in range(states):
                total += np.exp(here[j] - highest)
            predicted[t] = highest + np.log(total)
            for j in range(states):
                filtered[t, j] = here[j] - predicted[t]
        begin = end
    return filtered, predicted


@njit(cache=True, error_model="numpy", nogil=True)
def _into(before, transition, j):
    """Log of the sum over i of exp(before[i] + transition[i, j])."""
    highest = -np.inf
    for i in range(len(before)):
        highest = max(highest, before[i] + transition[i, j])
    if highest == -np.inf:
        return highest
    total = 0.0
    for i in range(len(before)):
        total += np.exp(before[i] + transition[i, j] - highest)
    return highest + np.log(total)


@njit(cache=True, error_model="numpy", nogil=True)
def backward(symbols, ends, transition, emission, filtered, predicted):
    """Return p(state | whole sequence), (step, state), and expected numbers of transitions, (state, next state).

    The latter are summed over all sequences.
    """
    states = len(transition)
    posterior = np.empty_like(filtered)
    counts = np.zeros((states, states))
    later, now, terms = np.empty(states), np.empty(states), np.empty(states)
    begin = 0
    for end in ends:
        later[:] = 0.0  # log p(symbols after t | state) / p(symbols after t | symbols so far)
        posterior[end - 1] = np.exp(filtered[end - 1])
        for t in range(end - 2, begin - 1, -1):
            for i in range(states):
                highest = -np.inf
                for j in range(states):
                    terms[j] = transition[i, j] + emission[j, symbols[t + 1]] + later[j] - predicted[t + 1]
                    highest = max(highest, terms[j])
                now[i] = highest
                posterior[t, i] = 0.0
                if highest == -np.inf:
                    continue
                total = 0.0
                weight = np.exp(filtered[t, i] + highest)
                for j in range(states):
                    share = np.exp(terms[j] - highest)
                    total += share
                    counts[i, j] += weight * share
                now[i] = highest + np.log(total)
                posterior[t, i] = np.exp(filtered[t, i] + now[i])
            later[:] = now
        begin = end
    return posterior, counts


@njit(cache=True, error_model="numpy", nogil=True)
def best_paths(symbols, ends, start, transition, emission):
    """Return the most probable states, (step,), and the log of their joint probability with the symbols, (sequence,).

    Of equally probable predecessors, the first is taken; an impossible sequence has -inf and a path without meaning.
    """
    states = len(start)
    path = np.zeros(len(symbols), dtype=np.int64)
    best = np.empty(len(ends))
    origin = np.zeros((len(symbols), states), dtype=np.int32)
    score, following = np.empty(states), np.empty(states)
    begin = 0
    for k in range(len(ends)):
        for j in range(states):
            score[j] = start[j] + emission[j, symbols[begin]]
        for t in range(begin + 1, ends[k]):
            for j in range(states):
                highest, source = -np.inf, 0
                for i in range(states):
                    value = score[i] + transition[i, j]
                    if value > highest:
                        highest, source = value, i
                following[j] = highest + emission[j, symbols[t]]
                origin[t, j] = source
            score[:] = following
        state = np.argmax(score)
        best[k] = score[state]
        for t in range(ends[k] - 1, begin - 1, -1):
            path[t] = state
            state = origin[t, state]
        begin = ends[k]
    return path, best
