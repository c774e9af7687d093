"""Fixed and slow points among the states they were sought from, and their eigenvalues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from neurodyn.analysis.dynamics.stationary import STABILITY, FixedPoints
from neurodyn.plots.base import CYCLE, GREY, MARKERS, dress, legend_below, new_figure, panel_letters, style

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLOUD = 2000  # starts that are drawn at most


@style()
def fixed_points(found: FixedPoints, *, title: str = "Fixed and slow points") -> Figure:
    """Points in the plane of the first two principal components of the starts, and the eigenvalues of their Jacobians.

    Parameters
    ----------
    found : FixedPoints
        From :func:`neurodyn.analysis.fixed_points`. Colour and marker tell the stability, open markers are slow points,
        grey dots are starts; outliers aren't drawn, but counted in the title of the panel. The line on the right
        parts growing from shrinking perturbations: unit circle or imaginary axis.
    """
    figure = new_figure(7.4, 3.8)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    plane, names = _plane(found.starts), found.stability
    cloud = plane(found.starts[:: -(-len(found.starts) // _CLOUD)])
    left.plot(*cloud.T, ".", color=GREY, markersize=2, alpha=0.5, label="starts")
    at, near = plane(found.points), ~found.outlier
    for k, name in enumerate(STABILITY):
        of = np.array([each == name for each in names], dtype=bool) & near
        if not of.any():
            continue
        look = {"color": CYCLE[k], "marker": MARKERS[k % len(MARKERS)], "linestyle": "", "markersize": 5}
        left.plot(*at[of & found.fixed].T, label=f"{name} ({of.sum()})", **look)
        left.plot(*at[of & ~found.fixed].T, markerfacecolor="none", **look)
        values = found.eigenvalues[of].ravel()
        right.plot(values.real, values.imag, **{**look, "markersize": 3}, alpha=0.6)
    if (near & ~found.fixed).any():
        left.plot([], [], "o", color="0.2", markerfacecolor="none", label="open: slow")
    if found.kind == "map":
        angle = np.linspace(0, 2 * np.pi, 1000)
        limits = _around(found.eigenvalues[near])
        right.plot(np.cos(angle), np.sin(angle), color="0.2", linewidth=1.0)
        right.set(xlim=limits[0], ylim=limits[1])
        right.set_aspect("equal", adjustable="box")
    else:
        right.axvline(0, color="0.2", linewidth=1.0)
    unit = "" if found.kind == "map" else " (per unit of time)"
    left.set(xlabel="PC 1 of the starts", ylabel="PC 2 of the starts")
    right.set(xlabel=f"real part{unit}", ylabel=f"imaginary part{unit}")
    outliers = int(found.outlier.sum())
    left.set_title(f"{len(found.points)} points" + (f", {outliers} outliers not shown" if outliers else ""))
    right.set_title("Eigenvalues")
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, left.get_legend_handles_labels()[0])
    return figure


def _around(values: NDArray[np.complexfloating]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits that hold the eigenvalues and the next of the unit circle; all of it if there are none."""
    if not values.size:
        return (-1.1, 1.1), (-1.1, 1.1)
    room = 0.1 + 0.1 * float(np.ptp(values.real))
    right = max(float(values.real.max()), 1.0)
    high = float(np.abs(values.imag).max()) + room
    return (float(values.real.min()) - room, right + room), (-high, high)


def _plane(starts: NDArray[np.floating]):
    """The projection onto two principal components; what there are fewer of is 0."""
    mean = starts.mean(axis=0)
    axes = np.zeros((starts.shape[1], 2))
    directions = np.linalg.svd(starts - mean, full_matrices=False)[2][:2]
    axes[:, : len(directions)] = directions.T
    return lambda x: (x - mean) @ axes
