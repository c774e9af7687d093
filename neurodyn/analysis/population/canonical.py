"""Canonical correlations: directions along which two recordings go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, whole
from .._result import Result
from ..nulls import NullTest
from ._pairs import paired_anew, same_samples
from ._thin_svd import thin_svd


@dataclass(frozen=True, eq=False)
class CanonicalCorrelations(Result, figure="cca"):
    """Directions of two recordings along which they correlate most; ``print`` shows them with their null.

    Attributes
    ----------
    correlations : NullTest, of an array (component)
        In the data that the directions were fitted to.
    held_out : NullTest, of an array (component)
        In parts of the data left out of the fit; may be negative.
    a_weights, b_weights : array, shape (component, unit)
        Centred activity times these gives the canonical variables, each of variance 1.
    a_scores, b_scores : array, shape (sample, component)
        Trials end to end.
    null : "trials" or "shift"
        What the null paired anew: whole trials, or all units of b shifted in time together.
    """

    correlations: NullTest[FloatArray]
    held_out: NullTest[FloatArray]
    a_weights: FloatArray
    b_weights: FloatArray
    a_scores: FloatArray
    b_scores: FloatArray
    null: str

    def __str__(self) -> str:
        lines = [f"canonical correlations, null by {self.null} paired anew ({self.correlations.samples})"]
        for name, test in (("fitted", self.correlations), ("left out", self.held_out)):
            high, p = test.high, test.p
            shown = [
                f"{r:.3f} (null 95 %: {h:.3f}, p = {q:.3g})" for r, h, q in zip(test.observed, high, p, strict=True)
            ]
            lines.append(f"  {name}: {', '.join(shown[:4])}{', ...' if len(shown) > 4 else ''}")
        return "\n".join(lines)


def cca(
    a: ArrayLike,
    b: ArrayLike,
    *,
    components: int = 3,
    reduce: int | None = 10,
    folds: int = 5,
    samples: int = 100,
    seed: int = 0,
) -> CanonicalCorrelations:
    """Find the directions of two recordings whose activities correlate most, and whether they do in data left out.

    With Q_a, Q_b orthonormal bases of the centred activities over samples, the canonical correlations are the singular
    values of Q_a' Q_b.

    Parameters
    ----------
    a, b : array, shape (time, unit) or (trial, time, unit)
        The same samples of two sets of units, whose numbers may differ.
    components : int
        Pairs of directions.
    reduce : int or None
        Principal components that each side is reduced to first, at least `components`; None for none. Fewer
        are taken where activity has lower rank. Many units in few samples correlate perfectly, so reduce.
    folds : int
        Parts of the data, each left out once: whole trials if there are trials, else successive stretches of time.
    samples, seed : int
        Number of surrogates, and the seed of their draws. With trials those of b are paired anew; otherwise b is shifted
        in a circle by at least a tenth of the recording. Both keep all that is within a and within b.

    Returns
    -------
    CanonicalCorrelations

    Raises
    ------
    ValueError
        For different numbers of samples, constant activity, too few samples or components, and NaN.

    Notes
    -----
    Correlations of the fit are above 0 for any two recordings: believe those in ``held_out``. Trials of one condition
    have a time course in common, which stays when they are paired anew: the null then asks for what is shared beyond it.
    Slow drifts of a single recording correlate by chance; the shift null knows that only for drifts much shorter than the
    recording. Signs mean nothing, but pairs agree in sign.

    References
    ----------
    Hotelling 1936, Biometrika 28:321. Bjorck & Golub 1973, Math Comp 27:579 (the computation). Gallego et al. 2020, Nat
    Neurosci 23:260 (alignment of neural dynamics).
    """
    first, second = same_samples(a, b)
    whole(components, "components")
    if reduce is not None and whole(reduce, "reduce") < components:
        raise ValueError(f"reduce = {reduce} is less than components = {components}: give at least as many")
    rows = len(first)
    fold = np.arange(rows) * whole(folds, "folds", low=2, high=rows) // rows
    length = first.shape[1] if first.ndim == 3 else 1
    fold = np.repeat(fold, length)
    x = first.reshape(-1, first.shape[-1])
    widest = max(first.shape[-1], second.shape[-1]) if reduce is None else reduce
    fewest = min(int((fold != k).sum()) for k in range(folds))
    if fewest < 2 * min(widest, max(first.shape[-1], second.shape[-1])) + 2:
        raise ValueError(
            f"a has {len(x)} samples, {fewest} outside a fold: at least two for each of {widest} dimensions of both sides; "
            "give more, or a smaller reduce"
        )
    rng = np.random.default_rng(seed)
    found = []
    for k in range(whole(samples, "samples") + 1):
        y = (second if k == 0 else paired_anew(second, rng)).reshape(len(x), -1)
        found.append((_canonical(x, y, components, reduce)[0], _held_out(x, y, fold, components, reduce)))
    _, left, right = _canonical(x, second.reshape(len(x), -1), components, reduce)
    fitted, out = (np.stack(each) for each in zip(*found, strict=True))
    return CanonicalCorrelations(
        NullTest(fitted[0], fitted[1:]),
        NullTest(out[0], out[1:]),
        left,
        right,
        (x - x.mean(axis=0)) @ left.T,
        (second.reshape(len(x), -1) - second.reshape(len(x), -1).mean(axis=0)) @ right.T,
        "trials" if first.ndim == 3 else "shift",
    )


def _basis(x: FloatArray, reduce: int | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Orthonormal scores (sample, dimension), the weights (unit, dimension) that make them, and the mean."""
    mean = x.mean(axis=0)
    scores, singular, axes = thin_svd(x - mean)
    kept = int(np.sum(singular > 1e-10 * singular[0]))
    kept = kept if reduce is None else min(kept, reduce)
    return scores[:, :kept], axes[:kept].T / singular[:kept], mean


def _canonical(
    x: FloatArray, y: FloatArray, components: int, reduce: int | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Correlations, and weights (component, unit) of both sides that give variables of variance 1."""
    a, a_weights, _ = _basis(x, reduce)
    b, b_weights, _ = _basis(y, reduce)
    if min(a.shape[1], b.shape[1]) < components:
        raise ValueError(
            f"components = {components}: a and b have {a.shape[1]} and {b.shape[1]} dimensions; take fewer"
        )
    left, correlations, right = np.linalg.svd(a.T @ b)
    scale = np.sqrt(len(x) - 1)
    return (
        np.minimum(correlations[:components], 1.0),
        scale * (a_weights @ left[:, :components]).T,
        scale * (b_weights @ right[:components].T).T,
    )


def _held_out(x: FloatArray, y: FloatArray, fold: np.ndarray, components: int, reduce: int | None) -> FloatArray:
    """Correlations of samples left out, means over folds."""
    found = np.zeros(components)
    count = int(fold.max()) + 1
    for k in range(count):
        train, test = fold != k, fold == k
        if not (np.ptp(x[test], axis=0).any() and np.ptp(y[test], axis=0).any()):
            raise ValueError(
                f"a or b never varies in fold {k} of {count}: take fewer folds, or leave silent stretches out"
            )
        _, left, right = _canonical(x[train], y[train], components, reduce)
        a, b = x[test] @ left.T, y[test] @ right.T
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        norms = np.sqrt(np.sum(a**2, axis=0) * np.sum(b**2, axis=0))
        found += np.sum(a * b, axis=0) / norms / count
    return found
