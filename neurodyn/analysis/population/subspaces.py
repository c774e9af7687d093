"""Angles between subspaces, and what angles chance gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, choice, floats, whole
from ..nulls import NullTest


@dataclass(frozen=True, eq=False)
class SubspaceAngles:
    """Principal angles beside a null; ``print`` shows them as text.

    Attributes
    ----------
    angles : array, shape (angle), degrees, ascending
    smallest, largest : NullTest, alternative "greater"
        Observed angle, its null, the 5 to 95 % interval (``.low``, ``.high``) and ``.p``. A small p says
        *more orthogonal than chance*. An angle inside the interval says nothing, however near to 90
        degrees.
    kind : "shuffle" or "gaussian"
    """

    angles: FloatArray
    smallest: NullTest[float]
    largest: NullTest[float]
    kind: str

    def __str__(self) -> str:
        head = f"principal angles in degrees ({self.kind} null)"
        return f"{head}\n  smallest {self.smallest}\n  largest  {self.largest}"


def principal_angles(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Principal angles between the spans of two sets of vectors, in degrees, ascending.

    Parameters
    ----------
    a, b : array, shape (vector, unit), or (unit) for a single vector
        Rows span the subspaces, as in ``pca(x).components`` or readout weights (output, unit). The rows of
        each have to be linearly independent.

    Returns
    -------
    array, shape (min(vectors of a, vectors of b)), between 0 (shared direction) and 90 (orthogonal)

    Notes
    -----
    ``scipy.linalg.subspace_angles`` does the work, with vectors as rows here and the order turned round.
    Random subspaces of many units are nearly orthogonal already, so never report an angle without
    :func:`angle_null`.

    References
    ----------
    Bjorck & Golub 1973, Math Comp 27:579; Knyazev & Argentati 2002, SIAM J Sci Comput 23:2008.
    """
    return _angles(*_spans(a, b))


def angle_null(
    a: ArrayLike,
    b: ArrayLike,
    *,
    kind: Literal["shuffle", "gaussian"] = "shuffle",
    samples: int = 1000,
    seed: int = 0,
) -> SubspaceAngles:
    """Principal angles between two subspaces beside those that chance gives.

    Parameters
    ----------
    a, b : array, shape (vector, unit), or (unit) for a single vector
    kind : "shuffle" or "gaussian"
        "shuffle" exchanges the units of b at random, the same way in each of its vectors: keeps the angles
        within b and the distribution of its weights, such as a mean that both sets share. "gaussian" puts a
        subspace of uniformly random direction, of the same dimension, in the place of b.
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    SubspaceAngles
    """
    first, second = _spans(a, b)
    choice(kind, "kind", ("shuffle", "gaussian"))
    rng = np.random.default_rng(seed)
    null = np.empty((whole(samples, "samples"), 2))
    for k in range(samples):
        if kind == "shuffle":
            other = second[:, rng.permutation(second.shape[1])]
        else:
            other = rng.standard_normal(second.shape)
        null[k] = _angles(first, other)[[0, -1]]
    angles = _angles(first, second)
    smallest = NullTest(float(angles[0]), null[:, 0], "greater")
    largest = NullTest(float(angles[-1]), null[:, 1], "greater")
    return SubspaceAngles(angles, smallest, largest, kind)


def _angles(a: FloatArray, b: FloatArray) -> FloatArray:
    from scipy.linalg import subspace_angles

    return np.rad2deg(subspace_angles(a.T, b.T))[::-1]


def _spans(a: ArrayLike, b: ArrayLike) -> tuple[FloatArray, FloatArray]:
    spans = []
    for values, name in ((a, "a"), (b, "b")):
        rows = np.atleast_2d(floats(values, name, axes=("unit", "vector, unit")))
        if rows.shape[0] > rows.shape[1]:
            raise ValueError(
                f"{name} has shape {rows.shape}: more vectors than units; give (vector, unit), transpose it"
            )
        # Judged on unit vectors, so that weights of very different size do not look dependent.
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not norms.all() or np.linalg.matrix_rank(rows / norms) < rows.shape[0]:
            raise ValueError(f"{name} holds a zero vector or linearly dependent ones: leave out what adds no direction")
        spans.append(rows / norms)
    if spans[0].shape[1] != spans[1].shape[1]:
        raise ValueError(
            f"a has {spans[0].shape[1]} units, b has {spans[1].shape[1]}: both must live in one space, vectors as rows"
        )
    return spans[0], spans[1]
