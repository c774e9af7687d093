"""Geometry of learned weights over conditions: principal components and transfer between end points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, choice, floats, whole
from ..nulls import NullTest, permutations


@dataclass(frozen=True, eq=False)
class ConditionGeometry:
    """Principal components over conditions, and how they order given variables.

    Attributes
    ----------
    scores : array, shape (condition, component)
    components : array, shape (component, feature)
        Features of all parts, joined in the order given. Signs mean nothing.
    explained_ratio : array, shape (component), 0 to 1
    correlations : mapping of variable to array, shape (component)
        Pearson r of the scores with the variable.
    tests : mapping of variable to NullTest
        Largest abs(r) over the components, against the same with the conditions of the variable permuted;
        so the choice of the best component is paid for.
    """

    scores: FloatArray
    components: FloatArray
    explained_ratio: FloatArray
    correlations: Mapping[str, FloatArray]
    tests: Mapping[str, NullTest[float]]

    @property
    def best(self) -> dict[str, int]:
        """For each variable the component, counted from 0, that it correlates with most."""
        return {name: int(np.argmax(np.abs(r))) for name, r in self.correlations.items()}

    @property
    def distinct(self) -> bool:
        """Whether no two variables share their best component."""
        return len(set(self.best.values())) == len(self.best)


def condition_pca(
    parts: ArrayLike | Sequence[ArrayLike],
    variables: Mapping[str, ArrayLike],
    *,
    normalise: Literal["part", "raw"] = "part",
    components: int = 3,
    samples: int = 1000,
    seed: int = 0,
) -> ConditionGeometry:
    """PCA over conditions of weights made of one or several parts, with a permutation null over conditions.

    Parameters
    ----------
    parts : array (condition, feature), or a list of them
        For instance the weights of a "what" and of a "when" readout, one row per condition.
    variables : mapping of name to array, shape (condition)
        What distinguishes the conditions, such as ``{"probability": p, "latency": t}``.
    normalise : "part" or "raw"
        Each part is centred over conditions. "part" divides it by its Frobenius norm too, so that every
        part has the same total variance and the larger one doesn't decide alone; "raw" leaves it as it is.
        Report both: the first settles the order of components almost by construction.
    components : int
        How many components, fewer if the data have lower rank. The null chooses among the same ones.
    samples, seed : int
        Number of permutations, and the seed of their draws.

    Returns
    -------
    ConditionGeometry

    Raises
    ------
    ValueError
        For fewer than 3 conditions, parts or variables that disagree about their number, parts that are the
        same in all conditions and variables that never change.

    Notes
    -----
    Components of equal variance are determined only up to a rotation among themselves: two normalised parts
    that each carry one variable alone come out as mixtures of both.

    With few conditions a large r is easy to get: of 9 conditions and 3 components to choose from, chance
    reaches abs(r) of 0.7 in one of nine cases. The permutations take conditions as exchangeable; two
    variables that are themselves correlated over conditions are not told apart.
    """
    blocks: list[ArrayLike] = [parts] if hasattr(parts, "shape") else list(parts)  # type: ignore[arg-type]
    if not blocks or not variables:
        raise ValueError("give at least one part and one variable")
    choice(normalise, "normalise", ("part", "raw"))
    count = whole(components, "components")
    centred = []
    for k, block in enumerate(blocks):
        part = floats(block, f"parts[{k}]", axes=("condition, feature",), shortest=3)
        if centred and len(part) != len(centred[0]):
            raise ValueError(f"parts[{k}] has {len(part)} conditions, parts[0] has {len(centred[0])}: one row each")
        spread = np.linalg.norm(part - part.mean(axis=0))
        if spread <= 1e-12 * np.linalg.norm(part):
            raise ValueError(f"parts[{k}] is the same in all conditions: leave it out")
        centred.append((part - part.mean(axis=0)) / (spread if normalise == "part" else 1.0))
    joined = np.concatenate(centred, axis=1)

    left, singular, right = np.linalg.svd(joined, full_matrices=False)
    count = min(count, int(np.sum(singular > 1e-10 * singular[0])))
    scores = left[:, :count] * singular[:count]
    orders = permutations(len(joined), whole(samples, "samples"), np.random.default_rng(seed))
    correlations, tests = {}, {}
    for name, values in variables.items():
        variable = floats(values, f"variables[{name!r}]", axes=("condition",))
        if variable.size != len(joined):
            raise ValueError(f"variables[{name!r}] has {variable.size} values for {len(joined)} conditions")
        if np.ptp(variable) == 0:
            raise ValueError(f"variables[{name!r}] is {variable[0]:g} in every condition: give one that differs")
        unit = (variable - variable.mean()) / np.linalg.norm(variable - variable.mean())
        correlations[name] = unit @ left[:, :count]  # columns of `left` have mean 0 and norm 1
        null = np.abs(unit[orders] @ left[:, :count]).max(axis=1)
        tests[name] = NullTest(float(np.abs(correlations[name]).max()), null)
    shares = singular**2 / np.sum(singular**2)
    return ConditionGeometry(scores, right[:count], shares[:count], correlations, tests)


def transfer_projection(weights: ArrayLike, start: ArrayLike, target: ArrayLike) -> Any:
    """How far weights have come from one end point towards another: 0 at the start, 1 at the target.

    ``(w - start) . (target - start) / |target - start|^2``

    Parameters
    ----------
    weights : array, shape (feature) or (snapshot, feature)
    start, target : array, shape (feature)
        Such as the weights at the end of the first block, and those learned in the new condition alone.

    Returns
    -------
    float, or array (snapshot)
        Not limited to 0 to 1; movement at right angles to the line leaves it unchanged.
    """
    moved, way = _displacements(weights, start, target)
    result = moved @ way / (way @ way)
    return float(result) if result.ndim == 0 else result


def transfer_null(
    weights: ArrayLike, start: ArrayLike, target: ArrayLike, *, samples: int = 1000, seed: int = 0
) -> NullTest[Any]:
    """The transfer projection beside that on targets equally far away in directions without meaning.

    Parameters
    ----------
    weights, start, target : array
        As in :func:`transfer_projection`.
    samples, seed : int
        Number of surrogates, and the seed of their draws. Each permutes the features of target - start,
        which keeps its length and its values. That is a weak null: compare with the end points of *other*
        conditions as well.

    Returns
    -------
    NullTest, of a number or an array (snapshot)
    """
    moved, way = _displacements(weights, start, target)
    rng = np.random.default_rng(seed)
    ways = np.stack([rng.permutation(way) for _ in range(whole(samples, "samples"))])
    return NullTest(transfer_projection(weights, start, target), (moved @ ways.T).T / (way @ way))


def _displacements(weights: ArrayLike, start: ArrayLike, target: ArrayLike) -> tuple[FloatArray, FloatArray]:
    now = floats(weights, "weights", axes=("feature", "snapshot, feature"))
    begin, end = (floats(v, name, axes=("feature",)) for v, name in ((start, "start"), (target, "target")))
    if not now.shape[-1] == begin.size == end.size:
        raise ValueError(
            f"weights has {now.shape[-1]} features, start {begin.size}, target {end.size}: give all the same"
        )
    if np.array_equal(begin, end):
        raise ValueError("start and target are the same point: there is no way between them")
    return now - begin, end - begin
