"""Expectation of each event over time, against its target, before and after learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurodyn.plots.base import (
    CYCLE,
    GREY,
    caption,
    dress,
    label,
    legend_below,
    new_figure,
    panel_letters,
    style,
)
from neurodyn.plots.numbers import centre_and_spread, checked


@style()
def expectation_traces(
    time_ms: Any,
    before: Any,
    after: Any,
    target: Any,
    *,
    names: Sequence[str] = ("A", "B"),
    cue_ms: float | None = None,
    latencies_ms: Sequence[float] | None = None,
    titles: tuple[str, str] = ("Expectation before learning", "Expectation after learning"),
    units: str = "1",
    note: str = "",
) -> Figure:
    """Expectation of each event in a trial with only the cue, against its target, before and after learning.

    Parameters
    ----------
    time_ms : array, shape (time,)
    before, after : arrays, shape (seed, time, event) or (time, event)
        Thin lines are seeds, the thick line is their mean.
    target : array, shape (time, event)
        Dashed.
    names : sequence of str
        One per event.
    cue_ms : float, optional
        Time of the cue, a vertical line.
    latencies_ms : sequence of float, optional
        Latency of each event in ms *from the cue* (from time 0 without ``cue_ms``): triangles on top.
    titles : (str, str)
        Titles of the two panels.
    units : str
        Unit of the expectation; "1" for none.
    note : str
        Text under the figure.

    Raises
    ------
    ValueError
        Shapes that don't fit each other.
    """
    t = checked("time_ms", time_ms, (None,), finite=True)
    aim = checked("target", target, (len(t), len(names)))
    if latencies_ms is not None and len(latencies_ms) != len(names):
        raise ValueError(f"latencies_ms: {len(latencies_ms)} given for {len(names)} events")
    figure = new_figure(6.8, 2.9)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    seeds = 1
    for ax, heading, name, values in zip(panels, titles, ("before", "after"), (before, after), strict=True):
        rows = np.asarray(values, dtype=np.float64)
        rows = checked(name, rows[np.newaxis] if rows.ndim == 2 else rows, (None, len(t), len(names)))
        seeds = max(seeds, len(rows))
        _panel(dress(ax), t, rows, aim)
        mark_cue(ax, cue_ms, list(enumerate(latencies_ms or ())))
        ax.set_title(heading)
        ax.set_xlabel("time (ms)")
        ax.set_xlim(t.min(), t.max())
    low, high = panels[0].get_ylim()
    # Room for the triangles.
    panels[0].set_ylim(low, high + 0.08 * (high - low))
    panels[0].set_ylabel(label("expectation", units))
    panels[1].tick_params(labelleft=False)
    legend_below(figure, _legend(names, seeds, cue_ms is not None, latencies_ms is not None))
    if note:
        caption(figure, note)
    panel_letters(panels)
    return figure


def _panel(ax: Axes, t: np.ndarray, rows: np.ndarray, aim: np.ndarray) -> None:
    for event in range(aim.shape[1]):
        colour = CYCLE[event % len(CYCLE)]
        if len(rows) > 1:
            for row in rows:
                ax.plot(t, row[:, event], color=colour, linewidth=0.5, alpha=0.5)
        ax.plot(t, centre_and_spread(rows[:, :, event], "sd")[0], color=colour, linewidth=1.8)
        ax.plot(t, aim[:, event], color=colour, linestyle=(0, (3, 1.5)), linewidth=1.0)


def mark_cue(ax: Axes, cue_ms: float | None, latencies: Sequence[tuple[int, float]]) -> None:
    """A grey line at the cue; a triangle on top for each (number of event, latency from the cue)."""
    if cue_ms is not None:
        ax.axvline(cue_ms, color=GREY, linewidth=1.0, zorder=0)
    for event, latency in latencies:
        ax.plot(
            [(cue_ms or 0.0) + latency],
            [0.97],
            marker="v",
            markersize=5,
            color=CYCLE[event % len(CYCLE)],
            transform=ax.get_xaxis_transform(),
        )


def _legend(names: Sequence[str], seeds: int, cue: bool, latencies: bool) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            color=CYCLE[k % len(CYCLE)],
            linewidth=1.8,
            label=f"{name}" + (" (mean)" if seeds > 1 else ""),
        )
        for k, name in enumerate(names)
    ]
    if seeds > 1:
        handles.append(Line2D([], [], color=GREY, linewidth=0.5, label=f"one of {seeds} seeds"))
    handles.append(Line2D([], [], color=GREY, linestyle=(0, (3, 1.5)), linewidth=1.0, label="target"))
    return handles + cue_handles(cue, latencies)


def cue_handles(cue: bool, latencies: bool) -> list[Line2D]:
    """Legend entries of what :func:`mark_cue` draws."""
    handles = []
    if cue:
        handles.append(
            Line2D([], [], color=GREY, linewidth=1.0, marker="|", linestyle="none", markersize=9, label="cue")
        )
    if latencies:
        handles.append(Line2D([], [], color=GREY, marker="v", linestyle="none", markersize=5, label="latency"))
    return handles
