"""Brian2 as a runner: the independent oracle, and the circuit as Brian2 objects for those who go on there.

Brian2 is given the user's equations and code, not our lowering of them: its own state updaters, thresholds, resets,
refractoriness, synapses and delays compute. Ours are the draws (Philox, put in the place of Brian2's), the wiring and
the start values, and what Brian2 has no words for: inputs, weighted sums, filters, readouts and rules run through
:mod:`neurodyn.evaluate` on the same arrays, exactly as in the interpreter. Brian2 is no test of those.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.backends.equations import EquationsError, noise_order
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.circuit import Circuit
from neurodyn.language import ModelError
from neurodyn.network import Network, realize
from neurodyn.parts import CircuitError
from neurodyn.program import operations


class _Host(InterpreterEngine):
    """Our part of a step (inputs, weighted sums, filters, readouts, rules) beside Brian2's, on shared arrays."""

    def __init__(self, network: Network, **options: Any) -> None:
        super().__init__(network, **options)
        self._mirrors: list[tuple[str, np.ndarray]] = []  # arrays that Brian2 holds in another type
        self._fired: dict[str, np.ndarray] = {}

    def operations(self) -> list[tuple[Callable[[], None], str, int]]:
        """Return our part of a step as (function, slot, order) of Brian2's schedule."""
        from neurodyn.backends.brian2_build import slot

        made: list[tuple[Callable[[], None], str, int]] = [(self._before, "start", -1000)]
        for population in dict.fromkeys(s.target_population for s in self.program.sums):
            made.append((partial(self._sums_onto, population), "groups", slot(self.network, population) - 1))
        return [*made, (self._after, "end", 1000)]

    def adopt(self, built: Any) -> None:
        """Hold Brian2's arrays instead of ours, so that each side sees at once what the other writes."""
        self.built = built
        for array in self.program.arrays:
            population, _, name = array.name.partition(".")
            if population not in self.program.populations or array.role != "state":
                continue
            variable = built.groups[population].variables.get(name)
            if variable is None:  # last_spike, which counts in steps
                continue
            ours, theirs = self.arrays[array.name], variable.get_value()
            if (theirs.dtype, theirs.shape) == (ours.dtype, ours.shape):
                theirs[...] = ours
                self.arrays[array.name] = theirs
            else:
                self._mirrors.append((array.name, theirs))
        self.changed()

    def changed(self) -> None:
        """Hand over what can't be shared: times of last spikes, and variables of other types."""
        for name, theirs in self._mirrors:
            theirs[...] = self.arrays[name] if theirs.shape == self.arrays[name].shape else self.arrays[name].flat[0]
        for population, group in self._refractory():
            from neurodyn.backends.brian2_build import LONG_AGO

            last = self.arrays[f"{population}.last_spike"]
            seconds = np.where(last < 0, LONG_AGO, last * float(self.arrays["dt"]))
            group.variables["lastspike"].set_value(seconds)

    def _refractory(self) -> Iterator[tuple[str, Any]]:
        for population in self.program.spiking:
            if f"{population}.last_spike" in self.arrays and hasattr(self, "built"):
                yield population, self.built.groups[population]

    def _before(self) -> None:
        self._clock()
        self._receive(self._inputs())

    def _inputs(self) -> Mapping[str, np.ndarray]:
        return {}

    def _after(self) -> None:
        for population, group in self.built.groups.items():
            if population in self.program.spiking or population in self.program.spike_sources:
                space = group.variables["_spikespace"].get_value()
                self._fired[population] = space[: space[-1]].copy()
        for population, _ in self._refractory():
            self.arrays[f"{population}.last_spike"][self._fired[population]] = self.step
        for name, theirs in self._mirrors:
            self.arrays[name][...] = theirs
        self._read_out(self._fired)


