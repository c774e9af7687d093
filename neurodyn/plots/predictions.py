"""How far ahead a network predicts, and how long it stays with a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.analysis.generation.divergence import DivergenceStep
from neurodyn.analysis.generation.predictions import PredictionError
from neurodyn.plots.base import CYCLE, GREY, figure_of, legend_right, style
from neurodyn.plots.lines import draw_band
from neurodyn.plots.training import members_of


@style()
def prediction_error(
    results: Mapping[str, PredictionError | Sequence[PredictionError]],
    *,
    title: str = "Errors of predictions",
    ax: Axes | None = None,
) -> Figure:
    """Squared error against the horizon, a line for each condition, and that of persistence.

    Parameters
    ----------
    results : mapping of condition to PredictionError, or a sequence of them
        From :func:`neurodyn.analysis.prediction_error`, all with the same horizons. Thick lines are means over the networks
        of a condition, bands their SD; the persistence is the mean over all.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    ValueError
        No results, or different horizons.
    """
    members: dict[str, list[PredictionError]] = members_of("results", results, "PredictionError")
    first = next(iter(members.values()))[0]
    for name, each in members.items():
        if any(found.error.shape != first.error.shape for found in each):
            raise ValueError(f"results[{name!r}] has other horizons than the first condition: give as many to all")
    figure, panel = figure_of(ax, width=5.8, height=3.3)
    ahead = np.arange(1, len(first.error) + 1)
    for k, (name, each) in enumerate(members.items()):
        rows = np.array([found.error for found in each])
        draw_band(panel, ahead, rows, CYCLE[k % len(CYCLE)], name, spread="sd", seeds=True)
    every = np.array([found.persistence for each in members.values() for found in each])
    panel.plot(ahead, np.nanmean(every, axis=0), "--", color=GREY, label="persistence")
    panel.set_yscale("log")
    panel.set_xticks(ahead)
    panel.set_xlabel("steps ahead")
    panel.set_ylabel("squared error, summed over dimensions")
    panel.set_title(title)
    legend_right(panel)
    return figure


@style()
def divergence_step(
    results: Mapping[str, DivergenceStep | Sequence[DivergenceStep]],
    *,
    title: str = "Generated sequences that still agree with their targets",
    ax: Axes | None = None,
) -> Figure:
    """Share of sequences that haven't diverged after each step, a line for each condition.

    Parameters
    ----------
    results : mapping of condition to DivergenceStep, or a sequence of them
        From :func:`neurodyn.analysis.divergence_step`, all of one length. Thick lines are means over the networks of a
        condition, bands their SD; the number beside the name is the mean divergence step.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    ValueError
        No results, or different lengths.
    """
    members: dict[str, list[DivergenceStep]] = members_of("results", results, "DivergenceStep")
    length = next(iter(members.values()))[0].length
    for name, each in members.items():
        if any(found.length != length for found in each):
            raise ValueError(
                f"results[{name!r}] has targets of another length than the first condition: cut them to one"
            )
    figure, panel = figure_of(ax, width=6.2, height=3.2)
    steps = np.arange(length + 1)
    for k, (name, each) in enumerate(members.items()):
        rows = np.array([(found.steps[..., None] >= steps).mean(axis=(0, 1)) for found in each])
        mean = np.mean([found.mean for found in each])
        draw_band(panel, steps, rows, CYCLE[k % len(CYCLE)], f"{name} ({mean:.1f})", spread="sd", seeds=True)
    panel.set_ylim(-0.03, 1.03)
    panel.set_xlabel("steps from the start")
    panel.set_ylabel("share that agrees")
    panel.set_title(title)
    legend_right(panel, title="mean divergence step", alignment="left")
    return figure
