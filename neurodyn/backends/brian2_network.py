"""A circuit as Brian2 objects, for those who go on in Brian2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.backends.brian2_host import Host, explained
from neurodyn.circuit import Circuit
from neurodyn.network import realize
from neurodyn.parts import CircuitError


class _Handed(Host):
    """Our part of a step inside a network that the user runs: time comes from Brian2's clock."""

    def _before(self) -> None:
        self.step = int(self.built.clock.variables["timestep"].get_value()[0])
        super()._before()

    def _inputs(self) -> Mapping[str, np.ndarray]:
        time, slack = self.step * self.network.circuit.timestep, 1e-9 * self.network.circuit.timestep
        rows = {}
        for source in self.network.circuit.inputs:
            if source.pulses:
                row = rows[source.name] = np.zeros(len(source.channels))
                for start, stop, amplitude in source.pulses:
                    low, high = (float(units.si(x, "second", name=f"{source.name}.pulses")) for x in (start, stop))  # type: ignore[arg-type]
                    row += amplitude if low - slack <= time < high - slack else 0.0
        return rows


@dataclass(frozen=True, eq=False)
class Brian2Network:
    """A circuit as Brian2 objects.

    Attributes
    ----------
    network : brian2.Network
        Everything below; add monitors of your own with ``network.add``.
    groups : mapping of name to NeuronGroup or SpikeGeneratorGroup
    synapses : mapping of connection to Synapses
        With the weights ``w`` (``w_syn`` where a population has a variable w); connections without a synapse are absent.
    monitors : mapping of population to SpikeMonitor
    inputs : mapping of name to array (channel,)
        Values of the inputs that a session would bring, held until written again; 0 at the start.
    """

    network: Any
    groups: Mapping[str, Any]
    synapses: Mapping[str, Any]
    monitors: Mapping[str, Any]
    inputs: Mapping[str, np.ndarray] = field(default_factory=dict)

    def run(self, duration: Any) -> None:
        """Run for ``duration`` (quantity, text or Brian2's); under cpp_standalone this also builds."""
        import brian2

        seconds = float(units.si(duration, "second", name="duration", low=0.0))  # type: ignore[arg-type]
        self.network.run(seconds * brian2.second, namespace={})


def to_brian2(circuit: Circuit) -> Brian2Network:
    """Return the circuit as Brian2 objects, for the device that is set (`brian2.set_device`).

    Wiring, parameters and start values are those of the circuit's seed. Noise is Brian2's own (`brian2.seed`), so that
    only circuits without draws repeat our spike trains; and these only if Brian2 neither reorders nor contracts
    sums, which its defaults for compiled targets do. Filters, readouts, their rules, weighted sums, and what is
    network-wide in the rules of synapses run in Python between Brian2's objects.

    Raises
    ------
    CircuitError
        Closed-loop inputs (`neurodyn.simulate(backend="brian2")` runs these), empty populations, and, under
        cpp_standalone, everything that runs in Python.
    """
    with explained(circuit):
        from neurodyn.backends.brian2_build import build, handed_over
        from neurodyn.backends.equations_brian2 import brian2, get_device, runtime_device

        looping = [i.name for i in circuit.inputs if i.function is not None]
        if looping:
            raise CircuitError(f"input {looping[0]!r} calls a function, which needs simulate(..., backend='brian2')")
        network = realize(circuit.per_step())
        host = _Handed(network)
        host.start_trial(learning=True, calibration=False, reset=True)
        python = [p.name for p in (*circuit.filters, *circuit.readouts, *circuit.inputs)] + [
            s.name for s in (*network.program.sums, *network.program.spikes) if s.plastic or s in network.program.sums
        ]
        live = get_device() is runtime_device
        if python and not live:
            raise CircuitError(
                f"{python[0]!r} runs in Python, which Brian2's {get_device().__class__.__name__} would skip; "
                "use brian2.set_device('runtime') for this circuit, or remove it"
            )
        built = build(network, host.operations() if python else ())
        handed_over(built, host.arrays, network.program)
        if python:
            host.adopt(built)
        monitors = {p: brian2.SpikeMonitor(built.groups[p], name=f"{p}_spikes") for p in network.program.spiking}
        built.network.add(*monitors.values())
    inputs = {i.name: host.arrays[f"{i.name}.value"].reshape(-1) for i in circuit.inputs if not i.pulses}
    return Brian2Network(built.network, built.groups, built.synapses, monitors, inputs)
