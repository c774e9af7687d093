"""Peri-event time histograms: how spikes lie around events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, choice, floats, number, spike_times, unit_ids, whole
from ..nulls import NullTest
from .rates import sample_times


@dataclass(frozen=True, eq=False)
class PETH:
    """Firing around events. With ids the arrays gain a last axis of units.

    Attributes
    ----------
    time : array, shape (bin), ms
        Centres of the bins, relative to the event.
    mean, sem : array, shape (bin[, unit]), Hz
        Mean over events, and its standard error (NaN with a single event).
    counts : array of int, shape (event, bin[, unit])
        Spikes.
    null_mean, null_low, null_high : array, shape (bin[, unit]), Hz
        Mean and 5th and 95th percentile, bin by bin, of the histogram without locking to the events.
    test : NullTest, of a number or an array (unit)
        Largest deviation over bins, in Hz, from the null's mean; one p-value for the whole window.
    """

    time: FloatArray
    mean: FloatArray
    sem: FloatArray
    counts: IntArray
    null_mean: FloatArray
    null_low: FloatArray
    null_high: FloatArray
    test: NullTest[Any]


def peth(
    times: ArrayLike,
    events_ms: ArrayLike,
    *,
    window: tuple[float, float],
    bin: float,
    ids: ArrayLike | None = None,
    n: int | None = None,
    span: tuple[float, float] | None = None,
    null: Literal["rotate", "jitter"] = "rotate",
    jitter: float | None = None,
    samples: int = 200,
    seed: int = 0,
) -> PETH:
    """Peri-event time histogram in Hz, with a null that breaks the locking of spikes to events.

    Parameters
    ----------
    times : array, shape (spike), ms, in order
    events_ms : array, shape (event), ms
    window : (float, float), ms
        From where to where around each event, such as (-100, 400); a whole number of bins.
    bin : float, ms
        Bins are half-open, [a, a + bin).
    ids, n : array of int, shape (spike), and int
        Given together: one histogram per unit. `n` alone: spikes of n units, pooled, in Hz per unit.
        Neither: one spike train.
    span : (float, float), ms
        First and last time of the recording. If given, an event whose window leaves it is refused;
        otherwise missing spikes would read as silence.
    null : "rotate" or "jitter"
        "rotate" turns the bins of each event in a circle by a random number of bins, all units together:
        keeps the spikes of each event and, but for one cut, their order. "jitter" moves each event by a
        uniform offset of up to `jitter` ms to either side: asks for locking finer than `jitter`.
    jitter : float, ms
        Needed with null="jitter", and refused otherwise.
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    PETH

    Raises
    ------
    ValueError
        Ids without ``n``, an event whose window leaves ``span``, a jitter without its null, or shapes that don't fit.
    """
    spikes = spike_times(times)
    events = floats(events_ms, "events_ms", axes=("event",))
    first, last = number(window[0], "window[0]"), number(window[1], "window[1]")
    edges = np.append(sample_times(first, last, bin), last)
    units = 1 if n is None else whole(n, "n")
    if ids is not None and n is None:
        raise ValueError("ids were given without n: give the number of units, silent ones included")
    if span is not None and (events.min() + first < span[0] or events.max() + last > span[1]):
        raise ValueError(
            f"window = {window} around events from {events.min():g} to {events.max():g} ms leaves span, "
            f"{span[0]:g} to {span[1]:g} ms: leave those events out"
        )
    choice(null, "null", ("rotate", "jitter"))
    if (null == "jitter") != (jitter is not None):
        raise ValueError(f"null = {null!r}, jitter = {jitter!r}: give jitter in ms with null='jitter', and only then")
    samples, rng = whole(samples, "samples"), np.random.default_rng(seed)

    if ids is None:
        trains = [spikes]
    else:
        member = unit_ids(ids, units, spikes=spikes.size)
        order = np.argsort(member, kind="stable")
        trains = np.split(spikes[order], np.cumsum(np.bincount(member, minlength=units))[:-1])
    counts = _counts(trains, events, edges)
    to_hz = 1000.0 / (bin * (units if ids is None else 1))

    surrogates = np.empty((samples, *counts.shape[1:]))
    for k in range(samples):
        if jitter is not None:
            offset = rng.uniform(-1, 1, events.size) * number(jitter, "jitter", low=0, strict=True)
            surrogates[k] = _counts(trains, events + offset, edges).mean(axis=0)
        else:
            turn = rng.integers(0, counts.shape[1], events.size)
            rows = (np.arange(counts.shape[1]) + turn[:, None]) % counts.shape[1]
            surrogates[k] = np.take_along_axis(counts, rows[:, :, None], axis=1).mean(axis=0)

    mean = counts.mean(axis=0)
    # The centre is that of data and surrogates together: under the null they are exchangeable, and stay so.
    centre = (mean + surrogates.sum(axis=0)) / (1 + samples)
    largest = np.abs(mean - centre).max(axis=0) * to_hz
    largest_null = np.abs(surrogates - centre).max(axis=1) * to_hz
    if events.size > 1:
        sem = counts.std(axis=0, ddof=1) / np.sqrt(events.size)
    else:
        sem = np.full(mean.shape, np.nan)
    low, high = np.percentile(surrogates, [5, 95], axis=0)
    rates = [mean, sem, surrogates.mean(axis=0), low, high]
    if ids is None:
        rates, counts = [values[:, 0] for values in rates], counts[:, :, 0]
        test = NullTest(float(largest[0]), largest_null[:, 0])
    else:
        test = NullTest(largest, largest_null)
    mean, sem, null_mean, null_low, null_high = (values * to_hz for values in rates)
    return PETH((edges[:-1] + edges[1:]) / 2, mean, sem, counts, null_mean, null_low, null_high, test)


def _counts(trains: list[FloatArray], events: FloatArray, edges: FloatArray) -> IntArray:
    """Spikes per (event, bin, unit)."""
    # A spike meant to lie on an edge belongs to the bin that starts there, in spite of rounding.
    limits = events[:, None] + edges - 1e-6 * (edges[1] - edges[0])
    counts = np.empty((events.size, edges.size - 1, len(trains)), dtype=np.int64)
    for unit, train in enumerate(trains):
        counts[:, :, unit] = np.diff(np.searchsorted(train, limits), axis=1)
    return counts
