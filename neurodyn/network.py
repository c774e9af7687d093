"""The numbers of a circuit: parameters, start values, wiring, weights, drawn from its seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.evaluate import Evaluator
from neurodyn.language import Translator
from neurodyn.lowering.connections import synapse_symbols
from neurodyn.parts import CircuitError, Connection, Filter, Normal, Population, SpikeTimes, Uniform
from neurodyn.program import Array, Block, Program, Store, operations
from neurodyn.specs import check_delay, expression_text


@dataclass(frozen=True, eq=False)
class Wiring:
    """Synapses of one connection, sorted by source.

    ``indptr`` (sources + 1,) int64, ``targets`` (synapses,) int32, ``weights`` (synapses,) float64 in SI,
    ``delays`` (synapses,) int32 in steps. A dense weighted sum has ``matrix`` (source, target) instead.
    """

    indptr: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    matrix: np.ndarray | None = None

    @property
    def sources(self) -> np.ndarray:
        """Source unit of each synapse (synapses,)."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))


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


def realize(circuit: Circuit, program: Program | None = None) -> Network:
    """Draw and evaluate all numbers of a circuit."""
    program = program or circuit.program
    sizes = axis_sizes(circuit)
    values: dict[str, np.ndarray] = {"dt": np.asarray(circuit.timestep)}
    for population in circuit.populations:
        if isinstance(population, Population):
            _population_values(population, circuit, values)
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
    for name, value in circuit.values.items():
        if name in known or f"{name}@initial" in known:
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
    wiring = {c.name: _wiring(c, circuit, program, values, sizes) for c in circuit.connections}
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


def evaluator_of(
    program: Program, values: dict[str, np.ndarray], sizes: Mapping[str, int], seed: int, step: int = 0
) -> Evaluator:
    """Return an evaluator that draws at one step."""
    from neurodyn.kernels.philox import draw

    return Evaluator.of(
        program, values, sizes, lambda kind, stream, size: draw(kind, size, seed=seed, step=step, stream=stream)
    )


def _empty(array: Array, sizes: Mapping[str, int]) -> np.ndarray:
    return np.zeros(tuple(sizes[a] for a in array.axes), dtype=bool if array.dtype == "bool" else float)


def new_arrays(network: Network) -> dict[str, np.ndarray]:
    """Return fresh arrays of every role for a runner: parameters copied, the rest zero."""
    arrays = {a.name: _empty(a, network.sizes) for a in network.program.arrays}
    for name, value in network.values.items():
        if name in arrays:
            arrays[name][...] = value
    return arrays


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


def sample(value: Any, name: str, size: int, *, seed: int) -> np.ndarray:
    """Return the numbers of a specification in SI: a number, or one for each of ``size`` units."""
    from neurodyn.kernels.philox import draw

    if isinstance(value, Uniform | Normal):
        kind = "uniform" if isinstance(value, Uniform) else "normal"
        a, b = (value.low, value.high) if isinstance(value, Uniform) else (value.mean, value.std)
        first, second = (np.asarray(units.quantity(v, name=name).value, dtype=float) for v in (a, b))
        draws = draw(kind, size, seed=seed, step=0, stream=name)
        return first + (second - first) * draws if kind == "uniform" else first + second * draws
    return np.asarray(units.quantity(value, name=name).value, dtype=float)


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
            f"spike source {p.name!r}: unit {ids[k]} spikes twice in the step at {steps[k] * dt * 1e3:g} ms"
        )
    return steps, ids.astype(np.int32)


# -- wiring ----------------------------------------------------------------------------------------------------


def _wiring(
    c: Connection, circuit: Circuit, program: Program, values: Mapping[str, np.ndarray], sizes: Mapping[str, int]
) -> Wiring:
    summed = next((s for s in program.sums if s.name == c.name), None)
    pre = sizes[c.source] if summed is None else sizes[summed.source_axis] if summed.source_axis else 1
    post = sizes[c.target]
    dense = summed is not None and summed.layout == "dense"
    stored = {k.rpartition(".")[2]: v for k, v in circuit.values.items() if k.startswith(f"{c.name}.")}
    weight, unit_matrix = c.weight, None
    if not isinstance(weight, str | Uniform | Normal):
        quantity = units.quantity(weight, name=f"{c.name}.weight")
        if np.ndim(quantity.value) == 2:
            unit_matrix = np.asarray(quantity.value, dtype=float)
            if unit_matrix.shape != (pre, post):
                raise CircuitError(
                    f"connection {c.name!r}: weight matrix has shape {unit_matrix.shape}, needed is (source, target) = {(pre, post)}"
                )
    if "indptr" in stored:
        indptr, targets = stored["indptr"].astype(np.int64), stored["targets"].astype(np.int32)
        if (  # compiled code follows these numbers blindly, and a file may hold anything
            indptr.shape != (pre + 1,)
            or indptr[0] != 0
            or indptr[-1] != targets.size
            or np.any(np.diff(indptr) < 0)
            or (targets.size and not 0 <= targets.min() <= targets.max() < post)
        ):
            raise CircuitError(
                f"values: {c.name}.indptr and {c.name}.targets don't describe synapses from {pre} to {post} units"
            )
    elif unit_matrix is not None and c.pairs is None and c.probability is None:
        rows, targets = np.nonzero(~np.isnan(unit_matrix))
        indptr, targets = _rows(rows, targets, pre)
    else:
        indptr, targets = _pattern(c, pre, post, circuit)
    rows = np.repeat(np.arange(pre), np.diff(indptr))
    if "weights" in stored:
        weights = np.asarray(stored["weights"], dtype=float)
    elif unit_matrix is not None:
        weights = unit_matrix[rows, targets]
    else:
        weights = _per_synapse(c.weight, "weight", c, rows, targets, circuit, program, values)
    if weights.shape != targets.shape:
        raise CircuitError(
            f"values: {c.name}.weights has shape {weights.shape}, needed is one for each of the {targets.size} synapses"
        )
    if not np.isfinite(weights).all():
        raise CircuitError(f"connection {c.name!r}: weight {int(np.argmin(np.isfinite(weights)))} is not finite")
    if "delays" in stored:
        delays = np.asarray(stored["delays"], dtype=np.int32)
        if delays.shape != targets.shape or delays.min(initial=0) < 0:
            raise CircuitError(
                f"values: {c.name}.delays has shape {delays.shape} and begins at {delays.min(initial=0)}; needed are steps, "
                f"0 or more, one for each of the {targets.size} synapses"
            )
    else:
        seconds = 0.0 if c.delay is None else _per_synapse(c.delay, "delay", c, rows, targets, circuit, program, values)
        delays = np.broadcast_to(
            np.asarray(check_delay(seconds, circuit.timestep, c.name), dtype=np.int32), targets.shape
        ).copy()
    if dense:
        matrix = np.zeros((pre, post))
        matrix[rows, targets] = weights
        return Wiring(indptr, targets, weights, delays, matrix)
    return Wiring(indptr, targets, weights, delays)


