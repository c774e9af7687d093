"""Kick neurons weakened and strengthened: does the network still leave its symbol? Beside random sets of neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from .._checks import FloatArray, IntArray, choice, number, whole
from ..generation._masked import Masked, masked_run
from ..nulls import NullTest
from ._driven_network import Weights, eigenvalues, weights_of
from .jacobians import BAND, LocalSpectra
from .kicks import KickNeurons

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

KINDS = ("kick", "noise")
_NEAREST = 10  # of the units of like activity, from which a random one is taken; more for larger sets
_LEAST = 0.06  # imaginary part of critical pairs, as published for interventions
_WINDOW = 15  # steps before and after a switch, in which eigenvalues are taken
_JACOBIANS = 60  # of a condition, evenly over its windows
_PAIR_SETS = 19  # random sets whose eigenvalues are taken


@dataclass(frozen=True, eq=False)
class KickInterventions:
    """Leave rates under interventions, those on random sets beside them; ``print`` shows the smallest factor as a table.

    Kind 0, "kick", multiplies what kick neurons of a direction get from the network; kind 1, "noise", multiplies the noise
    that reaches their strongest presynaptic partners. Set 0 is the chosen one, those from 1 on are random.

    Attributes
    ----------
    directions : tuple of (int, int)
        Source and target symbol; those with kick neurons.
    sizes : tuple of int
    mu : array, shape (mu)
        Factors.
    members : tuple of tuples of arrays of int, shape (unit)
        Kick neurons of each direction and size. Where fewer pass, all that do, once: the sizes beyond are empty and their
        numbers NaN.
    intact : array, shape (direction)
        Leave rate of each direction without intervention: steps from source to target over steps in the source, per step.
    rates : array, shape (kind, direction, size, mu, set, direction)
        The same under intervention on the units of the second axis, of all directions (last axis).
    intact_pairs : float
        Critical pairs without intervention, see Notes.
    pairs : array, shape (kind, direction, size, mu, set)
        The same under intervention; for random sets at the smallest mu and for the first 19 only, else NaN (but at mu = 1).
    diverged : array, shape (kind, direction, size, mu, set)
        Share of trajectories that end beyond ten times the largest activity of the intact network; not counted in rates.
    activity : array, shape (kind, direction, size, set)
        Mean activity of the units of a set in the intact network.
    """

    directions: tuple[tuple[int, int], ...]
    sizes: tuple[int, ...]
    mu: FloatArray
    members: tuple[tuple[IntArray, ...], ...]
    intact: FloatArray
    rates: FloatArray
    intact_pairs: float
    pairs: FloatArray
    diverged: FloatArray
    activity: FloatArray

    def ratio(self, kind: Literal["kick", "noise"]) -> FloatArray:
        """Leave rates of the direction that was intervened on, over those of the intact network: (direction, size, mu, set)."""
        own = np.arange(len(self.directions))
        rates = self.rates[KINDS.index(choice(kind, "kind", KINDS)), own, ..., own]
        return rates / np.where(self.intact > 0, self.intact, np.nan)[:, None, None, None]

    def test(
        self,
        kind: Literal["kick", "noise"],
        direction: int,
        size: int,
        mu: float,
        *,
        of: Literal["rate", "pairs"] = "rate",
    ) -> NullTest[float] | None:
        """A ratio to the intact network beside those of the random sets, or None where it was not measured.

        ``direction`` is the place in ``directions``, ``size`` and ``mu`` are among those tried; ``of`` tells leave rates from
        critical pairs. The alternative is "less" below mu = 1 and "greater" from it on.
        """
        if size not in self.sizes or mu not in self.mu:
            raise ValueError(f"size = {size!r}, mu = {mu!r}: tried were {self.sizes} and {self.mu.tolist()}")
        at = self.sizes.index(size), int(np.flatnonzero(self.mu == mu)[0])
        if choice(of, "of", ("rate", "pairs")) == "rate":
            values = self.ratio(kind)[direction][at]
        else:
            pairs = self.pairs[KINDS.index(choice(kind, "kind", KINDS)), direction][at]
            values = pairs / (self.intact_pairs or np.nan)
        null = values[1:][np.isfinite(values[1:])]
        if not np.isfinite(values[0]) or not len(null):
            return None  # also where the intact network has nothing to compare with
        return NullTest(float(values[0]), null, "less" if mu < 1 else "greater")

    def __str__(self) -> str:
        least = float(self.mu.min())
        lines = [f"mu = {least:g}, ratios to the intact network (random sets: 5 to 95 %)"]
        lines.append(
            f"{'direction':<11}{'what':<7}{'units':>6}{'leave rate':>12}{'random':>16}{'p':>7}{'pairs':>8}{'p':>7}"
        )
        for d, (source, target) in enumerate(self.directions):
            for kind in KINDS:
                for k, size in enumerate(self.sizes):
                    rate = self.test(kind, d, size, least)
                    if rate is None:
                        continue
                    pairs = self.test(kind, d, size, least, of="pairs")
                    text = f"{'-':>8}{'-':>7}" if pairs is None else f"{pairs.observed:>8.2f}{pairs.p:>7.3f}"
                    lines.append(
                        f"{f'{source} -> {target}':<11}{kind:<7}{len(self.members[d][k]):>6}{rate.observed:>12.2f}"
                        f"{f'{rate.low:.2f} to {rate.high:.2f}':>16}{rate.p:>7.3f}{text}"
                    )
        return "\n".join(lines)


@dataclass(eq=False)
class _Plan:
    """Conditions of the run: which units, times what, and the place of the result."""

    units: list[tuple[str, IntArray, float]] = field(default_factory=list)
    places: list[tuple[int, int, int, int, int]] = field(default_factory=list)


def kick_interventions(
    net: HMMRNN,
    kicks: KickNeurons,
    *,
    mu: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0),
    sizes: Sequence[int] = (3, 6, 10),
    draws: int = 40,
    partners: float = 60 / 150,
    trajectories: int = 50,
    steps: int = 400,
    burn_in: int = 100,
    seed: int = 0,
) -> KickInterventions:
    """Multiply the recurrent input of kick neurons, or the noise of their partners, and measure how the network leaves.

    Parameters
    ----------
    net : HMMRNN
    kicks : KickNeurons
        Of this network; the units that pass are taken, highest score first.
    mu : sequence of float
        Factors, >= 0: 0 ablates, above 1 stimulates.
    sizes : sequence of int
        Kick neurons at a time, at least 1 each.
    draws : int
        Random sets for each chosen one, at least 1.
    partners : float
        Presynaptic partners as a share of all units, in (0, 1): those of the largest summed ``|weight|`` onto the kick neurons.
    trajectories, steps : int
        From states that the intact network visits, under the same noise in every condition; at least 1 and 2.
    burn_in : int
        Steps from rest to the first state, >= 0.
    seed : int

    Returns
    -------
    KickInterventions

    Raises
    ------
    ValueError
        For numbers out of range, kicks without any neuron, and a network that is not bounded.

    Notes
    -----
    A random set has as many units as the chosen one, each drawn among those nearest in mean activity to one of it. For
    kick neurons these are not among the kick neurons of any direction; for partners they are any but the kick neurons, and
    may be partners. Critical pairs are complex pairs of eigenvalues of the active-set Jacobian, noise in the gate, with
    ``|Re z|`` < 0.1 and Im z > 0.06 for z = (l - 1)/(l + 1); here their mean number, over steps within 15 of a switch, is
    taken; with fewer than two switches over the windows of the intact network.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674, and the published code, which sums pairs over
    windows and has one control of other size.
    """
    weights = weights_of(net)
    factors = np.array([number(m, "mu", unit="", low=0) for m in mu])
    sizes = tuple(sorted({whole(n, "sizes", high=net.units) for n in sizes}))
    draws, steps = whole(draws, "draws"), whole(steps, "steps", low=2)
    if not 0 < number(partners, "partners", unit="") < 1:
        raise ValueError(f"partners = {partners!r}: give a share of the units between 0 and 1")
    if not len(factors) or not sizes:
        raise ValueError("mu or sizes is empty: give at least one factor and one size")
    if kicks.score.shape[1] != net.units:
        raise ValueError(f"kicks are of a network of {kicks.score.shape[1]} units, net has {net.units}")
    kept = [d for d in range(len(kicks.directions)) if kicks.passes[d].any()]
    if not kept:
        raise ValueError("kicks has no neuron in any direction: there is nothing to intervene on")
    directions = tuple(kicks.directions[d] for d in kept)
    members = tuple(_nested(kicks.ranked(d), sizes) for d in kept)

    rng = np.random.default_rng(seed)
    never = np.unique(np.concatenate([ids for each in members for ids in each]))
    count = max(1, round(partners * net.units))
    shape = (len(KINDS), len(directions), len(sizes))
    activity = np.full((*shape, draws + 1), np.nan)
    plan = _Plan()
    for d, each in enumerate(members):
        for k, ids in enumerate(each):
            if not len(ids):
                continue
            near = _partners(weights.recurrent, ids, count)
            for kind, chosen, outside in ((0, ids, never), (1, near, ids)):
                random = _matched(kicks.activity, chosen, outside, draws, rng)
                for number_of_set, units in enumerate((chosen, *random)):
                    activity[kind, d, k, number_of_set] = kicks.activity[units].mean()
                    for m in np.flatnonzero(factors != 1):  # a factor of 1 is the intact network
                        plan.units.append((KINDS[kind], units, float(factors[m])))
                        plan.places.append((kind, d, k, int(m), number_of_set))
    watched = [
        i for i, (*_, m, s) in enumerate(plan.places) if s == 0 or (factors[m] == factors.min() and s <= _PAIR_SETS)
    ]
    found = masked_run(
        net,
        [("kick", np.zeros(0, dtype=np.int64), 1.0), *plan.units],
        watched=[0, *(i + 1 for i in watched)],
        trajectories=whole(trajectories, "trajectories"),
        steps=steps,
        burn_in=whole(burn_in, "burn_in", low=0),
        seed=seed,
    )
    rate = _rates(found.counts, directions)
    rates = np.full((*shape, len(factors), draws + 1, len(directions)), np.nan)
    pairs, diverged = np.full(rates.shape[:-1], np.nan), np.full(rates.shape[:-1], np.nan)
    for i, place in enumerate(plan.places):
        rates[place], diverged[place] = rate[i + 1], found.diverged[i + 1]
    intact_pairs, windows = _pairs(weights, found, 0, None)
    measured = np.isfinite(activity)[:, :, :, None] & (factors == 1)[:, None]
    rates[measured], diverged[measured], pairs[measured] = rate[0], found.diverged[0], intact_pairs
    for i in watched:
        kind, units, factor = plan.units[i]
        recurrent = weights.recurrent.copy()
        if kind == "kick":
            recurrent[units] *= factor
        pairs[plan.places[i]] = _pairs(replace(weights, recurrent=recurrent), found, i + 1, windows)[0]
    return KickInterventions(
        directions, sizes, factors, members, rate[0], rates, intact_pairs, pairs, diverged, activity
    )


def _nested(ranked: IntArray, sizes: tuple[int, ...]) -> tuple[IntArray, ...]:
    """The first units in the sizes asked for; the first size that is too large gets all, those beyond nothing."""
    lower = (0, *sizes[:-1])
    return tuple(ranked[:n] if before < len(ranked) else ranked[:0] for before, n in zip(lower, sizes, strict=True))


def _partners(recurrent: FloatArray, ids: IntArray, count: int) -> IntArray:
    strength = np.abs(recurrent[ids]).sum(axis=0)
    strength[ids] = -1.0
    return np.argsort(-strength, kind="stable")[: min(count, len(strength) - len(ids))]


def _matched(
    activity: FloatArray, chosen: IntArray, outside: IntArray, draws: int, rng: np.random.Generator
) -> list[IntArray]:
    """Random sets of the size of the chosen one, each unit among those of nearest activity to one of it."""
    allowed = np.setdiff1d(np.arange(len(activity)), outside)
    if len(allowed) < len(chosen):
        raise ValueError(
            f"only {len(allowed)} units are left for random sets of {len(chosen)}: give smaller sizes, or fewer partners"
        )
    nearest = max(_NEAREST, 2 * len(chosen))
    result = []
    for _ in range(draws):
        left, taken = allowed, []
        for unit in rng.permutation(chosen):
            near = np.argsort(np.abs(activity[left] - activity[unit]), kind="stable")[:nearest]
            pick = rng.choice(near)
            taken.append(left[pick])
            left = np.delete(left, pick)
        result.append(np.array(taken))
    return result


def _rates(counts: IntArray, directions: tuple[tuple[int, int], ...]) -> FloatArray:
    """Leave rates (condition, direction) of counts (condition, symbol, next symbol); NaN where the source is never visited."""
    visits = counts.sum(axis=2)
    columns = [
        np.divide(counts[:, s, t], visits[:, s], out=np.full(len(counts), np.nan), where=visits[:, s] > 0)
        for s, t in directions
    ]
    return np.stack(columns, axis=1)


def _pairs(weights: Weights, found: Masked, condition: int, windows: np.ndarray | None) -> tuple[float, np.ndarray]:
    """Mean number of critical pairs in the windows around switches, and the windows (trajectory, step) as booleans."""
    winners, gates = found.watched[condition]
    switched = winners[:, 1:] != winners[:, :-1]
    if switched.sum() < 2 and windows is not None:
        inside = windows
    else:
        inside = np.zeros(switched.shape, dtype=bool)
        for path, step in np.argwhere(switched):
            inside[path, max(0, step - _WINDOW) : step + _WINDOW + 1] = True
    steps = np.argwhere(inside)
    if not len(steps):
        return np.nan, inside
    steps = steps[np.unique(np.linspace(0, len(steps) - 1, _JACOBIANS).astype(int))]
    spectra = LocalSpectra(
        np.array([eigenvalues(weights, np.where(gates[path, step], 1.0, -1.0)) for path, step in steps]),
        True,
        BAND,
        _LEAST,
    )
    return float(spectra.near_critical.mean()), inside
