"""Products in registers against NumPy's, in the layouts that the training step uses."""

from __future__ import annotations

import numpy as np
import pytest

from neurodyn.kernels.matmul import WIDTH, add_product, padded, whole


def tiles(b):
    """B (depth, column) tile of columns by tile, as a flat array."""
    width = WIDTH // b.itemsize
    return np.ascontiguousarray(b.reshape(len(b), -1, width).transpose(1, 0, 2)).ravel()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("depth", [1, 5, 128, 300])
def test_it_is_the_product(kind, depth):
    rng = np.random.default_rng(1)
    columns, rows = padded(WIDTH + 1, np.dtype(kind).itemsize), whole(19)
    a, b, c = (rng.normal(size=n).astype(kind) for n in ((rows, depth + 3), (depth, columns), (rows, columns + 2)))
    found, width = c.ravel().copy(), WIDTH // c.itemsize
    add_product(
        found, 0, columns + 2, rows, columns, a.ravel(), 2, depth + 3, 1, tiles(b), 0, width, depth * width, depth
    )
    wanted = c.astype(float)
    wanted[:, :columns] += a[:, 2 : depth + 2].astype(float) @ b
    np.testing.assert_allclose(found.reshape(c.shape), wanted, rtol=0, atol=300 * np.finfo(kind).eps * depth**0.5)
    np.testing.assert_array_equal(found.reshape(c.shape)[:, columns:], c[:, columns:])  # what is beyond stays


def test_the_transposed_of_a_matrix_times_one_in_rows():
    rng = np.random.default_rng(2)
    rows, columns, depth = 8, padded(1, 8), 21
    a, b = rng.normal(size=(depth, rows)), rng.normal(size=(depth, columns))
    found = np.zeros(rows * columns)
    add_product(found, 0, columns, rows, columns, a.ravel(), 0, 1, rows, b.ravel(), 0, columns, WIDTH // 8, depth)
    np.testing.assert_allclose(found.reshape(rows, columns), a.T @ b, rtol=1e-13, atol=1e-13)


def test_a_number_has_the_same_bits_wherever_it_stands():
    rng = np.random.default_rng(3)
    columns, depth = padded(1, 4), 200
    a, b = rng.normal(size=(16, depth)).astype(np.float32), rng.normal(size=(depth, columns)).astype(np.float32)
    a[11], b[:, 3] = a[2], b[:, 1]
    found = np.zeros(16 * columns, np.float32)
    width = WIDTH // 4
    add_product(found, 0, columns, 16, columns, a.ravel(), 0, depth, 1, tiles(b), 0, width, depth * width, depth)
    found = found.reshape(16, columns)
    assert found[2, 1] == found[11, 3] == found[2, 3] != 0
