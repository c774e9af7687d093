"""Dimensions of activity: principal components, factors, smooth trajectories, and how dimension changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.nulls import NullTest
from neurodyn.analysis.population.dimension_courses import DimensionCourse
from neurodyn.analysis.population.dimensionality import PCAResult
from neurodyn.analysis.population.factors import FactorAnalysis
from neurodyn.analysis.population.gaussian_process import GPFAResult
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

_MOST_TRIALS = 40  # drawn on their own


@style()
def pca(found: PCAResult, *, null: NullTest[Any] | None = None, title: str = "Principal components") -> Figure:
    """Shares of variance, beside those of independent units if given, and activity in the plane of the first two components.

    Parameters
    ----------
    found : PCAResult
        From :func:`neurodyn.analysis.pca`. Trials are drawn one by one, up to 40 of them, a dot where each begins.
    null : NullTest, optional
        From :func:`neurodyn.analysis.pca_null`.
    """
    figure = new_figure(7.2, 3.3)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    place = np.arange(1, len(found.explained_ratio) + 1)
    left.plot(place, 100 * found.explained_ratio, "o-", color=CYCLE[0], label="activity")
    if null is not None:
        at, low, high = np.arange(1, len(null.low) + 1), 100 * null.low, 100 * null.high
        left.fill_between(at, low, high, color=GREY, alpha=0.35, linewidth=0, label="independent units, 5 to 95 %")
        left.plot(at, 0.5 * (low + high), color=GREY, linewidth=0.8)
    left.set(xlabel="principal component", ylabel="share of variance (%)", ylim=(0, None))
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_title(f"{len(found.mean)} units, {found.samples} samples")
    legend_under(left)
    right.set_title("Activity in the first plane")
    if found.held is None:
        note(right, "scores stay in their file")
    elif len(found.components) < 2:
        note(right, "one component alone")
    else:
        _paths(right, found.held if found.held.ndim == 3 else found.held[None])
    _name_plane(right, "PC")
    panel_letters((left, right))
    figure.suptitle(title)
    return figure


@style()
def factor_analysis(found: FactorAnalysis, *, title: str = "Factor analysis") -> Figure:
    """Likelihood of data left out against the number of factors, shared variance along each, and of each unit.

    Parameters
    ----------
    found : FactorAnalysis
        From :func:`neurodyn.analysis.factor_analysis`.
    """
    figure = new_figure(8.4, 3.3)
    axes = [dress(ax) for ax in figure.subplots(1, 3)]
    gain = found.likelihoods - found.likelihoods.mean(axis=0)[0]
    axes[0].plot(found.candidates, gain.T, color=GREY, linewidth=0.6, alpha=0.7)
    axes[0].plot(found.candidates, gain.mean(axis=0), "o-", color=CYCLE[0], label="mean over folds (thin: each)")
    axes[0].axvline(found.factors, color=CYCLE[1], linestyle="--", linewidth=1.0, label=f"chosen: {found.factors}")
    first = found.candidates[0]
    axes[0].set(xlabel="factors", ylabel=f"log likelihood less that of {first}\n(nats per sample left out)")
    axes[0].set_title("Number of factors")
    share = 100 * found.spectrum / found.spectrum.sum() if found.factors else np.empty(0)
    axes[1].plot(np.arange(1, found.factors + 1), np.cumsum(share), "o-", color=CYCLE[0])
    axes[1].axhline(95, color=GREY, linestyle=":", linewidth=1.0, label="95 %, which d_shared counts to")
    axes[1].set(xlabel="factor", ylabel="shared variance, cumulative (%)", ylim=(0, 105))
    axes[1].set_title(f"d_shared = {found.d_shared}")
    for ax in axes[:2]:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[2].hist(100 * found.shared_variance, bins=np.linspace(0, 100, 21).tolist(), color=CYCLE[0], alpha=0.7)
    axes[2].axvline(100 * found.shared.observed, color="black", linewidth=1.2, label="mean")
    low, high = 100 * found.shared.low, 100 * found.shared.high
    axes[2].axvspan(low, max(high, low + 0.5), color=CYCLE[1], alpha=0.5, linewidth=0, label="mean, independent units")
    axes[2].set(xlabel="shared variance of a unit (%)", ylabel="units")
    axes[2].set_title("Shared variance")
    for ax in axes:
        legend_under(ax)
    panel_letters(axes)
    figure.suptitle(title)
    return figure


@style()
def gpfa(found: GPFAResult, *, title: str = "Gaussian-process factor analysis") -> Figure:
    """Trajectories of single trials along each factor over time.

    Parameters
    ----------
    found : GPFAResult
        From :func:`neurodyn.analysis.gpfa`. Thin: trials, up to 40; thick: their mean.
    """
    count = found.trajectories.shape[2]
    figure = new_figure(1.2 + 2.3 * count, 2.9)
    axes = [dress(ax) for ax in figure.subplots(1, count, squeeze=False, sharey=True)[0]]
    for k, ax in enumerate(axes):
        along = found.trajectories[:, :, k]
        ax.plot(found.time, along[:_MOST_TRIALS].T, color=GREY, linewidth=0.5, alpha=0.7)
        ax.plot(found.time, along.mean(axis=0), color=CYCLE[0], linewidth=1.8)
        ax.set_xlabel("time in the trial (ms)")
        ax.set_title(f"Factor {k + 1}")
    axes[0].set_ylabel("square root of counts, a.u.")
    panel_letters(axes)
    test = found.likelihood
    figure.suptitle(
        f"{title}: {test.observed:.3g} nats per bin, trials of units mixed {test.low:.3g} to {test.high:.3g}"
    )
    return figure


@style()
def dimension_course(
    found: DimensionCourse, *, ax: Axes | None = None, title: str = "Dimension of activity", log: bool = False
) -> Figure:
    """The participation ratio with its interval, beside that of independent units.

    Parameters
    ----------
    found : DimensionCourse
        From :func:`neurodyn.analysis.dimension_course` or :func:`neurodyn.analysis.training_dimension`. Thin: networks.
    log : bool
        Whether the ratio is on a logarithmic axis.
    """
    figure, ax = figure_of(ax, width=5.2, height=3.4)
    ax.fill_between(
        found.places,
        found.null_low,
        found.null_high,
        color=GREY,
        alpha=0.35,
        linewidth=0,
        label="independent units, 5 to 95 %",
    )
    if found.resampled:
        label = f"95 %, bootstrap over {found.resampled}"
        ax.fill_between(found.places, found.low, found.high, color=CYCLE[0], alpha=0.25, linewidth=0, label=label)
    if len(found.single):
        ax.plot(found.places, found.single.T, color=CYCLE[0], linewidth=0.5, alpha=0.6)
    ax.plot(found.places, found.ratio, "o-", color=CYCLE[0], markersize=3, label="participation ratio")
    ax.set_xlabel(found.place)
    ax.set_ylabel("dimensions")
    if log:
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0)
    ax.set_title(title)
    legend_under(ax)
    return figure


def _paths(ax: Axes, scores: np.ndarray) -> None:
    for k, trial in enumerate(scores[:_MOST_TRIALS]):
        ax.plot(*trial[:, :2].T, color=CYCLE[k % len(CYCLE)], linewidth=0.7, alpha=0.7)
        ax.plot(*trial[0, :2], "o", color=CYCLE[k % len(CYCLE)], markersize=3)


def _name_plane(ax: Axes, name: str) -> None:
    ax.set(xlabel=f"{name}1 (unit of activity)", ylabel=f"{name}2 (unit of activity)")
