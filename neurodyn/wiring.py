"""The synapses of a circuit: which there are, their weights and delays, drawn from the seed or taken as given."""

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
from neurodyn.parts import CircuitError, Connection, Normal, Uniform
from neurodyn.program import Block, Program, operations
from neurodyn.specs import check_delay, expression_text, finite_number, whole_steps


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
class Events:
    """Which synapses of a plastic connection an event reaches.

    ``lags`` (lags,) int64: the delays that occur, in steps, longest first. A spike of source j arrives after ``lags[l]`` steps
    at ``arriving[first[l, j]:first[l, j + 1]]``; a spike of target i concerns ``onto[onto_first[i]:onto_first[i + 1]]``. Both
    lists (synapses,) int64 hold synapses in ascending order within a unit.
    """

    lags: np.ndarray
    first: np.ndarray
    arriving: np.ndarray
    onto_first: np.ndarray
    onto: np.ndarray

    @staticmethod
    def of(wiring: Wiring, targets: int) -> Events:
        """Return the lists for synapses onto so many ``targets``."""
        sources = wiring.indptr.size - 1
        lags = np.unique(wiring.delays)[::-1].astype(np.int64)
        row = np.searchsorted(-lags, -wiring.delays.astype(np.int64)) * sources + wiring.sources
        counts = np.bincount(row, minlength=lags.size * sources)
        ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        first = ends[np.add.outer(np.arange(lags.size) * sources, np.arange(sources + 1))]
        onto = np.concatenate([[0], np.cumsum(np.bincount(wiring.targets, minlength=targets))]).astype(np.int64)
        by_row, by_target = (np.argsort(x, kind="stable").astype(np.int64) for x in (row, wiring.targets))
        return Events(lags, first, by_row, onto, by_target)


def plastic_values(c: Connection, circuit: Circuit, wiring: Wiring) -> dict[str, np.ndarray]:
    """Return the numbers of a plastic connection by array name: units of its synapses, start weights, bounds, rules.

    Raises CircuitError for weights outside the bounds and for numbers of another shape.
    """
    values: dict[str, Any] = {
        f"{c.name}@pre": wiring.sources.astype(np.int32),
        f"{c.name}@post": wiring.targets,
        f"{c.name}.w@initial": wiring.weights,
    }
    limits = [
        None if b is None else float(np.asarray(units.quantity(b, name=f"{c.name}.bounds").value)) for b in c.bounds
    ]
    for side, limit in zip(("low", "high"), limits, strict=True):
        if limit is not None:
            values[f"{c.name}.w_{side}@bound"] = np.asarray(limit)
            start = values[f"{c.name}.w@initial"]
            held = np.maximum(start, limit) if side == "low" else np.minimum(start, limit)
            values[f"{c.name}.w@initial"] = held
            beyond = np.abs(held - start) > np.finfo(np.float32).eps * abs(
                limit
            )  # what a run in float32 learned at a bound
            if beyond.any():
                k = int(np.argmax(beyond))
                raise CircuitError(
                    f"connection {c.name!r}: the weight of synapse {k} ({wiring.sources[k]} to {wiring.targets[k]}) is "
                    f"{wiring.weights[k]:g}, beyond its bound {limit:g} (in SI units); start inside bounds = {c.bounds!r}"
                )
    for rule in c.rules:
        for name, where in rule.kinds.items():
            given = circuit.values.get(f"{rule.name}.{name}")
            if given is not None and where in ("pre", "synapse"):
                if np.shape(given) != wiring.targets.shape:
                    raise CircuitError(
                        f"values: {rule.name}.{name} has shape {np.shape(given)}, needed is {wiring.targets.shape}, one a synapse"
                    )
                values[f"{rule.name}.{name}@initial"] = np.asarray(given, dtype=float)
    return values


def rule_values(c: Connection, dt: float) -> dict[str, np.ndarray]:
    """Return the parameters of a connection's rules and the decay of their traces in a step, by array name."""
    values: dict[str, Any] = {}
    for rule in c.rules:
        for name, value in rule.parameters.items():
            values[f"{rule.name}.{name}"] = np.asarray(finite_number(value, f"{rule.name}.{name}"))
        for name, trace in rule.traces.items():
            tau = float(units.si(trace.tau, "second", name=f"{rule.name}.{name}.tau"))  # type: ignore[arg-type]
            values[f"{rule.name}.{name}@decay"] = np.exp(-dt / np.float64(tau))
        if rule.every is not None:
            values[f"{rule.name}.every@steps"] = np.asarray(
                float(whole_steps(rule.every, dt, f"every of {rule.name!r}"))
            )
    return values


def wiring_of(
    c: Connection, circuit: Circuit, program: Program, values: Mapping[str, np.ndarray], sizes: Mapping[str, int]
) -> Wiring:
    """Return the synapses of a connection: given by ``circuit.values`` where a file brought them, else drawn from the seed.

    Raises CircuitError for numbers of another shape, units that don't exist, and weights or delays that can't be.
    """
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
        if dense and c.plastic and not np.array_equal(targets, np.tile(np.arange(post), pre)):  # compiled as all to all
            raise CircuitError(
                f"values: {c.name}.targets hold {targets.size} synapses, but the connection joins all {pre} to all {post} "
                "units; give Connection(pairs=...) for others"
            )
    elif unit_matrix is not None and c.pairs is None and c.probability is None:
        rows, targets = np.nonzero(~np.isnan(unit_matrix))
        indptr, targets = _rows(rows, targets, pre)
    else:
        indptr, targets = _pattern(c, pre, post, circuit)
    rows = np.repeat(np.arange(pre), np.diff(indptr))
    given = "w" if c.plastic and "w" in stored else "weights"  # what was learned wins over where it began
    if given in stored:
        weights = np.asarray(stored[given], dtype=float)
    elif unit_matrix is not None:
        weights = unit_matrix[rows, targets]
    else:
        weights = _per_synapse(c.weight, "weight", c, rows, targets, circuit, program, values)
    if weights.shape != targets.shape:
        raise CircuitError(
            f"values: {c.name}.{given} has shape {weights.shape}, needed is one for each of the {targets.size} synapses"
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
