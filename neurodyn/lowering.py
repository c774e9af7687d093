"""From the description of a circuit to its Program."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.hoist import hoist
from neurodyn.language import ModelError, Symbol, Translator
from neurodyn.parts import CircuitError, Connection, Filter, Input, Normal, Population, Readout, SpikeTimes, Uniform
from neurodyn.program import Array, Axes, Block, Branch, Item, Op, Operand, Program, Spikes, Store, WeightedSum
from neurodyn.specs import delay_steps, expression_text, label_axis, layout, numeric

#: arrays that every circuit has: the step, the clock, and the kind of the trial
CLOCK = (
    Array("dt", (), "parameter", unit="s"),
    Array("t", (), "clock", unit="s"),
    Array("step", (), "clock"),
    Array("learning", (), "clock", "bool"),
    Array("calibration", (), "clock", "bool"),
)


def lower(circuit: Circuit) -> Program:
    """Lower a circuit: texts to statements, constants hoisted, arrays and order of a step made explicit."""
    return _Lowering(circuit).program()


def dimensions_of_populations(circuit: Circuit) -> Mapping[str, units.Dimensions]:
    """Return the dimensions of the parameters and variables of all populations, by array name."""
    lowering = _Lowering(circuit)
    lowering.program()
    return lowering.dimensions


@dataclass
class _Lowering:
    circuit: Circuit
    arrays: dict[str, Array] = field(default_factory=dict)
    dimensions: dict[str, units.Dimensions] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    equations: dict[str, Any] = field(default_factory=dict)

    def program(self) -> Program:
        circuit = self.circuit
        for array in CLOCK:
            self.arrays[array.name] = array
        self.dimensions["dt"] = self.dimensions["t"] = units.dimensions_of("second")
        populations = [p for p in circuit.populations if isinstance(p, Population)]
        for population in populations:
            self._declare_population(population)
        for source in circuit.inputs:
            axes: Axes = () if len(source.channels) == 1 else (label_axis(source.channels),)
            self._array(f"{source.name}.value", axes, "input")
        for trace in circuit.filters:
            self._declare_filter(trace)
        for readout in circuit.readouts:
            self._declare_readout(readout)
        for population in populations:
            self._population_code(population)
        for trace in circuit.filters:
            self._filter_code(trace)
        for readout in circuit.readouts:
            self._readout_code(readout)
        spikes, sums = self._connections()
        blocks = hoist(self.blocks, self.arrays)
        return Program(
            arrays=tuple(self.arrays.values()),
            blocks=tuple(b for b in blocks if b.body or b.result is not None),
            populations=tuple(p.name for p in populations),
            spiking=tuple(p.name for p in populations if p.spiking),
            spike_sources=tuple(p.name for p in circuit.populations if isinstance(p, SpikeTimes)),
            inputs=tuple(i.name for i in circuit.inputs),
            spikes=spikes,
            sums=sums,
        )

    def _array(self, name: str, axes: Axes, role: str, dtype: str = "float", unit: str = "1") -> Array:
        if name in self.arrays:
            raise CircuitError(f"{name!r} is declared twice; rename one of the two")
        self.arrays[name] = Array(name, axes, role, dtype, unit)
        return self.arrays[name]

    # -- populations ---------------------------------------------------------------------------------------

    def _declare_population(self, p: Population) -> None:
        axis = (p.name,)
        self._array(f"{p.name}.i", axis, "parameter")
        self._array(f"{p.name}.N", (), "parameter")
        expressions: list[tuple[str, str]] = []
        for name, value in p.parameters.items():
            key = f"{p.name}.{name}"
            text = expression_text(value)
            if text is None:
                dimensions, shape = numeric(value, key, p.size)
                self._array(key, axis if shape else (), "parameter", unit=units.display_unit(dimensions)[0])
                self.dimensions[key] = dimensions
            else:
                expressions.append((name, text))
        for name, text in expressions:
            translator = Translator(p.name, self._population_scope(p), axis)
            items, value = translator.expression(text, "parameter", name)
            key = f"{p.name}.{name}"
            self._array(key, value.axes, "constant", value.dtype)
            self.dimensions[key] = value.dimensions or units.DIMENSIONLESS
            self.blocks.append(Block("constants", p.name, (*items, Store(key, value.operand))))
        if p.equations is not None:
            from neurodyn.backends.equations import lower as lower_equations

            parameters = {
                n: (self.dimensions[f"{p.name}.{n}"], not self.arrays[f"{p.name}.{n}"].axes) for n in p.parameters
            }
            lowered = self.equations[p.name] = lower_equations(
                p.equations,
                threshold=p.threshold,
                reset=p.reset,
                refractory=_refractory(p),
                method=p.method,
                parameters=parameters,
                inputs={},
            )
            for v in lowered.variables:
                if v.kind == "state" or (v.kind == "parameter" and v.name not in p.parameters):
                    self._variable(p, v.name, v.dimensions, "bool" if v.dtype == "boolean" else "float")
        else:
            for name, unit in p.variables.items():
                self._variable(p, name, units.dimensions_of(unit))
        for name in p.labels:
            if f"{p.name}.{name}" not in self.arrays:
                raise CircuitError(f"population {p.name!r}: a label for {name!r}, which is no variable")
        if p.refractory is not None:
            self._array(f"{p.name}.not_refractory", axis, "state", "bool")
            self._array(f"{p.name}.last_spike", axis, "state")
            text = _refractory(p)
            shared = not isinstance(text, str) or not self.arrays[f"{p.name}.{text}"].axes
            self._array(f"{p.name}.refractory_steps", () if shared else axis, "parameter")
        if p.silenced:
            self._array(f"{p.name}.alive", axis, "parameter", "bool")
        for name, (_, value) in p.clamped.items():
            key = f"{p.name}.{name}"
            if key not in self.arrays or self.arrays[key].role != "state":
                known = [
                    k[len(p.name) + 1 :]
                    for k, a in self.arrays.items()
                    if k.startswith(f"{p.name}.") and a.role == "state"
                ]
                raise CircuitError(
                    f"clamp: population {p.name!r} has no variable {name!r}; there are {', '.join(known)}"
                )
            units.si(
                value, units.display_unit(self.dimensions.get(key, units.DIMENSIONLESS))[0], name=f"clamp of {key}"
            )
            self._array(f"{p.name}.{name}@clamp", axis, "parameter")
            self._array(f"{p.name}.{name}@clamped", axis, "parameter", "bool")

    def _variable(self, p: Population, name: str, dimensions: units.Dimensions, dtype: str = "float") -> None:
        unit = p.labels.get(name) or units.display_unit(dimensions)[0]
        if name in p.labels and any(dimensions):
            raise CircuitError(
                f"population {p.name!r}: {name} is in {units.display_unit(dimensions)[0]} and takes no label {unit!r}; labels name pseudo-units"
            )
        self._array(f"{p.name}.{name}", (p.name,), "state", dtype, unit)
        self.dimensions[f"{p.name}.{name}"] = dimensions

    def _population_scope(self, p: Population, *, guarded: bool = False) -> dict[str, Symbol]:
        scope = self._clock()
        prefix = f"{p.name}."
        unless = (
            {v.name for v in self.equations[p.name].variables if v.unless_refractory}
            if p.name in self.equations
            else ()
        )
        for key, array in self.arrays.items():
            if key.startswith(prefix) and "@" not in key:
                name = key[len(prefix) :]
                guard = "not_refractory" if guarded and name in unless else None
                scope[name] = Symbol(
                    key,
                    array.axes,
                    array.dtype,
                    array.role == "state",
                    self.dimensions.get(key, units.DIMENSIONLESS),
                    guard,
                )
        return scope

    def _population_code(self, p: Population) -> None:
        axis = (p.name,)
        lowered = self.equations.get(p.name)
        update, threshold, reset = (
            (p.code, p.threshold, p.reset) if lowered is None else (lowered.update, lowered.threshold, lowered.reset)
        )
        scope = self._population_scope(p, guarded=True)
        if lowered is not None:  # Brian2 has checked the units; its noise lines have none
            scope = {k: replace(s, dimensions=None) for k, s in scope.items()}
        prologue = "not_refractory = step - last_spike >= refractory_steps\n" if p.refractory is not None else ""
        epilogue = "".join(f"\n{name} = where({name}@clamped, {name}@clamp, {name})" for name in p.clamped)
        for name in p.clamped:
            for suffix, dtype in (("@clamp", "float"), ("@clamped", "bool")):
                key = f"{p.name}.{name}{suffix}"
                scope[f"{name}_{suffix[1:]}_"] = Symbol(key, axis, dtype)
        epilogue = epilogue.replace("@clamped", "_clamped_").replace("@clamp", "_clamp_")
        body = Translator(p.name, scope, axis).statements(prologue + (update or ""), "update")
        unguarded = {k: replace(s, guard=None) for k, s in scope.items()}
        held = _unique(Translator(p.name, unguarded, axis).statements(epilogue, "clamp"), "clamp")
        quiet: Iterable[Item] = ()
        if p.silenced and threshold is not None:  # they reset all the same: without, quadratic cells run to infinity
            silenced = {k: replace(s, guard="silent_" if s.writable else None) for k, s in scope.items()}
            text = f"silent_ = ({threshold.strip()}) and not alive\n{textwrap.dedent(reset or '')}"
            quiet = _unique(Translator(p.name, silenced, axis).statements(text, "silenced"), "silenced")
        self.blocks.append(Block("update", p.name, (*body, *held, *quiet)))
        if threshold is not None:
            text = f"({threshold.strip()})"
            text += " and not_refractory" if p.refractory is not None else ""
            text += " and alive" if p.silenced else ""
            items, value = Translator(p.name, scope, axis).expression(text, "threshold")
            if value.dtype != "bool":
                raise ModelError(f"{p.name}: threshold {threshold!r} must be a condition such as 'v > v_threshold'")
            self.blocks.append(Block("threshold", p.name, items, result=value.operand))
            if p.refractory is not None:
                body = Translator(p.name, unguarded, axis).statements(
                    "last_spike = step\nnot_refractory = False", "spiked"
                )
                self.blocks.append(Block("spiked", p.name, body, spikes_of=p.name))
            body = Translator(p.name, unguarded, axis).statements(reset or "", "reset")
            self.blocks.append(Block("reset", p.name, body, spikes_of=p.name))
        self._initial(p)

    def _initial(self, p: Population) -> None:
        prefix, body = f"{p.name}.", []
        names = [k[len(prefix) :] for k, a in self.arrays.items() if k.startswith(prefix) and a.role == "state"]
        for name in p.initial:
            if name not in names:
                raise CircuitError(
                    f"population {p.name!r}: initial value for {name!r}, which is no state variable; there are {', '.join(names)}"
                )
        started = {"last_spike": -1e18, "not_refractory": True}
        for name in [n for n in names if n not in p.initial] + list(p.initial):
            key, value = prefix + name, p.initial.get(name)
            text = expression_text(value)
            if key in self.circuit.values:  # numbers from a file or with_values
                self._array(f"{key}@initial", (p.name,), "parameter", self.arrays[key].dtype)
                body.append(Store(key, f"{key}@initial"))
            elif name not in p.initial:
                body.append(Store(key, started.get(name, 0.0)))
            elif text is not None:
                items, result = Translator(p.name, self._population_scope(p), (p.name,)).expression(
                    text, "initial", name
                )
                wanted = self.dimensions.get(key)
                if None not in (wanted, result.dimensions) and wanted != result.dimensions and result.operand != 0:
                    raise ModelError(f"{p.name}: the initial value of {name} has the wrong unit, {text!r}")
                body += [*_unique(items, name), Store(key, _renamed(result.operand, name))]
            elif isinstance(value, bool):
                body.append(Store(key, value))
            else:
                dimensions, shape = numeric(value, f"{key} (initial)", p.size)
                wanted = self.dimensions.get(key, units.DIMENSIONLESS)
                if dimensions != wanted and not (np.isscalar(value) and value == 0):
                    raise CircuitError(
                        f"population {p.name!r}: initial {name} = {value!r} has unit {units.display_unit(dimensions)[0]}, "
                        f"needed is {units.display_unit(wanted)[0]}"
                    )
                self._array(f"{key}@initial", (p.name,) if shape else (), "parameter")
                body.append(Store(key, f"{key}@initial"))
        self.blocks.append(Block("initial", p.name, tuple(body)))

    # -- filters and readouts ------------------------------------------------------------------------------

    def _declare_filter(self, f: Filter) -> None:
        source = self.circuit[str(f.source)]
        if isinstance(source, SpikeTimes) or not getattr(source, "spiking", False):
            raise CircuitError(f"filter {f.name!r}: {f.source!r} is no population with a threshold")
        names = ["r"] if f.tau_rise is None else ["r", "h"]
        for name in names:
            self._array(
                f"{f.name}.{name}",
                (source.name,),
                "state" if f.reset else "memory",
                unit=f.unit if name == "r" else "1",
            )
        for name in ["decay", "jump"] + (["rise_decay", "rise_gain"] if f.tau_rise is not None else []):
            self._array(f"{f.name}.{name}", (), "parameter")

    def _filter_code(self, f: Filter) -> None:
        scope = {
            k[len(f.name) + 1 :]: Symbol(k, a.axes, a.dtype, a.role in ("state", "memory"))
            for k, a in self.arrays.items()
            if k.startswith(f"{f.name}.")
        }
        single = f.tau_rise is None
        decay = "r = r*decay" if single else "r = r*decay + rise_gain*h\nh = h*rise_decay"
        body = Translator(f.name, scope).statements(decay, "trace")
        self.blocks.append(Block("trace", f.name, body))
        jump = "r += jump" if single else "h += jump"
        body = Translator(f.name, scope).statements(jump, "at_spike")
        self.blocks.append(Block("trace", f.name, body, spikes_of=str(f.source)))
        self.blocks.append(
            Block(
                "initial" if f.reset else "start",
                f.name,
                tuple(
                    Store(a.name, 0.0)
                    for k, a in self.arrays.items()
                    if k.startswith(f"{f.name}.") and a.role in ("state", "memory")
                ),
            )
        )

    def _source(self, r: Readout) -> Array:
        key = r.source if "." in r.source else f"{r.source}.r"
        if key not in self.arrays and f"{r.source}.value" in self.arrays:
            key = f"{r.source}.value"
        if key not in self.arrays:
            raise CircuitError(
                f"readout {r.name!r}: source {r.source!r} is no filter, input or 'population.variable'; "
                f"filters are {[f.name for f in self.circuit.filters]}"
            )
        return self.arrays[key]

    def _declare_readout(self, r: Readout) -> None:
        unit_axes = self._source(r).axes
        output = (label_axis(r.outputs),) if len(r.outputs) > 1 else ()
        owners = [(r.name, r)] + ([(r.rule.name, r.rule)] if r.rule is not None else [])
        for owner, part in owners:
            for role in ("state", "memory"):
                for name, declared in getattr(part, role).items():
                    kind = declared if isinstance(declared, str) else declared[0]
                    axes = {
                        "output": output,
                        "unit": unit_axes,
                        "output*unit": output + unit_axes,
                        "network": (),
                        "unit*unit": unit_axes + tuple(f"{a}'" for a in unit_axes),
                    }.get(kind)
                    if kind == "output*unit" and set(output) & set(unit_axes):
                        raise CircuitError(
                            f"readout {r.name!r}: its outputs have the labels of its source {r.source!r}; give the outputs other names"
                        )
                    if axes is None:
                        raise CircuitError(
                            f"readout {r.name!r}: axes {kind!r} of {name}; allowed are output, unit, output*unit, unit*unit, network"
                        )
                    self._array(f"{owner}.{name}", axes, role, unit=r.labels.get(name, "1"))
            for name in part.parameters:
                self._array(f"{owner}.{name}", (), "parameter")

    def _readout_scope(self, r: Readout) -> dict[str, Symbol]:
        scope = self._clock()
        for key, array in self.arrays.items():
            if "@" not in key and "." in key:
                scope[key] = Symbol(key, array.axes, array.dtype)
        for source in self.circuit.inputs:
            scope[source.name] = scope[f"{source.name}.value"]
        source = self._source(r)
        scope["r"] = Symbol(source.name, source.axes, source.dtype)
        for owner in (r.name, *([r.rule.name] if r.rule is not None else [])):
            for key, array in self.arrays.items():
                if key.startswith(f"{owner}.") and "@" not in key:
                    name = key[len(owner) + 1 :]
                    if name in scope and name != "r":
                        raise CircuitError(
                            f"readout {r.name!r}: {name!r} is also the name of an input or of the clock; rename it"
                        )
                    scope[name] = Symbol(key, array.axes, array.dtype, array.role in ("state", "memory"))
        return {k: replace(s, dimensions=None) for k, s in scope.items()}

    def _readout_code(self, r: Readout) -> None:
        scope = self._readout_scope(r)
        for phase, text in (("observe", r.per_step), ("trial_start", r.trial_start), ("trial_end", r.trial_end)):
            self.blocks.append(Block(phase, r.name, Translator(r.name, scope).statements(text, phase)))
        parts: list[Any] = [r]
        if r.rule is not None:
            parts.append(r.rule)
            for phase, text in (
                ("learn", r.rule.per_step),
                ("trial_start", r.rule.trial_start),
                ("trial_end", r.rule.trial_end),
            ):
                body = Translator(r.rule.name, scope).statements(text, phase)
                if body:
                    self.blocks.append(Block(phase, r.rule.name, (Branch("learning", body),)))
        for part in parts:
            for role, phase in (("state", "initial"), ("memory", "start")):
                body = []
                for name, declared in getattr(part, role).items():
                    start = 0.0 if isinstance(declared, str) else declared[1]
                    key = f"{part.name}.{name}"
                    if key in self.circuit.values or np.ndim(start):
                        self._array(f"{key}@initial", self.arrays[key].axes, "parameter")
                        start = f"{key}@initial"
                    body.append(Store(key, start if isinstance(start, str) else float(start)))
                self.blocks.append(Block(phase, part.name, tuple(body)))

    def _clock(self) -> dict[str, Symbol]:
        return {
            a.name: Symbol(a.name, a.axes, a.dtype, False, self.dimensions.get(a.name, units.DIMENSIONLESS))
            for a in CLOCK
        }

    # -- connections ---------------------------------------------------------------------------------------

    def _connections(self) -> tuple[tuple[Spikes, ...], tuple[WeightedSum, ...]]:
        spikes, sums, summed = [], [], set()
        order = [p.name for p in self.circuit.populations]
        for c in self.circuit.connections:
            head, _, variable = c.source.partition(".")
            source, target = self.circuit[head], f"{c.target}.{c.variable}"
            array = self.arrays.get(target)
            if array is None or array.role != "state":
                names = [
                    k.split(".")[1]
                    for k, a in self.arrays.items()
                    if k.startswith(f"{c.target}.") and a.role == "state"
                ]
                raise CircuitError(
                    f"connection {c.name!r}: {c.target!r} has no variable {c.variable!r}; there are {', '.join(names)}"
                )
            population = self.circuit[c.target]
            self._check_weight(c, population, target)
            if expression_text(c.delay) is not None and self._synapse_dimensions(c, c.delay, "delay") not in (
                None,
                units.dimensions_of("second"),
            ):
                raise CircuitError(
                    f"connection {c.name!r}: delay = {c.delay!r} is no time; write it in units of time, such as '1*ms + rand()*ms'"
                )
            if not variable and not isinstance(source, Input):
                if not isinstance(source, SpikeTimes) and not getattr(source, "spiking", False):
                    raise CircuitError(
                        f"connection {c.name!r}: {head!r} emits no spikes; name a variable of it, such as '{head}.x'"
                    )
                unless = population.name in self.equations and any(
                    v.unless_refractory and v.name == c.variable for v in self.equations[population.name].variables
                )
                stored = self.circuit.values.get(f"{c.name}.delays")
                if stored is None or not np.size(stored):
                    steps = delay_steps(c, self.circuit.timestep)
                else:  # a network from a file is the same Program
                    steps = int(np.ravel(stored)[0]) if np.unique(stored).size == 1 else stored
                delays = "heterogeneous" if np.ndim(steps) else "uniform" if steps else "none"
                spikes.append(
                    Spikes(c.name, head, c.target, target, delays, f"{c.target}.not_refractory" if unless else None)
                )
                continue
            key = f"{head}.value" if isinstance(source, Input) else c.source
            if key not in self.arrays:
                raise CircuitError(f"connection {c.name!r}: no variable {c.source!r} to read")
            axes = self.arrays[key].axes
            if len(axes) > 1:
                raise CircuitError(
                    f"connection {c.name!r}: {c.source!r} is a matrix; read a variable with one value a unit or output"
                )
            delay = (
                delay_steps(c, self.circuit.timestep)
                if c.delay is not None
                else (0 if isinstance(source, Input) else 1)
            )
            if np.ndim(delay):
                raise CircuitError(f"connection {c.name!r}: weighted sums take one delay for all synapses")
            if (
                int(delay) == 0
                and not isinstance(source, Input)
                and (head not in order or order.index(head) >= order.index(c.target))
            ):
                raise CircuitError(
                    f"connection {c.name!r}: delay 0 works only from inputs and populations listed before {c.target!r}; give it a step"
                )
            sums.append(WeightedSum(c.name, key, axes[0] if axes else "", c.target, target, layout(c), int(delay)))
            summed.add(target)
        for s in spikes:
            if s.target in summed:
                raise CircuitError(
                    f"{s.target!r} receives both spikes and weighted sums; give each its own variable and add them in the equations"
                )
        return tuple(spikes), tuple(sums)

    def _check_weight(self, c: Connection, population: Population, target: str) -> None:
        """Refuse "20 pA" onto a volt, or onto a pseudo-unit."""
        given, have = c.weight, self._synapse_dimensions(c, c.weight, "weight")
        want = self.dimensions.get(target, units.DIMENSIONLESS)
        if have is not None and have != want:
            label = population.labels.get(c.variable)
            note = f" (its unit is {label}, a pseudo-unit that takes plain numbers)" if label and not any(want) else ""
            raise CircuitError(
                f"connection {c.name!r}: weight {given!r} can't be added to {target}, which needs "
                f"{units.display_unit(want)[0] if any(want) else 'a plain number'}{note}"
            )

    def _synapse_dimensions(self, c: Connection, value: Any, what: str) -> units.Dimensions | None:
        """Return the dimensions of a specification for each synapse; None where an expression does not tell."""
        text = expression_text(value)
        if text is not None:
            symbols = synapse_symbols(c, self.arrays.values(), self.dimensions)
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


def _refractory(p: Population) -> Any:
    if p.refractory is None or (isinstance(p.refractory, str) and p.refractory in p.parameters):
        return p.refractory
    if expression_text(p.refractory) is not None:
        raise CircuitError(
            f"population {p.name!r}: refractory = {p.refractory!r}; give a time such as '2 ms' or the name of a parameter"
        )
    return units.si(p.refractory, "second", name=f"{p.name}.refractory", low=0.0)


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
