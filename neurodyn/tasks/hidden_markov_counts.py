"""Expected counts of a hidden Markov model, for its fit: in plain probabilities where these are exact.

Sums of products of positive numbers lose no digits unless a product underflows. Each sequence is watched for that;
those in which it could happen are left to the recursions in log space, which take five times as long or more.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_SMALL = 1e-280  # far enough above the smallest float64
_LARGE = 1e280


@njit(cache=True, error_model="numpy", nogil=True)
def scaled_counts(symbols, ends, start, transition, emission):
    """Return log-likelihoods (sequence,), which of them are exact (sequence,), and the expected counts of these.

    The counts are (state,) for starts, (state, next state) for transitions and (state, symbol) for emissions, summed
    over exact sequences.
    """
    states, sequences = len(start), len(ends)
    likelihood, exact = np.zeros(sequences), np.zeros(sequences, dtype=np.bool_)
    starts, moves, emitted = np.zeros(start.shape), np.zeros(transition.shape), np.zeros(emission.shape)
    longest = 0
    for k in range(sequences):
        longest = max(longest, ends[k] - (ends[k - 1] if k else 0))
    filtered, scale = np.empty((longest, states)), np.empty(longest)
    floor = min(_least(start), _least(transition.ravel())) * _least(emission.ravel())
    begin = 0
    for k in range(sequences):
        x = symbols[begin : ends[k]]
        begin = ends[k]
        if not _forward(x, start, transition, emission, floor, filtered, scale):
            continue
        here_moves, here_emitted = np.zeros(transition.shape), np.zeros(emission.shape)
        if not _backward(x, transition, emission, floor, filtered, scale, here_moves, here_emitted):
            continue
        exact[k] = True
        likelihood[k] = np.log(scale[: len(x)]).sum()
        moves += here_moves
        emitted += here_emitted
        starts += filtered[0]
    return likelihood, exact, starts, moves, emitted


@njit(cache=True, error_model="numpy", nogil=True)
def _least(values):
    """The smallest positive one of values up to 1; 1 if there is none."""
    least = 1.0
    for value in values:
        if 0 < value < least:
            least = value
    return least


@njit(cache=True, error_model="numpy", nogil=True)
def _forward(x, start, transition, emission, floor, filtered, scale):
    """Fill p(state | symbols so far) and p(symbol | those before it); return whether nothing could underflow."""
    states = len(start)
    least = 1.0
    for t in range(len(x)):
        if least * floor < _SMALL:
            return False
        total = 0.0
        for j in range(states):
            value = 0.0
            if t == 0:
                value = start[j]
            else:
                for i in range(states):
                    value += filtered[t - 1, i] * transition[i, j]
            filtered[t, j] = value * emission[j, x[t]]
            total += filtered[t, j]
        if total == 0:
            return False  # impossible
        scale[t] = total
        for j in range(states):
            filtered[t, j] /= total
        least = _least(filtered[t])
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _backward(x, transition, emission, floor, filtered, scale, moves, emitted):
    """Add expected counts, and turn the first row of filtered into p(state | all symbols); return as _forward."""
    states = len(transition)
    later, weight = np.ones(states), np.empty(states)
    for i in range(states):
        emitted[i, x[-1]] += filtered[len(x) - 1, i]
    for t in range(len(x) - 2, -1, -1):
        if _least(later) * floor < _SMALL:
            return False
        for j in range(states):
            weight[j] = emission[j, x[t + 1]] * later[j] / scale[t + 1]
            if not weight[j] < _LARGE:
                return False
        for i in range(states):
            later[i] = 0.0
            for j in range(states):
                share = transition[i, j] * weight[j]
                later[i] += share
                moves[i, j] += filtered[t, i] * share
            emitted[i, x[t]] += filtered[t, i] * later[i]
    for i in range(states):
        filtered[0, i] *= later[i]
    return True
