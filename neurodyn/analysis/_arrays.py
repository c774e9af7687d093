"""Tensors of any device as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def plain(given: Any) -> np.ndarray:
    """An array, or what numpy makes of it, from arrays, lists and tensors."""
    return np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