class Brian2Engine(_Host):
    """Run a network step by step on Brian2's numpy target, with our draws, inputs and readouts.

    Spikes on their way are Brian2's own queues. ``rings`` holds only what came from another runner by
    :meth:`from_arrays`: it reaches the targets first, in the step for which it was due.
    """

    name = "brian2"

    def __init__(self, network: Network, **options: Any) -> None:
        if options.get("dtype", "float64") != "float64":
            raise CircuitError(
                f"dtype = {options['dtype']!r}: float32 is a setting of the whole process in Brian2, which this backend "
                "does not touch; use dtype='float64', or backend 'numba'"
            )
        super().__init__(network, **options)
        self._row: Mapping[str, np.ndarray] = {}
        with _prepared(network.circuit) as brian2:
            from neurodyn.backends.brian2_build import arriving, build

            self.adopt(build(network, self.operations()))
            # once: a run of its own for each chunk costs 60 ms and would undo the draws put in below
            self.built.network.run(0 * brian2.second, namespace={})
        self._objects = [o for o in self.built.network.sorted_objects if o.active]
        self._steps, self._time = (self.built.clock.variables[n].get_value() for n in ("timestep", "t"))
        self._arriving = {s.name: self.built.groups[s.target_population].variables[arriving(k)].get_value()
                          for k, s in enumerate(self.program.spikes)}
        self._replace_draws()

    def start_trial(self, *, reset: bool, **options: Any) -> None:
        """Begin a trial; a reset also forgets the spikes on their way."""
        if reset or not self._started:
            self._clear_queues()
        super().start_trial(reset=reset, **options)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return a copy of everything that a continuation needs, in the form that all runners share."""
        state = super().to_arrays()
        for name, synapses in self.built.synapses.items():
            ring, wiring = state[f"ring/{name}"], self.network.wiring[name]
            for delay, due in enumerate(_pending(synapses.pre.queue)):
                at = np.asarray(due, dtype=np.int64)
                np.add.at(ring[(self.step + delay) % len(ring)], wiring.targets[at], wiring.weights[at])
        return state

    def from_arrays(self, state: Mapping[str, np.ndarray]) -> None:
        """Go back to a state from :meth:`to_arrays` of this or another runner."""
        self._clear_queues()
        super().from_arrays(state)
        for population in self.program.spike_sources:
            steps, _ = self.network.schedules[population]
            self.built.groups[population].variables["_lastindex"].set_value(np.searchsorted(steps, self.step))

    def _step(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self._row = inputs
        self._steps[0] = self.step
        self._time[0] = self.step * float(self.arrays["dt"])
        with np.errstate(all="ignore"):
            for item in self._objects:
                item.run()
        return dict(self._fired)

    def _inputs(self) -> Mapping[str, np.ndarray]:
        for name, values in self._arriving.items():
            ring = self.rings[name]
            carried = ring[self.step % len(ring)]
            values[...] = carried
            carried[...] = 0.0
        return self._row

    def _clear_queues(self) -> None:
        for synapses in self.built.synapses.values():
            queue = synapses.pre.queue
            if hasattr(queue, "n"):
                queue.n[:] = 0
            else:
                queue._restore_from_full_state((0, [[] for _ in queue._full_state()[1]]))

    def _replace_draws(self) -> None:
        """Put our draws in the place of Brian2's: the k-th call in a text belongs to its k-th stream."""
        for population in self.program.populations:
            group, size = self.built.groups[population], self.network.sizes[population]
            # in the order of Brian2's text, which differs from process to process
            noise = [f"{population}.update.{name}" for name in noise_order(group.state_updater.abstract_code)]
            parts = [(group.state_updater, {"normal": noise, "uniform": []})]
            streams = self._streams(population)
            if not noise and population in self.built.code:
                parts.append((self.built.code[population], streams("update.")))
            for event, first, second in (("spike", "threshold", "reset"), ("silenced", "silenced.silent_", "silenced.")):
                if event in group.events:
                    parts += [(group.thresholder[event], streams(first)), (group.resetter[event], streams(second, first))]
            for part, wanted in parts:
                for kind, word in (("normal", "randn"), ("uniform", "rand")):
                    if wanted[kind]:
                        assert word in part.codeobj.namespace, f"{part.name} draws no {word}"
                        part.codeobj.namespace[word] = self._drawer(kind, wanted[kind], size)

    def _streams(self, population: str) -> Callable[..., dict[str, list[str]]]:
        """Return the streams of a population's draws, in the order of the text, by the start of their names."""
        draws = [op for phase in ("update", "threshold", "reset") for block in self.program.phase(phase, population)
                 for op in operations(block.body) if op.op in ("normal", "uniform")]

        def streams(start: str, but: str = "\0") -> dict[str, list[str]]:
            names = {kind: [str(op.args[-1]) for op in draws if op.op == kind] for kind in ("normal", "uniform")}
            return {kind: [n for n in found if n.startswith(f"{population}.{start}") and not n.startswith(f"{population}.{but}")]
                    for kind, found in names.items()}

        return streams

    def _drawer(self, kind: str, streams: list[str], size: int) -> Callable[[Any], np.ndarray]:
        turn = itertools.cycle(streams)
        return lambda index: self.draw(kind, next(turn), size)[np.asarray(index, dtype=int)]


class _Handed(_Host):
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
    inputs : mapping of name to array
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
    sums, which its defaults for compiled targets do. Filters, readouts, rules and weighted sums run in Python between
    Brian2's objects.

    Raises
    ------
    CircuitError
        Closed-loop inputs (`neurodyn.simulate(backend="brian2")` runs these), empty populations, and, under
        cpp_standalone, everything that runs in Python.
    """
    with _explained(circuit):
        from neurodyn.backends.brian2_build import build, handed_over
        from neurodyn.backends.equations_brian2 import brian2, get_device, runtime_device

        looping = [i.name for i in circuit.inputs if i.function is not None]
        if looping:
            raise CircuitError(f"input {looping[0]!r} calls a function, which needs simulate(..., backend='brian2')")
        network = realize(circuit)
        host = _Handed(network)
        host.start_trial(learning=True, calibration=False, reset=True)
        python = [p.name for p in (*circuit.filters, *circuit.readouts, *circuit.inputs)] + [s.name for s in network.program.sums]
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


@contextmanager
def _prepared(circuit: Circuit) -> Iterator[Any]:
    """Brian2 with our settings, quiet, and with its errors explained."""
    with _explained(circuit):
        from neurodyn.backends.equations_brian2 import brian2_settings, catch_logs

        with brian2_settings() as brian2, catch_logs(), np.errstate(all="ignore"):
            yield brian2


@contextmanager
def _explained(circuit: Circuit) -> Iterator[None]:
    try:
        yield
    except (CircuitError, ModelError, EquationsError, units.UnitsError):
        raise
    except Exception as error:
        from neurodyn.backends.equations_brian2 import root_cause

        raise CircuitError(
            f"Brian2 can't express the circuit {circuit.name!r}: {root_cause(error)}; use backend 'numba' or 'interpreter'"
        ) from error


def _pending(queue: Any) -> list[Any]:
    """Return the synapses whose spikes arrive in 0, 1, 2, ... steps, in the order of their events."""
    if hasattr(queue, "n"):  # Brian2's queue in Python
        rows = [queue.X[k, : queue.n[k]] for k in range(len(queue.n))]
        first = queue.currenttime
    else:
        first, rows = queue._full_state()
    return [rows[(first + delay) % len(rows)] for delay in range(len(rows))]
