"""Lyapunov exponents: spectra, how they converge, and what switching off the noise does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.dynamics.gain import GainSweep
from neurodyn.analysis.dynamics.lyapunov import LyapunovExponents
from neurodyn.analysis.generation.knockout import NoiseKnockout, choice_named, likeliest
from neurodyn.plots.base import CYCLE, GREY, MARKERS, dress, legend_below, new_figure, panel_letters, style

_POINTS = 1000  # of a running estimate


@style()
def lyapunov_exponents(
    results: LyapunovExponents | Mapping[str, LyapunovExponents],
    *,
    time_units: str = "step",
    title: str = "Lyapunov exponents",
) -> Figure:
    """Spectra, with a line for each member of a batch, and how the estimates of the largest exponent converge.

    Parameters
    ----------
    results : LyapunovExponents, or mapping of condition to them
        From :func:`neurodyn.analysis.lyapunov_exponents`. Error bars are standard errors; -inf isn't drawn.
    time_units : str
        What ``dt`` is measured in.

    Raises
    ------
    ValueError
        No results.
    """
    single = isinstance(results, LyapunovExponents)
    if single:
        results = {"": results}
    if not results:
        raise ValueError("results is empty: give at least one named condition")
    figure = new_figure(7.2, 3.4)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    for k, (name, found) in enumerate(results.items()):
        colour, exponents = CYCLE[k % len(CYCLE)], found.exponents
        exponents = np.where(np.isfinite(exponents), exponents, np.nan)
        place = np.arange(1, exponents.shape[1] + 1)
        marker = MARKERS[k % len(MARKERS)] if len(place) <= 40 else ""
        for member, error in zip(exponents, found.error, strict=True):
            left.errorbar(place, member, error, color=colour, marker=marker, markersize=3, linewidth=0.8, alpha=0.7)
        running = found.running[:, :, 0]
        steps = np.unique(np.geomspace(1, len(running), _POINTS).astype(int))
        right.plot(steps * found.dt * found.every, running[steps - 1], color=colour, linewidth=0.8, alpha=0.7)
        right.plot([], [], color=colour, marker=marker, markersize=3, label=name)
    right.set_xscale("log")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    for ax in (left, right):
        ax.axhline(0, color=GREY, linewidth=0.6)
    left.set(xlabel="exponent", ylabel=f"nats per {time_units}")
    right.set(xlabel=f"averaged over ({time_units})", ylabel=f"largest exponent (nats per {time_units})")
    left.set_title("Spectrum")
    right.set_title("Estimates as they converge")
    panel_letters((left, right))
    figure.suptitle(title)
    if not single:
        legend_below(figure, right.get_legend_handles_labels()[0])
    return figure


@style()
def gain_sweep(found: GainSweep, *, title: str = "Random rate networks: chaos above a gain of 1") -> Figure:
    """Largest exponent of random rate networks against their gain: networks, mean with interval, and theory.

    Parameters
    ----------
    found : GainSweep
        From :func:`neurodyn.analysis.gain_sweep`. Points are networks, the band is the bootstrap interval of their mean;
        dashed is the rate at which the origin is left in each network, dotted the curve g - 1 of infinitely many units.
    """
    figure = new_figure(5.4, 3.6)
    ax = dress(figure.add_subplot())
    mean = found.interval
    ax.axhline(0, color=GREY, linewidth=0.6)
    ax.axvline(1, color=GREY, linewidth=0.6)
    ax.plot(
        found.gains,
        found.gains - 1,
        ":",
        color=GREY,
        linewidth=1.0,
        label="at the origin, infinitely many units: g - 1",
    )
    ax.plot(
        found.gains, found.at_origin.mean(1), "--", color=CYCLE[1], linewidth=1.0, label="at the origin, these networks"
    )
    ax.fill_between(found.gains, mean.low, mean.high, color=CYCLE[0], alpha=0.25, linewidth=0)
    ax.plot(found.gains, mean.mean, color=CYCLE[0], label=f"largest exponent, mean of {mean.networks} networks")
    ax.plot(np.repeat(found.gains, mean.networks), found.largest.ravel(), ".", color=CYCLE[0], markersize=3, alpha=0.6)
    ax.set(xlabel="gain g", ylabel="growth (nats per time constant)")
    low, high = found.largest.min(), found.largest.max()
    ax.set_ylim(low - 0.1 * (high - low), high + 0.35 * (high - low))
    ax.set_title(f"{found.units} units")
    figure.suptitle(title)
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure


@style()
def noise_knockout(found: NoiseKnockout, *, title: str = "What is left when the noise is switched off") -> Figure:
    """Periods, choices and words of networks without noise beside those with it, against the meta-prior.

    Parameters
    ----------
    found : NoiseKnockout
        From :func:`neurodyn.analysis.noise_knockout`. Points are networks, lines medians; panels of choices and words are
        there if they were compared with a machine, that of words too if the reference is what noise generates.
    """
    branches = [b for b in found.branches if b is not None]
    wanted = {"periodic": True, "branches": bool(branches), "words": bool(np.isfinite(found.divergence).any())}
    shown = [name for name, there in wanted.items() if there]
    figure = new_figure(0.8 + 2.6 * len(shown), 3.0)
    axes = dict(zip(shown, figure.subplots(1, len(shown), squeeze=False)[0], strict=True))
    panel = dress(axes["periodic"])
    _points(panel, found.meta_prior, found.periodic, 1, "without noise")
    panel.set(ylabel="share of runs", ylim=(-0.05, 1.05))
    panel.set_title(f"Periodic, up to {found.longest} steps")
    if branches:
        panel, first = dress(axes["branches"]), branches[0]
        for k, (name, each) in enumerate((("with noise", found.branches), ("without noise", found.branches_silent))):
            _points(panel, found.meta_prior, [np.nan if b is None else likeliest(b) for b in each], k, name)
        panel.axhline(first.expected.max(), color=GREY, linestyle=":", linewidth=1.0, label="machine")
        panel.set(ylabel=choice_named(first), ylim=(-0.05, 1.05))
        panel.set_title("Choice: p(symbol | state)")
    if "words" in axes:
        panel = dress(axes["words"])
        for k, (name, row) in enumerate(zip(("with noise", "without noise"), found.divergence, strict=True)):
            if np.isfinite(row).any():
                _points(panel, found.meta_prior, row, k, name)
        panel.set_yscale("log")
        panel.set_ylabel("KL (nats)")
        panel.set_title("Words beside the reference")
    for panel in axes.values():
        panel.set_xscale("log")
        panel.set_xlabel("meta-prior w")
    panel_letters(axes.values())
    figure.suptitle(title)
    handles = {str(h.get_label()): h for panel in axes.values() for h in panel.get_legend_handles_labels()[0]}
    legend_below(figure, list(handles.values()))
    return figure


def _points(ax: Axes, w: np.ndarray, values: Sequence[float] | np.ndarray, k: int, name: str) -> None:
    """Networks as points, and a line through the medians at each meta-prior."""
    given = np.asarray(values, dtype=np.float64)
    known = np.isfinite(given)
    at = np.unique(w[known])
    ax.plot(w[known], given[known], MARKERS[k], color=CYCLE[k], markersize=3.5, alpha=0.5)
    ax.plot(at, [np.median(given[known & (w == one)]) for one in at], "-", color=CYCLE[k], label=name)
