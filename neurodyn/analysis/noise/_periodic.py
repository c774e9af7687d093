"""Paths driven by a sine: what is checked of them, and which samples make whole periods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import FloatArray, floats, number
from .._streams import in_file, shape_of

ComplexArray = NDArray[np.complexfloating]

AXES = ("time", "time, path")


def paths_of(x: Any, name: str = "x", *, shortest: int = 2) -> Any:
    """`x` as (time, path), checked if it is in memory; something in a file with two axes is left there."""
    if in_file(x) and len(x.shape) == 2:
        shape_of(x, name, axes=AXES)
        return x
    values = floats(x[:] if in_file(x) else x, name, axes=AXES, shortest=shortest)
    if not np.ptp(values, axis=0).any():
        raise ValueError(f"{name} never varies: there is nothing to measure")
    return values[:, None] if values.ndim == 1 else values


def stretch(x: Any, first: int, last: int, name: str = "x") -> FloatArray:
    """Samples [first, last) of `x` (time, path), in memory and finite."""
    return floats(x[first:last], name, axes=("time, path",))


def step_of(dt: float) -> float:
    return number(dt, "dt", unit="the unit of time", low=0, strict=True)


def frequency_of(frequency: float, dt: float) -> float:
    """A frequency in cycles per unit of time, which samples `dt` apart can tell."""
    frequency = number(frequency, "frequency", unit="cycles per unit of time", low=0, strict=True)
    if frequency * dt >= 0.5:
        raise ValueError(
            f"frequency = {frequency:g} with dt = {dt:g}: samples alias it, {1 / (frequency * dt):.2g} in a period; "
            "give more than 2, or the frequency in cycles (not radians) per unit of time"
        )
    return frequency


def discarded(discard: float, dt: float, length: int) -> int:
    """Samples in the first `discard` units of time."""
    skipped = int(np.ceil(number(discard, "discard", unit="the unit of time", low=0) / dt - 1e-9))
    if skipped >= length:
        raise ValueError(f"discard = {discard:g}, but x lasts {length * dt:g}: less than that")
    return skipped


def whole_periods(length: int, dt: float, frequency: float, fewest: int) -> tuple[int, int]:
    """Whole periods in `length` samples, at least `fewest`, and the number of samples nearest to them."""
    periods = int(np.floor(length * dt * frequency + 1e-9))
    if periods < fewest:
        raise ValueError(
            f"x holds {length * dt * frequency:.3g} periods of frequency = {frequency:g} after what is discarded: "
            f"at least {fewest} are needed"
        )
    return periods, min(length, round(periods / (frequency * dt)))
