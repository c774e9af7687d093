"""Noise-driven networks against the level of their noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from neurodyn.analysis.emulation.levels import WORD, NoiseSweep
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style
from neurodyn.plots.lines import draw_band
from neurodyn.plots.training import members_of


@style()
def noise_sweep(
    results: Mapping[str, NoiseSweep | Sequence[NoiseSweep]],
    *,
    cv: float | None = None,
    change: float | None = None,
    title: str = "Activity and symbols against the level of the noise",
) -> Figure:
    """How often networks switch, how regularly, and how well they emulate, at each level of their noise.

    Parameters
    ----------
    results : mapping of condition to NoiseSweep, or a sequence of them
        From :func:`neurodyn.analysis.noise_sweep`, all at the same levels. Lines are means over the networks of a condition,
        bands their SD.
    cv, change : float, optional
        Coefficient of variation of the target's dwell times, and share of steps at which its symbol changes: dotted lines.

    Raises
    ------
    ValueError
        No results, or different levels.
    """
    members: dict[str, list[NoiseSweep]] = members_of("results", results, "NoiseSweep")
    levels = next(iter(members.values()))[0].level
    for name, each in members.items():
        if any(not np.array_equal(found.level, levels) for found in each):
            raise ValueError(
                f"results[{name!r}] has other levels than the first condition: sweep all of them over the same"
            )
    figure = new_figure(7.4, 4.6)
    panels = [dress(panel) for panel in figure.subplots(2, 2, sharex=True).flat]
    quantities = (
        ("switching", "switches per step", "Largest logit", None),
        ("change", "changes per step", "Drawn symbol", change),
        ("cv", "SD / mean", "Times between switches", cv),
        ("distance", "total variation", f"Words of {WORD} symbols beside the target", None),
    )
    for panel, (key, ylabel, heading, reference) in zip(panels, quantities, strict=True):
        for k, (name, each) in enumerate(members.items()):
            rows = np.array([getattr(found, key) for found in each])
            known = name if panel is panels[0] else "_"  # in the legend once
            draw_band(panel, levels, rows, CYCLE[k % len(CYCLE)], known, spread="sd", seeds=True)
        if reference is not None:
            panel.axhline(reference, color=GREY, linestyle=":", linewidth=1.0, label="target")
        panel.axvline(next(iter(members.values()))[0].trained_at, color=GREY, linewidth=0.6)
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")
        panel.set_ylabel(ylabel)
        panel.set_title(heading)
    floor = np.array([found.floor for each in members.values() for found in each])
    if np.isfinite(floor).any():
        panels[3].axhline(
            float(np.nanmean(floor)), color=GREY, linestyle="--", linewidth=1.0, label="sample of the target"
        )
    shares = np.concatenate([getattr(s, k) for each in members.values() for s in each for k in ("switching", "change")])
    if (shares > 0).any():
        around = np.log10([shares[shares > 0].min(), shares.max()])
        for panel in panels[:2]:
            panel.set_yscale("log")
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_formatter(NullFormatter())
            panel.set_ylim(10 ** np.floor(around[0]), 10 ** np.ceil(around[1]))
    for panel in panels[2:]:
        panel.set_xlabel("noise (SD; trained at the grey line)")
    panel_letters(panels)
    figure.suptitle(title)
    handles = {str(h.get_label()): h for panel in panels for h in panel.get_legend_handles_labels()[0]}
    legend_below(figure, list(handles.values()))
    return figure
