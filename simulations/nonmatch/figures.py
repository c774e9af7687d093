"""Figures of the delayed nonmatch task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, dress, new_figure, panel_letters, style
from nonmatch.runs import CRITERION, LAST, SAMPLE_MS, WARM_UP, Learner


@style()
def errors(arms: Mapping[str, Sequence[Learner]]) -> Figure:
    """Error and fraction right over trials: every network thin, the median of an arm thick."""
    figure = new_figure(6.8, 4.4)
    panels = [dress(ax) for ax in figure.subplots(2, 1, sharex=True)]
    for colour, (arm, found) in zip(CYCLE, arms.items(), strict=False):
        smooth = np.array([np.convolve(m.error, np.ones(LAST) / LAST, "valid") for m in found])
        right = np.array([m.running for m in found])
        x = np.arange(smooth.shape[1]) + LAST - WARM_UP
        for ax, curves in zip(panels, (smooth, right), strict=True):
            ax.plot(x, curves.T, color=colour, linewidth=0.6, alpha=0.5)
            ax.plot(x, np.median(curves, axis=0), color=colour, linewidth=1.8, label=arm)
    panels[1].axhline(CRITERION, color="black", linestyle=":", linewidth=1.0, label="criterion")
    panels[0].set_ylabel(f"error, mean of {LAST} trials")
    panels[0].set_title("Delayed nonmatch to sample, learnt from one reward a trial (thin: networks, thick: median)")
    panels[1].set_ylabel(f"right of {LAST} trials")
    panels[1].set_ylim(0.3, 1.02)
    panels[1].set_xlabel("trial with learning")
    panel_letters(panels)
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


@style()
def responses(learner: Learner, *, last: int = 20) -> Figure:
    """Output of one network in the trials before learning and in the last ones, by kind of trial."""
    figure = new_figure(6.8, 2.9)
    panels = [dress(ax) for ax in figure.subplots(1, 2, sharey=True)]
    kinds = sorted(set(learner.kind))
    time = np.arange(1, learner.output.shape[1] + 1) * SAMPLE_MS
    for ax, part, title in zip(
        panels, (slice(0, WARM_UP), slice(-4 * last, None)), ("before learning", "after"), strict=True
    ):
        ax.axvspan(0, 200, color=GREY, alpha=0.15, linewidth=0)
        ax.axvspan(400, 600, color=GREY, alpha=0.15, linewidth=0)
        for colour, kind in zip(CYCLE, kinds, strict=False):
            traces = learner.output[part][learner.kind[part] == kind][-last:]
            ax.plot(time, traces.T, color=colour, linewidth=0.4, alpha=0.4)
            ax.plot(time, traces.mean(axis=0), color=colour, linewidth=1.8, label=kind)
        ax.axvspan(800, 1000, fill=False, linestyle=":", linewidth=1.0)
        ax.set_xlabel("time in trial (ms)")
        ax.set_title(f"Output unit, {title}")
    panels[0].set_ylabel("activity r")
    panel_letters(panels)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        title="stimuli (shaded); dotted: scored",
    )
    return figure
