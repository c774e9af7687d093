"""Sequences of symbols that are to emulate a hidden Markov model, beside what the model itself gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.emulation.quality_result import EmulationQuality
from neurodyn.plots.base import GREY, OKABE_ITO, dress, legend_below, new_figure, note, panel_letters, style

_FOUND, _FLOOR = OKABE_ITO["vermillion"], OKABE_ITO["sky"]
_WRITTEN = 5  # symbols up to which every cell of a matrix bears its number
_LEAST = 1e-4  # share of runs that is drawn


@style()
def emulation(found: EmulationQuality, *, name: str = "network", title: str | None = None) -> Figure:
    """What sequences share with those of a hidden Markov model, and where they differ by more than chance.

    Nine panels: the next symbol given one, of the model, of the sequences, and their difference; marginals (mean and SD over
    sequences); number of changes in a sequence; total variation of words; autocorrelation; lengths of runs; distances to
    aligned sequences, dotted their means. Bands are the range of the sets of the model, the floor.

    Parameters
    ----------
    found : EmulationQuality
        From :func:`neurodyn.analysis.emulation_quality`.
    name : str
        What made the sequences, for the legend.
    title : str, optional
        Over the figure; numbers of sequences and symbols by default.

    Raises
    ------
    TypeError
        For anything else than an EmulationQuality.
    """
    if not isinstance(found, EmulationQuality):
        raise TypeError(
            f"found is a {type(found).__name__}: give what analysis.emulation_quality(symbols, model) returned"
        )
    figure = new_figure(7.2, 7.4)
    panels = figure.subplots(3, 3)
    for ax in panels.flat:
        dress(ax)
    _matrices(figure, panels[0], found)
    _marginals(panels[1, 0], found)
    _changes(panels[1, 1], found)
    _word_distances(panels[1, 2], found)
    _autocorrelations(panels[2, 0], found)
    _runs(panels[2, 1], found)
    _distances(panels[2, 2], found)
    sets = len(found.floor)
    text = f"{found.sequences} sequences of {found.length} symbols beside a hidden Markov model of {found.model.states} states"
    figure.suptitle(text if title is None else title, x=0.01, ha="left")
    handles = [
        Line2D([], [], color=_FOUND, marker="o", markersize=4, label=name),
        Line2D([], [], color="black", linestyle="--", linewidth=1.0, label="model, closed form"),
        Patch(color=_FLOOR, alpha=0.5, linewidth=0, label=f"range of {sets} sets of the model"),
    ]
    legend_below(figure, handles)  # type: ignore[arg-type]
    panel_letters(panels.flat)
    return figure


def _matrices(figure: Figure, panels: Any, found: EmulationQuality) -> None:
    model, own = found.expected.symbol_transition, found.found.symbol_transition
    difference = own - model
    finite = difference[np.isfinite(difference)]
    most = max(float(np.abs(finite).max(initial=0.0)), 1e-3)
    shown = (
        ("Next symbol, model", model, "Blues", 0.0, 1.0),
        ("Next symbol, found", own, "Blues", 0.0, 1.0),
        ("Difference", difference, "RdBu_r", -most, most),
    )
    for k, (ax, (heading, matrix, colours, low, high)) in enumerate(zip(panels, shown, strict=True)):
        image = ax.imshow(matrix, cmap=colours, vmin=low, vmax=high)
        ax.spines[["top", "right"]].set_visible(True)
        ax.set_title(heading)
        ax.set_xlabel("next symbol")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        if k:
            ax.tick_params(labelleft=False)
        else:
            ax.set_ylabel("symbol")
        if len(matrix) > _WRITTEN:
            bar = figure.colorbar(image, ax=ax, location="bottom", shrink=0.9)
            bar.set_label("difference" if k == 2 else "probability")
            bar.ax.tick_params(labelsize=8)
            continue
        for (row, column), value in np.ndenumerate(matrix):
            text = "–" if np.isnan(value) else f"{value:{'+' if k == 2 else ''}.3f}".replace("-", "\N{MINUS SIGN}")
            light = np.isfinite(value) and abs(value) > 0.6 * high
            ax.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if light else "black")


def _marginals(ax: Axes, found: EmulationQuality) -> None:
    at = np.arange(found.model.symbols)
    for shift, s, colour, marker in ((-0.12, found.expected, "black", "_"), (0.12, found.found, _FOUND, "o")):
        ax.errorbar(at + shift, s.marginal, s.marginal_sd, fmt=marker, color=colour, capsize=2, linewidth=1.1)
    _band(ax, at, np.array([s.marginal for s in found.floor]), boxes=0.3)
    ax.set_xlim(-0.6, len(at) - 0.4)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    ax.set_xlabel("symbol")
    ax.set_ylabel("share of symbols")
    ax.set_title("Marginals (mean ± SD)")


def _changes(ax: Axes, found: EmulationQuality) -> None:
    rows = np.array([s.changes for s in (found.found, found.expected, *found.floor)])
    last = int(np.flatnonzero(rows.max(axis=0) > _LEAST).max()) + 2
    at = np.arange(rows.shape[1])[:last]
    _three(ax, at, rows[:, :last])
    ax.set_xlabel("changes in a sequence")
    ax.set_ylabel("share of sequences")
    ax.set_title("Volatility")


def _word_distances(ax: Axes, found: EmulationQuality) -> None:
    floor = np.array([s.word_distance for s in found.floor])
    at = np.arange(1, floor.shape[1] + 1)
    _band(ax, at, floor)
    ax.plot(at, found.found.word_distance, "o-", color=_FOUND)
    if floor.min() > 0 and found.found.word_distance.min() > 0:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("length of words (symbols)")
    ax.set_ylabel("total variation")
    ax.set_title("Words: distance to model")


def _autocorrelations(ax: Axes, found: EmulationQuality) -> None:
    rows = np.array([s.autocorrelation for s in (found.found, found.expected, *found.floor)])
    ax.axhline(0, color=GREY, linewidth=0.6)
    _three(ax, np.arange(rows.shape[1]), rows)
    ax.set_xlabel("lag (steps)")
    ax.set_ylabel("autocorrelation")
    ax.set_title("Autocorrelation of symbols")


def _runs(ax: Axes, found: EmulationQuality) -> None:
    shares = np.array([s.run_lengths for s in (found.found, found.expected, *found.floor)])
    # Shares of runs of at least n steps; sums from the end, so that what is never reached is exactly 0.
    rows = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
    rows = np.where(rows > _LEAST, rows, np.nan)
    _three(ax, np.arange(1, rows.shape[1] + 1), rows)
    ax.set_yscale("log")
    ax.set_xlabel("n (steps)")
    ax.set_ylabel("share of ≥ n steps")
    ax.set_title("Complete runs")


def _distances(ax: Axes, found: EmulationQuality) -> None:
    every = (found.alignment, *found.floor_alignments)
    # A distance is the root of twice a whole number.
    differing = np.arange(round(max(a.distance.max() for a in every) ** 2 / 2) + 1)
    at = np.sqrt(2 * differing)
    rows = np.array([np.searchsorted(np.sort(a.distance), at + 1e-3, side="right") / len(a.distance) for a in every])
    _band(ax, at, rows[1:])
    ax.plot(at, rows[0], "-", color=_FOUND)
    for colour, mean in ((_FLOOR, found["aligned distance"].floor_mean), (_FOUND, found.alignment.mean)):
        ax.axvline(mean, color=colour, linestyle=":", linewidth=1.2)
    ax.set_xlabel("Euclidean distance d")
    ax.set_ylabel("share up to d")
    ax.set_title(f"Aligned sequences ({found.aligned})")


def _three(ax: Axes, x: np.ndarray, rows: np.ndarray) -> None:
    """Draw what was found, the closed form and the floor: rows 0, 1 and all others."""
    _band(ax, x, rows[2:])
    ax.plot(x, rows[0], "-", color=_FOUND, marker="o" if len(x) <= 40 else "", markersize=2.5)
    ax.plot(x, rows[1], "--", color="black", linewidth=1.0)
    if not np.isfinite(rows[0]).any():
        note(ax, "undefined for\nthese sequences")


def _band(ax: Axes, x: np.ndarray, rows: np.ndarray, *, boxes: float | None = None) -> None:
    """Range of the rows: a band, or a box of this width at each point."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    if boxes is None:
        ax.fill_between(x, low, high, color=_FLOOR, alpha=0.5, linewidth=0)
    else:
        ax.bar(x - 0.12, high - low, boxes, low, color=_FLOOR, alpha=0.7, linewidth=0)
