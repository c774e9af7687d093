"""jPCA: activity in the planes in which it rotates, beside what surrogates do."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from neurodyn.analysis.population.rotations import JPCAResult
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style


@style()
def jpca(found: JPCAResult, *, title: str = "Rotations (jPCA)") -> Figure:
    """Projections of the conditions on each plane, and the two R2 beside their nulls.

    Parameters
    ----------
    found : JPCAResult
        From :func:`neurodyn.analysis.jpca`. Dots: where conditions begin.
    """
    count = len(found.planes)
    figure = new_figure(2.4 + 2.6 * count, 3.3)
    axes = [dress(ax) for ax in figure.subplots(1, count + 1)]
    for k, ax in enumerate(axes[:count]):
        for c, path in enumerate(found.projections[k]):
            ax.plot(*path.T, color=CYCLE[c % len(CYCLE)], linewidth=0.9)
            ax.plot(*path[0], "o", color=CYCLE[c % len(CYCLE)], markersize=3)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xlabel="jPC1 (unit of activity)", ylabel="jPC2 (unit of activity)")
        ax.set_title(f"{found.frequencies[k]:.2g} Hz, {found.variance[k]:.0%} of var.")
    last = axes[-1]
    for place, (name, test) in enumerate((("R2", found.r2), ("R2 over\nany M's", found.r2_ratio))):
        violin = last.violinplot(test.null, positions=[place], widths=0.7, showextrema=False)
        for body in violin["bodies"]:  # type: ignore[union-attr]
            body.set(facecolor=GREY, alpha=0.4, label=f"{found.control} control" if place == 0 else "_")
        last.plot(place, test.observed, "D", color=CYCLE[1], markersize=6, label="activity" if place == 0 else "_")
        last.annotate(
            f"p = {test.p:.2g}",
            (place, max(test.observed, np.max(test.null))),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
        last.text(place, -0.02, name, transform=last.get_xaxis_transform(), ha="center", va="top", fontsize=8)
    last.set_xticks([])
    last.set(ylim=(min(0.0, last.get_ylim()[0]), max(1.12, last.get_ylim()[1])), xlim=(-0.6, 1.6), ylabel="R2 of dx/dt")
    last.set_title("Beside the control")
    panel_letters(axes)
    figure.suptitle(title)
    legend_below(figure, last.get_legend_handles_labels()[0])
    return figure
