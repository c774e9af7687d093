"""Spikes of one population, as times and ids, trains, counts or rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.arrays import read_values
from neurodyn.recording.layout import dataset_at
from neurodyn.recording.values import decode

# Times are multiples of a step in floating point: 3 * 0.1 ms lies a hair above 0.3 ms. Bins must not care.
_SLACK = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Spikes:
    """Spikes of a population in the order of time.

    Parameters
    ----------
    times : ndarray (spike,)
        Milliseconds from the start of the run; a spike in step k bears k dt.
    ids : ndarray of int64 (spike,)
        Units, from 0.
    population : str
    size : int
        Number of units, silent ones included.
    dt_ms : float or None
        The step of the population, if known.
    duration_ms : float
        How long was recorded, as far as the file tells; else up to the end of the step of the last spike.
    """

    times: np.ndarray
    ids: np.ndarray
    population: str
    size: int
    dt_ms: float | None
    duration_ms: float

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return f"<Spikes of {self.population!r}: {len(self)} spikes, {self.size} units, {self.duration_ms:g} ms>"

    def trains(self, n: int | None = None) -> list[np.ndarray]:
        """Times in ms of each unit, for units 0 to n - 1 (all)."""
        n = self.size if n is None else n
        order = np.argsort(self.ids, kind="stable")
        edges = np.searchsorted(self.ids[order], np.arange(n + 1))
        times = self.times[order]
        return [times[start:stop] for start, stop in zip(edges[:-1], edges[1:], strict=True)]

    def counts(self, n: int | None = None) -> np.ndarray:
        """Number of spikes of each unit (n,), for units 0 to n - 1 (all)."""
        n = self.size if n is None else n
        return np.bincount(self.ids[self.ids < n], minlength=n)

    def between(self, start_ms: float, stop_ms: float) -> Spikes:
        """The spikes with start <= t < stop, their times counted from `start_ms`."""
        first, last = np.searchsorted(self.times, (start_ms - _SLACK, stop_ms - _SLACK))
        part = slice(first, last)
        return replace(
            self, times=self.times[part] - start_ms, ids=self.ids[part], duration_ms=float(stop_ms - start_ms)
        )

    def array(self, dt_ms: float = 1.0, duration: float | None = None) -> np.ndarray:
        """Spike counts (bin, unit) as int32 in bins of `dt_ms`, over `duration` ms (all by default)."""
        bins, inside = self._bins(dt_ms, duration)
        result = np.zeros((bins, self.size), dtype=np.int32)
        np.add.at(result, (self._bin(dt_ms)[inside], self.ids[inside]), 1)
        return result

    def rates(self, tau_ms: float = 30.0, dt_ms: float = 1.0, duration: float | None = None) -> np.ndarray:
        """Rates in Hz (bin, unit) as float32: each spike adds exp(-s / tau) / tau, read at the bins' ends.

        The exponential is exact for spikes anywhere within a bin.

        Parameters
        ----------
        tau_ms, dt_ms : float, ms
            Time constant and width of a bin, above 0.
        duration : float, ms, optional
            Where the last bin ends; by default where the recording of the spikes does.
        """
        if not tau_ms > 0:
            raise ValueError(f"tau_ms = {tau_ms!r}: the time constant of the filter must be positive")
        bins, inside = self._bins(dt_ms, duration)
        result = np.zeros((bins, self.size), dtype=np.float32)
        position = self._bin(dt_ms)[inside]
        age = (position + 1) * dt_ms - self.times[inside]
        np.add.at(result, (position, self.ids[inside]), (1000.0 / tau_ms * np.exp(-age / tau_ms)).astype(np.float32))
        decay = np.float32(np.exp(-dt_ms / tau_ms))
        for row in range(1, bins):
            result[row] += decay * result[row - 1]
        return result

    def _bin(self, dt_ms: float) -> np.ndarray:
        return np.floor(self.times / dt_ms + _SLACK).astype(np.int64)

    def _bins(self, dt_ms: float, duration: float | None) -> tuple[int, np.ndarray]:
        if not dt_ms > 0:
            raise ValueError(f"dt_ms = {dt_ms!r}: the width of a bin must be positive")
        duration = self.duration_ms if duration is None else duration
        bins = int(np.ceil(duration / dt_ms - _SLACK))
        return bins, self._bin(dt_ms) < bins


def read_spikes(group: h5py.Group, population: str, duration_ms: float | None) -> Spikes:
    """The spikes of a SONATA population group; `size` and `dt_ms` are there only in our own files."""
    times, ids = (read_values(dataset_at(group, name)) for name in ("timestamps", "node_ids"))
    attrs: dict[str, Any] = {key: decode(group.attrs[key]) for key in ("size", "dt_ms") if key in group.attrs}
    numbers = all(isinstance(value, int | float) for value in attrs.values())
    if (
        times.shape != ids.shape
        or times.ndim != 1
        or times.dtype.kind != "f"
        or ids.dtype.kind not in "iu"
        or not numbers
    ):
        raise ValueError(
            f"{group.file.filename}: {group.name} doesn't hold spikes as SONATA has them: {times.dtype} times "
            f"{times.shape}, {ids.dtype} ids {ids.shape}, {attrs}"
        )
    ids = ids.astype(np.int64)
    largest = int(ids.max()) + 1 if len(ids) else 0
    dt_ms = attrs.get("dt_ms")
    last = float(times[-1]) + (dt_ms or 0.0) if len(times) else 0.0
    duration = last if duration_ms is None else max(last, duration_ms)
    return Spikes(times, ids, population, max(largest, attrs.get("size", 0)), dt_ms, duration)
