"""A training step of a leaky rate network, compiled: states, loss and gradient of a tile of sequences in one call.

The recurrence is that of :mod:`neurodyn.kernels.rnn_scan`. All matrices lie in flat arrays with rows of ``ld`` numbers, more
than there are units, and what is beyond is never read. Gradients of a tile are parts of one flat array, added up outside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from neurodyn.kernels.elementary import exp, tanh
from neurodyn.kernels.rnn_scan import SLOPE
from neurodyn.kernels.matmul import LANES, WIDTH, add_product

LEAKY_RELU, RELU, TANH, SIGMOID, IDENTITY = range(5)  # in the order of rnn_scan.ACTIVATIONS
TOGETHER = 4  # steps whose terms in the gradient of the weights are one product
_FAST = {"reassoc", "contract", "nsz"}


class Sizes(NamedTuple):
    """Sizes of a step, and where the parts of a gradient begin."""

    units: int
    channels: int
    logits: int  # of all heads in use
    outputs: int  # of a head
    columns: int  # units in whole tiles
    ld: int
    logit_columns: int
    activation: int
    inner: bool
    of_read: int  # gradient of the readout (logit, ld) after that of the weights (unit, ld), each with rows in whole tiles
    of_drive: int  # (channel + 1, ld), biases last
    of_leak: int  # (ld,)
    of_read_bias: int  # (logit_columns,)
    size: int


class Weights(NamedTuple):
    """What the parameters act as; matrices for products lie tile of columns by tile."""

    across: np.ndarray  # A transposed: from a source to all targets
    back: np.ndarray  # A
    drive: np.ndarray  # (channel + 1, ld)
    keep: np.ndarray  # (ld,), of "inner"
    gain: np.ndarray  # (ld,): what the noise, or f, is multiplied by
    read: np.ndarray  # from units to logits
    read_back: np.ndarray
    read_bias: np.ndarray  # (logit_columns,)


@njit(cache=True, error_model="numpy", nogil=True)
def _apply(y, at, n, kind):
    """f in place."""
    one, slope, zero = y.dtype.type(1), y.dtype.type(SLOPE), y.dtype.type(0)
    if kind == LEAKY_RELU:
        for i in range(at, at + n):
            y[i] = y[i] if y[i] > zero else slope * y[i]
    elif kind == RELU:
        for i in range(at, at + n):
            y[i] = zero if y[i] < zero else y[i]
    elif kind == TANH:
        for i in range(at, at + n):
            y[i] = tanh(y[i])
    elif kind == SIGMOID:
        for i in range(at, at + n):
            y[i] = one / (one + exp(-y[i]))


@njit(cache=True, error_model="numpy", nogil=True)
def _slope(d, to, y, at, n, kind):
    """Multiply d by f', from the values y of f, in place; what is too small to matter becomes 0, see ``rnn_scan._flush``."""
    one, slope, zero = d.dtype.type(1), d.dtype.type(SLOPE), d.dtype.type(0)
    if kind == LEAKY_RELU:
        for i in range(n):
            d[to + i] = d[to + i] if y[at + i] > zero else slope * d[to + i]
    elif kind == RELU:
        for i in range(n):
            d[to + i] = zero if y[at + i] <= zero else d[to + i]
    elif kind == TANH:
        for i in range(n):
            d[to + i] *= one - y[at + i] * y[at + i]
    elif kind == SIGMOID:
        for i in range(n):
            d[to + i] *= y[at + i] * (one - y[at + i])
    least = d.dtype.type(np.sqrt(np.finfo(d.dtype).tiny))
    for i in range(to, to + n):
        d[i] = zero if abs(d[i]) < least else d[i]


@njit(cache=True, error_model="numpy", nogil=True)
def forward(s, w, x, start, noise, first, count, rows, r, v):
    """Write r(0) ... r(T) of sequences ``first`` to ``first + count`` to ``r``, and f of "inner" to ``v``.

    ``x`` (time, batch, channel), ``start`` (batch, unit), ``noise`` (time, batch, unit), without a step if there is none.
    """
    steps, ld, n = x.shape[0], s.ld, rows * s.ld
    r[:n] = 0
    for m in range(count):
        r[m * ld : m * ld + s.units] = start[first + m]
    inside = v if s.inner else r
    bias = s.channels * ld
    for t in range(steps):
        before = t * n
        to = before if s.inner else before + n
        for m in range(rows):
            row = to + m * ld
            if m >= count:
                inside[row : row + ld] = 0
                continue
            for i in range(ld):
                inside[row + i] = w.drive[bias + i]
            for c in range(s.channels):
                seen = x[t, first + m, c]
                for i in range(ld):
                    inside[row + i] += seen * w.drive[c * ld + i]
            if len(noise) and s.inner:
                for i in range(s.units):
                    inside[row + i] += noise[t, first + m, i]
            elif len(noise):
                for i in range(s.units):
                    inside[row + i] += w.gain[i] * noise[t, first + m, i]
        width = WIDTH // x.itemsize
        add_product(inside, to, ld, rows, s.columns, r, before, ld, 1, w.across, 0, width, s.units * width, s.units)
        _apply(inside, to, n, s.activation)
        if s.inner:
            for m in range(rows):
                row = before + m * ld
                for i in range(ld):
                    r[row + n + i] = w.keep[i] * r[row + i] + w.gain[i] * v[row + i]


