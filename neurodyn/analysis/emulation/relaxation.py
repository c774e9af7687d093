"""Where a network goes once its noise is switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray, number, whole
from ._driven_network import Weights, driven, eigenvalues, weights_of

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

_APART = 1e3  # tolerances between fixed points that count as two: slow ones are still on their way by the last step


@dataclass(frozen=True, eq=False)
class NoiseFree:
    """Paths without noise from states that noise had led to; ``print`` shows where they end.

    Attributes
    ----------
    norm : array, shape (time, start)
        Norm of the state after 0, 1, ... steps without noise.
    ends : array, shape (start, unit)
        The last states.
    settled : array of bool, shape (start)
        Whether another step moves the last state by less than the tolerance.
    fixed_points : array, shape (fixed point, unit)
        What the settled paths end in, without repetition, most frequent first.
    which : array of int, shape (start)
        The fixed point of each start, -1 if not settled.
    radius : array, shape (fixed point)
        Spectral radius of the Jacobian there; NaN at the origin of a network without biases, which has none.
    scale : float
        Median norm of the starts: the tolerance is in units of it.
    """

    norm: FloatArray
    ends: FloatArray
    settled: np.ndarray
    fixed_points: FloatArray
    which: IntArray
    radius: FloatArray
    scale: float

    @property
    def relative(self) -> FloatArray:
        """Norm over that at the start, shape (time, start); NaN for starts at the origin."""
        first = self.norm[0]
        return np.divide(self.norm, first, out=np.full_like(self.norm, np.nan), where=first > 0)

    @property
    def ratio(self) -> FloatArray:
        """Norm at the end over that at the start, shape (start); NaN for starts at the origin."""
        return self.relative[-1]

    @property
    def reached(self) -> IntArray:
        """Starts that end in each fixed point, shape (fixed point)."""
        return np.bincount(self.which[self.settled], minlength=len(self.fixed_points))

    def __str__(self) -> str:
        ratio, several = self.ratio, "" if len(self.fixed_points) == 1 else "s"
        lines = [
            f"norm after {len(self.norm) - 1} steps without noise: median {np.nanmedian(ratio):.2g} of the start, "
            f"largest {np.nanmax(ratio):.2g}",
            f"{self.settled.sum()} of {len(self.settled)} starts settle, in {len(self.fixed_points)} fixed point{several}",
        ]
        for point, count, radius in zip(self.fixed_points, self.reached, self.radius, strict=True):
            lines.append(f"  norm {np.linalg.norm(point):.3g}, from {count} starts, spectral radius {radius:.3g}")
        return "\n".join(lines)


def noise_free(
    net: HMMRNN,
    *,
    starts: int = 100,
    steps: int = 500,
    burn_in: int = 100,
    apart: int = 20,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> NoiseFree:
    """Follow a network without noise from states that noise had led to, and gather the fixed points that it reaches.

    Parameters
    ----------
    net : HMMRNN
        Driven at its own noise level up to the starts.
    starts : int
        At least 1, of five independent paths.
    steps : int
        Without noise, at least 1.
    burn_in, apart : int
        Steps before the first start of a path, >= 0, from rest, and from one to the next, at least 1.
    tolerance : float
        > 0, in units of the median norm of the starts: what a settled state may still move in a step. Fixed points closer
        than a thousand of it count as one.
    seed : int

    Returns
    -------
    NoiseFree

    Raises
    ------
    ValueError
        A network that noise doesn't drive, or numbers out of range.

    Notes
    -----
    The map of a network without biases is homogeneous: it has no isolated fixed point but the origin, where it has no
    Jacobian. The question is then whether the norm goes to 0. Computed in float64. Unstable fixed points are not found.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674: 100 starts, 500 steps.
    """
    weights = weights_of(net)
    tolerance = number(tolerance, "tolerance", unit="", low=0, strict=True)
    starts, apart = whole(starts, "starts"), whole(apart, "apart")
    paths = min(5, starts)
    length = apart * (-(-starts // paths) - 1) + 1
    found = driven(net, paths, length, burn_in=burn_in, seed=seed)
    state = found.states[:, ::apart].reshape(-1, net.units)[:starts]
    norm = [np.linalg.norm(state, axis=1)]
    scale = float(np.median(norm[0]))
    if scale == 0:
        raise ValueError("noise drives no unit of this network: nothing to follow")
    # What grows beyond all numbers is reported as such, as a ratio that is infinite.
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(whole(steps, "steps")):
            state = np.maximum(weights.drive(state), 0)
            norm.append(np.linalg.norm(state, axis=1))
        moved = np.linalg.norm(np.maximum(weights.drive(state), 0) - state, axis=1)
    settled = np.isfinite(norm[-1]) & (moved <= tolerance * scale)
    points, which = _distinct(state, settled, _APART * tolerance * scale)
    origin = [net.bias is None and np.linalg.norm(point) <= _APART * tolerance * scale for point in points]
    return NoiseFree(
        norm=np.array(norm),
        ends=state,
        settled=settled,
        fixed_points=points,
        which=which,
        radius=np.array([np.nan if zero else _radius(weights, p) for p, zero in zip(points, origin, strict=True)]),
        scale=scale,
    )


def _distinct(states: FloatArray, settled: np.ndarray, distance: float) -> tuple[FloatArray, IntArray]:
    """Means of groups of settled states that lie within a distance of their first, largest group first; who is where."""
    which = np.full(len(states), -1)
    groups = 0
    for k in np.flatnonzero(settled):
        if which[k] < 0:
            near = settled & (which < 0) & (np.linalg.norm(states - states[k], axis=1) <= distance)
            which[near] = groups
            groups += 1
    order = np.argsort(-np.bincount(which[settled], minlength=groups), kind="stable")
    which[settled] = np.argsort(order)[which[settled]]
    return np.array([states[which == g].mean(axis=0) for g in range(groups)]).reshape(groups, states.shape[1]), which


def _radius(weights: Weights, point: FloatArray) -> float:
    return float(np.abs(eigenvalues(weights, weights.drive(point))).max())
