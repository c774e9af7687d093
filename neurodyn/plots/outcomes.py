"""Results and checks of a run as a table, for recordings that hold nothing to draw."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.outcome import shown
from neurodyn.plots.base import GREY, OKABE_ITO, dress, new_figure

MOST = 40  # rows of results, and of checks
_ROW = 0.19  # inches
_WIDTH, _LETTERS = 7.6, 109  # inches; letters of 8 points across

# Title, names of columns, rows, and where columns begin (0 to 1).
_Block = tuple[str, tuple[str, ...], Sequence[tuple[str, ...]], tuple[float, ...]]


def outcome_table(recording: Any, title: str) -> Figure:
    """Checks with value, threshold and reference, and results below."""
    blocks: list[_Block] = []
    if recording.checks:
        rows = [
            (
                one["name"],
                shown(one["value"]),
                one["threshold"],
                shown(one["reference"]),
                "yes" if one["passed"] else "NO",
            )
            for one in recording.checks
        ]
        passed = sum(one["passed"] for one in recording.checks)
        head = f"Checks: {passed} of {len(rows)} passed"
        blocks.append(
            (head, ("check", "value", "threshold", "reference", "passed"), rows, (0.0, 0.52, 0.63, 0.78, 0.93))
        )
    rows = [(name, shown(value)) for name, value in recording.results.items()]
    blocks.append(("Results", ("result", "value"), rows, (0.0, 0.52)))
    heights = [2.4 + min(len(rows), MOST + 1) for _, _, rows, _ in blocks]
    figure = new_figure(_WIDTH, 0.45 + _ROW * sum(heights))
    axes = figure.subplots(len(blocks), 1, height_ratios=heights, squeeze=False)[:, 0]
    for ax, block, height in zip(axes, blocks, heights, strict=True):
        _block(dress(ax), *block, height)
    figure.suptitle(textwrap.fill(title, 92), x=0.01, ha="left")
    return figure


def _block(
    ax: Axes,
    title: str,
    names: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    places: tuple[float, ...],
    height: float,
) -> None:
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(height, 0))
    ax.set_title(title)
    ends = [int((end - start) * _LETTERS) - 2 for start, end in zip(places, (*places[1:], 1.0), strict=True)]
    lines = [names, *rows[:MOST]]
    if len(rows) > MOST:
        lines.append((f"and {len(rows) - MOST} more: neurodyn info", *[""] * (len(names) - 1)))
    for number, line in enumerate(lines):
        failed = line[-1] == "NO"
        colour = GREY if number == 0 else OKABE_ITO["vermillion"] if failed else "black"
        for place, letters, text in zip(places, ends, line, strict=True):
            ax.text(place, number + 0.8, _cut(text, letters), fontsize=8, color=colour, va="center", parse_math=False)
    ax.axhline(1.3, color=GREY, linewidth=0.6)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"
