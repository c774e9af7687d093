"""Where the synapses of each source begin, for the loop that passes spikes on: by ranges of targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodyn.program import Spikes
from neurodyn.wiring import Wiring

#: targets whose accumulators stay in the first cache while all spikes of a step are served
TARGETS = 4096
#: synapses of a row onto such a block, on average, that make it worth a loop of its own
SYNAPSES = 64


def row_starts(wiring: Wiring, starts: Sequence[int]) -> np.ndarray | None:
    """Return where the synapses onto each range of targets begin, (sources, ranges + 1) uint64; None if a row isn't sorted.

    ``starts`` (ranges + 1,) are the first targets of the ranges and the end of the last.
    """
    from neurodyn.kernels.wiring import starts_in_rows

    out = np.empty((wiring.indptr.size - 1, len(starts)), np.uint64)
    return out if starts_in_rows(wiring.indptr, wiring.targets, np.asarray(starts, np.int64), out) else None


def blocks(first: int, end: int, spikes: Spikes, wiring: Wiring, units: int) -> list[int]:
    """Return where blocks of the targets ``first`` to ``end``, of so many ``units``, begin, and the end."""
    of_a_block = wiring.targets.size * min(1.0, TARGETS / max(1, units)) / max(1, wiring.indptr.size - 1)
    if of_a_block < SYNAPSES or spikes.delays == "heterogeneous":
        return [first, end]
    ranges = max(1, -(-(end - first) // TARGETS))
    return [first + (end - first) * k // ranges for k in range(ranges + 1)]


def rows_of(spikes: Spikes, wiring: Wiring, units: int) -> np.ndarray:
    """Return the rows of a connection, in blocks of targets where that is quicker."""
    starts = blocks(0, units, spikes, wiring, units)
    found = row_starts(wiring, starts) if len(starts) > 2 else None
    return np.stack([wiring.indptr[:-1], wiring.indptr[1:]], axis=1).view(np.uint64) if found is None else found
