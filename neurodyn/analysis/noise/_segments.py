"""Periodograms of segments side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import FloatArray
from ._periodic import stretch


def densities(paths: Any, skipped: int, length: int, dt: float, window: str) -> FloatArray:
    """One-sided periodograms, (segment, path, bin), per cycle per unit of time."""
    from scipy.signal import get_window

    weights: FloatArray = np.asarray(get_window(window, length), dtype=np.float64)[:, None]
    found: list[Any] = []
    for first in range(skipped, paths.shape[0] - length + 1, length):
        piece = stretch(paths, first, first + length)
        transformed = np.fft.rfft((piece - piece.mean(axis=0)) * weights, axis=0)
        found.append(np.abs(transformed.T) ** 2)
    density: FloatArray = np.asarray(found) * (2 * dt / np.sum(weights**2))
    density[..., 0] /= 2
    if length % 2 == 0:
        density[..., -1] /= 2
    return density
