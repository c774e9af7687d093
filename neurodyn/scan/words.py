"""What is typed about a scan, as values: ``gain=0.5,1,2``, ``"tau=linspace(10, 50, 5) ms"``, ``trials=50``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from neurodyn.parameters import Parameter
from neurodyn.scan.errors import ScanError
from neurodyn.simulation import Simulation

_SERIES = {
    "linspace": "linspace(first, last, how many)",
    "geomspace": "geomspace(first, last, how many)",
    "range": "range(first, end) or range(first, end, step), of whole numbers and without the end",
}
_CALL = re.compile(r"([a-z]+)\((.*)\)\s*(.*)")
_MOST = 100_000  # values of one series


def assignments(pairs: Sequence[str], option: str) -> dict[str, str]:
    """NAME=VALUE as texts by name; ``option`` is what they were given with."""
    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise ScanError(f"{option} {pair!r} has no '='; write {option} name=value")
        if name in texts:
            raise ScanError(f"{option} {name!r} is given twice: {texts[name]!r} and {value!r}")
        texts[name] = value.strip()
    return texts


def grid_of(simulation: Simulation, texts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Axes as values; those that are lists already stay as they are, and so do names the simulation doesn't know."""
    known = {p.name: p for p in simulation.parameters}
    return {
        name: axis_of(known[name], given) if isinstance(given, str) and name in known else _listed(name, given)
        for name, given in texts.items()
    }


def set_of(simulation: Simulation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as values; those that are no text stay as they are, and so do names the simulation doesn't know."""
    known = {p.name: p for p in simulation.parameters}
    return {
        name: known[name].from_text(value) if isinstance(value, str) and name in known else value
        for name, value in given.items()
    }


def _listed(name: str, given: Any) -> list[Any]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise ScanError(f"grid {name} = {given!r} has to be a list of values, [{given!r}], or text such as '1,2,3'")
    return given


def axis_of(parameter: Parameter, text: str) -> list[Any]:
    """The values of an axis: split at commas outside brackets, series written out.

    Raises
    ------
    ScanError
        A value that is empty, a bracket that isn't closed, a series that can't be read.
    """
    name, values = parameter.name, []
    for part in split(name, text):
        if not part:
            raise ScanError(f"grid {name}={text!r} has an empty value; write {name}=1,2,3")
        values += [_value(parameter, member) for member in series(name, part)]
    return values


def _value(parameter: Parameter, text: str) -> Any:
    """One value; lists stand in brackets, so that commas between them are told from commas in them."""
    if "list of" not in parameter.type or text.lower() == "none":
        return parameter.from_text(text)
    if not (text.startswith("[") and text.endswith("]")):
        raise ScanError(
            f"grid {parameter.name}={text!r}: {parameter.name} is a {parameter.type}; put each value in brackets: "
            f"{parameter.name}=[1,2],[3,4]"
        )
    value = parameter.from_text(text)
    return parameter.from_text(text[1:-1]) if isinstance(value, str) else value


def split(name: str, text: str) -> list[str]:
    """The parts between commas that stand in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if depth < 0:
            break
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise ScanError(f"grid {name}={text!r}: a bracket is not {'closed' if depth > 0 else 'opened'}")
    return [part.strip() for part in parts]


def series(name: str, text: str) -> list[str]:
    """The members of ``linspace(0, 1, 11)`` and its like, each with the unit behind it; anything else is one member.

    Numbers are rounded to 12 digits, so that a step of 0.1 gives 0.3 and not 0.30000000000000004.
    """
    match = _CALL.fullmatch(text)
    if match is None:
        return [text]
    kind, inside, unit = match.groups()
    if kind not in _SERIES:
        near = difflib.get_close_matches(kind, _SERIES, n=1)
        if not near:
            return [text]
        raise ScanError(f"grid {name}={text!r}: there is no {kind}; write {', '.join(_SERIES.values())}")
    try:
        numbers = _numbers(kind, [part.strip() for part in inside.split(",")])
    except ValueError as error:
        raise ScanError(f"grid {name}={text!r}: {error or 'it'} can't be read; write {_SERIES[kind]}") from None
    return [f"{number} {unit}".strip() for number in numbers]


def _numbers(kind: str, given: Sequence[str]) -> list[str]:
    import numpy as np

    if kind == "range":
        if len(given) not in (2, 3):
            raise ValueError(f"a range of {len(given)} numbers")
        whole = range(*map(int, given))
        if not 1 <= len(whole) <= _MOST:
            raise ValueError(f"a range with {len(whole)} values")
        return [str(number) for number in whole]
    first, last, count = given if len(given) == 3 else [""] * 3
    if not count.isdigit() or not 1 <= int(count) <= _MOST:
        raise ValueError(f"{count!r} values" if count else f"{kind} of {len(given)} numbers")
    ends = float(first), float(last)
    if not np.isfinite(ends).all() or (kind == "geomspace" and ends[0] * ends[1] <= 0):
        raise ValueError(f"a {kind} from {first} to {last}")
    make = np.geomspace if kind == "geomspace" else np.linspace
    return [f"{number:.12g}" for number in make(*ends, int(count))]
