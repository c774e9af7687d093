"""Conditions side by side: bars of means with every seed as a point."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, OKABE_ITO, figure_of, legend_right, root_of, style
from neurodyn.plots.numbers import Spread, centre_and_spread, checked, spread_text


@style()
def bars_with_points(
    labels: Sequence[str],
    values: Any,
    *,
    ylabel: str,
    title: str,
    threshold: float | None = None,
    threshold_label: str = "threshold",
    reference: float | None = None,
    reference_label: str = "reference",
    highlight: str | None = None,
    spread: Spread = "sd",
    ax: Axes | None = None,
) -> Figure:
    """Mean of each condition as a bar with its spread, and every seed as a point.

    Parameters
    ----------
    labels : sequence of str
        One per condition.
    values : array, shape (condition, seed), or a sequence of arrays of different lengths
        NaN is left out; a condition without a finite value says "no value".
    ylabel, title : str
        With units in brackets.
    threshold, reference : float, optional
        Dashed and dotted horizontal lines.
    threshold_label, reference_label : str
        What the legend calls them.
    highlight : str, optional
        Label of the condition to set off by colour, for example the default.
    spread : "sd", "sem" or "range"

    Raises
    ------
    ValueError
        No conditions, more or fewer rows than labels, or an unknown ``highlight``.
    """
    if len(labels) == 0 or len(values) != len(labels):
        raise ValueError(f"values has {len(values)} conditions for {len(labels)} labels; give one row each")
    if highlight is not None and highlight not in labels:
        raise ValueError(f"highlight = {highlight!r} is none of the labels {list(labels)}")
    rows = []
    for name, row in zip(labels, values, strict=True):
        array = checked(f"values of {name!r}", np.atleast_1d(row), (None,), empty=True)
        rows.append(array[np.isfinite(array)])
    figure, panel = figure_of(ax, width=max(3.6, min(7.0, 2.2 + 0.75 * len(labels))), height=3.0)
    for k, (name, row) in enumerate(zip(labels, rows, strict=True)):
        if len(row) == 0:
            panel.annotate(
                "no value",
                (k, 0),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=GREY,
            )
            continue
        mean, low, high = (float(edge[0]) for edge in centre_and_spread(row[:, np.newaxis], spread))
        colour = OKABE_ITO["vermillion"] if name == highlight else CYCLE[0]
        panel.bar(k, mean, width=0.62, color=colour, alpha=0.35, linewidth=0)
        if len(row) > 1:
            panel.errorbar(k, mean, yerr=[[mean - low], [high - mean]], color=colour, capsize=3, linewidth=1.2)
        # Points side by side in the order of the seeds: nothing random in a figure.
        offset = np.linspace(-0.18, 0.18, len(row)) if len(row) > 1 else np.zeros(1)
        panel.plot(k + offset, row, "o", markersize=3.5, color=colour, markeredgecolor="white", markeredgewidth=0.4)
    if threshold is not None:
        panel.axhline(threshold, color="black", linestyle="--", linewidth=1.0, label=f"{threshold_label} {threshold:g}")
    if reference is not None:
        panel.axhline(reference, color=GREY, linestyle=":", linewidth=1.2, label=f"{reference_label} {reference:g}")
    _name_conditions(panel, labels)
    panel.set_ylabel(ylabel)
    panel.set_title(f"{title}\n({spread_text(spread, rows)})")
    legend_right(panel)
    return figure


def _name_conditions(ax: Axes, labels: Sequence[str]) -> None:
    # Share of the width per condition, in letters of 8 points.
    letters = max(5, int((root_of(ax).get_figwidth() - 1.6) * 72 / 4.6 / len(labels)))
    longest = max((len(word) for text in labels for word in text.split()), default=1)
    ax.set_xlim(-0.6, len(labels) - 0.4)
    if longest <= letters:
        ax.set_xticks(range(len(labels)), [textwrap.fill(text, letters) for text in labels])
    else:
        ax.set_xticks(range(len(labels)), list(labels), rotation=35, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)
    ax.axhline(0.0, color="black", linewidth=0.8)
    ax.spines["bottom"].set_visible(False)
