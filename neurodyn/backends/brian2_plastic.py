"""Plastic connections as Brian2's Synapses: the user's texts at its spikes, with its queues and one trace a synapse.

Brian2 keeps weights, eligibilities and traces, each trace once for every synapse, and advances all of them in every step.
What has one value for the network (modulators, inputs, parameters) comes from our side, as shared variables.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn.backends.brian2_text import brian2_code
from neurodyn.backends.equations_brian2 import brian2
from neurodyn.lowering.forms import expression_in, names_in
from neurodyn.lowering.plasticity import decayed
from neurodyn.network import Network
from neurodyn.parts import CircuitError, Connection
from neurodyn.plasticity.rule import SynapticRule
from neurodyn.program import Spikes

_KNOWN = {"t", "dt", "step", "pi", "e", "inf", "True", "False"}


@dataclass(eq=False)
class Plastic:
    """A plastic connection in Brian2.

    ``shared`` maps arrays of ours with one value (or one a unit, with the units of each synapse) to variables that are to be
    set before Brian2 reads them; ``kept`` maps arrays of ours with one value a synapse to variables that hold them.
    """

    synapses: Any
    arriving: list[Any]  # the pathways of arriving spikes, each with a queue of its own
    shared: list[tuple[str, np.ndarray | None, Any]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    post_traces: list[tuple[str, Any]] = field(default_factory=list)
    post: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def share(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Hand over the values that Brian2 reads."""
        for name, index, variable in self.shared:
            values = arrays[name]
            variable.get_value()[...] = values if index is None else values[index]

    def spread(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Hand over traces of the targets, which Brian2 keeps for every synapse."""
        for name, variable in self.post_traces:
            variable.get_value()[...] = arrays[name][self.post]


class _Names(ast.NodeTransformer):
    """Renames what a rule's text mentions to variables of the Synapses, and notes which it needs."""

    def __init__(self, own: Mapping[str, str], outside: Callable[[str], str | None]) -> None:
        self.own, self.outside = own, outside

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(a) for a in node.args]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        assert isinstance(node.value, ast.Name)
        return self._new(f"{node.value.id}.{node.attr}", node.ctx)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._new(node.id, node.ctx)

    def _new(self, name: str, context: ast.expr_context) -> ast.AST:
        new = self.own.get(name)
        if new is None and isinstance(context, ast.Load):
            new = self.outside(name)
        return ast.Name(new or name.replace(".", "_"), context)


def refuse_events(network: Network) -> None:
    """Raise CircuitError for a Program in which synapses are advanced at their events only."""
    owners = {block.owner for block in network.program.phase("view")}
    for c in network.circuit.connections:
        if owners & {f"{c.name}.w", *(f"{rule.name}.{name}" for rule in c.rules for name in rule.traces)}:
            raise CircuitError(
                f"connection {c.name!r}: its synapses are advanced at their events only, Brian2 advances all in every step; "
                "nd.simulate(..., backend='brian2') does so, for the same results up to rounding; or use backend 'numba'"
            )


def build_plastic(number: int, s: Spikes, network: Network, groups: Mapping[str, Any], arriving: str) -> Plastic | None:
    """Return a plastic connection, with all its arrays but the start values; None if it has no synapses.

    Raises CircuitError for texts that Brian2 has no words for.
    """
    if not network.wiring[s.name].targets.size:
        return None
    return _Builder(number, s, network, groups, arriving).made


