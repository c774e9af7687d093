"""Products of a matrix, in a row of parameters, with rows of numbers: eight at once, as :mod:`neurodyn.kernels.lanes` has it."""

from __future__ import annotations

from numba import njit

from neurodyn.kernels.lanes import WIDTH, add_product, add_scaled, load, store, summed, zero


@njit(cache=True, error_model="numpy")
def product(p, at, rows, columns, x, x0, xs, y, y0, ys, n):
    """y[i] += sum over j of W[i, j] x[j], for n numbers of each row from ``xs`` and ``ys`` on; n is a multiple of 8."""
    for s in range(0, n, WIDTH):
        i = 0
        while i + 2 <= rows:
            row, next_row = at + i * columns, at + (i + 1) * columns
            a, b = load(y, y0 + i, ys + s), load(y, y0 + i + 1, ys + s)
            for j in range(columns):
                v = load(x, x0 + j, xs + s)
                a, b = add_scaled(a, p[row + j], v), add_scaled(b, p[next_row + j], v)
            store(y, y0 + i, ys + s, a)
            store(y, y0 + i + 1, ys + s, b)
            i += 2
        if i < rows:
            a = load(y, y0 + i, ys + s)
            for j in range(columns):
                a = add_scaled(a, p[at + i * columns + j], load(x, x0 + j, xs + s))
            store(y, y0 + i, ys + s, a)


@njit(cache=True, error_model="numpy")
def transposed(p, at, rows, columns, y, y0, ys, x, x0, xs, n):
    """x[j] += sum over i of W[i, j] y[i]."""
    for s in range(0, n, WIDTH):
        j = 0
        while j + 2 <= columns:
            a, b = load(x, x0 + j, xs + s), load(x, x0 + j + 1, xs + s)
            for i in range(rows):
                v, k = load(y, y0 + i, ys + s), at + i * columns + j
                a, b = add_scaled(a, p[k], v), add_scaled(b, p[k + 1], v)
            store(x, x0 + j, xs + s, a)
            store(x, x0 + j + 1, xs + s, b)
            j += 2
        if j < columns:
            a = load(x, x0 + j, xs + s)
            for i in range(rows):
                a = add_scaled(a, p[at + i * columns + j], load(y, y0 + i, ys + s))
            store(x, x0 + j, xs + s, a)


@njit(cache=True, error_model="numpy")
def outer(g, at, rows, columns, y, y0, ys, x, x0, xs, n):
    """g[i, j] += sum over n numbers of y[i] x[j]: the gradient of W in y = W x. Two rows and two columns at a time."""
    for i in range(0, rows, 2):
        i1 = min(i + 1, rows - 1)  # the last row or column of an odd number is done twice, and noted once
        for j in range(0, columns, 2):
            j1 = min(j + 1, columns - 1)
            a, b, c, d = zero(g), zero(g), zero(g), zero(g)
            for s in range(0, n, WIDTH):
                v, v1 = load(y, y0 + i, ys + s), load(y, y0 + i1, ys + s)
                w, w1 = load(x, x0 + j, xs + s), load(x, x0 + j1, xs + s)
                a, b = add_product(a, v, w), add_product(b, v, w1)
                c, d = add_product(c, v1, w), add_product(d, v1, w1)
            row, row1 = at + i * columns, at + i1 * columns
            g[row + j] += summed(a)
            if j1 > j:
                g[row + j1] += summed(b)
            if i1 > i:
                g[row1 + j] += summed(c)
                if j1 > j:
                    g[row1 + j1] += summed(d)


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def row_sums(g, at, rows, y, y0, n):
    """g[i] += sum over n numbers of y[i]."""
    for i in range(rows):
        a = g[at + i] * 0
        for s in range(n):
            a += y[y0 + i, s]
        g[at + i] += a


@njit(cache=True, error_model="numpy")
def fill(p, at, rows, y, y0, n):
    """y[i] = b[i] in n numbers of each row."""
    for i in range(rows):
        y[y0 + i, :n] = p[at + i]
