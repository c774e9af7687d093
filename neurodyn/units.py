"""Physical quantities: SI numbers inside, text such as ``"20 ms"`` at the border.

The package computes in SI base units and plain floats. Text, numbers, arrays and Brian2 quantities are turned
into SI once, where they enter, by :func:`quantity` or :func:`si`. Brian2 is not imported for that.

A text is a number, then a unit: ``"20 ms"``, ``"-60 mV"``, ``"2.5 nS/mV"``, ``"0.04 /ms/mV"``,
``"3 mV ms^-0.5"``, ``"1 uF/cm^2"``. Brian2's spelling works as well (``20*ms``, ``msiemens``, ``metre2``).
Factors are applied from left to right, as Python does for ``2.5*nS/mV``: the floats are those of Brian2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import numpy as np

from neurodyn._unit_text import (
    DIMENSIONLESS,
    EXAMPLES,
    Dimensions,
    UnitsError,
    divide,
    multiply,
    parse,
    power,
)

__all__ = [
    "DIMENSIONLESS", "Capacitance", "Conductance", "Current", "Dimensions", "Quantity", "Rate", "Resistance",
    "Time", "Units", "UnitsError", "Voltage", "dimensions_of", "display_unit", "divide", "multiply", "power",
    "quantity", "si",
]  # fmt: skip

_BASE_SYMBOLS = ("m", "kg", "s", "A", "K", "mol", "cd")

# What files, plots and messages use. The first entry of equal dimensions wins (hertz, not becquerel).
_DISPLAY = (
    "1", "ms", "mV", "pA", "nS", "Hz", "Mohm", "pF", "um", "um^2", "pC", "mM", "K", "nS/mV", "mV/ms", "pA/ms",
    "1/mV", "1/pA", "1/(ms*mV)", "1/ms^2", "pA/mV^2", "mV/ms^0.5", "pA/ms^0.5", "uA/cm^2", "mS/cm^2",
    "uF/cm^2", "ohm*cm", "pJ", "pW",
)  # fmt: skip

_KINDS = {
    "1": "a number without unit", "ms": "a time", "mV": "a voltage", "pA": "a current", "nS": "a conductance",
    "Hz": "a rate", "Mohm": "a resistance", "pF": "a capacitance", "um": "a length",
}  # fmt: skip


def dimensions_of(unit: str) -> Dimensions:
    """Dimensions of the text of a ``unit``: ``"volt"``, ``"nS/mV"``, ``"1"``.

    Raises
    ------
    UnitsError
        An unknown unit.
    """
    return parse(unit)[1]


def _scale_of(unit: str) -> float:
    return parse(unit)[0]


@lru_cache(maxsize=1)
def _display_table() -> dict[Dimensions, tuple[str, float]]:
    table: dict[Dimensions, tuple[str, float]] = {}
    for text in _DISPLAY:
        table.setdefault(dimensions_of(text), (text, _scale_of(text)))
    return table


def display_unit(dimensions: Dimensions) -> tuple[str, float]:
    """Canonical unit of files, plots and messages: (text, its size in SI), e.g. ("mV", 1e-3) for volt.

    Plain numbers have ("1", 1.0). ``dimensions`` without a usual unit get SI text with scale 1, such as
    ("m^3 s^-2 A", 1.0). The text can be parsed again.
    """
    known = _display_table().get(dimensions)
    if known is not None:
        return known
    parts = [s if e == 1 else f"{s}^{e:g}" for s, e in zip(_BASE_SYMBOLS, dimensions, strict=True) if e]
    return " ".join(parts), 1.0


def _kind(dimensions: Dimensions) -> str:
    unit = display_unit(dimensions)[0]
    return (
        f"{_KINDS[unit]} (unit {unit!r})"
        if unit in _KINDS and unit != "1"
        else _KINDS.get(unit, f"a value in {unit!r}")
    )


@dataclass(frozen=True, eq=False)
class Quantity:
    """A value in SI base units together with its dimensions.

    ``value`` is a float or a read-only float64 array of any shape; ``dimensions`` has seven exponents.
    ``str()`` gives text that :func:`quantity` reads back to the same float (scalars).
    """

    value: Any  # float | ndarray; Any spares every caller who knows which one a cast
    dimensions: Dimensions = DIMENSIONLESS

    def to(self, unit: str) -> Any:
        """The value counted in ``unit``; raises `UnitsError` when the dimensions differ."""
        if dimensions_of(unit) != self.dimensions:
            raise UnitsError(f"{self} cannot be given in {unit!r}: it is {_kind(self.dimensions)}")
        return self.value / _scale_of(unit)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self.dimensions == other.dimensions and np.array_equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash((self.dimensions, np.asarray(self.value).tobytes()))

    def __str__(self) -> str:
        unit, scale = display_unit(self.dimensions)
        if isinstance(self.value, np.ndarray):
            values = np.array2string(self.value / scale, threshold=8, edgeitems=3, separator=", ", precision=6)
            return values if unit == "1" else f"{values} {unit}"
        # Shortest digits in the usual unit that come back as the same float; else SI, which always does.
        for digits in (6, 9, 12, 15, 16, 17):
            number = f"{self.value / scale:.{digits}g}"
            text = number if unit == "1" else f"{number} {_attachable(unit)}"
            if repr(parse(text)[0]) == repr(self.value):  # by text: NaN equals itself, -0.0 is not 0.0
                return text
        parts = [f"{s}^{e:g}" for s, e in zip(_BASE_SYMBOLS, self.dimensions, strict=True) if e]
        return " ".join([repr(self.value), *parts])


def _attachable(unit: str) -> str:
    """The unit as it follows a number: '1/(ms*mV)' -> '/(ms*mV)'."""
    return unit[1:] if unit.startswith("1/") else unit


def _frozen(values: np.ndarray) -> float | np.ndarray:
    if values.ndim == 0:
        return float(values)
    values = np.array(values, dtype=np.float64)  # a copy: the caller may go on writing into theirs
    values.setflags(write=False)
    return values


def quantity(x: Any, *, name: str = "value") -> Quantity:
    """Read a physical quantity.

    Parameters
    ----------
    x : str, number, array, Quantity, Brian2 quantity, or a list of these
        Text carries its unit; numbers and arrays are dimensionless. Members of a list need equal dimensions.
    name : str
        What messages call it.

    Raises
    ------
    UnitsError
        Unknown unit, unreadable text, a unit without a number, or a list of mixed dimensions.
    """
    if isinstance(x, Quantity):
        return x
    if isinstance(x, str):
        try:
            value, dims, has_number = parse(x)
        except UnitsError as error:
            raise UnitsError(f"{name}: {error}") from None
        if not has_number:
            raise UnitsError(f"{name}={x!r} has no number; {EXAMPLES}")
        return Quantity(value, dims)
    dim = getattr(x, "dim", None)
    if dim is not None and hasattr(dim, "_dims"):  # Brian2's Quantity, without importing Brian2
        dims = tuple(float(d) for d in dim._dims)
        return Quantity(_frozen(np.array(np.asarray(x), dtype=np.float64)), dims)
    if isinstance(x, Iterable) and not isinstance(x, np.ndarray) and not hasattr(x, "__array__"):
        return _stack([quantity(member, name=name) for member in x], name)
    try:
        values = np.asarray(x)
        if values.dtype.kind not in "biuf":
            raise TypeError
        return Quantity(_frozen(values.astype(np.float64)))
    except (TypeError, ValueError):
        raise UnitsError(f"{name}={x!r} is neither a number nor a quantity; {EXAMPLES}") from None


def _stack(members: list[Quantity], name: str) -> Quantity:
    different = {m.dimensions for m in members}
    if len(different) > 1:
        units = ", ".join(repr(display_unit(d)[0]) for d in sorted(different))
        raise UnitsError(
            f"{name} mixes units that do not fit together ({units}); give every member the same kind of unit"
        )
    try:
        values = np.array([m.value for m in members], dtype=np.float64)
    except ValueError:
        raise UnitsError(f"{name} is a list of rows of different lengths") from None
    return Quantity(_frozen(values), different.pop() if different else DIMENSIONLESS)


def si(
    x: Any,
    unit: str,
    *,
    name: str,
    low: float | str | None = None,
    high: float | str | None = None,
    above: float | str | None = None,
    below: float | str | None = None,
    finite: bool = True,
) -> Any:
    """The value of ``x`` in SI base units, after checking its dimensions and range.

    Parameters
    ----------
    x : anything :func:`quantity` reads
        A plain zero fits every unit, as in Brian2; an empty list too.
    unit : str
        Any unit of the expected dimensions, ``"1"`` for plain numbers.
    name : str
        The parameter, for messages.
    low, high : float or text, optional
        Allowed range, ends included; numbers count in ``unit``.
    above, below : float or text, optional
        Allowed range, ends excluded.
    finite : bool
        Whether NaN and infinity are refused. NaN never passes a bound.

    Returns
    -------
    float, or a fresh float64 array of the shape of ``x``

    Raises
    ------
    UnitsError
        Other dimensions, numbers out of range, or not finite; names the parameter and what is allowed.
    """
    given = quantity(x, name=name)
    wanted = dimensions_of(unit)
    values = np.array(given.value, dtype=np.float64)
    if given.dimensions != wanted and not (given.dimensions == DIMENSIONLESS and not values.any()):
        example = "" if wanted == DIMENSIONLESS else f", such as {name}={_example(x, unit)!r}"
        raise UnitsError(f"{name}={_shown(x)} is {_kind(given.dimensions)}; it has to be {_kind(wanted)}{example}")
    if finite and not np.isfinite(values).all():
        raise UnitsError(f"{name}={_shown(x)} has to be finite")
    for bound, sign, fits in (
        (low, ">=", np.greater_equal),
        (high, "<=", np.less_equal),
        (above, ">", np.greater),
        (below, "<", np.less),
    ):
        if bound is None:
            continue
        limit = si(bound, unit, name=name, finite=False) if isinstance(bound, str) else bound * _scale_of(unit)
        if not fits(values, limit).all():
            raise UnitsError(
                f"{name}={_shown(x)} is out of range: it has to be {sign} {Quantity(float(limit), wanted)}"
            )
    return float(values) if values.ndim == 0 else values


def _shown(x: Any) -> str:
    text = str(x) if isinstance(x, Quantity) or hasattr(x, "dim") else repr(x)
    return text if len(text) <= 80 else f"{text[:60]} ... ({text[-15:]}"


def _example(x: Any, unit: str) -> str:
    bare = isinstance(x, (int, float)) and not isinstance(x, bool) or isinstance(x, str) and x.strip().isdecimal()
    return f"{float(x) if bare else 1:g} {_attachable(unit)}"


@dataclass(frozen=True)
class Units:
    """Marks a parameter of a simulation as a quantity: ``tau: Annotated[str, Units("ms")] = "20 ms"``.

    The value stays text, so that it can be typed on a command line and stored in a file; it is checked when
    the simulation is called. ``Time``, ``Voltage``, ``Current``, ``Rate`` and the like are ready-made. ``unit`` is
    any unit of the wanted dimensions, the one that errors take as an example.
    """

    unit: str

    def read(self, x: Any, name: str = "value") -> str:
        """``x`` as text, checked for its dimensions; raises `UnitsError`."""
        si(x, self.unit, name=name, finite=False)
        return x if isinstance(x, str) else str(quantity(x, name=name))

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """How pydantic, which reads the parameters of simulations, checks such a value."""
        from pydantic_core import core_schema

        return core_schema.with_info_plain_validator_function(
            lambda x, info: self.read(x, info.field_name or "value"),
            serialization=core_schema.to_string_ser_schema(),
        )


#: Type of a parameter that is a time, such as "20 ms".
Time = Annotated[str, Units("ms")]
#: Type of a parameter that is a voltage, such as "-60 mV".
Voltage = Annotated[str, Units("mV")]
#: Type of a parameter that is a current, such as "200 pA".
Current = Annotated[str, Units("pA")]
#: Type of a parameter that is a rate, such as "5 Hz".
Rate = Annotated[str, Units("Hz")]
#: Type of a parameter that is a conductance, such as "10 nS".
Conductance = Annotated[str, Units("nS")]
#: Type of a parameter that is a resistance, such as "100 Mohm".
Resistance = Annotated[str, Units("Mohm")]
#: Type of a parameter that is a capacitance, such as "200 pF".
Capacitance = Annotated[str, Units("pF")]
