"""Plastic connections: the arrays of their rules, and what happens at spikes, at the end of a step, at the border of a trial.

There are two forms. *Per step* is what the texts say: every synapse drifts and decays in every step. *At events*
(``closed``) keeps a synapse trace as c = C*p, where p is a number of the network that decays for all synapses
together, so that C changes at events only; and with dw/dt = M*c, M a number of the network too, the drift of the weight
since the last event is C*(S - S_then), where S sums M*p*dt. With bounds this equals the per-step form as long as M keeps its
sign, so all synapses are brought up to date before it changes; and again before p is so small that S would lose digits.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from neurodyn.language import ModelError, Symbol, Translator
from neurodyn.lowering.draft import Draft
from neurodyn.lowering.forms import Form, names_in, stored_in
from neurodyn.parts import CircuitError, Connection
from neurodyn.plasticity.rule import SynapticRule, Trace
from neurodyn.program import Axes, Block, Item, Op, Store, operations
from neurodyn.specs import whole_steps

RENEWED = 1e-3  # p of a drifting trace at which S starts anew: it then holds all but 3 of its 16 digits
SMALL = 1e-30  # p of other traces: they lose none


class Projection:
    """One plastic connection and what its texts know; ``source`` is the axis its synapses come from."""

    def __init__(self, draft: Draft, c: Connection, source: str, *, spiking: bool) -> None:
        self.draft, self.c, self.source, self.spiking = draft, c, source, spiking
        self.axes: Axes = (c.name,)
        self.form = Form(c, self.network_wide, spiking=spiking)
        self._numbers = 0

    # -- arrays ------------------------------------------------------------------------------------------------------

    def declare(self) -> None:
        """Declare weights, bounds, the units of each synapse, and the arrays of all rules."""
        draft, c = self.draft, self.c
        target = draft.arrays[f"{c.target}.{c.variable}"]
        draft.array(f"{c.name}.w", self.axes, "memory", unit=target.unit)
        draft.array(f"{c.name}.w@initial", self.axes, "parameter")
        for side, bound in zip(("low", "high"), c.bounds, strict=True):
            if bound is not None:
                draft.array(f"{c.name}.w_{side}@bound", (), "parameter")
        for side in ("pre", "post"):
            draft.array(f"{c.name}@{side}", self.axes, "parameter", "index")
        for rule in c.rules:
            if any(rule.name == part.name for part in draft.circuit.parts()):
                raise CircuitError(f"rule {rule.name!r} of connection {c.name!r} has the name of a part; rename it")
            self._declare(rule)

    def _declare(self, rule: SynapticRule) -> None:
        draft, axes = self.draft, {"synapse": self.axes, "network": ()}
        for name in rule.parameters:
            draft.array(f"{rule.name}.{name}", (), "parameter")
        if rule.every is not None:
            whole_steps(rule.every, draft.circuit.timestep, f"every of rule {rule.name!r}")
            draft.array(f"{rule.name}.every@steps", (), "parameter")
        for role in ("state", "memory"):
            for name, declared in getattr(rule, role).items():
                kind = declared if isinstance(declared, str) else declared[0]
                draft.array(f"{rule.name}.{name}", axes[kind], role)
        for name, trace in rule.traces.items():
            if trace.where == "pre" and not self.spiking:
                raise CircuitError(
                    f"rule {rule.name!r}: trace {name!r} follows spikes, but connection {self.c.name!r} is a weighted sum "
                    "of a variable; let a population or a filter hold what the rule reads, as name_pre"
                )
            if trace.where == "post" and not getattr(draft.circuit[self.c.target], "spiking", False):
                raise CircuitError(
                    f"rule {rule.name!r}: trace {name!r} follows spikes of {self.c.target!r}, which emits none"
                )
            where = {"post": (self.c.target,), "network": ()}.get(trace.where, self.axes)
            draft.array(f"{rule.name}.{name}", where, "state")
            draft.array(f"{rule.name}.{name}@decay", (), "parameter")
            if self._scaled(trace):
                draft.array(f"{rule.name}.{name}@scale", (), "state")
        if self.form.closed and rule.dw_dt.strip():
            draft.array(f"{rule.name}.drift@sum", (), "state")
            draft.array(f"{rule.name}.drift@then", self.axes, "state")
            if self.bounded:
                draft.array(f"{rule.name}.drift@sign", (), "state")

    @property
    def bounded(self) -> bool:
        """Whether the weights have a bound on any side."""
        return any(b is not None for b in self.c.bounds)

    def _scaled(self, trace: Trace) -> bool:
        return self.form.closed and trace.where in ("pre", "synapse")

    # -- what texts know ---------------------------------------------------------------------------------------------

    def surroundings(self) -> dict[str, Symbol]:
        """Return the names of the clock, of other parts, and of both sides of the connection."""
        draft, c = self.draft, self.c
        scope = {name: replace(symbol, dimensions=None) for name, symbol in draft.clock().items()}
        for key, array in draft.arrays.items():
            if "@" not in key and "." in key and array.axes != self.axes:
                scope[key] = Symbol(key, array.axes, array.dtype)
        for source in draft.circuit.inputs:
            scope[source.name] = scope[f"{source.name}.value"]
        for side, part in (("pre", c.source.split(".")[0]), ("post", c.target)):
            of_units = draft.arrays_of(part)
            of_units |= {f.name: draft.arrays[f"{f.name}.r"] for f in draft.circuit.filters if f.source == part}
            for name, array in of_units.items():
                index = f"{c.name}@{side}" if array.axes else None
                scope[f"{name}_{side}"] = Symbol(array.name, array.axes, array.dtype, index=index)
        return scope

    def scope(self, rule: SynapticRule, *, raw: Sequence[str] = ()) -> dict[str, Symbol]:
        """Return the names that the texts of a rule know; hidden ones end in "_".

        ``raw`` names the kinds of traces that are open to assignment, each with the axes that it has.
        """
        draft, c, scope = self.draft, self.c, self.surroundings()
        scope["w"] = Symbol(f"{c.name}.w", self.axes, writable=True, guard="learning")
        for side in ("low", "high"):
            if f"{c.name}.w_{side}@bound" in draft.arrays:
                scope[f"w_{side}_"] = Symbol(f"{c.name}.w_{side}@bound")
        for key, array in draft.arrays.items():
            part, _, name = key.partition(".")
            if part == rule.name and name:
                guard = "learning" if array.role == "memory" else None
                hidden = f"{name.replace('@', '_')}_" if "@" in name else name
                scope[hidden] = Symbol(key, array.axes, array.dtype, array.role != "parameter", guard=guard)
        for name, trace in rule.traces.items():
            if self._scaled(trace):
                scope[f"{name}_kept_"] = scope.pop(name)
            elif trace.where in ("pre", "post") and trace.where not in raw:
                index = f"{c.name}@post" if trace.where == "post" else None
                scope[name] = replace(scope[name], writable=False, index=index)
        return scope

    def network_wide(self, rule: SynapticRule, text: str) -> bool:
        """Whether an expression of a rule has one value for the network."""
        kinds = {name: trace.where for name, trace in rule.traces.items()} | dict.fromkeys(rule.parameters, "network")
        kinds |= {n: d if isinstance(d, str) else d[0] for n, d in (*rule.state.items(), *rule.memory.items())}
        own = {name: Symbol(name, () if where == "network" else self.axes) for name, where in kinds.items()}
        scope = {**self.surroundings(), **own, "w": Symbol("w", self.axes)}
        translator = Translator(f"dw_dt of rule {rule.name!r}", scope, self.axes)
        return not translator.expression(text, "dw_dt")[1].axes

    def _translator(self, rule: SynapticRule, *, raw: Sequence[str] = ()) -> Translator:
        self._numbers += 1
        return Translator(rule.name, self.scope(rule, raw=raw), self.axes, prefix=f"{self._numbers}_")

    def items(
        self, rule: SynapticRule, text: str, phase: str, *, at: str = "synapse", raw: Sequence[str] = ()
    ) -> tuple[Item, ...]:
        """Translate a text of a rule; ``at`` says for whom it may compute: synapses, their events, or the network."""
        found = self._translator(rule, raw=raw).statements(text, phase)
        for op in operations(found):
            if at == "event" and op.op in ("normal", "uniform"):
                raise ModelError(
                    f"rule {rule.name!r}: {phase} draws random numbers, which only per_step and populations can"
                )
            if at == "network" and self.c.name in op.axes:
                raise ModelError(
                    f"rule {rule.name!r}: modulator computes a value for each synapse; it takes network-wide values, "
                    "such as an input of one channel or sum(part.variable)"
                )
        return found

    # -- texts -------------------------------------------------------------------------------------------------------

    def clipped(self, value: str) -> str:
        """Return the text of a weight within its bounds."""
        low, high = (bound is not None for bound in self.c.bounds)
        value = f"maximum({value}, w_low_)" if low else value
        return f"minimum({value}, w_high_)" if high else value

    def updated(self, rule: SynapticRule) -> str:
        """Return the text that brings a weight up to date: its drift since the last event."""
        if not (self.form.closed and rule.dw_dt.strip()):
            return ""
        grown = self.clipped(f"w + {self.form.trace(rule)}_kept_*(drift_sum_ - drift_then_)")
        return f"w = {grown}\ndrift_then_ = drift_sum_\n"

    def wrapped(self, rule: SynapticRule, code: str) -> str:
        """Return the code of a rule with the traces that it uses taken from their kept form, and put back if assigned."""
        code = textwrap.dedent(code).strip("\n")
        used, assigned = names_in(code), stored_in(code)
        before, after = [], []
        for name, trace in rule.traces.items():
            if name in assigned and trace.where in ("pre", "post"):
                raise ModelError(
                    f"rule {rule.name!r}: {name!r} is a trace of {trace.where}synaptic spikes, which jumps by itself; assign a 'synapse' trace"
                )
            if self._scaled(trace) and name in used:
                before.append(f"{name} = {name}_kept_*{name}_scale_")
                if name in assigned:
                    after.append(f"{name}_kept_ = {name}/{name}_scale_")
        if "w" in assigned and self.bounded:
            after.insert(0, f"w = {self.clipped('w')}")
        return "\n".join([*before, code, *after])

    def needs_update(self, rule: SynapticRule, code: str) -> bool:
        """Whether code has to find the weight up to date: it reads or writes it, or changes what it drifts with."""
        drifting = {self.form.trace(r) for r in self.c.rules if r.name == rule.name and r.dw_dt.strip()}
        return "w" in names_in(code) or bool(drifting & stored_in(code))

    # -- blocks ------------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write the blocks of all rules."""
        name = self.c.name
        if self.spiking:
            self._spikes()
        for rule in self.c.rules:
            self._block("learn", self.items(rule, rule.modulator, "modulator", at="network"), owner=rule.name)
        for rule in self.c.rules:
            self._end_of_step(rule)
        for rule in self.c.rules:
            traces = {n: t for n, t in rule.traces.items() if self._scaled(t) or t.where in ("post", "network")}
            self._block("decay", self.items(rule, self._decays(rule, traces), "decay", raw=("post",)), owner=rule.name)
        for phase in ("trial_start", "trial_end"):
            body: list[Item] = []
            for rule in self.c.rules:
                code = getattr(rule, phase)
                if self.form.closed and (phase == "trial_end" or (code.strip() and self.needs_update(rule, code))):
                    body += self.items(rule, self.updated(rule), "update")
                body += self.items(rule, self.wrapped(rule, code), phase)
            self._block(phase, body)
        self._block("start", [Store(f"{name}.w", f"{name}.w@initial"), *self._starts("memory")])
        self._block("initial", self._starts("state"))
        self._views()

    def _block(self, phase: str, body: Sequence[Item], *, owner: str = "", **options: Any) -> None:
        if body:
            self.draft.blocks.append(Block(phase, owner or self.c.name, tuple(body), **options))

    def _spikes(self) -> None:
        """Write what happens at spikes of the targets, at arriving spikes, and the jumps of traces behind both."""
        name, c = self.c.name, self.c
        post, pre, jumps = [], [], []
        for rule in c.rules:
            if rule.on_post.strip():
                if not getattr(self.draft.circuit[c.target], "spiking", False):
                    raise CircuitError(f"rule {rule.name!r}: on_post follows spikes of {c.target!r}, which emits none")
                text = self.updated(rule) if self.needs_update(rule, rule.on_post) else ""
                post += self.items(rule, text + self.wrapped(rule, rule.on_post), "on_post", at="event")
        for rule in c.rules:
            pre += self.items(rule, self.updated(rule), "update", at="event")
        pre.append(Op("%arrive", "arrive", (name, f"{name}.w"), self.axes))
        for rule in c.rules:
            pre += self.items(rule, self.wrapped(rule, rule.on_pre), "on_pre", at="event")
            jumping = [self._jump(n, t) for n, t in rule.traces.items() if t.where == "pre"]
            pre += self.items(rule, "\n".join(jumping), "on_pre", raw=("pre",))
        self._block("on_post", post, spikes_of=name)
        self._block("on_pre", pre, spikes_of=name)
        for rule in c.rules:
            jumping = [self._jump(n, t) for n, t in rule.traces.items() if t.where == "post"]
            jumps += self.items(rule, "\n".join(jumping), "paired", raw=("post",))
        self._block("paired", jumps, spikes_of=c.target)

    def _jump(self, name: str, trace: Trace) -> str:
        if not self._scaled(trace):
            return f"{name} = 1" if trace.nearest else f"{name} += 1"
        return f"{name}_kept_ = 1/{name}_scale_" if trace.nearest else f"{name}_kept_ += 1/{name}_scale_"

    def _end_of_step(self, rule: SynapticRule) -> None:
        """Write per_step and the drift of the weight."""
        code = rule.per_step.strip("\n")
        text = ""
        if code.strip():
            text = self.wrapped(rule, code)
            if self.form.closed and self.needs_update(rule, code):
                text = self.updated(rule) + text
            if rule.every is not None:
                text = f"if (step + 1) % every_steps_ == 0:\n{textwrap.indent(text, '    ')}\n"
        body = [*self.items(rule, text, "per_step")]
        if rule.dw_dt.strip():
            drift = (
                self._accumulated(rule) if self.form.closed else f"w = {self.clipped(f'w + dt*({rule.dw_dt.strip()})')}"
            )
            body += self.items(rule, drift, "dw_dt")
        traces = {n: t for n, t in rule.traces.items() if t.where in ("pre", "synapse") and not self._scaled(t)}
        body += self.items(rule, self._decays(rule, traces), "decay", raw=("pre",))
        self._block("weights", body)

    def _accumulated(self, rule: SynapticRule) -> str:
        """Return the text that sums up M p dt for all synapses, and brings them up to date where M changes its sign."""
        update = textwrap.indent(self.updated(rule), "    ")
        text = f"m_ = dt*({self.form.factor(rule)})\n"
        if self.bounded:
            text += f"if m_*drift_sign_ < 0:\n{update}"
            text += "drift_sign_ = where(m_ == 0, drift_sign_, sign(m_))\n"
        return f"{text}drift_sum_ += where(learning, m_*{self.form.trace(rule)}_scale_, 0)\n"

    def _decays(self, rule: SynapticRule, traces: Mapping[str, Trace]) -> str:
        """Return the text of the decay of traces; scales that have become small start anew."""
        lines = []
        for name, trace in traces.items():
            if not self._scaled(trace):
                lines.append(f"{name} = {name}*{name}_decay_")
                continue
            drifts = bool(rule.dw_dt.strip()) and name == self.form.trace(rule)
            renewed = f"{name}_kept_ = {name}_kept_*{name}_scale_\n"
            if drifts:
                renewed = f"{self.updated(rule)}drift_then_ = 0\n{renewed}drift_sum_ = 0\n"
            lines.append(f"{name}_scale_ = {name}_scale_*{name}_decay_")
            lines.append(f"if {name}_scale_ < {RENEWED if drifts else SMALL}:")
            lines.append(textwrap.indent(f"{renewed}{name}_scale_ = 1", "    "))
        return "\n".join(lines)

    def _starts(self, role: str) -> list[Item]:
        body: list[Item] = []
        for rule in self.c.rules:
            declared = {n: (d, 0.0) if isinstance(d, str) else d for n, d in getattr(rule, role).items()}
            if role == "state":
                declared |= {n: ("", 0.0) for n in rule.traces}
                declared |= {f"{n}@scale": ("", 1.0) for n, t in rule.traces.items() if self._scaled(t)}
                declared |= {f"drift@{n}": ("", 0.0) for n in ("sum", "then", "sign")}
            for name, (_, start) in declared.items():
                key = f"{rule.name}.{name}"
                if key not in self.draft.arrays:
                    continue
                if key in self.draft.circuit.values:
                    self.draft.array(f"{key}@initial", self.draft.arrays[key].axes, "parameter")
                    body.append(Store(key, f"{key}@initial"))
                else:
                    body.append(Store(key, float(start)))
        return body

    def _views(self) -> None:
        """Say what is to be read where an array is kept in another form."""
        if not self.form.closed:
            return
        views: list[tuple[SynapticRule, str, str]] = []
        for rule in self.c.rules:
            for name, trace in rule.traces.items():
                if self._scaled(trace):
                    views.append((rule, f"{rule.name}.{name}", f"{name}_kept_*{name}_scale_"))
            if rule.dw_dt.strip():
                grown = self.clipped(f"w + {self.form.trace(rule)}_kept_*(drift_sum_ - drift_then_)")
                views.append((rule, f"{self.c.name}.w", grown))
        for rule, owner, text in views:
            items, value = self._translator(rule).expression(text, "view")
            self.draft.blocks.append(Block("view", owner, items, spikes_of=self.c.name, result=value.operand))
