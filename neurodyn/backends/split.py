"""One network on several threads: what each is given, and running them together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurodyn.backends.rows import blocks, row_starts
from neurodyn.kernels.emit import Sample
from neurodyn.kernels.split_step import LINE, SplitStep, ranges, splittable
from neurodyn.kernels.step import load, scalars, source
from neurodyn.kernels.table import Table
from neurodyn.kernels.threads import share
from neurodyn.network import Network

#: units that a thread needs of the largest population, to have more to do in a step than to meet the others
ENOUGH = 1024


class SplitAdvance:
    """What ``advance`` of a compiled step is, on several threads; see :mod:`neurodyn.kernels.split_step`."""

    def __init__(
        self, kernel: Any, numbers: Sequence[Sequence[int]], tables: Sequence[Table], gate: np.ndarray
    ) -> None:
        """``numbers`` and ``tables`` (part) are what each thread gets behind that for all; at the ``gate`` they meet."""
        self._kernel, self._numbers, self._tables, self._gate = kernel, numbers, tables, gate

    @classmethod
    def of(
        cls,
        network: Network,
        samples: tuple[Sample, ...],
        dtype: str,
        table: Table,
        divisors: tuple[str, ...],
        parts: int,
    ) -> SplitAdvance | None:
        """Return the common step of at most ``parts`` threads for a network that they can share, None for another."""
        program, sizes = network.program, network.sizes
        parts = min(parts, max((sizes[name] for name in program.populations), default=0) // ENOUGH)
        if parts < 2 or not splittable(program, samples):
            return None
        starts = {name: ranges(sizes[name], parts) for name in program.populations}
        rows: list[list[np.ndarray]] = [[] for _ in range(parts)]
        for part, s in itertools.product(range(parts), program.spikes):
            wiring, units = network.wiring[s.name], sizes[s.target_population]
            first, end = starts[s.target_population][part : part + 2]
            found = row_starts(wiring, blocks(first, end, s, wiring, units) if first < end else [first, end])
            if found is None:
                return None
            rows[part].append(found)
        gate = np.empty((parts, LINE), np.int64)
        lists = [np.zeros((2, parts, sizes[name] + 1), np.int32) for name in program.spiking]
        step = SplitStep(program, samples, dtype, divisors)
        names = step.arrays()
        tables = [Table.of(dict(zip(names, [gate, *lists, *rows[part]], strict=True))) for part in range(parts)]
        numbers = [
            [part, parts, *(bound for name in program.populations for bound in starts[name][part : part + 2])]
            for part in range(parts)
        ]
        arguments = [*scalars(program, samples), "table", *step.scalars(), "own"]
        kernel = load(source(step, arguments, table=table, own=tables[0])).advance
        return cls(kernel, numbers, tables, gate)

    def __call__(self, *arguments: Any) -> int:
        """Advance a chunk on all threads; return the steps done."""
        parts = len(self._tables)
        done = [0] * parts
        self._gate[:] = -1

        def run(_: int, part: int) -> None:
            try:
                done[part] = self._kernel(*arguments, *self._numbers[part], self._tables[part].numbers)
            except BaseException:
                self._gate[part, 0] = np.iinfo(np.int64).max  # lest the others wait for it for ever
                raise

        share(run, parts, parts)
        return done[0]
