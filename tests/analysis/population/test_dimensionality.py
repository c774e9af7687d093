from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.analysis import dimension_at, participation_ratio, participation_ratio_null, pca, pca_null


def u_statistics(x):
    """Unbiased (tr C)^2 and tr C^2 by definition: averages over all four distinct samples."""
    squared, square = [], []
    for i, j, k, m in permutations(range(len(x)), 4):
        a, b = x[i] - x[j], x[k] - x[m]
        squared.append((a @ a) * (b @ b) / 4)
        square.append((a @ b) ** 2 / 4)
    return np.mean(squared), np.mean(square)


@pytest.mark.parametrize("shape", [(4, 2), (6, 3), (7, 9)])
def test_correction_equals_the_u_statistics(shape):
    x = np.random.default_rng(sum(shape)).gamma(1.0, size=shape)
    squared, square = u_statistics(x)
    assert participation_ratio(x) == pytest.approx(squared / square, rel=1e-10)


@pytest.mark.parametrize("skewed", [False, True])
def test_known_covariance_is_recovered_with_few_samples(skewed):
    rng = np.random.default_rng(3)
    spectrum = 1 / np.sqrt(np.arange(1, 61))
    true = spectrum.sum() ** 2 / (spectrum**2).sum()
    mixing = np.linalg.qr(rng.normal(size=(60, 60)))[0] * np.sqrt(spectrum)
    draw = rng.standard_exponential if skewed else rng.standard_normal
    corrected, plain = [], []
    for _ in range(300):
        x = draw((80, 60)) @ mixing.T
        corrected.append(participation_ratio(x))
        plain.append(participation_ratio(x, bias_correction=False))
    error = 5 * np.std(corrected) / np.sqrt(300)
    # What is left is the bias of a ratio of noisy estimates, below 1 %, against 35 % of the plain one.
    assert abs(np.mean(corrected) - true) < error + 0.02 * true
    assert np.mean(plain) < 0.75 * true


def test_independent_units_without_correction_read_as_the_formula_says():
    x = np.random.default_rng(0).normal(size=(200, 100))
    assert participation_ratio(x, bias_correction=False) == pytest.approx(1 / (1 / 100 + 1 / 200), rel=0.03)
    assert participation_ratio(x) == pytest.approx(100, rel=0.03)


def test_more_units_than_samples():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 3)) @ np.linalg.qr(rng.normal(size=(500, 3)))[0].T
    assert participation_ratio(x) == pytest.approx(3, rel=0.1)
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T))
    plain = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert participation_ratio(x, bias_correction=False) == pytest.approx(plain, rel=1e-9)


@given(st.integers(0, 10**6), st.floats(1e-6, 1e6), st.floats(-100, 100), st.booleans())
@settings(max_examples=30, deadline=None)
def test_scale_shift_and_rotation_leave_the_ratio(seed, scale, offset, corrected):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 5)) * [5, 2, 1, 1, 1]
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    before = participation_ratio(x, bias_correction=corrected)
    after = participation_ratio((x @ turn + offset) * scale, bias_correction=corrected)
    assert after == pytest.approx(before, rel=1e-6)


def test_trials_are_laid_end_to_end():
    x = np.random.default_rng(4).normal(size=(5, 20, 3))
    assert participation_ratio(x) == participation_ratio(x.reshape(100, 3))


def test_shared_dimensions_lie_below_the_null_and_independent_units_do_not():
    rng = np.random.default_rng(5)
    smooth = np.cumsum(rng.normal(size=(600, 2)), axis=0)
    smooth -= np.linspace(0, 1, 600)[:, None] * smooth[-1]  # closed, so that a rotation adds no jump
    shared = smooth @ rng.normal(size=(2, 30))
    assert participation_ratio_null(shared, samples=39).p == pytest.approx(1 / 40)
    p = [participation_ratio_null(rng.normal(size=(50, 8)), samples=19, seed=s).p for s in range(100)]
    assert sum(value <= 0.05 for value in p) <= 16  # nominal 5 of 100, standard deviation 2.2


def test_shift_keeps_the_low_dimension_of_smooth_units_that_shuffling_hides():
    smooth = np.sin(2 * np.pi * np.arange(400)[:, None] / 400 + np.random.default_rng(6).uniform(0, 6, 20))
    assert np.max(participation_ratio_null(smooth, samples=20, kind="shift").null) < 2.1
    assert np.min(participation_ratio_null(smooth, samples=20, kind="shuffle").null) > 15


def test_pca_is_the_singular_value_decomposition():
    x = np.random.default_rng(7).normal(size=(3, 40, 6)) * [6, 5, 4, 3, 2, 1]
    result = pca(x, 4)
    flat = x.reshape(-1, 6) - x.reshape(-1, 6).mean(axis=0)
    _, singular, right = np.linalg.svd(flat, full_matrices=False)
    assert np.allclose(result.explained_ratio, (singular**2 / (singular**2).sum())[:4])
    assert np.allclose(np.abs(result.components @ right[:4].T), np.eye(4), atol=1e-8)
    assert result.scores.shape == (3, 40, 4)
    assert np.allclose(result.scores.reshape(-1, 4), flat @ result.components.T)
    assert np.allclose(result.mean, x.reshape(-1, 6).mean(axis=0))


def test_parallel_analysis_finds_the_number_of_shared_components():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 20)) + rng.normal(size=(500, 20))
    test = pca_null(x, 5, kind="shuffle", samples=99)
    assert np.allclose(test.observed, pca(x, 5).explained_ratio)
    assert list(test.p <= 0.05) == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: participation_ratio(np.ones((9, 3))), "never varies"),
        (lambda: participation_ratio(np.eye(3)), "at least 4"),
        (
            lambda: participation_ratio(np.array([[1.0, np.inf]] * 9)),
            "NaN or infinite, the first at index \\(0, 1",
        ),
        (lambda: participation_ratio(np.zeros(9)), "\\(time, unit\\) or \\(trial, time, unit\\)"),
        (lambda: pca(np.eye(4), 5), "components = 5.*at most 4"),
        (lambda: participation_ratio(np.eye(6)), "too few to tell"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_dimension_at_counts_components_until_the_share_is_exceeded():
    # Orthogonal units of variance 5, 3 and 2: cumulative shares 0.5, 0.8, 1.
    x = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * np.sqrt([5.0, 3, 2])
    assert [dimension_at(x, share) for share in (0.3, 0.6, 0.81, 0.9)] == [1, 2, 3, 3]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 20)) * np.sqrt(0.5 ** np.arange(20))
    ratio = np.cumsum(pca(x, components=20).explained_ratio)
    assert dimension_at(x) == int(np.argmax(ratio > 0.9)) + 1
    with pytest.raises(ValueError, match="share = 1.0"):
        dimension_at(x, 1.0)
