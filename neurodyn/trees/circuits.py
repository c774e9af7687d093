"""Circuits as nested dicts and arrays, for recordings; nothing is executed when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.network import Network, realize
from neurodyn.parts import CircuitError, Connection, Filter, Input, Normal, Population, Readout, SpikeTimes, Uniform
from neurodyn.plasticity.rule import Rule, SynapticRule, Trace

_PARTS = (Circuit, Population, SpikeTimes, Connection, Input, Filter, Readout)
_KINDS: dict[str, Any] = {k.__name__: k for k in (*_PARTS, Rule, SynapticRule, Trace, Uniform, Normal)}


def to_tree(circuit: Circuit, network: Network | None = None) -> dict[str, Any]:
    """Return the description of a circuit; wiring and drawn parameters stand in its ``values`` as explicit arrays.

    ``network`` holds these already where the circuit is that of a run that has ended: the same but for what it learned.
    """
    network = network or realize(circuit)
    explicit: dict[str, np.ndarray] = {
        a.name: network.values[a.name]
        for a in network.program.arrays
        if a.role in ("parameter", "constant")
        and a.axes
        and a.name in network.values
        and not a.name.startswith("@")
        and a.dtype != "index"
        and not a.name.endswith(".w@initial")  # weights, which follow
        and not a.name.endswith((".i", "@clamp", "@clamped", ".alive"))
        and a.name.removesuffix("@initial") not in circuit.values  # which stands there under its own name
    }
    for c in circuit.connections:
        w = network.wiring[c.name]
        explicit |= {
            f"{c.name}.indptr": w.indptr,
            f"{c.name}.targets": w.targets,
            f"{c.name}.weights": w.weights,
            f"{c.name}.delays": w.delays,
        }
    return _encode(replace(circuit, values={**explicit, **circuit.values}))


def from_tree(tree: Mapping[str, Any]) -> Circuit:
    """Rebuild a circuit from :func:`to_tree`; closed-loop functions have to be set again.

    Raises ValueError (CircuitError, UnitsError) for a tree that describes none.
    """
    try:
        circuit = _decode(tree)
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise CircuitError(f"the file describes no circuit: {type(error).__name__}: {error}") from error
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"the file describes a {type(circuit).__name__}, no circuit")
    return circuit


def _encode(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, units.Quantity):
            return {"@kind": "Quantity", "value": value.value, "dimensions": list(value.dimensions)}
        out: dict[str, Any] = {"@kind": type(value).__name__}
        for f in fields(value):
            item = getattr(value, f.name)
            if f.name == "references" and not item:
                continue  # a group less for each part of most circuits
            out[f.name] = f"function {getattr(item, '__qualname__', item)}" if callable(item) else _encode(item)
        return out
    if isinstance(value, Mapping):
        return {"@kind": "mapping", "@order": [str(k) for k in value], **{str(k): _encode(v) for k, v in value.items()}}
    if isinstance(value, tuple | list):
        if len(value) and all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in value):
            return {"@kind": "numbers", "values": np.asarray(value)}  # one dataset, not an attribute for each
        return {"@kind": "sequence", **{str(n): _encode(v) for n, v in enumerate(value)}}
    if value is None or isinstance(value, str | bool | int | float | np.ndarray):
        return value
    if isinstance(value, np.generic):
        return value.item()
    return _encode(units.quantity(value, name="value in a circuit"))


def _decode(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    kind = value.get("@kind")
    if kind == "mapping":
        return {k: _decode(value[k]) for k in value["@order"]}
    if kind == "numbers":
        return tuple(np.asarray(value["values"]).tolist())
    if kind == "sequence":
        return tuple(_decode(value[str(n)]) for n in range(len(value) - 1))
    if kind == "Quantity":
        return units.Quantity(value["value"], tuple(value["dimensions"]))
    if kind not in _KINDS:
        raise CircuitError(
            f"the file describes a {kind!r}, which this version does not know; known are {', '.join(_KINDS)}"
        )
    arguments = {k: _decode(v) for k, v in value.items() if k != "@kind"}
    if isinstance(arguments.get("function"), str):
        arguments["function"] = arguments["every"] = None
    return _KINDS[kind](**arguments)
