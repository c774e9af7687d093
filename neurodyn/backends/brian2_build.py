"""The populations, spike sources and synapses of a network as Brian2 objects, in the order of our step.

Imported only where Brian2 is wanted. Every object gets an explicit place in Brian2's schedule, since ties are
broken by names: "start" (inputs and sums), "groups" (population k updates at order 10 k, its code at 10 k + 1, its
clamps at 10 k + 2), "thresholds", "synapses" (connections in declared order, then what arrived is added once),
"resets", "end" (filters, readouts, rules).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn.backends.brian2_plastic import Plastic, build_plastic, refuse_events
from neurodyn.backends.brian2_text import brian2_code, brian2_expression
from neurodyn.backends.equations_brian2 import brian2
from neurodyn.backends.equations_text import brian2_equations_text, unit_text, without_comments
from neurodyn.lowering import dimensions_of_populations
from neurodyn.network import Network
from neurodyn.parts import CircuitError, Population, SpikeTimes
from neurodyn.program import Program, Spikes
from neurodyn.units import DIMENSIONLESS, si

LONG_AGO = -1e4  # seconds: Brian2's "has not spiked yet"
Operation = tuple[Callable[[], None], str, int]  # what to call, when, and at which order


@dataclass(frozen=True, eq=False)
class Built:
    """Brian2's objects by the names of our parts; ``code`` holds the runners of populations with code."""

    clock: Any
    network: Any
    groups: Mapping[str, Any]
    synapses: Mapping[str, Any]
    plastic: Mapping[str, Plastic] = field(default_factory=dict)
    code: Mapping[str, Any] = field(default_factory=dict)


def build(network: Network, operations: Sequence[Operation] = ()) -> Built:
    """Build everything that Brian2 computes, with parameters and wiring set; start values are left at 0.

    Raises CircuitError for what Brian2 has no words for, before the first object is made.
    """
    refuse_events(network)
    words = {p.name: _words(p) for p in network.circuit.populations}
    clock = brian2.Clock(network.circuit.timestep * brian2.second)
    groups: dict[str, Any] = {}
    code: dict[str, Any] = {}
    dimensions = dimensions_of_populations(network.circuit)
    for p in network.circuit.populations:
        if isinstance(p, SpikeTimes):
            groups[p.name] = _spike_source(p, network, clock)
        else:
            groups[p.name], code[p.name] = _group(p, words[p.name], network, dimensions, clock)
    plastic = {
        s.name: made
        for number, s in enumerate(network.program.spikes)
        if s.plastic and (made := build_plastic(number, s, network, groups, arriving(number))) is not None
    }
    synapses = {
        s.name: made
        for number, s in enumerate(network.program.spikes)
        if not s.plastic and (made := _synapses(number, s, network, groups, dimensions)) is not None
    }
    synapses |= {name: p.synapses for name, p in plastic.items()}
    objects = [*groups.values(), *synapses.values()]
    for number, (function, when, order) in enumerate(operations):
        objects.append(
            brian2.NetworkOperation(function, clock=clock, when=when, order=order, name=f"neurodyn_operation_{number}")
        )
    runners = {k: v for k, v in code.items() if v is not None}
    return Built(clock, brian2.Network(objects), groups, synapses, plastic, runners)


def handed_over(built: Built, arrays: Mapping[str, np.ndarray], program: Program) -> None:
    """Set the start values of all populations."""
    for array in program.arrays:
        population, _, name = array.name.partition(".")
        if population in program.populations and array.role == "state" and name in built.groups[population].variables:
            built.groups[population].variables[name].set_value(arrays[array.name])


def slot(network: Network, population: str) -> int:
    """Return the order of a population's update in the slot "groups"."""
    return 10 * network.program.populations.index(population)


@dataclass(frozen=True)
class _Words:
    """The texts of a population in Brian2's language; ``update`` is the code of one step, if it has any."""

    threshold: str | None = None
    reset: str = ""
    update: str = ""


