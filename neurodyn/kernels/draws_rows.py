"""Normals of many steps put where they are needed, in the type that is needed: what large batches draw in an update."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from neurodyn.kernels import philox
from neurodyn.kernels.draws import normals

_BLOCK = 2048  # draws made at a time, so that they stay in the innermost cache until they are stored
_LOW, _32, _20, _12 = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(20), np.uint64(12)
_SCALE = 2.0**-52


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(out, seed, step, stream, scale):
    """Fill ``out`` (steps, rows, width) with what :func:`philox.fill_normal` makes of a step, rounded, times ``scale``."""
    steps, rows, width = out.shape
    k0, k1, c3 = np.uint64(seed) & _LOW, np.uint64(seed) >> _32, np.uint64(stream)
    made, even, odd = np.empty(_BLOCK), np.empty(_BLOCK // 2), np.empty(_BLOCK // 2)
    for t in range(steps):
        at = np.uint64(step) + np.uint64(t)
        c1, c2 = at & _LOW, at >> _32
        row = column = 0
        for start in range(0, rows * width, _BLOCK):
            count = min(_BLOCK, rows * width - start)
            for pair in range((count + 1) >> 1):  # even and odd apart, so that the rounds store whole vectors
                w0, w1, w2, w3 = philox._rounds(np.uint64((start >> 1) + pair), c1, c2, c3, k0, k1)
                even[pair] = (np.float64((w0 << _20) | (w1 >> _12)) + 0.5) * _SCALE
                odd[pair] = (np.float64((w2 << _20) | (w3 >> _12)) + 0.5) * _SCALE
            for pair in range((count + 1) >> 1):  # of an odd end one draw more is made, and left
                made[2 * pair], made[2 * pair + 1] = even[pair], odd[pair]
            philox.normal_from_uniform(made[:count])
            done = 0
            while done < count:
                part = min(width - column, count - done)
                into = out[t, row, column : column + part]
                for i in range(part):
                    into[i] = out.dtype.type(made[done + i]) * scale
                done += part
                column += part
                if column == width:
                    row, column = row + 1, 0


def fill_normals(out: Tensor, stream: str, *, seed: int, step: int, scale: float = 1.0) -> None:
    """Fill ``out`` (time, row, column) with the normals of successive steps from ``step`` on, times ``scale``.

    Each step has the bits of :func:`neurodyn.kernels.draws.normals`, brought to the type of ``out`` and then scaled in it.
    """
    if out.device.type == "cpu" and out.dtype in (torch.float32, torch.float64):
        array = out.numpy()
        number = philox.stream_number(stream)
        _fill(array, np.uint64(seed), np.uint64(step), np.uint64(number), array.dtype.type(scale))
        return
    for t in range(len(out)):
        out[t] = normals(stream, tuple(out.shape[1:]), seed=seed, step=step + t, device=out.device)
    if scale != 1:
        out *= scale
