"""Vectors of eight numbers against NumPy, in both precisions, in rows that don't begin where memory does."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from neurodyn.kernels.lanes import WIDTH, add_product, add_scaled, load, store, summed, zero

KINDS = [np.float32, np.float64]
EPS = {kind: float(np.finfo(kind).eps) for kind in KINDS}


@njit
def scaled(out, row, column, x, at, begin, scale):
    store(out, row, column, add_scaled(load(out, row, column), scale, load(x, at, begin)))


@njit
def dot(x, i, y, j, n):
    total = zero(x)
    for s in range(0, n, WIDTH):
        total = add_product(total, load(x, i, s), load(y, j, s))
    return summed(total)


@njit
def total(x, row, column):
    return summed(load(x, row, column))


def rows(kind, count=3, size=40):
    """An array whose rows lie apart, and which begins amid another."""
    whole = np.random.default_rng(2).normal(size=(count + 1, size + 5)).astype(kind)
    return whole[1:, 3 : 3 + size]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("row", "column", "at", "begin"), [(0, 0, 0, 0), (2, 32, 1, 8), (1, 5, 2, 31)])
def test_a_scaled_row_is_added_there_and_nowhere_else(kind, row, column, at, begin):
    out, x = rows(kind), rows(kind)[::-1].copy()
    expected = out.copy()
    expected[row, column : column + WIDTH] += kind(0.7) * x[at, begin : begin + WIDTH]
    scaled(out, row, column, x, at, begin, kind(0.7))
    np.testing.assert_allclose(out, expected, rtol=4 * EPS[kind], atol=4 * EPS[kind])
    elsewhere = np.ones(out.shape, bool)
    elsewhere[row, column : column + WIDTH] = False
    np.testing.assert_array_equal(out[elsewhere], expected[elsewhere])


@pytest.mark.parametrize("kind", KINDS)
def test_products_and_sums(kind):
    x, y = rows(kind), rows(kind, size=48)
    found = dot(x, 1, y, 2, 40)
    assert found == pytest.approx(float(x[1].astype(float) @ y[2, :40].astype(float)), rel=50 * EPS[kind])
    assert total(x, 0, 9) == pytest.approx(x[0, 9:17].astype(float).sum(), rel=20 * EPS[kind])
    assert dot(x, 0, y, 0, 0) == 0


def test_a_sum_goes_by_halves():
    """So its bits are those of one order of additions, on every processor."""
    x = np.array([[1e16, 1.0, -1e16, 3.0, 1.0, 2.0, 4.0, 8.0]])
    a = x[0, :4] + x[0, 4:]
    assert total(x, 0, 0) == (a[0] + a[2]) + (a[1] + a[3])
