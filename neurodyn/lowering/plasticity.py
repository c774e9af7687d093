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
from neurodyn.lowering.forms import Form, expression_in, names_in, stored_in
from neurodyn.parts import RESERVED, CircuitError, Connection
from neurodyn.plasticity.rule import SynapticRule, Trace
from neurodyn.program import Axes, Block, Branch, Item, Op, Store, operations, stores
from neurodyn.specs import finite_number, whole_steps

RENEWED = 1e-3  # p of a drifting trace at which S starts anew: it then holds all but 3 of its 16 digits
SMALL = 1e-30  # p of other traces, which lose none; and a trace, which is then 0


class Projection:
    """One plastic connection and what its texts know; ``source`` is the axis its synapses come from."""

    def __init__(self, draft: Draft, c: Connection, source: str, *, spiking: bool) -> None:
        self.draft, self.c, self.source, self.spiking = draft, c, source, spiking
        self.axes: Axes = (c.name,)
        others = [rule for other in draft.circuit.connections if other is not c for rule in other.rules]
        self.form = Form(c, self.network_wide, spiking=spiking, others=others)
        draft.forms[c.name] = "at events" if self.form.closed else f"per step: {self.form.reason}"
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
            for phase in ("on_pre", "on_post"):
                if getattr(rule, phase).strip() and not self.spiking:
                    raise CircuitError(
                        f"rule {rule.name!r}: {phase} follows spikes, but connection {c.name!r} is a weighted sum of a variable; use per_step"
                    )

    def _declare(self, rule: SynapticRule) -> None:
        draft, axes = self.draft, {"synapse": self.axes, "network": ()}
        for name in (*rule.traces, *rule.parameters, *rule.state, *rule.memory):
            if name in RESERVED:
                raise CircuitError(f"rule {rule.name!r}: {name!r} has a meaning of its own; call it otherwise")
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
            if trace.where in ("pre", "post") and not self.spiking:
                raise CircuitError(
                    f"rule {rule.name!r}: trace {name!r} follows spikes, but connection {self.c.name!r} is a weighted sum "
                    f"of a variable; let a population or a filter hold what the rule reads, as name_{trace.where}"
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
        if self.drifts(rule):
            draft.array(f"{rule.name}.drift@sum", (), "state")
            draft.array(f"{rule.name}.drift@rest", (), "state")
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
            if "@" in name and any(part == r.name for r in c.rules):
                scope[hidden(part, name)] = Symbol(key, array.axes, array.dtype, array.role != "parameter")
            elif part == rule.name and name:
                guard = "learning" if array.role == "memory" else None
                scope[name] = Symbol(key, array.axes, array.dtype, array.role != "parameter", guard=guard)
        for r in c.rules:
            for name, trace in r.traces.items():
                if self._scaled(trace):
                    scope[hidden(r.name, f"{name}@kept")] = Symbol(f"{r.name}.{name}", self.axes, writable=True)
        for name, trace in rule.traces.items():
            if self._scaled(trace):
                del scope[name]
            elif trace.where in ("pre", "post") and trace.where not in raw:
                index = f"{c.name}@post" if trace.where == "post" else None
                scope[name] = replace(scope[name], writable=False, index=index)
        return scope

    def network_wide(self, rule: SynapticRule, text: str) -> bool:
        """Whether an expression of a rule has one value for the network."""
        scope = {**self.surroundings(), "w": Symbol("w", self.axes)}
        for c in self.draft.circuit.connections:
            for r in c.rules:  # whose arrays may not be declared yet
                for name, where in r.kinds.items():
                    axes: Axes = {"network": (), "post": (c.target,)}.get(where, (c.name,))
                    if c is not self.c:
                        scope[f"{r.name}.{name}"] = Symbol(f"{r.name}.{name}", axes)
                    elif r is rule:
                        scope[name] = Symbol(name, () if where == "network" else self.axes)
        translator = Translator(f"dw_dt of rule {rule.name!r}", scope, self.axes)
        return not translator.expression(text, "dw_dt")[1].axes

    def _translator(self, rule: SynapticRule, *, raw: Sequence[str] = ()) -> Translator:
        self._numbers += 1
        return Translator(rule.name, self.scope(rule, raw=raw), self.axes, prefix=f"{self._numbers}_")

    def items(
        self, rule: SynapticRule, text: str, phase: str, *, at: str = "synapse", raw: Sequence[str] = ()
    ) -> tuple[Item, ...]:
        """Translate a text of a rule; ``at`` says for whom it may compute: synapses, their events, or the network."""
        if at == "network":
            self._check_network_wide(rule, text)
        found = self._translator(rule, raw=raw).statements(text, phase)
        if at == "event":
            self._check_events(rule, found, phase)
        return found

    @staticmethod
    def _check_network_wide(rule: SynapticRule, text: str) -> None:
        kinds = {**rule.kinds, "w": "synapse"}
        for name in sorted(names_in(text)):
            if kinds.get(name, "network") != "network" or name.endswith(("_pre", "_post")):
                raise ModelError(
                    f"rule {rule.name!r}: modulator uses {name!r}, which has a value for each synapse; it takes network-wide "
                    "values, such as an input of one channel or sum(part.variable)"
                )

    def _check_events(self, rule: SynapticRule, items: Sequence[Item], phase: str) -> None:
        """Refuse what makes no sense for single synapses."""
        wide = [s.array for s in stores(tuple(items)) if not self.draft.arrays[s.array].axes]
        what = ""
        if any(op.op in ("normal", "uniform") for op in operations(tuple(items))):
            what = "draws random numbers, which only per_step and populations can"
        elif any(op.op == "sum" for op in operations(tuple(items))):
            what = "sums over units, but runs for each synapse with an event; let modulator assign the sum to a network-wide state"
        elif wide:
            what = f"assigns {wide[0]!r}, one value for the network; do that in modulator"
        elif any(isinstance(item, Branch) for item in items):
            what = "has an 'if', but runs for each synapse with an event; use where(condition, a, b)"
        if what:
            raise ModelError(f"rule {rule.name!r}: {phase} {what}")

    # -- texts -------------------------------------------------------------------------------------------------------

    def clipped(self, value: str) -> str:
        """Return the text of a weight within its bounds."""
        low, high = (bound is not None for bound in self.c.bounds)
        value = f"maximum({value}, w_low_)" if low else value
        return f"minimum({value}, w_high_)" if high else value

    def grown(self, rule: SynapticRule) -> str:
        """Return the text of a weight with its drift since the last event."""
        kept = hidden(rule.name, f"{self.form.trace(rule)}@kept")
        total, then = (hidden(rule.name, f"drift@{x}") for x in ("sum", "then"))
        return self.clipped(f"w + {kept}*({total} - {then})")

    def updated(self, rule: SynapticRule) -> str:
        """Return the text that brings a weight up to date with a rule that lets it drift."""
        if not self.drifts(rule):
            return ""
        return f"w = {self.grown(rule)}\n{hidden(rule.name, 'drift@then')} = {hidden(rule.name, 'drift@sum')}\n"

    def drifts(self, rule: SynapticRule) -> bool:
        """Whether the weight drifts in closed form."""
        return self.form.closed and bool(rule.dw_dt.strip())

    def prepared(self, rule: SynapticRule, code: str) -> str:
        """Return code of a rule behind the updates that it needs: it uses the weight, or changes what that drifts with."""
        used, assigned = names_in(code), stored_in(code)
        needs = [r for r in self.c.rules if "w" in used or (r is rule and self.form.trace(r) in assigned)]
        return "".join(map(self.updated, needs)) + self.wrapped(rule, code)

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
                kept, scale = (hidden(rule.name, f"{name}@{x}") for x in ("kept", "scale"))
                before.append(f"{name} = {kept}*{scale}")
                if name in assigned:
                    after.append(f"{kept} = {name}/{scale}")
        if "w" in assigned and self.bounded:
            after.insert(0, f"w = {self.clipped('w')}")
        return "\n".join([*before, code, *after])

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
                update = self.updated(rule) if phase == "trial_end" else ""  # what follows may reset the traces
                body += self.items(rule, update + self.prepared(rule, getattr(rule, phase)), phase)
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
                post += self.items(rule, self.prepared(rule, rule.on_post), "on_post", at="event")
        for rule in c.rules:
            pre += self.items(rule, self.updated(rule), "update", at="event")
        pre.append(Op("%arrive", "arrive", (name, f"{name}.w"), self.axes))
        for rule in c.rules:
            pre += self.items(rule, self.wrapped(rule, rule.on_pre), "on_pre", at="event")
            jumping = [self._jump(rule, n, t) for n, t in rule.traces.items() if t.where == "pre"]
            pre += self.items(rule, "\n".join(jumping), "on_pre", raw=("pre",))
        self._block("on_post", post, spikes_of=name)
        self._block("on_pre", pre, spikes_of=name)
        for rule in c.rules:
            jumping = [self._jump(rule, n, t) for n, t in rule.traces.items() if t.where == "post"]
            jumps += self.items(rule, "\n".join(jumping), "paired", raw=("post",))
        self._block("paired", jumps, spikes_of=c.target)

    def _jump(self, rule: SynapticRule, name: str, trace: Trace) -> str:
        kept, jump = name, "1"
        if self._scaled(trace):
            kept, jump = hidden(rule.name, f"{name}@kept"), f"1/{hidden(rule.name, f'{name}@scale')}"
        return f"{kept} = {jump}" if trace.nearest else f"{kept} += {jump}"

    def _end_of_step(self, rule: SynapticRule) -> None:
        """Write per_step, the drift of the weight, and the decay of what is kept for each synapse."""
        text = self.prepared(rule, rule.per_step) if rule.per_step.strip() else ""
        if text and rule.every is not None:
            due = f"(step + 1) % {hidden(rule.name, 'every@steps')} == 0"
            text = f"if {due}:\n{textwrap.indent(text, '    ')}\n"
        body = [*self.items(rule, text, "per_step")]
        if self.drifts(rule):
            body += self.items(rule, self._accumulated(rule), "dw_dt")
        elif rule.dw_dt.strip():
            body += self.items(rule, f"w = {self.clipped(f'w + dt*({expression_in(rule)})')}", "dw_dt")
        traces = {n: t for n, t in rule.traces.items() if t.where in ("pre", "synapse") and not self._scaled(t)}
        body += self.items(rule, self._decays(rule, traces), "decay", raw=("pre",))
        self._block("weights", body)

    def _accumulated(self, rule: SynapticRule) -> str:
        """Return the text that sums up M p dt for all synapses, and brings them up to date where M changes its sign."""
        total, rest, sign = (hidden(rule.name, f"drift@{x}") for x in ("sum", "rest", "sign"))
        scale = hidden(rule.name, f"{self.form.trace(rule)}@scale")
        text = f"m_ = dt*({self.form.factor(rule)})\n"
        if self.bounded:
            text += f"if m_*{sign} < 0:\n{textwrap.indent(self.updated(rule), '    ')}"
            text += f"{sign} = where(m_ == 0, {sign}, sign(m_))\n"
        # what the rounding of the sum loses is added with the next term (Kahan): many small ones would be lost in float32
        text += f"term_ = where(learning, m_*{scale} - {rest}, 0)\nsum_ = {total} + term_\n"
        return f"{text}{rest} = (sum_ - {total}) - term_\n{total} = sum_\n"

    def _decays(self, rule: SynapticRule, traces: Mapping[str, Trace]) -> str:
        """Return the text of the decay of traces; scales that have become small start anew."""
        lines = []
        for name, trace in traces.items():
            kept, scale, decay = (hidden(rule.name, f"{name}@{x}") for x in ("kept", "scale", "decay"))
            if not self._scaled(trace):
                lines.append(f"{name} = {decayed(name, decay)}")
                continue
            drifting = self.drifts(rule) and name == self.form.trace(rule)
            renewed = f"{kept} = {kept}*{scale}\n{scale} = 1"
            if drifting:
                then, total, rest = (hidden(rule.name, f"drift@{x}") for x in ("then", "sum", "rest"))
                renewed = f"{self.updated(rule)}{then} = 0\n{renewed}\n{total} = 0\n{rest} = 0"
            lines.append(f"{scale} = {scale}*{decay}")
            lines.append(f"if {scale} < {RENEWED if drifting else SMALL}:\n{textwrap.indent(renewed, '    ')}")
        return "\n".join(lines)

    def _starts(self, role: str) -> list[Item]:
        body: list[Item] = []
        for rule in self.c.rules:
            declared = {n: (d, 0.0) if isinstance(d, str) else d for n, d in getattr(rule, role).items()}
            if role == "state":
                declared |= dict.fromkeys(rule.traces, ("", 0.0))
                declared |= {f"{n}@scale": ("", 1.0) for n, t in rule.traces.items() if self._scaled(t)}
                declared |= {f"drift@{n}": ("", 0.0) for n in ("sum", "rest", "then", "sign")}
            for name, (_, start) in declared.items():
                key = f"{rule.name}.{name}"
                if key not in self.draft.arrays:
                    continue
                if key in self.draft.circuit.values:
                    self.draft.array(f"{key}@initial", self.draft.arrays[key].axes, "parameter")
                    body.append(Store(key, f"{key}@initial"))
                else:
                    body.append(Store(key, finite_number(start, key)))
        return body

    def _views(self) -> None:
        """Say what is to be read where an array is kept in another form."""
        if not self.form.closed:
            return
        views: list[tuple[SynapticRule, str, str]] = []
        for rule in self.c.rules:
            for name, trace in rule.traces.items():
                if self._scaled(trace):
                    kept, scale = (hidden(rule.name, f"{name}@{x}") for x in ("kept", "scale"))
                    views.append((rule, f"{rule.name}.{name}", f"{kept}*{scale}"))
            if self.drifts(rule):
                views.append((rule, f"{self.c.name}.w", self.grown(rule)))
        for rule, owner, text in views:
            items, value = self._translator(rule).expression(text, "view")
            self.draft.blocks.append(Block("view", owner, items, spikes_of=self.c.name, result=value.operand))


def decayed(name: str, decay: str) -> str:
    """Return the text of a trace after a step; what has all but vanished is 0, for subnormal numbers are slow."""
    return f"where(abs({name}) < {SMALL}, 0, {name}*{decay})"


def hidden(rule: str, name: str) -> str:
    """Return how texts of a connection call an array of a rule that users don't see."""
    return f"{rule}__{name.replace('@', '_')}_"
