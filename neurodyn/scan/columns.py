"""Columns of a table over the points of a scan: what kind of values they hold, and these as arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)\s*")
_LARGEST = 2**53  # whole numbers that a float tells apart


class Column:
    """Values under one name; it sees all of them before it makes an array, so that arrays of parts fit together.

    Parameters
    ----------
    name : str
    quantities : bool
        Whether text such as "10 ms" is read as a number with a unit, if all of it can be.
    """

    def __init__(self, name: str, *, quantities: bool = False) -> None:
        self.name = name
        self._quantities = quantities
        self._kinds: set[str] = set()
        self._shapes: set[tuple[int, ...]] = set()
        self._units: set[str] = set()

    def see(self, value: Any) -> None:
        """Take note of a value; None stands for one that is not there."""
        kind = _kind(value)
        self._kinds.add(kind)
        if kind == "list":
            shape = _shape(value)
            if shape is None:
                self._kinds.add("other")
            else:
                self._shapes.add(shape)
        elif kind == "text" and self._quantities:
            found = number_and_unit(value)
            self._units.add("" if found is None else found[1])

    @property
    def kind(self) -> str:
        """Return "bool", "int", "float" (NaN where absent), "text", "quantity", "list" (of equal shape) or "mixed"."""
        kinds = self._kinds - {"none"}
        if kinds == {"text"}:
            return "quantity" if self.units else "text"
        if kinds == {"list"} and len(self._shapes) == 1:
            return "list"
        if not kinds <= {"bool", "int", "float"}:
            return "mixed"
        return kinds.pop() if len(kinds) == 1 and "none" not in self._kinds else "float"

    @property
    def units(self) -> str | None:
        """The unit that all quantities share; a usual one where they are given in several that can be converted."""
        if not self._units or "" in self._units:
            return None
        if len(self._units) == 1:
            return next(iter(self._units))
        usual = {_usual(f"1 {unit}") for unit in self._units}
        return None if len(usual) > 1 or None in usual else usual.pop()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one value."""
        return next(iter(self._shapes)) if self.kind == "list" else ()

    @property
    def dtype(self) -> Any:
        """The type of the array, object for text and for what is mixed."""
        kind = self.kind
        return {"bool": np.bool_, "int": np.int64, "text": object, "mixed": object}.get(kind, np.float64)

    def array(self, values: Sequence[Any]) -> np.ndarray:
        """Values as an array of :attr:`dtype` and of :attr:`shape` each; absent text is ""."""
        if self.kind == "quantity":
            units = self.units
            return np.array([np.nan if v is None else _in_units(v, units) for v in values], dtype=np.float64)
        if self.kind == "text":
            found = np.empty(len(values), dtype=object)
            found[:] = ["" if value is None else value for value in values]
            return found
        if self.kind == "mixed":
            found = np.empty(len(values), dtype=object)
            for number, value in enumerate(values):
                found[number] = value.tolist() if isinstance(value, np.ndarray) else value
            return found
        if self.shape:
            found = np.full((len(values), *self.shape), np.nan)
            for number, value in enumerate(values):
                if value is not None:
                    found[number] = value
            return found
        return np.array([np.nan if value is None else value for value in values], dtype=self.dtype)


def as_text(values: Iterable[Any]) -> list[str]:
    """Values of all kinds as text: text as it is, "" for None, anything else as JSON."""
    return ["" if v is None else v if isinstance(v, str) else json.dumps(v) for v in values]


@lru_cache(4096)
def number_and_unit(text: str) -> tuple[float, str] | None:
    """The number and the unit of a quantity, None for any other text."""
    from neurodyn.units import DIMENSIONLESS, UnitsError, quantity

    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    try:
        if quantity(text).dimensions == DIMENSIONLESS:
            return None
    except UnitsError:
        return None
    return float(match[1]), match[2]


@lru_cache(4096)
def _in_units(text: str, units: str) -> float:
    from neurodyn.units import quantity

    found = number_and_unit(text)
    assert found is not None
    if found[1] != units:  # by way of its text, which has the shortest digits
        found = number_and_unit(str(quantity(text)))
        assert found is not None
    return found[0]


def _usual(text: str) -> str | None:
    from neurodyn.units import quantity

    found = number_and_unit(str(quantity(text)))
    return None if found is None else found[1]


def _kind(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if abs(value) <= _LARGEST else "other"
    return "float" if isinstance(value, float) else "text" if isinstance(value, str) else "list"


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of a list of numbers, or of such lists of equal shape; None for any other."""
    if not isinstance(value, list):
        return () if isinstance(value, (bool, int, float)) else None
    shapes = {_shape(member) for member in value}
    if len(shapes) > 1 or None in shapes:
        return None
    inner = shapes.pop() if shapes else ()
    return None if inner is None else (len(value), *inner)
