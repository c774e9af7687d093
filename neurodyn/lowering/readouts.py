"""Filters of spikes, readouts and their rules: arrays declared, code lowered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurodyn.language import Symbol, Translator
from neurodyn.lowering.draft import Draft
from neurodyn.parts import CircuitError, Filter, Readout, SpikeTimes
from neurodyn.program import Array, Block, Branch, Store
from neurodyn.specs import label_axis


def declare_filter(draft: Draft, f: Filter) -> None:
    """Declare what a filter holds for each unit, and its factors."""
    source = draft.circuit[str(f.source)]
    if isinstance(source, SpikeTimes) or not getattr(source, "spiking", False):
        raise CircuitError(f"filter {f.name!r}: {f.source!r} is no population with a threshold")
    role = "state" if f.reset else "memory"
    draft.array(f"{f.name}.r", (source.name,), role, unit=f.unit)
    if f.tau_rise is not None:
        draft.array(f"{f.name}.h", (source.name,), role)
    for name in ["decay", "jump"] + (["rise_decay", "rise_gain"] if f.tau_rise is not None else []):
        draft.array(f"{f.name}.{name}", (), "parameter")


def write_filter(draft: Draft, f: Filter) -> None:
    """Lower the decay of every step, the jump at a spike, and the start at 0."""
    arrays = draft.arrays_of(f.name)
    held = [a.name for a in arrays.values() if a.role in ("state", "memory")]
    scope = {name: Symbol(a.name, a.axes, a.dtype, a.name in held) for name, a in arrays.items()}
    single = f.tau_rise is None
    decay = "r = r*decay" if single else "r = r*decay + rise_gain*h\nh = h*rise_decay"
    draft.blocks.append(Block("trace", f.name, Translator(f.name, scope).statements(decay, "trace")))
    jump = Translator(f.name, scope).statements("r += jump" if single else "h += jump", "at_spike")
    draft.blocks.append(Block("trace", f.name, jump, spikes_of=str(f.source)))
    start = tuple(Store(name, 0.0) for name in held)
    draft.blocks.append(Block("initial" if f.reset else "start", f.name, start))


def _source(draft: Draft, r: Readout) -> Array:
    key = r.source if "." in r.source else f"{r.source}.r"
    if key not in draft.arrays and f"{r.source}.value" in draft.arrays:
        key = f"{r.source}.value"
    if key not in draft.arrays:
        raise CircuitError(
            f"readout {r.name!r}: source {r.source!r} is no filter, input or 'population.variable'; "
            f"filters are {[f.name for f in draft.circuit.filters]}"
        )
    return draft.arrays[key]


def _parts(r: Readout) -> list[Any]:
    return [r] if r.rule is None else [r, r.rule]


def declare(draft: Draft, r: Readout) -> None:
    """Declare the arrays of a readout and of its rule."""
    unit_axes = _source(draft, r).axes
    output = (label_axis(r.outputs),) if len(r.outputs) > 1 else ()
    axes_of = {
        "output": output,
        "unit": unit_axes,
        "output*unit": output + unit_axes,
        "network": (),
        "unit*unit": unit_axes + tuple(f"{a}'" for a in unit_axes),
    }
    for part in _parts(r):
        for role in ("state", "memory"):
            for name, declared in getattr(part, role).items():
                kind = declared if isinstance(declared, str) else declared[0]
                if kind == "output*unit" and set(output) & set(unit_axes):
                    raise CircuitError(
                        f"readout {r.name!r}: its outputs have the labels of its source {r.source!r}; give the outputs other names"
                    )
                if kind not in axes_of:
                    raise CircuitError(
                        f"readout {r.name!r}: axes {kind!r} of {name}; allowed are output, unit, output*unit, unit*unit, network"
                    )
                draft.array(f"{part.name}.{name}", axes_of[kind], role, unit=r.labels.get(name, "1"))
        for name in part.parameters:
            draft.array(f"{part.name}.{name}", (), "parameter")


def _scope(draft: Draft, r: Readout) -> dict[str, Symbol]:
    """What the text knows: every array as part.name, its own by name alone; units are not followed here."""
    scope = {name: replace(symbol, dimensions=None) for name, symbol in draft.clock().items()}
    for key, array in draft.arrays.items():
        if "@" not in key and "." in key:
            scope[key] = Symbol(key, array.axes, array.dtype)
    for source in draft.circuit.inputs:
        scope[source.name] = scope[f"{source.name}.value"]
    source = _source(draft, r)
    scope["r"] = Symbol(source.name, source.axes, source.dtype)
    for part in _parts(r):
        for name, array in draft.arrays_of(part.name).items():
            if name in scope and name != "r":
                raise CircuitError(
                    f"readout {r.name!r}: {name!r} is also the name of an input or of the clock; rename it"
                )
            scope[name] = Symbol(array.name, array.axes, array.dtype, array.role in ("state", "memory"))
    return scope


def write(draft: Draft, r: Readout) -> None:
    """Lower the code of a readout, that of its rule (behind ``learning``), and their start values."""
    scope = _scope(draft, r)
    for phase, text in (("observe", r.per_step), ("trial_start", r.trial_start), ("trial_end", r.trial_end)):
        draft.blocks.append(Block(phase, r.name, Translator(r.name, scope).statements(text, phase)))
    if r.rule is not None:
        name, rule = r.rule.name, r.rule
        for phase, text in (
            ("learn", rule.per_step),
            ("trial_start", rule.trial_start),
            ("trial_end", rule.trial_end),
        ):
            body = Translator(name, scope).statements(text, phase)
            if body:
                draft.blocks.append(Block(phase, name, (Branch("learning", body),)))
    for part in _parts(r):
        for role, phase in (("state", "initial"), ("memory", "start")):
            body = []
            for name, declared in getattr(part, role).items():
                start = 0.0 if isinstance(declared, str) else declared[1]
                key = f"{part.name}.{name}"
                if key in draft.circuit.values or np.ndim(start):
                    draft.array(f"{key}@initial", draft.arrays[key].axes, "parameter")
                    start = f"{key}@initial"
                body.append(Store(key, start if isinstance(start, str) else float(start)))
            draft.blocks.append(Block(phase, part.name, tuple(body)))
