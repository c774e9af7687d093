"""The deterministic part of a circuit as a function of its state, on torch, so that it can be differentiated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from neurodyn.backends.step_graph import Node, StepGraph
from neurodyn.circuit import Circuit
from neurodyn.parts import CircuitError


class StepFunction:
    """One step of a circuit without spikes, delays and noise: state (batch, entry) to state, float64, in torch.

    What is not remembered from one step to the next is no part of the state: of a rate reservoir it is x alone, since
    r = tanh(x). Made by :meth:`neurodyn.Circuit.step_function`. Iterated, it does what :func:`neurodyn.simulate` does, to
    rounding; ``torch.func`` differentiates it.

    Parameters
    ----------
    circuit : Circuit
    inputs, noise
        As for :meth:`neurodyn.Circuit.step_function`.

    Attributes
    ----------
    names : tuple of str
        Arrays that make up the state, in order, such as "cells.x"; in SI units.
    sizes : tuple of int
        Entries of each.
    channels : tuple of str
        Inputs, in order, such as "task.A".
    inputs : Tensor (channel)
        What they are held at.
    start : Tensor (entry)
        The state in which a run of this circuit begins.

    Raises
    ------
    CircuitError
        For circuits that are no function of a state; says why.
    """

    def __init__(self, circuit: Circuit, inputs: Mapping[str, Any], noise: Literal["refuse", "off"]) -> None:
        if noise not in ("refuse", "off"):
            raise CircuitError(f"noise = {noise!r}; allowed are 'refuse' and 'off'")
        _refuse_events(circuit)
        held = _held(circuit, inputs)
        self._graph = graph = StepGraph(circuit, noise=noise)
        self.names = graph.carried
        self.sizes = tuple(graph.start[name].numel() for name in self.names)
        self.channels = tuple(f"{part.name}.{channel}" for part in circuit.inputs for channel in part.channels)
        self._widths = {part.name: len(part.channels) for part in circuit.inputs}
        self.inputs = torch.cat([*held.values(), torch.empty(0, dtype=torch.float64)])
        self.start = torch.cat([graph.start[name].reshape(-1) for name in self.names])

    def __call__(self, state: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Return the state (batch, entry) a step later.

        ``inputs`` (channel) or (batch, channel), in the order of ``channels``, replace those that are held.
        """
        if state.shape[-1] != sum(self.sizes):
            raise ValueError(
                f"state has shape {tuple(state.shape)}; needed is (batch, {sum(self.sizes)}): {', '.join(self.names)}"
            )
        memo: dict[Node, Tensor] = {}
        given = (self.inputs if inputs is None else inputs).split(list(self._widths.values()), -1)
        for name, values in zip(self._widths, given, strict=True):
            if (node := self._graph.inputs.get(name)) is not None:
                memo[node] = values if node.axes else values[..., 0]
        return self._join(self._graph.step(self.split(state), memo), state)

    def split(self, state: Tensor) -> dict[str, Tensor]:
        """Return the arrays that a state (..., entry) is made of, by name: (..., unit)."""
        parts = state.split(list(self.sizes), -1)
        shapes = (self._graph.start[name].shape for name in self.names)
        return {n: p.unflatten(-1, s) if s else p[..., 0] for n, p, s in zip(self.names, parts, shapes, strict=True)}

    def join(self, values: Mapping[str, Any]) -> Tensor:
        """Return the states (..., entry) that arrays make up, such as recordings (time, unit) of all ``names``."""
        missing = [name for name in self.names if name not in values]
        if missing:
            raise ValueError(f"values lack {', '.join(missing)}; the state is made of {', '.join(self.names)}")
        found = [torch.as_tensor(np.asarray(values[name]), dtype=torch.float64) for name in self.names]
        return torch.cat(
            [f if f.ndim > 1 or f.numel() == n else f[:, None] for f, n in zip(found, self.sizes, strict=True)], -1
        )

    def _join(self, values: Mapping[str, Tensor], state: Tensor) -> Tensor:
        # What doesn't depend on the state has no batch of its own.
        wide = (*state.shape[:-1], -1)
        return torch.cat([
            values[name].expand(*state.shape[:-1], *self._graph.start[name].shape).reshape(wide) for name in self.names
        ], -1)  # fmt: skip


def _refuse_events(circuit: Circuit) -> None:
    program = circuit.program
    name = circuit.name
    spiking = (*program.spiking, *program.spike_sources)
    if spiking or program.spikes:
        raise CircuitError(
            f"step_function: circuit {name!r} has spikes ({', '.join(spiking)}), whose step has no useful derivative; "
            "give a circuit of rates"
        )
    plastic = [s.name for s in program.sums if s.plastic]
    if plastic or any(r.rule is not None for r in circuit.readouts):
        raise CircuitError(f"step_function: weights of circuit {name!r} change; give circuit.freeze()")
    for s in program.sums:
        if s.late:
            raise CircuitError(
                f"step_function: connection {s.name!r} has a delay of {s.delay} step(s), so that the state is more than its "
                "arrays; take it away: populations are read a step late without one"
            )


def _held(circuit: Circuit, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
    known = {part.name: part for part in circuit.inputs}
    for name in inputs:
        if name not in known:
            raise CircuitError(f"inputs: circuit {circuit.name!r} has no input {name!r}; there are {list(known)}")
    held = {}
    for name, part in known.items():
        if name not in inputs and (part.pulses or part.function is not None):
            raise CircuitError(
                f"step_function: input {name!r} changes by itself; say what it is held at, inputs={{{name!r}: ...}}"
            )
        value = np.asarray(inputs.get(name, np.zeros(len(part.channels))), dtype=float)
        if value.shape not in ((), (len(part.channels),)) or not np.isfinite(value).all():
            raise CircuitError(
                f"inputs: {name!r} has shape {value.shape}; give one finite number, or {len(part.channels)}, one a channel"
            )
        held[name] = torch.from_numpy(np.broadcast_to(value, len(part.channels)).copy())
    return held
