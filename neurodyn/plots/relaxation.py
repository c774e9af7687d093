"""Networks whose noise is switched off, and networks under noise of several levels."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.analysis.emulation.noise_levels import SizeAgainstNoise
from neurodyn.analysis.emulation.relaxation import NoiseFree
from neurodyn.plots.base import CYCLE, GREY, dress, figure_of, legend_below, new_figure, panel_letters, style


@style()
def noise_free(found: NoiseFree, *, title: str = "Without noise", ax: Axes | None = None) -> Figure:
    """Norm of the state after the noise is switched off, one line for each start, coloured by where it ends.

    Parameters
    ----------
    found : NoiseFree
        From :func:`neurodyn.analysis.noise_free`. Grey lines don't settle.
    ax : Axes, optional
        Where to draw.
    """
    figure, panel = figure_of(ax, width=5.2, height=3.4)
    steps = np.arange(len(found.norm))
    for k in range(found.norm.shape[1]):
        which = found.which[k]
        colour = GREY if which < 0 else CYCLE[which % len(CYCLE)]
        # A logarithmic axis has no place for 0.
        norm = np.where(found.norm[:, k] > 0, found.norm[:, k], np.nan)
        panel.plot(steps, norm, color=colour, linewidth=0.6, alpha=0.6)
    panel.set_yscale("log")
    panel.set(xlabel="steps without noise", ylabel="norm of the state (activity)")
    points, total = len(found.fixed_points), len(found.settled)
    ends = f"{found.settled.sum()} of {total} starts settle in {points} fixed point{'s' if points != 1 else ''}"
    panel.set_title(
        f"{title}: {ends}\nnorm at the end / at the start: median {np.nanmedian(found.ratio):.2g}, largest {np.nanmax(found.ratio):.2g}"
    )
    return figure


@style()
def size_against_noise(found: SizeAgainstNoise, *, title: str = "Size of the activity") -> Figure:
    """Radius and extent of the activity against the noise level, and their ratio to it.

    Parameters
    ----------
    found : SizeAgainstNoise
        From :func:`neurodyn.analysis.size_against_noise`. Error bars are the SD over paths.
    """
    figure = new_figure(7.0, 3.4)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    order = np.argsort(found.levels)
    levels = found.levels[order]
    for k, (name, values) in enumerate((("rms radius", found.radius), ("95 % extent, PC1 and PC2", found.extent))):
        mean, sd = values[order].mean(axis=1), values[order].std(axis=1)
        left.errorbar(levels, mean, sd, fmt="o-", color=CYCLE[k], capsize=2, label=name)
        right.plot(levels, mean / levels, "o-", color=CYCLE[k])
    left.set(xlabel="noise level (SD)", ylabel="size (activity)", xlim=(0, None), ylim=(0, None))
    left.set_title(f"{title} (mean ± SD, {found.radius.shape[1]} paths)")
    right.set(xlabel="noise level (SD)", ylabel="size / noise level", xlim=(0, None), ylim=(0, None))
    right.set_title(
        "Ratio: a finding, the network has biases"
        if found.biased
        else "Ratio: constant by construction,\nthe network has no biases"
    )
    panel_letters((left, right))
    legend_below(figure, left.get_legend_handles_labels()[0])
    return figure
