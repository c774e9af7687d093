"""Measures of networks against their meta-prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from neurodyn.plots.base import CYCLE, GREY, MARKERS, dress, legend_below, new_figure, panel_letters, style

if TYPE_CHECKING:
    import pandas

_WIDE = 30.0  # ratio of the largest to the least value from which on an axis is logarithmic


@dataclass(frozen=True)
class _Panel:
    """What a panel shows: columns of the table with their names, in one unit."""

    title: str
    ylabel: str
    columns: Mapping[str, str]
    logarithmic: bool = False


_PANELS = (
    _Panel("Reconstruction", "error per step", {"reconstruction": ""}, True),
    _Panel("Posterior beside prior", "KL (nats per step)", {"divergence": ""}, True),
    _Panel("The same at the first step", "KL (nats)", {"first_divergence": ""}),
    _Panel("Noise of the prior", r"mean $\sigma_p$", {"sigma": ""}),
    _Panel("Leaves its sequence", "steps from the start", {"divergence_step": ""}),
    _Panel("Words beside the source", "KL (nats)", {"word_divergence": ""}, True),
    _Panel("Unseen sequences", r"$-\log p$ (nats per symbol)", {"negative_log_likelihood": ""}),
    _Panel("Broken rules", "share", {"illegal": ""}),
    _Panel("Choice of the source", "probability", {"p_branch": ""}),
    _Panel(
        "Largest Lyapunov exponent",
        "nats per step",
        {"lyapunov_noise_free": "free-running without noise", "lyapunov_noisy": "free-running under noise"},
    ),
)


@style()
def meta_prior(
    table: pandas.DataFrame,
    *,
    length: int | None = None,
    references: Mapping[str, float] | None = None,
    title: str = "Networks against their meta-prior",
) -> Figure:
    """Measures of trained networks against the meta-prior: a point for each seed, lines through the medians.

    Parameters
    ----------
    table : DataFrame
        A row for each network, columns "meta_prior", "seed", and those of reconstruction, divergence and first_divergence
        (nats), sigma, divergence_step, word_divergence (nats), negative_log_likelihood (nats), illegal, p_branch,
        lyapunov_noise_free and lyapunov_noisy (nats per step) that are there. Others aren't drawn, nor are values that are NaN;
        a measure that is NaN throughout has no panel.
    length : int, optional
        Steps of the training sequences, the largest divergence step.
    references : mapping of column to value, optional
        Dotted lines, such as ``{"divergence": task.entropy_rate}``.

    Raises
    ------
    ValueError
        For a table without rows or without any of the measures, meta-priors that aren't above 0, and references to columns
        that aren't drawn.
    """
    shown = _shown(table)
    levels = dict(references or {}) | ({} if length is None else {"divergence_step": float(length)})
    drawn = {column for panel in shown for column in panel.columns if column in table}
    for column in set(references or {}) - drawn:
        raise ValueError(f"references holds {column!r}, which isn't drawn; there are {', '.join(sorted(drawn))}")
    across = min(4 if len(shown) in (4, 7, 8) or len(shown) > 9 else 3, len(shown))
    down = -(-len(shown) // across)
    figure = new_figure(max(3.4, 2.6 * across), 0.9 + 2.0 * down)
    axes = figure.subplots(down, across, squeeze=False, sharex=True).ravel()
    for empty in axes[len(shown) :]:
        empty.remove()
    for k, (ax, panel) in enumerate(zip(axes, shown, strict=False)):
        _draw(dress(ax), table, panel, levels)
        if k + across >= len(shown):
            ax.set_xlabel("meta-prior w")
            ax.tick_params(labelbottom=True)
    panel_letters(axes[: len(shown)])
    seeds = sorted({len(set(each)) for _, each in table.groupby("meta_prior")["seed"]})
    number = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    figure.suptitle(f"{title}\npoints: networks ({number} seeds), lines: medians")
    handles = {h.get_label(): h for ax in axes for h in ax.get_legend_handles_labels()[0]}
    legend_below(figure, list(handles.values()))
    return figure


def _shown(table: pandas.DataFrame) -> list[_Panel]:
    missing = [name for name in ("meta_prior", "seed") if name not in table]
    if missing or not len(table):
        raise ValueError(
            f"table has {len(table)} rows, columns {list(table)}; needed are meta_prior, seed and measures"
        )
    w = np.asarray(table["meta_prior"], dtype=float)
    if not (np.isfinite(w) & (w > 0)).all():
        raise ValueError(f"table has a meta_prior of {w[~(w > 0)][:1]}; give finite numbers above 0")
    measures = [column for panel in _PANELS for column in panel.columns if column in table]
    known = [column for column in measures if bool(np.any(table[column].notna()))] or measures
    shown = [panel for panel in _PANELS if any(column in known for column in panel.columns)]
    if not shown:
        columns = ", ".join(column for panel in _PANELS for column in panel.columns)
        raise ValueError(f"table has columns {list(table)}; give one of {columns}")
    return shown


def _draw(ax: Axes, table: pandas.DataFrame, panel: _Panel, levels: Mapping[str, float]) -> None:
    every = []
    for k, (column, name) in enumerate((c, n) for c, n in panel.columns.items() if c in table):
        known = table[["meta_prior", column]].dropna()
        medians = known.groupby("meta_prior")[column].median()
        every.append(np.asarray(known[column], dtype=float))
        ax.plot(known["meta_prior"], known[column], MARKERS[k], color=CYCLE[k], markersize=3.5, alpha=0.5, linewidth=0)
        ax.plot(medians.index, medians, "-", color=CYCLE[k], marker=MARKERS[k], markersize=1, label=name or "_")
        if column in levels:
            every.append(np.array([levels[column]]))
            ax.axhline(levels[column], color=GREY, linestyle=":", linewidth=1.0, label="reference")
    if "lyapunov_noise_free" in panel.columns:
        ax.axhline(0, color=GREY, linewidth=0.6)
    values = np.concatenate(every)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(numticks=6))
    if panel.logarithmic and len(values) and values.min() > 0 and values.max() > _WIDE * values.min():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel(panel.ylabel)
    ax.set_title(panel.title)
