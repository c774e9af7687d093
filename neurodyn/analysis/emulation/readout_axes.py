"""How the readout of a noise-driven network lies to the plane of its orbit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, whole
from ..nulls import NullTest
from ..population.dimensionality import pca
from ._driven_network import driven, weights_of

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN


@dataclass(frozen=True, eq=False)
class ReadoutGeometry:
    """Readout axes beside the principal plane of noise-driven activity; ``print`` shows them.

    Attributes
    ----------
    lengths : NullTest of an array (symbol)
        Length, 0 to 1, of each readout axis of unit norm projected on the plane; the null exchanges the units of the axis.
    axes : array, shape (symbol, 2)
        These projections.
    shares : array, shape (2)
        Share of the variance along the components that span the plane.
    cosines : array, shape (symbol, symbol)
        Between readout axes, in the space of all units.
    """

    lengths: NullTest[FloatArray]
    axes: FloatArray
    shares: FloatArray
    cosines: FloatArray

    def __str__(self) -> str:
        null = self.lengths
        lines = [f"plane of {self.shares.sum():.1%} of the variance; projected length of unit readout axes"]
        for k, (length, low, high, p) in enumerate(zip(null.observed, null.low, null.high, null.p, strict=True)):
            lines.append(f"  symbol {k}: {length:.3f} (units exchanged: {low:.3f} to {high:.3f}, p = {p:.2g})")
        return "\n".join(lines)


def readout_geometry(
    net: HMMRNN, *, paths: int = 5, steps: int = 1000, burn_in: int = 100, samples: int = 1000, seed: int = 0
) -> ReadoutGeometry:
    """Length of each readout axis in the plane of the first two principal components, beside that of shuffled axes.

    Parameters
    ----------
    net : HMMRNN
        Driven at its own noise level.
    paths, steps, burn_in : int
        Independent paths, the steps of each, and those before them, from rest.
    samples : int
        Shuffled axes for the null, at least 1.
    seed : int

    Returns
    -------
    ReadoutGeometry

    Raises
    ------
    ValueError
        A readout of zero, which has no axis, or numbers out of range.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674, and the published code: the mean over symbols 0
    and 2 is 0.51 for chains of two states, and 0.27 to 0.32 for longer ones.
    """
    weights = weights_of(net)
    found = driven(net, whole(paths, "paths"), whole(steps, "steps", low=3), burn_in=burn_in, seed=seed)
    plane = pca(found.states, 2)
    norm = np.linalg.norm(weights.readout, axis=1, keepdims=True)
    if not norm.all():
        raise ValueError(f"the readout of symbol {int(norm.argmin())} is zero: it has no axis")
    unit = weights.readout / norm
    axes = unit @ plane.components.T
    rng = np.random.default_rng(seed)
    null = np.stack(
        [
            np.linalg.norm(rng.permuted(unit, axis=1) @ plane.components.T, axis=1)
            for _ in range(whole(samples, "samples"))
        ]
    )
    return ReadoutGeometry(
        NullTest(np.linalg.norm(axes, axis=1), null, "greater"), axes, plane.explained_ratio, unit @ unit.T
    )
