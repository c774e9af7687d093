"""What stands between the parameters of a leaky rate network and :mod:`neurodyn.kernels.leaky_step`, forth and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from neurodyn.kernels.leaky_step import Sizes, Weights
from neurodyn.kernels.matmul import LANES, WIDTH, padded


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
    columns, logits = padded(units, itemsize), heads * outputs
    # rows that lie a large power of two apart share few places of the cache
    ld = columns + WIDTH // itemsize * (columns * itemsize % 1024 == 0)
    tall, wide = (-(-n // LANES) * LANES for n in (units, logits))
    of_drive = (tall + wide) * ld
    of_leak = of_drive + (channels + 1) * ld
    of_bias = of_leak + ld
    logit_columns = padded(logits, itemsize)
    return Sizes(
        units=units,
        channels=channels,
        logits=logits,
        outputs=outputs,
        columns=columns,
        ld=ld,
        logit_columns=logit_columns,
        activation=activation,
        inner=inner,
        of_read=tall * ld,
        of_drive=of_drive,
        of_leak=of_leak,
        of_read_bias=of_bias,
        size=of_bias + logit_columns,
    )


def room(s: Sizes, dtype: np.dtype) -> Weights:
    """Return arrays for :func:`fold` to fill."""
    shapes = (
        s.columns * s.units,
        s.columns * s.units,
        (s.channels + 1) * s.ld,
        s.ld,
        s.ld,
        s.logit_columns * s.units,
        s.columns * s.logits,
        s.logit_columns,
    )
    return Weights(*(np.zeros(n, dtype) for n in shapes))


@njit(cache=True, error_model="numpy", nogil=True)
def acting(w, i, j, mask, sign):
    """The weight [i, j] as it acts; see ``LeakyRNN.weights``."""
    value = w[i, j]
    if len(sign):
        value = abs(value) * sign[j]
    if len(mask):
        value *= mask[i, j]
    return value


@njit(cache=True, error_model="numpy", nogil=True)
def fold(s, p, mask, sign, w, begin, end):
    """Write what the parameters of units ``begin`` to ``end`` act as to ``w``, and the readout with the first of them."""
    width = WIDTH // p.alpha.itemsize
    one = p.alpha.dtype.type(1)
    bias = s.channels * s.ld
    for i in range(begin, end):
        alpha = p.alpha[i]
        scale = one if s.inner else alpha
        across = i // width * s.units * width + i % width
        for j in range(s.units):
            value = scale * acting(p.recurrent, i, j, mask, sign)
            if not s.inner and i == j:
                value += one - alpha
            w.across[across + j * width] = value
            w.back[(j // width * s.units + i) * width + j % width] = value
        for c in range(s.channels):
            w.drive[c * s.ld + i] = scale * p.drive[i, c]
        w.drive[bias + i] = scale * p.bias[i]
        w.keep[i] = one - alpha
        w.gain[i] = alpha
    if begin == 0:
        for q in range(s.logits):
            read = q // width * s.units * width + q % width
            for j in range(s.units):
                w.read[read + j * width] = p.read[q, j]
                w.read_back[(j // width * s.logits + q) * width + j % width] = p.read[q, j]
            w.read_bias[q] = p.read_bias[q]


@njit(cache=True, error_model="numpy", nogil=True)
def _added(parts, at):
    total = parts[0, at]
    for k in range(1, len(parts)):
        total += parts[k, at]
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def unfold(s, p, mask, sign, parts, g, begin, end):
    """Write the gradient by the parameters of units ``begin`` to ``end`` to ``g``, and of the readout with the first of them.

    ``parts`` (tile, size) are the gradients of tiles; they are added in their order.
    """
    total = np.empty(s.units, parts.dtype)
    one, nothing = parts.dtype.type(1), parts.dtype.type(0)
    for i in range(begin, end):
        total[:] = parts[0, i * s.ld : i * s.ld + s.units]
        for k in range(1, len(parts)):
            total += parts[k, i * s.ld : i * s.ld + s.units]
        scale = one if s.inner else p.alpha[i]
        of_alpha = _added(parts, s.of_leak + i)
        if not s.inner:
            of_alpha -= total[i]
        for j in range(s.units):
            if not s.inner:
                of_alpha += total[j] * acting(p.recurrent, i, j, mask, sign)
            value = scale * total[j]
            if len(sign):
                w = p.recurrent[i, j]
                value *= sign[j] if w > 0 else -sign[j] if w < 0 else nothing
            if len(mask):
                value *= mask[i, j]
            g.recurrent[i, j] = value
        for c in range(s.channels):
            value = _added(parts, s.of_drive + c * s.ld + i)
            g.drive[i, c] = scale * value
            if not s.inner:
                of_alpha += value * p.drive[i, c]
        value = _added(parts, s.of_drive + s.channels * s.ld + i)
        g.bias[i] = scale * value
        if not s.inner:
            of_alpha += value * p.bias[i]
        g.alpha[i] = of_alpha
    if begin == 0:
        g.read[s.logits :] = 0  # heads that have no task
        g.read_bias[s.logits :] = 0
        for q in range(s.logits):
            at = s.of_read + q * s.ld
            for j in range(s.units):
                g.read[q, j] = _added(parts, at + j)
            g.read_bias[q] = _added(parts, s.of_read_bias + q)
