"""The points of a scan: one complete configuration each, with a key and a seed that depend on nothing else."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from neurodyn.parameters import ParameterError, unknown
from neurodyn.scan.errors import ScanError
from neurodyn.simulation import Simulation, jsonable

_SEEDS = 2**32  # what every generator of random numbers takes
_STRIDE = 0x9E3779B1  # odd, so that repetitions of one configuration never share a seed
_KEY_BYTES = 10


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a scan.

    Parameters
    ----------
    key : str
        Twenty hexadecimal digits, a hash of what differs from the defaults of the simulation.
    values : mapping
        The parameters that differ from those of the whole scan (`Header.defaults`).
    repetition : int or None
        Its number among the runs that differ in their seeds only; None where the scan makes no seeds.
    """

    key: str
    values: Mapping[str, Any]
    repetition: int | None = None

    def __str__(self) -> str:
        return f"{self.key[:8]} ({', '.join(f'{name}={text(value)}' for name, value in self.values.items())})"


@dataclass(frozen=True)
class Plan:
    """What a scan goes through.

    Parameters
    ----------
    fixed : mapping
        Parameters that are the same at all points.
    grid : mapping of name to list
        Axes; all combinations are points.
    rows : list of mappings
        Points of another shape than a grid; combined with the grid if there is one.
    seeds : int or None
        How often each combination is repeated, each time with a seed of its own.
    root : int
        Another one gives other seeds.
    paired : collection of str
        Parameters that seeds do not depend on, so that points which differ in these only share their seeds.
    """

    fixed: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Any]] = ()
    seeds: int | None = None
    root: int = 0
    paired: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The plan as plain dictionaries and lists."""
        return {
            "set": dict(self.fixed),
            "grid": {name: list(values) for name, values in self.grid.items()},
            "points": [dict(row) for row in self.rows],
            "seeds": self.seeds,
            "root": self.root,
            "paired": list(self.paired),
        }

    @staticmethod
    def from_json(tree: Mapping[str, Any]) -> Plan:
        """Rebuild a plan from :meth:`to_json`."""
        return Plan(tree["set"], tree["grid"], tree["points"], tree["seeds"], tree["root"], tuple(tree["paired"]))

    def merged(self, other: Plan) -> Plan:
        """This plan, grown by the values, rows and seeds of another one; an axis keeps its order."""
        grid = {name: list(values) for name, values in self.grid.items()}
        for name, values in other.grid.items():
            there = grid.setdefault(name, [])
            there += _new(values, there)
        rows = [*self.rows, *_new(other.rows, self.rows)]
        seeds = other.seeds if self.seeds is None else max(self.seeds, other.seeds or 0)
        return Plan(self.fixed, grid, rows, seeds, self.root, self.paired)


def _new(values: Sequence[Any], there: Sequence[Any]) -> list[Any]:
    """Those of `values` that are not there yet; as text, since there may be very many."""
    known = {json.dumps(value, sort_keys=True) for value in there}
    return [value for value in values if json.dumps(value, sort_keys=True) not in known]


def checked(simulation: Simulation, plan: Plan) -> Plan:
    """The plan with its values as the simulation takes them; raises `ScanError` for what it can't take."""
    by_name = {p.name: p for p in simulation.parameters}
    for name in [*plan.fixed, *plan.grid, *(name for row in plan.rows for name in row), *plan.paired]:
        if name == "out":
            raise ScanError("out is not set for a point: every point has a recording of its own in the scan's folder")
        if name not in by_name:
            raise ScanError(f"{simulation.name}: {unknown(name, [n for n in by_name if n != 'out'])}")
    _check_names(plan)
    _check_seeds(simulation, plan, by_name)
    fixed = _values(simulation, plan.fixed)
    grid = {name: _axis(simulation, name, values) for name, values in plan.grid.items()}
    rows = []
    for number, row in enumerate(plan.rows):
        try:
            rows.append(_values(simulation, row))
        except ScanError as error:
            raise ScanError(f"point {number + 1} of the list: {error}") from None
        if set(row) != set(plan.rows[0]):
            raise ScanError(f"point {number + 1} of the list has {', '.join(row)}; the first {', '.join(plan.rows[0])}")
    return Plan(fixed, grid, rows, plan.seeds, plan.root, plan.paired)


