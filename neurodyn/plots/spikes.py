"""Spike rasters with population rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, note, panel_letters, style
from neurodyn.plots.numbers import checked

Groups = Mapping[str, Any]


@style()
def raster(
    times_ms: Any,
    ids: Any,
    n: int,
    *,
    rate_bin: float = 5.0,
    groups: Groups | None = None,
    order: Any = None,
    window: tuple[float, float] | None = None,
    events: Mapping[str, Any] | None = None,
    max_units: int = 2000,
    title: str = "Spikes",
) -> Figure:
    """Spikes of a population, with the rate of each group of its units below.

    Parameters
    ----------
    times_ms, ids : arrays, shape (spike,)
        Time in ms and unit (0 to n - 1) of each spike, in any order.
    n : int
        Number of units.
    rate_bin : float
        Width of the bins of the rate in ms; fitted so that whole bins fill the window. Rates are spikes per
        second and unit, over all units of a group, shown in the raster or not.
    groups : mapping of name to unit indices
        For example ``{"E": range(800), "I": range(800, 1000)}``; disjoint. Units in none of them are grey.
    order : array of unit indices
        Units from bottom to top, each at most once; units left out are not drawn.
    window : (float, float)
        Stretch of time in ms; from 0 (or the first spike) to the last spike if left out.
    events : mapping of name to time or times in ms
        Dashed vertical lines.
    max_units : int
        With more units than this every k-th is drawn, and the title says so.

    Raises
    ------
    ValueError
        Spikes outside 0 to n - 1, times that are not finite, groups that overlap, an empty window.
    """
    times, units = spike_arrays(times_ms, ids, n)
    span = spike_window(times, window)
    members = group_members(groups, n)
    figure = new_figure(6.8, 4.4)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
    shown = draw_raster(top, times, units, n, members, order=order, window=span, max_units=max_units, height_pt=190)
    top.set_title(title + shown)
    width = draw_rate(bottom, times, units, members, window=span, rate_bin=rate_bin)
    mean = "" if groups else f", {bottom.lines[0].get_label()}"
    bottom.set_title(f"Population rate ({width:.3g} ms bins{mean})")
    bottom.set_xlabel("time (ms)")
    lines = mark_events([top, bottom], events or {})
    legend_below(figure, [*(bottom.lines if groups else []), *lines])
    panel_letters([top, bottom])
    return figure


def spike_arrays(times_ms: Any, ids: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Times as floats and units as integers, checked against each other and n."""
    if isinstance(n, bool) or int(n) != n or n < 1:
        raise ValueError(f"n = {n!r}: a raster needs a whole number of units, at least 1")
    times = checked("times_ms", times_ms, (None,), finite=True, empty=True)
    units = checked("ids", ids, (len(times),), finite=True, empty=True).astype(np.int64)
    if len(units) and (units.min() < 0 or units.max() >= n):
        wrong = int(units.min() if units.min() < 0 else units.max())
        raise ValueError(f"ids holds unit {wrong}; with n = {n} units are 0 to {n - 1}")
    return times, units


def spike_window(times: np.ndarray, window: tuple[float, float] | None) -> tuple[float, float]:
    """The stretch of time to show, in ms."""
    if window is None:
        window = (min(0.0, float(times.min())), float(times.max())) if len(times) else (0.0, 1.0)
        return window if window[1] > window[0] else (window[0], window[0] + 1.0)
    start, stop = float(window[0]), float(window[1])
    if not (math.isfinite(start) and math.isfinite(stop) and stop > start):
        raise ValueError(f"window = {window!r}: give (start, stop) in ms with stop > start")
    return start, stop


def group_members(groups: Groups | None, n: int) -> dict[str, np.ndarray]:
    """Units of each group; one group of all units without a name if there are no groups."""
    if not groups:
        return {"": np.arange(n)}
    seen = np.zeros(n, dtype=bool)
    members = {}
    for name, units in groups.items():
        index = np.unique(np.asarray(units, dtype=np.int64))
        if len(index) and (index[0] < 0 or index[-1] >= n):
            raise ValueError(f"groups[{name!r}] holds units {index[0]} to {index[-1]}; allowed: 0 to {n - 1}")
        if seen[index].any():
            raise ValueError(f"groups[{name!r}]: unit {index[seen[index]][0]} is in another group too; keep them apart")
        seen[index] = True
        members[str(name)] = index
    return members


