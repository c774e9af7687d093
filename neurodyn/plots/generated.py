"""Movements that networks generate beside those they learnt, and how far ahead they predict unseen ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style
from neurodyn.plots.lines import draw_band
from neurodyn.plots.numbers import checked, seeds_of, spread_text
from neurodyn.plots.primitives import names_of

if TYPE_CHECKING:
    from neurodyn.tasks.switching import Segments


@style()
def prediction_horizon(
    errors: Mapping[str, Any],
    *,
    persistence: Any,
    free_running: Any = None,
    title: str = "Predictions of unseen sequences",
) -> Figure:
    """Squared error against how far ahead a prediction looks, and its ratio to that of persistence.

    Parameters
    ----------
    errors : mapping of condition to array, shape (network, horizon) or (horizon)
        Such as the ``error`` of :func:`neurodyn.analysis.prediction_error` of each network, above 0. Thick lines are means,
        bands go from the least to the greatest network.
    persistence : array, shape (horizon)
        Errors of the prediction that nothing changes.
    free_running : float or array, shape (network), optional
        Errors of networks that don't see the sequences: the mean is drawn.

    Raises
    ------
    ValueError
        No conditions, and shapes that don't match.
    """
    still = checked("persistence", persistence, (None,), finite=True)
    if not errors:
        raise ValueError("errors is empty: give at least one named condition")
    rows = {name: seeds_of(f"errors[{name!r}]", values, len(still)) for name, values in errors.items()}
    figure = new_figure(7.2, 3.6)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    ahead = np.arange(1, len(still) + 1)
    for k, (name, each) in enumerate(rows.items()):
        for panel, values in ((left, each), (right, each / still)):
            draw_band(panel, ahead, values, CYCLE[k % len(CYCLE)], name, spread="range", seeds=True)
    left.plot(ahead, still, "--", color=GREY, label="persistence")
    right.axhline(1, color=GREY, linestyle="--", linewidth=1.0)
    if free_running is not None:
        level = float(np.mean(np.asarray(free_running, dtype=np.float64)))
        left.axhline(level, color=GREY, linestyle=":", linewidth=1.0, label="running freely")
    for panel, ylabel in ((left, "squared error, summed over dimensions"), (right, "error / that of persistence")):
        panel.set_yscale("log")
        panel.set_xticks(ahead)
        panel.set(xlabel="steps ahead", ylabel=ylabel)
    left.set_title("Error")
    right.set_title("Beside persistence")
    panel_letters([left, right])
    figure.suptitle(f"{title} ({spread_text('range', rows.values())})")
    legend_below(figure, left.get_legend_handles_labels()[0])
    return figure


@style()
def generated_curves(
    generated: Mapping[str, Any],
    training: Any,
    segment: Callable[[np.ndarray], Segments],
    *,
    names: Sequence[str] | None = None,
    title: str = "Movements from the prior",
) -> Figure:
    """Paths in the plane that networks generate beside those of the training, coloured by the primitive.

    Parameters
    ----------
    generated : mapping of condition to array, shape (sequence, time, 2)
        Of one network each. A few hundred steps in all are enough to see.
    training : array, shape (sequence, time, 2)
    segment : callable
        Finds the primitives in movements, such as ``task.segment``. A step belongs to the primitive whose farthest point
        is nearest in time; before the first and after the last one of a sequence, steps are grey where they are further
        than half the way to the next.
    names : sequence of str, optional
        Of the primitives; letters if not given.

    Raises
    ------
    ValueError
        No conditions, and values that are no curves in the plane.
    """
    if not generated:
        raise ValueError("generated is empty: give at least one named condition")
    shown = {"training": checked("training", training, (None, None, 2), finite=True)}
    shown |= {k: checked(f"generated[{k!r}]", v, (None, None, 2), finite=True) for k, v in generated.items()}
    owners = {name: _owners(values, segment(values)) for name, values in shown.items()}
    across = len(shown) if len(shown) <= 5 else 4
    down = -(-len(shown) // across)
    figure = new_figure(0.4 + 2.1 * across, 1.0 + 2.4 * down)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for empty in axes[len(shown) :]:
        empty.remove()
    for k, (ax, (name, values)) in enumerate(zip(axes, shown.items(), strict=False)):
        _paths(dress(ax), values, owners[name])
        ax.set_title(name)
        if k + across >= len(shown):
            ax.set_xlabel("dimension 0")
            ax.tick_params(labelbottom=True)
        if k % across == 0:
            ax.set_ylabel("dimension 1")
    most = max(int(of.max(initial=0)) for of in owners.values()) + 1
    known = names_of(names, most)
    keys = [Line2D([], [], color=CYCLE[k % len(CYCLE)], label=known[k]) for k in range(most)]
    if any((of < 0).any() for of in owners.values()):
        keys.append(Line2D([], [], color=GREY, label="none"))
    figure.suptitle(title)
    legend_below(figure, keys)
    return figure


def _owners(values: np.ndarray, found: Segments) -> np.ndarray:
    """The primitive that each step (sequence, time) belongs to; -1 for none."""
    owner = np.full(values.shape[:2], -1)
    steps = np.arange(values.shape[1])
    for row, labels, peaks in zip(owner, found.labels, found.peaks, strict=True):
        if len(peaks):
            reach = np.diff(peaks).mean() / 2 if len(peaks) > 1 else np.inf
            nearest = np.abs(steps[:, None] - peaks).argmin(axis=1)
            near = (steps >= peaks[0] - reach) & (steps <= peaks[-1] + reach)
            row[near] = labels[nearest[near]]
    return owner


def _paths(ax: Axes, values: np.ndarray, owner: np.ndarray) -> None:
    pieces = np.stack([values[:, :-1], values[:, 1:]], axis=2).reshape(-1, 2, 2)
    of = owner[:, 1:].ravel()
    for k in np.unique(of):
        colour = GREY if k < 0 else CYCLE[k % len(CYCLE)]
        ax.add_collection(LineCollection(list(pieces[of == k]), colors=colour, linewidths=0.6, alpha=0.6))
    ax.autoscale_view()
    ax.set_aspect("equal")
