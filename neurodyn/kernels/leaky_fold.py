"""What stands between the parameters of a leaky rate network and :mod:`neurodyn.kernels.leaky_step`, forth and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from neurodyn.kernels.leaky_step import Sizes, Weights, copy
from neurodyn.kernels.matmul import WIDTH, padded, whole


class Parameters(NamedTuple):
    """The parameters of a network as arrays; or their gradients, where that of alpha stands for the time constants."""

    recurrent: np.ndarray  # (unit, unit)
    drive: np.ndarray  # (unit, channel)
    bias: np.ndarray  # (unit,): the sum of both; the gradient is that of each
    alpha: np.ndarray  # (unit,)
    read: np.ndarray  # (logit, unit)
    read_bias: np.ndarray  # (logit,)


def sizes(units: int, channels: int, heads: int, outputs: int, *, activation: int, inner: bool, itemsize: int) -> Sizes:
    """Return the sizes of a step that uses so many heads."""
    columns, logits, line = padded(units, itemsize), heads * outputs, 64 // itemsize
    ld = -(-max(columns, units + whole(channels + 1)) // line) * line
    ld += line * (ld * itemsize % 1024 == 0)  # rows that lie a large power of two apart share few places of the cache
    of_read = whole(units) * columns
    of_drive = of_read + whole(logits) * ld
    of_leak = of_drive + whole(channels + 1) * ld
    of_bias = of_leak + ld
    return Sizes(
        units=units,
        channels=channels,
        depth=units + channels + 1,
        logits=logits,
        outputs=outputs,
        columns=columns,
        ld=ld,
        logit_columns=padded(logits, itemsize),
        activation=activation,
        inner=inner,
        of_read=of_read,
        of_drive=of_drive,
        of_leak=of_leak,
        of_read_bias=of_bias,
        size=of_bias + padded(logits, itemsize),
    )


def room(s: Sizes, dtype: np.dtype) -> Weights:
    """Return arrays for :func:`fold` to fill."""
    sizes = (s.columns * s.depth, s.columns * s.units, s.ld, s.ld, s.logit_columns * s.units, s.columns * s.logits)
    return Weights(*(np.zeros(n, dtype) for n in (*sizes, s.logit_columns)))


@njit(cache=True, error_model="numpy", nogil=True)
def fold(s, p, w, begin, end):
    """Write what the parameters act as to ``w``, tiles of columns ``begin`` to ``end``, and the readout with the first of them.

    ``p.recurrent`` holds the weights as they act.
    """
    recurrent, drive, bias, alphas = p.recurrent, p.drive, p.bias, p.alpha
    width, units = WIDTH // alphas.itemsize, s.units
    one = alphas.dtype.type(1)
    for tile in range(begin, end):
        at = tile * width
        many = min(width, units - at)
        to, back = at * s.depth, at * units
        for q in range(many):
            i = at + q
            alpha = alphas[i]
            scale = one if s.inner else alpha
            column = w.across[to + q :: width]
            source = recurrent[i]
            for j in range(units):
                column[j] = scale * source[j]
            for c in range(s.channels):
                column[units + c] = scale * drive[i, c]
            column[units + s.channels] = scale * bias[i]
            if not s.inner:
                column[i] += one - alpha
            w.keep[i] = one - alpha
            w.gain[i] = alpha
        for i in range(units):
            scale = one if s.inner else alphas[i]
            source, row = recurrent[i, at : at + many], w.back[back + i * width : back + (i + 1) * width]
            for q in range(many):
                row[q] = scale * source[q]
            if not s.inner and at <= i < at + many:
                row[i - at] += one - alphas[i]
    if begin == 0:
        for q in range(s.logits):
            to = w.read[q // width * units * width :]
            for j in range(units):
                to[j * width + q % width] = p.read[q, j]
        for tile in range(s.columns // width):
            at = tile * width
            many = min(width, units - at)
            for q in range(s.logits):
                start = at * s.logits + q * width
                copy(w.read_back[start : start + many], p.read[q, at : at + many])
        copy(w.read_bias, p.read_bias[: s.logits])


@njit(cache=True, error_model="numpy", nogil=True)
def _added(total, parts, at):
    """Sum what tiles have from ``at`` on, in their order."""
    n = len(total)
    copy(total, parts[0, at : at + n])
    for k in range(1, len(parts)):
        part = parts[k, at : at + n]
        for i in range(n):
            total[i] += part[i]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _dot(a, b):
    total = a[0] * 0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def unfold(s, p, parts, g, begin, end):
    """Write the gradient by the parameters of units ``begin`` to ``end`` to ``g``, and of the readout with the first of them.

    ``parts`` (tile, size) are the gradients of tiles; ``p`` is what was folded, and that by ``recurrent`` is by the weights as
    they act.
    """
    units, kind, tall, width = s.units, parts.dtype, whole(s.units), WIDTH // parts.itemsize
    total, one = np.empty(units, kind), kind.type(1)
    driven = np.empty((s.channels + 1, end - begin), kind)
    leak = np.empty(end - begin, kind)
    for c in range(s.channels + 1):
        _added(driven[c], parts, s.of_drive + c * s.ld + begin)
    _added(leak, parts, s.of_leak + begin)
    for i in range(begin, end):
        for n in range(0, units, width):
            _added(total[n : n + width], parts, n * tall + i * width)
        of_alpha, scale, row = leak[i - begin], one if s.inner else p.alpha[i], g.recurrent[i]
        for j in range(units):
            row[j] = scale * total[j]
        if not s.inner:
            of_alpha += _dot(total, p.recurrent[i]) - total[i]
        for c in range(s.channels):
            value = driven[c, i - begin]
            g.drive[i, c] = scale * value
            if not s.inner:
                of_alpha += value * p.drive[i, c]
        value = driven[s.channels, i - begin]
        g.bias[i] = scale * value
        if not s.inner:
            of_alpha += value * p.bias[i]
        g.alpha[i] = of_alpha
    if begin == 0:
        g.read[s.logits :] = 0  # heads that have no task
        g.read_bias[s.logits :] = 0
        for q in range(s.logits):
            _added(g.read[q], parts, s.of_read + q * s.ld)
        _added(g.read_bias[: s.logits], parts, s.of_read_bias)
