"""Which points run as one launch, and how many at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from statistics import median
from typing import Any

from neurodyn.scan.amounts import show_seconds
from neurodyn.scan.errors import ScanError
from neurodyn.scan.points import Point
from neurodyn.units import UnitsError, quantity

_FIRST, _MOST = 8, 64  # points of the first batch that "auto" tries, and of the largest
_WORTH = 0.9  # a size has to cost at most this part of what the best so far costs, for each point
_FIRST_SINGLY = 3  # points of each slot; the first of them loads what the others find loaded
_TRIALS = 2  # batches of each size, for each slot; the first ones load what the others find loaded
_IN_VAIN = 2  # batches without a point done, after which there are no more


def checked_batch(batch: Any) -> int | str:
    """The option `batch`: a whole number, at least 1, or "auto"."""
    if batch != "auto" and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise ScanError(f"batch = {batch!r} has to be a whole number, at least 1, or 'auto'")
    return batch


def kind_of(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """What points of one batch have in common: everything but numbers and quantities."""
    return tuple((name, _kind(config[name])) for name in sorted(config))


def _kind(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return ("list", tuple(dict.fromkeys(map(_kind, value))))
    if isinstance(value, Mapping):
        return ("mapping", kind_of(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    if isinstance(value, str):
        with suppress(UnitsError, ValueError):
            return ("quantity", quantity(value).dimensions)
    return ("value", repr(value))


class Queue:
    """Points that wait; those that can be a batch stand side by side.

    Parameters
    ----------
    points : sequence of Point
    config : callable
        All parameters of a point.
    sizes : Sizes
    alone : collection of str
        Keys of points that run singly, whatever the sizes.
    """

    def __init__(
        self,
        points: Sequence[Point],
        config: Callable[[Point], Mapping[str, Any]],
        sizes: Sizes,
        alone: Collection[str],
    ) -> None:
        self.sizes, self._alone = sizes, set(alone)
        self._groups: deque[deque[Point]] = deque()
        if sizes.batch == 1:
            self._groups.append(deque(points))
        else:
            groups: dict[Any, deque[Point]] = {}
            for point in points:
                kind = point.key if point.key in self._alone else kind_of(config(point))
                groups.setdefault(kind, deque()).append(point)
            self._groups.extend(groups.values())

    def __bool__(self) -> bool:
        return any(self._groups)

    def take(self, wanted: Callable[[Point], bool]) -> list[Point]:
        """The points that run next as one, those left out that are not wanted (any more); may be empty."""
        while self._groups and not self._groups[0]:
            self._groups.popleft()
        if not self._groups:
            return []
        group, taken = self._groups[0], list[Point]()
        size = self.sizes.next(len(group))
        while group and len(taken) < size:
            point = group.popleft()
            if wanted(point):
                taken.append(point)
        return taken

    def again(self, point: Point) -> None:
        """Put a point in front of the others, to be run singly."""
        self._groups.appendleft(deque([point]))


class Sizes:
    """How many points the next batch has.

    Parameters
    ----------
    batch : int or "auto"
        "auto" runs the first points singly, then 8 as one and twice as many while a point gets cheaper by that.
    slots : int
        Batches at a time.
    memory : int or None
        Bytes that a point may take; a batch of "auto" keeps to what one point may.
    """

    def __init__(self, batch: int | str, *, slots: int, memory: int | None) -> None:
        self.batch, self._slots, self._memory = batch, slots, memory
        self._costs: dict[int, list[float]] = {}  # seconds of a slot for each point, by size
        self._peak = 0
        self._trying: int | None = None
        self._tried: list[int] = []
        self._settled = batch != "auto"
        self._best = 1 if batch == "auto" else int(batch)
        self._in_vain = 0

    def next(self, left: int) -> int:
        """How many points to take of `left` that are alike; all slots shall get some."""
        if not self._settled and self._trying is None and len(self._costs.get(1, ())) >= _FIRST_SINGLY * self._slots:
            self._trying = self._larger()
        size = self._trying or self._best
        fair = -(-left // self._slots)
        if size == self._trying and fair < size:  # too few of these are left to learn from
            self._trying, size = None, self._best
        return max(1, min(size, fair))

    def ended(self, count: int, done: int, seconds: float, peak: int) -> None:
        """Take note of a batch: how many of its points came to their end, for how long it held its slot, what memory."""
        if count == 1:
            self._peak = max(self._peak, peak)
        elif not done:
            self._in_vain += 1
            if self._in_vain >= _IN_VAIN:
                self._best, self._settled, self._trying = 1, True, None
        if done:
            self._costs.setdefault(count, []).append(seconds / done)  # the others cost it again
        if count == self._trying and not self._settled and len(self._costs.get(count, ())) >= _TRIALS * self._slots:
            self._trying = None
            self._tried.append(count)
            self._settled = min(self._costs[count]) >= _WORTH * self.cost(self._best)
            self._best = self._best if self._settled else count

    def cost(self, size: int) -> float:
        """Seconds of a slot that a point takes in batches of this size."""
        return median(self._costs[size][-2 * self._slots :])

    def _larger(self) -> int | None:
        """The size to try next, if memory allows it."""
        size = _FIRST if self._best == 1 else 2 * self._best
        most = min(_MOST, self._fitting())
        if self._best == 1:
            size = min(size, most)
        if size <= max(self._best, 1) or size > most:
            self._settled = True
            return None
        return size

    def _fitting(self) -> int:
        """How many points fit into memory, as far as is known."""
        room = self._memory or free_memory() / 2 / self._slots
        return int(room / self._peak) if self._peak else _MOST

    @property
    def note(self) -> str:
        """What came of it, in a sentence; "" where nothing was to be decided."""
        if self._in_vain >= _IN_VAIN:
            return f"batches gave no results {_IN_VAIN} times: points ran singly"
        if self.batch != "auto":
            return ""
        if not self._tried:
            return "batch: too few points to find out whether batches are faster; they ran singly"
        costs = ", ".join(f"{show_seconds(self.cost(size))} in batches of {size}" for size in self._tried)
        how = f"batches of {self._best}" if self._best > 1 else "single points"
        return f"batch: {how} (a point takes {show_seconds(self.cost(1))} singly, {costs})"


def free_memory() -> float:
    """Bytes of memory that are free, infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError):
        return float("inf")
