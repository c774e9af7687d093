"""Columns of a table over the points of a scan: what kind of values they hold, and these as arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)\s*")
_KINDS = {type(None): "none", bool: "bool", int: "int", float: "float", str: "text", list: "list"}
_BLOCK = 5_000
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
        self._seen = 0
        self._quantities = quantities
        self._kinds: set[str] = set()
        self._shapes: set[tuple[int, ...]] = set()
        self._units: set[str] = set()

    def see(self, values: Sequence[Any]) -> None:
        """Take note of values; None stands for one that is not there."""
        self._seen += len(values)
        types = set(map(type, values))
        self._kinds |= {_KINDS.get(each, "other") for each in types}
        if int in types and any(type(v) is int and abs(v) > _LARGEST for v in values):
            self._kinds.add("other")
        if str in types and self._quantities:
            found = {number_and_unit(value) for value in {v for v in values if isinstance(v, str)}}
            self._units |= {"" if each is None else each[1] for each in found}
        if list in types:
            shapes = {_shape(value) for value in values if isinstance(value, list)}
            self._shapes |= {shape for shape in shapes if shape is not None}
            if None in shapes:
                self._kinds.add("other")

    def expect(self, count: int) -> None:
        """So many values there will be; those that were not seen are absent."""
        if self._seen < count:
            self.see([None])

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


def gather(
    rows: Iterable[Mapping[str, Any]], count: int, *, quantities: Collection[str] = ()
) -> dict[str, tuple[Column, list[Any]]]:
    """Columns of `count` rows with their values, in the order of their first appearance; None where a row has none.

    `quantities` are columns in which text such as "10 ms" is read as a number. Rows are read a few thousand at a time. Lists of numbers become arrays, which take a tenth of the memory.
    """
    found: dict[str, tuple[Column, list[Any]]] = {}
    rows, start = iter(rows), 0
    while block := list(islice(rows, _BLOCK)):
        for name in dict.fromkeys(name for row in block for name in row):
            column, values = found.setdefault(name, (Column(name, quantities=name in quantities), [None] * count))
            part = [row.get(name) for row in block]
            column.see(part)
            if column.kind == "list":
                part = [np.array(value) if isinstance(value, list) else value for value in part]
            values[start : start + len(part)] = part
        start += len(block)
    for column, _ in found.values():
        column.expect(count)
    return found


def as_text(values: Iterable[Any]) -> list[str]:
    """Values of all kinds as text: text as it is, "" for None, anything else as JSON."""
    plain = (value.tolist() if isinstance(value, np.ndarray) else value for value in values)
    return ["" if v is None else v if isinstance(v, str) else json.dumps(v) for v in plain]


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


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of a list of numbers, or of such lists of equal shape; None for any other."""
    if not isinstance(value, list):
        return () if isinstance(value, (bool, int, float)) else None
    shapes = {_shape(member) for member in value}
    if len(shapes) > 1 or None in shapes:
        return None
    inner = shapes.pop() if shapes else ()
    return None if inner is None else (len(value), *inner)
