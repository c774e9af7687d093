"""How much memory and disk a run needs, before anything of it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neurodyn.circuit import Circuit
from neurodyn.memory import NetworkSize
from neurodyn.network import Network, axis_sizes
from neurodyn.running.recorder import SPIKES_PER_SECOND, plan_recording, recording_bytes
from neurodyn.session import Session


@dataclass(frozen=True)
class Estimate:
    """What a run needs, by :func:`estimate`; ``print`` shows it.

    Attributes
    ----------
    network : int
        Bytes of the network with its state in memory. Synapses that are drawn count by their mean.
    inputs : int
        Bytes of the inputs of the session.
    recording : int
        Bytes of the recording before compression.
    steps : int
        Steps of the session.
    synapses : int
    peak : int
        The most bytes that the network takes, while it is built.
    """

    network: int
    inputs: int
    recording: int
    steps: int
    synapses: int
    peak: int

    def __str__(self) -> str:
        return (
            f"{self.steps} steps, {self.synapses} synapses; memory {(self.network + self.inputs) / 1e6:.1f} MB "
            f"(building the network {self.peak / 1e6:.1f} MB), "
            f"recording up to {self.recording / 1e6:.1f} MB (spikes counted at {SPIKES_PER_SECOND:g} per second and unit)"
        )


def estimate(
    circuit: Circuit,
    session: Session | Any,
    *,
    learn: Any = None,
    record: Sequence[Any] = ("spikes",),
    dtype: str = "float64",
) -> Estimate:
    """Return what ``nd.simulate`` with the same arguments needs on the CPU, without drawing a synapse.

    Parameters
    ----------
    circuit : Circuit
    session : Session or duration
        As for :func:`neurodyn.simulate`; so are ``learn`` and ``record``.
    dtype : "float64" or "float32"

    Returns
    -------
    Estimate
        Bytes of the network, of its inputs and of the recording, numbers of steps and synapses; ``print`` shows them.

    Raises
    ------
    CircuitError, ModelError, UnitsError
        For descriptions that don't fit; numbers that are drawn are checked by :func:`neurodyn.simulate`.
    """
    from neurodyn.running.run import as_session

    circuit = circuit if learn is None else learn.attach(circuit)
    session = as_session(session, circuit)
    program, sizes = circuit.program, axis_sizes(circuit)
    size = NetworkSize.of(circuit, program, sizes, dtype)
    ratio = round(session.dt / circuit.timestep)
    steps = ratio * sum(t.steps for t in session.trials)
    inputs = {id(v): v.nbytes for t in session.trials for v in t.inputs.values()}
    drawn = {name: n + round(6 * n**0.5) for name, n in size.synapses.items()}  # hardly ever more
    outline = Network(circuit, program, {**sizes, **drawn}, {}, {}, {})
    return Estimate(
        size.held,
        sum(inputs.values()),
        recording_bytes(outline, plan_recording(outline, tuple(record)), steps),
        steps,
        sum(size.synapses.values()),
        size.peak,
    )
