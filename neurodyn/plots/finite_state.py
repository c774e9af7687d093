"""Symbols of a generator beside the finite-state machine that they are to follow."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from neurodyn.analysis.generation.grammar import BranchProbabilities
from neurodyn.analysis.generation.words import WordDivergence
from neurodyn.plots.base import (
    CYCLE,
    GREY,
    MARKERS,
    dress,
    figure_of,
    legend_below,
    legend_right,
    new_figure,
    panel_letters,
    style,
)
from neurodyn.plots.training import members_of

_LETTERS = 12  # in a line of a condition's name


@style()
def word_divergence(
    results: Mapping[str, WordDivergence | Sequence[WordDivergence]],
    *,
    title: str = "Words beside those of the reference",
) -> Figure:
    """Divergence of each condition, in both directions, and the shares of all words.

    Parameters
    ----------
    results : mapping of condition to WordDivergence, or a sequence of them
        From :func:`neurodyn.analysis.word_divergence`, all of one reference and length of words. Points are networks, the
        bar their geometric mean; grey boxes are perfect samples of the same size. Shares of words are means over networks;
        words that were never generated are crosses on the lower edge. Divergences that are not above 0 are not shown.

    Raises
    ------
    ValueError
        No results, or words of several lengths.
    """
    members: dict[str, list[WordDivergence]] = members_of("results", results, "WordDivergence")
    lengths = {found.words.shape[1] for each in members.values() for found in each}
    if len(lengths) > 1:
        raise ValueError(f"results have words of {sorted(lengths)} symbols: compare words of one length")
    figure = new_figure(max(7.4, 3.6 + 0.6 * len(members)), 3.6)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    for k, (condition, each) in enumerate(members.items()):
        for side, colour, names in (
            (-0.17, CYCLE[0], ("divergence", "sampled")),
            (0.17, CYCLE[1], ("reverse", "sampled_reverse")),
        ):
            values = np.array([getattr(found, names[0]) for found in each])
            floor = np.concatenate([getattr(found, names[1]) for found in each])
            _points(left, k + side, values, colour)
            if len(floor):
                low, high = floor.min(), floor.max()
                left.fill_between([k + side - 0.12, k + side + 0.12], low, high, color=GREY, alpha=0.35, linewidth=0)
        _shares(right, each, CYCLE[k % len(CYCLE)], condition)
    left.set_yscale("log")
    left.set_xlim(-0.6, len(members) - 0.4)
    left.set_xticks(range(len(members)), [textwrap.fill(name, _LETTERS) for name in members])
    left.set_ylabel("divergence (nats)")
    left.set_title(f"Words of {lengths.pop()} symbols")
    right.set(xscale="log", yscale="log", xlabel="probability in the reference", ylabel="share of generated words")
    likeliest = max(found.reference.max() for each in members.values() for found in each)
    rarest = min(found.reference[found.reference > 0].min() for each in members.values() for found in each)
    right.plot([rarest, likeliest], [rarest, likeliest], color=GREY, linewidth=0.8, zorder=0)
    right.set_xlim(10 ** np.floor(np.log10(rarest)), 10 ** np.ceil(np.log10(likeliest)))
    right.set_title("Each word")
    for axis in (left.yaxis, right.xaxis, right.yaxis):
        axis.set_minor_formatter(NullFormatter())  # within a decade its numbers would overlap
    panel_letters([left, right])
    figure.suptitle(title)
    keys = [
        Line2D([], [], color=CYCLE[0], marker="o", linestyle="", label="KL(reference || generated)"),
        Line2D([], [], color=CYCLE[1], marker="o", linestyle="", label="KL(generated || reference)"),
        Line2D([], [], color=GREY, alpha=0.35, linewidth=6, label="perfect samples, as many"),
        Line2D([], [], color=GREY, marker="x", linestyle="", label="never generated"),
    ]
    legend_below(figure, keys)
    legend_right(right)
    return figure


@style()
def branch_probabilities(
    results: Mapping[str, BranchProbabilities | Sequence[BranchProbabilities]],
    *,
    title: str = "Choices of the machine",
    ax: Axes | None = None,
) -> Figure:
    """Share of each symbol in the states with a choice, with its interval, beside the probability in the machine.

    Parameters
    ----------
    results : mapping of condition to BranchProbabilities, or a sequence of them
        From :func:`neurodyn.analysis.branch_probabilities`, all of one machine.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    ValueError
        No results, or results of several machines.
    """
    members: dict[str, list[BranchProbabilities]] = members_of("results", results, "BranchProbabilities")
    first = next(iter(members.values()))[0]
    for name, each in members.items():
        for found in each:
            if not (np.array_equal(found.state, first.state) and np.array_equal(found.symbol, first.symbol)):
                raise ValueError(
                    f"results[{name!r}] has other choices than the first condition: give those of one machine"
                )
    choices = len(first.state)
    figure, panel = figure_of(ax, width=max(5.6, 2.4 + 1.1 * choices), height=3.2)
    total = sum(map(len, members.values()))
    at = 0
    for k, (name, each) in enumerate(members.items()):
        for number, found in enumerate(each):
            x = np.arange(choices) + 0.7 * ((at + 0.5) / total - 0.5)
            panel.errorbar(
                x,
                found.share,
                yerr=np.abs(np.stack([found.low, found.high]) - found.share),
                fmt=MARKERS[k % len(MARKERS)],
                color=CYCLE[k % len(CYCLE)],
                elinewidth=1.0,
                label="_" if number else textwrap.fill(name, 26),
            )
            at += 1
    for k, probability in enumerate(first.expected):
        panel.plot(
            [k - 0.42, k + 0.42], [probability] * 2, "--", color="black", linewidth=1.0, label="_" if k else "machine"
        )
    labels = [f"state {i}:\nsymbol {s}" for i, s in zip(first.state, first.symbol, strict=True)]
    panel.set_xticks(range(choices), labels)
    panel.set_xlim(-0.5, choices - 0.5)
    panel.set_ylim(-0.03, 1.03)
    panel.set_ylabel("share of visits")
    panel.set_title(title)
    legend_right(panel, title=f"{first.confidence:.0%} intervals", alignment="left")
    return figure


def _points(ax: Axes, x: float, values: np.ndarray, colour: str) -> None:
    """Points of the networks and a bar at their geometric mean; what isn't above 0 can't stand on the axis."""
    shown = values[values > 0]
    spread = 0.05 * np.linspace(-1, 1, len(shown)) if len(shown) > 1 else np.zeros(len(shown))
    ax.plot(x + spread, shown, "o", color=colour, markersize=3.5)
    if len(shown) > 1:
        ax.plot([x - 0.12, x + 0.12], [np.exp(np.log(shown).mean())] * 2, "-", color=colour, linewidth=1.5)


def _shares(ax: Axes, each: Sequence[WordDivergence], colour: str, name: str) -> None:
    legal = each[0].reference > 0
    key = {tuple(word): k for k, word in enumerate(each[0].words[legal])}
    shares = np.zeros((len(each), len(key)))
    for row, found in zip(shares, each, strict=True):
        for word, share in zip(found.words, found.generated, strict=True):
            if tuple(word) in key:
                row[key[tuple(word)]] = share
    probability, mean = each[0].reference[legal], shares.mean(axis=0)
    there = mean > 0
    ax.plot(probability[there], mean[there], "o", color=colour, markersize=3, alpha=0.7, label=textwrap.fill(name, 16))
    if not there.all():
        edge = ax.get_xaxis_transform()
        ax.plot(probability[~there], np.full(np.sum(~there), 0.02), "x", color=colour, markersize=4, transform=edge)
