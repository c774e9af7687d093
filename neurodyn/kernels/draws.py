"""Draws of named streams as tensors: a function of seed, step and index alone.

Uniforms are the same bits on every device; normals differ in the last bits, by what logarithms of other libraries do.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from neurodyn.kernels import philox, philox_torch


def uniforms(stream: str, shape: tuple[int, ...], *, seed: int, step: int, device: Any = "cpu") -> Tensor:
    """Return uniforms in (0, 1), float64."""
    return _draw("uniform", stream, shape, seed, step, device)


def normals(stream: str, shape: tuple[int, ...], *, seed: int, step: int, device: Any = "cpu") -> Tensor:
    """Return standard normals, float64."""
    return _draw("normal", stream, shape, seed, step, device)


def _draw(kind: str, stream: str, shape: tuple[int, ...], seed: int, step: int, device: Any) -> Tensor:
    if torch.device(device).type == "cpu":
        return torch.from_numpy(philox.draw(kind, math.prod(shape), seed=seed, step=step, stream=stream)).reshape(shape)
    return _of_tensors(kind, stream, shape, seed, step, device)


def _of_tensors(kind: str, stream: str, shape: tuple[int, ...], seed: int, step: int, device: Any) -> Tensor:
    size = math.prod(shape)
    key = torch.tensor([seed], dtype=torch.int64, device=device)
    return philox_torch.draw(kind, (1, size), key, step, philox.stream_number(stream)).reshape(shape)
