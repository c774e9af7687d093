"""The parts of networks that emulate hidden Markov models: clusters, kick groups, planes of orbits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.emulation.reuse import ModularReuse
from neurodyn.plots.base import CYCLE, OKABE_ITO, dress, legend_below, new_figure, note, panel_letters, style

_PALE = "#d0d0d0"


@style()
def modular_reuse(
    results: ModularReuse | Mapping[str, ModularReuse], *, title: str = "One slow cluster a symbol?"
) -> Figure:
    """Clusters beside symbols, kick neurons beside transitions, and angles between orbits beside their null.

    Parameters
    ----------
    results : ModularReuse, or a mapping of name to ModularReuse
        From :func:`neurodyn.analysis.modular_reuse`; several, such as a chain and a fully connected model, stand side by
        side.

    Raises
    ------
    ValueError
        No results.
    """
    named = {"": results} if isinstance(results, ModularReuse) else dict(results)
    if not named:
        raise ValueError("results is empty: give at least one ModularReuse")
    rows = sum(max(len(r.symbols), len(r.sizes), 1) for r in named.values())
    figure = new_figure(9.2, max(3.4, 1.8 + 0.28 * rows))
    axes = [dress(ax) for ax in figure.subplots(1, 3)]
    _clusters(axes[0], named)
    _groups(axes[1], named)
    _angles(axes[2], named)
    axes[0].set_title(title)
    axes[1].set_title("One kick group a transition?")
    axes[2].set_title("Own plane for each orbit?")
    legend_below(
        figure,
        [
            Line2D([], [], marker="D", linestyle="none", color="black", label="probability of the symbol"),
            Patch(color=CYCLE[0], label="allowed transition"),
            Patch(color=OKABE_ITO["vermillion"], label="transition that is not"),
            Patch(color=_PALE, label="null, 5 to 95 %"),
            Line2D([], [], marker="o", linestyle="none", color=CYCLE[2], label="smallest angle"),
            Line2D([], [], marker="s", linestyle="none", color=CYCLE[3], label="largest angle"),
        ],
    )
    panel_letters(axes)
    return figure


def _label(name: str, text: str) -> str:
    return f"{name}: {text}" if name else text


def _rows(ax: Axes, labels: list[str]) -> None:
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(max(len(labels), 1) - 0.4, -0.6)


def _clusters(ax: Axes, named: Mapping[str, ModularReuse]) -> None:
    labels = []
    for name, result in named.items():
        for symbol in result.symbols:
            at = len(labels)
            ax.barh(at, result.cluster_share[symbol], height=0.6, color=CYCLE[0], alpha=0.45, linewidth=0)
            ax.plot(result.marginal[symbol], at, "D", color="black", markersize=4)
            split = result.split[symbol]
            more = "" if split is None or split.p >= 0.05 else " (split)"
            labels.append(_label(name, f"{symbol}{more}"))
    _rows(ax, labels)
    ax.set_xlim(0, 1)
    ax.set(xlabel="share of cluster states", ylabel="symbol")


def _groups(ax: Axes, named: Mapping[str, ModularReuse]) -> None:
    labels: list[str] = []
    for name, result in named.items():
        chance: dict[Any, float] = dict(
            zip(result.kicks.directions, np.atleast_1d(result.kicks.passing.high), strict=True)
        )
        for (source, target), size in result.sizes.items():
            at = len(labels)
            allowed = (source, target) in result.allowed
            ax.barh(at, size, height=0.6, color=CYCLE[0] if allowed else OKABE_ITO["vermillion"], linewidth=0)
            ax.barh(at, chance.get((source, target), 0.0), height=0.25, color=_PALE, linewidth=0)
            labels.append(_label(name, f"{source} → {target}"))
    _rows(ax, labels)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="kick neurons", ylabel="transition")


def _angles(ax: Axes, named: Mapping[str, ModularReuse]) -> None:
    labels: list[str] = []
    for name, result in named.items():
        for (a, b), found in result.angles.items():
            at = len(labels)
            for test, marker, colour, shift in (
                (found.smallest, "o", CYCLE[2], -0.18),
                (found.largest, "s", CYCLE[3], 0.18),
            ):
                ax.barh(at + shift, test.high - test.low, left=test.low, height=0.3, color=_PALE, linewidth=0)
                ax.plot(test.observed, at + shift, marker, color=colour)
            labels.append(_label(name, f"{a[0]}{a[1]}, {b[0]}{b[1]}"))
    _rows(ax, labels)
    ax.set_xlim(0, 90)
    ax.set(xlabel="principal angle (°)", ylabel="two pairs of symbols")
    if not labels:
        note(ax, "one pair of symbols:\nno planes to compare")
