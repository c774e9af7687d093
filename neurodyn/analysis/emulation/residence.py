"""How long a noise-driven network keeps its symbol from each state on, and the zones that this divides its orbit into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray, whole
from ._driven_network import CHUNK, array, driven, eigenvalues, softmax, weights_of

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

ZONES = ("transition", "kick", "cluster")
SOON, LATE, SURE = 2.0, 8.0, 0.8  # borders of the zones: steps, steps, probability


@dataclass(frozen=True, eq=False)
class ResidenceMap:
    """States that a network visits, and what follows from each; ``print`` shows the zones as a table.

    Attributes
    ----------
    states : array, shape (state, unit)
        Visited one after the other on several independent paths.
    path, time : arrays of int, shape (state)
        Which path a state belongs to, and its step on it, from 0 after the burn-in.
    logits : array, shape (state, symbol)
    winner : array of int, shape (state)
        Symbol of the largest logit.
    confidence : array, shape (state)
        Largest probability of a symbol, 0 to 1.
    residence : array, shape (state)
        Mean number of steps, over rollouts with fresh noise, until the winner is another one; at most ``cap``.
    capped : array, shape (state)
        Share of the rollouts in which that did not happen within ``cap`` steps, 0 to 1: the residence is then longer.
    sign_changes : array, shape (state)
        How often, while the winner stays, its logit turns from rising to falling or back; mean over rollouts.
    unstable : array of int, shape (state)
        Eigenvalues beyond the unit circle of the Jacobian of a step without noise.
    zone : array of int, shape (state)
        0 transition (residence below 2), 1 kick (2 to 8), 2 cluster (above 8 and confidence above 0.8), -1 none.
    cap : int
    """

    states: FloatArray
    path: IntArray
    time: IntArray
    logits: FloatArray
    winner: IntArray
    confidence: FloatArray
    residence: FloatArray
    capped: FloatArray
    sign_changes: FloatArray
    unstable: IntArray
    zone: IntArray
    cap: int

    @property
    def fractions(self) -> dict[str, float]:
        """Share of the states in each zone, and in ``none``."""
        return {name: float(np.mean(self.zone == k)) for k, name in _NUMBERED}

    @property
    def means(self) -> dict[str, dict[str, float]]:
        """Mean residence, capped, sign_changes, unstable and confidence of each zone; NaN in one without states."""
        measures = ("residence", "capped", "sign_changes", "unstable", "confidence")
        result = {}
        for k, name in _NUMBERED:
            inside = self.zone == k
            result[name] = {m: float(getattr(self, m)[inside].mean()) if inside.any() else np.nan for m in measures}
        return result

    def __str__(self) -> str:
        head = f"{'zone':<12}{'share':>8}{'residence':>11}{'capped':>8}{'sign changes':>14}{'unstable':>10}"
        lines = [
            f"{name:<12}{self.fractions[name]:>8.3f}{m['residence']:>11.2f}{m['capped']:>8.2f}{m['sign_changes']:>14.2f}"
            f"{m['unstable']:>10.2f}"
            for name, m in self.means.items()
        ]
        return "\n".join([head, *lines])


_NUMBERED = (*enumerate(ZONES), (-1, "none"))


def residence_map(
    net: HMMRNN,
    *,
    states: int = 2000,
    rollouts: int = 20,
    cap: int = 60,
    burn_in: int = 100,
    paths: int = 20,
    seed: int = 0,
) -> ResidenceMap:
    """From each of many visited states: how long the symbol of the largest logit stays, and how stable a step is.

    Parameters
    ----------
    net : HMMRNN
        Driven at its own noise level.
    states : int
        Visited states, at least 1, spread evenly over the paths.
    rollouts : int
        Continuations of each state with noise of their own, at least 1.
    cap : int
        Longest continuation in steps, at least 9, or there would be no clusters.
    burn_in : int
        Steps before the first state of a path, >= 0, from rest.
    paths : int
        Independent paths, at most as many as states.
    seed : int

    Returns
    -------
    ResidenceMap

    Raises
    ------
    ValueError
        For numbers out of range, and a network whose activity is not bounded.

    Notes
    -----
    Residence in a network without biases does not depend on the noise level, the confidence does, and so do the zones.
    The published code has one path, and cap 60 too: residence in clusters is cut there, see ``capped``.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674, and the published code.
    """
    weights = weights_of(net)
    count, rollouts = whole(states, "states"), whole(rollouts, "rollouts")
    cap, burn_in = whole(cap, "cap", low=int(LATE) + 1), whole(burn_in, "burn_in", low=0)
    paths = min(whole(paths, "paths"), count)
    length = -(-count // paths)
    found = driven(net, paths, length, burn_in=burn_in, seed=seed)
    visited = found.states.reshape(-1, net.units)[:count]
    logits = found.logits.reshape(-1, net.outputs)[:count]
    winner = found.winners.reshape(-1)[:count]
    residence, capped, sign_changes = np.empty((3, count))
    chunk = max(1, CHUNK // (rollouts * cap * (net.units + net.noise_inputs)))
    for number, first in enumerate(range(0, count, chunk)):
        part = slice(first, first + chunk)
        stays, turns = _rollouts(net, visited[part], logits[part], winner[part], rollouts, cap, seed, number + 1)
        residence[part] = np.minimum(stays, cap).mean(axis=1)
        capped[part] = (stays > cap).mean(axis=1)
        sign_changes[part] = turns.mean(axis=1)
    unstable = np.array([(np.abs(eigenvalues(weights, u)) > 1).sum() for u in weights.drive(visited)], dtype=np.int64)
    confidence = softmax(logits).max(axis=1)
    zone = np.where(residence < SOON, 0, np.where(residence <= LATE, 1, np.where(confidence > SURE, 2, -1)))
    where = np.arange(count)
    return ResidenceMap(
        states=visited,
        path=where // length,
        time=where % length,
        logits=logits,
        winner=winner,
        confidence=confidence,
        residence=residence,
        capped=capped,
        sign_changes=sign_changes,
        unstable=unstable,
        zone=zone,
        cap=cap,
    )


def _rollouts(
    net: HMMRNN,
    states: FloatArray,
    logits: FloatArray,
    winner: IntArray,
    rollouts: int,
    cap: int,
    seed: int,
    number: int,
) -> tuple[IntArray, IntArray]:
    """Step at which the winner is another one (cap + 1 if it never is), and turns of its logit before: (state, rollout)."""
    import torch

    start = torch.as_tensor(np.repeat(states, rollouts, axis=0))
    ours = np.repeat(winner, rollouts)
    found = net.generate(len(start), cap, start=start, full=True, seed=seed, step=number)
    left = found.winners.cpu().numpy() != ours[:, None]
    stays = np.where(left.any(axis=1), left.argmax(axis=1) + 1, cap + 1)
    own = np.take_along_axis(array(found.logits), ours[:, None, None], axis=2)[..., 0]
    own = np.concatenate([np.repeat(logits, rollouts, axis=0)[np.arange(len(ours)), ours][:, None], own], axis=1)
    rising = np.diff(own, axis=1) > 0
    # The turn at step k is seen at k + 1, which has to lie before the winner is another one.
    seen = np.arange(2, cap + 1) < stays[:, None]
    turns = ((rising[:, 1:] != rising[:, :-1]) & seen).sum(axis=1)
    return stays.reshape(-1, rollouts), turns.reshape(-1, rollouts)
