"""Recursive least squares on a shared inverse correlation matrix."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodyn.kernels.tiles import SIDE, update_and_mirror, update_and_multiply
from neurodyn.kernels.vectors import wide


@njit(cache=True, error_model="numpy", nogil=True)
def rls_gain(p, x, forgetting, old_gain, gain):
    """Update the symmetric ``p`` (n, n) in place for one sample ``x`` (n,); write the gain (n,).

    With the canonical gain k = P x/(lambda + x'Px) (Sussillo & Abbott 2009; Haykin, RLS) the new matrix is
    (P - k x'P)/lambda. ``old_gain`` != 0 returns P x of the old matrix instead, as the published scripts of
    Nicola & Clopath 2017 do. Sums run in index order over rows, which vectorises since P is symmetric and stays so
    to the last bit; nothing is re-associated, for in a closed loop another last bit soon is another run.
    """
    n = x.shape[0]
    px = np.zeros(n)
    for j in range(n):
        xj = np.float64(x[j])
        for i in range(n):
            px[i] += p[j, i] * xj
    total = 0.0
    for i in range(n):
        total += x[i] * px[i]
    scale = 1.0 / (forgetting + total)
    for i in range(n):
        gain[i] = px[i] if old_gain != 0.0 else px[i] * scale
    _update(p, px, scale, 1.0 / forgetting)


@njit(cache=True, error_model="numpy", nogil=True)
def _update(p, px, scale, inverse):
    wide()
    n = px.shape[0]
    for i in range(n):
        row = px[i]
        for j in range(n):
            p[i, j] = (p[i, j] - scale * (row * px[j])) * inverse  # times 1 changes no bit


@njit(cache=True, error_model="numpy", nogil=True)
def rls_late(p, x, forgetting, old_gain, gain, late):
    """Do what :func:`rls_gain` does, to the same bits, but leave ``p`` as it was one sample ago: a third of the traffic.

    The update of a sample waits in ``late`` (n + 3,), zeros at first, until the next one, whose product then finds the
    numbers in registers; and it concerns the lower triangle, for the other one says the same. :func:`rls_settle` makes
    the matrix whole; nobody else may read or write it before.
    """
    n = x.shape[0]
    px, wide_x = np.zeros(n), np.empty(n)
    for i in range(n):
        wide_x[i] = x[i]
    _update_and_multiply(p, late, wide_x, px)
    total = 0.0
    for i in range(n):
        total += wide_x[i] * px[i]
    scale = 1.0 / (forgetting + total)
    for i in range(n):
        gain[i] = px[i] if old_gain != 0.0 else px[i] * scale
    late[:n] = px
    late[n], late[n + 1] = scale, 1.0 / forgetting
    late[n + 2] += 1.0


@njit(cache=True, error_model="numpy", nogil=True)
def rls_settle(p, late):
    """Make ``p`` whole and true again after calls of :func:`rls_late`, whose ``late`` is cleared."""
    n = p.shape[0]
    if late[n + 2] == 1.0:  # the upper triangle lacks what the lower lacks: along rows this is quicker
        _update(p, late[:n], late[n], late[n + 1])
    elif late[n + 2] > 1.0:
        _update_and_mirror(p, late)
    late[:] = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def _update_and_multiply(p, late, x, px):
    wide()
    n, whole = x.shape[0], x.shape[0] // SIDE * SIDE
    scale, inverse = late[n], late[n + 1] if late[n + 2] > 0.0 else 1.0
    for i in range(n):
        first = i // SIDE * SIDE if i < whole else 0
        if i == first:
            for j in range(0, i, SIDE):
                update_and_multiply(p, i, j, late, x, px, scale, inverse)
        for j in range(first, i):
            p[i, j] = (p[i, j] - scale * (late[i] * late[j])) * inverse
            px[j] += p[i, j] * x[i]
            px[i] += p[i, j] * x[j]
        p[i, i] = (p[i, i] - scale * (late[i] * late[i])) * inverse
        px[i] += p[i, i] * x[i]


@njit(cache=True, error_model="numpy", nogil=True)
def _update_and_mirror(p, late):
    wide()
    n = p.shape[0]
    whole = n // SIDE * SIDE
    scale, inverse = late[n], late[n + 1]
    for i in range(n):
        first = i // SIDE * SIDE if i < whole else 0
        if i == first:
            for j in range(0, i, SIDE):
                update_and_mirror(p, i, j, late, scale, inverse)
        for j in range(first, i + 1):
            p[i, j] = (p[i, j] - scale * (late[i] * late[j])) * inverse
            p[j, i] = p[i, j]


@njit(cache=True, error_model="numpy", nogil=True)
def set_identity(p, value):
    """Set ``p`` to ``value`` times the identity."""
    p[:, :] = 0.0
    for i in range(p.shape[0]):
        p[i, i] = value
