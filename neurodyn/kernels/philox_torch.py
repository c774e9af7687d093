"""The draws of :mod:`neurodyn.kernels.philox` as tensors, for every network of a batch on any device."""

from __future__ import annotations

import math

import torch

from neurodyn.kernels import philox

_LOW = 0xFFFFFFFF
_M0, _M1, _W0, _W1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85
Words = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def philox4x32(c0: torch.Tensor, c1: torch.Tensor, c2: torch.Tensor, c3: torch.Tensor, k0: torch.Tensor, k1: torch.Tensor) -> Words:  # fmt: skip
    """Return the four 32-bit words of Philox 4x32-10 in int64 tensors, for counters and keys below 2^32 that broadcast."""
    for _ in range(10):
        p0, p1 = (
            c0 * _M0,
            c2 * _M1,
        )  # wraps to the low 64 bits of the product, whose upper half is unsigned again under _LOW
        c0, c1, c2, c3 = (p1 >> 32 & _LOW) ^ c1 ^ k0, p1 & _LOW, (p0 >> 32 & _LOW) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = k0 + _W0 & _LOW, k1 + _W1 & _LOW
    return c0, c1, c2, c3


def draw(
    kind: str, shape: tuple[int, ...], seeds: torch.Tensor, step: int, stream: int, sizes: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the draws of one step, float64 (networks, \\*widths): those that each network draws alone.

    ``kind`` is "uniform" in (0, 1) or "normal"; ``seeds`` (networks,) int64 hold the bits of the unsigned seeds, ``sizes``
    (networks,) int64 the own length of the last axis (None: the full width), beyond which the draws are 0. Uniforms
    are the bits of :func:`neurodyn.kernels.philox.fill_batch`, normals differ by what logarithms of other libraries do.
    """
    networks, rows, width = shape[0], math.prod(shape[1:-1]), shape[-1] if len(shape) > 1 else 1
    device = seeds.device
    own = torch.full((networks, 1, 1), width, device=device) if sizes is None else sizes.reshape(-1, 1, 1)
    unit = torch.arange(width, device=device)
    index = torch.arange(rows, device=device)[:, None] * own + unit
    key, zero = seeds.reshape(-1, 1, 1), torch.zeros((), dtype=torch.int64, device=device)
    w0, w1, w2, w3 = philox4x32(index >> 1, zero + (step & _LOW), zero + (step >> 32), zero + stream, key & _LOW, key >> 32 & _LOW)  # fmt: skip
    odd = index & 1 == 1
    bits = torch.where(odd, w2 << 20 | w3 >> 12, w0 << 20 | w1 >> 12)
    u = (bits.double() + 0.5) * 2.0**-52
    values = _normal(u) if kind == "normal" else u
    return torch.where(unit < own, values, 0.0).reshape(shape)


def _normal(u: torch.Tensor) -> torch.Tensor:
    """Return normals by the inverse distribution; the polynomials are those of the compiled kernel."""
    r = torch.where(u < 0.5, u, 1.0 - u).log().neg().sqrt()
    tail = torch.where(r > 5.0, philox._far_tail.py_func(r.clone()), philox._tail.py_func(r.clone()))
    return torch.where((u - 0.5).abs() > 0.425, torch.where(u < 0.5, -tail, tail), philox._centre.py_func(u - 0.5))
