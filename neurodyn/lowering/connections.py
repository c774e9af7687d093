"""Connections: what a spike adds to, what is summed each step, with which delay; and what texts for each synapse know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.language import Symbol, Translator
from neurodyn.lowering.draft import Draft
from neurodyn.lowering.populations import resting
from neurodyn.parts import CircuitError, Connection, Input, Normal, Population, SpikeTimes, Uniform
from neurodyn.program import Array, Spikes, WeightedSum
from neurodyn.specs import delay_steps, expression_text, layout, numeric


def lower_connections(draft: Draft) -> tuple[tuple[Spikes, ...], tuple[WeightedSum, ...]]:
    """Return the connections that carry spikes and those that are weighted sums, each in declared order."""
    spikes: list[Spikes] = []
    sums: list[WeightedSum] = []
    for c in draft.circuit.connections:
        _check(draft, c)
        head, _, variable = c.source.partition(".")
        if variable or isinstance(draft.circuit[head], Input):
            sums.append(_weighted_sum(draft, c, head))
        else:
            spikes.append(_spikes(draft, c, head))
    summed = {s.target for s in sums}
    for s in spikes:
        if s.target in summed:
            raise CircuitError(
                f"{s.target!r} receives both spikes and weighted sums; give each its own variable and add them in the equations"
            )
    return tuple(spikes), tuple(sums)


def _check(draft: Draft, c: Connection) -> None:
    """Refuse a target that doesn't exist, a weight or bound of another unit, a delay that is no time."""
    target = f"{c.target}.{c.variable}"
    array = draft.arrays.get(target)
    if array is None or array.role != "state":
        raise CircuitError(
            f"connection {c.name!r}: {c.target!r} has no variable {c.variable!r}; there are {', '.join(draft.variables_of(c.target))}"
        )
    have, want = _dimensions(draft, c, c.weight, "weight"), draft.dimensions.get(target, units.DIMENSIONLESS)
    if have is not None and have != want:
        label = draft.circuit[c.target].labels.get(c.variable)
        note = f" (its unit is {label}, a pseudo-unit that takes plain numbers)" if label and not any(want) else ""
        raise CircuitError(
            f"connection {c.name!r}: weight {c.weight!r} can't be added to {target}, which needs "
            f"{units.display_unit(want)[0] if any(want) else 'a plain number'}{note}"
        )
    for bound in c.bounds:
        if bound is not None and units.quantity(bound, name=f"{c.name}.bounds").dimensions != want and bound != 0:
            raise CircuitError(
                f"connection {c.name!r}: bounds = {c.bounds!r} need the unit of {target}, "
                f"{units.display_unit(want)[0] if any(want) else 'a plain number'}"
            )
    time = units.dimensions_of("second")
    if expression_text(c.delay) is not None and _dimensions(draft, c, c.delay, "delay") not in (None, time):
        raise CircuitError(
            f"connection {c.name!r}: delay = {c.delay!r} is no time; write it in units of time, such as '1*ms + rand()*ms'"
        )


def _spikes(draft: Draft, c: Connection, head: str) -> Spikes:
    circuit, source = draft.circuit, draft.circuit[head]
    if not isinstance(source, SpikeTimes) and not getattr(source, "spiking", False):
        raise CircuitError(
            f"connection {c.name!r}: {head!r} emits no spikes; name a variable of it, such as '{head}.x'"
        )
    population: Population = circuit[c.target]
    guard = f"{c.target}.not_refractory" if c.variable in resting(draft, population) else None
    stored = circuit.values.get(f"{c.name}.delays")
    if stored is None or not np.size(stored):
        steps = delay_steps(c, circuit.timestep)
    else:  # a network from a file is the same Program
        steps = int(np.ravel(stored)[0]) if np.unique(stored).size == 1 else stored
    delays = "heterogeneous" if np.ndim(steps) else "uniform" if steps else "none"
    return Spikes(c.name, head, c.target, f"{c.target}.{c.variable}", delays, guard, c.plastic)


def _weighted_sum(draft: Draft, c: Connection, head: str) -> WeightedSum:
    circuit, source = draft.circuit, draft.circuit[head]
    key = f"{head}.value" if isinstance(source, Input) else c.source
    if key not in draft.arrays:
        raise CircuitError(f"connection {c.name!r}: no variable {c.source!r} to read")
    axes = draft.arrays[key].axes
    if len(axes) > 1:
        raise CircuitError(
            f"connection {c.name!r}: {c.source!r} is a matrix; read a variable with one value a unit or output"
        )
    default = 0 if isinstance(source, Input) else 1
    delay = default if c.delay is None else delay_steps(c, circuit.timestep)
    if np.ndim(delay):
        raise CircuitError(f"connection {c.name!r}: weighted sums take one delay for all synapses")
    order = [p.name for p in circuit.populations]
    earlier = head in order and order.index(head) < order.index(c.target)
    if int(delay) == 0 and not isinstance(source, Input) and not earlier:
        raise CircuitError(
            f"connection {c.name!r}: delay 0 works only from inputs and populations listed before {c.target!r}; give it a step"
        )
    target = f"{c.target}.{c.variable}"
    if c.plastic and (len(axes) != 1 or axes[0] not in order):
        raise CircuitError(
            f"connection {c.name!r}: rules need a source population, {c.source!r} is an input or a readout; "
            "a readout learns by its own rule"
        )
    return WeightedSum(c.name, key, axes[0] if axes else "", c.target, target, layout(c), int(delay), c.plastic)


def _dimensions(draft: Draft, c: Connection, value: Any, what: str) -> units.Dimensions | None:
    """Return the dimensions of a specification for each synapse; None where an expression does not tell."""
    text = expression_text(value)
    if text is not None:
        symbols = synapse_symbols(c, draft.arrays.values(), draft.dimensions)
        return Translator(c.name, symbols, (f"synapses of {c.name}",)).expression(text, what)[1].dimensions
    if isinstance(value, Uniform | Normal):
        return numeric(value, f"{c.name}.{what}", 0)[0]
    return units.quantity(value, name=f"{c.name}.{what}").dimensions


def synapse_symbols(
    c: Connection, arrays: Iterable[Array], dimensions: Mapping[str, units.Dimensions]
) -> dict[str, Symbol]:
    """Return what expressions for each synapse may use: i, j, dt, and parameters of both sides as ``name_pre``, ``name_post``."""
    axis = (f"synapses of {c.name}",)
    symbols = {
        "i": Symbol("i", axis, dimensions=units.DIMENSIONLESS),
        "j": Symbol("j", axis, dimensions=units.DIMENSIONLESS),
        "dt": Symbol("dt", dimensions=units.dimensions_of("second")),
    }
    for array in arrays:
        part, _, name = array.name.partition(".")
        if array.role in ("parameter", "constant") and name and "@" not in name:
            for side, wanted in (("pre", c.source.split(".")[0]), ("post", c.target)):
                if part == wanted:
                    own = dimensions.get(array.name, units.DIMENSIONLESS)
                    symbols[f"{name}_{side}"] = Symbol(
                        f"{name}_{side}", axis if array.axes else (), array.dtype, dimensions=own
                    )
    return symbols
