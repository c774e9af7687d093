import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.analysis import angle_null, principal_angles


def planes(angles, units, seed=0):
    """Two subspaces at given principal angles, each in a basis of its own."""
    rng = np.random.default_rng(seed)
    k = len(angles)
    basis = np.linalg.qr(rng.normal(size=(units, 2 * k)))[0].T
    tilt = np.deg2rad(angles)[:, None]
    a, b = basis[:k], np.cos(tilt) * basis[:k] + np.sin(tilt) * basis[k:]
    return rng.normal(size=(k, k)) @ a, rng.normal(size=(k, k)) @ b


@given(st.lists(st.floats(0.01, 90), min_size=1, max_size=4), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_constructed_angles_come_back(angles, seed):
    a, b = planes(angles, 30, seed)
    assert np.allclose(principal_angles(a, b), sorted(angles), atol=1e-4)
    assert np.allclose(principal_angles(b, a), sorted(angles), atol=1e-4)


def test_angles_equal_the_singular_values_of_the_bases():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 50)), rng.normal(size=(3, 50))
    cosines = np.linalg.svd(np.linalg.qr(a.T)[0].T @ np.linalg.qr(b.T)[0], compute_uv=False)
    assert np.allclose(principal_angles(a, b), np.rad2deg(np.arccos(cosines)))
    assert principal_angles(a[0], a[0] * 1e9)[0] == pytest.approx(0, abs=1e-5)


def test_random_planes_are_nearly_orthogonal_and_not_significant():
    rng = np.random.default_rng(2)
    p = []
    for k in range(60):
        result = angle_null(rng.normal(size=(2, 200)), rng.normal(size=(2, 200)), samples=39, seed=k)
        assert result.smallest.observed > 70
        p.append(result.smallest.p)
    assert sum(value <= 0.05 for value in p) <= 11  # nominal 3 of 60, standard deviation 1.7
    assert 0.3 < np.mean(p) < 0.7


def test_gaussian_null_of_two_lines_is_that_of_the_beta_distribution():
    from scipy.stats import beta, kstest

    rng = np.random.default_rng(3)
    result = angle_null(rng.normal(size=30), rng.normal(size=30), kind="gaussian", samples=2000)
    cosine2 = np.cos(np.deg2rad(result.smallest.null)) ** 2
    assert kstest(cosine2, beta(0.5, 29 / 2).cdf).pvalue > 1e-4
    assert np.array_equal(result.smallest.null, result.largest.null)


def test_shuffle_null_keeps_the_mean_that_both_share():
    rng = np.random.default_rng(4)
    a, b = (1 + 0.3 * rng.normal(size=(1, 300)) for _ in range(2))
    shuffled, gaussian = angle_null(a, b, samples=200), angle_null(a, b, kind="gaussian", samples=200)
    assert np.median(shuffled.smallest.null) == pytest.approx(shuffled.smallest.observed, abs=3)
    assert gaussian.smallest.observed < gaussian.smallest.low - 30


def test_orthogonal_beyond_chance_is_told_from_chance():
    a, b = planes([90.0, 90.0], 40)
    result = angle_null(a, b, samples=99)
    assert result.smallest.p == pytest.approx(0.01)
    assert "smallest" in str(result) and "shuffle" in str(result)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.ones((5, 2)), np.ones(2), "transpose it"),
        (np.eye(3)[:2], np.ones(4), "one space"),
        (np.array([[1.0, 2, 3], [2, 4, 6]]), np.ones(3), "linearly dependent"),
        (np.zeros(3), np.ones(3), "zero vector"),
        (np.array([1.0, np.nan, 0]), np.ones(3), "NaN"),
    ],
)
def test_errors_say_what_is_wrong(a, b, message):
    with pytest.raises(ValueError, match=message):
        principal_angles(a, b)
