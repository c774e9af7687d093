import numpy as np
import pytest

from neurodyn.analysis.population._folds import assign_folds
from neurodyn.analysis.population._ridge import cross_validate, path


@pytest.mark.parametrize("shape", [(40, 5), (12, 30)])
def test_path_equals_scikit_learn(shape):
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    x, y, new = (
        rng.normal(3, 2, size=shape),
        rng.normal(size=(shape[0], 2)),
        rng.normal(3, 2, size=(7, shape[1])),
    )
    x[:, 0] = 4.0  # a silent unit, constant in the training trials
    strengths = np.array([1e-3, 0.1, 10.0])
    got = path(x, y, new, strengths)
    for strength, rows in zip(strengths, got, strict=True):
        model = make_pipeline(StandardScaler(), Ridge(alpha=strength * shape[0])).fit(x[:, 1:], y)
        assert np.allclose(rows, model.predict(new[:, 1:]), atol=1e-9)


def test_folds_keep_groups_whole_and_spread_classes():
    groups = np.repeat(np.arange(12), 3)
    labels = np.repeat([0, 1, 1], 12)[np.argsort(np.tile(np.arange(12), 3), kind="stable")]
    rng = np.random.default_rng(1)
    fold = assign_folds(groups, 4, rng)
    assert np.array_equal(np.bincount(fold), [9, 9, 9, 9])
    assert all(len(set(fold[groups == g])) == 1 for g in range(12))
    alone = assign_folds(np.arange(36), 4, rng, strata=labels)
    assert all(abs(np.sum(labels[alone == k] == 0) - 3) <= 1 for k in range(4))


def test_held_out_trials_do_not_reach_their_own_prediction():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(10, 6, 4)), rng.normal(size=(10, 6, 1))
    groups = np.arange(10)
    fold = groups % 5
    before = cross_validate(x, y, groups, fold, np.array([0.1, 1.0]), np.random.default_rng(0))
    y[fold == 2] += 1000
    after = cross_validate(x, y, groups, fold, np.array([0.1, 1.0]), np.random.default_rng(0))
    assert np.array_equal(before[fold == 2], after[fold == 2])
    assert not np.allclose(before[fold != 2], after[fold != 2])


def test_targets_are_fitted_independently():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(12, 4, 6)), rng.normal(size=(12, 4, 3))
    y[..., 0] = x[..., 0]  # wants another strength than noise does
    groups = np.arange(12)
    several = cross_validate(x, y, groups, groups % 3, np.array([1e-3, 10.0]), np.random.default_rng(0))
    for k in range(3):
        one = cross_validate(x, y[..., k : k + 1], groups, groups % 3, np.array([1e-3, 10.0]), np.random.default_rng(0))
        assert np.allclose(several[..., k], one[..., 0])
