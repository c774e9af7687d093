"""Synapses of a Brian2 network as connections: what a spike adds to which variable, sums over synapses, delays."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodyn.doors.brian2_groups import Group
from neurodyn.doors.brian2_reading import (
    SECOND,
    NotExpressible,
    Reading,
    check_when,
    evaluated,
    names_of,
    one_or_all,
    parent,
    renamed,
    statements,
)
from neurodyn.lowering.forms import linear
from neurodyn.parts import Connection
from neurodyn.units import Dimensions, Quantity


@dataclass(frozen=True)
class Effect:
    """One assignment of a pathway to a variable of a group: ``side`` says of which one."""

    pathway: Any
    position: int
    side: str
    variable: str
    operator: type[ast.operator] | None
    value: ast.expr

    @property
    def text(self) -> str:
        """The assignment as it may have been written."""
        sign = {None: "", ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(self.operator, "?")
        return f"{self.variable}_{self.side} {sign}= {ast.unparse(self.value)}"


class ReadSynapses:
    """A Synapses object: its code by pathway, its numbers, and what its names stand for."""

    def __init__(self, synapses: Any, reading: Reading) -> None:
        self.synapses, self.reading = synapses, reading
        self.own = {n: e for n, e in _equations(synapses).items() if n not in synapses.summed_updaters}
        self.effects: list[Effect] = []  # on variables of groups
        self.code: dict[str, list[tuple[str, type[ast.operator] | None, ast.expr]]] = {}  # all of it, by pathway
        for pathway in sorted(synapses._pathways, key=lambda p: (p.order, p.name)):
            code = self.code[pathway.objname] = statements(pathway.code)
            temporary: dict[str, ast.expr] = {}  # what names of the code alone stand for
            for position, (name, operator, value) in enumerate(code):
                side, variable = self.meaning(name)
                written_out = ast.parse(renamed(value, temporary), mode="eval").body
                if side in ("pre", "post"):
                    self.effects.append(Effect(pathway, position, side, variable, operator, written_out))
                elif not side and (operator is None or name in temporary):
                    temporary[name] = written_out if operator is None else ast.BinOp(temporary[name], operator(), written_out)  # fmt: skip
        self.changing = {n for code in self.code.values() for n, *_ in code if self.meaning(n)[0] == "synapse"}
        self.changing |= set(synapses.event_driven.diff_eq_names) if synapses.event_driven is not None else set()
        self.changing |= set(synapses.equations.diff_eq_names)

    def group(self, side: str) -> Any:
        """Return the whole group at a side."""
        return parent(self.synapses.source if side == "pre" else self.synapses.target)

    def units(self, side: str) -> np.ndarray:
        """Return the unit of the whole group at a side, of each synapse (synapses,) int64."""
        return np.asarray(self.synapses.variables[f"_synaptic_{side}"].get_value(), dtype=np.int64)

    def meaning(self, name: str) -> tuple[str, str]:
        """Return ("synapse", "pre" or "post", variable), or ("", name) for what is none of these."""
        stem, _, side = name.rpartition("_")
        if name in self.own:
            return "synapse", name
        if side in ("pre", "post") and stem in self.group(side).variables:
            return side, stem
        target = self.group("post").variables
        return ("post", name) if name in target and name not in ("i", "t", "dt", "N", "t_in_timesteps") else ("", name)

    def summed(self) -> list[tuple[str, str, Any]]:
        """Return (side, variable, updater) of each sum over synapses."""
        found = []
        for name, updater in self.synapses.summed_updaters.items():
            stem, _, side = name.rpartition("_")
            found.append((side, stem, updater))
        return found

    def values(self, names: set[str], groups: Mapping[str, Group], what: str) -> dict[str, Any]:
        """Return the numbers of names that nothing changes, one or one a synapse.

        Raises NotExpressible, saying what changes, for ``what``.
        """
        values: dict[str, Any] = {}
        outside = set()
        for name in sorted(names):
            kind, variable = self.meaning(name)
            if kind == "synapse":
                if variable in self.changing or self.own[variable].type != "parameter":
                    raise NotExpressible(f"{what} depends on {name!r}, which changes in the synapse: {_WEIGHTS}")
                values[name] = np.asarray(self.synapses.variables[variable].get_value())
            elif kind:
                group = groups[self.group(kind).name]
                if variable not in group.constants:
                    raise NotExpressible(f"{what} depends on {name!r}, which changes in its cell: {_WEIGHTS}")
                number = group.constants[variable]
                values[name] = number[self.units(kind)] if number.ndim else number
            elif name in ("i", "j"):
                values[name] = np.asarray(getattr(self.synapses, name)[:])
            elif name in ("N_pre", "N_post", "N_incoming", "N_outgoing"):
                values[name] = np.asarray(self.synapses.variables[name].get_value(), dtype=float)
                if values[name].size > 1 and name in ("N_incoming", "N_outgoing"):
                    side = "post" if name == "N_incoming" else "pre"
                    values[name] = np.bincount(self.units(side))[self.units(side)]
            elif name in self.synapses.variables:
                raise NotExpressible(f"{what} depends on {name!r}, which is no fixed number: {_WEIGHTS}")
            else:
                outside.add(name)
        for name, value in self.reading.external(self.synapses, outside).items():
            if not isinstance(value, Quantity):
                raise NotExpressible(f"{what} reads the TimedArray {name!r}: {_WEIGHTS}")
            values[name] = value.value
        return values

    def numbers(self, expression: str | ast.expr, unit: Dimensions, groups: Mapping[str, Group], what: str) -> Quantity:
        """Return the value of an expression of fixed numbers, one for all or one a synapse."""
        numbers = evaluated(expression, self.values(names_of(expression), groups, what))
        return one_or_all(np.broadcast_to(numbers, (self.units("pre").size,)) if np.ndim(numbers) else numbers, unit)

    def delay(self, pathway: Any) -> Quantity | None:
        """Return the delay of a pathway, rounded to steps as Brian2 does; None for none."""
        seconds = np.asarray(pathway.variables["delay"].get_value(), dtype=float)
        steps = np.round(seconds / self.reading.step)
        return one_or_all(steps * self.reading.step, SECOND) if steps.any() else None


_WEIGHTS = (
    "a connection adds a weight that is the same at each spike; let the target variable integrate it (a conductance in the "
    "equations), or write a nd.SynapticRule"
)


def _equations(synapses: Any) -> dict[str, Any]:
    event = synapses.event_driven
    return {**dict(synapses.equations), **(dict(event) if event is not None else {})}


def note_writes(read: ReadSynapses) -> None:
    """Note which variables of groups the synapses change, before any group is read."""
    for effect in read.effects:
        group = read.group(effect.side).name
        read.reading.written.setdefault(group, set()).add(effect.variable)
        read.reading.delivered.setdefault(group, set()).add(effect.variable)
    for side, variable, _ in read.summed():
        read.reading.written.setdefault(read.group(side).name, set()).add(variable)


def check_synapses(read: ReadSynapses) -> bool:
    """Refuse what a connection has no place for; return whether all the rest can be read."""
    synapses, reading = read.synapses, read.reading
    before = len(reading.refusals)
    if not synapses._connect_called:
        reading.refuse(synapses, "it has no synapses: call connect(...) first")
    for name, equation in read.own.items():
        if "clock-driven" in equation.flags or (
            equation.type == "differential equation" and name in synapses.equations
        ):
            reading.refuse(
                synapses,
                f"d{name}/dt is integrated in every step (clock-driven): mark a decay (event-driven), or write "
                "nd.SynapticRule(dw_dt=...) or a variable of the population",
            )
        for flag in ("linked", "constant over dt"):
            if flag in equation.flags:
                reading.refuse(synapses, f"{name!r} has the flag {flag!r}: give it its values instead")
        if equation.type == "subexpression":
            reading.refuse(synapses, f"the subexpression {name!r}: write it out where it is used")
    for part in synapses.contained_objects:
        if part in synapses._pathways:
            check_when(reading, synapses, part, "synapses")
            if part.event != "spike":
                reading.refuse(
                    synapses, f"{part.name} follows the event {part.event!r}: circuits know one event, the spike"
                )
        elif part in synapses.summed_updaters.values():
            check_when(reading, synapses, part, "groups")
        elif part is not synapses.state_updater:  # whose equations are refused above
            reading.refuse(
                synapses, f"{part.name}, which run_regularly made: write it as nd.SynapticRule(per_step=..., every=...)"
            )
    return len(reading.refusals) == before


def place(effect: Effect) -> tuple[int, str, int]:
    """Return when in a step an effect takes place, as a key: connections add in this order."""
    return effect.pathway.order, effect.pathway.name, effect.position


def fixed_of(
    read: ReadSynapses, effects: list[Effect], groups: Mapping[str, Group]
) -> list[tuple[tuple[int, str, int], Connection]]:
    """Return (place, connection) of each effect: a fixed weight that a spike adds to a variable."""
    several = len(read.effects) + len(read.summed()) > 1
    made = []
    for effect in effects:
        what = f"{effect.text!r} on {'arriving' if effect.pathway.prepost == 'pre' else 'postsynaptic'} spikes"
        if effect.operator not in (ast.Add, ast.Sub):
            raise NotExpressible(
                f"{what} does not add: spikes add a weight to a variable; a change that depends on the variable itself "
                "has to be part of its equations"
            )
        group = groups[read.group(effect.side).name]
        weight = read.numbers(effect.value, group.units[effect.variable], groups, what)
        if effect.operator is ast.Sub:
            weight = Quantity(-weight.value, weight.dimensions)
        source = effect.pathway.prepost
        connection = Connection(
            read.group(source).name,
            read.group(effect.side).name,
            effect.variable,
            pairs=(read.units(source), read.units(effect.side)),
            weight=weight,
            delay=read.delay(effect.pathway),
            name=read.reading.new_name(f"{read.synapses.name}_{effect.variable}" if several else read.synapses.name),
        )
        made.append((place(effect), connection))
    return made


def sums_of(read: ReadSynapses, groups: Mapping[str, Group]) -> list[Connection]:
    """Return the sums over synapses as weighted sums of a variable, one step late as in Brian2."""
    made, alone = [], len(read.effects) + len(read.summed()) == 1
    for side, variable, updater in read.summed():
        other = "pre" if side == "post" else "post"
        source, target = groups[read.group(other).name], groups[read.group(side).name]
        text = updater.expression.code
        what = f"the sum {variable}_{side} = {text}"
        for end in (read.group(other), read.group(side)):
            first = (updater.order, updater.name)
            if end.state_updater is not None and first > (end.state_updater.order, end.state_updater.name):
                raise NotExpressible(
                    f"{what} is made after {end.name!r} was updated, as Brian2 does for parts of a group: sum over the whole group"
                )
        dynamic = [n for n in names_of(text) if read.meaning(n)[0] == other and read.meaning(n)[1] in source.states]
        found = linear(text, dynamic) if len(dynamic) == 1 else None
        if found is None:
            raise NotExpressible(
                f"{what} is no sum of a weight times one variable of the other side: sum a variable with an equation of its own (no "
                "subexpression), and write the rest into the equations of the cells"
            )
        made.append(
            Connection(
                f"{read.group(other).name}.{read.meaning(found[0])[1]}",
                read.group(side).name,
                variable,
                pairs=(read.units(other), read.units(side)),
                weight=read.numbers(found[1], target.units[variable], groups, what),
                delay=Quantity(read.reading.step, SECOND),
                name=read.reading.new_name(read.synapses.name if alone else f"{read.synapses.name}_{variable}"),
            )
        )
    return made
