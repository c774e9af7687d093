import numpy as np
import pytest

from neurodyn.analysis import decode_identity


def two_classes(seed, trials=40, distance=2.0, share=0.5):
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(trials) < share * trials, "A", "B")
    x = rng.normal(size=(trials, 6))
    x[labels == "A", 0] += distance
    order = rng.permutation(trials)
    return x[order], labels[order]


@pytest.mark.parametrize("classifier", ["logistic", "ridge"])
def test_identity_is_read_near_the_bound_of_two_normals(classifier):
    from scipy.stats import norm

    x, labels = two_classes(0, trials=400)
    result = decode_identity(x, labels, classifier=classifier, samples=19)
    # Best possible: normal cdf of half the distance, 0.841; 400 trials have a standard deviation of 0.018.
    assert result.accuracy.observed == pytest.approx(norm.cdf(1.0), abs=0.06)
    assert result.accuracy.p == pytest.approx(0.05)
    assert np.abs(result.accuracy.null - 0.5).max() < 0.12
    assert result.confusion.sum() == 400
    assert np.trace(result.confusion) / 400 == pytest.approx(result.accuracy.observed)
    assert list(result.classes) == ["A", "B"]
    assert np.mean(result.predictions == labels) == pytest.approx(result.accuracy.observed)


def test_chance_of_unequal_classes_is_in_the_null():
    x, labels = two_classes(1, trials=60, distance=0.0, share=0.8)
    result = decode_identity(x, labels, samples=39)
    assert result.accuracy.observed > 0.65
    assert result.accuracy.p > 0.05 and np.median(result.accuracy.null) > 0.65
    assert abs(result.balanced_accuracy.observed - 0.5) < 0.15


def test_bins_of_a_trial_stay_in_one_fold():
    """Each trial has an offset of its own in all bins: folds of bins would read it, trials do not."""
    rng = np.random.default_rng(2)
    hits = []
    for k in range(20):
        x = rng.normal(size=(16, 1, 30)) + 0.01 * rng.normal(size=(16, 8, 30))
        result = decode_identity(x, np.arange(16) % 2, classifier="ridge", samples=9, seed=k)
        hits.append(result.accuracy.observed)
        assert result.predictions.shape == (16, 8)
    assert 0.35 < np.mean(hits) < 0.6


def test_three_classes_and_a_class_rarer_than_folds():
    rng = np.random.default_rng(3)
    labels = np.array([0] * 10 + [1] * 10 + [2] * 2)
    x = np.eye(3)[labels] * 5 + rng.normal(size=(22, 3))
    result = decode_identity(x, labels, samples=9)
    assert result.confusion.shape == (3, 3) and result.accuracy.observed > 0.8
    lonely = decode_identity(x[[0, 1, 10]], [0, 0, 1], folds=3, samples=3)
    assert lonely.predictions.shape == (3,)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.linspace(0, 1, 6), "use decode_scalar"),
        (["A"] * 6, "nothing to tell apart"),
        (["A", "B"], "axis 'trial'"),
    ],
)
def test_errors_say_what_is_wrong(labels, message):
    with pytest.raises(ValueError, match=message):
        decode_identity(np.zeros((6, 3)), labels)
    with pytest.raises(ValueError, match="mean 'logistic'"):
        decode_identity(np.eye(6), ["A", "B"] * 3, classifier="logistics")  # type: ignore[arg-type]
