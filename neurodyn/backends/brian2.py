"""Brian2 as a runner: the independent oracle.

Brian2 is given the user's equations and code, not our lowering of them: its own state updaters, thresholds, resets,
refractoriness, synapses and delays compute. Ours are the draws (Philox, put in the place of Brian2's), the wiring and
the start values, and what Brian2 has no words for: inputs, weighted sums, filters, readouts and rules run through
:mod:`neurodyn.evaluate` on the same arrays, exactly as in the interpreter. Brian2 is no test of those.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from neurodyn.backends.brian2_host import Host, prepared
from neurodyn.backends.equations import noise_order
from neurodyn.network import Network
from neurodyn.parts import CircuitError
from neurodyn.program import operations


class Brian2Engine(Host):
    """Run a network step by step on Brian2's numpy target, with our draws, inputs and readouts.

    Spikes on their way are Brian2's own queues. ``rings`` holds only what came from another runner by
    :meth:`from_arrays`: it reaches the targets first, in the step for which it was due.
    """

    name = "brian2"
    per_step = True

    def __init__(self, network: Network, **options: Any) -> None:
        if options.get("dtype", "float64") != "float64":
            raise CircuitError(
                f"dtype = {options['dtype']!r}: float32 is a setting of the whole process in Brian2, which this backend "
                "does not touch; use dtype='float64', or backend 'numba'"
            )
        super().__init__(network, **options)
        self._row: Mapping[str, np.ndarray] = {}
        with prepared(network.circuit) as brian2:
            from neurodyn.backends.brian2_build import arriving, build

            self.adopt(build(network, self.operations()))
            # once: a run of its own for each chunk costs 60 ms and would undo the draws put in below
            self.built.network.run(0 * brian2.second, namespace={})
        self._objects = [o for o in self.built.network.sorted_objects if o.active]
        self._steps, self._time = (self.built.clock.variables[n].get_value() for n in ("timestep", "t"))
        self._arriving = {
            s.name: self.built.groups[s.target_population].variables[arriving(k)].get_value()
            for k, s in enumerate(self.program.spikes)
        }
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
            if name in self.built.plastic:  # who fired says what is on its way
                continue
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
        for name, plastic in self.built.plastic.items():
            for pathway in plastic.arriving:
                _fill(pathway.queue, self._due(name))

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
        for name, synapses in self.built.synapses.items():
            plastic = self.built.plastic.get(name)
            for pathway in [synapses.pre] if plastic is None else plastic.arriving:
                _fill(pathway.queue, {})

    def _due(self, name: str) -> dict[int, list[int]]:
        """Return the synapses of a plastic connection by the steps until a spike arrives, in the order of emission."""
        emitted, wiring = self.emitted[name], self.network.wiring[name]
        due: dict[int, list[int]] = defaultdict(list)
        for k in range(max(self.step - len(emitted), 0), self.step):
            row = emitted[k % len(emitted)]
            for j in row[1 : 1 + row[0]]:
                for z in range(wiring.indptr[j], wiring.indptr[j + 1]):
                    left = k + int(wiring.delays[z]) - self.step
                    if left >= 0:
                        due[left].append(z)
        return due

    def _replace_draws(self) -> None:
        """Put our draws in the place of Brian2's: the k-th call in a text belongs to its k-th stream."""
        for population in self.program.populations:
            group, size = self.built.groups[population], self.network.sizes[population]
            # in the order of Brian2's text, which differs from process to process
            noise = [f"{population}.update.{name}" for name in noise_order(group.state_updater.abstract_code)]
            texts = [(group.state_updater, {"normal": noise})]
            streams = self._streams(population)
            if not noise and population in self.built.code:
                texts.append((self.built.code[population], streams["update"]))
            for event, condition, reset in (("spike", "threshold", "reset"), ("silenced", "silent_", "silenced")):
                if event in group.events:
                    texts += [(group.thresholder[event], streams[condition]), (group.resetter[event], streams[reset])]
            for runner, wanted in texts:
                for kind, word in (("normal", "randn"), ("uniform", "rand")):
                    if wanted.get(kind):
                        assert word in runner.codeobj.namespace, f"{runner.name} draws no {word}"
                        runner.codeobj.namespace[word] = self._drawer(kind, wanted[kind], size)

    def _streams(self, population: str) -> Mapping[str, dict[str, list[str]]]:
        """Return the streams of a population's draws by text ("silent_": when a silenced unit resets) and kind."""
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for phase in ("update", "threshold", "reset"):
            for block in self.program.phase(phase, population):
                for op in operations(block.body):
                    if op.op in ("normal", "uniform"):
                        _, text, target, *_ = f"{op.args[-1]}..".split(".")
                        found["silent_" if (text, target) == ("silenced", "silent_") else text][op.op].append(
                            str(op.args[-1])
                        )
        return found

    def _drawer(self, kind: str, streams: list[str], size: int) -> Callable[[Any], np.ndarray]:
        turn = itertools.cycle(streams)
        return lambda index: self.draw(kind, next(turn), size)[np.asarray(index, dtype=int)]


def _pending(queue: Any) -> list[Any]:
    """Return the synapses whose spikes arrive in 0, 1, 2, ... steps, in the order of their events."""
    if hasattr(queue, "n"):  # Brian2's queue in Python
        rows = [queue.X[k, : queue.n[k]] for k in range(len(queue.n))]
        first = queue.currenttime
    else:
        first, rows = queue._full_state()
    return [rows[(first + delay) % len(rows)] for delay in range(len(rows))]


def _fill(queue: Any, due: Mapping[int, list[int]]) -> None:
    """Put synapses into a queue of Brian2, by the steps until their spikes arrive; whatever it held is gone."""
    if not hasattr(queue, "n"):
        rows: list[list[int]] = [[] for _ in queue._full_state()[1]]
        for left, synapses in due.items():
            rows[left] = list(synapses)
        queue._restore_from_full_state((0, rows))
        return
    queue.n[:] = 0
    for left, synapses in due.items():
        if len(synapses) > queue.X.shape[1]:
            queue.X = np.zeros((len(queue.n), 2 * len(synapses)), dtype=queue.X.dtype)
            queue.X_flat = queue.X.reshape(-1)
            _fill(queue, due)
            return
        row = (queue.currenttime + left) % len(queue.n)
        queue.X[row, : len(synapses)] = synapses
        queue.n[row] = len(synapses)
