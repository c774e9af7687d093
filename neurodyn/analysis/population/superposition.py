"""Procrustes: how much two recordings have the same shape, whatever their axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, whole
from .._result import Result
from ..nulls import NullTest
from ._pairs import paired_anew, same_samples


@dataclass(frozen=True, eq=False)
class Procrustes(Result, figure="procrustes"):
    """A rotation (and scale) that brings b onto a; ``print`` shows the misfit with its null.

    Attributes
    ----------
    misfit : NullTest, alternative "less"
        ``|a - scale b R|^2 / |a|^2``, both centred: 0 for the same shape; at most 1 with scaling.
    rotation : array, shape (unit of b, unit of a)
        R, orthogonal; it may hold a reflection. With unequal numbers of units, zeros are appended to the fewer.
    scale : float
    aligned : array, shape of a
        b on a, the mean of a added.
    """

    misfit: NullTest[float]
    rotation: FloatArray
    scale: float
    aligned: FloatArray

    def __str__(self) -> str:
        return f"Procrustes: misfit {self.misfit}, scale {self.scale:.4g}"


def procrustes(a: ArrayLike, b: ArrayLike, *, scaling: bool = True, samples: int = 100, seed: int = 0) -> Procrustes:
    """Rotate (and scale) one recording onto another, sample by sample, and ask how much of the shape is the same.

    With both centred, R minimises ``|a - s b R|^2`` among orthogonal matrices, by the singular values of b'a; s is their sum over
    ``|b|^2``.

    Parameters
    ----------
    a, b : array, shape (time, unit) or (trial, time, unit)
        Samples that correspond, such as averages of the same conditions (condition, time, unit) in two networks, or in
        their leading principal components. Numbers of units may differ.
    scaling : bool
        Whether s is free, else 1. Then the misfit exceeds 1 where b is too large, and the larger the worse.
    samples, seed : int
        Number of surrogates, and the seed of their draws: b with trials paired anew, or shifted in time, as in :func:`cca`.

    Returns
    -------
    Procrustes

    Raises
    ------
    ValueError
        For different numbers of samples, constant activity, and NaN.

    Notes
    -----
    Many units rotate onto almost anything: the misfit of unrelated recordings falls with the number of units over
    samples. Compare with the null, and reduce both to the same few principal components first. It isn't symmetric unless
    ``scaling`` is on.

    References
    ----------
    Schoenemann 1966, Psychometrika 31:1 (``scipy.linalg.orthogonal_procrustes``).
    """
    first, second = same_samples(a, b)
    rng = np.random.default_rng(seed)
    x = first.reshape(-1, first.shape[-1])
    flat = second.reshape(len(x), -1)
    null = [
        _turned(x, paired_anew(second, rng).reshape(flat.shape), scaling)[0] for _ in range(whole(samples, "samples"))
    ]
    misfit, rotation, scale = _turned(x, flat, scaling)
    aligned = scale * (flat - flat.mean(axis=0)) @ rotation + x.mean(axis=0)
    return Procrustes(NullTest(misfit, np.array(null), "less"), rotation, scale, aligned.reshape(first.shape))


def _turned(x: FloatArray, y: FloatArray, scaling: bool) -> tuple[float, FloatArray, float]:
    """Misfit, rotation and scale of y on x."""
    from scipy.linalg import orthogonal_procrustes

    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    width = max(x.shape[1], y.shape[1])
    wide = [np.pad(v, ((0, 0), (0, width - v.shape[1]))) for v in (x, y)]
    rotation, singular = orthogonal_procrustes(wide[1], wide[0])
    rotation = rotation[: y.shape[1], : x.shape[1]]
    size = np.sum(y**2)
    scale = float(singular / size) if scaling else 1.0
    total = np.sum(x**2)
    misfit = 1 + (scale**2 * size - 2 * scale * singular) / total
    return max(float(misfit), 0.0), rotation, scale
