"""Figures of plasticity: weights over time, one synapse and its rewards, eligibility at reward, averages around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.learning.plasticity import WeightHistory
from neurodyn.analysis.learning.rewards import EligibilityAtReward, RewardTriggered
from neurodyn.plots.base import (
    CYCLE,
    GREY,
    OKABE_ITO,
    dress,
    figure_of,
    label,
    legend_right,
    new_figure,
    panel_letters,
    style,
)
from neurodyn.plots.lines import MAX_POINTS
from neurodyn.plots.numbers import checked, thinned

_REWARD = OKABE_ITO["vermillion"]


@style()
def weight_distribution(
    time: Any,
    history: WeightHistory,
    *,
    time_units: str = "s",
    units: str = "1",
    title: str = "Weights over time",
) -> Figure:
    """Share of the synapses in each bin of weight, over time, and the fractions at the bounds under it.

    Colours are logarithmic; bins without a synapse have the darkest one.

    Parameters
    ----------
    time : array, shape (time,)
        Of the snapshots, increasing; each is drawn from the middle between it and its neighbours.
    history : WeightHistory
        From :func:`neurodyn.analysis.weight_history`; without bounds there is no lower panel.
    time_units, units : str
        Of time and weights; "1" for dimensionless.

    Raises
    ------
    ValueError
        Times that don't fit the history, fewer than two, or not increasing.
    """
    t = checked("time", time, (len(history.counts),), finite=True)
    if len(t) < 2 or not (np.diff(t) > 0).all():
        raise ValueError(f"time: {len(t)} snapshots that must increase; give two or more")
    middle = (t[:-1] + t[1:]) / 2
    borders = np.concatenate([[2 * t[0] - middle[0]], middle, [2 * t[-1] - middle[-1]]])
    bounded = history.bounds is not None
    figure = new_figure(6.8, 4.0 if bounded else 2.8)
    rows = figure.subplots(2 if bounded else 1, 1, sharex=True, squeeze=False, height_ratios=[2.2, 1][: 1 + bounded])
    panels = [dress(ax) for ax in rows[:, 0]]
    share = history.counts / history.counts.sum(axis=1, keepdims=True)
    shown = np.ma.masked_equal(share, 0)
    norm = LogNorm(0.5 * float(shown.min()), float(shown.max()))
    image = panels[0].pcolormesh(borders, history.edges, shown.T, cmap="viridis", norm=norm, rasterized=True)
    panels[0].set_facecolor(image.get_cmap()(0.0))
    panels[0].plot(t, history.mean, color="white", linewidth=1.4)
    panels[0].plot(t, history.mean, "--", color="black", linewidth=1.0, label="mean")
    bar = figure.colorbar(image, ax=panels[0])
    bar.set_label("share of synapses")
    panels[0].set_ylabel(label("weight", units))
    panels[0].set_title(f"{title}: share of synapses by weight (dashed: mean)")
    if history.bounds is not None:
        low, high = history.bounds
        panels[1].plot(t, history.high, color=CYCLE[0], label=f"at the upper bound, {high:g}")
        panels[1].plot(t, history.low, color=CYCLE[1], label=f"at the lower bound, {low:g}")
        panels[1].set_ylabel("share")
        panels[1].set_ylim(-0.03, max(0.05, 1.08 * float(max(history.high.max(), history.low.max()))))
        panels[1].set_title("Synapses at the bounds")
        figure.legend(*panels[1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        panel_letters(panels)
    panels[-1].set_xlabel(label("time", time_units))
    panels[-1].set_xlim(borders[0], borders[-1])
    return figure


@style()
def synapse_trace(
    time: Any,
    weight: Any,
    *,
    others: Any = None,
    rewards: Any = (),
    bounds: tuple[float, float] | None = None,
    name: str = "weight",
    chosen: str = "rewarded synapse",
    time_units: str = "s",
    units: str = "1",
    title: str = "A synapse and its rewards",
    ax: Axes | None = None,
) -> Figure:
    """One synapse over time with the times of reward, and where all others are.

    Parameters
    ----------
    time : array, shape (time,)
    weight : array, shape (time,)
        Weight or eligibility of the synapse.
    others : array, shape (time, synapse), optional
        Of the others: their median, and the range from the 5th to the 95th percentile.
    rewards : array, shape (reward,)
        Times, in the unit of ``time``; ticks along the top.
    bounds : (float, float), optional
        Dotted lines.
    name, chosen : str
        The quantity, and what to call the synapse.
    time_units, units : str
        Units of time and of the quantity; "1" for none.

    Raises
    ------
    ValueError
        Shapes that don't fit.
    """
    t = checked("time", time, (None,), finite=True)
    trace = checked("weight", weight, (len(t),))
    times = checked("rewards", rewards, (None,), finite=True, empty=True)
    figure, panel = figure_of(ax, width=6.8, height=2.6)
    if others is not None:
        rest = checked("others", others, (len(t), None))
        low, middle, high = np.percentile(rest, [5, 50, 95], axis=1)
        panel.fill_between(t, low, high, color=GREY, alpha=0.25, linewidth=0, label="others, 5 to 95 %")
        panel.plot(*thinned(t, middle, MAX_POINTS), color=GREY, linewidth=1.0, label="others, median")
    panel.plot(*thinned(t, trace, MAX_POINTS), color=CYCLE[0], label=chosen)
    for number, bound in enumerate(bounds or ()):
        panel.axhline(bound, color="black", linestyle=":", linewidth=1.0, label=None if number else "bounds")
    if len(times):
        lowest, highest = panel.get_ylim()
        panel.set_ylim(lowest, highest + 0.1 * (highest - lowest))
        panel.plot(
            times,
            np.full(len(times), 0.965),
            "|",
            color=_REWARD,
            markersize=7,
            transform=panel.get_xaxis_transform(),
            label=f"rewards ({len(times)})",
        )
    if len(t) > 1:
        panel.set_xlim(float(t.min()), float(t.max()))
    panel.set_xlabel(label("time", time_units))
    panel.set_ylabel(label(name, units))
    panel.set_title(title)
    legend_right(panel)
    return figure


@style()
def eligibility_at_reward(
    result: EligibilityAtReward, *, units: str = "1", title: str = "Eligibility at reward"
) -> Figure:
    """Mean eligibility of a synapse when reward comes, beside what other times and other synapses give.

    Parameters
    ----------
    result : EligibilityAtReward
        From :func:`neurodyn.analysis.eligibility_at_reward`.
    units : str
        Of eligibility; "1" for dimensionless.
    """
    figure = new_figure(6.8, 2.9)
    panels = figure.subplots(1, 2, sharex=True)
    cases = (
        ("rewards at other times", "surrogates", result.timing),
        ("other synapses", "synapses", result.specificity),
    )
    for ax, (against, counted, test) in zip(panels, cases, strict=True):
        dress(ax).hist(test.null, bins=min(30, max(5, test.samples // 5)), color=GREY, alpha=0.5, label=against)
        ax.axvline(test.observed, color=CYCLE[1], linewidth=1.8, label="rewarded synapse")
        ax.set_ylabel(f"number of {counted}")
        ax.set_xlabel(label("mean eligibility at reward", units))
        ax.set_title(f"{title}\nagainst {against}: p = {test.p:.2g}")
    panel_letters(panels)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, ["null", names[1]], loc="outside lower center", ncols=2)
    return figure


@style()
def reward_triggered(
    result: RewardTriggered,
    *,
    channels: Sequence[str] = ("signal",),
    name: str = "signal",
    units: str = "1",
    title: str = "Around rewards",
) -> Figure:
    """Mean of a signal around rewards with its standard error, and the band of the null, one panel for each channel.

    Parameters
    ----------
    result : RewardTriggered
        From :func:`neurodyn.analysis.reward_triggered_average`.
    channels : sequence of str
        Names of the channels, as many as the result has.
    name, units : str
        The quantity and its unit; "1" for dimensionless.

    Raises
    ------
    ValueError
        Another number of names than channels.
    """
    columns = [array.reshape(len(result.time), -1) for array in (result.mean, result.sem)]
    band = [array.reshape(len(result.time), -1) for array in (result.null_low, result.null_high)]
    p = np.atleast_1d(result.test.p)
    if len(channels) != columns[0].shape[1]:
        raise ValueError(f"channels: {len(channels)} names given for {columns[0].shape[1]} channels")
    figure = new_figure(1.4 + 2.7 * len(channels), 2.9)
    panels = figure.subplots(1, len(channels), sharex=True, sharey=True, squeeze=False)[0]
    for k, (ax, channel) in enumerate(zip(panels, channels, strict=True)):
        mean, sem = columns[0][:, k], columns[1][:, k]
        dress(ax).fill_between(
            result.time, band[0][:, k], band[1][:, k], color=GREY, alpha=0.3, linewidth=0, label="null, 5 to 95 %"
        )
        ax.fill_between(result.time, mean - sem, mean + sem, color=CYCLE[0], alpha=0.3, linewidth=0)
        ax.plot(result.time, mean, color=CYCLE[0], label="mean ± SEM")
        ax.axvline(0, color=_REWARD, linestyle="--", linewidth=1.0, label="reward")
        ax.set_xlabel("time after reward (ms)")
        ax.set_xlim(result.time[0], result.time[-1])
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.set_title(f"{title}: {channel}\n{result.rewards} rewards, p = {p[k]:.2g}")
    panels[0].set_ylabel(label(name, units))
    if len(channels) > 1:
        panel_letters(panels)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
