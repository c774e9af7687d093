"""The numbers of a circuit: parameters, start values, wiring, weights, drawn from its seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.evaluate import Evaluator
from neurodyn.memory import NetworkSize, check_memory
from neurodyn.parts import CircuitError, Filter, Population, SpikeTimes
from neurodyn.plastic_wiring import plastic_values, rule_values
from neurodyn.program import Array, Program, Store
from neurodyn.specs import expression_text
from neurodyn.synaptic_numbers import sample
from neurodyn.wiring import Wiring, wiring_of


@dataclass(frozen=True, eq=False)
class Network:
    """A circuit with all its numbers: what a runner is given."""

    circuit: Circuit
    program: Program
    sizes: Mapping[str, int]
    values: Mapping[str, np.ndarray]
    wiring: Mapping[str, Wiring]
    schedules: Mapping[str, tuple[np.ndarray, np.ndarray]]  # spike sources: steps, units, sorted

    @property
    def seed(self) -> int:
        """The 64-bit key of its draws."""
        return int(self.circuit.seed)

    @property
    def synapses(self) -> int:
        """Number of synapses, matrices included."""
        return sum(w.targets.size if w.matrix is None else w.matrix.size for w in self.wiring.values())


def realize(circuit: Circuit, program: Program | None = None, *, dtype: str = "float64") -> Network:
    """Draw and evaluate all numbers of a circuit; weights that don't learn are kept in ``dtype``.

    Raises MemoryError, before anything is drawn, for a circuit that this machine can't hold.
    """
    program = program or circuit.program
    sizes = axis_sizes(circuit)
    check_memory([NetworkSize.of(circuit, program, sizes, dtype)])
    values: dict[str, np.ndarray] = {"dt": np.asarray(circuit.timestep)}
    for population in circuit.populations:
        if isinstance(population, Population):
            _population_values(population, circuit, values)
    for c in circuit.connections:
        values.update(rule_values(c, circuit.timestep))
    for f in circuit.filters:
        values.update(_filter_values(f, circuit.timestep))
    for readout in circuit.readouts:
        for part in (readout, *([readout.rule] if readout.rule is not None else [])):
            for name, value in part.parameters.items():
                values[f"{part.name}.{name}"] = _finite(value, f"{part.name}.{name}")
            for kind in (part.state, part.memory):
                for name, declared in kind.items():
                    if not isinstance(declared, str) and np.ndim(declared[1]):
                        values[f"{part.name}.{name}@initial"] = np.asarray(declared[1], dtype=float)
    known = {a.name: a for a in program.arrays}
    synaptic = {c.name for c in circuit.connections if c.plastic}
    for name, value in circuit.values.items():
        if (name in known or f"{name}@initial" in known) and not synaptic & set(known[name].axes):
            key = f"{name}@initial" if f"{name}@initial" in known else name
            shape = tuple(sizes[a] for a in known[name].axes)
            if np.shape(value) != shape:
                raise CircuitError(f"values[{name!r}] has shape {np.shape(value)}, {shape} is needed")
            values[key] = np.asarray(value, dtype=bool if known[name].dtype == "bool" else float)
    evaluator = evaluator_of(program, values, sizes, circuit.seed)
    for block in program.phase("constants"):
        for item in block.body:
            if isinstance(item, Store):
                array = known[item.array]
                values.setdefault(item.array, _empty(array, sizes))
        evaluator.run(block)
    for name, value in circuit.values.items():  # numbers from a file win over expressions
        if name in known and known[name].role == "constant":
            values[name] = np.asarray(value)
    _check_finite(program, values)
    wiring = {c.name: wiring_of(c, circuit, program, values, sizes, dtype) for c in circuit.connections}
    for c in circuit.connections:
        if c.plastic:
            sizes[c.name] = wiring[c.name].targets.size
            values.update(plastic_values(c, circuit, wiring[c.name]))
    return Network(
        circuit,
        program,
        sizes,
        values,
        wiring,
        {p.name: _schedule(p, circuit.timestep) for p in circuit.populations if isinstance(p, SpikeTimes)},
    )


def axis_sizes(circuit: Circuit) -> dict[str, int]:
    """Return the length of every axis of a circuit's program."""
    from neurodyn.specs import label_axis

    sizes = {p.name: p.size for p in circuit.populations}
    for part in circuit.inputs:
        sizes[label_axis(part.channels)] = len(part.channels)
    for part in circuit.readouts:
        sizes[label_axis(part.outputs)] = len(part.outputs)
    return {**sizes, **{f"{k}'": v for k, v in sizes.items()}}


def evaluator_of(program: Program, values: Any, sizes: Mapping[str, int], seed: int, step: int = 0) -> Evaluator:
    """Return an evaluator that draws at one step."""
    from neurodyn.kernels.philox import draw

    return Evaluator.of(
        program, values, sizes, lambda kind, stream, size: draw(kind, size, seed=seed, step=step, stream=stream)
    )


def _empty(array: Array, sizes: Mapping[str, int]) -> np.ndarray:
    dtype = {"bool": np.bool_, "index": np.int32}.get(array.dtype, np.float64)
    return np.zeros(tuple(sizes[a] for a in array.axes), dtype=dtype)


