"""Reading the numbers that a description gives: quantities, distributions, expressions, delays, layouts."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.parts import CircuitError, Normal, Uniform


def label_axis(labels: Iterable[str]) -> str:
    """Return the axis of a group of labels: parts with the same labels line up."""
    return "#" + ",".join(labels)


def layout(connection: Any) -> str:
    """Return "dense" for all-to-all weights, else "csr"."""
    if connection.probability is None and connection.pairs is None and connection.pattern in (None, "all"):
        weight = connection.weight
        matrix = 0.0 if isinstance(weight, str | Uniform | Normal) else units.quantity(weight).value
        return "csr" if np.ndim(matrix) == 2 and np.isnan(matrix).any() else "dense"
    return "csr"


def expression_text(value: Any) -> str | None:
    """Return the text of an expression, None for what is a quantity, an array or a distribution."""
    return value if isinstance(value, str) and not _is_quantity(value) else None


@functools.lru_cache(maxsize=1024)  # asked several times of every text; "no" takes long, it looks for the nearest unit
def _is_quantity(text: str) -> bool:
    try:
        units.quantity(text)
    except ValueError:
        return False
    return True


def numeric(value: Any, name: str, size: int) -> tuple[units.Dimensions, bool]:
    """Return dimensions of a numeric specification, and whether it has one value for each unit."""
    if isinstance(value, Uniform | Normal):
        pair = (value.low, value.high) if isinstance(value, Uniform) else (value.mean, value.std)
        first, second = (units.quantity(v, name=name) for v in pair)
        if first.dimensions != second.dimensions:
            raise CircuitError(f"{name}: the two numbers of {value} have different units")
        if isinstance(value, Normal) and not np.all(np.asarray(second.value) >= 0):
            raise CircuitError(f"{name}: standard deviation {value.std!r} is negative")
        return first.dimensions, True
    quantity = units.quantity(value, name=name)
    array = np.asarray(quantity.value, dtype=float)
    if not np.isfinite(array).all():
        raise CircuitError(f"{name} = {value!r} is not finite; parameters must be finite numbers")
    if array.ndim and array.shape != (size,):
        raise CircuitError(
            f"{name} has shape {array.shape}: give one number, or one for each of the {size} units, shape ({size},)"
        )
    return quantity.dimensions, bool(array.ndim)


def finite_number(value: Any, name: str) -> float:
    """Return a number or quantity in SI units; what is not one finite number is refused."""
    number = np.asarray(units.quantity(value, name=name).value, dtype=float)
    if number.ndim or not np.isfinite(number):
        raise CircuitError(f"{name} = {value!r}; give one finite number or quantity")
    return float(number)


def delay_steps(connection: Any, dt: float) -> Any:
    """Return the delay in whole steps: an int, or an array or a distribution's marker where it varies."""
    if connection.delay is None:
        return 0
    if isinstance(connection.delay, Uniform | Normal):
        low = connection.delay.low if isinstance(connection.delay, Uniform) else connection.delay.mean
        units.si(low, "second", name=f"{connection.name}.delay")
    if isinstance(connection.delay, Uniform | Normal) or expression_text(connection.delay) is not None:
        return np.full(1, -1)  # one for each synapse; the numbers are drawn with the wiring
    return check_delay(units.si(connection.delay, "second", name=f"{connection.name}.delay"), dt, connection.name)


def whole_steps(duration: Any, dt: float, name: str) -> int:
    """Return a duration in steps, 1 or more; one that is no whole number of steps is refused with its two neighbours."""
    steps = float(units.si(duration, "second", name=name, above=0.0)) / dt  # type: ignore[arg-type]
    whole = round(steps)
    if whole < 1 or abs(steps - whole) > 1e-6 + 1e-12 * steps:  # what the division may round, and text of few digits
        near = [f"{k * dt * 1e3:.10g} ms" for k in (math.floor(steps), math.floor(steps) + 1) if k]
        raise CircuitError(
            f"{name} = {duration!r}: give a whole number of steps of {dt * 1e3:.10g} ms, such as {' or '.join(near)}"
        )
    return whole


def check_delay(seconds: Any, dt: float, name: str) -> Any:
    """Round delays in seconds to steps; refuse negative ones and those between 0 and one step."""
    seconds = np.asarray(seconds, dtype=float)
    bad = (seconds < 0) | ((seconds > 0) & (seconds < 0.999999 * dt)) | ~np.isfinite(seconds)
    if bad.any():
        worst = float(seconds[bad].flat[0] if seconds.ndim else seconds)
        raise CircuitError(
            f"connection {name!r}: delay = {worst * 1e3:g} ms; allowed are 0 (felt by the next update) and {dt * 1e3:g} ms (one step) or more"
        )
    steps = np.rint(seconds / dt).astype(np.int64)
    return steps if steps.ndim else int(steps)
