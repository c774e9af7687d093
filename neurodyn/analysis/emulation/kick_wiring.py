"""Weights among kick neurons and the populations that drive them, beside those of random groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .._checks import FloatArray, IntArray, number, whole
from ..nulls import NullTest
from ..statistics import BinomialInterval, binomial_interval
from ._driven_network import weights_of
from .kicks import KickNeurons

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

#: Kinds of weights and the sign that is expected of each.
EXPECTED: dict[str, Literal[1, -1]] = {
    "within kick groups": 1,
    "between kick groups": -1,
    "own population to kick": 1,
    "other population to kick": -1,
    "within populations": 1,
    "between populations": -1,
}


@dataclass(frozen=True, eq=False)
class SignTest:
    """Whether weights of one kind have the expected sign.

    Attributes
    ----------
    expected : 1 or -1
    values : array, shape (member)
        Single weights within and between groups; for populations means, one for each kick neuron or unit.
    share : BinomialInterval or None
        How many of the values have the expected sign; None if there are no values.
    p : float
        Of the one-sided sign test: as many would have it if both signs were equally likely. Takes values as independent.
    mean : NullTest or None
        Mean of the values beside that of random groups that went through the same steps.
    """

    expected: Literal[1, -1]
    values: FloatArray
    share: BinomialInterval | None
    p: float
    mean: NullTest[float] | None


@dataclass(frozen=True, eq=False)
class KickConnectivity:
    """Recurrent weights of kick groups and integrating populations; ``print`` shows them as a table.

    Attributes
    ----------
    directions : tuple of (int, int)
        Those with kick neurons, as source and target symbol.
    groups, populations : tuple of arrays of int, shape (unit)
        Kick neurons, and the units that integrate for them, of each direction.
    drive : array, shape (direction, unit)
        Mean weight from a unit to the kick neurons of a direction.
    order : array of int, shape (member)
        All groups, then all populations.
    matrix : array, shape (member, member)
        Weights among them, target by source.
    tests : dict of SignTest
        By kind of weight, see Notes.
    """

    directions: tuple[tuple[int, int], ...]
    groups: tuple[IntArray, ...]
    populations: tuple[IntArray, ...]
    drive: FloatArray
    order: IntArray
    matrix: FloatArray
    tests: dict[str, SignTest]

    def __str__(self) -> str:
        lines = [f"{'weights':<26}{'expected':>9}{'mean':>9}{'p':>8}{'random groups':>19}{'sign':>9}{'p':>8}"]
        for name, test in self.tests.items():
            if test.mean is None or test.share is None:
                lines.append(f"{name:<26}{'+' if test.expected > 0 else '-':>9}   none")
                continue
            band = f"{test.mean.low:.3f} to {test.mean.high:.3f}"
            lines.append(
                f"{name:<26}{'+' if test.expected > 0 else '-':>9}{test.mean.observed:>9.3f}{test.mean.p:>8.3f}{band:>19}"
                f"{f'{test.share.successes}/{test.share.trials}':>9}{test.p:>8.1g}"
            )
        return "\n".join(lines)


def kick_connectivity(
    net: HMMRNN, kicks: KickNeurons, *, population: float = 70 / 150, samples: int = 500, seed: int = 0
) -> KickConnectivity:
    """Signs of the weights among kick groups and the populations that drive them, with sign tests and random groups.

    Parameters
    ----------
    net : HMMRNN
    kicks : KickNeurons
        Its ``groups``, of at least two directions, are what is looked at. A unit of two groups counts in both.
    population : float
        Share of all units, in (0, 1], that integrate at most; published were 70 of 150.
    samples, seed : int
        Random groups for the null, at least 1, and the seed of their draws.

    Returns
    -------
    KickConnectivity

    Raises
    ------
    ValueError
        For numbers out of range, fewer than two directions with kick neurons, and kicks of another network.

    Notes
    -----
    With g(d) the mean weight from a unit to group d, a unit drives the direction of its largest g against the others by
    -g(own) * mean g(other): for two directions the product -g(1) g(2) of the published code. The units that do so most,
    kick neurons excluded, are the populations; for each the own direction is that of its largest g.

    Populations chosen by their weights onto kick neurons have the expected signs onto those very neurons by
    construction. So "own" and "other population to kick" hold for each kick neuron the mean weight from populations that
    were chosen by the others of its groups; without preference it is 0. Random groups of the same sizes, disjoint where
    they fit, go through all of these steps.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674, and the published code.
    """
    w = weights_of(net).recurrent
    whole(samples, "samples")
    if not 0 < number(population, "population", unit="") <= 1:
        raise ValueError(f"population = {population!r}: give a share above 0, at most 1")
    if kicks.score.shape[1] != net.units:
        raise ValueError(f"kicks are of a network of {kicks.score.shape[1]} units, net has {net.units}")
    named = [(d, g) for d, g in zip(kicks.directions, kicks.groups, strict=True) if len(g)]
    if len(named) < 2:
        raise ValueError(
            f"kicks has neurons for {len(named)} of {len(kicks.directions)} directions: at least two directions are needed"
        )
    groups = tuple(g for _, g in named)
    count = max(1, round(population * net.units))
    chosen = _populations(w, groups, count)
    found = _values(w, groups, chosen, count)
    rng = np.random.default_rng(seed)
    null: dict[str, list[float]] = {name: [] for name in EXPECTED}
    for _ in range(samples):
        random = _random_groups(groups, net.units, rng)
        for name, values in _values(w, random, _populations(w, random, count), count).items():
            if len(values):
                null[name].append(float(values.mean()))
    tests = {name: _test(values, EXPECTED[name], null[name]) for name, values in found.items()}
    order = np.concatenate([*groups, *chosen])
    return KickConnectivity(
        directions=tuple(d for d, _ in named),
        groups=groups,
        populations=chosen,
        drive=_drive(w, groups),
        order=order,
        matrix=w[np.ix_(order, order)],
        tests=tests,
    )


def _drive(w: FloatArray, groups: tuple[IntArray, ...]) -> FloatArray:
    return np.array([w[g].mean(axis=0) for g in groups])


def _populations(
    w: FloatArray, groups: tuple[IntArray, ...], count: int, excluded: IntArray | None = None
) -> tuple[IntArray, ...]:
    """The units, at most ``count`` in all, that drive one group and inhibit the others most; by group, largest first.

    ``excluded`` are those that can't be among them, by default the groups.
    """
    drive = _drive(w, groups)
    own = drive.argmax(axis=0)
    largest = drive.max(axis=0)
    others = (drive.sum(axis=0) - largest) / (len(groups) - 1)
    opposed = -largest * others
    opposed[largest <= 0] = 0.0  # who inhibits all drives none
    opposed[np.concatenate(groups) if excluded is None else excluded] = 0.0
    chosen = np.argsort(-opposed, kind="stable")[:count]
    chosen = chosen[opposed[chosen] > 0]
    return tuple(chosen[own[chosen] == d] for d in range(len(groups)))


def _values(
    w: FloatArray, groups: tuple[IntArray, ...], populations: tuple[IntArray, ...], count: int
) -> dict[str, FloatArray]:
    """The values of a SignTest, by kind of weight."""
    result: dict[str, list[FloatArray]] = {name: [] for name in EXPECTED}
    kicks = np.concatenate(groups)
    for d, group in enumerate(groups):
        for k, unit in enumerate(group):
            result["within kick groups"].append(np.delete(w[unit, group], k))
            rest = np.delete(group, k)
            if len(rest):
                held_out = _populations(w, (*groups[:d], rest, *groups[d + 1 :]), count, kicks)
                _from_populations(
                    w[unit], held_out, d, result["own population to kick"], result["other population to kick"]
                )
        for e, other in enumerate(groups):
            if e != d:
                result["between kick groups"].append(w[np.ix_(group, other)].ravel())
        for unit in populations[d]:
            without = tuple(p[p != unit] for p in populations)
            _from_populations(w[unit], without, d, result["within populations"], result["between populations"])
    return {name: np.concatenate([np.zeros(0), *parts]) for name, parts in result.items()}


def _from_populations(
    row: FloatArray, populations: tuple[IntArray, ...], own: int, inside: list[FloatArray], across: list[FloatArray]
) -> None:
    """Append the mean weight of a row from its own population, and that from all others, where there are any."""
    others = np.concatenate([np.zeros(0, dtype=np.int64), *(p for e, p in enumerate(populations) if e != own)])
    for members, into in ((populations[own], inside), (others, across)):
        if len(members):
            into.append(np.array([row[members].mean()]))


def _random_groups(groups: tuple[IntArray, ...], units: int, rng: np.random.Generator) -> tuple[IntArray, ...]:
    sizes = [len(g) for g in groups]
    if sum(sizes) <= units:
        return tuple(np.split(rng.permutation(units)[: sum(sizes)], np.cumsum(sizes)[:-1]))
    return tuple(rng.permutation(units)[:size] for size in sizes)


def _test(values: FloatArray, expected: Literal[1, -1], null: list[float]) -> SignTest:
    if not len(values) or not null:
        return SignTest(expected, values, None, np.nan, None)
    from scipy.stats import binomtest

    right = int((values * expected > 0).sum())
    p = float(binomtest(right, len(values), alternative="greater").pvalue)
    alternative = "greater" if expected > 0 else "less"
    mean = NullTest(float(values.mean()), np.array(null), alternative)
    return SignTest(expected, values, binomial_interval(right, len(values)), p, mean)
