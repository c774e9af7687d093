"""A training step of a leaky rate network, compiled: states, loss and gradient of a tile of sequences in one call.

The recurrence is that of :mod:`neurodyn.kernels.rnn_scan`. Inputs and a 1, for the biases, stand behind the states of the
units, so that one product takes all of a step. Matrices lie in flat arrays with rows of ``ld`` numbers; what stands behind
what is named here is never read. Gradients of a tile are parts of one flat array, added up outside.

Loops run over slices: of an index that might be negative a compiler makes no vectors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from neurodyn.kernels.elementary import exp, tanh
from neurodyn.kernels.matmul import WIDTH, add_product, whole
from neurodyn.kernels.rnn_scan import SLOPE

LEAKY_RELU, RELU, TANH, SIGMOID, IDENTITY = range(5)  # in the order of rnn_scan.ACTIVATIONS
TOGETHER = 4  # steps whose terms in the gradient of the weights are one product


class Sizes(NamedTuple):
    """Sizes of a step, and where the parts of a gradient begin."""

    units: int
    channels: int
    depth: int  # units, inputs and the 1
    logits: int  # of all heads in use
    outputs: int  # of a head
    columns: int  # units in whole tiles
    ld: int
    logit_columns: int
    activation: int
    inner: bool
    of_read: (
        int  # of the readout (logit, ld), rows in whole tiles; that of the weights before it, tile of columns by tile
    )
    of_drive: int  # (channel + 1, ld), biases last, in whole tiles too
    of_leak: int  # (ld,)
    of_read_bias: int  # (logit_columns,)
    size: int


class Weights(NamedTuple):
    """What the parameters act as; matrices for products lie tile of columns by tile."""

    across: np.ndarray  # A transposed, from a source to all targets, then that of inputs and biases
    back: np.ndarray  # A
    keep: np.ndarray  # (ld,), of "inner"
    gain: np.ndarray  # (ld,): what the noise, or f, is multiplied by
    read: np.ndarray  # from units to logits
    read_back: np.ndarray
    read_bias: np.ndarray  # (logit_columns,)


@njit(cache=True, error_model="numpy", nogil=True)
def _apply(y, kind):
    """f in place."""
    one, slope, zero = y.dtype.type(1), y.dtype.type(SLOPE), y.dtype.type(0)
    if kind == LEAKY_RELU:
        for i in range(len(y)):
            y[i] = y[i] if y[i] > zero else slope * y[i]
    elif kind == RELU:
        for i in range(len(y)):
            y[i] = zero if y[i] < zero else y[i]
    elif kind == TANH:
        for i in range(len(y)):
            y[i] = tanh(y[i])
    elif kind == SIGMOID:
        for i in range(len(y)):
            y[i] = one / (one + exp(-y[i]))


@njit(cache=True, error_model="numpy", nogil=True)
def _slope(d, y, kind):
    """Multiply d by f', from the values y of f, in place; what is too small to matter becomes 0, see ``rnn_scan._flush``."""
    one, slope, zero = d.dtype.type(1), d.dtype.type(SLOPE), d.dtype.type(0)
    if kind == LEAKY_RELU:
        for i in range(len(d)):
            d[i] *= one if y[i] > zero else slope
    elif kind == RELU:
        for i in range(len(d)):
            d[i] = zero if y[i] <= zero else d[i]
    elif kind == TANH:
        for i in range(len(d)):
            d[i] *= one - y[i] * y[i]
    elif kind == SIGMOID:
        for i in range(len(d)):
            d[i] *= y[i] * (one - y[i])
    least = d.dtype.type(np.sqrt(np.finfo(d.dtype).tiny))
    for i in range(len(d)):
        d[i] = zero if abs(d[i]) < least else d[i]


@njit(cache=True, error_model="numpy", nogil=True)
def copy(y, a):
    """y = a; that of Numba takes seconds to compile, for its message about shapes."""
    for i in range(len(a)):
        y[i] = a[i]


@njit(cache=True, error_model="numpy", nogil=True)
def _add(y, a, b):
    """y += a b, number by number."""
    for i in range(len(a)):
        y[i] += a[i] * b[i]


@njit(cache=True, error_model="numpy", nogil=True)
def _see(s, x, first, count, r, at):
    """Put inputs (batch, channel) and the 1 behind the states of a step, which begin at ``at``."""
    for m in range(count):
        behind = r[at + m * s.ld + s.units : at + m * s.ld + s.depth]
        copy(behind, x[first + m])
        behind[s.channels] = 1


