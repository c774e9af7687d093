"""Where a generative network puts its noise, and what its layers hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurodyn.analysis.generation.latents import LatentProfile, LayerPCA
from neurodyn.plots.base import CYCLE, GREY, MARKERS, dress, legend_below, new_figure, panel_letters, style


@style()
def latent_profile(
    found: LatentProfile,
    conditions: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    title: str = "Latents by state",
) -> Figure:
    """Standard deviations of prior and posterior and size of their means in each state, a line for each network.

    Parameters
    ----------
    found : LatentProfile
        From :func:`neurodyn.analysis.latent_profile`. Thin lines are networks, means over latents and sequences; thick ones
        means over the networks of a condition. Posteriors are drawn if they are there.
    conditions : sequence of str, one for each model
        Such as ``[f"w = {w:g}" for w in net.meta_prior]``: models of one name share a colour.
    names : sequence of str, optional
        Of the states; their numbers if not given.

    Raises
    ------
    ValueError
        Conditions or names that aren't as many.
    """
    models, states = found.count.shape
    for name, given, wanted in (("conditions", conditions, models), ("names", names, states)):
        if given is not None and len(given) != wanted:
            raise ValueError(f"{name} has {len(given)} entries; give {wanted}")
    quantities = {
        "prior_sigma": ("Noise of the prior", r"$\sigma_p$"),
        "prior_size": ("Mean of the prior", r"$|\mu_p|$"),
        "posterior_sigma": ("Noise of the posterior", r"$\sigma_q$"),
        "posterior_size": ("Mean of the posterior", r"$|\mu_q|$"),
    }
    values = {name: found.mean(name) for name in quantities}
    shown = [name for name in quantities if np.isfinite(values[name]).any()]
    figure = new_figure(max(6.4, 2 + 0.45 * states), 0.9 + 2.3 * (len(shown) // 2))
    axes = [dress(ax) for ax in figure.subplots(len(shown) // 2, 2, squeeze=False, sharex=True).ravel()]
    place = np.arange(states)
    kinds = list(dict.fromkeys(conditions))
    for ax, name in zip(axes, shown, strict=True):
        for k, kind in enumerate(kinds):
            rows = values[name][[c == kind for c in conditions]]
            ax.plot(place, rows.T, color=CYCLE[k % len(CYCLE)], linewidth=0.5, alpha=0.6)
            known = np.isfinite(rows)
            mean = np.where(known, rows, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            mean = np.where(known.any(axis=0), mean, np.nan)
            marker = MARKERS[k % len(MARKERS)]
            ax.plot(place, mean, color=CYCLE[k % len(CYCLE)], marker=marker, markersize=4, linewidth=1.6, label=kind)
        ax.set_title(quantities[name][0])
        ax.set_ylabel(quantities[name][1])
        ax.set_xticks(place, [str(s) for s in (found.states if names is None else names)])
        ax.set_ylim(0, None)
    for ax in axes[-2:]:
        ax.set_xlabel("state")
    panel_letters(axes)
    figure.suptitle(title)
    legend_below(figure, axes[0].get_legend_handles_labels()[0])
    return figure


@style()
def layer_pca(
    found: LayerPCA,
    conditions: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    title: str = "Principal components of the layer",
) -> Figure:
    """Activity of a layer along its first two principal components, a panel for each network, coloured by label.

    Parameters
    ----------
    found : LayerPCA
        From :func:`neurodyn.analysis.layer_pca` with at least two components.
    conditions : sequence of str, one for each model
        Such as ``[f"w = {w:g}" for w in net.meta_prior]``.
    names : sequence of str, optional
        Of the labels; their numbers if not given.

    Raises
    ------
    ValueError
        Conditions that aren't as many, a single component, and fewer names than labels.
    """
    models = len(found.scores)
    if len(conditions) != models or found.scores.shape[3] < 2:
        raise ValueError(
            f"conditions has {len(conditions)} entries and found {models} models with {found.scores.shape[3]} components; "
            "give a name for each model, and two components"
        )
    kinds = np.unique(found.labels[found.labels >= 0])
    if names is not None and len(names) <= kinds.max():
        raise ValueError(f"names has {len(names)} entries; give one for each label up to {kinds.max()}")
    across = min(4, models)
    down = -(-models // across)
    figure = new_figure(max(3.4, 0.3 + 2.2 * across), 1.0 + 2.2 * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for empty in axes[models:]:
        empty.remove()
    for ax, scores, labels, share, condition, between in zip(
        axes, found.scores, found.labels, found.explained_ratio, conditions, found.separation.observed, strict=False
    ):
        dress(ax)
        for k, label in enumerate(kinds):
            ax.plot(*scores[labels == label][:, :2].T, ".", color=CYCLE[k % len(CYCLE)], markersize=2, alpha=0.6)
        if (labels < 0).any():
            ax.plot(*scores[labels < 0][:, :2].T, ".", color=GREY, markersize=1.5, alpha=0.4)
        ax.set_title(f"{condition}\nbetween labels: {between:.0%}")
        ax.set_xlabel(f"PC 1 ({share[0]:.0%})")
        ax.set_ylabel(f"PC 2 ({share[1]:.0%})")
    keys = [
        Line2D(
            [], [], color=CYCLE[k % len(CYCLE)], marker="o", linestyle="", label=str(s if names is None else names[s])
        )
        for k, s in enumerate(kinds)
    ]
    figure.suptitle(f"{title}\n(share of the variance between labels)")
    legend_below(figure, keys)
    return figure
