"""Whether the first run of a circuit is interpreted: compiling takes seconds, and a run may be done before.

Only where nobody sees a difference: circuits of the exact class in float64, to the same bits. What was interpreted of a
circuit is added up over runs and processes, so that a thousand short runs are compiled as one long run is.
"""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from types import ModuleType

from neurodyn.kernels import cache
from neurodyn.network import Network

PATIENCE_S = 2.0  # compiling takes 2 to 8 s
LARGEST = 2**20  # units and synapses; to build more takes longer than to compile
_LONGEST = 64  # steps between two looks at the clock


def patience() -> float:
    """Return the seconds for which a circuit may be interpreted; the environment variable NEURODYN_PATIENCE overrides it."""
    given = os.environ.get("NEURODYN_PATIENCE", "")
    if not given:
        return PATIENCE_S
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise ValueError(f"NEURODYN_PATIENCE = {given!r}: give seconds, 0 or more; 0 compiles before the first step")
    return seconds


class FirstRun:
    """The clock of a run that begins interpreted: for how many steps it goes on so."""

    def __init__(self, steps: int, spent_s: float, budget_s: float, tally: Path) -> None:
        self.left, self.spent, self.budget, self.tally = steps, spent_s, budget_s, tally
        self._part = 1

    @classmethod
    def of(cls, network: Network, dtype: str, step: ModuleType, steps: int) -> FirstRun | None:
        """Return the clock of a run of so many steps, or None for one that is compiled at once."""
        if dtype != "float64" or network.program.exactness != "exact" or is_compiled(step):
            return None
        if network.synapses + sum(network.sizes[p] for p in network.program.populations) > LARGEST:
            return None
        tally, budget = cache.folder() / "kernels" / f"{step.__name__}.interpreted", patience()
        spent = 0.0
        with contextlib.suppress(OSError, ValueError):
            spent = float(tally.read_text(encoding="utf-8"))
        return cls(steps, spent, budget, tally) if spent < budget else None

    def part(self, steps: int) -> int:
        """Return how many of ``steps`` to interpret before the next look at the clock."""
        return min(steps, self._part)

    def goes_on(self, steps: int, seconds: float) -> bool:
        """Take note of a part; return whether the rest of the run would be interpreted sooner than compiled."""
        self.left, self.spent = self.left - steps, self.spent + seconds
        ahead = self.left * seconds / steps if self._part > 1 else 0.0  # the first step does what is done once
        self._part = min(4 * self._part, _LONGEST)
        on = self.left > 0 and self.spent + ahead <= self.budget
        if not on:
            with contextlib.suppress(OSError):  # a full or read-only disk: the next run is interpreted, too
                cache.atomic_write(self.tally, repr(self.spent if self.left <= 0 else self.budget))
        return on


def is_compiled(step: ModuleType) -> bool:
    """Return whether the machine code of a step is there, in this process or on disk."""
    if step.advance.signatures:
        return True
    place = step.advance.stats.cache_path
    return place is not None and any(Path(place).glob(f"{step.__name__}.advance-*.nbi"))
