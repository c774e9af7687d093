"""When a timing rule may learn: gates of the "when" readout.

A gate is a function of (time_ms, latency_ms): the times of the samples, counted from the cue, shape (steps,),
and the latency of the event that occurred. It returns weights >= 0 of shape (steps,). Any such function can
be given to ``WhatWhen(gate=...)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

Gate = Callable[[np.ndarray, float], np.ndarray]


def window_gate(time_ms: np.ndarray, latency_ms: float) -> np.ndarray:
    """Gate open from the cue to the end of the trial, whatever the latency, shape (steps,).

    Only such a wide gate lets a new latency erase the old bump: what is outside the gate sees no error.

    Parameters
    ----------
    time_ms : array (steps,)
        Time since the cue in ms.
    latency_ms : float
        When the event is due; has no part in it.
    """
    return (np.asarray(time_ms) >= 0.0).astype(np.float64)


def local_gate(time_ms: np.ndarray, latency_ms: float, *, half_width_ms: float = 90.0) -> np.ndarray:
    """Gate open within ``half_width_ms`` of the latency, never before the cue, shape (steps,).

    The ablation of :func:`window_gate`. Another width: ``functools.partial(local_gate, half_width_ms=60)``.

    Parameters
    ----------
    time_ms : array (steps,)
        Time since the cue in ms.
    latency_ms : float
        When the event is due.
    half_width_ms : float
    """
    time = np.asarray(time_ms)
    return ((time >= 0.0) & (np.abs(time - latency_ms) <= half_width_ms)).astype(np.float64)


GATES: dict[str, Gate] = {"window": window_gate, "local": local_gate}


def gate_name(gate: str | Gate) -> str:
    """Text for files and messages: ``"local"``, or the name and options of a function."""
    if isinstance(gate, functools.partial):
        options = ", ".join(f"{name}={value!r}" for name, value in gate.keywords.items())
        return f"{gate_name(gate.func)}({options})"
    return gate if isinstance(gate, str) else getattr(gate, "__qualname__", type(gate).__qualname__)


def gate_values(gate: str | Gate, since_cue_ms: np.ndarray, latency_ms: float) -> np.ndarray:
    """The gate at the given times after the cue; raises ValueError unless it returns weights >= 0."""
    function = gate if callable(gate) else GATES[gate]
    values = np.asarray(function(since_cue_ms, latency_ms), dtype=np.float64)
    if values.shape != since_cue_ms.shape:
        raise ValueError(
            f"gate={gate_name(gate)} returned shape {values.shape}: return one weight per sample, shape "
            f"{since_cue_ms.shape}"
        )
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(
            f"gate={gate_name(gate)} returned values from {values.min():g} to {values.max():g}: "
            "return finite weights >= 0"
        )
    return values
