"""The orbit of a network that noise alone drives: its plane, its sense of rotation, and how long symbols stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray, whole
from ..population.dimensionality import pca
from ..statistics import BinomialInterval, binomial_interval
from ._driven_network import driven, weights_of
from .switching import DwellTimes, dwell_of, dwell_of_states, dwell_of_symbols, intervals

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN
    from neurodyn.tasks.hidden_markov import HiddenMarkov


@dataclass(frozen=True, eq=False)
class DrivenOrbits:
    """Noise-driven activity in its principal components; ``print`` shows the numbers.

    Attributes
    ----------
    shares : array, shape (component)
        Share of the variance, 0 to 1.
    components : array, shape (component, unit)
    mean : array, shape (unit)
    projected : array, shape (path, time, component)
    winners : array of int, shape (path, time)
        Symbol of the largest logit.
    turns : array, shape (path)
        Net rotations about the mean in the plane of components 1 and 2, by sign. Which sign is which means nothing.
    lengths : array of int, shape (interval)
        Complete intervals between switches of the winner, in steps, over all paths.
    symbol_lengths : array of int, shape (run)
        Complete runs of the sampled symbols, in steps, over all paths.
    target_dwell, target_runs : DwellTimes or None
        The same of the hidden states and of the symbols of a hidden Markov model, in closed form.
    """

    shares: FloatArray
    components: FloatArray
    mean: FloatArray
    projected: FloatArray
    winners: IntArray
    turns: FloatArray
    lengths: IntArray
    symbol_lengths: IntArray
    target_dwell: DwellTimes | None
    target_runs: DwellTimes | None

    @property
    def agreement(self) -> BinomialInterval:
        """How many paths turn the way that most of them do."""
        clockwise = int(np.sum(self.turns < 0))
        return binomial_interval(max(clockwise, len(self.turns) - clockwise), len(self.turns))

    @property
    def p(self) -> float:
        """Probability of such an agreement if either sense were as likely: so it is in any reversible process."""
        from scipy.stats import binomtest

        agree = self.agreement
        return float(binomtest(agree.successes, agree.trials).pvalue)

    @property
    def dwell(self) -> DwellTimes:
        """Times between switches of the winner."""
        return dwell_of(self.lengths)

    @property
    def runs(self) -> DwellTimes:
        """Runs of the sampled symbols."""
        return dwell_of(self.symbol_lengths)

    def __str__(self) -> str:
        lines = [
            f"variance of components   {', '.join(f'{share:.1%}' for share in self.shares)}",
            f"turns of a path          {self.turns.min():.1f} to {self.turns.max():.1f} in {self.winners.shape[1]} steps",
            f"same sense of rotation   {self.agreement}, p = {self.p:.2g}",
            f"winner stays             {self.dwell}",
            f"symbols stay             {self.runs}",
        ]
        if self.target_dwell is not None:
            lines += [f"target: hidden states    {self.target_dwell}", f"target: symbols          {self.target_runs}"]
        return "\n".join(lines)


def driven_orbits(
    net: HMMRNN,
    *,
    target: HiddenMarkov | None = None,
    paths: int = 16,
    steps: int = 2000,
    components: int = 3,
    burn_in: int = 100,
    seed: int = 0,
) -> DrivenOrbits:
    """Principal components of the noise-driven activity, the rotation of each path, and the times between switches.

    Parameters
    ----------
    net : HMMRNN
        Driven at its own noise level.
    target : HiddenMarkov, optional
        A model whose dwell times stand beside those of the network.
    paths, steps : int
        Independent paths, at least 1, and the steps of each, at least 2; intervals longer than a path are not seen.
    components : int
        2 up to the number of units.
    burn_in : int
        Steps before a path, >= 0, from rest.
    seed : int

    Returns
    -------
    DrivenOrbits

    Raises
    ------
    ValueError
        For numbers out of range, a network whose activity is not bounded, or one that is silent.

    Notes
    -----
    A network can't be expected to hold its winner as irregularly as the target its hidden state, nor as regularly as one
    seed does: compare the numbers, don't gate on them. Sampled symbols and symbols of the target are the same measure.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674.
    """
    weights_of(net)
    whole(components, "components", low=2, high=net.units)
    found = driven(net, whole(paths, "paths"), whole(steps, "steps", low=2), burn_in=burn_in, seed=seed)
    plane = pca(found.states, components)
    return DrivenOrbits(
        shares=plane.explained_ratio,
        components=plane.components,
        mean=plane.mean,
        projected=plane.scores,
        winners=found.winners,
        turns=_turns(plane.scores[..., :2]),
        lengths=intervals(found.winners),
        symbol_lengths=intervals(found.symbols),
        target_dwell=None if target is None else dwell_of_states(target),
        target_runs=None if target is None else dwell_of_symbols(target),
    )


def _turns(plane: FloatArray) -> FloatArray:
    """Net rotations about the origin of paths (path, time, 2), counter-clockwise positive."""
    angle = np.arctan2(plane[..., 1], plane[..., 0])
    steps = np.diff(angle, axis=1)
    return ((steps + np.pi) % (2 * np.pi) - np.pi).sum(axis=1) / (2 * np.pi)
