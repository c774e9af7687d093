"""Cross-validated decoding of time and of scalars from activity; folds are made of trials, never of bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, floats, number, whole
from ..nulls import NullTest, grouped_permutations
from ._folds import activity_of, assign_folds, match
from ._ridge import cross_validate

_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True, eq=False)
class ScalarDecoding:
    """Decoding of a number.

    Attributes
    ----------
    r2 : NullTest, alternative "greater"
        1 - (squared error) / (squared deviation from the mean), over all held-out predictions; below zero for
        predictions worse than the mean.
    error : NullTest, alternative "less"
        Mean absolute error, in the unit of what is decoded (ms for time).
    predictions : array, shape (trial) or (trial, time)
        Each made without the trial it is for.
    folds : array of int, shape (trial)
    """

    r2: NullTest[float]
    error: NullTest[float]
    predictions: FloatArray
    folds: IntArray


def decode_time(
    x: ArrayLike,
    times: ArrayLike,
    *,
    folds: int = 5,
    strength: float | Sequence[float] = _STRENGTHS,
    samples: int = 100,
    seed: int = 0,
) -> ScalarDecoding:
    """Ridge regression of the time in the trial on activity, tested on trials left out.

    Parameters
    ----------
    x : array, shape (trial, time, unit)
        Trials aligned to what times are counted from.
    times : array, shape (time), ms, increasing
    folds : int
        2 to the number of trials (leave one trial out).
    strength : float or sequence of float
        Ridge strength, relative to the number of samples and to standardised units. Of several, the best is
        chosen on inner folds of the training trials.
    samples, seed : int
        Number of surrogates, and the seed of folds and surrogates.

    Returns
    -------
    ScalarDecoding
        ``error`` in ms; predictions (trial, time).

    Raises
    ------
    ValueError
        Times that don't increase, or shapes that don't fit.

    Notes
    -----
    Each surrogate lets the times of about half of the trials, drawn at random, run backwards. That breaks
    what trials share and keeps the slowness of both sides; rotating the times instead rejects slow noise
    three times too often, for the jump it makes. It is exact for activity that looks the same backwards in
    time or upside down. With n trials there are 2^(n-1) different surrogates: have 8 or more.
    """
    values = floats(x, "x", axes=("trial, time, unit",), shortest=2)
    clock = floats(times, "times", axes=("time",), shortest=2)
    match(values, clock.size, 1, "times")
    if not (np.diff(clock) > 0).all():
        raise ValueError("times must increase from bin to bin, in ms from the same event in every trial")
    rng = np.random.default_rng(seed)
    trials = len(values)
    groups = np.arange(trials)
    fold = assign_folds(groups, whole(folds, "folds", low=2, high=trials), rng)
    backwards = rng.integers(0, 2, (trials, whole(samples, "samples")), dtype=bool)
    backwards = np.column_stack([np.zeros(trials, dtype=bool), backwards])
    targets = np.where(backwards[:, None, :], clock[::-1, None], clock[:, None])
    return _score(targets, cross_validate(values, targets, groups, fold, _strengths(strength), rng), fold)


def decode_scalar(
    x: ArrayLike,
    values: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    strength: float | Sequence[float] = _STRENGTHS,
    samples: int = 100,
    seed: int = 0,
) -> ScalarDecoding:
    """Ridge regression of one number per trial, such as a probability, tested on trials left out.

    Parameters
    ----------
    x : array, shape (trial, unit) or (trial, time, unit)
        With a time axis every bin is a sample of its trial's value, and the bins of a trial stay in one fold.
    values : array, shape (trial)
    groups : array, shape (trial)
        Trials that belong together, such as a block or a network, are left out together. If `values` has
        one value per group, the null permutes whole groups, since trials within a group are no independent
        evidence; otherwise it permutes within groups. Without groups every trial is its own.
    folds : int
        2 to the number of groups.
    strength : float or sequence of float
        As in :func:`decode_time`.
    samples, seed : int
        Number of permutations of `values`, and the seed of folds and permutations.

    Returns
    -------
    ScalarDecoding

    Raises
    ------
    ValueError
        Values that are all the same, or shapes that don't fit.
    """
    activity, member, rng = activity_of(x, groups, seed)
    scalar = floats(values, "values", axes=("trial",))
    match(activity, scalar.size, 0, "values")
    if np.ptp(scalar) == 0:
        raise ValueError(f"values is {scalar[0]:g} in every trial: there is nothing to decode")
    fold = assign_folds(member, whole(folds, "folds", low=2, high=len(np.unique(member))), rng)
    orders = grouped_permutations(scalar, member, whole(samples, "samples"), rng)
    labels = np.column_stack([scalar, scalar[orders].T])
    targets = np.repeat(labels[:, None, :], activity.shape[1], axis=1)
    result = _score(targets, cross_validate(activity, targets, member, fold, _strengths(strength), rng), fold)
    if np.ndim(x) == 3:
        return result
    return ScalarDecoding(result.r2, result.error, result.predictions[:, 0], fold)


def _strengths(strength: float | Sequence[float]) -> FloatArray:
    several = strength if isinstance(strength, Sequence) else (strength,)
    return np.array([number(s, "strength", unit="", low=0, strict=True) for s in several])


def _score(targets: FloatArray, predictions: FloatArray, fold: IntArray) -> ScalarDecoding:
    """Scores per target, the last axis; the first target is the observed one, the others are surrogates."""
    residual = targets - predictions
    spread = ((targets - targets.mean(axis=(0, 1))) ** 2).sum(axis=(0, 1))
    r2 = 1 - (residual**2).sum(axis=(0, 1)) / spread
    error = np.abs(residual).mean(axis=(0, 1))
    return ScalarDecoding(
        NullTest(float(r2[0]), r2[1:]),
        NullTest(float(error[0]), error[1:], "less"),
        predictions[..., 0],
        fold,
    )
