"""When switching sets in over the training of a noise-driven network."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from neurodyn.analysis.emulation.onset import TrainingOnset
from neurodyn.plots.base import CYCLE, GREY, dress, legend_right, new_figure, panel_letters, style


@style()
def training_onset(
    found: TrainingOnset, *, target_change: float | None = None, title: str = "Loss at each snapshot"
) -> Figure:
    """Loss, eigenvalues, rates of switching and changes of symbols over training, on one axis of updates.

    Parameters
    ----------
    found : TrainingOnset
        From :func:`neurodyn.analysis.training_onset`. The upright line is where the loss drops.
    target_change : float, optional
        Share of steps at which the symbol of the target changes: a dotted line.
    """
    figure = new_figure(7.6, 7.2)
    axes = [dress(ax) for ax in figure.subplots(4, 1, sharex=True)]
    loss, spectra, rates, change = axes
    loss.plot(found.update, found.loss, "o-", color=CYCLE[0], markersize=3, label="validation loss")
    loss.plot(found.update, found.floor, color=GREY, linestyle="--", label="two samples of the target")
    loss.set(ylabel="Sinkhorn divergence", ylim=(0, None))
    loss.set_title(title)
    for k, (values, name) in enumerate(
        ((found.unstable, "any |λ| > 1"), (found.near_critical, "any near-critical pair")), start=1
    ):
        spectra.plot(found.update, values, "o-", color=CYCLE[k], markersize=3, label=name)
    spectra.set(ylabel="share of steps", ylim=(-0.03, 1.03))
    spectra.set_title("Eigenvalues, noise in the gate")
    for k, (values, name) in enumerate(
        ((found.mean_inverse, "mean of 1/interval"), (found.switch_rate, "1/mean interval")), start=3
    ):
        rates.plot(found.update, values, "o-", color=CYCLE[k], markersize=3, label=name)
    rates.set(ylabel="switches per step", ylim=(0, None))
    rates.set_title("Switches of the winner")
    change.plot(found.update, found.symbol_change, "o-", color=CYCLE[5], markersize=3, label="network")
    if target_change is not None:
        change.axhline(target_change, color=GREY, linestyle=":", label="target")
    infinite = found.finite < 1
    if infinite.any():
        height = np.nan_to_num(found.symbol_change[infinite])
        change.plot(found.update[infinite], height, "x", color="black", label="activity not finite")
    change.set(ylabel="changes per step", ylim=(0, None), xlabel="update")
    change.set_title("Changes of the sampled symbol")
    for ax in axes:
        if found.drop is not None:
            ax.axvline(found.drop, color="black", linewidth=0.8, label="loss drops" if ax is loss else "_")
        legend_right(ax)
    panel_letters(axes)
    return figure