@njit(cache=True, error_model="numpy", nogil=True)
def read(s, w, r, at, rows, logits):
    """Write the logits (row, logit_columns) of the states at ``at``."""
    for m in range(rows):
        for q in range(s.logit_columns):
            logits[m * s.logit_columns + q] = w.read_bias[q]
    width = WIDTH // r.itemsize
    wide = s.logit_columns
    add_product(logits, 0, wide, rows, wide, r, at, s.ld, 1, w.read, 0, width, s.units * width, s.units)


@njit(cache=True, error_model="numpy", nogil=True)
def cross_entropy(s, logits, labels, first, count, rows, per):
    """Return the cross-entropy summed over heads and sequences; its gradient, times ``per``, replaces the logits."""
    total, wide = 0.0, s.logit_columns
    for m in range(count):
        for head in range(s.logits // s.outputs):
            at = m * wide + head * s.outputs
            largest = logits[at]
            for q in range(at + 1, at + s.outputs):
                largest = max(largest, logits[q])
            target = at + labels[head, first + m]
            aside = logits[target] - largest
            norm = logits[at] * 0
            for q in range(at, at + s.outputs):
                logits[q] = np.exp(logits[q] - largest)
                norm += logits[q]
            total += np.log(norm) - aside
            for q in range(at, at + s.outputs):
                logits[q] *= per / norm
            logits[target] -= per
        logits[m * wide + s.logits : (m + 1) * wide] = 0
    logits[count * wide : rows * wide] = 0
    return total


@njit(cache=True, error_model="numpy", nogil=True, fastmath=_FAST)
def backward(s, w, x, noise, first, count, rows, r, v, logits, d, g, grad):
    """Write the gradient of all that a tile has to do with to ``grad``, from that of the logits.

    ``d`` (TOGETHER, row, ld) and ``g`` (row, ld) are working memory.
    """
    steps, ld, n, wide = x.shape[0], s.ld, rows * s.ld, s.logit_columns
    width = WIDTH // x.itemsize
    grad[:] = 0
    last = steps * n
    tall = -(-s.logits // LANES) * LANES
    add_product(grad, s.of_read, ld, tall, s.columns, logits, 0, 1, wide, r, last, ld, width, rows)
    for m in range(count):
        for q in range(s.logits):
            grad[s.of_read_bias + q] += logits[m * wide + q]
    g[:n] = 0
    add_product(g, 0, ld, rows, s.columns, logits, 0, wide, 1, w.read_back, 0, width, s.logits * width, s.logits)
    tall, bias = -(-s.units // LANES) * LANES, s.of_drive + s.channels * ld
    for t in range(steps - 1, -1, -1):
        slot = t % TOGETHER
        to = slot * n
        if s.inner:
            for m in range(rows):
                row = m * ld
                for i in range(ld):
                    d[to + row + i] = w.gain[i] * g[row + i]
                    grad[s.of_leak + i] += g[row + i] * (v[t * n + row + i] - r[t * n + row + i])
            _slope(d, to, v, t * n, n, s.activation)
        else:
            d[to : to + n] = g[:n]
            _slope(d, to, r, (t + 1) * n, n, s.activation)
        for m in range(count):
            row = to + m * ld
            for i in range(ld):
                grad[bias + i] += d[row + i]
            for c in range(s.channels):
                seen, at = x[t, first + m, c], s.of_drive + c * ld
                for i in range(ld):
                    grad[at + i] += seen * d[row + i]
            if len(noise) and not s.inner:
                for i in range(s.units):
                    grad[s.of_leak + i] += noise[t, first + m, i] * d[row + i]
        if slot == 0:
            depth = rows * min(TOGETHER, steps - t)
            add_product(grad, 0, ld, tall, s.columns, d, 0, 1, ld, r, t * n, ld, width, depth)
        if t:
            if s.inner:
                for m in range(rows):
                    for i in range(ld):
                        g[m * ld + i] *= w.keep[i]
            else:
                g[:n] = 0
            add_product(g, 0, ld, rows, s.columns, d, to, ld, 1, w.back, 0, width, s.units * width, s.units)


@njit(cache=True, error_model="numpy", nogil=True)
def train_tile(s, w, x, start, noise, labels, first, count, rows, per, r, v, logits, d, g, grad):
    """Return the loss of a tile, summed over its sequences; its gradient, times ``per``, goes to ``grad``."""
    forward(s, w, x, start, noise, first, count, rows, r, v)
    read(s, w, r, len(x) * rows * s.ld, rows, logits)
    total = cross_entropy(s, logits, labels, first, count, rows, per)
    backward(s, w, x, noise, first, count, rows, r, v, logits, d, g, grad)
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def test_tile(s, w, x, start, noise, first, count, rows, r, v, logits, found):
    """Write the logits of a tile to ``found`` (batch, logit)."""
    forward(s, w, x, start, noise, first, count, rows, r, v)
    read(s, w, r, len(x) * rows * s.ld, rows, logits)
    for m in range(count):
        for q in range(s.logits):
            found[first + m, q] = logits[m * s.logit_columns + q]
