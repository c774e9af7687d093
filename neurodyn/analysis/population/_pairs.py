"""Two recordings of the same samples, and how to break what they share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats

_AXES = ("time, unit", "trial, time, unit")


def same_samples(a: ArrayLike, b: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both as arrays, (time, unit) or (trial, time, unit), of the same samples."""
    first, second = (floats(v, name, axes=_AXES) for v, name in ((a, "a"), (b, "b")))
    if first.shape[:-1] != second.shape[:-1]:
        raise ValueError(
            f"a has shape {first.shape}, b {second.shape}: all but the units have to agree, the same samples of both"
        )
    if len(first) < 2:
        raise ValueError(f"a has shape {first.shape}: at least 2 along the first axis, which the null pairs anew")
    for v, name in ((first, "a"), (second, "b")):
        if not np.ptp(v.reshape(-1, v.shape[-1]), axis=0).any():
            raise ValueError(f"{name} never varies: there is nothing to align")
    return first, second


def paired_anew(b: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Trials in another order or, without trials, all units shifted in a circle by at least a tenth of the recording."""
    if b.ndim == 3:
        return b[rng.permutation(len(b))]
    least = max(1, len(b) // 10)
    return np.roll(b, int(rng.integers(least, max(least + 1, len(b) - least))), axis=0)