@njit(cache=True, error_model="numpy", nogil=True)
def forward(s, w, x, start, noise, first, count, rows, r, v):
    """Write r(0) ... r(T) of sequences ``first`` to ``first + count`` to ``r``, and f of "inner" to ``v``.

    ``x`` (time, batch, channel), ``start`` (batch, unit), ``noise`` (time, batch, unit), without a step if there is none.
    """
    steps, ld, n = x.shape[0], s.ld, rows * s.ld
    across, keep, gain = w.across, w.keep, w.gain
    width = WIDTH // x.itemsize
    r[:n] = 0
    for m in range(count):
        copy(r[m * ld : m * ld + s.units], start[first + m])
    inside = v if s.inner else r
    for t in range(steps):
        before = t * n
        to = before if s.inner else before + n
        _see(s, x[t], first, count, r, before)
        inside[to : to + n] = 0
        if len(noise):
            for m in range(count):
                row = inside[to + m * ld : to + m * ld + s.units]
                if s.inner:
                    copy(row, noise[t, first + m])
                else:
                    _add(row, noise[t, first + m], gain)
        add_product(inside, to, ld, rows, s.columns, r, before, ld, 1, across, 0, width, s.depth * width, s.depth)
        _apply(inside[to : to + n], s.activation)
        if s.inner:
            for m in range(rows):
                row = before + m * ld
                new = r[row + n : row + n + ld]
                new[:] = 0
                _add(new, keep, r[row : row + ld])
                _add(new, gain, v[row : row + ld])


@njit(cache=True, error_model="numpy", nogil=True)
def read(s, w, r, at, rows, logits):
    """Write the logits (row, logit_columns) of the states at ``at``."""
    wide = s.logit_columns
    for m in range(rows):
        copy(logits[m * wide : (m + 1) * wide], w.read_bias)
    width = WIDTH // r.itemsize
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


@njit(cache=True, error_model="numpy", nogil=True)
def backward(s, w, x, noise, first, count, rows, r, v, logits, d, g, grad):
    """Write the gradient of all that a tile has to do with to ``grad``, from that of the logits.

    ``d`` (TOGETHER, row, ld) and ``g`` (row, ld) are working memory.
    """
    steps, ld, n, wide = x.shape[0], s.ld, rows * s.ld, s.logit_columns
    back, keep, gain = w.back, w.keep, w.gain
    width = WIDTH // x.itemsize
    grad[:] = 0
    add_product(grad, s.of_read, ld, whole(s.logits), s.columns, logits, 0, 1, wide, r, steps * n, ld, width, rows)
    of_bias, leak = grad[s.of_read_bias : s.of_read_bias + wide], grad[s.of_leak : s.of_leak + ld]
    for m in range(count):
        row = logits[m * wide : (m + 1) * wide]
        for q in range(wide):
            of_bias[q] += row[q]
    g[:n] = 0
    add_product(g, 0, ld, rows, s.columns, logits, 0, wide, 1, w.read_back, 0, width, s.logits * width, s.logits)
    for t in range(steps - 1, -1, -1):
        slot, now = t % TOGETHER, t * n
        to = slot * n
        inside = d[to : to + n]
        if s.inner:
            for m in range(rows):
                row = m * ld
                flow = g[row : row + ld]
                new = inside[row : row + ld]
                new[:] = 0
                _add(new, flow, gain)
                value, before = v[now + row : now + row + ld], r[now + row : now + row + ld]
                for i in range(ld):
                    leak[i] += flow[i] * (value[i] - before[i])
            _slope(inside, v[now : now + n], s.activation)
        else:
            copy(inside, g[:n])
            _slope(inside, r[now + n : now + 2 * n], s.activation)
            if len(noise):
                for m in range(count):
                    _add(leak, noise[t, first + m], inside[m * ld : (m + 1) * ld])
        if slot == 0:
            depth = rows * min(TOGETHER, steps - t)
            many, tall = whole(s.channels + 1), whole(s.units)
            for k in range(0, s.columns, width):
                add_product(grad, k * tall, width, tall, width, d, 0, 1, ld, r, now + k, ld, 0, depth)
            add_product(grad, s.of_drive, ld, many, s.columns, r, now + s.units, 1, ld, d, 0, ld, width, depth)
        if t:
            if s.inner:
                for m in range(rows):
                    flow = g[m * ld : (m + 1) * ld]
                    for i in range(ld):
                        flow[i] *= keep[i]
            else:
                g[:n] = 0
            add_product(g, 0, ld, rows, s.columns, d, to, ld, 1, back, 0, width, s.units * width, s.units)


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
