"""Checks of arguments that all of the analysis shares."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]


def floats(values: ArrayLike, name: str, *, axes: Sequence[str], shortest: int = 1) -> FloatArray:
    """`values` as finite float64 with one of the shapes in `axes`, such as ("time, unit",)."""
    array = np.asarray(values)
    shapes = " or ".join(f"({text})" for text in axes)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}: give real numbers, shape {shapes}")
    array = array.astype(np.float64, copy=False)
    if array.ndim not in {text.count(",") + 1 for text in axes}:
        raise ValueError(f"{name} has shape {array.shape}: give {shapes}")
    if array.shape[0] < shortest or array.size == 0 and shortest > 0:
        first = axes[0].split(",")[0]
        raise ValueError(f"{name} has shape {array.shape}: at least {shortest} along {first!r} and no empty axis")
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name} holds {int(bad.sum())} values that are NaN or infinite, the first at index {where}: "
            "cut or fill them before the analysis"
        )
    return array


def number(value: float, name: str, *, unit: str = "ms", low: float = -np.inf, strict: bool = False) -> float:
    """`value` as a finite float, at least `low` (above it if `strict`)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} = {value!r}: give a plain number" + (f" in {unit}" if unit else ""))
    result = float(value)
    if not np.isfinite(result) or result < low or (strict and result == low):
        bound = "" if low == -np.inf else f" {'above' if strict else 'of at least'} {low:g}"
        raise ValueError(f"{name} = {value!r}: give a finite number{bound}" + (f" in {unit}" if unit else ""))
    return result


def whole(value: int, name: str, *, low: int = 1, high: int | None = None) -> int:
    """`value` as a whole number between `low` and `high`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} = {value!r}: give a whole number")
    if value < low or (high is not None and value > high):
        raise ValueError(f"{name} = {value!r}: at least {low}" + ("" if high is None else f", at most {high}"))
    return int(value)


def choice(value: str, name: str, allowed: Sequence[str]) -> str:
    """`value` if it is one of `allowed`."""
    if value not in allowed:
        near = get_close_matches(str(value), allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{name} = {value!r}: one of {', '.join(map(repr, allowed))}{hint}")
    return value


def spike_times(times: ArrayLike, name: str = "times") -> FloatArray:
    """Spike times in ms: one axis, finite, in order."""
    array = floats(times, name, axes=("spike",), shortest=0)
    later = np.flatnonzero(np.diff(array) < 0)
    if later.size:
        k = int(later[0])
        raise ValueError(
            f"{name} must not decrease, but {name}[{k + 1}] = {array[k + 1]:g} ms follows {array[k]:g} ms: "
            "sort them, and the ids by the same order"
        )
    return array


def unit_ids(ids: ArrayLike, n: int, *, spikes: int | None = None) -> IntArray:
    """Indices of units in [0, n), one for each of `spikes`."""
    array = np.asarray(ids)
    if array.ndim != 1:
        raise ValueError(f"ids has shape {array.shape}: give one unit index per spike, shape (spike)")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"ids has dtype {array.dtype}: give whole numbers")
    if spikes is not None and array.size != spikes:
        raise ValueError(f"ids has {array.size} entries, times has {spikes}: one id for each spike")
    if array.size and (array.min() < 0 or array.max() >= n):
        wrong = int(array.min()) if array.min() < 0 else int(array.max())
        raise ValueError(f"ids holds {wrong}, but n = {n}: ids run from 0 to n - 1")
    return array.astype(np.int64)
