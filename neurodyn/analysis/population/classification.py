"""Cross-validated decoding of labels from activity; folds are made of trials, never of bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, choice, whole
from ..nulls import NullTest, grouped_permutations
from ._folds import activity_of, assign_folds, match


@dataclass(frozen=True, eq=False)
class ClassDecoding:
    """Decoding of a label.

    Attributes
    ----------
    accuracy : NullTest, alternative "greater"
        Share of held-out predictions that are right. With unequal classes guessing scores high too: see the
        null.
    balanced_accuracy : NullTest, alternative "greater"
        Mean over classes of the share that is right; chance is 1 / classes.
    predictions : array, shape (trial) or (trial, time)
        Labels, each found without the trial it is for.
    classes : array, shape (class)
    confusion : array of int, shape (true class, predicted class)
    folds : array of int, shape (trial)
    """

    accuracy: NullTest[float]
    balanced_accuracy: NullTest[float]
    predictions: np.ndarray
    classes: np.ndarray
    confusion: IntArray
    folds: IntArray


def decode_identity(
    x: ArrayLike,
    labels: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    classifier: Literal["logistic", "ridge"] = "logistic",
    folds: int = 5,
    samples: int = 100,
    seed: int = 0,
) -> ClassDecoding:
    """Classify the label of a trial, such as which event came, from activity; tested on trials left out.

    Parameters
    ----------
    x : array, shape (trial, unit) or (trial, time, unit)
        With a time axis every bin is a sample of its trial's label, and the bins of a trial stay in one fold.
    labels : array of text or integers, shape (trial)
        At least two classes. Trials of a class are spread evenly over the folds.
    groups : array, shape (trial)
        As in :func:`decode_scalar`.
    classifier : "logistic" or "ridge"
        Of scikit-learn, on standardised units: logistic regression with C = 1, or the ridge classifier
        with alpha = 1, which is faster with many units.
    folds : int
        2 to the number of groups.
    samples, seed : int
        Number of permutations of `labels`, each with its own fits, and the seed of folds and permutations.

    Returns
    -------
    ClassDecoding

    Raises
    ------
    ValueError
        Fewer than two classes, labels that are no text or integers, or shapes that don't fit.
    """
    activity, member, rng = activity_of(x, groups, seed)
    truth = np.asarray(labels)
    if truth.ndim != 1 or truth.dtype.kind not in "biuUSO":
        raise ValueError(
            f"labels has shape {truth.shape} and dtype {truth.dtype}: give one text or integer per trial; "
            "for a continuous value use decode_scalar"
        )
    match(activity, truth.size, 0, "labels")
    choice(classifier, "classifier", ("logistic", "ridge"))
    classes, coded = np.unique(truth.astype(str) if truth.dtype.kind == "O" else truth, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"labels holds {classes[0]!r} only: there is nothing to tell apart")
    fold = assign_folds(member, whole(folds, "folds", low=2, high=len(np.unique(member))), rng, strata=coded)
    orders = grouped_permutations(coded, member, whole(samples, "samples"), rng)

    guess = _classify(activity, coded, fold, classifier)
    scores = [_accuracies(coded, guess)]
    for order in orders:
        scores.append(_accuracies(coded[order], _classify(activity, coded[order], fold, classifier)))
    plain, balanced = np.array(scores).T
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (np.broadcast_to(coded[:, None], guess.shape), guess), 1)
    named = classes[guess if np.ndim(x) == 3 else guess[:, 0]]
    return ClassDecoding(
        NullTest(float(plain[0]), plain[1:]),
        NullTest(float(balanced[0]), balanced[1:]),
        named,
        classes,
        confusion,
        fold,
    )


def _accuracies(truth: IntArray, guess: IntArray) -> tuple[float, float]:
    right = guess == truth[:, None]
    return float(right.mean()), float(np.mean([right[truth == c].mean() for c in np.unique(truth)]))


def _classify(x: FloatArray, labels: IntArray, fold: IntArray, classifier: str) -> IntArray:
    """Held-out guesses, shape (trial, time)."""
    units = x.shape[-1]
    guess = np.empty(x.shape[:2], dtype=np.int64)
    for k in range(int(fold.max()) + 1):
        train, test = fold != k, fold == k
        if np.ptp(labels[train]) == 0:  # a rare class can lie in one fold as a whole
            guess[test] = labels[train][0]
            continue
        model = _model(classifier).fit(x[train].reshape(-1, units), np.repeat(labels[train], x.shape[1]))
        guess[test] = model.predict(x[test].reshape(-1, units)).reshape(int(test.sum()), -1)
    return guess


def _model(classifier: str) -> Any:
    from sklearn.linear_model import LogisticRegression, RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if classifier == "logistic":
        model = LogisticRegression(C=1.0, max_iter=2000)
    else:
        model = RidgeClassifier(alpha=1.0)
    return make_pipeline(StandardScaler(), model)
