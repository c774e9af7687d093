"""Numbers of several seeds as results: mean, spread, and how many seeds pass on their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurodyn.analysis import binomial_interval

SHEET = "Yamada & Chao 2025, reader's notes"
OURS = "threshold set on seeds 0 to 4"


def spread(name: str, values: Any) -> dict[str, float]:
    """Return mean, SD, minimum and maximum over seeds."""
    values = np.asarray(values, dtype=float)
    return {
        f"{name}: mean": float(values.mean()),
        f"{name}: SD": float(values.std(ddof=1)) if values.size > 1 else 0.0,
        f"{name}: min": float(values.min()),
        f"{name}: max": float(values.max()),
    }


def passes(name: str, passed: Any) -> dict[str, Any]:
    """Return how many seeds pass on their own, with a 95 % binomial interval of the rate."""
    passed = np.asarray(passed, dtype=bool)
    interval = binomial_interval(int(passed.sum()), int(passed.size))
    return {f"{name}: seeds": f"{int(passed.sum())} of {passed.size} (95 %: {interval.low:.2f} to {interval.high:.2f})"}


def table(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Return rows of arrays as lists of rounded numbers."""
    return {name: np.round(np.asarray(values, dtype=float), 3).tolist() for name, values in rows.items()}
