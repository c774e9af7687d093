"""Fokker-Planck solutions: potential and density, modes, the answer to weak and to strong forces."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.noise.floquet import PeriodicResponse
from neurodyn.analysis.noise.fokker_planck import FokkerPlanck, Relaxation
from neurodyn.analysis.noise.linear_response import LinearResponse
from neurodyn.plots.base import CYCLE, GREY, MARKERS, dress, legend_below, new_figure, panel_letters, style

_VISIBLE = 1e-3  # of the highest density: how far x is drawn


@style()
def fokker_planck_solution(found: FokkerPlanck, *, title: str = "Noise in a potential") -> Figure:
    """Potential and stationary density, rates of relaxation, and amplification and lag of a weak force by its frequency.

    Parameters
    ----------
    found : FokkerPlanck
    """
    figure = new_figure(7.2, 5.2)
    axes = [dress(ax) for ax in figure.subplots(2, 2).flat]
    where = _inside(found.density)
    x = found.x[where]
    axes[0].plot(x, found.values[where] / found.noise, color=CYCLE[0], label="V / D")
    axes[0].plot(x, found.density[where], color=CYCLE[1], label="density (per unit of x)")
    axes[0].set(xlabel="x", ylabel="V / D, density")
    axes[0].set_title("Potential and density")
    rates = found.relaxation(8).rates
    axes[1].plot(np.arange(1, len(rates)), rates[1:], "o", color=CYCLE[0])
    axes[1].set_yscale("log")
    axes[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[1].set(xlabel="mode", ylabel=f"rate (per {found.conventions.time})")
    axes[1].set_title("Rates of relaxation")
    known = rates[1:][np.isfinite(rates[1:])]
    response = found.response(np.geomspace(known[0] / 30, known[-1] * 3, 120))
    _amplification(axes[2], response, CYCLE[0])
    _lag(axes[3], response, CYCLE[0])
    panel_letters(axes)
    figure.suptitle(f"{title}, D = {found.noise:g}")
    legend_below(figure, axes[0].get_legend_handles_labels()[0])
    return figure


@style()
def relaxation_modes(found: Relaxation, *, title: str = "Relaxation") -> Figure:
    """Modes of relaxation over x, the slowest first, with their rates; at most seven.

    Parameters
    ----------
    found : Relaxation
        From :meth:`FokkerPlanck.relaxation`. Modes are drawn where the density is more than a thousandth of its highest.
    """
    figure = new_figure(5.6, 3.6)
    ax = dress(figure.add_subplot())
    where = _inside(found.density)
    for k in range(1, min(8, len(found.rates))):
        label = f"{k}: rate {found.rates[k]:.3g}"
        ax.plot(found.x[where], found.modes[where, k], color=CYCLE[(k - 1) % len(CYCLE)], label=label)
    ax.axhline(0, color=GREY, linewidth=0.6)
    ax.set(xlabel="x", ylabel="mode (mean square 1)")
    ax.set_title(f"{title}: modes and rates per {found.conventions.time}")
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure


@style()
def linear_response(found: LinearResponse, *, title: str = "Weak periodic force") -> Figure:
    """Amplification, lag, background and SNR against the frequency of the force.

    Parameters
    ----------
    found : LinearResponse
    """
    figure = new_figure(7.2, 5.0)
    axes = [dress(ax) for ax in figure.subplots(2, 2).flat]
    _amplification(axes[0], found, CYCLE[0])
    _lag(axes[1], found, CYCLE[0])
    w = np.atleast_1d(found.angular_frequency)
    fmt = "-" if len(w) > 1 else "o"
    axes[2].loglog(w, np.atleast_1d(found.spectrum), fmt, color=CYCLE[0])
    axes[2].set_title("Background without the force")
    axes[2].set_ylabel("S (two-sided, per cycle)")
    snr = np.atleast_1d(found.snr())
    axes[3].semilogx(w, snr, fmt, color=CYCLE[0])
    axes[3].set_ylim(0, 1.15 * snr.max())  # or rounding would show where it's constant
    axes[3].set_title("Signal-to-noise ratio")
    axes[3].set_ylabel("SNR / A² (rad / time)")
    for ax in axes[2:]:
        ax.set_xlabel(f"W (radians per {found.conventions.time})")
    panel_letters(axes)
    figure.suptitle(f"{title}, D = {found.noise:g}")
    return figure


@style()
def periodic_response(found: PeriodicResponse, *, title: str = "Periodic force") -> Figure:
    """Mean and density over a period of the force, and the harmonics of the mean.

    Parameters
    ----------
    found : PeriodicResponse
        From :meth:`FokkerPlanck.periodic_response`.
    """
    figure = new_figure(7.4, 3.4)
    left, right = (dress(ax) for ax in figure.subplots(1, 2, width_ratios=[1.6, 1]))
    phase = np.linspace(0, 2 * np.pi, 201)
    density = np.maximum(found.density(phase), 0)
    where = density.max(axis=1) > _VISIBLE * density.max()
    image = left.pcolormesh(
        phase / (2 * np.pi), found.x[where], density[where], cmap="Greys", shading="nearest", rasterized=True
    )
    left.plot(phase / (2 * np.pi), found.course(phase), color=CYCLE[1], label="mean")
    linear = (found.linear * np.exp(-1j * phase)).real
    left.plot(phase / (2 * np.pi), found.mean + linear, "--", color=CYCLE[0], label="mean by linear response")
    figure.colorbar(image, ax=left, label="density (per unit of x)")
    left.set(xlabel="time (periods), force highest at 0", ylabel="x")
    left.set_title("Density and mean")
    sizes = np.abs(found.harmonics)
    shown = np.flatnonzero(sizes > 1e-6 * sizes[0])
    right.plot(shown + 1, sizes[shown], MARKERS[0], color=CYCLE[1])
    right.set_yscale("log")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set(xlabel="harmonic", ylabel="amplitude of the mean (units of x)")
    right.set_title(f"Harmonics; eta = {found.amplification:.3g}")
    panel_letters((left, right))
    figure.suptitle(f"{title}: A = {found.amplitude:g}, W = {found.angular_frequency:g}, D = {found.noise:g}")
    legend_below(figure, left.get_legend_handles_labels()[0])
    return figure


def _inside(density: np.ndarray) -> np.ndarray:
    return density > _VISIBLE * density.max()


def _amplification(ax: Axes, found: LinearResponse, colour: str) -> None:
    w = np.atleast_1d(found.angular_frequency)
    ax.loglog(w, np.atleast_1d(found.amplification), "-" if len(w) > 1 else "o", color=colour)
    ax.set(xlabel=f"W (radians per {found.conventions.time})", ylabel="eta = |chi|²")
    ax.set_title("Spectral power amplification")


def _lag(ax: Axes, found: LinearResponse, colour: str) -> None:
    w = np.atleast_1d(found.angular_frequency)
    ax.semilogx(w, np.atleast_1d(found.lag), "-" if len(w) > 1 else "o", color=colour)
    ax.set(xlabel=f"W (radians per {found.conventions.time})", ylabel="lag (radians)")
    ax.set_title("Phase lag behind the force")
