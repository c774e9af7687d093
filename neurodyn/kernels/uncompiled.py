"""Draws and random wiring in NumPy, to the bits of the compiled ones.

A process that draws little is done before the compiled functions are compiled, or read from the cache: a first run
saves more than a second. The arithmetic is that of :mod:`neurodyn.kernels.philox`, its functions called with arrays.
"""

from __future__ import annotations

import math

import numpy as np

from neurodyn.kernels.philox import _LOW, _SCALE, _1, _12, _20, _32, _centre, _far_tail, _rounds, _tail

FEW = 2**20  # draws of a process; more than these take longer here than to read compiled code
_MORE = 8  # draws of a row when those it had are used up
_CHUNK = 2**14  # draws of a chunk, whose words stay in the cache of a core


_drawn = 0  # what this process has asked for


def suffices(draws: int) -> bool:
    """Count so many more draws, and return whether a process that made all of its draws here still is the sooner one."""
    global _drawn
    _drawn += draws
    return _drawn <= FEW


def uniform(size: int, seed: np.uint64, step: np.uint64, stream: np.uint64) -> np.ndarray:
    """Return what :func:`philox.fill_uniform` fills in."""
    out = np.empty(size + (size & 1))
    k0, k1 = seed & _LOW, seed >> _32
    c1, c2 = step & _LOW, step >> _32
    for start in range(0, out.size, _CHUNK):
        part = out[start : start + _CHUNK]
        pairs = np.arange(start >> 1, (start + part.size) >> 1, dtype=np.uint64)
        w0, w1, w2, w3 = _rounds.py_func(pairs, c1, c2, stream, k0, k1)
        part[0::2] = _unit(w0, w1)
        part[1::2] = _unit(w2, w3)
    return out[:size]


def normal(uniforms: np.ndarray) -> np.ndarray:
    """Return what :func:`philox.normal_from_uniform` makes of uniforms."""
    out = _centre.py_func(uniforms - 0.5)
    outside = np.flatnonzero(np.abs(uniforms - 0.5) > 0.425)
    u = uniforms[outside]
    r = np.sqrt(-_log(np.where(u < 0.5, u, 1.0 - u)))
    far = r > 5.0
    value = _tail.py_func(r.copy())  # it works in place
    value[far] = _far_tail.py_func(r[far])
    out[outside] = np.where(u < 0.5, -value, value)
    return out


def width(targets: int, probability: float) -> int:
    """Return how many draws are made for each row at once; few rows need more."""
    mean = targets * probability
    return int(mean + 6.0 * math.sqrt(mean)) + _MORE


def random_rows(
    sources: int, targets: int, probability: float, seed: np.uint64, stream: np.uint64, skip_self: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return what :func:`neurodyn.kernels.wiring.random_rows` returns."""
    counts = np.zeros(sources + 1, dtype=np.int64)
    found = [np.empty(0, np.int32)]
    block = max(1, _CHUNK // width(targets, probability))
    for first in range(0, sources if probability > 0.0 and targets else 0, block):
        rows = np.arange(first, min(first + block, sources))
        positions = _positions(rows.astype(np.uint64)[:, None], targets, probability, seed, stream)
        there = positions < targets
        if skip_self:
            there &= positions != rows[:, None]
        counts[rows + 1] = there.sum(axis=1)
        found.append(positions[there].astype(np.int32))
    return np.cumsum(counts), np.concatenate(found)


def _positions(rows: np.ndarray, targets: int, probability: float, seed: np.uint64, stream: np.uint64) -> np.ndarray:
    """Return where the jumps along each row (rows, 1) end, until the last of them is behind the targets."""
    k0, k1 = seed & _LOW, seed >> _32
    stay = math.log1p(-probability) if probability < 1.0 else -math.inf
    last = np.full(rows.size, -1, dtype=np.int64)
    columns: list[np.ndarray] = []
    index = np.uint64(0)
    while (last < targets).any():
        count = width(targets, probability) if not columns else _MORE
        draws = np.arange(index, index + np.uint64(count), dtype=np.uint64)[None, :]
        w0, w1, _, _ = _rounds.py_func(draws, rows, np.uint64(0), stream, k0, k1)
        jumps = np.minimum(np.floor(_log(_unit(w0, w1)) / stay), targets).astype(np.int64)
        columns.append(last[:, None] + np.cumsum(1 + jumps, axis=1))
        last = columns[-1][:, -1]
        index += _1 * np.uint64(count)
    return np.concatenate(columns, axis=1)


def _unit(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    return (((high << _20) | (low >> _12)).astype(np.float64) + 0.5) * _SCALE


def _log(values: np.ndarray) -> np.ndarray:
    """The logarithm of the C library, as compiled code has it; that of NumPy differs in last bits."""
    return np.fromiter(map(math.log, values.ravel().tolist()), np.float64, values.size).reshape(values.shape)
