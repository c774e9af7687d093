"""How much memory and disk a run needs, before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neurodyn.circuit import Circuit
from neurodyn.network import Network, realize
from neurodyn.running.recorder import SPIKES_PER_SECOND, plan_recording, recording_bytes
from neurodyn.session import Session


@dataclass(frozen=True)
class Estimate:
    """Sizes in bytes: the network with its state in memory, inputs, and the recording before compression."""

    network: int
    inputs: int
    recording: int
    steps: int
    synapses: int

    def __str__(self) -> str:
        return (
            f"{self.steps} steps, {self.synapses} synapses; memory {(self.network + self.inputs) / 1e6:.1f} MB, "
            f"recording up to {self.recording / 1e6:.1f} MB (spikes counted at {SPIKES_PER_SECOND:g} per second and unit)"
        )


def estimate(
    circuit: Circuit, session: Session | Any, *, learn: Any = None, record: Sequence[Any] = ("spikes",)
) -> Estimate:
    """Return what ``nd.simulate`` with the same arguments needs, without running it.

    Raises what :func:`neurodyn.simulate` raises before its first step.
    """
    from neurodyn.running.run import as_session

    circuit = circuit if learn is None else learn.attach(circuit)
    session = as_session(session, circuit)
    network = realize(circuit)
    ratio = round(session.dt / circuit.timestep)
    steps = ratio * sum(t.steps for t in session.trials)
    inputs = {id(v): v.nbytes for t in session.trials for v in t.inputs.values()}
    return Estimate(
        network_bytes(network),
        sum(inputs.values()),
        recording_bytes(network, plan_recording(network, tuple(record)), steps),
        steps,
        network.synapses,
    )


def network_bytes(network: Network) -> int:
    """Return the memory of arrays, wiring and delay rings."""
    import numpy as np

    arrays = sum(8 * int(np.prod([network.sizes[x] for x in a.axes], dtype=int)) for a in network.program.arrays)
    wiring = sum(
        w.indptr.nbytes
        + w.targets.nbytes
        + w.weights.nbytes
        + w.delays.nbytes
        + (0 if w.matrix is None else w.matrix.nbytes)
        for w in network.wiring.values()
    )
    rings = 0
    for s in network.program.spikes:
        delays, sources = network.wiring[s.name].delays, network.sizes[s.source]
        length = int(delays.max(initial=0)) + 1
        if s.plastic:  # who fired, and which synapses a spike reaches after each of the delays that there are
            rings += 4 * length * (sources + 1) + 16 * delays.size + 8 * np.unique(delays).size * (sources + 1)
        else:
            rings += 8 * length * network.sizes[s.target_population]
    return arrays + wiring + rings
