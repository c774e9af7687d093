"""Red noise, AR(1), with the correlation of successive samples that data have: a null for oscillations."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import FloatArray


def successive(values: FloatArray) -> float:
    """Correlation of successive samples, about the mean of all."""
    centred = values - values.mean()
    return float(np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2))


def red_noise(rho: float, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """AR(1) of variance 1."""
    from scipy.signal import lfilter

    drawn = rng.standard_normal(shape)
    drawn[1:] *= np.sqrt(1 - rho**2)  # the first sample is stationary already
    return np.asarray(lfilter([1.0], [1.0, -rho], drawn, axis=0))


def red_spectrum(paths: Any, skipped: int, frequencies: FloatArray, dt: float) -> FloatArray:
    """One-sided density of the AR(1) with the variance and the correlation of successive samples of `paths`."""
    rho, variance = np.zeros(2)
    for k in range(paths.shape[1]):
        path = np.asarray(paths[skipped:, k], dtype=np.float64)
        rho, variance = rho + successive(path) * path.var(), variance + path.var()
    rho, variance = rho / variance, variance / paths.shape[1]
    return 2 * dt * variance * (1 - rho**2) / (1 - 2 * rho * np.cos(2 * np.pi * frequencies * dt) + rho**2)
