"""Values of a description in words: quantities with units, distributions, arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodyn.parts import Normal, Uniform
from neurodyn.units import Quantity, UnitsError, display_unit, quantity

_FEW = 4  # numbers that are listed


class Code(str):
    """Text in the model language, which is shown as it stands, line by line."""


def words(value: Any, *, unit: str = "") -> str:
    """Return a value in words; text that is no quantity is an expression of the model language.

    ``unit`` is what is shown behind numbers that have none, such as the pseudo-units of a published scheme.
    """
    if isinstance(value, Uniform):
        return f"uniform, {_pair(value.low, value.high, ' to ', unit)}"
    if isinstance(value, Normal):
        return f"normal, mean {_one(value.mean, unit)}, SD {_one(value.std, unit)}"
    return _one(value, unit)


def _one(value: Any, unit: str) -> str:
    try:
        found = quantity(value)
    except UnitsError:
        return Code(value) if isinstance(value, str) else str(value)
    numbers, shown = _numbers(found, unit)
    if numbers.ndim == 0:
        return _with(f"{numbers:.6g}", shown)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return "none given" if not numbers.size else f"given, {_shape(numbers)}, none of them finite"
    if numbers.ndim == 1 and numbers.size <= _FEW:
        return _with(", ".join(f"{x:.6g}" for x in numbers), shown)
    if finite.min() == finite.max():
        return _with(f"{finite[0]:.6g}", shown) + f" ({_shape(numbers)})"
    span = _with(f"{finite.min():.4g} to {finite.max():.4g}", shown)
    return f"given, {_shape(numbers)}: {span}, mean {_with(f'{finite.mean():.4g}', shown)}"


def _pair(low: Any, high: Any, between: str, unit: str) -> str:
    """Two quantities of one unit, which is said once."""
    try:
        a, b = quantity(low), quantity(high)
    except UnitsError:
        return f"{low}{between}{high}"
    (x, shown), (y, other) = _numbers(a, unit), _numbers(b, unit)
    shown = shown if a.value else other  # a plain 0 has no unit of its own
    return _with(f"{x:.6g}{between}{y:.6g}", shown)


def _numbers(found: Quantity, unit: str) -> tuple[np.ndarray, str]:
    shown, scale = display_unit(found.dimensions)
    return np.asarray(found.value, dtype=float) / scale, unit if shown == "1" else shown


def _with(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit and unit != "1" else number


def _shape(numbers: np.ndarray) -> str:
    return " x ".join(map(str, numbers.shape)) + " values"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 unit", "2 units", "12 000 units"."""
    return f"{number:,}".replace(",", " ") + f" {noun if number == 1 else plural or noun + 's'}"
