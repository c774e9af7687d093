"""The plain NumPy runner: the Program as it is written, one step after the other. Slow, short, the oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neurodyn.backends.engine import HostEngine, Records
from neurodyn.program import LAST_PHASES, Spikes


class InterpreterEngine(HostEngine):
    """Run the blocks of a Program with :class:`neurodyn.evaluate.Evaluator`."""

    name = "interpreter"

    def advance(self, steps: int, inputs: Mapping[str, np.ndarray]) -> Records:
        """Advance step by step, in the order that the design fixes."""
        spikes: dict[str, list[tuple[int, np.ndarray]]] = {p: [] for p in self.recorded}
        samples: dict[str, list[np.ndarray]] = {s.array: [] for s in self.samples}
        for k in range(steps):
            self._clock()
            with np.errstate(all="ignore"):  # simulate() looks for infinite numbers itself
                fired = self._step({name: values[k] for name, values in inputs.items()})
            for population in self.recorded:
                spikes[population].append((self.step, fired[population]))
            self.step += 1
            for spec in self.samples:
                if self.step % spec.every == 0:
                    chosen = spec.units if self.arrays[spec.array].ndim else None
                    samples[spec.array].append(np.array(np.atleast_1d(self.value(spec.array, chosen))))
        return Records(
            {
                p: (
                    np.concatenate([np.full(u.size, k, np.int64) for k, u in s]) if s else np.empty(0, np.int64),
                    np.concatenate([u.astype(np.int32) for _, u in s]) if s else np.empty(0, np.int32),
                )
                for p, s in spikes.items()
            },
            {
                s.array: np.array(samples[s.array], self.arrays[s.array].dtype).reshape(
                    len(samples[s.array]), s.units.size
                )
                for s in self.samples
            },
        )

    def _step(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        program, arrays = self.program, self.arrays
        self._receive(inputs)
        for population in program.populations:
            self._sums_onto(population)
            self._run("update", population)
        fired = {}
        for population in program.spiking:
            (block,) = program.phase("threshold", population)
            above = self.evaluator.run(block)
            fired[population] = np.flatnonzero(np.broadcast_to(np.asarray(above), (self.network.sizes[population],)))
            self._run("spiked", population, fired[population])
        for population in program.spike_sources:
            steps, units = self.network.schedules[population]
            fired[population] = units[slice(*np.searchsorted(steps, [self.step, self.step + 1]))]
        for s in program.spikes:
            if s.plastic:
                self._pair(s, fired)
                continue
            wiring, ring = self.network.wiring[s.name], self.rings[s.name]
            rows = [np.arange(wiring.indptr[j], wiring.indptr[j + 1]) for j in fired[s.source]]
            at = np.concatenate(rows) if rows else np.empty(0, np.int64)
            slots = (self.step + wiring.delays[at]) % ring.shape[0]
            np.add.at(ring, (slots, wiring.targets[at]), wiring.weights[at].astype(self.dtype))
        for s in program.spikes:
            ring, target = self.rings[s.name], arrays[s.target]
            slot = ring[self.step % len(ring)]
            target[...] = target + slot if s.guard is None else np.where(arrays[s.guard], target + slot, target)
            slot[...] = 0.0
        for population in program.populations:
            self._run("reset", population, fired.get(population))
        self._read_out(fired)
        return fired

    def _pair(self, s: Spikes, fired: Mapping[str, np.ndarray]) -> None:
        """Run the rules of a plastic connection at spikes of its targets and at those that arrive, which deliver."""
        events, emitted = self.events[s.name], self.emitted[s.name]
        self._note(s, fired)
        rows = [
            events.onto[events.onto_first[i] : events.onto_first[i + 1]] for i in fired.get(s.target_population, ())
        ]
        self._run("on_post", s.name, _joined(rows))
        rows = []
        for lag, first in zip(events.lags, events.first, strict=True):
            then = emitted[(self.step - lag) % len(emitted)]
            rows += [events.arriving[first[j] : first[j + 1]] for j in then[1 : 1 + then[0]]]
        self._run("on_pre", s.name, _joined(rows))
        self._run("paired", s.name, fired.get(s.target_population, np.empty(0, np.int64)))

    def _note(self, s: Spikes, fired: Mapping[str, np.ndarray]) -> None:
        row = self.emitted[s.name][self.step % len(self.emitted[s.name])]
        row[0] = fired[s.source].size
        row[1 : 1 + row[0]] = fired[s.source]

    def _receive(self, inputs: Mapping[str, np.ndarray]) -> None:
        """Take the inputs of this step, and the weighted sums that need nothing else of it."""
        for name, row in inputs.items():
            array = self.arrays[f"{name}.value"]
            array[...] = row if array.ndim else row[0]
        for s in self.program.sums:
            if s.delay >= 1 or s.source_axis not in self.program.populations:
                self._sum(s)

    def _sums_onto(self, population: str) -> None:
        """Write the weighted sums onto a population, in front of its update."""
        onto = [s for s in self.program.sums if s.target_population == population]
        for s in onto:
            if s.delay == 0 and s.source_axis in self.program.populations:
                self._sum(s)
        for target in dict.fromkeys(s.target for s in onto):
            first, *rest = (self.sums[s.name] for s in onto if s.target == target)
            total = first.copy()
            for term in rest:
                total = total + term
            self.arrays[target][...] = total

    def _read_out(self, fired: Mapping[str, np.ndarray]) -> None:
        """Run filters, readouts and rules, and keep what later weighted sums need."""
        self._last(LAST_PHASES, fired)
        self._remember()

    def _remember(self) -> None:
        """Keep the sources of late weighted sums."""
        for s in self.program.sums:
            if s.late:
                self.histories[s.name][(self.step + 1) % s.delay] = np.atleast_1d(self.arrays[s.source])

    def _last(self, phases: Sequence[str], fired: Mapping[str, np.ndarray]) -> None:
        for phase in phases:
            for block in self.program.phase(phase):
                self.evaluator.run(block, fired.get(block.spikes_of or ""))

    def _run(self, phase: str, owner: str, units: np.ndarray | None = None) -> None:
        for block in self.program.phase(phase, owner):
            self.evaluator.run(block, units)

    def _sum(self, s) -> None:
        """Add the sources' contributions in index order; numpy's products would add them in another."""
        wiring = self.network.wiring[s.name]
        weights = self.arrays[f"{s.name}.w"] if s.plastic else wiring.weights.astype(self.dtype)
        values = self.histories[s.name][(self.step + 1) % s.delay] if s.late else np.atleast_1d(self.arrays[s.source])
        total = np.zeros_like(self.sums[s.name])
        for j, x in enumerate(values):
            if x == 0.0:
                continue
            if wiring.matrix is not None and s.layout == "dense" and not s.plastic:
                total += wiring.matrix[j].astype(self.dtype) * x
            else:
                row = slice(wiring.indptr[j], wiring.indptr[j + 1])
                np.add.at(total, wiring.targets[row], weights[row] * x)
        self.sums[s.name][...] = total


def _joined(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows) if rows else np.empty(0, np.int64)
