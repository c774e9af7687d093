"""Recursive least squares: the formula, the batch solution, forgetting, and the published variant."""

import numpy as np
import pytest

from neurodyn.kernels.rls import rls_gain, rls_late, rls_settle, set_identity


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


@pytest.mark.parametrize("forgetting", [1.0, 0.97])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 24, 41])
def test_late_updates_of_one_triangle_give_the_same_bits(n, forgetting):
    """Whole tiles, what is left over, and the matrix made whole after one update, after several and after none."""
    rng = np.random.default_rng(n)
    plain, quick, late = np.eye(n) * 3.0, np.eye(n) * 3.0, np.zeros(n + 3)
    gains = np.empty((2, n))
    for sample in range(12):
        x = rng.normal(size=n) * (rng.random(n) < 0.7)
        old = float(sample == 5)
        rls_gain(plain, x, forgetting, old, gains[0])
        rls_late(quick, x, forgetting, old, gains[1], late)
        np.testing.assert_array_equal(gains[0], gains[1])
        if sample in (0, 4, 11):
            rls_settle(quick, late)
            rls_settle(quick, late)
            np.testing.assert_array_equal(quick, plain)


def test_late_updates_take_float32_features():
    rng, n = np.random.default_rng(3), 19
    plain, quick, late = np.eye(n), np.eye(n), np.zeros(n + 3)
    gains = np.empty((2, n), np.float32)
    for x in rng.normal(size=(3, n)).astype(np.float32):
        rls_gain(plain, x, np.float32(0.9), np.float32(0.0), gains[0])
        rls_late(quick, x, np.float32(0.9), np.float32(0.0), gains[1], late)
    rls_settle(quick, late)
    np.testing.assert_array_equal(gains[0], gains[1])
    np.testing.assert_array_equal(quick, plain)


def test_late_updates_leave_numbers_that_are_not_finite_where_the_plain_form_does():
    n = 17
    plain, quick, late = np.eye(n), np.eye(n), np.zeros(n + 3)
    gains = np.empty((2, n))
    for value in (1e200, 1.0, 1.0):  # the scale is 0 first, then infinity meets it
        x = np.full(n, value)
        rls_gain(plain, x, 1.0, 0.0, gains[0])
        rls_late(quick, x, 1.0, 0.0, gains[1], late)
    rls_settle(quick, late)
    np.testing.assert_array_equal(gains[0], gains[1])
    np.testing.assert_array_equal(quick, plain)
