"""Runs side by side: every run, means with their intervals, and differences between runs that belong together."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.comparison.intervals import WORDS
from neurodyn.plots.base import CYCLE, GREY, caption, dress, label, new_figure, note, style

if TYPE_CHECKING:
    from neurodyn.comparison.found import RunComparison

MAX_VALUES = 12
_APART = 0.22  # of a mean from its points


@style()
def run_comparison(found: RunComparison) -> Figure:
    """Results by group on the left of each pair of panels, differences from the reference on the right.

    Parameters
    ----------
    found : RunComparison
        Of :func:`neurodyn.compare_runs`. Of more than 12 results the first 12 are drawn.
    """
    values = found.values[:MAX_VALUES]
    groups, others = len(found.groups), len(found.groups) - 1
    width = 0.9 + 0.55 * max(groups, 2) + 0.9 + 0.55 * max(others, 1) + 0.4
    columns = min(len(values), max(1, int(9.6 / width)))
    rows = -(-len(values) // columns)
    figure = new_figure(max(3.6, columns * width), 0.7 + 2.5 * rows)
    ratios = [max(groups, 2), max(others, 1)] * columns
    axes = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=ratios)
    for number, pair in enumerate(axes.reshape(-1, 2)):
        if number >= len(values):
            for ax in pair:
                ax.remove()
            continue
        _groups(dress(pair[0]), found, values[number])
        _differences(dress(pair[1]), found, values[number])
    caption(figure, _legend(found, values))
    return figure


def _groups(ax: Axes, found: RunComparison, value: str) -> None:
    frame, names = found.table, list(found.pair)
    columns = [frame[frame[found.by] == group].set_index(names or "run")[value] for group in found.groups]
    if names:
        keys = dict.fromkeys(key for column in columns for key in column.index)
        rows = np.array([[column.get(key, np.nan) for column in columns] for key in keys], dtype=float)
        for row in rows:
            ax.plot(np.arange(len(columns)), row, color=GREY, linewidth=0.6, alpha=0.6, zorder=1)
    for k, (group, column) in enumerate(zip(found.groups, columns, strict=True)):
        colour = CYCLE[k % len(CYCLE)]
        ax.plot(
            np.full(len(column), k), column, "o", color=colour, markeredgecolor="white", markeredgewidth=0.4, zorder=2
        )
        one = _row(found.summary, value, group)
        _mean(ax, k + _APART, one["mean"], one["low"], one["high"], colour)
    _name(ax, found.groups)
    ax.set_xlabel(found.by)
    ax.set_ylabel(label("value", _unit(value)))
    ax.set_title(textwrap.fill(value, 34))


def _differences(ax: Axes, found: RunComparison, value: str) -> None:
    frame, names = found.table, list(found.pair)
    others = [(k, group) for k, group in enumerate(found.groups) if group != found.reference]
    of = {group: frame[frame[found.by] == group].set_index(names or "run")[value] for group in found.groups}
    ax.axhline(0.0, color=GREY, linestyle=":", linewidth=1.0)
    shown = []
    for place, (k, group) in enumerate(others):
        colour = CYCLE[k % len(CYCLE)]
        one = _row(found.differences, value, group)
        if one["pairs"]:
            gaps = (of[group] - of[found.reference]).dropna()
            ax.plot(
                np.full(len(gaps), place),
                gaps,
                "o",
                color=colour,
                alpha=0.5,
                markeredgecolor="white",
                markeredgewidth=0.4,
            )
        _mean(ax, place + _APART, one["difference"], one["low"], one["high"], colour)
        pairs = f"{one['pairs']} pair{'s' * (one['pairs'] > 1)}" if one["pairs"] else "not paired"
        shown.append(f"{group}\n{pairs}")
    if not np.isfinite(_of(found.differences, value)["difference"].astype(float)).any():
        note(ax, "no difference")
    _name(ax, shown)
    ax.set_xlabel(found.by)
    ax.set_ylabel(label("difference", _unit(value)))
    ax.set_title(textwrap.fill(f"minus {found.reference}", 14))


def _mean(ax: Axes, x: float, mean: float, low: float, high: float, colour: str) -> None:
    bars = [[mean - low], [high - mean]] if np.isfinite(low) else None
    ax.errorbar(
        [x], [mean], yerr=bars, fmt="D", color="black", markerfacecolor=colour, capsize=2.5, linewidth=1.2, zorder=3
    )


def _name(ax: Axes, names: Sequence[str]) -> None:
    longest = max(len(line) for name in names for line in name.split("\n"))
    if longest > 11:
        ax.set_xticks(range(len(names)), list(names), rotation=35, ha="right", rotation_mode="anchor")
    else:
        ax.set_xticks(range(len(names)), list(names))
    ax.set_xlim(-0.4, len(names) - 0.4 + _APART)


def _of(frame: Any, value: str) -> Any:
    return frame[frame["result"] == value]


def _row(frame: Any, value: str, group: str) -> dict[str, Any]:
    part = _of(frame, value)
    return part[part["group"] == group].iloc[0].to_dict()


def _unit(value: str) -> str | None:
    """The unit in brackets at the end of the name of a result."""
    match = re.search(r"\(([^()]+)\)$", value)
    return match[1] if match else None


def _legend(found: RunComparison, values: Sequence[str]) -> str:
    words = ["Points: runs"]
    if found.pair:
        words.append(f"grey lines join the same {' and '.join(found.pair)}")
    words.append(f"diamonds: mean with {found.confidence:.0%} interval ({WORDS[found.interval]})")
    words.append(f"right: differences from {found.by} = {found.reference}" + (", pair by pair" if found.pair else ""))
    text = "; ".join(words) + "."
    if len(values) < len(found.values):
        text += f" {len(values)} of {len(found.values)} results are drawn."
    return text
