"""Spiking statistics: how regular, how correlated, how rhythmic."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.spikes.spike_correlations import CountCorrelations, CrossCorrelation
from neurodyn.analysis.spikes.spike_spectra import SpikeFieldCoherence, SpikeSpectrum
from neurodyn.analysis.spikes.spiking import STATISTICS, SpikeStatistics
from neurodyn.plots.base import (
    CYCLE,
    GREY,
    dress,
    figure_of,
    legend_under,
    new_figure,
    note,
    panel_letters,
    style,
)

_BINS = 40


@style()
def spike_statistics(found: SpikeStatistics, *, title: str = "How regularly units fire") -> Figure:
    """Rates and Fano factors over units, and the medians of all statistics beside their nulls.

    Parameters
    ----------
    found : SpikeStatistics
        From :func:`neurodyn.analysis.spike_statistics`. Bars are 5 to 95 % of the nulls.
    """
    figure = new_figure(8.2, 3.2)
    rates, scatter, medians = axes = [dress(ax) for ax in figure.subplots(1, 3, width_ratios=(1, 1, 1.3))]
    rates.hist(found.rate, bins=_BINS, color=CYCLE[0])
    rates.axvline(float(found.rate.mean()), color="black", linestyle="--", linewidth=1.0)
    rates.set(xlabel="rate (Hz)", ylabel="units")
    rates.set_title(f"Mean rate {found.rate.mean():.3g} Hz")
    scatter.scatter(found.cv, found.fano, s=9, color=CYCLE[0], alpha=0.6, linewidths=0)
    scatter.set_title(f"{found.enough} units")
    scatter.set(xlabel="CV of intervals", ylabel=f"Fano factor ({found.window:g} ms)")
    if found.enough:
        grid = np.linspace(0, float(np.nanmax(found.cv)), 50)
        scatter.plot(grid, grid**2, color=GREY, linestyle=":", label="CV² (renewal, long windows)")
        legend_under(scatter)
    else:
        note(scatter, f"no unit has {found.least} spikes")
    for k, name in enumerate(STATISTICS):
        for shift, colour, tests in ((-0.15, CYCLE[1], found.poisson), (0.15, CYCLE[2], found.renewal)):
            if name in tests:
                low, high = tests[name].low, tests[name].high
                medians.plot([low, high], [k + shift] * 2, color=colour, linewidth=5, solid_capstyle="butt")
        if name in found.poisson:
            medians.plot(found.poisson[name].observed, k, "o", color="black", zorder=3)
    medians.plot([], [], "o", color="black", label="median over units")
    medians.plot([], [], color=CYCLE[1], linewidth=5, label="as many spikes at random")
    medians.plot([], [], color=CYCLE[2], linewidth=5, label="same intervals, random order")
    medians.set_yticks(range(len(STATISTICS)), STATISTICS.values())
    medians.invert_yaxis()
    medians.set(xlabel="value", ylabel="statistic", xlim=(0, None))
    medians.set_title("Beside the nulls, 5 to 95 %")
    legend_under(medians)
    panel_letters(axes)
    figure.suptitle(title)
    return figure


@style()
def count_correlations(found: CountCorrelations, *, title: str = "Correlations of spike counts") -> Figure:
    """The correlations between units, their distribution, and their mean beside the null.

    Parameters
    ----------
    found : CountCorrelations
        From :func:`neurodyn.analysis.count_correlations`.
    """
    figure = new_figure(8.2, 3.0)
    image, pairs, null = axes = [dress(ax) for ax in figure.subplots(1, 3)]
    inside = found.matrix[np.ix_(found.units, found.units)]
    values = inside[np.triu_indices(len(inside), 1)]
    limit = max(float(np.percentile(np.abs(values), 99)), 1e-3)
    shown = np.where(np.eye(len(inside), dtype=bool), np.nan, inside)
    drawn = image.imshow(shown, cmap="PuOr_r", vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto")
    figure.colorbar(drawn, ax=image, label="correlation")
    image.set(xlabel="unit (of those that fire)", ylabel="unit")
    image.set_title(f"{len(inside)} units, bins of {found.bin:g} ms")
    pairs.hist(values, bins=_BINS, color=CYCLE[0])
    pairs.axvline(0, color=GREY, linewidth=0.6)
    pairs.set(xlabel="correlation", ylabel="pairs")
    pairs.set_title(f"RMS {found.rms.observed:.3f}, p = {found.rms.p:.3g}")
    null.hist(found.mean.null, bins=20, color=GREY, label=f"null ({found.kind})")
    null.axvline(found.mean.observed, color=CYCLE[1], label="observed")
    null.set(xlabel="mean correlation", ylabel="surrogates")
    null.xaxis.set_major_locator(MaxNLocator(4))
    null.set_title(f"Mean: p = {found.mean.p:.3g}")
    legend_under(null)
    panel_letters(axes)
    figure.suptitle(title)
    return figure


@style()
def cross_correlation(found: CrossCorrelation, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """A cross-correlation histogram with the band of its null.

    Parameters
    ----------
    found : CrossCorrelation
        From :func:`neurodyn.analysis.cross_correlation`.
    ax : Axes, optional
        Where to draw.
    """
    figure, ax = figure_of(ax, width=4.6, height=3.2)
    ax.bar(found.lag, found.rate, width=found.bin, color=CYCLE[0], linewidth=0)
    ax.fill_between(found.lag, found.null_low, found.null_high, color=CYCLE[1], alpha=0.35, linewidth=0)
    ax.plot(found.lag, found.null_mean, color=CYCLE[1], linewidth=1.0, label=f"null ({found.kind}), 5 to 95 %")
    ax.axvline(0, color=GREY, linewidth=0.6)
    ax.set(xlabel="lag (ms)" if found.auto else "lag of the second train (ms)", ylabel="rate (Hz)")
    name = "Autocorrelation" if found.auto else "Cross-correlation"
    ax.set_title(title or f"{name} histogram: p = {found.test.p:.3g}")
    legend_under(ax)
    return figure


@style()
def spike_spectrum(found: SpikeSpectrum, *, title: str = "Power spectra of spike trains") -> Figure:
    """Spectra of single trains over their Poisson level, and that of the population with the band of its null.

    Parameters
    ----------
    found : SpikeSpectrum
        From :func:`neurodyn.analysis.spike_spectrum`.
    """
    figure = new_figure(7.4, 3.4)
    single, common = (dress(ax) for ax in figure.subplots(1, 2))
    # Neither 0 nor the highest frequency has a twin of the other sign: they aren't doubled.
    shown, fires = slice(1, -1), found.poisson > 0
    frequency = found.frequency[shown]
    relative = found.units[shown, fires] / found.poisson[fires]
    low, middle, high = np.percentile(relative, [5, 50, 95], axis=1)
    single.fill_between(frequency, low, high, color=CYCLE[0], alpha=0.25, linewidth=0, label="5 to 95 % of units")
    single.plot(frequency, middle, color=CYCLE[0], label="median unit")
    single.axhline(1, color=GREY, linestyle=":", label="Poisson")
    single.set(xlabel="frequency (Hz)", ylabel="power over twice the rate", xscale="log", ylim=(0, None))
    single.set_title(f"{int(fires.sum())} single trains")
    legend_under(single, ncols=2)
    common.fill_between(
        frequency,
        found.null_low[shown],
        found.null_high[shown],
        color=CYCLE[1],
        alpha=0.35,
        linewidth=0,
        label="5 to 95 %",
    )
    common.plot(frequency, found.null_mean[shown], color=CYCLE[1], linewidth=1.0, label="units rotated in time")
    common.plot(frequency, found.population[shown], color="black", linewidth=1.0, label="population")
    common.set(xlabel="frequency (Hz)", ylabel="power (spikes²/s)", xscale="log", yscale="log")
    common.set_title(f"Mean train: p = {found.test.p:.3g}")
    legend_under(common, ncols=2)
    panel_letters((single, common))
    figure.suptitle(title)
    return figure


@style()
def spike_field_coherence(found: SpikeFieldCoherence, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Coherence of a spike train with a signal, with the band of its null.

    Parameters
    ----------
    found : SpikeFieldCoherence
        From :func:`neurodyn.analysis.spike_field_coherence`.
    ax : Axes, optional
        Where to draw.
    """
    figure, ax = figure_of(ax, width=4.6, height=3.2)
    frequency = found.frequency[1:]
    band = found.null_low[1:], found.null_high[1:]
    ax.fill_between(frequency, *band, color=CYCLE[1], alpha=0.35, linewidth=0, label="intervals shuffled, 5 to 95 %")
    ax.plot(frequency, found.coherence[1:], color="black", linewidth=1.0, label="observed")
    ax.set(xlabel="frequency (Hz)", ylabel="coherence", xscale="log", ylim=(0, None))
    ax.set_title(title or f"Spike-field coherence: p = {found.test.p:.3g}")
    legend_under(ax)
    return figure
