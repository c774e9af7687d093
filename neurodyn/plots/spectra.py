"""Eigenvalues of a noise-driven network through the switches of its symbols."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.analysis.emulation.jacobians import SwitchSpectra
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style
from neurodyn.plots.lines import draw_band


@style()
def switch_spectra(found: SwitchSpectra, *, switch: int = 0, title: str = "One switch: logits") -> Figure:
    """Logits and eigenvalues along one switch, and the mean number of unstable and near-critical ones around all.

    Parameters
    ----------
    found : SwitchSpectra
        From :func:`neurodyn.analysis.switch_spectra`.
    switch : int
        Which one is drawn on its own, from 0.

    Raises
    ------
    ValueError
        For a switch that is not there.
    """
    if not 0 <= switch < len(found.unstable):
        raise ValueError(f"switch = {switch!r}: there are {len(found.unstable)}, counted from 0")
    figure = new_figure(8.2, 5.4)
    axes = [dress(ax) for ax in figure.subplots(2, 3).flat]
    logits, moduli, plane, unstable, critical, last = axes
    lag = found.lag
    for symbol, course in enumerate(found.logits[switch].T):
        logits.plot(lag, course, color=CYCLE[symbol % len(CYCLE)])
        logits.annotate(str(symbol), (lag[-1], course[-1]), (3, 0), textcoords="offset points", va="center", fontsize=8)
    logits.set(xlabel="steps from the switch", ylabel="logit of each symbol")
    logits.set_title(title)
    _moduli(moduli, found, switch)
    _plane(plane, found, switch, figure)
    for ax, name, heading, which in (
        (unstable, "unstable", "Unstable, |λ| > 1", 0),
        (critical, "near_critical", "Near-critical pairs", 1),
    ):
        for k, (suffix, label) in enumerate(
            (("", "without noise in the gate"), ("_with_noise", "with noise in the gate"))
        ):
            rows = getattr(found, name + suffix)
            draw_band(ax, lag, rows, CYCLE[k], label, spread="sem", seeds=False)
            ax.axhline(getattr(found, "elsewhere" + suffix)[which], color=CYCLE[k], linestyle=":", linewidth=1.0)
        ax.axvline(0, color=GREY, linewidth=0.6)
        ax.set(xlabel="steps from the switch", ylabel="number (mean ± SEM)", ylim=(0, None))
        ax.set_title(f"{heading}, {len(rows)} switches")
    handles = unstable.get_legend_handles_labels()[0]
    handles.append(unstable.plot([], [], ":", color=GREY, label="far from switches")[0])
    largest = np.abs(found.eigenvalues_with_noise[..., 0]), np.abs(found.eigenvalues[..., 0])
    for k, rows in enumerate(reversed(largest)):
        draw_band(last, lag, rows, CYCLE[k], "_", spread="sem", seeds=False)
    last.axhline(1, color=GREY, linewidth=0.6)
    last.axvline(0, color=GREY, linewidth=0.6)
    last.set(xlabel="steps from the switch", ylabel="largest |λ| (mean ± SEM)")
    last.set_title("Spectral radius")
    panel_letters(axes)
    legend_below(figure, handles)
    return figure


def _moduli(ax: Axes, found: SwitchSpectra, switch: int) -> None:
    moduli = np.abs(found.eigenvalues[switch])
    where = np.broadcast_to(found.lag[:, None], moduli.shape)
    beyond = moduli > 1
    shown = moduli > 1e-9  # units that are silent have eigenvalue 0
    ax.scatter(where[shown & ~beyond], moduli[shown & ~beyond], s=4, color=GREY, linewidths=0)
    ax.scatter(where[beyond], moduli[beyond], s=12, color=CYCLE[1], linewidths=0)
    ax.axhline(1, color=GREY, linewidth=0.6)
    ax.axvline(0, color=GREY, linewidth=0.6)
    ax.set(xlabel="steps from the switch", ylabel="|λ|, without noise in the gate", ylim=(0, None))
    ax.set_title("One switch: eigenvalues")


def _plane(ax: Axes, found: SwitchSpectra, switch: int, figure: Figure) -> None:
    values = found.eigenvalues[switch]
    where = np.broadcast_to(found.lag[:, None], values.shape)
    shown = np.abs(values) > 1e-9
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(angle), np.sin(angle), color=GREY, linewidth=0.8)
    points = ax.scatter(values.real[shown], values.imag[shown], c=where[shown], s=6, cmap="coolwarm", linewidths=0)
    figure.colorbar(points, ax=ax, label="steps from the switch")
    ax.set(xlabel="Re λ", ylabel="Im λ", aspect="equal")
    ax.set_title("The same, with unit circle")
