"""What trained networks lose without single units, and under perturbations of growing size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.ablation import bars_with_points
from neurodyn.plots.base import CYCLE, GREY, figure_of, legend_right, style
from neurodyn.plots.lines import draw_band
from neurodyn.plots.training import members_of
from neurodyn.training.robustness import Ablation, Perturbation, relative_accuracy

Result = TypeVar("Result", Ablation, Perturbation)
_PERTURBED = {"recurrent": "weights", "tau": "time constants"}


@style()
def ablated_units(
    results: Mapping[str, Ablation | Sequence[Ablation]],
    *,
    published: Mapping[str, tuple[float, float]] | None = None,
    title: str = "One unit silenced",
) -> Figure:
    """Relative accuracy without one of the fastest, or one of the slowest, units of each condition.

    Parameters
    ----------
    results : mapping of condition to Ablation, or a sequence of them
        From :func:`neurodyn.training.ablation`. If every condition has one network, points are its units; else they are
        networks, each the mean over its units.
    published : mapping of condition to (fast, slow), optional
        Diamonds beside the bars.

    Raises
    ------
    ValueError
        No results, or published values of a condition that is not among them.
    """
    members = _members(results, Ablation)
    for name in published or {}:
        if name not in members:
            raise ValueError(f"published has {name!r}; the conditions are {', '.join(map(repr, members))}")
    single = all(len(each) == 1 for each in members.values())
    labels, rows = [], []
    for name, each in members.items():
        one = each[0]
        labels += [f"{name}, fast", f"{name}, slow"]
        if single:
            rows += [one.relative[: one.fast], one.relative[one.fast :]]
        else:
            rows += [np.array([a.relative_fast for a in each]), np.array([a.relative_slow for a in each])]
    counts = sorted({len(row) for row in rows})
    figure = bars_with_points(
        labels,
        rows,
        ylabel="relative accuracy",
        title=title,
        reference=1.0,
        reference_label="intact network =",
    )
    panel = figure.axes[0]
    panel.set_xticks(range(len(labels)), [text.replace(", ", ",\n") for text in labels])
    number = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    panel.set_title(f"{title}\n(mean ± SD, {number} {'units' if single else 'networks'})")
    for k, (name, pair) in enumerate((published or {}).items()):
        place = 2 * list(members).index(name) + np.arange(2)
        panel.plot(place + 0.38, pair, "D", color="black", markersize=4, label=None if k else "published")
    legend_right(panel)
    return figure


@style()
def perturbation(
    results: Mapping[str, Perturbation | Sequence[Perturbation]], *, title: str | None = None, ax: Axes | None = None
) -> Figure:
    """Relative accuracy under random perturbations against their size, and the sizes that leave half of it.

    Parameters
    ----------
    results : mapping of condition to Perturbation, or a sequence of them
        From :func:`neurodyn.training.perturbation`, all of the same ``what``; several networks of a condition have the same
        sizes. Lines are means over all directions of all networks, bands their SD; a point for each network is the size that
        halves its mean relative accuracy, if any does.
    title : str, optional
        By default what was perturbed.

    Raises
    ------
    ValueError
        No results, weights beside time constants, or different sizes within a condition.
    """
    members = _members(results, Perturbation)
    kinds = sorted({p.what for each in members.values() for p in each})
    if len(kinds) > 1:
        raise ValueError(f"results perturb {' and '.join(kinds)}; draw each in a figure, or axes, of its own")
    what = _PERTURBED[kinds[0]]
    figure, panel = figure_of(ax, width=6.4, height=3.0)
    for level in (0.0, 1.0):
        panel.axhline(level, color=GREY, linestyle=":", linewidth=0.8)
    for k, (name, each) in enumerate(members.items()):
        sizes = each[0].sizes[1:]  # the first is 0, which has no place on a logarithmic axis
        if any(not np.array_equal(p.sizes[1:], sizes) for p in each):
            raise ValueError(f"results[{name!r}] have different sizes; perturb all networks of a condition by the same")
        colour = CYCLE[k % len(CYCLE)]
        rows = np.concatenate([relative_accuracy(p.accuracy[1:].T, float(p.accuracy[0].mean())) for p in each])
        draw_band(panel, sizes, rows, colour, "_", spread="sd", seeds=False)
        half = np.array([p.half for p in each])
        panel.plot(half, np.full(len(half), 0.5), "D", color=colour, markeredgecolor="black", markersize=5.5, zorder=4)
        panel.plot([], [], "o-", color=colour, markersize=3, label=f"{name}\n{_halves(half)}")
    panel.set_xscale("log")
    panel.set_xlabel(f"norm of the perturbation / norm of the {what}")
    panel.set_ylabel("relative accuracy")
    panel.set_title(f"Random perturbation of the {what}" if title is None else title)
    legend_right(panel, title=_drawn(members), alignment="left", labelspacing=0.9)
    return figure


def _members(results: Any, kind: type[Result]) -> dict[str, list[Result]]:
    members = members_of("results", results, kind.__name__)
    for condition, each in members.items():
        strange = [one for one in each if not isinstance(one, kind)]
        if strange:
            raise ValueError(f"results[{condition!r}] holds {strange[0]!r}; give {kind.__name__} only")
    return members


def _halves(sizes: np.ndarray) -> str:
    reached = sizes[np.isfinite(sizes)]
    if not len(reached):
        return "half lies outside these sizes"
    text = f"half at {np.median(reached):.2g}"
    if len(sizes) > 1:
        text += f" (median, {len(reached)} of {len(sizes)})"
    return text


def _drawn(members: Mapping[str, Sequence[Perturbation]]) -> str:
    networks = sorted({len(each) for each in members.values()})
    directions = sorted({p.accuracy.shape[1] for each in members.values() for p in each})
    text = f"mean ± SD over {'–'.join(map(str, directions))} directions"
    return text if networks == [1] else f"{text}\nof {'–'.join(map(str, networks))} networks"
