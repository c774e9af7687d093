"""The circuit that stands behind what is described: given as it is, or read from a recording, or made of a trained network."""

from __future__ import annotations

from typing import Any

from neurodyn.circuit import Circuit
from neurodyn.recording import Recording


def is_training(recording: Recording) -> bool:
    """Whether the recording is that of a training by gradient."""
    network = recording.config.get("network")
    return isinstance(network, dict) and isinstance(network.get("network"), str)


def circuit_of(recording: Recording) -> Circuit | None:
    """Return the circuit in a recording, as it was at the end; None for results alone, and for a training."""
    try:
        tree = recording.tree("network")
    except KeyError:
        return None
    return Circuit.from_tree(tree)


def circuit_of_training(recording: Recording) -> Circuit | None:
    """Return the trained network as a circuit, the first of many; None where it can't be one, or nothing was kept yet."""
    from neurodyn.training.run import TrainingRun

    run = TrainingRun(recording)
    try:
        net: Any = run.network()
    except KeyError:  # stopped before anything was kept
        return None
    if not hasattr(net, "circuit"):
        return None
    return (net.select(0) if net.many else net).circuit()
