"""Stochastic resonance: response and spectrum at one level of noise, residence times, and curves over levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from neurodyn.analysis.noise.amplification import SpectralAmplification
from neurodyn.analysis.noise.hysteresis import ResidenceTimes
from neurodyn.analysis.noise.resonance import ResonanceCurve
from neurodyn.analysis.noise.signal_to_noise import OutputSNR
from neurodyn.analysis.nulls import NullTest
from neurodyn.plots.base import CYCLE, GREY, dress, label, legend_below, new_figure, panel_letters, style
from neurodyn.plots.numbers import checked

_LARGEST = 400  # bins of a spectrum right of the line, in periods of the drive


def null_panel(ax: Axes, test: NullTest[float], *, xlabel: str, title: str) -> None:
    """A histogram of what chance gives, and the observed value."""
    ax.hist(test.null, bins="auto", histtype="stepfilled", color="#c0c0c0", edgecolor=GREY, label="null")
    ax.axvline(test.observed, color=CYCLE[1], linewidth=1.6, label=f"observed, p = {test.p:.2g}")
    ax.set(xlabel=xlabel, ylabel="surrogates")
    ax.set_title(title)


@style()
def spectral_amplification(
    result: SpectralAmplification, *, title: str = "Response at the frequency of the drive"
) -> Figure:
    """Responses of single paths in the complex plane with their mean, and the amplification beside its null.

    Parameters
    ----------
    result : SpectralAmplification
        From :func:`neurodyn.analysis.spectral_amplification`. A response that is late is turned clockwise.
    """
    figure = new_figure(6.8, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    phasors, mean = result.phasors, result.phasors.mean()
    left.axhline(0, color=GREY, linewidth=0.6)
    left.axvline(0, color=GREY, linewidth=0.6)
    left.plot(phasors.real, phasors.imag, "o", color=CYCLE[0], markersize=3, alpha=0.6, label="path")
    left.plot([0, mean.real], [0, mean.imag], color=CYCLE[1], linewidth=2, label="mean")
    left.set_aspect("equal", adjustable="datalim")
    left.set(xlabel="in phase with the drive (units of x)", ylabel="a quarter ahead (units of x)")
    left.set_title(f"{result.lag:.2f} rad behind the drive")
    null_panel(right, result.null, xlabel="spectral amplification", title="Beside neighbouring frequencies")
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, [h for ax in (left, right) for h in ax.get_legend_handles_labels()[0]])
    return figure


@style()
def output_snr(result: OutputSNR, *, title: str = "Line of the drive over the noise floor") -> Figure:
    """Spectrum with the line, the bins that tell the floor, and the floor.

    Parameters
    ----------
    result : OutputSNR
        From :func:`neurodyn.analysis.output_snr`. Right: the surroundings of the line.
    """
    figure = new_figure(7.0, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    unit, bins = result.conventions.time, result.bins
    line = int(np.argmin(np.abs(result.frequencies - result.frequency)))
    last = min(len(result.frequencies), _LARGEST * line)
    near = slice(max(1, 2 * bins[0] - line), min(last, 2 * bins[-1] - line + 1))
    for ax, part in ((left, slice(1, last)), (right, near)):
        marker = "." if ax is right else ""
        ax.plot(
            result.frequencies[part],
            result.density[part],
            color=CYCLE[0],
            linewidth=0.9,
            marker=marker,
            label="spectrum",
        )
        ax.plot(result.frequencies[bins], result.density[bins], "o", color=CYCLE[3], markersize=3, label="neighbours")
        ax.plot(result.frequencies[line], result.density[line], "D", color=CYCLE[1], markersize=5, label="line")
        ends = result.frequencies[bins[[0, -1]]]
        ax.plot(ends, [result.floor] * 2, color="black", linewidth=1.2, label="floor at the line")
        ax.set_yscale("log")
        ax.set_xlabel(label("frequency", f"cycles per {unit}"))
        ax.set_ylabel(f"one-sided density (x² × {unit})")
    left.set_xscale("log")
    left.set_title("Spectrum")
    right.set_title(f"SNR {result.ratio:.3g} per {unit} ({result.decibels:.1f} dB)")
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, right.get_legend_handles_labels()[0])
    return figure


@style()
def residence_times(result: ResidenceTimes, *, title: str = "Residence times") -> Figure:
    """Histogram of residence times in both states with the exponential null and, under a drive, its windows of peaks.

    Parameters
    ----------
    result : ResidenceTimes
        From :func:`neurodyn.analysis.residence_times`. Areas of peaks are written over their windows.

    Raises
    ------
    ValueError
        No complete residences.
    """
    if not result.times.size:
        raise ValueError("result has no complete residence: record longer, or with more noise")
    figure = new_figure(6.4, 3.4)
    ax = dress(figure.subplots())
    longest = float(np.percentile(result.times, 99.5))
    width = max(longest / 60, result.dt)
    # Edges between samples: residences are whole numbers of dt.
    edges = np.arange(0, longest + 2 * width, round(width / result.dt) * result.dt) - result.dt / 2
    middle = (edges[1:] + edges[:-1]) / 2
    for k, name in enumerate(("low", "high")):
        times = result.times[result.states == k]
        if times.size:
            heights = np.histogram(times, edges)[0] / (result.times.size * np.diff(edges))
            ax.step(middle, heights, where="mid", color=CYCLE[k], label=f"{name} state, {times.size}")
            dead = result.dead_time[k]
            if np.isfinite(dead):
                rest = times.mean() - dead
                share = times.size / result.times.size
                null = np.where(middle >= dead, np.exp(-(middle - dead) / rest) / rest, 0.0) * share
                ax.plot(middle, null, "--", color=CYCLE[k], linewidth=1.0, label=f"{name}, exponential")
    top = ax.get_ylim()[1]
    if result.frequency is not None:
        period = 1 / result.frequency
        shown = [(n + 0.5, area) for n, area in enumerate(result.peaks) if (n + 0.5) * period < longest]
        for at, _ in shown:
            ax.axvspan((at - result.width) * period, (at + result.width) * period, color=GREY, alpha=0.15, linewidth=0)
        for at, area in shown[:8]:
            ax.text(at * period, top * 1.1, f"{area:.2f}", ha="center", va="top", fontsize=8)
    ax.set(
        xlim=(0, longest),
        ylim=(0, top * 1.12),
        xlabel=label("residence time", result.conventions.time),
        ylabel=label("density", f"per {result.conventions.time}"),
    )
    low, high = result.rates
    ax.set_title(f"CV {result.cv:.2f}; escape rates {low:.3g} (low), {high:.3g} (high) per {result.conventions.time}")
    figure.suptitle(title)
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure


@style()
def resonance_curve(
    results: ResonanceCurve | Mapping[str, ResonanceCurve],
    *,
    theory: tuple[Any, Any] | Mapping[str, tuple[Any, Any]] | None = None,
    ylabel: str | None = None,
    units: str = "",
    title: str = "A measure against noise",
) -> Figure:
    """Curves over noise levels: mean, single networks, bootstrap band, optimum with its interval, control, and theory.

    Parameters
    ----------
    results : ResonanceCurve, or mapping of condition to it
        From :func:`neurodyn.analysis.resonance_curve`. The legend says "resonance" only where there is one; its marker with a
        horizontal bar is the optimum with its interval. Controls are dashed, in the colour of their condition.
    theory : pair of arrays (noise, value), or mapping of name to such pairs, optional
        Black lines.
    ylabel : str, optional
        With units in brackets; by default the name of the measure.
    units : str
        Of the noise.

    Raises
    ------
    ValueError
        No results, or theory whose arrays don't fit.
    """
    members = {"": results} if isinstance(results, ResonanceCurve) else dict(results)
    if not members:
        raise ValueError("results is empty: give at least one condition")
    lines = {} if theory is None else theory if isinstance(theory, Mapping) else {"theory": theory}
    # Long names get a line each in the legend.
    figure = new_figure(6.2, 3.8 + (0.18 * len(members) if len(members) > 2 else 0.0))
    ax = dress(figure.subplots())
    for k, (name, found) in enumerate(members.items()):
        colour, mean = CYCLE[k % len(CYCLE)], found.mean
        verdict = "resonance" if found.resonance else "no resonance shown"
        ax.plot(found.noise, found.values, color=colour, linewidth=0.4, alpha=0.35)
        ax.fill_between(found.noise, found.low, found.high, color=colour, alpha=0.25, linewidth=0)
        known = f"{name or 'mean'}, {verdict}"
        ax.plot(found.noise, mean, color=colour, marker="o", markersize=3.5, label=known)
        if found.resonance:
            height = np.interp(np.log(found.optimum), np.log(found.noise), mean)
            reach = [[found.optimum - found.optimum_low], [found.optimum_high - found.optimum]]
            ax.errorbar(
                [found.optimum], [height], xerr=np.maximum(reach, 0), color=colour, marker="D", capsize=3, zorder=5
            )
        if found.control is not None:
            ax.plot(found.noise, found.control.mean(axis=1), "--", color=colour, linewidth=1.0)
    controls = sum(found.control is not None for found in members.values())
    if controls:
        colour = CYCLE[0] if len(members) == 1 else GREY
        ax.plot([], [], "--", color=colour, linewidth=1.0, label="controls" if controls > 1 else "control")
    for k, (name, (x, y)) in enumerate(lines.items()):
        at = checked(f"theory {name!r}, noise", x, (None,), finite=True)
        style_of = ("-", "--", ":", "-.")[k % 4]
        ax.plot(
            at, checked(f"theory {name!r}, value", y, (len(at),)), style_of, color="black", linewidth=1.1, label=name
        )
    first = next(iter(members.values()))
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(label(f"noise {first.conventions.noise}", units))
    ax.set_ylabel(ylabel or first.name)
    networks = sorted({found.values.shape[1] for found in members.values()})
    ax.set_title(f"Mean of {' or '.join(map(str, networks))} networks, {first.confidence:.0%} band")
    figure.suptitle(title)
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure
