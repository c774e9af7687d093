"""TimedArrays of a Brian2 network as inputs: the values lie in the circuit, piece by piece."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from neurodyn.backends.equations_brian2 import brian2
from neurodyn.doors.brian2_reading import NotExpressible, Reading, dimensions
from neurodyn.parts import Connection, Input
from neurodyn.units import Quantity

LONGEST = 10_000  # pieces of a signal: each costs a pass over the steps of a trial
FOREVER = 1e9  # seconds: Brian2 holds the last value


def split(outside: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the TimedArrays among what stands outside of a group, and the rest."""
    timed = {name: value for name, value in outside.items() if isinstance(value, brian2.TimedArray)}
    return timed, {name: value for name, value in outside.items() if name not in timed}


def carrier(name: str) -> str:
    """Return the variable that carries a signal into a population."""
    return f"{name}_now"


def written_out(expression: str, timed: dict[str, Any]) -> str:
    """Return an expression with ``signal(t)`` written as the variable that carries the signal."""
    if not timed:
        return expression

    class Read(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            if not (isinstance(node.func, ast.Name) and node.func.id in timed):
                return self.generic_visit(node)
            if [ast.unparse(a) for a in node.args] != ["t"]:
                raise NotExpressible(
                    f"{ast.unparse(node)!r} reads a TimedArray: circuits read one signal at time t; declare an nd.Input with a "
                    "channel for each unit, and bring the values in a session"
                )
            return ast.Name(carrier(node.func.id), ast.Load())

    return ast.unparse(ast.fix_missing_locations(Read().visit(ast.parse(expression.strip(), mode="eval").body)))


def carried(signal: Any, name: str, group: Any, reading: Reading) -> Connection:
    """Return the connection that brings a TimedArray to all units of a group; its input is kept by ``reading``."""
    if id(signal) not in reading.inputs:
        reading.inputs[id(signal)] = Input(reading.new_name(name), ("value",), pulses=_pulses(signal, name, reading))
    source = reading.inputs[id(signal)]
    unit = Quantity(1.0, dimensions(signal))
    made = reading.new_name(f"{source.name}_to_{group.name}")
    return Connection(source, group.name, carrier(name), pattern="all", weight=unit, name=made)


def _pulses(signal: Any, name: str, reading: Reading) -> tuple[tuple[Any, Any, float], ...]:
    values, length = np.asarray(signal.values, dtype=float), float(signal.dt)
    if values.ndim != 1:
        raise NotExpressible(
            f"{name!r} is a TimedArray of shape {values.shape}: circuits read one signal at time t; declare an nd.Input with "
            f"{values.shape[-1]} channels, and bring the values in a session"
        )
    steps = length / reading.step
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6:
        raise NotExpressible(
            f"{name!r} is a TimedArray with a value each {length * 1e3:g} ms, no whole number of steps of {reading.step * 1e3:g} ms: "
            "give it such a dt"
        )
    changes = np.concatenate([[0], 1 + np.flatnonzero(np.diff(values))])
    if changes.size > LONGEST:
        raise NotExpressible(
            f"{name!r} is a TimedArray of {changes.size} pieces, more than {LONGEST}: declare nd.Input({name!r}, ('value',)), and "
            "bring the values in a session"
        )
    starts = changes * round(steps) * reading.step
    ends = [*starts[1:], FOREVER]
    pieces = zip(starts.tolist(), ends, values[changes].tolist(), strict=True)
    return tuple((f"{start!r} s", f"{float(end)!r} s", value) for start, end, value in pieces if value)
