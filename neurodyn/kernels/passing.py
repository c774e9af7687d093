"""Passing spikes on: weights into accumulators, accumulators onto their targets. Compiled once, for all circuits.

Within a row of synapses targets ascend or not, and sums are in the order of the loop. While some synapses of a row are
served, as many of the next spike's row are on their way from far memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodyn.kernels.vectors import prefetch, wide

_AT_ONCE = np.uint64(32)  # synapses: eight weights of float64 and at least sixteen targets are a cache line
_LINE = np.uint64(8)


@njit(cache=True, nogil=True, error_model="numpy")
def pass_on(row, units, count, starts, block, targets, weights):
    """Add the weights of the synapses of the first ``count`` of ``units`` to ``row`` (units,).

    ``starts`` (sources, blocks + 1) says where the synapses of a source onto each block of targets begin, and the end.
    """
    for q in range(count):
        j = units[q]
        z, end = starts[j, block], starts[j, block + 1]
        ahead = starts[units[min(q + 1, count - 1)], block] - z
        while z + _AT_ONCE <= end:
            prefetch(targets, z + ahead)
            for line in range(4):
                prefetch(weights, z + ahead + np.uint64(line) * _LINE)
            for y in range(z, z + _AT_ONCE):
                row[targets[y]] += weights[y]
            z += _AT_ONCE
        for y in range(z, end):
            row[targets[y]] += weights[y]


@njit(cache=True, nogil=True, error_model="numpy")
def pass_on_late(ring, slot, units, count, starts, block, targets, weights, delays):
    """Add weights likewise to the rows of ``ring`` (steps, units), each synapse ``delays`` steps behind ``slot``."""
    length = ring.shape[0]
    for q in range(count):
        j = units[q]
        for y in range(starts[j, block], starts[j, block + 1]):
            at = slot + delays[y]
            if at >= length:
                at -= length
            ring[at, targets[y]] += weights[y]


@njit(cache=True, nogil=True, error_model="numpy")
def settle(target, ring, due, low, high):
    """Add what is due to the units from ``low`` to ``high``, and empty its place."""
    wide()
    row = ring[due]
    for i in range(np.uint64(low), np.uint64(high)):
        target[i] += row[i]
        row[i] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def fill_due(ring, due, low, high, value):
    """Set what is due of the units from ``low`` to ``high``."""
    row = ring[due]
    for i in range(np.uint64(low), np.uint64(high)):
        row[i] = value
