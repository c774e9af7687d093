"""What noise makes of a network: its orbit, the times between switches, and how the readout lies to the orbit."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurodyn.analysis.emulation.orbits import DrivenOrbits
from neurodyn.analysis.emulation.readout_axes import ReadoutGeometry
from neurodyn.analysis.emulation.switching import DwellTimes
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style

_SHOWN = 500  # steps of the path that is drawn


@style()
def driven_orbits(found: DrivenOrbits, *, title: str = "Noise-driven path") -> Figure:
    """A path in its principal plane, the rotation of every path, and the times between switches beside a target's.

    Parameters
    ----------
    found : DrivenOrbits
        From :func:`neurodyn.analysis.driven_orbits`. The first 500 steps of the first path are drawn, coloured by the
        symbol of the largest logit.
    """
    figure = new_figure(7.6, 5.6)
    axes = [dress(ax) for ax in figure.subplots(2, 2).flat]
    x, y = found.projected[0, :_SHOWN, :2].T
    winners = found.winners[0, :_SHOWN]
    axes[0].plot(x, y, color="0.75", linewidth=0.6, zorder=1)
    handles = []
    for symbol in np.unique(found.winners):
        colour = CYCLE[symbol % len(CYCLE)]
        axes[0].scatter(
            *found.projected[0, :_SHOWN, :2][winners == symbol].T, s=9, color=colour, linewidths=0, zorder=2
        )
        handles.append(Line2D([], [], marker="o", linestyle="", color=colour, label=f"symbol {symbol} wins"))
    axes[0].set(xlabel=f"PC1 ({found.shares[0]:.0%} of variance)", ylabel=f"PC2 ({found.shares[1]:.0%} of variance)")
    axes[0].set_title(f"{title}, {len(x)} steps")
    _rotation(axes[1], found)
    _dwell(axes[2], found.lengths, found.dwell, found.target_dwell, "hidden state")
    axes[2].set_title("Times between switches of the winner")
    _dwell(axes[3], found.symbol_lengths, found.runs, found.target_runs, "symbol")
    axes[3].set_title("Runs of the sampled symbols")
    panel_letters(axes)
    legend_below(figure, handles)
    return figure


def _rotation(ax: Axes, found: DrivenOrbits) -> None:
    order = np.sort(found.turns)
    ax.bar(range(1, len(order) + 1), order, color=CYCLE[2], width=0.7)
    ax.axhline(0, color="black", linewidth=0.8)
    agree = found.agreement
    ax.set(xlabel="path, sorted", ylabel=f"net turns in {found.winners.shape[1]} steps")
    ax.set_title(f"Rotation: {agree.successes} of {agree.trials} paths alike, p = {found.p:.1g}")


def _dwell(ax: Axes, lengths: np.ndarray, measured: DwellTimes, target: DwellTimes | None, name: str) -> None:
    """Share of the intervals that last longer, on a logarithmic axis: a line if they are geometric."""
    if len(lengths):
        values = np.sort(lengths)
        # 1, with the shortest interval, down to 1 / n at the longest.
        ax.step(values, 1 - np.arange(len(values)) / len(values), where="pre", color=CYCLE[0])
        ax.set_yscale("log")
    text = f"network: mean {measured.mean:.3g}, CV {measured.cv:.2f}"
    if target is not None:
        text += f"\ntarget's {name}: mean {target.mean:.3g}, CV {target.cv:.2f}"
        if np.isfinite(target.mean) and len(lengths):
            t = np.arange(1, int(min(lengths.max(), 8 * target.mean)) + 1)
            ax.plot(t, (1 - 1 / target.mean) ** (t - 1), color=GREY, linestyle="--", linewidth=1.0)
            text += "\ndashed: geometric with that mean"
    ax.text(0.98, 0.97, text, transform=ax.transAxes, ha="right", va="top", fontsize=7.5)
    ax.set(xlabel="length (steps)", ylabel="share at least as long")


@style()
def readout_geometry(found: ReadoutGeometry, *, title: str = "Readout axes in the principal plane") -> Figure:
    """Readout axes of unit norm in the principal plane, and their length there beside that of shuffled axes.

    Parameters
    ----------
    found : ReadoutGeometry
        From :func:`neurodyn.analysis.readout_geometry`.
    """
    figure = new_figure(7.0, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    angle = np.linspace(0, 2 * np.pi, 200)
    left.plot(np.cos(angle), np.sin(angle), color=GREY, linewidth=0.8)
    for symbol, axis in enumerate(found.axes):
        left.annotate("", axis, (0, 0), arrowprops={"arrowstyle": "->", "color": CYCLE[symbol % len(CYCLE)], "lw": 1.6})
        x, y = axis * (1 + 0.12 / max(np.linalg.norm(axis), 0.3))
        left.text(x, y, str(symbol), ha="center", va="center")
    left.set(xlabel="along PC1", ylabel="along PC2", aspect="equal", xlim=(-1.08, 1.08), ylim=(-1.08, 1.08))
    left.set_title(f"{title}\n(circle: wholly in the plane)")
    symbols = np.arange(len(found.axes))
    null = found.lengths
    right.bar(symbols, null.observed, color=[CYCLE[k % len(CYCLE)] for k in symbols], width=0.6)
    middle = (null.low + null.high) / 2
    right.errorbar(symbols, middle, (null.high - null.low) / 2, fmt="none", ecolor="black", capsize=7)
    right.set_xticks(symbols)
    right.set(xlabel="symbol", ylabel="length in the plane", ylim=(0, 1))
    right.set_title(
        f"Projected length (plane: {found.shares.sum():.0%} of variance)\nbars: 5 to 95 % with units exchanged"
    )
    panel_letters((left, right))
    return figure
