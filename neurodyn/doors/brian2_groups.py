"""Groups of a Brian2 network as populations: equations, events, numbers, and the signals that they read."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn.backends.equations import METHODS
from neurodyn.backends.equations_brian2 import UnsupportedEquationsException, brian2, catch_logs
from neurodyn.backends.equations_text import unit_text
from neurodyn.doors.brian2_reading import (
    SECOND,
    NotExpressible,
    Reading,
    check_when,
    dimensions,
    evaluated,
    names_of,
    one_or_all,
    parse_expression_dimensions,
    statements,
)
from neurodyn.doors.brian2_signals import carried, carrier, split, written_out
from neurodyn.parts import CircuitError, Connection, Population, SpikeTimes
from neurodyn.units import Dimensions, Quantity, dimensions_of


@dataclass
class Group:
    """A population, and what synapses may know of it.

    ``constants`` are the numbers that nothing changes, each (units,) or one; ``states`` the names of what changes.
    """

    part: Population | SpikeTimes
    units: dict[str, Dimensions] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    states: set[str] = field(default_factory=set)
    signals: list[Connection] = field(default_factory=list)


def read_group(group: Any, reading: Reading) -> Group | None:
    """Return a group as a part of a circuit; None where it was refused."""
    kind = type(group)
    try:
        if kind is brian2.NeuronGroup:
            return _neurons(group, reading)
        return _poisson(group, reading) if kind is brian2.PoissonGroup else _spike_times(group, reading)
    except (NotExpressible, CircuitError) as error:  # the latter for names that are taken in circuits
        reading.refuse(group, str(error))
        return None


def _neurons(group: Any, reading: Reading) -> Group | None:
    if not _check(group, reading):
        return None
    equations, written = group.user_equations, reading.written.get(group.name, set())
    threshold, reset = group.events.get("spike"), group.event_codes.get("spike")
    threshold = None if threshold is None else " ".join(threshold.split())
    refractory = group._refractory
    expressions = [e.expr.code for e in equations.values() if e.expr is not None]
    reset_to = {name for name, *_ in statements(reset)} if reset else set()
    used = names_of(*expressions, threshold, reset, refractory if isinstance(refractory, str) else None)
    for name in sorted(used & {"lastspike", "refractory_until"}):
        raise NotExpressible(f"it reads {name!r}: circuits keep it hidden; carry a variable that the reset sets to t")
    outside = used - set(group.variables) - reset_to
    timed, constants = split(reading.external(group, outside))
    out = Group(Population(group.name, len(group), ""))
    lines, initial, parameters = [], {}, {}
    for name, equation in equations.items():
        unit = dimensions(equation)
        values = None if equation.type == "subexpression" else group.variables[name].get_value()
        if equation.type == "differential equation" or name in written:
            if equation.var_type == "boolean" and np.unique(np.asarray(values)).size > 1:
                raise NotExpressible(f"the truth values {name!r} differ at the start; give all units the same")
            flag = " (unless refractory)" if "unless refractory" in equation.flags and refractory is not False else ""
            kind = unit_text(unit) if equation.var_type == "float" else equation.var_type
            head = f"{name} : {kind}" if equation.expr is None else f"d{name}/dt = {written_out(equation.expr.code, timed)} : {kind}"  # fmt: skip
            lines.append(head + flag)
            start = one_or_all(values, unit)
            initial[name] = bool(start.value) if equation.var_type == "boolean" else start
            out.states.add(name)
        elif equation.type == "subexpression":
            shared = " (shared)" if "shared" in equation.flags else ""
            lines.append(f"{name} = {written_out(equation.expr.code, timed)} : {unit_text(unit)}{shared}")
        else:
            parameters[name] = one_or_all(values, unit)
            out.constants[name] = np.asarray(parameters[name].value)
            if equation.var_type != "float":
                parameters[name] = Quantity(np.broadcast_to(np.asarray(values, float), (len(group),)).copy(), unit)
                lines.append(f"{name} : {equation.var_type} (constant)")
        out.units[name] = unit
    parameters |= constants
    period = _refractory(group, reading, {**out.constants, **{k: q.value for k, q in constants.items()}}, out.units, constants)  # fmt: skip
    if isinstance(period, Quantity) and np.ndim(period.value):
        name = next(n for n in ("refractory_period", "refractory_period_") if n not in parameters)
        parameters[name], period = period, name
    method = _method(group, reading)
    for name, signal in timed.items():
        _check_read(name, method, expressions, reset)
        lines.append(f"{carrier(name)} : {unit_text(dimensions(signal))}")
        out.signals.append(carried(signal, name, group, reading))
    out.part = Population(
        group.name,
        len(group),
        "\n".join(lines),
        threshold=None if threshold is None else written_out(threshold, timed),
        reset=None if threshold is None or reset is None else reset,
        refractory=period,
        parameters=parameters,
        initial=initial,
        method=method,
    )
    return out


def _check_read(signal: str, method: str | None, expressions: list[str], reset: str | None) -> None:
    """Refuse a TimedArray that is read at other times than the beginning of a step, or in the reset."""
    if method not in (None, "euler", "exact", "exponential_euler") and signal in names_of(*expressions):
        raise NotExpressible(
            f"method={method!r} reads the TimedArray {signal!r} within a step as well: circuits hold an input over a step; "
            "use 'euler', 'exact' or 'exponential_euler'"
        )
    if signal in names_of(reset):
        raise NotExpressible(f"its reset reads the TimedArray {signal!r}: let the equations carry it into a variable")


def _check(group: Any, reading: Reading) -> bool:
    """Refuse what a population has no place for; return whether the rest can be read."""
    before = len(reading.refusals)
    for name, equation in group.user_equations.items():
        if "linked" in equation.flags:
            reading.refuse(
                group, f"the linked variable {name!r}: write it as a connection of pattern 'one-to-one' from a variable"
            )
        if "constant over dt" in equation.flags:
            reading.refuse(
                group,
                f"{name!r} is held over a step (constant over dt): drop the flag, and write noise as 'xi'",
            )
        if "shared" in equation.flags and name in reading.written.get(group.name, ()):
            reading.refuse(
                group, f"{name!r} is shared, and a reset or a synapse changes it: give each unit its own, drop 'shared'"
            )
    for name in group.events:
        if name != "spike":
            reading.refuse(
                group,
                f"the event {name!r}: circuits know one event, the spike; put its code into the equations or the reset",
            )
    for part in group.contained_objects:
        if part is group.state_updater:
            check_when(reading, group, part, "groups")
        elif part is group.thresholder.get("spike"):
            check_when(reading, group, part, "thresholds")
        elif part is group.resetter.get("spike"):
            check_when(reading, group, part, "resets")
        elif part is not group.subexpression_updater and part not in (*group.thresholder.values(), *group.resetter.values()):  # fmt: skip
            reading.refuse(
                group,
                f"{part.name}, which run_regularly or run_on_event made: write what it does as equations, or as code of "
                "a population of your own (nd.Population(code=...))",
            )
    if group._refractory is not False and (group.variables["lastspike"].get_value() > -1e3).any():
        reading.refuse(group, "its cells have spiked before the start (lastspike): circuits start rested")
    return len(reading.refusals) == before


def _refractory(
    group: Any, reading: Reading, numbers: dict[str, Any], units: dict[str, Dimensions], outside: dict[str, Any]
) -> Any:
    """Return the refractory period: None, a quantity, or the name of a parameter."""
    period = group._refractory
    if period is False:
        return None
    if brian2.prefs.legacy.refractory_timing:
        raise NotExpressible("the preference legacy.refractory_timing is set: switch it off")
    if not isinstance(period, str):
        return one_or_all(np.asarray(period, dtype=float), SECOND)
    period = period.strip()
    known = {**units, **{name: q.dimensions for name, q in outside.items()}}
    if period in numbers and known[period] == SECOND and group.user_equations.get(period, None) is not None:
        return period
    varying = sorted(names_of(period) & (set(group.variables) - set(numbers)))
    variables = group.resolve_all(names_of(period) | _called(period), reading.namespace)
    unit = parse_expression_dimensions(period, variables)
    if varying or tuple(float(d) for d in unit._dims) != SECOND:
        why = f"depends on {varying[0]!r}, which changes" if varying else "is no time"
        raise NotExpressible(
            f"refractory={period!r} {why}: circuits take a time, one for all or one a unit; let the threshold hold the condition"
        )
    return one_or_all(evaluated(period, numbers), SECOND)


def _called(expression: str) -> set[str]:
    tree = ast.parse(expression, mode="eval")
    return {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def _method(group: Any, reading: Reading) -> str | None:
    """Return the integrator that Brian2 uses for a group; None without differential equations."""
    if not group.user_equations.diff_eq_names:
        return None
    choice = group.method_choice
    if group.state_updater.method_options:
        raise NotExpressible(f"method_options={group.state_updater.method_options!r}: leave them at their defaults")
    if choice == inspect.signature(brian2.NeuronGroup).parameters["method"].default:
        variables = group.resolve_all(group.equations.identifiers, reading.namespace)
        for name in choice:
            try:
                with catch_logs():
                    brian2.StateUpdateMethod.apply_stateupdater(group.equations, variables, name)
            except UnsupportedEquationsException:
                continue
            return name
    choice = {"linear": "exact", "independent": "exact"}.get(choice, choice) if isinstance(choice, str) else choice
    if choice not in METHODS:
        raise NotExpressible(f"method={choice!r}: circuits have {', '.join(METHODS)}; choose one of them")
    return choice


def _poisson(group: Any, reading: Reading) -> Group:
    check_when(reading, group, group.thresholder["spike"], "thresholds")
    _check_contained(group, reading, group.thresholder["spike"])
    rates = group._rates
    if not isinstance(rates, str):
        rates = one_or_all(group.variables["rates"].get_value(), dimensions_of("hertz"))
        part = Population(group.name, len(group), code="", threshold="rand() < rates*dt", parameters={"rates": rates})
        return Group(part)
    timed, constants = split(reading.external(group, names_of(rates) - set(group.variables)))
    variables = {carrier(name): unit_text(dimensions(signal)) for name, signal in timed.items()}
    part = Population(
        group.name,
        len(group),
        code="",
        variables=variables,
        threshold=f"rand() < ({written_out(rates, timed)})*dt",
        parameters=constants,
    )
    signals = [carried(signal, name, group, reading) for name, signal in timed.items()]
    return Group(part, signals=signals)


def _spike_times(group: Any, reading: Reading) -> Group:
    check_when(reading, group, group, "thresholds")
    _check_contained(group, reading)
    if 0 < float(np.ravel(group.variables["period"].get_value())[0]) < np.inf:
        raise NotExpressible("its spikes come again every period: write the times of all repetitions out")
    # as Brian2 does: a time a thousandth of a step before a border belongs to the step behind it
    steps = ((np.asarray(group._spike_time, dtype=float) + 1e-3 * reading.step) / reading.step).astype(np.int64)
    times = Quantity(steps * reading.step, SECOND)
    return Group(SpikeTimes(group.name, len(group), np.asarray(group._neuron_index), times))


def _check_contained(group: Any, reading: Reading, *known: Any) -> None:
    for part in group.contained_objects:
        if part not in known:
            reading.refuse(group, f"{part.name}, which run_regularly made: leave it out")
