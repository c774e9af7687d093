"""One space of principal components for several recordings, and how much their own spaces are aligned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats, whole
from .._result import Result
from ..nulls import NullTest
from .subspaces import principal_angles

_AXES = ("time, unit", "trial, time, unit")


@dataclass(frozen=True, eq=False)
class SharedSpace(Result, figure="shared_space"):
    """Principal components of several recordings of the same units, beside those that all have in common.

    Attributes
    ----------
    names : tuple of str
    components : array, shape (component, unit)
        Of all groups together, each with its own mean taken off and its total variance made 1.
    captured : array, shape (group, component)
        Share of a group's variance along each of these.
    alignment : NullTest, two-sided, of an array (group, group)
        Element (i, j): variance of i in the leading components of j, over that in its own; 1 on the diagonal. Null: spaces
        of random directions that the pooled covariance makes likely.
    within : array, shape (group)
        The same from one half of a group's samples to the other: what alignment a space has with itself in samples as few
        (halves of whole trials, or of time).
    angles : array, shape (group, group, component), degrees
        Principal angles between the groups' spaces, ascending; for a null see :func:`angle_null`.
    spaces : array, shape (group, component, unit)
        Leading components of each group.
    projections : mapping of name to array, shape (time, component) or (trial, time, component)
        Each group, less its mean, along the common components; in the unit of the data.
    """

    names: tuple[str, ...]
    components: FloatArray
    captured: FloatArray
    alignment: NullTest[FloatArray]
    within: FloatArray
    angles: FloatArray
    spaces: FloatArray
    projections: Mapping[str, FloatArray]

    def __str__(self) -> str:
        count = len(self.components)
        lines = [f"space of {count} components shared by {len(self.names)} groups"]
        for name, row, itself in zip(self.names, self.captured, self.within, strict=True):
            lines.append(f"  {name}: {row.sum():.1%} of its variance; alignment of its halves {itself:.3f}")
        found, low, high, p = (getattr(self.alignment, k) for k in ("observed", "low", "high", "p"))
        for i, j in permutations(range(len(self.names)), 2):
            lines.append(
                f"  {self.names[i]} in the space of {self.names[j]}: {found[i, j]:.3f} "
                f"(null 5 to 95 %: {low[i, j]:.3f} to {high[i, j]:.3f}, p = {p[i, j]:.3g} two-sided)"
            )
        return "\n".join(lines)


def shared_space(
    groups: Mapping[str, ArrayLike], *, components: int = 3, samples: int = 200, seed: int = 0
) -> SharedSpace:
    """Project several recordings of the same units, or trials of several conditions, into one space, and align their own.

    The alignment index of Elsayed et al. (2016) is A = tr(D_j C_i D_j') / (sum of the largest eigenvalues of C_i), with D_j
    the leading components of j and C_i the covariance of i: 0 orthogonal, 1 the same space.

    Parameters
    ----------
    groups : mapping of name to array, shape (time, unit) or (trial, time, unit)
        At least two, such as ``{"A": x[event == "A"], "B": x[event == "B"]}``; the same units in all.
    components : int
        Of the spaces.
    samples, seed : int
        Number of random spaces, and the seed of their draws.

    Returns
    -------
    SharedSpace

    Raises
    ------
    ValueError
        For fewer than two groups, different units, too many components, constant activity, and NaN.

    Notes
    -----
    The null draws directions C^(1/2) v, v standard normal and C the mean of the groups' covariances: two spaces among
    those that activity prefers, so that being few-dimensional isn't taken for being aligned. A small two-sided p means
    more or less aligned than that. Also compare with ``within``: no alignment can be expected above it. What is common to
    all groups, such as the time course of a trial, aligns them; take it off first if the question is about the rest.

    References
    ----------
    Elsayed et al. 2016, Nat Commun 7:13239.
    """
    if len(groups) < 2:
        raise ValueError(f"groups holds {len(groups)}: give at least two recordings by name")
    given = {name: floats(v, f"groups[{name!r}]", axes=_AXES, shortest=2) for name, v in groups.items()}
    units = {v.shape[-1] for v in given.values()}
    if len(units) > 1:
        raise ValueError(f"groups have {' and '.join(map(str, sorted(units)))} units: they must live in one space")
    for name, v in given.items():
        if not np.ptp(v.reshape(-1, v.shape[-1]), axis=0).any():
            raise ValueError(f"groups[{name!r}] never varies: it has no space")
    fewest = min(v.reshape(-1, v.shape[-1]).shape[0] for v in given.values())
    whole(components, "components", high=min(fewest // 2 - 1, *units))
    covariances = np.stack([_covariance(v) for v in given.values()])
    covariances = covariances / np.trace(covariances, axis1=1, axis2=2)[:, None, None]
    largest, spaces = _leading(covariances, components)
    pooled = covariances.mean(axis=0)
    common = _leading(pooled[None], components)[1][0]
    count = len(given)
    own = largest.sum(axis=1)
    index = np.array([[_inside(c, d) / o for d in spaces] for c, o in zip(covariances, own, strict=True)])
    values, vectors = np.linalg.eigh(pooled)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(seed)
    null = np.empty((whole(samples, "samples"), count, count))
    for k in range(samples):
        for j in range(count):
            drawn = np.linalg.qr(root @ rng.standard_normal((len(root), components)))[0].T
            null[k, :, j] = [_inside(c, drawn) for c in covariances] / own
    # A group fills its own space by definition.
    null[:, range(count), range(count)] = 1.0
    return SharedSpace(
        tuple(given),
        common,
        np.einsum("ku,guv,kv->gk", common, covariances, common),
        NullTest(index, null, "two-sided"),
        np.array([_within(v, components) for v in given.values()]),
        np.array([[principal_angles(c, d) for d in spaces] for c in spaces]),
        spaces,
        {n: (v - v.reshape(-1, v.shape[-1]).mean(axis=0)) @ common.T for n, v in given.items()},
    )


def _covariance(v: FloatArray) -> FloatArray:
    flat = v.reshape(-1, v.shape[-1]) - v.reshape(-1, v.shape[-1]).mean(axis=0)
    return flat.T @ flat


def _leading(covariances: FloatArray, components: int) -> tuple[FloatArray, FloatArray]:
    """Largest eigenvalues (group, component) and their directions (group, component, unit)."""
    values, vectors = np.linalg.eigh(covariances)
    return values[:, ::-1][:, :components], np.swapaxes(vectors[:, :, ::-1][:, :, :components], 1, 2)


def _inside(covariance: FloatArray, directions: FloatArray) -> float:
    return float(np.sum((directions @ covariance) * directions))


def _within(v: FloatArray, components: int) -> float:
    """Alignment of two halves: every other trial, or the first and second half of the time."""
    if v.ndim == 3 and len(v) > 1:
        parts = v[::2], v[1::2]
    else:
        rows = v.reshape(-1, v.shape[-1])
        parts = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    halves = np.stack([_covariance(part) for part in parts])
    values, spaces = _leading(halves, components)
    return float(np.mean([_inside(halves[i], spaces[1 - i]) / max(values[i].sum(), 1e-300) for i in range(2)]))
