"""Kick neurons: their course from symbol to symbol, their wiring, and what happens without them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.emulation.interventions import KINDS, KickInterventions
from neurodyn.analysis.emulation.kick_wiring import KickConnectivity, SignTest
from neurodyn.analysis.emulation.kicks import COURSE, KickNeurons
from neurodyn.plots.base import (
    CYCLE,
    GREY,
    MARKERS,
    OKABE_ITO,
    caption,
    dress,
    legend_below,
    new_figure,
    note,
    panel_letters,
    style,
)

_COLUMNS = 3
_PALE = "#d0d0d0"


@style()
def kick_neurons(found: KickNeurons, *, title: str = "Kick neurons on the way from symbol to symbol") -> Figure:
    """What the units of each direction get from the network, and how often they open, on the way from symbol to symbol.

    Parameters
    ----------
    found : KickNeurons
        From :func:`neurodyn.analysis.kick_neurons`; its ``groups`` are coloured, units that pass are blue, others grey.
    """
    count = len(found.directions)
    columns = min(count, _COLUMNS)
    blocks = -(-count // columns)
    figure = new_figure(max(4.6, 2.8 * columns), 0.9 + 4.0 * blocks)
    figure.suptitle(title, x=0.01, ha="left")
    axes = figure.subplots(2 * blocks, columns, squeeze=False, sharex=True, sharey="row")
    sd = np.where(found.sd > 0, found.sd, np.nan)
    shown = []
    for d, (source, target) in enumerate(found.directions):
        row, column = 2 * (d // columns), d % columns
        upper, lower = dress(axes[row, column]), dress(axes[row + 1, column])
        shown += [upper, lower]
        _course(upper, found.profile[d] / sd, found.passes[d], found.groups[d])
        _course(lower, found.opening[d], found.passes[d], found.groups[d])
        upper.axhline(0, color="black", linewidth=0.8, linestyle=":")
        chance = f"chance gives {found.passing.high[d]:.0f}, p = {found.passing.p[d]:.1g}"
        upper.set_title(f"{source} → {target}: {int(found.passing.observed[d])} pass\n({chance})")
        names = ", ".join(map(str, found.groups[d])) or "none"
        lower.set_title(f"units {names}", fontsize=8.5)
        lower.set_ylim(-0.03, 1.03)
        if column == 0:
            upper.set_ylabel("mean input (SD)")
            lower.set_ylabel("probability of\nbeing open")
    for ax in axes.flat:
        ax.set_visible(ax in shown)
        ax.set_xticks(range(len(COURSE)), [name.replace(" ", "\n") for name in COURSE])
        ax.tick_params(labelbottom=True)
    legend_below(
        figure,
        [
            Line2D([], [], color=CYCLE[1], marker="o", label="best kick neurons, one mark each"),
            Line2D([], [], color=OKABE_ITO["sky"], label="others that pass"),
            Line2D([], [], color=_PALE, label="all other units"),
        ],
    )
    return figure


def _course(ax: Axes, values: np.ndarray, passes: np.ndarray, group: np.ndarray) -> None:
    x = np.arange(len(values))
    rest = np.setdiff1d(np.flatnonzero(passes), group)
    if (~passes).any():
        ax.plot(x, values[:, ~passes], color=_PALE, linewidth=0.6, zorder=1)
    if len(rest):
        ax.plot(x, values[:, rest], color=OKABE_ITO["sky"], linewidth=1.0, zorder=2)
    for k, unit in enumerate(group):
        ax.plot(x, values[:, unit], marker=MARKERS[k % len(MARKERS)], color=CYCLE[1], zorder=3)


@style()
def kick_connectivity(found: KickConnectivity, *, title: str = "Weights, sorted by group") -> Figure:
    """The weights among kick groups (K) and populations (P), and each kind of weight beside random groups.

    Parameters
    ----------
    found : KickConnectivity
        From :func:`neurodyn.analysis.kick_connectivity`.
    """
    figure = new_figure(9.6, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.0, 0.8])
    limit = float(np.percentile(np.abs(found.matrix), 97)) or 1.0
    image = dress(left).imshow(found.matrix, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    bar = figure.colorbar(image, ax=left, shrink=0.85, pad=0.02, extend="both")
    bar.set_label("weight")
    sets = [*found.groups, *found.populations]
    edges = np.concatenate([[0], np.cumsum([len(s) for s in sets])])
    for edge in edges[1:-1]:
        left.axhline(edge - 0.5, color="black", linewidth=0.7)
        left.axvline(edge - 0.5, color="black", linewidth=0.7)
    names = [f"{kind} {s}→{t}" for kind in "KP" for s, t in found.directions]
    filled = [k for k, members in enumerate(sets) if len(members)]
    centres = [(edges[k] + edges[k + 1] - 1) / 2 for k in filled]
    left.set_xticks(centres, [names[k] for k in filled], rotation=90)
    left.set_yticks(centres, [names[k] for k in filled])
    left.set(xlabel="from", ylabel="to")
    left.set_title(title)
    for k, test in enumerate(found.tests.values()):
        _sign(dress(right), k, test)
    right.axvline(0, color="black", linewidth=0.8)
    right.set_yticks(
        range(len(found.tests)),
        [f"{name} ({'+' if t.expected > 0 else '−'})\n{_counted(t)}" for name, t in found.tests.items()],
    )
    right.set_ylim(len(found.tests) - 0.5, -0.5)
    right.set(xlabel="mean weight", ylabel="weights (expected sign)")
    right.xaxis.set_major_locator(MaxNLocator(4))  # the panel is narrow
    right.set_title("Means beside random groups")
    legend_below(
        figure,
        [
            Patch(color=_PALE, label="random groups, 5 to 95 %"),
            Line2D([], [], marker="o", linestyle="none", color=OKABE_ITO["green"], label="expected sign, p < 0.05"),
            Line2D([], [], marker="o", linestyle="none", color="black", label="not told from random groups"),
        ],
    )
    caption(
        figure,
        "K: kick neurons of a direction, P: population that drives them. (+), (−): expected sign, how many have it, and p of "
        "the sign test. Populations of a kick neuron are chosen by the others of its group.",
    )
    panel_letters((left, right))
    return figure


def _sign(ax: Axes, at: int, test: SignTest) -> None:
    if test.mean is None:
        return
    width = test.mean.high - test.mean.low
    ax.barh(at, width, left=test.mean.low, height=0.5, color=_PALE, linewidth=0)
    colour = OKABE_ITO["green"] if test.mean.p < 0.05 and test.mean.observed * test.expected > 0 else "black"
    ax.plot(test.mean.observed, at, "o", color=colour, markersize=6)


def _counted(test: SignTest) -> str:
    return "none" if test.share is None else f"{test.share.successes}/{test.share.trials}, p = {test.p:.1g}"


@style()
def kick_interventions(found: KickInterventions, *, title: str = "Interventions on kick neurons") -> Figure:
    """Leave rates against the factor, beside random sets of neurons, and critical pairs at the smallest factor.

    Parameters
    ----------
    found : KickInterventions
        From :func:`neurodyn.analysis.kick_interventions`. A row for each direction; bands are 5 to 95 % of the random sets.
    """
    figure = new_figure(9.0, 1.3 + 2.4 * len(found.directions))
    figure.suptitle(title, x=0.01, ha="left")
    axes = figure.subplots(len(found.directions), 3, squeeze=False, width_ratios=[1, 1, 0.8])
    least = float(found.mu.min())
    for d, (source, target) in enumerate(found.directions):
        for column, kind in enumerate(KINDS):
            ax = dress(axes[d, column])
            _against_mu(ax, found, found.ratio(kind)[d])
            what = "Kick neurons" if kind == "kick" else "Noise of their partners"
            ax.set_title(f"{what}, {source} → {target}")
            ax.set_xlabel("factor μ on " + ("recurrent input" if kind == "kick" else "noise"))
            ax.set_ylabel("leave rate / intact")
        ax = dress(axes[d, 2])
        _pairs(ax, found, d, least)
        ax.set_title(f"Critical pairs, μ = {least:g}")
        ax.set_ylabel("pairs / intact")
    tried = [k for k in range(len(found.sizes)) if any(len(m[k]) for m in found.members)]
    handles: list[Any] = []
    for k in tried:
        counts = [len(m[k]) for m in found.members if len(m[k])]
        numbers = "/".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))
        handles.append(Line2D([], [], color=CYCLE[k % len(CYCLE)], marker=MARKERS[k], label=f"{numbers} kick neurons"))
    handles += [Patch(color=_PALE, label="random sets, 5 to 95 %"), Line2D([], [], color=GREY, ls=":", label="intact")]
    legend_below(figure, handles)
    rates = ", ".join(f"{s} → {t}: {r:.3g}" for (s, t), r in zip(found.directions, found.intact, strict=True))
    caption(
        figure,
        f"Leave rates of the intact network per step: {rates}; {found.intact_pairs:.2g} critical pairs a step near switches. "
        "Random sets are of the same size and of like mean activity.",
    )
    panel_letters(axes.flat)
    return figure


def _against_mu(ax: Axes, found: KickInterventions, ratio: np.ndarray) -> None:
    order = np.argsort(found.mu)
    mu = found.mu[order]
    ax.axhline(1, color=GREY, linestyle=":", linewidth=1)
    for k, rows in enumerate(ratio):
        values = rows[order]
        if not np.isfinite(values).any():
            continue
        colour = CYCLE[k % len(CYCLE)]
        low, high = np.nanpercentile(values[:, 1:], [5, 95], axis=1)
        ax.fill_between(mu, low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(mu, values[:, 0], color=colour, marker=MARKERS[k % len(MARKERS)])
    ax.set_ylim(bottom=0)


def _pairs(ax: Axes, found: KickInterventions, direction: int, least: float) -> None:
    ax.axhline(1, color=GREY, linestyle=":", linewidth=1)
    labels, at = [], 0
    for kind in KINDS:
        for k, size in enumerate(found.sizes):
            test = found.test(kind, direction, size, least, of="pairs")
            if test is None:
                continue
            ax.bar(at, test.high - test.low, bottom=test.low, width=0.6, color=_PALE, linewidth=0)
            ax.plot(at, test.observed, marker=MARKERS[k % len(MARKERS)], color=CYCLE[k % len(CYCLE)], markersize=6)
            labels.append(f"{kind}\n{len(found.members[direction][k])}")
            at += 1
    ax.set_xticks(range(at), labels)
    ax.set_xlim(-0.6, max(at, 1) - 0.4)
    ax.set_ylim(bottom=0)
    if not at:
        note(ax, "not measured")
