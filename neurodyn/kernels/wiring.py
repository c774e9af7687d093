"""Random wiring: the targets of each source, drawn from the counter so that no other part shifts them."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodyn.kernels import uncompiled
from neurodyn.kernels.philox import _LOW, _SCALE, _1, _12, _20, _32, _rounds


@njit(cache=True, error_model="numpy", nogil=True)
def random_rows(sources, targets, probability, seed, stream, skip_self):
    """Return (indptr, targets) of a Bernoulli graph, by geometric jumps along each row: O(synapses) draws."""
    indptr = np.zeros(sources + 1, dtype=np.int64)
    expected = sources * targets * probability
    capacity = np.int64(expected + 6.0 * np.sqrt(expected)) + 64
    found = np.empty(capacity, dtype=np.int32)
    k0, k1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _32
    stay = np.log1p(-probability) if probability < 1.0 else -np.inf
    count = 0
    for row in range(sources if probability > 0.0 else 0):
        position, index = np.int64(-1), np.uint64(0)
        while True:
            w0, w1, w2, w3 = _rounds(index, np.uint64(row), np.uint64(0), np.uint64(stream), k0, k1)
            index += _1
            u = (np.float64((w0 << _20) | (w1 >> _12)) + 0.5) * _SCALE
            jump = np.floor(np.log(u) / stay)
            if not jump < targets:
                break
            position += 1 + np.int64(jump)
            if position >= targets:
                break
            if skip_self and position == row:
                continue
            if count == capacity:
                capacity *= 2
                larger = np.empty(capacity, dtype=np.int32)
                for q in range(count):  # a slice here makes Numba compile the text of its error message: 1.6 s
                    larger[q] = found[q]
                found = larger
            found[count] = position
            count += 1
        indptr[row + 1] = count
    return indptr, found[:count]


def draw_rows(sources, targets, probability, seed, stream, skip_self):
    """Return what :func:`random_rows` does, by whatever is there sooner."""
    rows = random_rows
    if not random_rows.signatures and uncompiled.suffices(sources * uncompiled.width(targets, probability)):
        rows = uncompiled.random_rows
    return rows(sources, targets, probability, seed, stream, skip_self)


@njit(cache=True, error_model="numpy", nogil=True)
def starts_in_rows(indptr, targets, starts, out):
    """Fill ``out`` (sources, ranges + 1) with the first synapse onto each range of targets; return whether rows are sorted."""
    for j in range(indptr.size - 1):
        before, k = -1, 0
        for z in range(indptr[j], indptr[j + 1]):
            i = targets[z]
            if i < before:
                return False
            before = i
            while k < starts.size and i >= starts[k]:
                out[j, k] = z
                k += 1
        while k < starts.size:
            out[j, k] = indptr[j + 1]
            k += 1
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def synapses_by_target(targets, first, synapses):
    """Fill ``first`` (units + 1,) and ``synapses`` with the synapses onto each unit, in ascending order."""
    for i in targets:
        first[i + 1] += 1
    for i in range(first.size - 1):
        first[i + 1] += first[i]
    place = first[:-1].copy()
    for z in range(targets.size):
        i = targets[z]
        synapses[place[i]] = z
        place[i] += 1


@njit(cache=True, error_model="numpy", nogil=True)
def synapses_by_lag(indptr, delays, lags, first, synapses):
    """Fill ``first`` (lags, sources + 1) and ``synapses`` with the synapses of each source with each of the ``lags``."""
    lag = np.zeros(lags[0] + 1, np.int64)
    for k in range(lags.size):
        lag[lags[k]] = k
    place = np.zeros((lags.size, first.shape[1] - 1), np.int64)
    for j in range(first.shape[1] - 1):
        for z in range(indptr[j], indptr[j + 1]):
            place[lag[delays[z]], j] += 1
    total = 0
    for k in range(lags.size):
        for j in range(first.shape[1] - 1):
            first[k, j] = total
            total += place[k, j]
            place[k, j] = first[k, j]
        first[k, -1] = total
    for j in range(first.shape[1] - 1):
        for z in range(indptr[j], indptr[j + 1]):
            k = lag[delays[z]]
            synapses[place[k, j]] = z
            place[k, j] += 1
