"""Recordings beside each other: canonical correlations, superposed shapes, and shared spaces."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.population.canonical import CanonicalCorrelations
from neurodyn.analysis.population.shared_subspace import SharedSpace
from neurodyn.analysis.population.superposition import Procrustes
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, legend_under, new_figure, panel_letters, style

_POINTS = 2000


@style()
def cca(found: CanonicalCorrelations, *, title: str = "Canonical correlations") -> Figure:
    """Correlations of the fit and of data left out beside their nulls, and the first pair of canonical variables.

    Parameters
    ----------
    found : CanonicalCorrelations
        From :func:`neurodyn.analysis.cca`.
    """
    figure = new_figure(7.6, 3.3)
    left, middle, right = (dress(ax) for ax in figure.subplots(1, 3))
    for ax, test, name in ((left, found.correlations, "Fitted"), (middle, found.held_out, "Left out")):
        place = np.arange(1, len(test.observed) + 1)
        ax.fill_between(place, test.low, test.high, color=GREY, alpha=0.35, linewidth=0, label="null, 5 to 95 %")
        ax.plot(place, test.observed, "o-", color=CYCLE[0], label="recordings")
        ax.axhline(0, color=GREY, linewidth=0.6)
        ax.set(xlabel="canonical pair", ylabel="correlation", ylim=(min(-0.1, float(np.min(test.low)) - 0.05), 1.05))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_title(name)
    every = max(1, len(found.a_scores) // _POINTS)
    right.plot(found.a_scores[::every, 0], found.b_scores[::every, 0], ".", color=CYCLE[0], markersize=2, alpha=0.5)
    right.set(xlabel="first variable of a (SD)", ylabel="first variable of b (SD)")
    right.set_title("First pair")
    panel_letters((left, middle, right))
    figure.suptitle(f"{title}; null by {found.null} paired anew")
    legend_below(figure, left.get_legend_handles_labels()[0])
    return figure


@style()
def procrustes(found: Procrustes, *, title: str = "Misfit of shapes (Procrustes)") -> Figure:
    """The misfit beside the misfits of recordings paired anew.

    Parameters
    ----------
    found : Procrustes
        From :func:`neurodyn.analysis.procrustes`.
    """
    figure = new_figure(4.4, 3.2)
    ax = dress(figure.subplots())
    test = found.misfit
    bins = np.linspace(0, 1.02 * max(test.observed, float(test.null.max())), 41).tolist()
    ax.hist(test.null, bins=bins, color=GREY, alpha=0.5, label=f"paired anew, {test.samples} times")
    ax.axvline(test.observed, color=CYCLE[1], linewidth=1.6, label=f"recordings, p = {test.p:.2g}")
    ax.set(xlabel="squared misfit over squared size", ylabel="surrogates", xlim=(0, None))
    ax.set_title(title)
    legend_under(ax)
    return figure


@style()
def shared_space(found: SharedSpace, *, title: str = "Spaces of several recordings") -> Figure:
    """Variance that the common components capture, and the alignment of each pair beside its null.

    Parameters
    ----------
    found : SharedSpace
        From :func:`neurodyn.analysis.shared_space`.
    """
    count = len(found.names)
    figure = new_figure(7.6, 3.4)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    base = np.zeros(count)
    for k, share in enumerate(100 * found.captured.T):
        left.barh(
            range(count), share, left=base, color=CYCLE[k % len(CYCLE)], height=0.6, label=f"common component {k + 1}"
        )
        base = base + share
    left.set(yticks=range(count), ylabel="recording", xlabel="variance captured (%)", xlim=(0, 100))
    left.set_yticklabels(found.names)
    left.invert_yaxis()
    left.set_title("In the common space")
    test = found.alignment
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    for place, (i, j) in enumerate(pairs):
        first = place == 0
        right.plot(
            [test.low[i, j], test.high[i, j]],
            [place, place],
            color=GREY,
            linewidth=6,
            alpha=0.45,
            solid_capstyle="butt",
            label="null, 5 to 95 %" if first else "_",
        )
        right.plot(test.observed[i, j], place, "D", color=CYCLE[1], label="alignment" if first else "_")
        right.plot(
            found.within[i], place, "|", color="black", markersize=9, label="halves of the first" if first else "_"
        )
    right.set(yticks=range(len(pairs)), ylabel="pair", xlabel="alignment index", xlim=(0, 1.05))
    right.set_yticklabels([f"{found.names[i]} in {found.names[j]}" for i, j in pairs])
    right.invert_yaxis()
    right.set_title("Variance in the other's space")
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, [*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]])
    return figure
