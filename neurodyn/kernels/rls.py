"""Recursive least squares on a shared inverse correlation matrix."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract", "nsz"})
def rls_gain(p, x, forgetting, old_gain, gain):
    """Update the symmetric ``p`` (n, n) in place for one sample ``x`` (n,); write the gain (n,).

    With the canonical gain k = P x/(lambda + x'Px) (Sussillo & Abbott 2009; Haykin, RLS) the new matrix is
    (P - k x'P)/lambda. ``old_gain`` != 0 returns P x of the old matrix instead, as the published scripts of
    Nicola & Clopath 2017 do. Rows and columns are updated alike, so P stays symmetric to the last bit.
    """
    n = x.shape[0]
    px = np.empty(n)
    total = 0.0
    for i in range(n):
        row = 0.0
        for j in range(n):
            row += p[i, j] * x[j]
        px[i] = row
        total += row * x[i]
    scale = 1.0 / (forgetting + total)
    for i in range(n):
        gain[i] = px[i] if old_gain != 0.0 else px[i] * scale
    root = np.sqrt(scale)
    for i in range(n):
        px[i] *= root
    for i in range(n):
        factor = px[i]
        for j in range(n):
            p[i, j] -= factor * px[j]  # the same product for (i, j) and (j, i)
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
