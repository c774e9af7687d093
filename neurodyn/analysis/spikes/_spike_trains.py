"""Spikes in the forms that users have them, as one train for each unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, number, spike_times, unit_ids, whole

# A spike meant to lie on an edge belongs to the bin that starts there: 3 * 0.1 ms lies a hair above 0.3 ms.
_SLACK = 1e-6


@dataclass(frozen=True, eq=False)
class Trains:
    """Spikes unit by unit: times (spike,) in ms within [0, duration_ms), the unit of each, and the counts (unit,)."""

    times: FloatArray
    member: IntArray
    counts: IntArray
    duration_ms: float

    def __len__(self) -> int:
        return len(self.counts)

    def train(self, unit: int) -> FloatArray:
        """The times of one unit."""
        first = int(self.counts[:unit].sum())
        return self.times[first : first + self.counts[unit]]

    def only(self, units: IntArray) -> Trains:
        """Some of the units, numbered anew in the order given; they have to rise."""
        place = np.full(len(self), -1)
        place[units] = np.arange(len(units))
        kept = place[self.member] >= 0
        return Trains(self.times[kept], place[self.member[kept]], self.counts[units], self.duration_ms)

    def bins(self, width: float, name: str = "bin") -> int:
        """How many whole bins of `width` ms there are; the rest of the recording is left out."""
        found = int(np.floor(self.duration_ms / number(width, name, low=0, strict=True) + _SLACK))
        if found < 2:
            raise ValueError(f"{name} = {width:g} ms: the {self.duration_ms:g} ms recorded have to hold two at least")
        return found

    def binned(self, width: float, name: str = "bin") -> FloatArray:
        """Counts (bin, unit) in the whole bins of `width` ms."""
        bins = self.bins(width, name)
        where = bin_of(self.times, width)
        kept = where < bins
        flat = np.bincount(where[kept] * len(self) + self.member[kept], minlength=bins * len(self))
        return flat.reshape(bins, len(self)).astype(np.float64)


def bin_of(times: FloatArray, width: float) -> IntArray:
    """The bin of each time, bins half-open and counted from 0."""
    return np.floor(times / width + _SLACK).astype(np.int64)


def gathered(spikes: Any, ids: ArrayLike | None, n: int | None, duration_ms: float | None) -> Trains:
    """The trains in a `Spikes` of a recording, in a list of trains, or in times with ids and n."""
    if all(hasattr(spikes, name) for name in ("times", "ids", "size", "duration_ms")):
        if ids is not None or n is not None:
            raise ValueError("ids and n come with the spikes of a recording: leave them out")
        times, ids, n = spikes.times, spikes.ids, spikes.size
        duration_ms = spikes.duration_ms if duration_ms is None else duration_ms
    else:
        times = spikes
    if duration_ms is None:
        raise ValueError("duration_ms is missing: give how long was recorded in ms, from time 0 on")
    duration = number(duration_ms, "duration_ms", low=0, strict=True)
    if ids is None and n is None:
        trains = _listed(times)
        spiked, counts = np.concatenate(trains), np.array([len(train) for train in trains])
        member = np.repeat(np.arange(len(trains)), counts)
    elif ids is None or n is None:
        raise ValueError("times need both ids and n: the unit of each spike, and the number of units")
    else:
        spiked = spike_times(times, "spikes")
        member = unit_ids(ids, whole(n, "n"), spikes=spiked.size)
        order = np.argsort(member, kind="stable")
        spiked, member, counts = spiked[order], member[order], np.bincount(member, minlength=n)
    outside = np.flatnonzero((spiked < 0) | (spiked >= duration * (1 + 1e-9)))
    if outside.size:
        raise ValueError(
            f"unit {member[outside[0]]} has a spike at {spiked[outside[0]]:g} ms, outside 0 to duration_ms = {duration:g}: "
            "cut the spikes, and count their times from the start"
        )
    return Trains(spiked, member, counts, duration)


def _listed(trains: Any) -> list[FloatArray]:
    if not isinstance(trains, Sequence) or not len(trains) or any(np.ndim(train) != 1 for train in trains):
        raise ValueError(
            "spikes: give the spikes of a recording, a list with one array of times (ms) for each unit, "
            "or times with ids and n"
        )
    return [spike_times(train, f"spikes[{unit}]") for unit, train in enumerate(trains)]


def reordered(given: Trains, rng: np.random.Generator) -> Trains:
    """The same first spike and the same intervals of each unit, in random order."""
    first = np.concatenate(([True], given.member[1:] != given.member[:-1]))
    intervals = np.diff(given.times, prepend=0.0)
    order = np.argsort(2 * given.member + np.where(first, -0.5, rng.random(given.times.size)), kind="stable")
    intervals[first] = given.times[first]
    summed = np.cumsum(intervals[order])
    start = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
    return replace(given, times=summed - (summed - intervals[order])[start])


def rotated(given: Trains, rng: np.random.Generator) -> Trains:
    """Each unit rotated in time by its own random amount; times no longer in order."""
    offset = rng.uniform(0, given.duration_ms, len(given))
    return replace(given, times=(given.times + offset[given.member]) % given.duration_ms)
