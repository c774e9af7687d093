"""Is a network that emulates a hidden Markov model made of parts: a cluster a symbol, a kick group a transition?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray, whole
from ..nulls import NullTest
from ..population.dimensionality import pca
from ..population.subspaces import SubspaceAngles, angle_null
from ._driven_network import driven
from .kicks import KickNeurons, kick_neurons
from .residence import ResidenceMap, residence_map

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN
    from neurodyn.tasks.hidden_markov import HiddenMarkov

Pair = tuple[int, int]
_CLUSTER = 2  # number of the zone
_LEVEL = 0.05  # of the tests that are counted
_GLOBAL, _LOCAL, _PATHS = 4, 3, 10  # components of both stages, and paths
_VISITS = 10  # that a test of their kinds takes


@dataclass(frozen=True, eq=False)
class ModularReuse:
    """The parts of a network beside those of its model; ``print`` shows them as text.

    Attributes
    ----------
    symbols : tuple of int
        Those that some state of the model emits most: each should have a slow cluster.
    cluster_share : array, shape (symbol)
        Share of all cluster states, by winner.
    marginal : array, shape (symbol)
        Probability of each symbol in the model.
    split : dict of symbol to NullTest or None
        Whether visits to a symbol's cluster are of two kinds: the width of the kernel that makes one peak of their means,
        along its first component, in standard deviations, beside that of samples from that one peak (Silverman's test). A
        small p says that there is more than one cluster. None for fewer than ten visits.
    allowed : tuple of (int, int)
        Transitions between symbols that the model makes in one step of its state.
    kicks : KickNeurons
    planes : dict of pair of symbols to array, shape (2, component)
        Plane of the orbit between two symbols, in the space of the first components of all activity.
    plane_share : dict of pair to float
        Share of the variance of those steps, within the first components, that lies in the plane.
    plane_steps : dict of pair to int
        Steps that a plane rests on; no plane where there are none.
    angles : dict of pair of pairs to SubspaceAngles
        Principal angles between planes, beside random planes of the same space.
    """

    symbols: tuple[int, ...]
    cluster_share: FloatArray
    marginal: FloatArray
    split: dict[int, NullTest[float] | None]
    allowed: tuple[Pair, ...]
    kicks: KickNeurons
    planes: dict[Pair, FloatArray]
    plane_share: dict[Pair, float]
    plane_steps: dict[Pair, int]
    angles: dict[tuple[Pair, Pair], SubspaceAngles]

    @property
    def sizes(self) -> dict[Pair, int]:
        """Kick neurons of each transition that is allowed or was seen; 0 if it was never seen, or too rarely."""
        found = {d: int(n) for d, n in zip(self.kicks.directions, self.kicks.passing.observed, strict=True)}
        return {d: found.get(d, 0) for d in sorted({*self.allowed, *found, *self.kicks.skipped})}

    @property
    def beyond_chance(self) -> tuple[Pair, ...]:
        """Transitions with more kick neurons than zones shifted in time give (p < 0.05)."""
        return tuple(d for d, p in zip(self.kicks.directions, self.kicks.passing.p, strict=True) if p < _LEVEL)

    @property
    def disjoint(self) -> bool:
        """Whether no unit is a kick neuron of two transitions."""
        return bool((self.kicks.passes.sum(axis=0) < 2).all())

    def __str__(self) -> str:
        held = [s for s in self.symbols if self.cluster_share[s] > 0]
        groups = [d for d in self.allowed if d in self.beyond_chance]
        others = [d for d in self.beyond_chance if d not in self.allowed]
        shares = ", ".join(f"{s}: {self.cluster_share[s]:.2f} ({self.marginal[s]:.2f})" for s in self.symbols)
        lines = [
            f"slow clusters for {len(held)} of {len(self.symbols)} symbols; share (marginal) {shares}",
            f"kick groups beyond chance for {len(groups)} of {len(self.allowed)} allowed transitions, for {len(others)} others; "
            + ("disjoint" if self.disjoint else "they share units"),
        ]
        for s, test in self.split.items():
            lines.append(
                f"visits to {s}, kernel that leaves one peak: " + (str(test) if test is not None else "too few")
            )
        for (a, b), found in self.angles.items():
            lines.append(f"orbit planes of {a} and {b}: smallest angle {found.smallest}, largest {found.largest}")
        if not self.angles:
            lines.append("orbit planes: no two pairs of symbols to compare")
        return "\n".join(lines)


def modular_reuse(
    net: HMMRNN,
    model: HiddenMarkov,
    *,
    residence: ResidenceMap | None = None,
    kicks: KickNeurons | None = None,
    steps: int = 30_000,
    shortest: int = 200,
    samples: int = 200,
    seed: int = 0,
) -> ModularReuse:
    """Count what should be there once a symbol, once a transition and once a pair of symbols, each beside a null.

    Parameters
    ----------
    net : HMMRNN
    model : HiddenMarkov
        That the network emulates, with as many symbols.
    residence : ResidenceMap, optional
        Of this network; made with its defaults and ``seed`` if not given.
    kicks : KickNeurons, optional
        Of this network; found in ``residence`` if not given.
    steps : int
        Of driven activity, for the planes of orbits; at least 10.
    shortest : int
        Steps that activity has to stay with two symbols, at least 3, to count for their plane.
    samples, seed : int
        Samples of the nulls, at least 1, and the seed.

    Returns
    -------
    ModularReuse

    Raises
    ------
    ValueError
        For numbers out of range, another number of symbols, and where no transition has enough states.

    Notes
    -----
    A transition from symbol s to t is allowed if a state that emits s most goes to one that emits t most, or a state emits
    both most. The plane of a pair is that of the first two of three components of the steps that stay with the pair, in
    the space of the first four components of all steps (two-stage PCA of the published code, which takes the plane of the
    largest components by eye).

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674; Silverman 1981, J R Stat Soc B 43:97.
    """
    if model.symbols != net.outputs:
        raise ValueError(f"model has {model.symbols} symbols, net {net.outputs}: give the model that the net emulates")
    steps, shortest = whole(steps, "steps", low=_PATHS), whole(shortest, "shortest", low=_LOCAL)
    samples = whole(samples, "samples")
    found = residence_map(net, seed=seed) if residence is None else residence
    kicks = kick_neurons(net, found, seed=seed) if kicks is None else kicks
    main = _main_symbols(model)
    symbols = tuple(sorted({int(s) for each in main for s in each}))
    inside = found.winner[found.zone == _CLUSTER]
    rng = np.random.default_rng(seed)
    planes, share, used = _planes(net, symbols, steps, shortest, seed)
    return ModularReuse(
        symbols=symbols,
        cluster_share=np.bincount(inside, minlength=net.outputs) / max(len(inside), 1),
        marginal=np.asarray(model.marginal),
        split={s: _split(_visits(found, s), samples, rng) for s in symbols},
        allowed=_allowed(model, main),
        kicks=kicks,
        planes=planes,
        plane_share=share,
        plane_steps=used,
        angles={
            (a, b): angle_null(planes[a], planes[b], kind="gaussian", samples=samples, seed=seed)
            for a, b in combinations(planes, 2)
        },
    )


def _main_symbols(model: HiddenMarkov) -> list[IntArray]:
    """The symbols that each state emits most; two where they are equally likely."""
    emission = np.asarray(model.emission)
    return [np.flatnonzero(row >= row.max() - 1e-12) for row in emission]


def _allowed(model: HiddenMarkov, main: list[IntArray]) -> tuple[Pair, ...]:
    result = set()
    for i, row in enumerate(np.asarray(model.transition)):
        for j in np.flatnonzero(row > 0):
            result |= {(int(s), int(t)) for s in main[i] for t in main[j] if s != t}
    return tuple(sorted(result))


def _visits(found: ResidenceMap, symbol: int) -> FloatArray:
    """Mean of the cluster states of each stay with a symbol, (visit, unit)."""
    changes = (np.diff(found.winner) != 0) | (np.diff(found.path) != 0)
    stay = np.concatenate([[0], np.cumsum(changes)])
    rows = np.flatnonzero((found.zone == _CLUSTER) & (found.winner == symbol))
    return np.array([found.states[rows[stay[rows] == k]].mean(axis=0) for k in np.unique(stay[rows])])


def _split(visits: FloatArray, samples: int, rng: np.random.Generator) -> NullTest[float] | None:
    if len(visits) < _VISITS or not np.ptp(visits, axis=0).any():
        return None
    along = pca(visits, 1).scores[:, 0]
    along = along / along.std()
    width = _critical_width(along)
    # Samples of the density with that width, which has one peak at most, shrunk to the variance of the data.
    drawn = rng.choice(along, (samples, len(along))) + width * rng.standard_normal((samples, len(along)))
    return NullTest(width, np.array([_critical_width(each / np.sqrt(1 + width**2)) for each in drawn]), "greater")


def _critical_width(values: FloatArray) -> float:
    """The least width of a normal kernel under which the density of numbers has a single peak."""
    margin = 0.02 * float(np.ptp(values))  # so that a peak at either end is one
    grid = np.linspace(values.min() - margin, values.max() + margin, 100)
    squared = (grid[:, None] - values) ** 2
    low, high = 0.0, float(np.ptp(values))  # a kernel as wide as the data leaves one peak
    for _ in range(12):
        width = (low + high) / 2
        slope = np.sign(np.diff(np.exp(-squared / (2 * width**2)).sum(axis=1)))
        slope = slope[slope != 0]
        low, high = (low, width) if (np.diff(slope) < 0).sum() <= 1 else (width, high)
    return high


def _planes(
    net: HMMRNN, symbols: tuple[int, ...], steps: int, shortest: int, seed: int
) -> tuple[dict[Pair, FloatArray], dict[Pair, float], dict[Pair, int]]:
    activity = driven(net, _PATHS, -(-steps // _PATHS), seed=seed)
    scores = pca(activity.states, _GLOBAL).scores
    planes, share, used = {}, {}, {}
    for pair in combinations(symbols, 2):
        with_pair = np.isin(activity.winners, pair)
        kept = np.concatenate([s[_long(w, shortest)] for s, w in zip(scores, with_pair, strict=True)])
        used[pair] = len(kept)
        if used[pair]:
            local = pca(kept, _LOCAL)
            planes[pair], share[pair] = local.components[:2], float(local.explained_ratio[:2].sum())
    return planes, share, used


def _long(inside: np.ndarray, shortest: int) -> np.ndarray:
    """Where a run of at least so many true values is, as booleans."""
    run = np.concatenate([[0], np.cumsum(np.diff(inside) != 0)])
    return inside & (np.bincount(run)[run] >= shortest)
