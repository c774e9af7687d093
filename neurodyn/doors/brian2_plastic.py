"""Synapses that change as connections with a rule.

Brian2 runs the code of arriving spikes before that of postsynaptic ones unless ``order`` says otherwise; ours runs it
behind. Where both come in one step this is not the same, so code that Brian2 runs last waits for the end of the step.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurodyn.doors.brian2_groups import Group
from neurodyn.doors.brian2_reading import SECOND, NotExpressible, names_of, renamed
from neurodyn.doors.brian2_synapses import Effect, ReadSynapses
from neurodyn.lowering.forms import linear
from neurodyn.parts import RESERVED, Connection
from neurodyn.plasticity.rule import SynapticRule, Trace
from neurodyn.units import Quantity

FIRED = "post_fired"
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Mod: "%", ast.FloorDiv: "//"}


def plastic_of(read: ReadSynapses, groups: Mapping[str, Group]) -> tuple[Connection, Effect, dict[str, np.ndarray]]:
    """Return the connection with its rule, the effect that it stands for, and the values of its synapses."""
    return _Rule(read, groups).made()


class _Rule:
    def __init__(self, read: ReadSynapses, groups: Mapping[str, Group]) -> None:
        self.read, self.groups = read, groups
        self.name = read.reading.new_name(f"{read.synapses.name}_rule")
        pathways = {side: [p for p in read.synapses._pathways if p.prepost == side] for side in ("pre", "post")}
        for side, found in pathways.items():
            if len(found) > 1:
                raise NotExpressible(
                    f"its synapses change, and it has {len(found)} pathways on_{side} ({', '.join(p.objname for p in found)}): "
                    "circuits have one; join their code"
                )
        self.pre: Any
        self.post: Any
        self.pre, self.post = (found[0] if found else None for found in pathways.values())
        if self.post is not None and read.delay(self.post) is not None:
            raise NotExpressible(
                "its postsynaptic spikes reach the synapse after a delay: circuits delay arriving spikes only; set it to 0"
            )
        self.delivery = self._delivery()
        self.weight, self.scale = self._weight()
        self.traces: dict[str, Trace] = {}
        self.parameters: dict[str, Any] = {} if self.scale == 1 else {"w_scale": self.scale}
        self.memory: dict[str, Any] = {}
        self.values: dict[str, np.ndarray] = {}
        self.cells: dict[str, set[str]] = {"pre": set(), "post": set()}  # what each code reads of cells

    def made(self) -> tuple[Connection, Effect, dict[str, np.ndarray]]:
        read = self.read
        texts: dict[str, list[tuple[str, str]]] = {}
        waits = False
        for side, pathway in (("pre", self.pre), ("post", self.post)):
            texts[side] = [] if pathway is None else self._code(side, read.code[pathway.objname])
        if texts["post"]:
            waits = (self.pre.order, self.pre.name) < (self.post.order, self.post.name)
        for name in sorted(read.changing - {self.weight}):
            self._declare(name)
        state: dict[str, Any] = {}
        per_step = ""
        if waits:
            if self.cells["post"]:
                raise NotExpressible(
                    f"on_post reads {min(self.cells['post'])!r}, and Brian2 runs it behind on_pre: circuits run it before, or else "
                    f"when cells have been reset; set {read.synapses.name}.post.order = -2, so that it comes first"
                )
            state[FIRED] = "synapse"
            kept = {self._name(name) for name in read.changing}
            late = [
                (name, f"where({FIRED} > 0, {value}, {name})" if name in kept else value)
                for name, value in texts["post"]
            ]
            per_step = "\n".join(f"{name} = {value}" for name, value in [*late, (FIRED, "0")])
        rule = SynapticRule(
            self.name,
            traces=self.traces,
            parameters=self.parameters,
            memory=self.memory,
            state=state,
            on_pre="\n".join(f"{name} = {value}" for name, value in texts["pre"]),
            on_post=f"{FIRED} = 1" if waits else "\n".join(f"{name} = {value}" for name, value in texts["post"]),
            per_step=per_step,
        )
        unit = self.groups[read.group("post").name].units[self.delivery.variable]
        start = np.asarray(read.synapses.variables[self.weight].get_value(), dtype=float) * self.scale
        pre, post = read.units("pre"), read.units("post")
        order = np.argsort(pre, kind="stable")  # in which a circuit holds its synapses
        connection = Connection(
            read.group("pre").name,
            read.group("post").name,
            self.delivery.variable,
            pairs=(pre, post),
            weight=Quantity(np.broadcast_to(start, pre.shape).copy(), unit),
            delay=read.delay(self.delivery.pathway),
            rules=rule,
            name=read.reading.new_name(read.synapses.name),
        )
        values = {f"{self.name}.{name}": value[order] for name, value in self.values.items()}
        return connection, self.delivery, values

    def _delivery(self) -> Effect:
        """Return the effect that brings a changing variable of the synapse to its target."""
        read = self.read
        found = [e for e in read.effects if names_of(e.value) & read.changing]
        if not found:
            raise NotExpressible(
                f"spikes change {', '.join(sorted(read.changing))}, but no spike brings any of these to a cell: add such as "
                "'x_post += w' to on_pre, with a variable x of the target"
            )
        effect = found[0]
        behind = [
            name for name, *_ in read.code[effect.pathway.objname][: effect.position] if name in names_of(effect.value)
        ]
        what = f"{effect.text!r} "
        decaying = [n for n in sorted(names_of(effect.value) & read.changing) if read.own[n].type != "parameter"]
        if decaying:
            what += f"delivers {decaying[0]!r}, which changes between spikes (short-term plasticity): run such synapses in Brian2"
        elif len(found) > 1:
            what += f"and {found[1].text!r} both deliver what changes: circuits deliver one weight of a synapse"
        elif effect.pathway is not self.pre or effect.side != "post":
            what += "is not from an arriving spike to its target: circuits deliver changing weights that way only"
        elif effect.operator not in (ast.Add, ast.Sub):
            what += "does not add: spikes add a weight to a variable"
        elif behind:
            what += f"delivers {behind[0]!r} after it was changed: circuits deliver first; move the line to the front"
        else:
            return effect
        raise NotExpressible(what)

    def _weight(self) -> tuple[str, float]:
        """Return the variable that is delivered, and the constant that it is multiplied with."""
        read, effect = self.read, self.delivery
        used = sorted(names_of(effect.value) & read.changing)
        found = linear(ast.unparse(effect.value), used) if len(used) == 1 else None
        if found is None:
            raise NotExpressible(
                f"{effect.text!r} is no constant times one variable that spikes change: circuits deliver one weight of a synapse"
            )
        unit = self.groups[read.group("post").name].units[effect.variable]
        scale = read.numbers(found[1], unit, self.groups, effect.text).value
        if np.ndim(scale):
            raise NotExpressible(f"{effect.text!r} scales each synapse on its own: put the factor into {used[0]!r}")
        scale = -float(scale) if effect.operator is ast.Sub else float(scale)
        if scale == 0:
            raise NotExpressible(f"{effect.text!r} delivers nothing, its factor is 0: leave the synapses out")
        return used[0], scale

    def _declare(self, name: str) -> None:
        """Declare what changes in the synapse beside its weight: a decay as a trace, all else as memory."""
        read, equation, mine = self.read, self.read.own[name], self._name(name)
        start = np.broadcast_to(np.asarray(read.synapses.variables[name].get_value(), float), read.units("pre").shape)
        if equation.type == "differential equation":
            found = linear(equation.expr.code, [name])
            rate = None if found is None else read.numbers(found[1], SECOND, self.groups, f"d{name}/dt").value
            if rate is None or np.ndim(rate) or not rate < 0:
                raise NotExpressible(
                    f"d{name}/dt = {equation.expr.code}: circuits have traces that decay with one time constant, -{name}/tau"
                )
            self.traces[mine] = Trace("synapse", Quantity(-1 / float(rate), SECOND))
        else:
            self.memory[mine] = "synapse"
        if start.any():
            self.values[mine] = start

    def _code(self, side: str, code: list[tuple[str, type[ast.operator] | None, ast.expr]]) -> list[tuple[str, str]]:
        """Return the assignments of a pathway to the synapse in the words of a rule."""
        read = self.read
        temporary = {name for name, *_ in code if read.meaning(name)[0] == ""}
        texts = []
        for name, operator, value in code:
            kind = read.meaning(name)[0]
            if kind in ("pre", "post"):
                continue  # an effect on a cell
            names: dict[str, ast.expr] = {}
            for used in sorted(names_of(value)):
                names[used] = ast.Name(used) if used in temporary else self._meant(used, side)
            text = renamed(value, names)
            mine = name if name in temporary else self._name(name)
            if operator is not None:
                old = ast.unparse(self._meant(name, side)) if name not in temporary else name
                text = f"{old} {_SIGNS[operator]} ({text})"
            if name == self.weight and self.scale != 1:
                text = f"({text})*w_scale"
            texts.append((mine, text))
        return texts

    def _meant(self, name: str, side: str) -> ast.expr:
        """Return what a name in the code of a pathway is called in a rule."""
        read = self.read
        kind, variable = read.meaning(name)
        if kind == "synapse":
            if variable == self.weight and self.scale != 1:
                return ast.BinOp(ast.Name("w"), ast.Div(), ast.Name("w_scale"))
            if variable not in read.changing:
                self._constant(variable)
            return ast.Name(self._name(variable))
        if kind:
            group = read.group(kind).name
            if variable in read.reading.delivered.get(group, ()):
                raise NotExpressible(
                    f"on_{side} reads {name!r}, to which spikes of the same step add: in Brian2 before, in circuits after the "
                    "synapse is changed; let it read a variable that no synapse writes"
                )
            if variable not in self.groups[group].units:
                raise NotExpressible(f"on_{side} reads {name!r}, which circuits don't show to a rule")
            self.cells[side].add(name)
            return ast.Name(f"{variable}_{kind}")
        if name == "t":
            return ast.Name("t")
        value = read.values({name}, self.groups, f"on_{side}")
        if name in value:
            if np.ndim(value[name]):
                raise NotExpressible(f"on_{side} reads {name!r}: give the synapses a variable with these numbers")
            self.parameters[self._name(name)] = float(value[name])
            return ast.Name(self._name(name))
        return ast.Name(name)  # a unit or a constant of nature

    def _constant(self, name: str) -> None:
        """Keep a number of each synapse that nothing changes."""
        numbers = np.asarray(self.read.synapses.variables[name].get_value(), dtype=float)
        if np.unique(numbers).size == 1:
            self.parameters[self._name(name)] = float(numbers.flat[0])
        else:
            self.memory[self._name(name)] = "synapse"
            self.values[self._name(name)] = numbers

    def _name(self, name: str) -> str:
        """Return what a variable of the synapse is called in the rule."""
        if name == self.weight:
            return "w"
        taken = name in RESERVED or name in ("w", "w_scale", FIRED) or name.endswith(("_", "_pre", "_post"))
        return f"{name}_own" if taken else name