def _words(p: Population | SpikeTimes) -> _Words:
    if p.size == 0:
        raise CircuitError(
            f"population {p.name!r} is empty, which Brian2 does not allow; use backend 'numba' or 'interpreter'"
        )
    if isinstance(p, SpikeTimes):
        return _Words()
    if p.equations is not None:
        threshold = None if p.threshold is None else " ".join(without_comments(p.threshold).split())
        return _Words(threshold, without_comments(p.reset or ""))
    return _Words(
        None if p.threshold is None else brian2_expression(p.threshold, p.name),
        brian2_code(p.reset or "", p.name, p.variables),
        brian2_code(p.code or "", p.name, p.variables),
    )


def _group(
    p: Population, words: _Words, network: Network, dimensions: Mapping[str, Any], clock: Any
) -> tuple[Any, Any]:
    text, values = _model(p, network, dimensions)
    threshold, reset, silent = words.threshold, words.reset, {}
    if threshold is not None and p.silenced:  # an event of its own: they reset, but emit nothing
        silent = {"silenced": f"({threshold}) and not nd_alive"}
        threshold = f"({threshold}) and nd_alive"
    refractory: Any = False
    if p.refractory is not None:
        named = isinstance(p.refractory, str) and p.refractory in p.parameters
        refractory = p.refractory if named else si(p.refractory, "second", name=f"{p.name}.refractory") * brian2.second
    chosen: dict[str, Any] = {} if p.method is None else {"method": p.method}
    group = brian2.NeuronGroup(
        p.size,
        text,
        threshold=threshold,
        reset=reset if threshold is not None else None,
        refractory=refractory,
        events=dict(silent),
        clock=clock,
        name=p.name,
        namespace=functions(),
        **chosen,
    )
    for name, value in values.items():
        group.variables[name].set_value(value)
    first = slot(network, p.name)
    group.state_updater.order = first
    if silent:
        group.set_event_schedule("silenced", "groups", first + 3)
        group.run_on_event("silenced", reset, "groups", first + 4)
    runner = _regularly(group, words.update, "groups", first + 1) if words.update else None
    if p.equations is None:
        for part in (*group.thresholder.values(), *group.resetter.values()):
            part.check_units = False  # code is in SI numbers, which pseudo-units rely on
    if p.clamped:
        held = "\n".join(f"{name} = nd_where(nd_clamped_{name}, nd_clamp_{name}, {name})" for name in p.clamped)
        _regularly(group, held, "groups", first + 2).override_conditional_write = ["not_refractory"]
    received = [(number, s) for number, s in enumerate(network.program.spikes) if s.target_population == p.name]
    if received:
        lines = [f"{s.target.partition('.')[2]} += {arriving(number)}" for number, s in received]
        lines += [f"{arriving(number)} = 0" for number, _ in received]
        _regularly(group, "\n".join(lines), "synapses", 10**6 + first)
    return group, runner


def _model(p: Population, network: Network, dimensions: Mapping[str, Any]) -> tuple[str, dict[str, np.ndarray]]:
    """Return the equations of a group, and the numbers of what they declare as constant."""

    def declared(name: str) -> str:
        return unit_text(dimensions.get(f"{p.name}.{name}", DIMENSIONLESS))

    arrays = {name: network.program.array(f"{p.name}.{name}") for name in p.parameters}
    values = {name: network.values[f"{p.name}.{name}"] for name in p.parameters}
    if p.equations is not None:
        given = {name: (dimensions[array.name], not array.axes) for name, array in arrays.items()}
        lines = [brian2_equations_text(p.equations, parameters=given)]
    else:
        lines = [f"{name} : {declared(name)}" for name in p.variables]
        lines += [
            f"{name} : {'boolean' if array.dtype == 'bool' else declared(name)} ({'constant' if array.axes else 'constant, shared'})"
            for name, array in arrays.items()
        ]
    lines += [
        f"{arriving(number)} : {declared(s.target.partition('.')[2])}"
        for number, s in enumerate(network.program.spikes)
        if s.target_population == p.name
    ]
    for name in p.clamped:
        lines += [f"nd_clamp_{name} : {declared(name)} (constant)", f"nd_clamped_{name} : boolean (constant)"]
        values |= {f"nd_{kind}_{name}": network.values[f"{p.name}.{name}@{kind}"] for kind in ("clamp", "clamped")}
    if p.silenced:
        lines.append("nd_alive : boolean (constant)")
        values["nd_alive"] = network.values[f"{p.name}.alive"]
    return "\n".join(lines), values


