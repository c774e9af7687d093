"""Geometry of learned weights: conditions on principal components, and angles beside their nulls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurodyn.plots.base import (
    CYCLE,
    MARKERS,
    caption,
    dress,
    legend_under,
    new_figure,
    panel_letters,
    style,
)
from neurodyn.plots.numbers import checked, decimals


@style()
def weight_geometry(
    scores: Any,
    p: Any,
    latency: Sequence[Any],
    angles: Any,
    nulls: Mapping[str, Any],
    *,
    explained: Sequence[float] | None = None,
    correlations: Mapping[str, float] | None = None,
    angle_name: str = "smallest what/when angle",
    note: str = "",
) -> Figure:
    """Conditions in the plane of the first two components of their weights, and an angle beside its nulls.

    Parameters
    ----------
    scores : array, shape (condition, component)
        At least two components; the first two are drawn, in arbitrary units.
    p : array, shape (condition,)
        Probability of each condition: colour.
    latency : sequence, length condition
        Latency of each condition, as number in ms or as text such as "150/300": marker.
    angles : float or array, shape (seed,)
        Observed angles in degrees: vertical lines.
    nulls : mapping of name to array, shape (draw,)
        Angles in degrees under each null (for example neuron shuffle and Gaussian): histograms. The legend
        gives the share of the null at or above the (mean) observed angle.
    angle_name : str
        What the angle is, on the axis.
    explained : (float, float), optional
        Share of variance of the two components, 0 to 1.
    correlations : mapping of text to value, optional
        For example ``{"r(PC1, p)": 0.98}``; put under the figure, followed by ``note``.

    Raises
    ------
    ValueError
        Shapes that don't fit, angles outside 0 to 90 degrees, no nulls.
    """
    points = checked("scores", scores, (None, None), finite=True)
    if points.shape[1] < 2:
        raise ValueError(f"scores has {points.shape[1]} component; a plane needs two")
    level = checked("p", p, (len(points),), finite=True)
    if len(latency) != len(points):
        raise ValueError(f"latency: {len(latency)} given for {len(points)} conditions")
    observed = _degrees("angles", np.atleast_1d(np.asarray(angles, dtype=np.float64)))
    if not nulls:
        raise ValueError("nulls is empty: an angle in many dimensions says nothing without its null")
    draws = {name: _degrees(f"nulls[{name!r}]", values) for name, values in nulls.items()}

    figure = new_figure(6.8, 3.7)
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1], gridspec_kw={"wspace": 0.06})
    _plane(figure, dress(left), points, level, [_latency(value) for value in latency], explained)
    _angles(dress(right), observed, draws, angle_name)
    text = ", ".join(f"{name} = {decimals(value, 2)}" for name, value in (correlations or {}).items())
    text = " ".join(part for part in (text + "." if text else "", note) if part)
    if text:
        caption(figure, text)
    panel_letters((left, right))
    return figure


def _plane(
    figure: Figure,
    ax: Axes,
    points: np.ndarray,
    level: np.ndarray,
    latency: Sequence[str],
    explained: Sequence[float] | None,
) -> None:
    kinds = list(dict.fromkeys(latency))
    image = None
    low, high = float(level.min()), float(level.max())
    for number, kind in enumerate(kinds):
        pick = np.array([value == kind for value in latency])
        image = ax.scatter(
            points[pick, 0],
            points[pick, 1],
            c=level[pick],
            cmap="cividis",
            vmin=low,
            vmax=high if high > low else low + 1.0,
            marker=MARKERS[number % len(MARKERS)],
            s=40,
            edgecolors="black",
            linewidths=0.5,
        )
    if image is not None:
        bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=25)
        bar.set_label("probability p")
        bar.ax.tick_params(labelsize=8)
    handles = [
        Line2D([], [], linestyle="none", marker=MARKERS[k % len(MARKERS)], color="0.5", markersize=6, label=kind)
        for k, kind in enumerate(kinds)
    ]
    columns = min(3, len(kinds))
    legend_under(ax, handles=handles, title="latency (ms)", ncols=columns, alignment="left", handletextpad=0.3)
    shares = [""] * 2 if explained is None else [f", {100 * share:.0f} % of variance" for share in explained[:2]]
    ax.set_xlabel(f"PC1 (a.u.{shares[0]})")
    ax.set_ylabel(f"PC2 (a.u.{shares[1]})")
    ax.margins(0.12)
    ax.set_title("Readout weights of each condition")


def _angles(ax: Axes, observed: np.ndarray, draws: Mapping[str, np.ndarray], name: str) -> None:
    pooled = np.concatenate([observed, *draws.values()])
    margin = 0.05 * max(1.0, float(np.ptp(pooled)))
    bins = np.linspace(max(0.0, pooled.min() - margin), min(90.0, pooled.max() + margin), 31).tolist()
    for number, (kind, values) in enumerate(draws.items()):
        share = 100 * float((values >= observed.mean()).mean())
        text = f"{kind} null, {len(values)} draws:\n{share:.0f} % ≥ observed"
        colour = CYCLE[number % len(CYCLE)]
        ax.hist(values, bins=bins, density=True, histtype="stepfilled", color=colour, alpha=0.3, label=text)
        ax.hist(values, bins=bins, density=True, histtype="step", color=colour, linewidth=1.0)
    for k, value in enumerate(observed):
        text = f"observed, {observed.mean():.1f}°" + (f" (mean of {len(observed)})" if len(observed) > 1 else "")
        ax.axvline(float(value), color="black", linewidth=1.3, label=text if k == 0 else "_")
    ax.set_xlabel(f"{name} (°)")
    ax.set_ylabel("density (1/°)")
    ax.set_title("Observed angle and its nulls")
    legend_under(ax)


def _degrees(name: str, values: Any) -> np.ndarray:
    array = checked(name, values, (None,), finite=True)
    if array.min() < 0 or array.max() > 90:
        raise ValueError(f"{name} runs from {array.min():g} to {array.max():g}; they are 0 to 90 degrees")
    return array


def _latency(value: Any) -> str:
    return value if isinstance(value, str) else f"{float(value):g}"
