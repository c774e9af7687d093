"""Passes over a matrix of distances for entropic optimal transport, on the CPU: one exponential serves rows and columns.

With potentials f (n,) and g (m,) and a kernel width eps, both half steps of a Sinkhorn iteration are sums of the same
matrix E[i, j] = exp((f[i] + g[j] - d[i, j])/eps): its row sums give the next f, its column sums the next g. The
potentials are absorbed in the exponent, so E stays near 1 where mass flows and nothing has to be shifted by a maximum;
the few sums that leave the range of float32 are the caller's to redo. Rows are taken in blocks of fixed size and the
sums of columns added block by block, so the number of threads changes no bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

BLOCK = 128  # rows whose sums of columns are added in float32
# 2^r for 0 <= r < 1: minimax, relative error 1e-7
_P = tuple(np.float32(p) for p in (0.99999994, 0.69315308, 0.24015361, 0.05582631, 0.00898934, 0.00187757))
_LOW, _HIGH, _BIAS = np.float32(-100), np.float32(126), np.float32(127)
_SHIFT, _NONE = np.int32(23), np.uint64(0)


def _bits(typing: Any, bits: Any) -> Any:
    """Read 32 bits as a float32."""

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), make


def _population(typing: Any, word: Any) -> Any:
    """Count the bits of a uint64 that are set."""

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), make


_as_float: Any = intrinsic(_bits)
_ones: Any = intrinsic(_population)


# A function of its own, not inlined by Numba: r must not be re-associated as the sums below are.
@njit(error_model="numpy", fastmath={"contract"})
def _exp2(t):
    """Return 2^t in float32 without a call, so that loops over it vectorise; held between 2^-100 and 2^126.

    Well above what float32 holds, since subnormal numbers take twenty times as long.
    """
    t = min(max(t, _LOW), _HIGH)
    n = np.int32(t + _BIAS)
    r = t - (np.float32(n) - _BIAS)
    p = _P[0] + r * (_P[1] + r * (_P[2] + r * (_P[3] + r * (_P[4] + r * _P[5]))))
    return p * _as_float(n << _SHIFT)


# Re-associated, or sums over a row would not vectorise; the order is fixed when it is compiled.
@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract", "nsz"})
def sums(d, f, g, k, wanted, half, first, stride, rows, columns):
    """Write the row sums (n,) of 2^(k (f[i] + g[j] - d[i, j])) and, by block, its column sums (blocks, m).

    ``d`` (n, m) uint8, uint16 or float32; ``f``, ``g`` and what is written float32. ``wanted`` > 0: rows count in the
    columns as if scaled to that sum. ``half``: d is symmetric, f is g, and only j >= i is visited, the diagonal in the
    rows alone. Blocks first, first + stride, ... are done.
    """
    n, m = d.shape
    e = np.empty(m, np.float32)
    for block in range(first, columns.shape[0], stride):
        column = columns[block]
        column[:] = np.float32(0)
        for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            # slices from a start, since an index that might be negative keeps a loop from vectorising
            start = i if half else 0
            own, total, others, distance = f[i], np.float32(0), g[start:], d[i][start:]
            for j in range(others.shape[0]):
                e[j] = _exp2((own + others[j] - np.float32(distance[j])) * k)
                total += e[j]
            rows[i] = total
            scale = wanted / total if wanted > np.float32(0) else np.float32(1)
            if half:
                e[0] = np.float32(0)
            into = column[start:]
            for j in range(others.shape[0]):
                into[j] += e[j] * scale


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract", "nsz"})
def means(d, f, g, k, points, cut, first, stride, out):
    """Write, for each row of 2^(k (f[i] + g[j] - d[i, j])), the mean (n, c) of ``points`` (m, c) that it weights.

    Weights below ``cut`` of the row's sum are left out. Blocks as in :func:`sums`.
    """
    n, m = d.shape
    e = np.empty(m, np.float32)
    for block in range(first, (n + BLOCK - 1) // BLOCK, stride):
        for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            own, total, distance = f[i], np.float32(0), d[i]
            for j in range(m):
                e[j] = _exp2((own + g[j] - np.float32(distance[j])) * k)
                total += e[j]
            mean = out[i]
            mean[:] = np.float32(0)
            for j in range(m):
                if e[j] > cut * total:
                    weight = e[j] / total
                    for c in range(points.shape[1]):
                        mean[c] += weight * points[j, c]


@njit(cache=True, error_model="numpy", nogil=True)
def mismatches(x, y, first, stride, out):
    """Write into ``out`` (n, m), unsigned, in how many places symbol sequences differ.

    ``x`` (words, planes, n) and ``y`` (words, planes, m) are uint64 from :func:`packed`. Blocks as in :func:`sums`.
    """
    words, planes, n = x.shape
    m = y.shape[2]
    differs, count = np.empty(m, np.uint64), np.empty(m, np.uint64)
    for block in range(first, (n + BLOCK - 1) // BLOCK, stride):
        for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            count[:] = _NONE
            for w in range(words):
                differs[:] = _NONE
                for p in range(planes):
                    own, others = x[w, p, i], y[w, p]
                    for j in range(m):
                        differs[j] |= own ^ others[j]
                for j in range(m):
                    count[j] += _ones(differs[j])
            for j in range(m):
                out[i, j] = count[j]


def packed(symbols: np.ndarray, planes: int) -> np.ndarray:
    """Pack whole numbers (n, time) below 2^planes into words of 64 steps, a plane for each bit: (words, planes, n)."""
    n, time = symbols.shape
    words = -(-time // 64)
    bits = np.zeros((planes, n, words * 64), np.uint8)
    for plane in range(planes):
        bits[plane, :, :time] = (symbols >> plane) & 1
    return np.ascontiguousarray(np.packbits(bits, axis=2).view(np.uint64).transpose(2, 0, 1))
