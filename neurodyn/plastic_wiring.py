"""The numbers of plastic connections: which synapses an event reaches, start weights, parameters of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.parts import CircuitError, Connection
from neurodyn.specs import finite_number, whole_steps
from neurodyn.wiring import Wiring


@dataclass(frozen=True, eq=False)
class Events:
    """Which synapses of a plastic connection an event reaches.

    ``lags`` (lags,) int64: the delays that occur, in steps, longest first. A spike of source j arrives after ``lags[l]`` steps
    at ``arriving[first[l, j]:first[l, j + 1]]``; a spike of target i concerns ``onto[onto_first[i]:onto_first[i + 1]]``. Both
    lists (synapses,) uint32, uint64 beyond 2^32 synapses, hold synapses in ascending order within a unit.
    """

    lags: np.ndarray
    first: np.ndarray
    arriving: np.ndarray
    onto_first: np.ndarray
    onto: np.ndarray

    @staticmethod
    def of(wiring: Wiring, targets: int) -> Events:
        """Return the lists for synapses onto so many ``targets``."""
        from neurodyn.kernels.wiring import synapses_by_lag, synapses_by_target

        count, lags = wiring.targets.size, wiring.lags
        kind = np.uint32 if count <= 2**32 else np.uint64
        onto_first, onto = np.zeros(targets + 1, np.int64), np.empty(count, kind)
        synapses_by_target(wiring.targets, onto_first, onto)
        if lags.size == 1:  # those of a source, as they stand
            return Events(lags, wiring.indptr[None].copy(), np.arange(count, dtype=kind), onto_first, onto)
        first, arriving = np.zeros((lags.size, wiring.indptr.size), np.int64), np.empty(count, kind)
        if lags.size:
            synapses_by_lag(wiring.indptr, wiring.delays, lags, first, arriving)
        return Events(lags, first, arriving, onto_first, onto)


def plastic_values(c: Connection, circuit: Circuit, wiring: Wiring) -> dict[str, np.ndarray]:
    """Return the numbers of a plastic connection by array name: units of its synapses, start weights, bounds, rules.

    Raises CircuitError for weights outside the bounds and for numbers of another shape.
    """
    values: dict[str, Any] = {
        f"{c.name}@pre": np.repeat(np.arange(wiring.indptr.size - 1, dtype=np.int32), np.diff(wiring.indptr)),
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
            inside = start.min(initial=limit) >= limit if side == "low" else start.max(initial=limit) <= limit
            if not inside:
                values[f"{c.name}.w@initial"] = _held(c, wiring, start, side, limit)
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


def _held(c: Connection, wiring: Wiring, start: np.ndarray, side: str, limit: float) -> np.ndarray:
    """Return start weights within a bound; CircuitError for those beyond it by more than a run in float32 explains."""
    held = np.maximum(start, limit) if side == "low" else np.minimum(start, limit)
    beyond = np.abs(held - start) > np.finfo(np.float32).eps * abs(limit)
    if beyond.any():
        k = int(np.argmax(beyond))
        raise CircuitError(
            f"connection {c.name!r}: the weight of synapse {k} ({wiring.sources[k]} to {wiring.targets[k]}) is "
            f"{wiring.weights[k]:g}, beyond its bound {limit:g} (in SI units); start inside bounds = {c.bounds!r}"
        )
    return held


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
