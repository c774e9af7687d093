"""Membrane potentials of single cells above their currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, dress, label, legend_below, legend_right, new_figure, style
from neurodyn.plots.lines import draw_band
from neurodyn.plots.spikes import draw_raster, draw_rate, group_members, spike_arrays

_V, _I = CYCLE[0], CYCLE[1]


@style()
def responses(
    found: Sequence[Any],
    *,
    labels: Sequence[str],
    title: str,
    peak_mv: float = 30.0,
    unit: str = "1",
) -> Figure:
    """Membrane potential of each response in a panel of its own, its current below in the same panel.

    Parameters
    ----------
    found : sequence
        Responses with ``time_ms``, ``v``, ``current``, ``spikes_ms``, such as those of :meth:`neurodyn.models.cells.Cell.respond`.
    labels : sequence of str
        One for each response; what sets it apart.
    title : str
    peak_mv : float
        Height to which spikes are drawn, since a recorded v is that after the reset.
    unit : str
        Unit of the currents; "1" for pseudo-units.

    Raises
    ------
    ValueError
        No responses, or another number of labels.
    """
    if not found or len(found) != len(labels):
        raise ValueError(f"{len(found)} responses and {len(labels)} labels: give one or more, and a label for each")
    figure = new_figure(6.4, 0.5 + 1.55 * len(found))
    panels = figure.subplots(2 * len(found), 1, sharex=True, squeeze=False, height_ratios=[3.2, 1] * len(found))[:, 0]
    for k, (response, text) in enumerate(zip(found, labels, strict=True)):
        top, bottom = panels[2 * k], panels[2 * k + 1]
        draw_potential(top, response, peak_mv)
        draw_current(bottom, response)
        spikes = len(response.spikes_ms)
        top.set_title(f"{title}\n{text}: {spikes} spikes" if k == 0 else f"{text}: {spikes} spikes")
        top.set_ylabel("v (mV)")
        bottom.set_ylabel(label("I", unit))
    panels[-1].set_xlabel("time (ms)")
    return figure


@style()
def panels_of_patterns(
    found: Mapping[str, Any], *, titles: Mapping[str, str], title: str, peak_mv: float = 30.0
) -> Figure:
    """Firing patterns in a grid of four columns: membrane potential in mV, the input in the unit of the model below.

    Parameters
    ----------
    found : mapping of name to response
        As in :func:`responses`, up to 26.
    titles : mapping of name to str
    title : str
        Of the whole figure.
    peak_mv : float
        Height in mV to which spikes are drawn.

    Raises
    ------
    ValueError
        No responses.
    """
    if not found:
        raise ValueError("found is empty: give at least one response")
    rows = -(-len(found) // 4)
    figure = new_figure(9.6, 0.7 + 1.62 * rows)
    figure.suptitle(title, x=0.01, ha="left")
    heights = [3.4, 1.0, 0.75] * rows  # the third is the gap that separates one row of patterns from the next
    grid = figure.add_gridspec(3 * rows - 1, 4, height_ratios=heights[:-1], hspace=0.0)
    for k, (name, response) in enumerate(found.items()):
        row, column = divmod(k, 4)
        top = figure.add_subplot(grid[3 * row, column])
        bottom = figure.add_subplot(grid[3 * row + 1, column], sharex=top)
        draw_potential(dress(top), response, peak_mv)
        draw_current(dress(bottom), response)
        top.set_title(f"({name}) {titles[name]}", fontsize=8.5)
        top.tick_params(labelbottom=False)
        top.set_ylim(-95.0, 40.0)
        top.set_yticks([-80, -40, 0])
        bottom.set_ylabel("I", rotation=0, va="center")
        if column == 0:
            top.set_ylabel("v (mV)")
        else:
            top.tick_params(labelleft=False)  # the scale of the first column
        if k >= len(found) - 4:
            bottom.set_xlabel("time (ms)")
    figure.align_ylabels()
    return figure


def draw_potential(ax: Axes, response: Any, peak_mv: float) -> None:
    """Draw v, with a stroke up to ``peak_mv`` at each spike."""
    dress(ax)
    dt = float(response.time_ms[1] - response.time_ms[0])
    v = np.array(response.v, dtype=float)
    v[np.rint(np.asarray(response.spikes_ms) / dt).astype(int)] = peak_mv
    ax.plot(response.time_ms + dt, v, color=_V, linewidth=0.8)
    ax.set_xlim(0.0, float(response.time_ms[-1] + dt))


def draw_current(ax: Axes, response: Any) -> None:
    """Draw the current, with room above and below."""
    dress(ax)
    ax.plot(response.time_ms, response.current, color=_I, linewidth=1.0)
    low, high = float(np.min(response.current)), float(np.max(response.current))
    room = 0.15 * (high - low) or 1.0
    ax.set_ylim(low - room, high + room)
    ax.set_yticks([low, high] if high > low else [low])
    ax.yaxis.set_major_formatter("{x:.4g}")
    ax.axhline(low, color=GREY, linewidth=0.4, zorder=0)


@style()
def rates_against_current(
    current: Any, rates: Mapping[str, tuple[Any, Any]], *, names: tuple[str, str], unit: str, title: str
) -> Figure:
    """Firing rates over constant currents, each cell solid under one scheme and dashed under another.

    Parameters
    ----------
    current : array, shape (point,)
    rates : mapping of cell to two arrays, shape (point,), in Hz
    names : (str, str)
        What the two are.
    unit : str
        Unit of the current.
    title : str
    """
    figure = new_figure(6.2, 3.4)
    ax = dress(figure.add_subplot())
    for number, (cell, (first, second)) in enumerate(rates.items()):
        colour = CYCLE[number % len(CYCLE)]
        ax.plot(current, first, "-o", color=colour, markersize=3, label=cell)
        ax.plot(current, second, "--s", color=colour, markersize=3, markerfacecolor="white")
    ax.plot([], [], "-o", color=GREY, markersize=3, label=names[0])
    ax.plot([], [], "--s", color=GREY, markersize=3, markerfacecolor="white", label=names[1])
    ax.set_xlabel(label("constant current", unit))
    ax.set_ylabel("rate (Hz)")
    ax.set_title(title)
    legend_right(ax)
    return figure


@style()
def raster_and_spectrum(
    times_ms: Any,
    ids: Any,
    n: int,
    *,
    groups: Mapping[str, Any],
    window: tuple[float, float],
    frequency: Any,
    power: Mapping[str, Any],
    title: str,
) -> Figure:
    """Spikes of a network in a stretch of time, their rate, and the spectrum of the population rate over seeds.

    Parameters
    ----------
    times_ms, ids, n, groups, window
        As in :func:`neurodyn.plots.raster`.
    frequency : array, shape (frequency,), in Hz
    power : mapping of condition to array, shape (seed, frequency)
        Relative to the median power; mean and range over seeds are drawn.
    title : str
    """
    times, units = spike_arrays(times_ms, ids, n)
    members = group_members(groups, n)
    figure = new_figure(6.8, 6.2)
    top, middle, bottom = figure.subplots(3, 1, height_ratios=[2.2, 0.9, 1.5])
    middle.sharex(top)
    shown = draw_raster(top, times, units, n, members, order=None, window=window, max_units=2000, height_pt=170)
    top.set_title(title + shown)
    width = draw_rate(middle, times, units, members, window=window, rate_bin=2.0)
    middle.set_title(f"Population rate ({width:.3g} ms bins)")
    middle.set_xlabel("time (ms)")
    dress(bottom)
    for number, (name, rows) in enumerate(power.items()):
        colour = CYCLE[len(members) + number]
        draw_band(bottom, np.asarray(frequency), np.asarray(rows), colour, name, spread="range", seeds=False)
    bottom.set_yscale("log")
    seeds = len(next(iter(power.values())))
    bottom.set_title(f"Spectrum of the number of spikes in each ms (mean and range of {seeds} networks)")
    bottom.set_xlabel("frequency (Hz)")
    bottom.set_ylabel("power\n(times the median)")
    legend_below(figure, [*middle.lines, *bottom.lines])
    figure.align_ylabels()
    return figure
