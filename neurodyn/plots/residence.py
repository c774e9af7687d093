"""Where a noise-driven network stays, where it leaves, and what tells the zones of its orbit apart."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.analysis.emulation.residence import ZONES, ResidenceMap
from neurodyn.analysis.population.dimensionality import pca
from neurodyn.plots.base import GREY, OKABE_ITO, dress, legend_below, new_figure, panel_letters, style

COLOURS: dict[str, str] = dict(
    zip(ZONES, (OKABE_ITO["vermillion"], OKABE_ITO["orange"], OKABE_ITO["blue"]), strict=True)
)
_NONE = "#b5b5b5"
_CONDITIONS = ("RT < 2", "2 to 8", "RT > 8, sure", "RT > 8, unsure")


@style()
def residence_zones(found: ResidenceMap, *, title: str = "Visited states, by residence") -> Figure:
    """The orbit coloured by residence time and by zone, and how residence, turns and eigenvalues differ between zones.

    Parameters
    ----------
    found : ResidenceMap
        From :func:`neurodyn.analysis.residence_map`, of a network with at least two units.
    """
    figure = new_figure(8.4, 6.2)
    axes = [dress(ax) for ax in figure.subplots(2, 3).flat]
    plane = pca(found.states, 2)
    x, y = plane.scores.T
    # The rarest on top: transitions are few.
    order = np.argsort(-found.residence, kind="stable")
    points = axes[0].scatter(
        x[order], y[order], c=found.residence[order], s=5, cmap="viridis", vmin=0, vmax=found.cap, linewidths=0
    )
    figure.colorbar(points, ax=axes[0], label="residence time RT (steps)", location="bottom", shrink=0.9)
    axes[0].set_title(title)
    handles = []
    for k, name in ((-1, "none"), (2, "cluster"), (1, "kick"), (0, "transition")):
        inside = found.zone == k
        axes[1].scatter(x[inside], y[inside], s=5, color=COLOURS.get(name, _NONE), linewidths=0, label=name)
        handles.insert(0, axes[1].scatter([], [], s=22, color=COLOURS.get(name, _NONE), label=_legend(found, k, name)))
    for ax in axes[:2]:
        for axis, share in zip("xy", plane.explained_ratio, strict=True):
            ax.set(**{f"{axis}label": f"PC{'xy'.index(axis) + 1} ({share:.0%} of variance)"})
    axes[1].set_title("By zone")
    _histogram(axes[2], found)
    for ax, name, heading in (
        (axes[3], "sign_changes", "Turns of the winning logit"),
        (axes[4], "unstable", "Unstable eigenvalues"),
        (axes[5], "confidence", "Probability of the winner"),
    ):
        _by_zone(ax, found, name)
        ax.set_title(heading)
    axes[3].set_ylabel("while it wins, per rollout")
    axes[4].set_ylabel("number with |λ| > 1")
    axes[5].set_ylabel("softmax")
    axes[5].set_ylim(0, 1.05)
    panel_letters(axes)
    legend_below(figure, handles)
    return figure


def _legend(found: ResidenceMap, zone: int, name: str) -> str:
    return f"{name} ({_CONDITIONS[zone]}): {found.fractions[name]:.1%}"


def _histogram(ax: Axes, found: ResidenceMap) -> None:
    edges = np.linspace(0, found.cap, 31)
    parts = [found.residence[found.zone == k] for k in (0, 1, 2, -1)]
    ax.hist(parts, edges.tolist(), stacked=True, color=[*COLOURS.values(), _NONE])
    ax.set(xlabel="residence time (steps)", ylabel="states")
    ax.set_title(f"Residence, cut at {found.cap} steps")


def _by_zone(ax: Axes, found: ResidenceMap, name: str) -> None:
    """Mean of a measure in each zone, with the middle half of its states."""
    values = getattr(found, name)
    for k, zone in enumerate(ZONES):
        inside = values[found.zone == k]
        if not len(inside):
            ax.text(k, 0, "no state", ha="center", va="bottom", color=GREY, fontsize=8)
            continue
        ax.bar(k, inside.mean(), color=COLOURS[zone], width=0.7)
        ax.vlines(k, *np.quantile(inside, [0.25, 0.75]), color="black", linewidth=1.0)
    ax.set_xticks(range(len(ZONES)), ZONES)
    ax.set_xlabel("mean; line: middle half of states")
