"""Generic lines: traces over time, and mean lines with a band over seeds."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, dress, figure_of, label, legend_right, new_figure, note, style
from neurodyn.plots.numbers import (
    Spread,
    centre_and_spread,
    checked,
    complete,
    seeds_of,
    spread_text,
    thinned,
)

MAX_POINTS = 20_000


@style()
def traces(
    time: Any,
    values: Any,
    labels: Sequence[str],
    units: str | Sequence[str],
    *,
    reference: Any = None,
    reference_label: str = "target",
    name: str = "value",
    time_units: str = "ms",
    title: str = "Traces",
    ax: Axes | None = None,
) -> Figure:
    """Channels over time: in one panel if they share a unit, else one panel each.

    Parameters
    ----------
    time : array, shape (time,)
    values : array, shape (time, channel) or (time,)
        NaN makes a gap. Long traces keep the least and greatest value of each stretch, so no peak is lost.
    labels : sequence of str
        One per channel.
    units : str or sequence of str
        Unit of all channels, or one per channel; "1" for dimensionless.
    reference : array, same shape as values, optional
        Drawn dashed: in the colour of its channel, in black where a channel is alone.
    reference_label : str
        What the legend calls it.
    name : str
        Name of the quantity on the axis when channels share a panel.
    time_units : str
        Unit of time on the axis.
    ax : Axes, optional
        Where to draw; possible only if all channels have the same unit.

    Raises
    ------
    ValueError
        Shapes that don't fit, an empty array, or ``ax`` with several units.
    """
    t = checked("time", time, (None,), finite=True)
    data = _columns("values", values, len(t), len(labels))
    aims = None if reference is None else _columns("reference", reference, len(t), len(labels))
    each = [units] * len(labels) if isinstance(units, str) else list(units)
    if len(each) != len(labels):
        raise ValueError(f"units: {len(each)} given for {len(labels)} labels; give one for all or one per channel")
    if len(set(each)) == 1:
        figure, panel = figure_of(ax, width=6.8, height=2.5)
        draw_traces(panel, t, data, labels, aims=aims, reference_label=reference_label)
        panel.set_ylabel(label(name, each[0]))
        legend_right(panel)
        panels = [panel]
    else:
        if ax is not None:
            raise ValueError(f"ax: one axes can't hold channels in {sorted(set(each))}; leave ax out")
        figure = new_figure(6.8, 0.6 + 1.2 * len(labels))
        panels = list(figure.subplots(len(labels), 1, sharex=True, squeeze=False)[:, 0])
        for k, panel in enumerate(panels):
            aim = None if aims is None else aims[:, k : k + 1]
            draw_traces(
                dress(panel),
                t,
                data[:, k : k + 1],
                labels[k : k + 1],
                aims=aim,
                reference_label=reference_label,
            )
            panel.set_ylabel(label(labels[k], each[k]))
        if aims is not None:
            legend_right(panels[0])
    panels[0].set_title(title)
    panels[-1].set_xlabel(label("time", time_units))
    return figure


def draw_traces(
    ax: Axes,
    time: np.ndarray,
    values: np.ndarray,
    labels: Sequence[str],
    *,
    aims: np.ndarray | None = None,
    reference_label: str = "target",
) -> None:
    """Draw (time, channel) values, dashed aims beside them, and say so if nothing is finite."""
    for k, text in enumerate(labels):
        colour = CYCLE[k % len(CYCLE)]
        ax.plot(*thinned(time, values[:, k], MAX_POINTS), color=colour, linewidth=1.1, label=text)
        if aims is not None:
            aim_colour = "black" if len(labels) == 1 else colour
            ax.plot(*thinned(time, aims[:, k], MAX_POINTS), "--", color=aim_colour, linewidth=1.0)
    if aims is not None:
        ax.plot([], [], "--", color="black" if len(labels) == 1 else GREY, linewidth=1.0, label=reference_label)
    if not np.isfinite(values).any():
        note(ax, "no finite values")
    if len(time) > 1:
        ax.set_xlim(float(time.min()), float(time.max()))


@style()
def line_with_band(
    x: Any,
    values: Mapping[str, Any],
    *,
    xlabel: str,
    ylabel: str,
    title: str,
    spread: Spread = "sd",
    seeds: bool = False,
    reference: Mapping[str, float] | None = None,
    xscale: Literal["linear", "log"] = "linear",
    ax: Axes | None = None,
) -> Figure:
    """Mean over seeds with a band, one line for each named condition.

    Parameters
    ----------
    x : array, shape (point,)
    values : mapping of name to array, shape (seed, point) or (point,)
        NaN is left out of mean and band; the legend says how many seeds are complete.
    xlabel, ylabel, title : str
        With units in brackets.
    spread : "sd", "sem" or "range"
    seeds : bool
        Draw each seed as a thin line too.
    reference : mapping of name to value
        Dotted horizontal lines.
    xscale : "linear" or "log"

    Raises
    ------
    ValueError
        No conditions, or shapes that don't fit x.
    """
    at = checked("x", x, (None,), finite=True)
    if not values:
        raise ValueError("values is empty: give at least one named condition")
    rows = {name: seeds_of(f"values[{name!r}]", array, len(at)) for name, array in values.items()}
    figure, panel = figure_of(ax, width=5.6, height=2.9)
    for number, (name, array) in enumerate(rows.items()):
        draw_band(panel, at, array, CYCLE[number % len(CYCLE)], name, spread=spread, seeds=seeds)
    for name, level in (reference or {}).items():
        panel.axhline(level, color=GREY, linestyle=":", linewidth=1.0, label=name)
    panel.set_xscale(xscale)
    panel.set_xlabel(xlabel)
    panel.set_ylabel(ylabel)
    panel.set_title(title)
    legend_right(panel, title=spread_text(spread, rows.values()), alignment="left")
    return figure


def draw_band(
    ax: Axes,
    x: np.ndarray,
    rows: np.ndarray,
    colour: str,
    name: str,
    *,
    spread: Spread,
    seeds: bool,
    linestyle: str = "-",
) -> None:
    """Mean line, band and, if asked for, thin lines of (seed, point) rows."""
    mean, low, high = centre_and_spread(rows, spread)
    if seeds and len(rows) > 1:
        for row in rows:
            ax.plot(x, row, color=colour, linewidth=0.5, alpha=0.5)
    if len(rows) > 1:
        ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    marker = "o" if len(x) <= 40 else ""
    ax.plot(
        x, mean, linestyle, color=colour, marker=marker, markersize=3, label=textwrap.fill(complete(name, rows), 26)
    )


def _columns(name: str, values: Any, times: int, channels: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    return checked(name, array, (times, channels))
