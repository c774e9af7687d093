"""Firing rates from spikes: means, smooth rates of units, and the population rate."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, choice, number, spike_times, unit_ids, whole

# A spike and a sample that are meant to be simultaneous differ by rounding; this share of a step joins them.
_SLACK = 1e-6
# Beyond five standard deviations a Gaussian holds 6e-7 of its area.
_GAUSSIAN_REACH = 5.0


def firing_rates(ids: ArrayLike, n: int, duration_ms: float) -> FloatArray:
    """Mean firing rate of each unit in Hz.

    Parameters
    ----------
    ids : array of int, shape (spike)
        Which unit fired, 0 to n - 1.
    n : int
        Number of units, silent ones included.
    duration_ms : float
        Length of the stretch of time that the spikes come from.

    Returns
    -------
    array, shape (unit), in Hz
    """
    n = whole(n, "n")
    duration = number(duration_ms, "duration_ms", low=0, strict=True)
    return np.bincount(unit_ids(ids, n), minlength=n) * (1000.0 / duration)


def sample_times(start: float, stop: float, dt: float) -> FloatArray:
    """The times start, start + dt, ... before ``stop``, in ms: the rows of the rates in this module.

    Parameters
    ----------
    start, stop : float, ms
    dt : float, ms
        Above 0; stop - start has to be a whole number of it, at least 1.

    Raises
    ------
    ValueError
        No whole number of steps.
    """
    first, last = number(start, "start"), number(stop, "stop")
    step = number(dt, "dt", low=0, strict=True)
    steps = round((last - first) / step)
    if steps < 1 or abs((last - first) / step - steps) > _SLACK * steps:
        raise ValueError(
            f"start = {start!r}, stop = {stop!r}, step = {dt!r} ms: "
            "stop - start must be a whole number of steps, at least 1"
        )
    return first + step * np.arange(steps)


def instantaneous_rate(
    times: ArrayLike,
    ids: ArrayLike,
    n: int,
    *,
    start: float = 0.0,
    stop: float,
    dt: float = 1.0,
    kernel: Literal["exponential", "gaussian"] = "exponential",
    tau: float = 30.0,
) -> FloatArray:
    """Firing rate of each unit over time: every spike is replaced by a kernel of unit area.

    r_i(t) = sum over spikes s of unit i of k(t - s), with

    * exponential: k(u) = exp(-u / tau) / tau for u >= 0, causal, as a synapse or a readout sees it;
    * gaussian: k(u) = exp(-u^2 / 2 tau^2) / (tau sqrt(2 pi)), centred, and so looking into the future.

    Parameters
    ----------
    times : array, shape (spike), ms, in order
        Spikes before `start` count too, so give them if you have them.
    ids : array of int, shape (spike)
        Which unit fired, 0 to n - 1.
    n : int
        Number of units.
    start, stop, dt : float, ms
        Row k belongs to the time start + k dt, for times before `stop` (see :func:`sample_times`).
    kernel : "exponential" or "gaussian"
    tau : float, ms
        Time constant of the exponential, standard deviation of the Gaussian.

    Returns
    -------
    array, shape (time, unit), in Hz

    Notes
    -----
    Kernels are evaluated at the exact spike times, which need not lie on the grid. A spike at a sample's own
    time counts in that sample in full. The Gaussian is cut at 5 tau. Spikes after `stop` are missing from an
    exponential kernel by causality, from a Gaussian one only if they were not given.
    """
    n = whole(n, "n")
    spikes = spike_times(times)
    units = unit_ids(ids, n, spikes=spikes.size)
    grid = sample_times(start, stop, dt)
    width = number(tau, "tau", low=0, strict=True)
    choice(kernel, "kernel", ("exponential", "gaussian"))
    if kernel == "exponential":
        return _exponential(spikes, units, n, grid, dt, width)
    return _gaussian(spikes, units, n, grid, dt, width)


def _exponential(spikes: FloatArray, units: IntArray, n: int, grid: FloatArray, dt: float, tau: float) -> FloatArray:
    from scipy.signal import lfilter

    row = np.maximum(np.ceil((spikes - grid[0]) / dt - _SLACK), 0).astype(np.int64)
    seen = row < grid.size
    row, age = row[seen], np.maximum(grid[row[seen]] - spikes[seen], 0.0)
    drive = np.bincount(row * n + units[seen], weights=np.exp(-age / tau), minlength=grid.size * n)
    rate = lfilter([1.0], [1.0, -np.exp(-dt / tau)], drive.reshape(grid.size, n), axis=0)
    return np.asarray(rate) * (1000.0 / tau)


def _gaussian(spikes: FloatArray, units: IntArray, n: int, grid: FloatArray, dt: float, tau: float) -> FloatArray:
    reach = int(np.ceil(_GAUSSIAN_REACH * tau / dt))
    offsets = np.arange(-reach, reach + 1)
    rate = np.zeros((grid.size, n))
    batch = max(1, 1_000_000 // offsets.size)  # bounds the memory of the (spike, offset) table
    for some in (slice(k, k + batch) for k in range(0, spikes.size, batch)):
        rows = np.rint((spikes[some] - grid[0]) / dt).astype(np.int64)[:, None] + offsets
        distance = grid[0] + rows * dt - spikes[some, None]
        inside = (rows >= 0) & (rows < grid.size)
        columns = np.broadcast_to(units[some, None], rows.shape)
        np.add.at(rate, (rows[inside], columns[inside]), np.exp(-0.5 * (distance[inside] / tau) ** 2))
    return rate * (1000.0 / (tau * np.sqrt(2 * np.pi)))


def population_rate(times: ArrayLike, n: int, *, start: float = 0.0, stop: float, bin: float = 1.0) -> FloatArray:
    """Mean rate over the units of a population in successive bins of time.

    Parameters
    ----------
    times : array, shape (spike), ms, in order
        Spikes of all units together.
    n : int
        Number of units, silent ones included.
    start, stop, bin : float, ms
        Bin k is [start + k bin, start + (k + 1) bin); spikes outside [start, stop) are left out.

    Returns
    -------
    array, shape (time), in Hz
    """
    n = whole(n, "n")
    edges = sample_times(start, stop, bin) - _SLACK * bin
    counts = np.diff(np.searchsorted(spike_times(times), np.append(edges, edges[-1] + bin)))
    return counts * (1000.0 / (n * bin))