class _Builder:
    def __init__(self, number: int, s: Spikes, network: Network, groups: Mapping[str, Any], arriving: str) -> None:
        self.network, self.groups, self.s = network, groups, s
        self.c: Connection = network.circuit[s.name]
        self.wiring = network.wiring[s.name]
        taken = {*groups[s.source].variables, *groups[s.target_population].variables}
        self.w = next(name for name in ("w", "w_syn", "w_synapse") if name not in taken)  # cells may have a variable w
        self.lines: dict[str, str] = {self.w: f"{self.w} : 1"}
        self.shared: dict[str, tuple[str, np.ndarray | None]] = {}  # variable -> our array and where each synapse looks
        self.kept = {f"{s.name}.w": self.w}
        on_pre, on_post = {"pre": f"{arriving}_post += {self.w}"}, {}
        regular = []
        for rule in self.c.rules:
            self._declare(rule)
            jumps = {side: "\n".join(self._jumps(rule, side)) for side in ("pre", "post")}
            for side, texts, code in (("post", on_post, rule.on_post), ("pre", on_pre, rule.on_pre)):
                if code.strip():
                    texts[f"{side}_{rule.name}"] = self._code(rule, code)
            if jumps["pre"]:
                on_pre[f"jump_pre_{rule.name}"] = jumps["pre"]
            if jumps["post"]:
                on_post[f"jump_post_{rule.name}"] = jumps["post"]
            regular.append(self._end_of_step(rule))
        self.made = self._synapses(number, on_pre, on_post, regular)

    def _declare(self, rule: SynapticRule) -> None:
        for name, trace in rule.traces.items():
            if trace.where != "network":
                self.lines[f"{rule.name}_{name}"] = f"{rule.name}_{name} : 1"
                if trace.where != "post":
                    self.kept[f"{rule.name}.{name}"] = f"{rule.name}_{name}"
        for name, declared in (*rule.state.items(), *rule.memory.items()):
            if (declared if isinstance(declared, str) else declared[0]) == "synapse":
                self.lines[f"{rule.name}_{name}"] = f"{rule.name}_{name} : 1"
                self.kept[f"{rule.name}.{name}"] = f"{rule.name}_{name}"

    def _jumps(self, rule: SynapticRule, side: str) -> list[str]:
        return [
            f"{rule.name}_{name} = 1" if trace.nearest else f"{rule.name}_{name} += 1"
            for name, trace in rule.traces.items()
            if trace.where == side
        ]

    def _outside(self, rule: SynapticRule, name: str) -> str | None:
        """Return the variable that brings a value of another part, or of the rule for the whole network."""
        if name in _KNOWN:
            return None
        arrays = {a.name: a for a in self.network.program.arrays}
        group = {"pre": self.groups[self.s.source], "post": self.groups[self.s.target_population]}
        stem, _, side = name.rpartition("_")
        filtered = any(f.name == stem and f.source == {"pre": self.c.source, "post": self.c.target}.get(side) for f in self.network.circuit.filters)  # fmt: skip
        if side in group and stem in group[side].variables and not filtered:
            return None
        key, index = None, None
        for candidate in (f"{rule.name}.{name}", f"{name}.value", name):
            if candidate in arrays:
                key = candidate
                break
        if key is None and filtered:
            key, index = f"{stem}.r", self.wiring.sources if side == "pre" else self.wiring.targets.astype(int)
        if key is None:
            return None
        if arrays[key].axes and index is None:
            raise self._refused(f"{name!r}, which has one value for each of {arrays[key].axes[0]!r}")
        variable = f"nd_{key.replace('.', '_').replace('@', '_')}"
        kind = "boolean" if arrays[key].dtype == "bool" else "1"
        self.lines[variable] = f"{variable} : {kind}{' (shared)' if index is None else ''}"
        self.shared[variable] = (key, index)
        return variable

    def _code(self, rule: SynapticRule, code: str, *, when: str = "") -> str:
        """Return code of a rule for Brian2; weights and memory change while learning is on, all only ``when`` it is due."""
        if names_in(code) & {"rand", "randn"}:
            raise self._refused(f"the draws of rule {rule.name!r}, which have to be the same on all runners")
        own = {
            name.partition(".")[2]: variable for name, variable in self.kept.items() if name.startswith(f"{rule.name}.")
        }
        own |= {name: f"{rule.name}_{name}" for name, trace in rule.traces.items() if trace.where == "post"}
        tree = ast.parse(textwrap.dedent(code))
        assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        guarded = {
            n: v for n, v in {**own, "w": self.w}.items() if n in assigned and (when or n in {"w", *rule.memory})
        }
        before = [f"{n}_new = {v}" for n, v in guarded.items()]
        names = {**own, "w": self.w} | {n: f"{n}_new" for n in guarded}
        renamed = ast.unparse(ast.fix_missing_locations(_Names(names, lambda n: self._outside(rule, n)).visit(tree)))
        after = []
        for name, variable in guarded.items():
            value = f"{name}_new"
            if name == "w":
                for side, bound, function in zip(("low", "high"), self.c.bounds, ("maximum", "minimum"), strict=True):
                    if bound is not None:
                        value = f"{function}({value}, {self._outside(rule, f'{self.s.name}.w_{side}@bound')})"
            tests = [when] * bool(when) + [str(self._outside(rule, "learning"))] * (name in {"w", *rule.memory})
            after.append(f"{variable} = where({' and '.join(tests)}, {value}, {variable})")
        return brian2_code("\n".join([*before, renamed, *after]), rule.name, set(self.lines))

    def _end_of_step(self, rule: SynapticRule) -> list[str]:
        """Return the texts of the end of a step: per_step, the drift of the weight, decays."""
        texts = []
        if rule.per_step.strip():
            every = self._outside(rule, f"{rule.name}.every@steps") if rule.every is not None else None
            texts.append(self._code(rule, rule.per_step, when=f"(step + 1) % {every} == 0" if every else ""))
        if rule.dw_dt.strip():
            texts.append(self._code(rule, f"w = w + dt*({expression_in(rule)})"))
        decaying = [name for name, trace in rule.traces.items() if trace.where != "network"]
        if decaying:
            lines = []
            for name in decaying:
                decay = self._outside(rule, f"{rule.name}.{name}@decay")
                lines.append(f"{rule.name}_{name} = {decayed(f'{rule.name}_{name}', str(decay))}")
            texts.append(brian2_code("\n".join(lines), rule.name, set(self.lines)))
        return texts

    def _synapses(
        self, number: int, on_pre: dict[str, str], on_post: dict[str, str], regular: list[list[str]]
    ) -> Plastic:
        from neurodyn.backends.brian2_build import functions

        wiring, dt = self.wiring, self.network.circuit.timestep * brian2.second
        uniform = self.s.delays != "heterogeneous"
        source, target = self.groups[self.s.source], self.groups[self.s.target_population]
        delays = {name: int(wiring.delays[0]) * dt for name in on_pre} if uniform else None
        made = brian2.Synapses(
            source,
            target,
            "\n".join(self.lines.values()),
            on_pre=on_pre,
            on_post=on_post or None,
            delay=delays,
            clock=target.clock,
            name=self.s.name,
            namespace=functions(),
        )
        made.connect(i=wiring.sources, j=wiring.targets.astype(int))
        order = 100 * number
        pathways = {p.objname: p for p in made._pathways}
        for name in (
            *(n for n in on_post if not n.startswith("jump")),
            *on_pre,
            *(n for n in on_post if n.startswith("jump")),
        ):
            pathways[name].order = order = order + 1
            pathways[name].check_units = False
            if not uniform and name in on_pre:
                pathways[name].delay = wiring.delays * dt
        for position, text in enumerate(t for texts in regular for t in texts):
            runner = made.run_regularly(text, when="end", order=1500 + 100 * number + position)
            runner.check_units = False
        kept = {ours: made.variables[theirs] for ours, theirs in self.kept.items()}
        shared = [(key, index, made.variables[variable]) for variable, (key, index) in self.shared.items()]
        post_traces = [
            (f"{rule.name}.{name}", made.variables[f"{rule.name}_{name}"])
            for rule in self.c.rules
            for name, trace in rule.traces.items()
            if trace.where == "post"
        ]
        arriving = [pathways[name] for name in on_pre]
        return Plastic(made, arriving, shared, kept, post_traces, wiring.targets.astype(int))

    def _refused(self, what: str) -> CircuitError:
        return CircuitError(
            f"connection {self.s.name!r}: Brian2 has nothing for {what}; use backend 'numba' or 'interpreter'"
        )
