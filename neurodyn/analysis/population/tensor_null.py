"""Random tensors that keep the marginal means and covariances of activity over conditions, time and units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats, whole

_SETTLED = 1e-6  # relative error of the marginal variances
_MOST = 2000  # sweeps


def tensor_surrogates(x: ArrayLike, *, samples: int, seed: int = 0) -> Iterator[FloatArray]:
    """Tensors of maximum entropy with the means and covariances of `x` across conditions, across times and across units.

    Of each axis the mean over the other two and the covariance summed over them are kept on average; what is left out is
    all that depends on how the three come together, such as a rotation common to conditions.

    Parameters
    ----------
    x : array, shape (condition, time, unit)
    samples, seed : int
        Number of tensors, and the seed of their draws.

    Yields
    ------
    array, shape (condition, time, unit)

    Raises
    ------
    ValueError
        For an axis of one, and activity that is nothing but a sum of what depends on one axis each.

    Notes
    -----
    With Q the eigenvectors of the three covariances the tensor is normal and its elements along Q are independent, with
    variances 1 / (a_c + b_t + g_n), the a, b and g such that the sums over two axes are the eigenvalues along the third
    (by iterative scaling, each sweep exact for one axis). Covariances hold for the mean over many draws, not for each.
    Few conditions say little about their covariance: with two, all that is left after the mean is a difference.

    References
    ----------
    Elsayed & Cunningham 2017, Nat Neurosci 20:1310.
    """
    values = floats(x, "x", axes=("condition, time, unit",))
    if min(values.shape) < 2:
        raise ValueError(f"x has shape {values.shape}: give at least 2 conditions, times and units")
    count = whole(samples, "samples")
    grand = values.mean()
    centre = sum((values.mean(axis=tuple(a for a in range(3) if a != k), keepdims=True) for k in range(3)), -2 * grand)
    rest = values - centre
    size = np.sum(rest**2)
    if size <= 1e-20 * np.sum(values**2):
        raise ValueError("x is a sum of what depends on condition, time and unit alone: nothing is left to be drawn")
    bases, spectra = [], []
    for axis in range(3):
        along = np.moveaxis(rest, axis, 0).reshape(values.shape[axis], -1)
        eigenvalues, vectors = np.linalg.eigh(along @ along.T)
        kept = eigenvalues > 1e-10 * eigenvalues[-1]
        bases.append(vectors[:, kept])
        spectra.append(eigenvalues[kept] / size)
    scale = np.sqrt(_variances(spectra) * size)
    rng = np.random.default_rng(seed)
    return (centre + _along(rng.standard_normal(scale.shape) * scale, bases) for _ in range(count))


def _along(tensor: FloatArray, bases: list[FloatArray]) -> FloatArray:
    for axis, basis in enumerate(bases):
        tensor = np.moveaxis(np.tensordot(basis, tensor, axes=(1, axis)), 0, axis)
    return tensor


def _variances(spectra: list[FloatArray]) -> FloatArray:
    """1 / (a_i + b_j + c_k) with the sums over two axes given; all of them sum to 1."""
    sizes = [len(s) for s in spectra]
    others = [np.prod(sizes) / n for n in sizes]
    # As if the other two axes were flat: right for one axis, and where the sweeps begin.
    levels: list[FloatArray] = [other / s / 3 for s, other in zip(spectra, others, strict=True)]
    for _ in range(_MOST):
        for axis in range(3):
            i, j = (k for k in range(3) if k != axis)
            levels[axis] = _solved(spectra[axis], np.add.outer(levels[i], levels[j]).ravel())
        variances = 1 / (levels[0][:, None, None] + levels[1][:, None] + levels[2])
        wrong = max(
            np.abs(variances.sum(axis=tuple(k for k in range(3) if k != axis)) / spectra[axis] - 1).max()
            for axis in range(3)
        )
        if wrong < _SETTLED:
            return variances
    raise ValueError(
        f"x: variances with these marginal covariances weren't found (relative error {wrong:.1e}); "
        "reduce the units to principal components first"
    )


def _solved(wanted: FloatArray, offsets: FloatArray) -> FloatArray:
    """The levels l_i with sum_m 1 / (l_i + offset_m) = wanted_i."""
    # Newton's method on 1 / sum, which rises and is concave, from where the smallest offset alone would be enough: steps
    # never pass the root.
    lowest = offsets.min()
    level = 1 / wanted - lowest
    for _ in range(100):
        inverse = 1 / (level[:, None] + offsets)
        total = inverse.sum(axis=1)
        step = (1 / wanted - 1 / total) * total**2 / (inverse**2).sum(axis=1)
        level = level + step
        if np.abs(step).max() <= 1e-13 * np.abs(level + lowest).max():
            break
    return level
