"""Theory of resonance: rates, residence times, detectors, and curves against the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from neurodyn.analysis.noise.escape import KramersRate, TwoState
from neurodyn.analysis.noise.linear_response import LinearResponse
from neurodyn.analysis.noise.residence_theory import ResidenceDensity
from neurodyn.analysis.noise.self_induced import SelfInducedResonance
from neurodyn.analysis.noise.threshold_theory import ThresholdInformation, ThresholdResponse
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style
from neurodyn.plots.fokker_planck import linear_response

_LINES = ("-", "--", ":", "-.")


@style()
def response_against_noise(
    curves: Mapping[str, Sequence[LinearResponse]], *, title: str = "Weak periodic force against noise"
) -> Figure:
    """Amplification, lag and SNR against the noise, at one frequency; a dot is at the highest value.

    Parameters
    ----------
    curves : mapping of a theory's name to its responses
        Each a sequence over noise levels, of one frequency.

    Raises
    ------
    ValueError
        No curves, or responses of several frequencies.
    """
    frequencies = {float(w) for row in curves.values() for r in row for w in np.atleast_1d(r.angular_frequency)}
    if len(frequencies) != 1:
        raise ValueError(f"curves hold {len(frequencies)} angular frequencies: give responses at a single one")
    figure = new_figure(7.6, 3.2)
    axes = [dress(ax) for ax in figure.subplots(1, 3)]
    for k, (name, row) in enumerate(curves.items()):
        noise = np.array([r.noise for r in row])
        columns = [np.array([float(np.ravel(v)[0]) for v in values]) for values in _columns(row)]
        for ax, values, top in zip(axes, columns, (True, False, True), strict=True):
            ax.plot(noise, values, _LINES[k % len(_LINES)], color=CYCLE[k % len(CYCLE)], label=name)
            best = int(values.argmax())
            if top and 0 < best < len(values) - 1:
                ax.plot(noise[best], values[best], "o", color=CYCLE[k % len(CYCLE)])
    time = next(iter(curves.values()))[0].conventions.time
    axes[0].set_title("Amplification")
    axes[0].set_ylabel("eta = |chi|²")
    axes[1].set_title("Phase lag")
    axes[1].set_ylabel("lag (radians)")
    axes[2].set_title("Signal-to-noise ratio")
    axes[2].set_ylabel("SNR / A² (rad / time)")
    for ax in axes:
        ax.set(xlabel="noise D", xscale="log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(NullLocator())
    panel_letters(axes)
    figure.suptitle(f"{title}, W = {frequencies.pop():g} radians per {time}")
    legend_below(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def _columns(row: Sequence[LinearResponse]) -> tuple[list, list, list]:
    return [r.amplification for r in row], [r.lag for r in row], [r.snr() for r in row]


@style()
def kramers_rate(found: KramersRate, *, title: str = "Kramers' rate") -> Figure:
    """The rate for other noise levels with the same barrier; the shade is where the formula fails.

    Parameters
    ----------
    found : KramersRate
    """
    figure = new_figure(4.8, 3.4)
    ax = dress(figure.add_subplot())
    ratio = np.linspace(0.5, max(8.0, 1.3 * found.barrier / found.noise), 200)
    ax.axvspan(0.5, 1.5, color=GREY, alpha=0.25, linewidth=0, label="barrier below 1.5 D: not valid")
    ax.semilogy(ratio, found.rate * np.exp(found.barrier / found.noise - ratio), color=CYCLE[0])
    ax.semilogy(found.barrier / found.noise, found.rate, "o", color=CYCLE[1], label=f"D = {found.noise:g}")
    ax.set(xlabel="barrier / D", ylabel=f"rate (per {found.conventions.time})")
    ax.set_title(f"{title}: {found.rate:.3g} per {found.conventions.time} over a barrier of {found.barrier:.3g}")
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure


def two_state(found: TwoState, *, title: str = "Two states under a weak periodic force") -> Figure:
    """Linear response of two states from frequencies far below to far above their rate.

    Parameters
    ----------
    found : TwoState
    """
    return linear_response(found.response(found.rate * np.geomspace(0.01, 100, 120)), title=title)


@style()
def residence_density(found: ResidenceDensity, *, title: str = "Residence times") -> Figure:
    """Density of residence times with and without the force; shades are the windows of the peaks.

    Parameters
    ----------
    found : ResidenceDensity
        From :meth:`TwoState.residence_times`. Times are in periods of the force.
    """
    figure = new_figure(5.4, 3.6)
    ax = dress(figure.add_subplot())
    periods = found.times / found.period
    for n in range(1, 5):
        ax.axvspan(n - 0.75, n - 0.25, color=GREY, alpha=0.15, linewidth=0, label="peaks" if n == 1 else None)
    ax.plot(periods, found.density * found.period, color=CYCLE[0], label="with the force")
    free = found.rate * np.exp(-found.rate * found.times)
    ax.plot(periods, free * found.period, "--", color=CYCLE[1], label="without")
    ax.set(xlabel="residence time (periods)", ylabel="density (per period)", xlim=(0, min(4.5, periods[-1])))
    areas = ", ".join(f"{found.peak_area(n):.2g}" for n in (1, 2, 3))
    ax.set_title(f"{title}: areas of peaks {areas}")
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure


@style()
def self_induced_resonance(
    found: SelfInducedResonance, *, title: str = "Self-induced stochastic resonance, hazard theory"
) -> Figure:
    """Mean interval and CV against the noise, and the slow variable at which spikes start and end.

    Parameters
    ----------
    found : SelfInducedResonance
    """
    figure = new_figure(7.6, 3.2)
    axes = [dress(ax) for ax in figure.subplots(1, 3)]
    axes[0].plot(found.noise, found.mean, "o-", color=CYCLE[0])
    axes[0].set_title("Mean interval")
    axes[0].set_ylabel(f"interval ({found.conventions.time})")
    axes[1].plot(found.noise, found.cv, "o-", color=CYCLE[0])
    axes[1].set_title("Irregularity")
    axes[1].set_ylabel("CV of intervals")
    for k, name in enumerate(("start of a spike", "end of a spike")):
        axes[2].plot(found.noise, found.jumps[:, k], "os"[k] + "-", color=CYCLE[k], label=name)
    for knee in (-2 / 3, 2 / 3):
        axes[2].axhline(knee, color=GREY, linestyle=":", label="knees" if knee > 0 else None)
    axes[2].set_title("Where it jumps")
    axes[2].set_ylabel("slow variable y")
    for ax in axes[:2]:
        ax.set_ylim(0, None)
    for ax in axes:
        ax.set_xlabel("noise s (sigma)")
    panel_letters(axes)
    figure.suptitle(f"{title}: epsilon = {found.epsilon:g}, a = {found.a:g}")
    legend_below(figure, axes[2].get_legend_handles_labels()[0])
    return figure


@style()
def threshold_information(found: ThresholdInformation, *, title: str = "Information through a threshold") -> Figure:
    """Information per sample, and the probabilities of an output, against the noise.

    Parameters
    ----------
    found : ThresholdInformation
    """
    figure = new_figure(6.8, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    left.plot(found.noise, found.information, color=CYCLE[0])
    left.plot(found.best, found.information.max(), "o", color=CYCLE[0])
    left.set_title("Mutual information")
    left.set_ylabel("bits per sample")
    for k, (name, values) in enumerate((("upper input", found.hit), ("lower input", found.false_alarm))):
        right.plot(found.noise, values, "-" if k == 0 else "--", color=CYCLE[k], label=name)
    right.set_title("Output above the threshold")
    right.set(ylabel="probability", ylim=(-0.02, 1.02))
    for ax in (left, right):
        ax.set(xlabel="noise (SD, units of the input)", xscale="log")
    panel_letters((left, right))
    figure.suptitle(f"{title}: inputs {found.inputs[0]:g} and {found.inputs[1]:g}, threshold {found.threshold:g}")
    legend_below(figure, right.get_legend_handles_labels()[0])
    return figure


@style()
def threshold_response(found: ThresholdResponse, *, title: str = "Periodic signal through a threshold") -> Figure:
    """Line, background and SNR of the output of a detector against the noise.

    Parameters
    ----------
    found : ThresholdResponse
    """
    figure = new_figure(7.6, 3.2)
    axes = [dress(ax) for ax in figure.subplots(1, 3)]
    axes[0].plot(found.noise, found.response, color=CYCLE[0])
    axes[0].set_title("Response")
    axes[0].set_ylabel("amplitude of the mean (output)")
    axes[1].plot(found.noise, found.background, color=CYCLE[0])
    axes[1].set_title("Background")
    axes[1].set_ylabel("S (two-sided, per cycle)")
    snr = found.snr()
    axes[2].plot(found.noise, snr, color=CYCLE[0])
    axes[2].plot(found.best, np.nanmax(snr), "o", color=CYCLE[0])
    axes[2].set_title("Signal-to-noise ratio")
    axes[2].set_ylabel(f"SNR (radians per {found.conventions.time})")
    for ax in axes:
        ax.set(xlabel="noise (SD, units of the input)", xscale="log")
    panel_letters(axes)
    figure.suptitle(title)
    return figure
