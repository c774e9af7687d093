"""Recursive least squares on a shared inverse correlation matrix."""

from __future__ import annotations

import numpy as np
from numba import njit


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
    for i in range(n):
        row = px[i]
        for j in range(n):
            p[i, j] -= scale * (row * px[j])
    if forgetting != 1.0:
        inverse = 1.0 / forgetting
        for i in range(n):
            for j in range(n):
                p[i, j] *= inverse


@njit(cache=True, error_model="numpy", nogil=True)
def set_identity(p, value):
    """Set ``p`` to ``value`` times the identity."""
    p[:, :] = 0.0
    for i in range(p.shape[0]):
        p[i, i] = value
