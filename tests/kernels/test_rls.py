"""Recursive least squares: the formula, the batch solution, forgetting, and the published variant."""

import numpy as np
import pytest

from neurodyn.kernels.rls import rls_gain, set_identity


def run(p, xs, forgetting=1.0, old_gain=0.0):
    gain, gains = np.empty(p.shape[0]), []
    for x in xs:
        rls_gain(p, x, forgetting, old_gain, gain)
        gains.append(gain.copy())
    return np.array(gains)


@pytest.mark.parametrize("forgetting", [1.0, 0.9])
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_one_update_is_the_formula(n, forgetting):
    rng = np.random.default_rng(n)
    root = rng.normal(size=(n, n))
    p = root @ root.T + np.eye(n)
    x, old = rng.normal(size=n), p.copy()
    (gain,) = run(p, [x], forgetting)
    k = old @ x / (forgetting + x @ old @ x)
    np.testing.assert_allclose(gain, k, rtol=1e-12)
    np.testing.assert_allclose(p, (old - np.outer(k, x @ old)) / forgetting, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("forgetting", [1.0, 0.95])
def test_weights_are_those_of_the_batch_solution(forgetting):
    """After n samples P is the inverse of alpha lambda^n + sum lambda^(n-m) x x', and w its product with sum x f."""
    rng, n, samples, alpha = np.random.default_rng(0), 6, 60, 0.3
    xs, fs = rng.normal(size=(samples, n)), rng.normal(size=(samples, 5))
    p, w = np.eye(n) / alpha, np.zeros((5, n))
    gain = np.empty(n)
    for x, f in zip(xs, fs, strict=True):
        error = f - w @ x
        rls_gain(p, x, forgetting, 0.0, gain)
        w += np.outer(error, gain)
    weight = forgetting ** np.arange(samples - 1, -1, -1)
    correlation = alpha * forgetting**samples * np.eye(n) + (xs.T * weight) @ xs
    np.testing.assert_allclose(p, np.linalg.inv(correlation), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(w, np.linalg.solve(correlation, (xs.T * weight) @ fs).T, rtol=1e-9, atol=1e-11)


def test_the_published_variant_takes_the_old_product_and_the_same_matrix():
    rng, n = np.random.default_rng(1), 9
    xs = rng.normal(size=(3, n))
    canonical, old_gain = np.eye(n), np.eye(n)
    first = run(canonical, xs)
    second = run(old_gain, xs, 1.0, 1.0)
    np.testing.assert_array_equal(canonical, old_gain)
    p = np.eye(n)
    for x, k, g in zip(xs, first, second, strict=True):
        np.testing.assert_allclose(g, p @ x, rtol=1e-12)
        np.testing.assert_allclose(k * (1 + x @ p @ x), g, rtol=1e-12)
        run(p, [x])


def test_p_stays_symmetric_to_the_last_bit():
    """Rounding that differs between (i, j) and (j, i) would grow as forgetting^-n."""
    rng, n = np.random.default_rng(2), 50
    p = np.eye(n) * 10.0
    run(p, rng.normal(size=(2000, n)), 0.98)
    np.testing.assert_array_equal(p, p.T)
    assert np.linalg.eigvalsh(p)[0] > 0


def test_silence_changes_nothing_but_the_forgetting():
    p = np.diag([1.0, 2.0, 4.0])
    (gain,) = run(p, [np.zeros(3)], 0.5)
    np.testing.assert_array_equal(gain, np.zeros(3))
    np.testing.assert_array_equal(p, np.diag([2.0, 4.0, 8.0]))


def test_float32_features_keep_a_float64_matrix():
    x = np.array([0.1, 0.2], dtype=np.float32)
    p, gain = np.eye(2), np.empty(2, dtype=np.float32)
    rls_gain(p, x, np.float32(1.0), np.float32(0.0), gain)
    wide = x.astype(float)
    np.testing.assert_allclose(p, np.eye(2) - np.outer(wide, wide) / (1 + wide @ wide), rtol=1e-14)


def test_identity():
    p = np.full((3, 3), np.nan)
    set_identity(p, 2.5)
    np.testing.assert_array_equal(p, 2.5 * np.eye(3))
