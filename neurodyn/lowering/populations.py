"""Populations: their parameters and variables declared, and their update, threshold, reset and start values lowered."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.language import ModelError, Symbol, Translator
from neurodyn.lowering.draft import Draft
from neurodyn.lowering.refractory import awake
from neurodyn.parts import CircuitError, Population
from neurodyn.program import Block, Item, Op, Operand, Store
from neurodyn.specs import expression_text, numeric


def declare(draft: Draft, p: Population) -> None:
    """Declare parameters (those given as expressions as constants, with their blocks), variables, lesions and clamps."""
    axis = (p.name,)
    draft.array(f"{p.name}.i", axis, "parameter")
    draft.array(f"{p.name}.N", (), "parameter")
    expressions: list[tuple[str, str]] = []
    for name, value in p.parameters.items():
        key = f"{p.name}.{name}"
        text = expression_text(value)
        if text is None:
            dimensions, shape = numeric(value, key, p.size)
            draft.array(key, axis if shape else (), "parameter", unit=units.display_unit(dimensions)[0])
            draft.dimensions[key] = dimensions
        else:
            expressions.append((name, text))
    for name, text in expressions:
        items, value = Translator(p.name, _scope(draft, p), axis).expression(text, "parameter", name)
        key = f"{p.name}.{name}"
        draft.array(key, value.axes, "constant", value.dtype)
        draft.dimensions[key] = value.dimensions or units.DIMENSIONLESS
        draft.blocks.append(Block("constants", p.name, (*items, Store(key, value.operand))))
    if p.equations is not None:
        _lower_equations(draft, p)
    else:
        for name, unit in p.variables.items():
            _variable(draft, p, name, units.dimensions_of(unit))
    for name in p.labels:
        if f"{p.name}.{name}" not in draft.arrays:
            raise CircuitError(f"population {p.name!r}: a label for {name!r}, which is no variable")
    if p.refractory is not None:
        draft.array(f"{p.name}.not_refractory", axis, "state", "bool")
        draft.array(f"{p.name}.last_spike", axis, "state")
        text = _refractory(p)
        shared = not isinstance(text, str) or not draft.arrays[f"{p.name}.{text}"].axes
        draft.array(f"{p.name}.refractory_steps", () if shared else axis, "parameter")
    if p.silenced:
        draft.array(f"{p.name}.alive", axis, "parameter", "bool")
    for name, (_, value) in p.clamped.items():
        key = f"{p.name}.{name}"
        if key not in draft.arrays or draft.arrays[key].role != "state":
            raise CircuitError(
                f"clamp: population {p.name!r} has no variable {name!r}; there are {', '.join(draft.variables_of(p.name))}"
            )
        wanted = units.display_unit(draft.dimensions.get(key, units.DIMENSIONLESS))[0]
        units.si(value, wanted, name=f"clamp of {key}")
        draft.array(f"{key}@clamp", axis, "parameter")
        draft.array(f"{key}@clamped", axis, "parameter", "bool")


def _lower_equations(draft: Draft, p: Population) -> None:
    from neurodyn.backends.equations import lower

    parameters = {n: (draft.dimensions[f"{p.name}.{n}"], not draft.arrays[f"{p.name}.{n}"].axes) for n in p.parameters}
    lowered = draft.equations[p.name] = lower(
        p.equations or "",
        threshold=p.threshold,
        reset=p.reset,
        refractory=_refractory(p),
        method=p.method,
        parameters=parameters,
        inputs={},
    )
    for v in lowered.variables:
        if v.kind == "state" or (v.kind == "parameter" and v.name not in p.parameters):
            _variable(draft, p, v.name, v.dimensions, "bool" if v.dtype == "boolean" else "float")


def _refractory(p: Population) -> Any:
    if p.refractory is None or (isinstance(p.refractory, str) and p.refractory in p.parameters):
        return p.refractory
    if expression_text(p.refractory) is not None:
        raise CircuitError(
            f"population {p.name!r}: refractory = {p.refractory!r}; give a time such as '2 ms' or the name of a parameter"
        )
    return units.si(p.refractory, "second", name=f"{p.name}.refractory", low=0.0)


def _variable(draft: Draft, p: Population, name: str, dimensions: units.Dimensions, dtype: str = "float") -> None:
    unit = p.labels.get(name) or units.display_unit(dimensions)[0]
    if name in p.labels and any(dimensions):
        raise CircuitError(
            f"population {p.name!r}: {name} is in {units.display_unit(dimensions)[0]} and takes no label {unit!r}; labels name pseudo-units"
        )
    draft.array(f"{p.name}.{name}", (p.name,), "state", dtype, unit)
    draft.dimensions[f"{p.name}.{name}"] = dimensions


def resting(draft: Draft, p: Population) -> set[str]:
    """Return the variables that rest while a unit is refractory."""
    lowered = draft.equations.get(p.name)
    return set() if lowered is None else {v.name for v in lowered.variables if v.unless_refractory}


def _scope(draft: Draft, p: Population, *, guarded: bool = False) -> dict[str, Symbol]:
    scope, unless = draft.clock(), resting(draft, p) if guarded else set()
    for name, array in draft.arrays_of(p.name).items():
        dimensions = draft.dimensions.get(array.name, units.DIMENSIONLESS)
        guard = "not_refractory" if name in unless else None
        scope[name] = Symbol(array.name, array.axes, array.dtype, array.role == "state", dimensions, guard)
    return scope


def write(draft: Draft, p: Population) -> None:
    """Lower update, threshold, what a spike starts, reset, and the start values."""
    axis = (p.name,)
    lowered = draft.equations.get(p.name)
    update, threshold, reset = (
        (p.code, p.threshold, p.reset) if lowered is None else (lowered.update, lowered.threshold, lowered.reset)
    )
    scope = _scope(draft, p, guarded=True)
    if lowered is not None:  # Brian2 has checked the units; its noise lines have none
        scope = {k: replace(s, dimensions=None) for k, s in scope.items()}
    prologue = "not_refractory = step - last_spike >= refractory_steps\n" if p.refractory is not None else ""
    for name in p.clamped:
        for suffix, dtype in (("clamp", "float"), ("clamped", "bool")):
            scope[f"{name}_{suffix}_"] = Symbol(f"{p.name}.{name}@{suffix}", axis, dtype)
    epilogue = "".join(f"\n{name} = where({name}_clamped_, {name}_clamp_, {name})" for name in p.clamped)
    update = update or ""
    if p.refractory is not None and lowered is not None:
        update = awake(update, resting(draft, p))
    body = Translator(p.name, scope, axis).statements(prologue + update, "update")
    unguarded = {k: replace(s, guard=None) for k, s in scope.items()}
    held = _unique(Translator(p.name, unguarded, axis).statements(epilogue, "clamp"), "clamp")
    quiet: Iterable[Item] = ()
    if p.silenced and threshold is not None:  # they reset all the same: without, quadratic cells run to infinity
        silenced = {k: replace(s, guard="silent_" if s.writable else None) for k, s in scope.items()}
        text = f"silent_ = ({threshold.strip()}) and not alive\n{textwrap.dedent(reset or '')}"
        quiet = _unique(Translator(p.name, silenced, axis).statements(text, "silenced"), "silenced")
    draft.blocks.append(Block("update", p.name, (*body, *held, *quiet)))
    if threshold is not None:
        text = f"({threshold.strip()})"
        text += " and not_refractory" if p.refractory is not None else ""
        text += " and alive" if p.silenced else ""
        items, value = Translator(p.name, scope, axis).expression(text, "threshold")
        if value.dtype != "bool":
            raise ModelError(f"{p.name}: threshold {threshold!r} must be a condition such as 'v > v_threshold'")
        draft.blocks.append(Block("threshold", p.name, items, result=value.operand))
        if p.refractory is not None:
            text = "last_spike = step\nnot_refractory = False"
            body = Translator(p.name, unguarded, axis).statements(text, "spiked")
            draft.blocks.append(Block("spiked", p.name, body, spikes_of=p.name))
        body = Translator(p.name, unguarded, axis).statements(reset or "", "reset")
        draft.blocks.append(Block("reset", p.name, body, spikes_of=p.name))
    draft.blocks.append(Block("initial", p.name, tuple(_initial(draft, p))))


def _initial(draft: Draft, p: Population) -> list[Item]:
    body: list[Item] = []
    names = draft.variables_of(p.name)
    for name in p.initial:
        if name not in names:
            raise CircuitError(
                f"population {p.name!r}: initial value for {name!r}, which is no state variable; there are {', '.join(names)}"
            )
    started = {"last_spike": -1e18, "not_refractory": True}
    for name in [n for n in names if n not in p.initial] + list(p.initial):
        key, value = f"{p.name}.{name}", p.initial.get(name)
        text = expression_text(value)
        wanted = draft.dimensions.get(key)
        if key in draft.circuit.values:  # numbers from a file or with_values
            draft.array(f"{key}@initial", (p.name,), "parameter", draft.arrays[key].dtype)
            body.append(Store(key, f"{key}@initial"))
        elif name not in p.initial:
            body.append(Store(key, started.get(name, 0.0)))
        elif text is not None:
            items, result = Translator(p.name, _scope(draft, p), (p.name,)).expression(text, "initial", name)
            if None not in (wanted, result.dimensions) and wanted != result.dimensions and result.operand != 0:
                raise ModelError(f"{p.name}: the initial value of {name} has the wrong unit, {text!r}")
            body += [*_unique(items, name), Store(key, _renamed(result.operand, name))]
        elif isinstance(value, bool):
            body.append(Store(key, value))
        else:
            dimensions, shape = numeric(value, f"{key} (initial)", p.size)
            wanted = wanted or units.DIMENSIONLESS
            if dimensions != wanted and not (np.isscalar(value) and value == 0):
                raise CircuitError(
                    f"population {p.name!r}: initial {name} = {value!r} has unit {units.display_unit(dimensions)[0]}, "
                    f"needed is {units.display_unit(wanted)[0]}"
                )
            draft.array(f"{key}@initial", (p.name,) if shape else (), "parameter")
            body.append(Store(key, f"{key}@initial"))
    return body


def _renamed(operand: Operand, tag: str) -> Operand:
    return f"%{tag}{operand}" if isinstance(operand, str) and operand.startswith("%") else operand


def _unique(items: tuple[Item, ...], tag: str) -> list[Item]:
    """Rename the temporaries of one text so that several texts share a block."""
    out: list[Item] = []
    for item in items:
        if isinstance(item, Op):
            out.append(replace(item, name=_renamed(item.name, tag), args=tuple(_renamed(a, tag) for a in item.args)))  # type: ignore[arg-type]
        elif isinstance(item, Store):
            out.append(replace(item, value=_renamed(item.value, tag)))
    return out
