"""Coherence of noisy oscillations: intervals of events, phases beside a drive, autocorrelation and spectral peak."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from neurodyn.analysis.noise.correlation_times import CorrelationTime
from neurodyn.analysis.noise.phase import PhaseLocking
from neurodyn.analysis.noise.regularity import EventRegularity
from neurodyn.analysis.noise.spectral_peaks import SpectralPeak
from neurodyn.plots.base import CYCLE, GREY, dress, label, legend_below, new_figure, note, panel_letters, style
from neurodyn.plots.resonance import null_panel


@style()
def event_regularity(result: EventRegularity, *, title: str = "Regularity of events") -> Figure:
    """Histogram of intervals beside an exponential of the same mean, and the CV beside Poisson trains.

    Parameters
    ----------
    result : EventRegularity
        From :func:`neurodyn.analysis.event_regularity`.

    Raises
    ------
    ValueError
        Fewer than 10 intervals.
    """
    if result.poisson is None:
        raise ValueError(f"result has {result.pooled.size} intervals: at least 10 for a figure")
    figure = new_figure(6.8, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    unit, longest = result.conventions.time, float(np.percentile(result.pooled, 99.5))
    left.hist(
        result.pooled, np.linspace(0, longest, 50).tolist(), density=True, color=CYCLE[0], alpha=0.6, label="intervals"
    )
    at = np.linspace(0, longest, 200)
    left.plot(at, result.rate * np.exp(-at * result.rate), "--", color=GREY, label="Poisson")
    left.set(xlabel=label("interval", unit), ylabel=label("density", f"per {unit}"))
    left.set_title(f"{result.pooled.size} intervals of {len(result.intervals)} trains")
    null_panel(
        right, result.poisson, xlabel="CV of intervals", title=f"CV {result.cv:.3g}, Fano factor {result.fano:.3g}"
    )
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, [h for ax in (left, right) for h in ax.get_legend_handles_labels()[0]])
    return figure


@style()
def phase_locking(result: PhaseLocking, *, title: str = "Phase of events beside the drive") -> Figure:
    """Distribution of the phase difference, and the synchronisation index beside its null.

    Parameters
    ----------
    result : PhaseLocking
        From :func:`neurodyn.analysis.phase_locking`.
    """
    figure = new_figure(6.8, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    edges = np.linspace(-np.pi, np.pi, len(result.density) + 1)
    left.stairs(result.density, edges, color=CYCLE[0], fill=True, alpha=0.6, label="phase difference")
    left.axhline(1 / (2 * np.pi), color=GREY, linestyle=":", linewidth=1.2, label="uniform")
    left.set(xlabel=f"{result.n} phase of events − {result.m} phase of drive (rad)", ylabel="density (per rad)")
    left.set_xlim(-np.pi, np.pi)
    left.set_title(f"{result.ratio:.3g} events in a period")
    null_panel(
        right, result.null, xlabel="synchronisation index", title=f"{result.n}:{result.m} index {result.index:.3g}"
    )
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, [h for ax in (left, right) for h in ax.get_legend_handles_labels()[0]])
    return figure


@style()
def correlation_time(result: CorrelationTime, *, title: str = "Correlation time") -> Figure:
    """Autocorrelation with its square, and the correlation time beside red noise.

    Parameters
    ----------
    result : CorrelationTime
        From :func:`neurodyn.analysis.correlation_time`.
    """
    figure = new_figure(6.8, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    unit = result.conventions.time
    left.plot(result.lags, result.correlation, color=CYCLE[0], label="autocorrelation")
    left.fill_between(result.lags, result.correlation**2, color=CYCLE[3], alpha=0.5, linewidth=0, label="its square")
    left.axhline(0, color=GREY, linewidth=0.6)
    left.set(xlabel=label("lag", unit), ylabel="correlation", xlim=(0, result.lags[-1]))
    left.set_title("Mean of paths")
    null_panel(right, result.null, xlabel=label("correlation time", unit), title=f"{result.value:.3g} {unit}")
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, [h for ax in (left, right) for h in ax.get_legend_handles_labels()[0]])
    return figure


@style()
def spectral_peak(result: SpectralPeak, *, title: str = "Spectral peak beside red noise") -> Figure:
    """Spectrum with the width at half height, and that of red noise.

    Parameters
    ----------
    result : SpectralPeak
        From :func:`neurodyn.analysis.spectral_peak`.
    """
    figure = new_figure(5.6, 3.4)
    ax = dress(figure.subplots())
    unit = result.conventions.time
    ax.plot(result.frequencies, result.density, color=CYCLE[0], linewidth=1.0, label="spectrum")
    ax.plot(result.frequencies, result.red, "--", color=GREY, linewidth=1.2, label="red noise")
    if np.isfinite(result.width):
        ends = result.frequency + np.array([-0.5, 0.5]) * result.width
        ax.plot(ends, [result.height / 2] * 2, color=CYCLE[1], linewidth=2, label="width at half height")
        ax.set_title(f"quality {result.quality:.3g}, beta {result.beta:.3g}; p = {result.null.p:.2g} against red noise")
    else:
        ax.set_title("no peak, or one that is not resolved")
        note(ax, "no width")
    ax.set_yscale("log")
    ax.set_xscale("log")
    ax.set_xlabel(label("frequency", f"cycles per {unit}"))
    ax.set_ylabel(f"one-sided density (x² × {unit})")
    figure.suptitle(title)
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure
