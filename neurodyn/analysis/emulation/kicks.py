"""Kick neurons: silent while a noise-driven network keeps its symbol, open when it goes over to another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .._checks import FloatArray, IntArray, choice, whole
from ..nulls import NullTest
from ._driven_network import weights_of
from .residence import ResidenceMap, residence_map

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

#: What a path goes through from one symbol to another.
COURSE = ("source cluster", "kick zone", "transition", "target cluster")
_C, _K, _T, _A = range(4)
_ZONE = {"transition": 0, "kick": 1, "cluster": 2}  # their numbers in a residence map


@dataclass(frozen=True, eq=False)
class KickNeurons:
    """Units that kick a network from one symbol to another; ``print`` shows them as a table.

    A direction is a pair (source, target) of symbols: the largest logit goes over from the one to the other.

    Attributes
    ----------
    directions : tuple of (int, int)
        Those with enough states, by number of the symbols.
    states : array of int, shape (direction, 4)
        States that a profile rests on: of the source's cluster, of kick zone and transition before this target, and of the
        target's cluster.
    profile : array, shape (direction, 4, unit)
        Mean of what a unit gets from the network and its bias in the step after those states. Noise adds nothing to it.
    opening : array, shape (direction, 4, unit)
        Probability that the unit is above zero then, over states and noise, 0 to 1.
    sd : array, shape (unit)
        Standard deviation of what a unit gets, noise included, over all states.
    score : array, shape (direction, unit)
        (profile in transition - in source cluster) / sd * (opening in transition - in source cluster).
    passes : array of bool, shape (direction, unit)
        Whether the profile is below zero in both clusters, higher in the kick zone than in the source's, and above zero in
        the transition; with ``target="any"`` whatever it is in the target's cluster.
    arriving : array of int, shape (direction)
        Units that rise like kick neurons and stay open in the target's cluster: they belong to where the path goes.
    groups : tuple of arrays of int, shape (unit)
        For each direction the ``top`` units that pass, highest score first; fewer where fewer pass.
    passing : NullTest of an array (direction)
        Number of units that pass, beside the numbers that pass when symbols and zones are shifted in time.
    overlap : array of int, shape (direction, direction)
        Number of units that pass in both.
    overlap_p : array, shape (direction, direction)
        Probability that random sets of these sizes share as few units or fewer (hypergeometric).
    skipped : tuple of (int, int)
        Directions that were seen, with too few states in one of the zones.
    activity : array, shape (unit)
        Mean over all states.
    """

    directions: tuple[tuple[int, int], ...]
    states: IntArray
    profile: FloatArray
    opening: FloatArray
    sd: FloatArray
    score: FloatArray
    passes: np.ndarray
    arriving: IntArray
    groups: tuple[IntArray, ...]
    passing: NullTest[FloatArray]
    overlap: IntArray
    overlap_p: FloatArray
    skipped: tuple[tuple[int, int], ...]
    activity: FloatArray

    def ranked(self, direction: int) -> IntArray:
        """All units that pass in a direction (its place in ``directions``), highest score first."""
        order = np.argsort(-self.score[direction], kind="stable")
        return order[self.passes[direction, order]]

    def __str__(self) -> str:
        lines = [f"{'direction':<12}{'pass':>6}{'by chance':>11}{'p':>8}{'arriving':>10}  best"]
        for k, (source, target) in enumerate(self.directions):
            lines.append(
                f"{f'{source} -> {target}':<12}{int(self.passing.observed[k]):>6}{f'to {self.passing.high[k]:.0f}':>11}"
                f"{self.passing.p[k]:>8.3f}{self.arriving[k]:>10}  {', '.join(map(str, self.groups[k])) or 'none'}"
            )
        lines += [f"{source} -> {target}: too few states" for source, target in self.skipped]
        return "\n".join(lines)


def kick_neurons(
    net: HMMRNN,
    residence: ResidenceMap | None = None,
    *,
    target: Literal["closed", "any"] = "closed",
    top: int = 3,
    least: int = 5,
    shifts: int = 100,
    seed: int = 0,
) -> KickNeurons:
    """Units that are closed in the clusters of two symbols and opened by the network on its way from one to the other.

    Parameters
    ----------
    net : HMMRNN
    residence : ResidenceMap, optional
        Of this network; made with its defaults and ``seed`` if not given. More states tell rarer transitions.
    target : "closed" or "any"
        Whether a unit has to be closed again in the target's cluster. With "any" most units that pass hold the target.
    top : int
        Units in a group, at least 1.
    least : int
        States that a direction needs in each of the four parts, at least 2.
    shifts, seed : int
        Shifts for the null, at least 1, and the seed of their draws.

    Returns
    -------
    KickNeurons

    Raises
    ------
    ValueError
        For numbers out of range, a residence map of another network, and if no direction has enough states.

    Notes
    -----
    A unit passes in a direction if the mean of what it gets from the network is below zero in the cluster of the source,
    higher in the kick zone, above zero in the transition and below zero again in the cluster of the target. Those that
    pass are ranked by how far the mean rises, in standard deviations, times how much oftener the unit opens. The null
    turns zones and symbols of each path in time by one random offset, which leaves their order and the activity as they
    are, but not their relation.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674, describe the profile; they chose units by
    eye, and criterion and score are ours.
    """
    weights = weights_of(net)
    choice(target, "target", ("closed", "any"))
    top, least, shifts = whole(top, "top", high=net.units), whole(least, "least", low=2), whole(shifts, "shifts")
    found = residence_map(net, seed=seed) if residence is None else residence
    if found.states.shape[1] != net.units or found.logits.shape[1] != net.outputs:
        raise ValueError(
            f"residence has states of {found.states.shape[1]} units and {found.logits.shape[1]} symbols, net "
            f"{net.units} and {net.outputs}: give the residence map of this network"
        )
    drive = weights.drive(found.states)
    noise = net.noise * np.linalg.norm(weights.noise, axis=1)
    opens = _opening(drive, noise)
    coming = next_winner(found.path, found.winner)
    counts = {
        pair: [len(rows) for rows in _rows(found.zone, found.winner, coming, pair)]
        for pair in _seen(found.winner, coming)
    }
    directions = [pair for pair, numbers in counts.items() if min(numbers) >= least]
    skipped = [pair for pair in counts if pair not in directions]
    if not directions:
        seen = "; ".join(f"{s} -> {t}: {', '.join(map(str, numbers))}" for (s, t), numbers in counts.items())
        raise ValueError(
            f"no transition between symbols has {least} states in each of {', '.join(COURSE)} ({seen or 'none was seen'}): "
            "give a residence map of more states, or a smaller least; a network without clusters has no kick neurons"
        )
    rows = [_rows(found.zone, found.winner, coming, pair) for pair in directions]
    profile = np.array([_means(drive, each) for each in rows])
    opening = np.array([_means(opens, each) for each in rows])
    sd = np.sqrt(drive.var(axis=0) + noise**2)
    rise = np.divide(profile[:, _T] - profile[:, _C], sd, out=np.zeros((len(rows), net.units)), where=sd > 0)
    score, passes = rise * (opening[:, _T] - opening[:, _C]), _passes(profile, target)
    arriving = _rises(profile) & (profile[:, _A] >= 0)
    order = np.argsort(-score, axis=1, kind="stable")
    groups = tuple(o[p[o]][:top] for o, p in zip(order, passes, strict=True))
    rng = np.random.default_rng(seed)
    null = np.empty((shifts, len(directions)))
    for k in range(shifts):
        turned = _turned(found.path, rng)
        for d, pair in enumerate(directions):
            shifted = _rows(found.zone[turned], found.winner[turned], coming[turned], pair)
            null[k, d] = _passes(_means(drive, shifted)[None], target).sum()
    overlap = passes.astype(np.int64) @ passes.T
    return KickNeurons(
        directions=tuple(directions),
        states=np.array([[len(r) for r in each] for each in rows]),
        profile=profile,
        opening=opening,
        sd=sd,
        score=score,
        passes=passes,
        arriving=arriving.sum(axis=1),
        groups=groups,
        passing=NullTest(passes.sum(axis=1).astype(np.float64), null, "greater"),
        overlap=overlap,
        overlap_p=_as_few(overlap, net.units),
        skipped=tuple(skipped),
        activity=found.states.mean(axis=0),
    )


def next_winner(path: IntArray, winner: IntArray) -> IntArray:
    """The winner that replaces the present one later on the same path, and -1 where that is not seen."""
    result = np.full(len(winner), -1)
    for k in range(len(winner) - 2, -1, -1):
        if path[k] == path[k + 1]:
            result[k] = winner[k + 1] if winner[k + 1] != winner[k] else result[k + 1]
    return result


def _seen(winner: IntArray, coming: IntArray) -> list[tuple[int, int]]:
    known = coming >= 0
    return sorted({(int(s), int(t)) for s, t in zip(winner[known], coming[known], strict=True)})


def _rows(zone: IntArray, winner: IntArray, coming: IntArray, pair: tuple[int, int]) -> list[IntArray]:
    """States of each part of the course of a direction. In the cluster it is still open where the path will go."""
    ahead, cluster = (winner == pair[0]) & (coming == pair[1]), zone == _ZONE["cluster"]
    parts = (
        (winner == pair[0]) & cluster,
        ahead & (zone == _ZONE["kick"]),
        ahead & (zone == _ZONE["transition"]),
        (winner == pair[1]) & cluster,
    )
    return [np.flatnonzero(part) for part in parts]


def _means(values: FloatArray, rows: list[IntArray]) -> FloatArray:
    return np.array([values[r].mean(axis=0) for r in rows])


def _rises(profile: FloatArray) -> np.ndarray:
    """Closed in the source's cluster, less so in the kick zone, open in the transition; (direction, unit)."""
    return (profile[:, _C] < 0) & (profile[:, _K] > profile[:, _C]) & (profile[:, _T] > 0)


def _passes(profile: FloatArray, target: str) -> np.ndarray:
    return _rises(profile) & ((profile[:, _A] < 0) | (target == "any"))


def _opening(drive: FloatArray, noise: FloatArray) -> FloatArray:
    """Probability that drive plus normal noise of the given standard deviation (unit) is above zero."""
    from scipy.special import ndtr

    noisy = noise > 0
    return np.where(noisy, ndtr(drive / np.where(noisy, noise, 1.0)), drive > 0)


def _turned(path: IntArray, rng: np.random.Generator) -> IntArray:
    """Places of the states, those of each path turned round by one random offset."""
    result = np.arange(len(path))
    for rows in np.split(result, np.flatnonzero(np.diff(path)) + 1):
        result[rows] = np.roll(rows, rng.integers(len(rows)))
    return result


def _as_few(overlap: IntArray, units: int) -> FloatArray:
    from scipy.stats import hypergeom

    sizes = overlap.diagonal()
    return np.asarray(hypergeom.cdf(overlap, units, sizes[:, None], sizes[None, :]))
