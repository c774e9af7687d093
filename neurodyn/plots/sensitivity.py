"""How noise spreads paths from clusters and from transitions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurodyn.analysis.emulation.sensitivity import PLACES, NoiseSensitivity
from neurodyn.plots.base import GREY, dress, legend_below, new_figure, panel_letters, style
from neurodyn.plots.residence import COLOURS


@style()
def noise_sensitivity(found: NoiseSensitivity, *, title: str = "Spread of rollouts") -> Figure:
    """Spread over steps from both places, the ratio for every pair of states, and spread from all states near a switch.

    Parameters
    ----------
    found : NoiseSensitivity
        From :func:`neurodyn.analysis.noise_sensitivity`. Bands and bars are the middle half of the pairs.
    """
    figure = new_figure(8.2, 3.3)
    axes = [dress(ax) for ax in figure.subplots(1, 3)]
    strongest = int(found.mixing.argmax())
    steps = np.arange(1, found.trace.shape[-1] + 1)
    for place, name in enumerate(PLACES):
        rows = found.trace[place, :, strongest]
        low, middle, high = np.quantile(rows, [0.25, 0.5, 0.75], axis=0)
        axes[0].plot(steps, middle, "o-", color=COLOURS[name])
        axes[0].fill_between(steps, low, high, color=COLOURS[name], alpha=0.2, linewidth=0)
    axes[0].set(xlabel="steps", ylabel="trace of the covariance", ylim=(0, None), xticks=steps)
    axes[0].set_title(f"{title},\nfresh noise {found.mixing[strongest]:g}, median")
    rng = np.random.default_rng(0)  # spreads points that would lie on each other
    for k in range(len(found.mixing)):
        ratio = found.ratio[:, k]
        axes[1].scatter(k + rng.uniform(-0.13, 0.13, len(ratio)), ratio, s=10, color="0.6", linewidths=0)
        axes[1].hlines(found.median[k], k - 0.25, k + 0.25, color="black")
        axes[1].vlines(k, *np.quantile(ratio, [0.25, 0.75]), color="black", linewidth=1.0)
    axes[1].axhline(1, color=GREY, linestyle="--", linewidth=0.8)
    axes[1].set_xticks(range(len(found.mixing)), [f"{g:g}" for g in found.mixing])
    axes[1].set(xlabel="share of fresh noise", ylabel="trace, transition / cluster", ylim=(0, None))
    smaller = found.smaller[strongest]
    axes[1].set_title(f"After {steps[-1]} steps:\nsmaller in {smaller.successes} of {smaller.trials} pairs")
    low, middle, high = np.quantile(found.relative_course, [0.25, 0.5, 0.75], axis=0)
    axes[2].plot(found.lag, middle, "o-", color="black", markersize=3)
    axes[2].fill_between(found.lag, low, high, color="black", alpha=0.15, linewidth=0)
    axes[2].axhline(1, color=GREY, linestyle="--", linewidth=0.8)
    axes[2].axvline(0, color=GREY, linewidth=0.6)
    axes[2].set(xlabel="start, steps from the switch", ylabel="trace / that of the cluster", ylim=(0, None))
    axes[2].set_title("From all states around it,\nfresh noise 1")
    panel_letters(axes)
    handles = [Line2D([], [], marker="o", color=COLOURS[name], label=f"from a {name}") for name in PLACES]
    legend_below(figure, [*handles, Line2D([], [], color=GREY, linestyle="--", label="no difference")])
    return figure