def draw_raster(
    ax: Axes,
    times: np.ndarray,
    units: np.ndarray,
    n: int,
    members: Mapping[str, np.ndarray],
    *,
    order: Any,
    window: tuple[float, float],
    max_units: int,
    height_pt: float,
    scale: float = 1.0,
) -> str:
    """Draw the spikes (time times ``scale``) and return what the title has to say about units left out."""
    rows = np.arange(n) if order is None else np.asarray(order, dtype=np.int64).ravel()
    if len(rows) == 0 or len(np.unique(rows)) != len(rows) or rows.min() < 0 or rows.max() >= n:
        raise ValueError(f"order: give units 0 to {n - 1}, at least one and each at most once")
    step = -(-len(rows) // max(1, int(max_units)))
    rank = np.full(n, -1)
    rank[rows[::step]] = np.arange(0, len(rows), step)
    inside = (times >= window[0]) & (times <= window[1]) & (rank[units] >= 0)
    colours = np.full(n, -1)
    for number, index in enumerate(members.values()):
        colours[index] = number
    # A tick as high as its row, but never too small to print.
    size = float(np.clip(0.9 * height_pt / max(1, len(rows) // step), 1.6, 8.0))
    for number in [-1, *range(len(members))]:
        pick = inside & (colours[units] == number)
        if pick.any():
            ax.plot(
                times[pick] * scale,
                rank[units[pick]],
                linestyle="none",
                marker="|",
                markersize=size,
                markeredgewidth=0.6,
                color=GREY if number < 0 else CYCLE[number % len(CYCLE)],
                # Many vector marks make a file that no viewer scrolls; text and axes stay vectors.
                rasterized=bool(pick.sum() > 5000),
            )
    if not inside.any():
        note(ax, "no spikes" if len(times) == 0 else "no spikes of these units in this stretch of time")
    dress(ax)
    ax.set_xlim(window[0] * scale, window[1] * scale)
    ax.set_ylim(-0.5 - 0.01 * len(rows), len(rows) - 0.5 + 0.01 * len(rows))
    ax.set_ylabel("unit" if order is None else "unit (rank in order)")
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return f" ({len(rows[::step])} of {n} units shown)" if step > 1 or len(rows) < n else ""


def draw_rate(
    ax: Axes,
    times: np.ndarray,
    units: np.ndarray,
    members: Mapping[str, np.ndarray],
    *,
    window: tuple[float, float],
    rate_bin: float,
    scale: float = 1.0,
) -> float:
    """Draw the rate of each group in Hz and return the width of the bins in ms."""
    if not rate_bin > 0:
        raise ValueError(f"rate_bin = {rate_bin!r}: the bins need a positive width in ms")
    edges = np.linspace(*window, max(1, round((window[1] - window[0]) / rate_bin)) + 1)
    width = float(edges[1] - edges[0])
    for number, (name, index) in enumerate(members.items()):
        mine = np.isin(units, index)
        rate = np.histogram(times[mine], edges)[0] / (max(1, len(index)) * width * 1e-3)
        mean = f"{len(index)} units, mean {rate.mean():.3g} Hz"
        ax.plot(
            edges * scale,
            np.append(rate, rate[-1]),
            drawstyle="steps-post",
            color=CYCLE[number % len(CYCLE)],
            label=f"{name}: {mean}" if name else mean,
        )
    dress(ax)
    # Silence would otherwise get an axis of hundredths.
    ax.set_ylim(0.0, max(1.0, ax.get_ylim()[1]))
    ax.set_ylabel("rate (Hz)")
    return width


def mark_events(axes: Sequence[Axes], events: Mapping[str, Any]) -> list[Any]:
    """Dashed vertical lines in all axes; returns one artist per name for the legend."""
    handles = []
    for number, (name, times) in enumerate(events.items()):
        at = np.atleast_1d(np.asarray(times, dtype=np.float64))
        if not np.isfinite(at).all():
            raise ValueError(f"events[{name!r}] = {times!r}: times in ms must be finite")
        colour = ("black", GREY, CYCLE[2], CYCLE[3], CYCLE[4])[number % 5]
        segments = [[(t, 0.0), (t, 1.0)] for t in at]
        for ax in axes:
            lines = LineCollection(
                segments,
                transform=ax.get_xaxis_transform(),
                colors=colour,
                linestyles="--",
                linewidths=0.9,
                label=name,
            )
            # autolim would take the heights 0 and 1 for data.
            ax.add_collection(lines, autolim=False)
        handles.append(Line2D([], [], color=colour, linestyle="--", linewidth=0.9, label=name))
    return handles
