"""Error over trials, across switches of the task."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, figure_of, legend_right, root_of, style
from neurodyn.plots.lines import draw_band
from neurodyn.plots.numbers import Spread, checked, complete, seeds_of, spread_text


@style()
def error_curves(
    trials: Any,
    errors: Mapping[str, Any],
    *,
    switches: Sequence[tuple[float, str]] = (),
    baseline: Mapping[str, Any] | None = None,
    ylabel: str = "test error (nRMSE)",
    title: str = "Test error over trials",
    spread: Spread = "sd",
    seeds: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Test error of each learning rule over trials, with switches of the task and a baseline.

    Parameters
    ----------
    trials : array, shape (test,)
        Number of training trials before each test, increasing.
    errors : mapping of rule to array, shape (seed, test) or (test,)
        NaN and infinite values are left out of mean and band; the legend says how many seeds are complete.
    switches : sequence of (trial, text)
        Dashed vertical line after that trial, with what switched. Tests later than the trial belong to the
        new block; lines are not joined across a switch.
        A trial before the first test only names the first block.
    baseline : mapping of name to array, shape (seed, test) or (test,)
        What needs no network, for example the leaky counter: dash-dotted, black and grey.
    ylabel : str
        With units in brackets.
    spread : "sd", "sem" or "range"
    seeds : bool
        Draw each seed as a thin line too.

    Raises
    ------
    ValueError
        Trials that don't increase, no rules, or shapes that don't fit.
    """
    at = checked("trials", trials, (None,), finite=True)
    if (np.diff(at) <= 0).any():
        raise ValueError("trials must increase from test to test")
    if not errors:
        raise ValueError("errors is empty: give at least one rule")
    rules = {name: seeds_of(f"errors[{name!r}]", values, len(at)) for name, values in errors.items()}
    plain = {name: seeds_of(f"baseline[{name!r}]", values, len(at)) for name, values in (baseline or {}).items()}
    marks = sorted(((float(trial), text) for trial, text in switches), key=lambda mark: mark[0])
    blocks = np.split(np.arange(len(at)), np.searchsorted(at, [trial for trial, _ in marks], side="right"))

    figure, panel = figure_of(ax, width=6.8, height=3.2)
    styles = [(CYCLE[k % len(CYCLE)], "-") for k in range(len(rules))]
    styles += [(("black", GREY)[k % 2], "-.") for k in range(len(plain))]
    for (name, rows), (colour, line) in zip([*rules.items(), *plain.items()], styles, strict=True):
        rows = np.where(np.isfinite(rows), rows, np.nan)
        for block in (block for block in blocks if len(block)):
            draw_band(panel, at[block], rows[:, block], colour, "_", spread=spread, seeds=seeds, linestyle=line)
        panel.plot(
            [],
            [],
            line,
            color=colour,
            marker="o",
            markersize=3,
            label=textwrap.fill(complete(name, rows), 26),
        )
    span = _limits(panel, at)
    lines = _mark(panel, marks, float(at[0]), span)
    panel.set_ylim(bottom=0.0)
    panel.set_xlabel("training trial")
    panel.set_ylabel(ylabel)
    panel.set_title(title, pad=8 + 9.5 * lines)
    legend_right(panel, title=spread_text(spread, rules.values()), alignment="left")
    return figure


def _limits(ax: Axes, at: np.ndarray) -> tuple[float, float]:
    margin = 0.02 * max(1.0, float(at[-1] - at[0]))
    span = (float(at[0]) - margin, float(at[-1]) + margin)
    ax.set_xlim(span)
    return span


def _mark(ax: Axes, marks: Sequence[tuple[float, str]], first: float, span: tuple[float, float]) -> int:
    # The texts stand above the axes, each wrapped to its block: 7.5 point letters are about 4 points wide,
    # the axes take about two thirds of the width of the figure, the legend the rest.
    points = 0.66 * 72 * root_of(ax).get_figwidth()
    highest = 0
    ends = [*(trial for trial, _ in marks[1:]), span[1]]
    for (trial, text), end in zip(marks, ends[: len(marks)], strict=True):
        start = max(trial, span[0])
        if trial >= first:
            ax.axvline(trial, color=GREY, linestyle="--", linewidth=0.9, zorder=0)
        # Never narrower than one word of six letters.
        letters = max(6, int(points * (end - start) / (span[1] - span[0]) / 4.0))
        wrapped = textwrap.fill(text, letters)
        highest = max(highest, wrapped.count("\n") + 1)
        ax.annotate(
            wrapped,
            xy=(start, 1),
            xycoords=ax.get_xaxis_transform(),
            xytext=(2, 3),
            textcoords="offset points",
            fontsize=7.5,
            color="0.25",
            va="bottom",
        )
    return highest
