"""A first look at any recording."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.plots.base import GREY, dress, label, legend_right, new_figure, note, style
from neurodyn.plots.contents import CLOCK, Track, aims_of, cell_groups, title_of, tracks, trial_names, trial_starts
from neurodyn.plots.epochs import epochs
from neurodyn.plots.lines import draw_traces
from neurodyn.plots.outcomes import outcome_table
from neurodyn.plots.spikes import draw_raster, draw_rate, group_members

WHOLE_MS, PART_MS = 10_000.0, 5_000.0
DECADES = 30.0  # largest over smallest of a course of a training, from which on its axis is logarithmic
MAX_POPULATIONS, MAX_TRIALS = 5, 100
UNORDERED = ("unit", "synapse", "model", "network", "seed")  # what is no course along which to draw a line
MAX_NAMES = 6  # of what is not drawn
# Panels of one section of the file; 4 of the others.
MAX_OF_SECTION = {"stimulus": 2, "weights": 2}


@style()
def overview(
    recording: Any,
    *,
    window: tuple[float, float] | None = None,
    max_units: int = 500,
    max_lines: int = 4,
) -> Figure:
    """Spikes with rates, state, readouts with their targets, stimuli and whatever else a recording holds.

    Of a training: losses, what was learnt and time constants over epochs or updates, each model as a line where several
    learnt apart. Of plastic synapses: the distribution of their weights at the first and the last snapshot. A recording of
    results alone: a table of its checks and results.

    Parameters
    ----------
    recording : Recording
        As ``neurodyn.load`` and a simulation return it.
    window : (float, float), optional
        Stretch of time in ms. Left out, it is the whole run up to 10 s, else its last whole trials within 5 s
        (or its last 5 s); the title says what is shown.
    max_units : int
        Units in a raster; of more, every k-th is drawn. Rates are those of all units.
    max_lines : int
        Lines of an array, spread evenly over its units; the title of the panel says how many there are.

    Raises
    ------
    ValueError
        A recording without arrays, spikes, results and checks, or an empty window.
    """
    spiking = [key for key in recording if key.startswith("spikes/")]
    spikes = {key.partition("/")[2]: recording[key] for key in spiking[:MAX_POPULATIONS]}
    learnt, unseen = epochs(recording, lines=max_lines)
    found = [*learnt, *tracks(recording, lines=max_lines)]
    title = title_of(recording.attrs, getattr(recording, "path", None))
    if not spikes and not found:
        if not recording.results and not recording.checks:
            raise ValueError(
                "the recording holds neither spikes nor arrays, results or checks: there is nothing to draw"
            )
        return outcome_table(recording, title)
    # Snapshots of weights lie far apart: they are shown over the whole run.
    clocked = [one for one in found if one.x_label == CLOCK and not one.key.startswith("weights/")]
    own = [one for one in found if one not in clocked and one not in learnt]
    # Of weights the matrices first: what a readout learned, before the statistics of its features.
    own.sort(key=lambda one: one.key.startswith("weights/") and one.labels == ("all",))
    aims = {one.key: aims_of(one, clocked) for one in clocked}
    clocked = [one for one in clocked if one not in aims.values()]
    idle = [one for one in clocked if one.key.startswith("stimulus/") and np.ptp(one.values) == 0]
    clocked = [one for one in clocked if one not in idle]
    panels = [*learnt, *_chosen([*clocked, *own])]
    left_out = spiking[MAX_POPULATIONS:] + unseen + [one.key for one in [*clocked, *own] if one not in panels]

    table = recording.trials
    starts = trial_starts(table)
    ends = [one.duration_ms for one in spikes.values()] + [float(one.x.max()) for one in clocked]
    span, shown = _stretch(window, max(ends, default=0.0), starts)
    scale = 1e-3 if span[1] > WHOLE_MS else 1.0

    heights = [1.9, 0.8] * len(spikes) + [1.0] * len(panels)
    figure = new_figure(6.8, 0.8 + 1.15 * sum(heights))
    axes = [dress(ax) for ax in np.atleast_1d(figure.subplots(len(heights), 1, height_ratios=heights))]
    for number, (population, one) in enumerate(spikes.items()):
        pair, groups = axes[2 * number : 2 * number + 2], cell_groups(recording, population, one.size)
        _spikes(pair, population, one, groups, span, max_units=max_units, scale=scale)
    for ax, one in zip(axes[2 * len(spikes) :], panels, strict=True):
        if one in clocked:
            _lines(ax, one, aims[one.key], span=span, scale=scale)
        else:
            _whole(ax, one)
    timed = axes[: 2 * len(spikes)] + [
        ax for ax, one in zip(axes[2 * len(spikes) :], panels, strict=True) if one in clocked
    ]
    if timed:
        _clock(timed, span, scale)
        if starts is not None:
            _trials(timed, table, starts, span, scale)
    texts = [title + shown]
    if checks := recording.checks:
        texts.append(f"{sum(one['passed'] for one in checks)} of {len(checks)} checks passed")
    if idle:
        texts.append(f"Constant: {'; '.join(one.key for one in idle)}")
    if left_out:
        more = f" and {len(left_out) - MAX_NAMES} more" if len(left_out) > MAX_NAMES else ""
        texts.append(f"Not drawn: {'; '.join(left_out[:MAX_NAMES])}{more}")
    figure.suptitle(textwrap.fill(". ".join(texts), 92), x=0.01, ha="left")
    return figure


def _chosen(entries: Sequence[Track]) -> list[Track]:
    """The first few of each section of the file, so that the page does not grow without end."""
    taken: dict[str, int] = {}
    panels = []
    for one in entries:
        section = one.key.partition("/")[0]
        taken[section] = taken.get(section, 0) + 1
        if taken[section] <= MAX_OF_SECTION.get(section, 4):
            panels.append(one)
    return panels


def _stretch(
    window: tuple[float, float] | None, end: float, starts: np.ndarray | None
) -> tuple[tuple[float, float], str]:
    """The window in ms, and what the title says about it."""
    if window is not None:
        if not window[1] > window[0]:
            raise ValueError(f"window = {window!r}: give (start, stop) in ms with stop > start")
        span = (float(window[0]), float(window[1]))
        if span[0] <= 0 and span[1] >= end:
            return span, ""
    elif end <= WHOLE_MS:
        return (0.0, end or 1.0), ""
    else:
        begin = end - PART_MS
        if starts is not None and (late := starts[(starts >= begin) & (starts < end)]).size:
            begin = float(late[0])
        elif starts is not None and (starts < end).any():
            begin = float(starts[starts < end][-1])
        span = (begin, end)
    text = f": {_duration(span[1] - span[0])} of {_duration(end)} shown"
    if starts is not None:
        inside = np.flatnonzero((starts >= span[0]) & (starts < span[1]))
        if inside.size:
            text += f" (trials {inside[0]} to {inside[-1]} of 0 to {len(starts) - 1})"
    return span, text


def _duration(ms: float) -> str:
    return f"{ms:.4g} ms" if ms < 1000 else f"{ms / 1000:.4g} s"


def _spikes(
    axes: Sequence[Axes],
    population: str,
    spikes: Any,
    groups: dict[str, np.ndarray] | None,
    span: tuple[float, float],
    *,
    max_units: int,
    scale: float,
) -> None:
    top, bottom = axes
    if spikes.size < 1:
        for ax, name in ((top, "unit"), (bottom, "rate (Hz)")):
            note(ax, "a population without units")
            ax.set_ylabel(name)
        top.set_title(f"Spikes of {population}")
        return
    members = group_members(groups, spikes.size)
    shown = draw_raster(
        top,
        spikes.times,
        spikes.ids,
        spikes.size,
        members,
        order=None,
        window=span,
        max_units=max_units,
        height_pt=130,
        scale=scale,
    )
    top.set_title(f"Spikes of {population}{shown}")
    bins = float(np.clip((span[1] - span[0]) / 400, 1.0, 1000.0))
    width = draw_rate(bottom, spikes.times, spikes.ids, members, window=span, rate_bin=bins, scale=scale)
    if groups is None:
        bottom.set_title(f"Rate of {population} ({width:.3g} ms bins, {bottom.lines[0].get_label()})")
        return
    bottom.set_title(f"Rate of {population} ({width:.3g} ms bins)")
    for line in bottom.lines:
        line.set_label(str(line.get_label()).replace(", ", ",\n"))
    legend_right(bottom)


def _lines(ax: Axes, one: Track, aim: Track | None, *, span: tuple[float, float], scale: float) -> None:
    """The part of an entry within ``span`` of the clock of the run, with its target."""
    pick = (one.x >= span[0]) & (one.x <= span[1])
    aims = None
    if aim is not None:
        aims = np.stack([np.interp(one.x[pick], aim.x, column) for column in aim.values.T], axis=1)
    if pick.any():
        target = "" if aim is None else aim.key
        draw_traces(ax, one.x[pick] * scale, one.values[pick], one.labels, aims=aims, reference_label=target)
        _dots(ax, int(pick.sum()))
    else:
        note(ax, "nothing recorded in this stretch of time")
    _say(ax, one)


def _whole(ax: Axes, one: Track) -> None:
    """All of an entry, on an axis of its own."""
    long = one.x_label == CLOCK and one.x.max() > WHOLE_MS
    draw_traces(ax, one.x * (1e-3 if long else 1.0), one.values, one.labels)
    _dots(ax, len(one.x))
    if one.x_label != CLOCK and (one.x == np.round(one.x)).all():
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if one.x_label in UNORDERED:
        for line in ax.lines:
            line.set(linestyle="none", marker="o", markersize=3)
    ax.set_xlabel("time (s)" if long else one.x_label)
    finite = one.values[np.isfinite(one.values)]
    if one.key.startswith("training/") and finite.size and finite.min() > 0 and finite.max() > DECADES * finite.min():
        ax.set_yscale("log")
    _say(ax, one)


def _dots(ax: Axes, points: int) -> None:
    """Mark the points where they are few; a single one would be no line at all."""
    if points <= 40:
        for line in ax.lines:
            line.set(marker="o", markersize=3, clip_on=False)


def _say(ax: Axes, one: Track) -> None:
    ax.set_title(one.key + one.remark)
    ax.set_ylabel(textwrap.fill(label(one.name, one.units), 14))
    if len(ax.get_legend_handles_labels()[0]) > 1:
        legend_right(ax, labelspacing=0.25)


def _clock(axes: Sequence[Axes], span: tuple[float, float], scale: float) -> None:
    """One clock for all panels of the run; only the last says so."""
    for ax in axes:
        ax.set_xlim(span[0] * scale, span[1] * scale)
        ax.tick_params(labelbottom=ax is axes[-1])
    axes[-1].set_xlabel("time (s)" if scale != 1 else CLOCK)


def _trials(axes: Sequence[Axes], table: Any, starts: np.ndarray, span: tuple[float, float], scale: float) -> None:
    """Dotted lines where trials start, with numbers and phases above, as many as there is room for."""
    inside = np.flatnonzero((starts >= span[0]) & (starts < span[1]))
    if inside.size == 0 or inside.size > MAX_TRIALS or trial_names(table) == ["0"]:  # one trial needs no number
        return
    for ax in axes:
        for k in inside:
            ax.axvline(float(starts[k] * scale), color=GREY, linestyle=":", linewidth=0.8, zorder=0)
    names = [trial_names(table)[k] for k in inside]
    # The axes are about 370 points wide, a letter of 7.5 points about 4.6.
    room = 370 * np.diff([*starts[inside], span[1]]).min() / (span[1] - span[0])
    if 4.6 * max(map(len, names)) + 4 > room:
        names = [name.split()[0] for name in names]
    step = int(np.ceil((4.6 * max(map(len, names)) + 4) / room))
    for k, name in list(zip(inside, names, strict=True))[::step]:
        axes[0].annotate(
            name,
            (starts[k] * scale, 1),
            xycoords=axes[0].get_xaxis_transform(),
            xytext=(2, 2),
            textcoords="offset points",
            fontsize=7.5,
            color="0.25",
            va="bottom",
        )
    axes[0].set_title(axes[0].get_title(loc="left"), pad=15)