def _pattern(c: Connection, pre: int, post: int, circuit: Circuit) -> tuple[np.ndarray, np.ndarray]:
    recurrent = c.source.split(".")[0] == c.target
    if c.probability is not None:
        from neurodyn.kernels.philox import stream_number
        from neurodyn.kernels.wiring import random_rows

        return random_rows(
            pre,
            post,
            float(c.probability),
            np.uint64(circuit.seed),
            stream_number(f"{c.name}.wiring"),
            recurrent and not c.autapses,
        )
    if c.pairs is not None:
        rows, targets = (np.asarray(x, dtype=np.int64).ravel() for x in c.pairs)
        if rows.shape != targets.shape:
            raise CircuitError(f"connection {c.name!r}: pairs hold {rows.size} sources but {targets.size} targets")
        for side, ids, size in (("source", rows, pre), ("target", targets, post)):
            if ids.size and (ids.min() < 0 or ids.max() >= size):
                bad = int(ids[(ids < 0) | (ids >= size)][0])
                raise CircuitError(f"connection {c.name!r}: {side} unit {bad} outside 0..{size - 1}")
        order = np.argsort(rows, kind="stable")
        return _rows(rows[order], targets[order], pre)
    if c.pattern == "one-to-one":
        if pre != post:
            raise CircuitError(f"connection {c.name!r}: one-to-one needs equal sizes, not {pre} and {post}")
        return np.arange(pre + 1, dtype=np.int64), np.arange(pre, dtype=np.int32)
    rows, targets = np.divmod(np.arange(pre * post), max(post, 1))
    if recurrent and not c.autapses and "." not in c.source:
        keep = rows != targets
        rows, targets = rows[keep], targets[keep]
    return _rows(rows, targets, pre)


def _rows(rows: np.ndarray, targets: np.ndarray, pre: int) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=pre)))).astype(np.int64), targets.astype(np.int32)


def _per_synapse(
    value: Any,
    what: str,
    c: Connection,
    rows: np.ndarray,
    targets: np.ndarray,
    circuit: Circuit,
    program: Program,
    values: Mapping[str, np.ndarray],
) -> np.ndarray:
    count, text = rows.size, expression_text(value)
    if text is None:
        numbers = sample(value, f"{c.name}.{what}", count, seed=circuit.seed)
        if numbers.ndim and c.pairs is not None and numbers.shape == np.shape(c.pairs[0]):
            numbers = numbers[np.argsort(np.asarray(c.pairs[0]).ravel(), kind="stable")]
        if numbers.ndim and numbers.shape != (count,):
            raise CircuitError(
                f"connection {c.name!r}: {what} has shape {numbers.shape}; give one number, or one for each of the {count} synapses"
            )
        return np.broadcast_to(numbers, (count,)).copy()
    axis = f"synapses of {c.name}"
    symbols = synapse_symbols(c, program.arrays, {})
    undimensioned = {k: replace(s, dimensions=None) for k, s in symbols.items()}  # the lowering has checked the units
    items, result = Translator(c.name, undimensioned, (axis,)).expression(text, what)
    used = {result.operand, *(argument for op in operations(items) for argument in op.args)}
    arrays: dict[str, np.ndarray] = {"i": rows.astype(float), "j": targets.astype(float)}
    for side, index, part in (("pre", rows, c.source.split(".")[0]), ("post", targets, c.target)):
        for key, numbers in values.items():
            name = f"{key[len(part) + 1 :]}_{side}"
            if key.startswith(f"{part}.") and name in symbols and name in used:  # one value a synapse: not of all
                arrays[name] = numbers[index] if np.ndim(numbers) else numbers
    arrays["dt"] = np.asarray(circuit.timestep)
    axes = {k: (axis,) if np.ndim(v) else () for k, v in arrays.items()}
    from neurodyn.kernels.philox import draw

    evaluator = Evaluator(
        arrays,
        axes,
        {axis: count},
        lambda kind, stream, size: draw(kind, size, seed=circuit.seed, step=0, stream=stream),
    )
    numbers = evaluator.run(Block("constants", axis, items, result=result.operand))
    return np.broadcast_to(np.asarray(numbers, dtype=float), (count,)).copy()
