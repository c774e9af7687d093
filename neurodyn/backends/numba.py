"""The fast CPU runner: the Program compiled by Numba into one loop over steps."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from neurodyn.backends.blocks import Block
from neurodyn.backends.engine import Records, aligned, joined
from neurodyn.backends.first_run import FirstRun
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.backends.rows import rows_of
from neurodyn.backends.split import SplitAdvance
from neurodyn.kernels.emit import Emitter, Sample
from neurodyn.kernels.step import arrays, compile_step
from neurodyn.kernels.table import Kind, Table
from neurodyn.kernels.vectors import shared_divisors
from neurodyn.program import Array, Op, Spikes
from neurodyn.wiring import Wiring, in_two_bytes


class NumbaEngine(InterpreterEngine):
    """Run chunks of steps in compiled code; the interpreter lock is released, so engines run side by side in threads."""

    name = "numba"
    threads = True
    early = True

    def __init__(self, network, *, parts: int = 1, steps: int | None = None, **options) -> None:
        """As many as ``parts`` threads share the network if they can and it is large enough; else one does.

        With ``steps``, those of the whole run, a short first one is interpreted (:mod:`neurodyn.backends.first_run`).
        """
        super().__init__(network, **options)
        self._side_by_side()
        samples = tuple(Sample(s.array) for s in self.samples)
        divisors = shared_divisors(self.program, self.arrays, self.dtype)
        emitter = Emitter(self.program, samples, self.dtype)
        self._numbers = [np.uint64(network.seed), *(self._size(a) for a in emitter.dynamic)]
        self._rows = {s.array: Block(s.units.size, self.arrays[s.array].dtype) for s in self.samples}
        self._capacity = max([4096, *(2 * self._size(p) for p in self.program.spiking)])
        # the arrays that last, then those that each call brings
        lasting, brought = self._lasting(), self._kinds_of_a_call()
        names = arrays(self.program, samples)
        self._lasting_arrays = dict(zip(names, lasting, strict=False))  # alive as long as the table
        self._brought = names[len(lasting) :]
        kinds = [*(Kind.of(a) for a in lasting), *brought]
        self._table = Table(dict(zip(names, kinds, strict=True)))
        self._table.put(self._lasting_arrays)
        split = parts > 1 and SplitAdvance.of(network, samples, self.dtype, self._table, divisors, parts)
        self._first: FirstRun | None = None
        if split:
            self._advance = split
            return
        step = compile_step(self.program, samples, self.dtype, self._table, divisors)
        self._advance = step.advance
        if steps is not None:
            self._first = FirstRun.of(network, self.dtype, step, steps)

    def _lasting(self) -> list[np.ndarray]:
        """The arrays that all calls share."""
        found = [_argument(self.arrays[a.name], a) for a in self.program.arrays]
        for s in self.program.spikes:
            w = self.network.wiring[s.name]
            if s.plastic:
                lists = self.events[s.name]
                first, onto_first = lists.first.view(np.uint64), lists.onto_first.view(np.uint64)
                ring = self.rings[s.name]
                found += [self.emitted[s.name], lists.lags, first, lists.arriving, onto_first, lists.onto, ring]
                continue
            rows = rows_of(s, w, self._size(s.target_population))
            found += [rows, _targets(w), _shared(w.weights, self.dtype), _delays(s, w), self.rings[s.name]]
        for s in self.program.sums:
            w = self.network.wiring[s.name]
            if s.layout != "dense":
                found += [w.indptr.view(np.uint64), _targets(w)]
            if not s.plastic:
                weights = w.weights if s.layout != "dense" else w.matrix
                found.append(_shared(np.asarray(weights), self.dtype))
            found += [self.histories[s.name], self.sums[s.name]]
        found += [x for p in self.program.spike_sources for x in self._schedule(p)]
        return [*found, *(s.units for s in self.samples)]

    def _kinds_of_a_call(self) -> list[Kind]:
        spikes = [Kind("int64", 1), Kind("int32", 1)] * len(self.program.spiking)
        samples = [Kind(self.arrays[s.array].dtype.name, 2) for s in self.samples]
        return [*[Kind(self.dtype, 2)] * len(self.program.inputs), *spikes, *samples, Kind("int64", 1)]

    def _side_by_side(self) -> None:
        """Lay the numbers of a plastic synapse side by side: an event, which reads them all, then waits for memory once.

        Not where a rule goes through all synapses in every step: there each array in a piece is four times as quick.
        """
        at_events = ("on_pre", "on_post", "initial", "start", "constants", "trial_start", "trial_end", "view")
        swept = {
            operation.axes
            for block in self.program.blocks
            if block.phase not in at_events
            for operation in block.body
            if isinstance(operation, Op)
        }
        for s in (s for s in self.program.spikes if s.plastic and (s.name,) not in swept):
            of_synapses = [a for a in self.program.arrays if a.axes == (s.name,) and a.dtype == "float" and not a.wide]
            names = [a.name for a in of_synapses if a.role in ("state", "memory")]
            together = aligned(np.empty((self._size(s.name), len(names)), self.dtype), self.dtype)
            for column, name in enumerate(names):
                together[:, column] = self.arrays[name]
                self.arrays[name] = together[:, column]

    def _size(self, axis: str) -> int:
        return self.network.sizes[axis]

    def _schedule(self, population: str) -> tuple[np.ndarray, np.ndarray]:
        steps, units = self.network.schedules[population]
        return steps, units.astype(np.int32)

    def _rls(self, arrays, matrix, x, forgetting, old_gain=0.0):
        from neurodyn.kernels.rls import rls_gain

        gain = np.empty(len(x))
        rls_gain(arrays[matrix], np.ascontiguousarray(x, dtype=float), float(forgetting), float(old_gain), gain)
        return gain

    def advance(self, steps: int, inputs: Mapping[str, np.ndarray]) -> Records:
        """Advance, interpreted as long as that is done sooner than to compile."""
        if self._first is None:
            return self._compiled(steps, inputs)
        found, done = [], 0
        while self._first is not None and done < steps:
            part = self._first.part(steps - done)
            start = time.perf_counter()
            found.append(super().advance(part, {n: v[done : done + part] for n, v in inputs.items()}))
            done += part
            if not self._first.goes_on(part, time.perf_counter() - start):
                self._first = None
        if done < steps:
            found.append(self._compiled(steps - done, {n: v[done:] for n, v in inputs.items()}))
        return joined(self, found)

    def _compiled(self, steps: int, inputs: Mapping[str, np.ndarray]) -> Records:
        """Advance in as few calls as the spike buffers allow."""
        blocks = [np.ascontiguousarray(inputs[name], dtype=self.dtype) for name in self.program.inputs]
        out = Records()
        spikes: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {p: [] for p in self.recorded}
        buffers = {s.array: self._rows[s.array].cut(s.rows(self.step, steps)) for s in self.samples}
        first = self.step
        while self.step < first + steps:
            done = self.step - first
            counts = np.zeros(max(len(self.program.spiking), 1), np.int64)
            on = [p in self.recorded for p in self.program.spiking]
            kept = {
                p: (np.empty(self._capacity, np.int64), np.empty(self._capacity, np.int32))
                if p in self.recorded
                else (np.empty(2 * self._size(p) + 1, np.int64), np.empty(0, np.int32))
                for p in self.program.spiking
            }
            rows = [buffers[s.array][self.step // s.every - first // s.every :] for s in self.samples]
            brought = [*(b[done:] for b in blocks), *(array for pair in kept.values() for array in pair), *rows, counts]
            self._table.put(dict(zip(self._brought, brought, strict=True)))
            every = [s.every for s in self.samples]
            made = self._advance(self.step, steps - done, *self._numbers, *on, *every, self._table.numbers)
            del brought, rows  # the memory of samples is used again where nobody looks at it
            for number, p in enumerate(self.program.spiking):
                if p in self.recorded:
                    n = counts[number]
                    spikes[p].append((kept[p][0][:n].copy(), kept[p][1][:n].copy()))
            self.step += made
            if made < steps - done:
                self._capacity *= 2
        out.spikes = {
            p: (
                np.concatenate([a for a, _ in s]) if s else np.empty(0, np.int64),
                np.concatenate([b for _, b in s]) if s else np.empty(0, np.int32),
            )
            for p, s in spikes.items()
        }
        out.samples = buffers
        return out


def _shared(numbers: np.ndarray, dtype: str) -> np.ndarray:
    """Return the numbers of the network themselves, a copy only where compiled code could not take them."""
    return np.require(numbers, dtype, "C")


def _delays(s: Spikes, wiring: Wiring) -> np.ndarray:
    """Return the delay of each synapse, none where the code reads none since all are equal."""
    return _shared(wiring.delays, "int32") if s.delays == "heterogeneous" else np.empty(0, np.int32)


def _targets(wiring: Wiring) -> np.ndarray:
    """Return targets as unsigned numbers, since a signed index costs a test for negative ones each time.

    What is read of a synapse decides how long a spike takes to pass on, so they are as short as they can be.
    """
    targets = wiring.targets
    short = in_two_bytes(int(targets.max(initial=0)) + 1, targets.size)
    return targets.astype(np.uint16) if short else targets.view(np.uint32)


def _argument(array: np.ndarray, of: Array) -> np.ndarray:
    if of.dtype == "index":
        return array.view(np.uint32)
    return array if of.axes else array.reshape(1)
