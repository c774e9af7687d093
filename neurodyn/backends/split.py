"""One network on several threads: what each is given, and running them together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurodyn.backends.rows import blocks, row_starts
from neurodyn.kernels.emit import Sample
from neurodyn.kernels.split_step import LINE, SplitStep, ranges, splittable
from neurodyn.kernels.step import load
from neurodyn.kernels.threads import share
from neurodyn.network import Network

#: units that a thread needs of the largest population, to have more to do in a step than to meet the others
ENOUGH = 1024


class SplitAdvance:
    """What ``advance`` of a compiled step is, on several threads; see :mod:`neurodyn.kernels.split_step`."""

    def __init__(self, kernel: Any, given: Sequence[Sequence[Any]]) -> None:
        """``given`` (part, argument) are the arguments of each thread behind those of all and its number."""
        self._kernel, self._given = kernel, given

    @classmethod
    def of(
        cls, network: Network, samples: tuple[Sample, ...], dtype: str, divisors: tuple[str, ...], parts: int
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
        lists = [np.zeros((2, parts, sizes[name] + 1), np.int32) for name in program.spiking]
        step = SplitStep(program, samples, dtype, divisors)
        given = [
            [*(bound for name in program.populations for bound in starts[name][part : part + 2]), *lists, *rows[part]]
            for part in range(parts)
        ]
        return cls(load(step.source()).advance, given)

    def __call__(self, *arguments: Any) -> int:
        """Advance a chunk on all threads; return the steps done."""
        parts, done = len(self._given), [0] * len(self._given)
        gate = np.full((parts, LINE), -1, np.int64)

        def run(_: int, part: int) -> None:
            try:
                done[part] = self._kernel(*arguments, part, parts, gate, *self._given[part])
            except BaseException:
                gate[part, 0] = np.iinfo(np.int64).max  # lest the others wait for it for ever
                raise

        share(run, parts, parts)
        return done[0]