def new_arrays(network: Network) -> dict[str, np.ndarray]:
    """Return fresh arrays of every role for a runner: parameters copied, the rest zero.

    Parameters of synapses are not copied: they are as long as the wiring, and no runner writes to them.
    """
    arrays: dict[str, np.ndarray] = {}
    for a in network.program.arrays:
        value = network.values.get(a.name)
        if value is not None and of_synapses(a, network) and value.flags.writeable and value.flags.c_contiguous:
            arrays[a.name] = value
            continue
        arrays[a.name] = _empty(a, network.sizes)
        if value is not None:
            arrays[a.name][...] = value
    return arrays


def of_synapses(array: Array, network: Network) -> bool:
    """Whether an array holds a parameter of each synapse of a connection."""
    return array.role in ("parameter", "constant") and any(a in network.wiring for a in array.axes)


def _finite(value: Any, name: str) -> np.ndarray:
    array = np.asarray(value, dtype=float)
    if array.ndim or not np.isfinite(array):
        raise CircuitError(f"{name} = {value!r}: give one finite number")
    return array


def _check_finite(program: Program, values: Mapping[str, np.ndarray]) -> None:
    for array in program.arrays:
        value = values.get(array.name)
        if value is None or array.role not in ("parameter", "constant"):
            continue
        bad = ~np.isfinite(value)
        part, _, name = array.name.partition(".")
        if (
            array.role == "parameter"
            and part in program.populations
            and name.startswith("tau")
            and array.unit == "ms"
            and np.any(value <= 0)
        ):
            raise CircuitError(f"{array.name} = {np.min(value) * 1e3:g} ms: a time constant must be positive")
        if np.any(bad) and array.role == "parameter":
            raise CircuitError(f"{array.name} is not finite at index {np.argwhere(np.atleast_1d(bad))[0].tolist()}")


def _population_values(p: Population, circuit: Circuit, values: dict[str, np.ndarray]) -> None:
    values[f"{p.name}.i"] = np.arange(p.size, dtype=float)
    values[f"{p.name}.N"] = np.asarray(float(p.size))
    for name, value in p.parameters.items():
        if expression_text(value) is None:
            key = f"{p.name}.{name}"
            values[key] = sample(value, key, p.size, seed=circuit.seed)
    for name, value in p.initial.items():
        if not isinstance(value, bool) and expression_text(value) is None:
            key = f"{p.name}.{name}"
            values[f"{key}@initial"] = sample(value, f"{key}.initial", p.size, seed=circuit.seed)
    if p.silenced:
        alive = np.ones(p.size, dtype=bool)
        alive[list(p.silenced)] = False
        values[f"{p.name}.alive"] = alive
    for name, (ids, value) in p.clamped.items():
        mask, held = np.zeros(p.size, dtype=bool), np.zeros(p.size)
        mask[list(ids)] = True
        held[list(ids)] = np.asarray(units.quantity(value, name=f"clamp of {p.name}.{name}").value, dtype=float)
        values[f"{p.name}.{name}@clamped"], values[f"{p.name}.{name}@clamp"] = mask, held
    if p.refractory is not None:
        if isinstance(p.refractory, str) and p.refractory in p.parameters:
            seconds = values[f"{p.name}.{p.refractory}"]
        else:
            seconds = np.asarray(units.si(p.refractory, "second", name=f"{p.name}.refractory", low=0.0))
        # Brian2's timestep(): a tolerance of a thousandth of a step against rounding
        values[f"{p.name}.refractory_steps"] = np.floor((seconds + 1e-3 * circuit.timestep) / circuit.timestep)


def _filter_values(f: Filter, dt: float) -> dict[str, Any]:
    tau = np.float64(units.si(f.tau, "second", name=f"{f.name}.tau"))
    values = {f"{f.name}.decay": np.exp(-dt / tau)}
    if f.tau_rise is None:
        return {**values, f"{f.name}.jump": np.float64(f.scale) / tau}
    rise = np.float64(units.si(f.tau_rise, "second", name=f"{f.name}.tau_rise"))
    return {
        **values,
        f"{f.name}.rise_decay": np.exp(-dt / rise),
        f"{f.name}.rise_gain": np.float64(dt),
        f"{f.name}.jump": np.float64(f.scale) / (tau * rise),
    }


def _schedule(p: SpikeTimes, dt: float) -> tuple[np.ndarray, np.ndarray]:
    steps = np.rint(p.times.value / dt).astype(np.int64)
    order = np.lexsort((p.units, steps))
    steps, ids = steps[order], p.units[order]
    twice = (np.diff(steps) == 0) & (np.diff(ids) == 0)
    if twice.any():
        k = int(np.argmax(twice))
        raise CircuitError(
            f"spike source {p.name!r}: unit {ids[k]} spikes twice in the step at {steps[k] * dt * 1e3:g} ms; a unit spikes "
            f"at most once a step: give the circuit a shorter one than {dt * 1e3:g} ms, or leave one of the two out"
        )
    return steps, ids.astype(np.int32)
