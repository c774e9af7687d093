"""Movements that consist of primitives, and which primitive follows which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from neurodyn.analysis.generation.transitions import TransitionTable
from neurodyn.plots.base import CYCLE, GREY, MARKERS, dress, figure_of, legend_below, legend_right, new_figure, style
from neurodyn.plots.numbers import checked


@style()
def movement(
    values: Any,
    labels: Any,
    peaks: Any,
    *,
    target: Any = None,
    names: Sequence[str] | None = None,
    title: str = "Movement and its primitives",
) -> Figure:
    """One movement over time with the primitives found in it, and beside it its path if it is one in the plane.

    Parameters
    ----------
    values : array, shape (time, dimension)
    labels, peaks : array, shape (event)
        The primitives and the steps at which they are farthest from home, such as ``labels[0]`` and ``peaks[0]`` of
        ``task.segment(values)``.
    target : array, shape of ``values``, optional
        Drawn dashed.
    names : sequence of str, optional
        Of the primitives; letters if not given.

    Raises
    ------
    ValueError
        Not one label for each peak, or shapes that don't fit.
    """
    shown = checked("values", values, (None, None))
    found, at = np.asarray(labels, dtype=int), np.asarray(peaks, dtype=int)
    if found.shape != at.shape or found.ndim != 1:
        raise ValueError(f"labels has shape {found.shape}, peaks {at.shape}: give one of each for each primitive")
    aim = None if target is None else checked("target", target, shown.shape)
    known = names_of(names, int(found.max(initial=0)) + 1)
    figure = new_figure(8.2, 3.2)
    plane = shown.shape[1] == 2
    axes = figure.subplots(1, 2, width_ratios=(2.4, 1)) if plane else [figure.subplots()]
    line = dress(axes[0])
    for d in range(shown.shape[1]):
        colour = CYCLE[d % len(CYCLE)]
        line.plot(shown[:, d], color=colour, label=f"dimension {d}")
        if aim is not None:
            line.plot(aim[:, d], "--", color=colour, linewidth=0.8, label=f"target of {d}")
    top = 1.02
    for label, step in zip(found, at, strict=True):
        line.text(step, top, known[label], transform=line.get_xaxis_transform(), ha="center", va="bottom", fontsize=8)
        line.axvline(step, color=GREY, linewidth=0.4, zorder=0)
    line.set_xlabel("step")
    line.set_ylabel("value")
    line.set_title(title, pad=16)
    if plane:
        path = dress(axes[1])
        path.plot(*shown.T, color=GREY, linewidth=0.6)
        for k in np.unique(found):
            path.plot(*shown[at[found == k]].T, MARKERS[k % len(MARKERS)], color=CYCLE[k % len(CYCLE)], label=known[k])
        path.set_aspect("equal")
        path.set(xlabel="dimension 0", ylabel="dimension 1")
        path.set_title("Farthest points")
        legend_right(path)
    legend_below(figure, line.get_legend_handles_labels()[0])
    return figure


@style()
def transition_table(
    found: TransitionTable,
    *,
    names: Sequence[str] | None = None,
    title: str = "Transitions between primitives",
    ax: Axes | None = None,
) -> Figure:
    """Probabilities of transitions as a table of colours, with intervals; what occurs and is not allowed is framed.

    Parameters
    ----------
    found : TransitionTable
        From :func:`neurodyn.analysis.transition_table`.
    names : sequence of str, optional
        Of the primitives; letters if not given.
    ax : Axes, optional
        Where to draw.
    """
    size = len(found.counts)
    known = names_of(names, size)
    figure, panel = figure_of(ax, width=2.2 + 1.1 * size, height=1.4 + 0.8 * size)
    image = panel.imshow(np.ma.masked_invalid(found.probability), cmap="Blues", vmin=0, vmax=1)
    framed = found.allowed is not None and bool(found.counts[~found.allowed].any())
    for i, j in np.ndindex(size, size):
        count = found.counts[i].sum()
        text = "none" if not count else f"{found.probability[i, j]:.2f}\n{found.low[i, j]:.2f}–{found.high[i, j]:.2f}"
        dark = count and found.probability[i, j] > 0.6
        panel.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
        if found.allowed is not None and not found.allowed[i, j] and found.counts[i, j]:
            place = (j - 0.48, i - 0.48)
            panel.add_patch(Rectangle(place, 0.96, 0.96, fill=False, edgecolor=CYCLE[1], linewidth=2.0))
    panel.set_xticks(range(size), known)
    panel.set_yticks(range(size), known)
    panel.set_xlabel("next primitive (framed: not allowed)" if framed else "next primitive")
    panel.set_ylabel("primitive")
    panel.set_title(title)
    figure.colorbar(image, ax=panel, label="probability", shrink=0.8)
    return figure


def names_of(given: Sequence[str] | None, number: int) -> list[str]:
    """Names of primitives, A, B, C, ... if none are given."""
    if given is None:
        return [chr(ord("A") + k) if number <= 26 else str(k) for k in range(number)]
    if len(given) < number:
        raise ValueError(f"names = {list(given)!r}: {len(given)} names for {number} primitives")
    return list(given)