def _check_names(plan: Plan) -> None:
    places = {"set": set(plan.fixed), "grid": set(plan.grid), "points": {name for row in plan.rows for name in row}}
    for one, other in (("set", "grid"), ("set", "points"), ("grid", "points")):
        for name in sorted(places[one] & places[other]):
            raise ScanError(f"{name!r} is given in {one} and in {other}; leave it in one of them")


def _check_seeds(simulation: Simulation, plan: Plan, known: Collection[str]) -> None:
    if plan.seeds is None:
        return
    if isinstance(plan.seeds, bool) or not isinstance(plan.seeds, int) or plan.seeds < 1:
        raise ScanError(f"seeds = {plan.seeds!r}: give a whole number, at least 1, of repetitions of each point")
    if "seed" not in known:
        hint = " ('seeds' is how many it uses inside one run: set it with --set)" if "seeds" in known else ""
        raise ScanError(f"seeds = {plan.seeds}: {simulation.name} has no parameter 'seed' to vary{hint}")
    if "seed" in plan.fixed or "seed" in plan.grid or any("seed" in row for row in plan.rows):
        raise ScanError("'seed' is given itself; leave out seeds, which would make them")


def _values(simulation: Simulation, given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values, _ = simulation.prepare(**given)
    except ParameterError as error:
        raise ScanError(str(error)) from None
    return {name: jsonable(values[name]) for name in given}


def _axis(simulation: Simulation, name: str, values: Sequence[Any]) -> list[Any]:
    if not values:
        raise ScanError(f"grid {name!r} has no values; write {name}=1,2,3")
    axis = [_values(simulation, {name: value})[name] for value in values]
    for value, count in Counter(map(json.dumps, axis)).items():
        if count > 1:
            raise ScanError(f"grid {name!r} has {text(json.loads(value))} twice")
    return axis


def defaults_of(simulation: Simulation) -> dict[str, Any]:
    """All parameters but ``out`` with their defaults, as they are stored."""
    values, _ = simulation.prepare()
    return {name: jsonable(value) for name, value in values.items() if name != "out"}


def points_of(plan: Plan, defaults: Mapping[str, Any]) -> Iterator[Point]:
    """The points of a checked plan, each once: the last axis runs fastest, seeds within it."""
    paired = {*plan.paired, "backend"}  # what computes is no property of what is computed
    seen = set()
    for row in plan.rows or [{}]:
        for combination in product(*plan.grid.values()):
            values = dict(row) | dict(zip(plan.grid, combination, strict=True))
            settings = {name: v for name, v in (dict(plan.fixed) | values).items() if v != defaults.get(name, _NONE)}
            base = _number({name: v for name, v in settings.items() if name not in paired}, plan.root)
            for repetition in range(plan.seeds or 1):
                made = {} if plan.seeds is None else {"seed": (base + repetition * _STRIDE) % _SEEDS}
                key = _digest(settings | made).hex()
                if key not in seen:
                    seen.add(key)
                    yield Point(key, values | made, None if plan.seeds is None else repetition)


_NONE = object()


def _number(settings: Mapping[str, Any], root: int) -> int:
    return int.from_bytes(_digest({"root": root, "settings": settings})[:4], "big")


def _digest(tree: Mapping[str, Any]) -> bytes:
    return hashlib.blake2b(json.dumps(tree, sort_keys=True).encode(), digest_size=_KEY_BYTES).digest()


def text(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, list):
        return f"[{','.join(map(text, value))}]"
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