def arriving(number: int) -> str:
    """Return the variable that gathers the spikes of a connection until they are added to the target, all at once."""
    return f"nd_arriving_{number}"


def _regularly(group: Any, code: str, when: str, order: int) -> Any:
    runner = group.run_regularly(code, when=when, order=order)
    runner.check_units = False
    return runner


def _spike_source(p: SpikeTimes, network: Network, clock: Any) -> Any:
    steps, units = network.schedules[p.name]
    times = steps * network.circuit.timestep * brian2.second
    return brian2.SpikeGeneratorGroup(p.size, units, times, clock=clock, name=p.name, sorted=True)


def _synapses(
    number: int, s: Spikes, network: Network, groups: Mapping[str, Any], dimensions: Mapping[str, Any]
) -> Any:
    wiring, dt = network.wiring[s.name], network.circuit.timestep * brian2.second
    if wiring.targets.size == 0:
        return None
    source, target = groups[s.source], groups[s.target_population]
    weight = next(
        name for name in ("w", "w_syn", "w_synapse") if name not in source.variables and name not in target.variables
    )
    uniform = s.delays != "heterogeneous"
    made = brian2.Synapses(
        source,
        target,
        f"{weight} : {unit_text(dimensions.get(s.target, DIMENSIONLESS))} (constant)",
        on_pre=f"{arriving(number)}_post += {weight}",
        delay=int(wiring.delays[0]) * dt if uniform else None,
        clock=target.clock,
        name=s.name,
    )
    made.connect(i=wiring.sources, j=wiring.targets.astype(int))
    made.variables[weight].set_value(wiring.weights)
    if not uniform:
        made.pre.delay = wiring.delays * dt
    made.pre.order = 100 * number
    return made


# what our language has beyond Brian2's: NumPy's function, types of the arguments, C++ and Cython
_FUNCTIONS = {
    "nd_where": (
        np.where,
        ("boolean", "any", "any"),
        "inline double nd_where(bool c, double a, double b) { return c ? a : b; }",
        "cdef double nd_where(bint c, double a, double b):\n    return a if c else b",
    ),
    "nd_min": (
        np.minimum,
        ("any", "any"),
        "inline double nd_min(double a, double b) { return a < b ? a : b; }",
        "cdef double nd_min(double a, double b):\n    return a if a < b else b",
    ),
    "nd_max": (
        np.maximum,
        ("any", "any"),
        "inline double nd_max(double a, double b) { return a > b ? a : b; }",
        "cdef double nd_max(double a, double b):\n    return a if a > b else b",
    ),
}


def functions() -> dict[str, Any]:
    """The functions of our language that Brian2 lacks, for all its targets."""
    made = {}
    for name, (numpy, types, cpp, cython) in _FUNCTIONS.items():
        function = made[name] = brian2.Function(
            numpy,
            arg_units=[None] * len(types),
            arg_types=list(types),
            return_type="float",
            return_unit=lambda *units: units[-1],
        )
        # what `add_numpy_implementation` wraps round it writes the result as a text, for an error, at every call
        for target, code in (("cpp", cpp), ("cython", cython), ("numpy", numpy)):
            function.implementations.add_implementation(target, code)
    return made
