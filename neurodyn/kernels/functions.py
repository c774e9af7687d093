"""Elementary functions that Numba lacks."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def exprel(x):
    """Return (exp(x) - 1)/x, 1 at 0."""
    return 1.0 if abs(x) < 1e-16 else np.expm1(x) / x
