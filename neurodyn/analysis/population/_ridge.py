"""Cross-validated ridge regression for many targets at once, folds by trial.

scikit-learn has no path over strengths whose inner folds follow groups and whose strength is chosen per
target; with it all surrogate targets of a null share one decomposition, which makes a null cost little more
than a fit.
"""

from __future__ import annotations

import numpy as np

from .._checks import FloatArray, IntArray
from ._folds import assign_folds


def path(x: FloatArray, y: FloatArray, new: FloatArray, strengths: FloatArray) -> FloatArray:
    """Predictions at `new` for each strength, shape (strength, row, target); x (row, unit), y (row, target).

    Minimises |y - x w - c|^2 + strength * rows * |w|^2 on x standardised by its own mean and deviation, so
    that a strength means the same for any number of rows.
    """
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 1e-12 * np.abs(x).max(initial=1e-300), scale, np.inf)  # a silent unit predicts nothing
    inside, outside = (x - centre) / scale, (new - centre) / scale
    level = y.mean(axis=0)
    if x.shape[0] > x.shape[1]:
        values, vectors = np.linalg.eigh(inside.T @ inside / len(x))
        projected = vectors.T @ (inside.T @ (y - level)) / len(x)
        readout = outside @ vectors
    else:
        values, vectors = np.linalg.eigh(inside @ inside.T / len(x))
        projected = vectors.T @ (y - level) / len(x)
        readout = outside @ (inside.T @ vectors)
    values = np.maximum(values, 0.0)
    return np.stack([readout @ (projected / (values + s)[:, None]) for s in strengths]) + level


def cross_validate(
    x: FloatArray,
    y: FloatArray,
    groups: np.ndarray,
    fold: IntArray,
    strengths: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Held-out predictions, shape of y (trial, time, target), from x (trial, time, unit).

    The strength is chosen per target and outer fold by inner folds of the training trials only.
    """
    units, targets = x.shape[-1], y.shape[-1]

    def predict(train: np.ndarray, test: np.ndarray, among: FloatArray) -> FloatArray:
        rows = path(x[train].reshape(-1, units), y[train].reshape(-1, targets), x[test].reshape(-1, units), among)
        return rows.reshape(len(among), int(test.sum()), -1, targets)

    if len(strengths) > 1 and len(np.unique(groups)) - np.unique(groups[fold == 0]).size < 2:
        raise ValueError(
            "strength: the best of several is chosen on inner folds; two trials or groups are too few; "
            "give one number, or more trials"
        )
    held_out = np.empty_like(y)
    for k in range(int(fold.max()) + 1):
        train, test = fold != k, fold == k
        if len(strengths) == 1:
            held_out[test] = predict(train, test, strengths)[0]
            continue
        inner = np.full(len(fold), -1)
        inner[train] = assign_folds(groups[train], min(4, len(np.unique(groups[train]))), rng)
        loss = np.zeros((len(strengths), targets))
        for j in range(int(inner.max()) + 1):
            here = inner == j
            loss += ((predict(train & ~here, here, strengths) - y[here]) ** 2).sum(axis=(1, 2))
        chosen = loss.argmin(axis=0)
        held_out[test] = np.take_along_axis(predict(train, test, strengths), chosen[None, None, None], axis=0)[0]
    return held_out
