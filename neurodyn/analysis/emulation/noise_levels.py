"""How far noise of each level carries a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, number, whole
from ..population.dimensionality import pca
from ._driven_network import driven, weights_of

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN


@dataclass(frozen=True, eq=False)
class SizeAgainstNoise:
    """Size of the noise-driven activity at each noise level; ``print`` shows it as a table.

    Attributes
    ----------
    levels : array, shape (level)
        Standard deviation of the input.
    radius : array, shape (level, path)
        Root mean square distance from the mean state of the level.
    extent : array, shape (level, path)
        Distance from that mean, in the plane of the first two principal components of the level, which 95 % of the states
        don't exceed.
    biased : bool
        Whether the network has biases. Without them activity is proportional to the level by construction: an identity
        of the equations, no finding.
    """

    levels: FloatArray
    radius: FloatArray
    extent: FloatArray
    biased: bool

    @property
    def ratio(self) -> FloatArray:
        """Mean radius over the level, shape (level)."""
        return self.radius.mean(axis=1) / self.levels

    @property
    def departure(self) -> float:
        """Largest departure of the ratio from its mean over levels, relative: 0 where size is proportional to noise."""
        return float(np.abs(self.ratio / self.ratio.mean() - 1).max())

    def __str__(self) -> str:
        kind = "a finding: the network has biases" if self.biased else "an identity: the network has no biases"
        lines = [f"{'noise SD':>9}{'rms radius':>12}{'(SD)':>10}{'95 % extent':>13}{'radius/noise':>14}"]
        for level, radius, extent, ratio in zip(self.levels, self.radius, self.extent, self.ratio, strict=True):
            lines.append(
                f"{level:>9.3g}{radius.mean():>12.4g}{radius.std():>10.2g}{extent.mean():>13.4g}{ratio:>14.5g}"
            )
        return "\n".join([*lines, f"largest departure from proportionality {self.departure:.2g} ({kind})"])


def size_against_noise(
    net: HMMRNN,
    levels: Sequence[float] = (0.1, 1.0, 2.0, 3.0, 4.0),
    *,
    paths: int = 10,
    steps: int = 1000,
    burn_in: int = 100,
    seed: int = 0,
) -> SizeAgainstNoise:
    """Size of the noise-driven activity at several noise levels, with the same draws at each.

    Parameters
    ----------
    net : HMMRNN
        With at least two units.
    levels : sequence of float
        Standard deviations of the input, > 0; the published ones by default, which the paper calls variances.
    paths, steps : int
        Independent paths, at least 1, and the steps of each, at least 3.
    burn_in : int
        Steps before a path, >= 0, from rest.
    seed : int

    Returns
    -------
    SizeAgainstNoise

    Raises
    ------
    ValueError
        No levels, or numbers out of range.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674: contours of 95 % against the noise level.
    """
    weights_of(net)
    if not len(levels):
        raise ValueError("levels is empty: give standard deviations, such as (0.5, 1, 2)")
    checked = [number(level, "levels", unit="", low=0, strict=True) for level in levels]
    paths, steps = whole(paths, "paths"), whole(steps, "steps", low=3)
    radius, extent = np.empty((2, len(checked), paths))
    for k, level in enumerate(checked):
        states = driven(net, paths, steps, noise=level, burn_in=burn_in, seed=seed).states
        found = pca(states, 2)
        radius[k] = np.sqrt(((states - found.mean) ** 2).sum(axis=2).mean(axis=1))
        extent[k] = np.quantile(np.hypot(found.scores[..., 0], found.scores[..., 1]), 0.95, axis=1)
    return SizeAgainstNoise(np.array(checked), radius, extent, net.bias is not None)
