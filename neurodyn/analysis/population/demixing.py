"""Demixed principal components: directions that reconstruct the part of activity that depends on one condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats, number, whole
from .._result import Result
from ..nulls import NullTest
from ._thin_svd import thin_svd
from .marginals import marginal_names, marginalise

STRENGTHS = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 13)])  # among which the ridge is chosen


@dataclass(frozen=True, eq=False)
class DemixedPCA(Result, figure="demixed_pca"):
    """Demixed principal components; mappings go by the name of a part, such as "event"; ``print`` shows a table.

    Attributes
    ----------
    labels : tuple of str
        Names of the axes of the averages but the last, time the last of them.
    decoders : mapping to array, shape (component, unit)
        D: activity is projected on them.
    encoders : mapping to array, shape (component, unit)
        F, orthonormal: how activity is rebuilt from the projections.
    projections : mapping to array, shape (condition, ..., time, component)
        Averages, less the mean of each unit, along the decoders.
    part_variance : mapping to float
        Share of the variance of the averages that is in the part; they sum to 1.
    explained : mapping to array, shape (component)
        Share of the variance of the averages that the component rebuilds, ``1 - |X - F_k D_k X|^2 / |X|^2``.
    composition : mapping to mapping to array, shape (component)
        Of the variance of a component's projection, the share from each part: 1 from its own part if it is demixed.
    strength : float
        The ridge, lambda.
    strengths, errors : array, shape (strength)
        Those tried, and the share of the parts' variance that components miss in trials left out; empty if one was given.
    part_tests : mapping to NullTest
        Part variance beside that of trials dealt out to the conditions anew; parts of time alone have none.
    decoding : mapping to NullTest, of an array (component, time)
        Share of conditions told right in a trial left out, by the nearest mean; beside trials dealt out anew.
    mean : array, shape (unit)
    """

    labels: tuple[str, ...]
    decoders: Mapping[str, FloatArray]
    encoders: Mapping[str, FloatArray]
    projections: Mapping[str, FloatArray]
    part_variance: Mapping[str, float]
    explained: Mapping[str, FloatArray]
    composition: Mapping[str, Mapping[str, FloatArray]]
    strength: float
    strengths: FloatArray
    errors: FloatArray
    part_tests: Mapping[str, NullTest[float]]
    decoding: Mapping[str, NullTest[FloatArray]]
    mean: FloatArray = field(repr=False)

    def mean_decoding(self, part: str) -> NullTest[FloatArray]:
        """Decoding averaged over time, of an array (component)."""
        test = self.decoding[part]
        return NullTest(test.observed.mean(axis=-1), test.null.mean(axis=-1), test.alternative)

    def __str__(self) -> str:
        total = sum(float(e.sum()) for e in self.explained.values())
        lines = [
            f"demixed PCA of {' x '.join(self.labels)}, lambda {self.strength:.3g}; {total:.1%} of the variance in all"
        ]
        for name, share in self.part_variance.items():
            explained = ", ".join(f"{e:.1%}" for e in self.explained[name])
            pure = ", ".join(f"{c:.0%}" for c in self.composition[name][name])
            lines.append(f"  {name}: {share:.1%} of the variance; components {explained}; of this part {pure}")
            if name in self.part_tests:
                lines.append(f"    part variance   {self.part_tests[name]}")
            if name in self.decoding:
                first = self.mean_decoding(name)
                lines.append(f"    decoding, first {NullTest(float(first.observed[0]), first.null[:, 0])}")
        if not self.part_tests:
            lines.append("  no null: give single trials, (trial, condition, ..., time, unit)")
        return "\n".join(lines)


def demixed_pca(
    x: ArrayLike,
    labels: Sequence[str],
    *,
    components: int = 3,
    strength: float | None = None,
    join_time: bool = True,
    splits: int = 10,
    samples: int = 20,
    seed: int = 0,
) -> DemixedPCA:
    """Split activity into parts by condition and time, and find components that rebuild each part from all of the activity.

    For each part X_p of the averages X the ridge regression of reduced rank ::

        min over F, D of |X_p - F D X|^2 + mu |F D|^2,    mu = (lambda |X|)^2

    is solved in closed form: F are the leading left singular vectors of C [X, sqrt(mu)], D = F' C, with
    C = X_p X' (X X' + mu)^-1. The part of a set of axes is the mean over the others, less the parts of all smaller sets;
    parts sum to X less its mean, and are orthogonal.

    Parameters
    ----------
    x : array, shape (trial, condition, ..., time, unit) or (condition, ..., time, unit)
        Single trials, equal numbers of all conditions (:func:`stack_conditions`), or averages over trials, which give no
        nulls and no choice of the ridge.
    labels : sequence of str
        Names of the axes between trial and unit, such as ("event", "time"); the last is time.
    components : int
        Of each part.
    strength : float, optional
        lambda, at least 0. If not given, the one of 0 and 13 values from 1e-4 to 1 with the least error in trials left
        out; of averages it has to be given.
    join_time : bool
        Whether what depends on a condition alone and what depends on it and time are one part (Kobak et al.); otherwise
        they are "event" and "event x time".
    splits : int
        Times that one trial of each condition is left out, at random, for the ridge and for decoding.
    samples, seed : int
        Number of times that trials are dealt out to the conditions anew for the nulls, each with `splits` fits; 0 leaves
        nulls out.

    Returns
    -------
    DemixedPCA

    Raises
    ------
    ValueError
        For labels that don't fit the axes, an axis of one, fewer than 2 trials, too many components, and NaN.

    Notes
    -----
    Averages of few trials hold noise, which fills all parts: see ``part_tests`` before an interaction is believed. The
    ridge is chosen for the data and kept for the nulls. Components of different parts need not be orthogonal, and their
    explained shares then don't add up. A condition that tells the time of its event is not separable from time: what
    follows the event counts as condition. p-values of decoding at single times are not corrected for their number.

    References
    ----------
    Kobak et al. 2016, eLife 5:e10989. The published code has ``mu = (lambda |X|^2)^2`` in Python; ours is the paper's.
    """
    names = tuple(labels)
    if len(names) < 2 or len(set(names)) != len(names) or not all(isinstance(n, str) and n for n in names):
        raise ValueError(
            f"labels = {labels!r}: give different names for at least one condition and time, such as ('event', 'time')"
        )
    inner = ", ".join((*names, "unit"))
    values = floats(x, "x", axes=(inner, f"trial, {inner}"))
    single = values.ndim == len(names) + 2
    axes = values.shape[1:-1] if single else values.shape[:-1]
    if min(axes) < 2:
        raise ValueError(
            f"x has shape {values.shape}: {names[axes.index(min(axes))]!r} has one value; leave that axis out"
        )
    if single and len(values) < 2:
        raise ValueError(f"x has {len(values)} trial of each condition: give at least 2, or averages")
    if strength is None and not single:
        raise ValueError("strength: it is chosen on trials left out, and x holds averages; give lambda, such as 1e-3")
    units = values.shape[-1]
    whole(components, "components", high=min(units, int(np.prod(axes))))
    parts = marginal_names(names, join_time=join_time)
    rng = np.random.default_rng(seed)
    tried, errors = np.empty(0), np.empty(0)
    if strength is None:
        tried = STRENGTHS
        errors = _errors(values, parts, components, whole(splits, "splits"), rng)
        chosen = float(tried[errors.argmin()])
    else:
        chosen = number(strength, "strength", unit="", low=0)

    averages = values.mean(axis=0) if single else values
    part_tests: dict[str, NullTest[float]] = {}
    decoding: dict[str, NullTest[FloatArray]] = {}
    if single and whole(samples, "samples", low=0):
        tested = [name for name, subsets in parts.items() if subsets[0] != (len(names) - 1,)]
        shares, scores = [], []
        for k in range(samples + 1):
            dealt = values if k == 0 else _dealt(values, rng)
            share = _part_variance(marginalise(dealt.mean(axis=0), parts))
            shares.append([share[name] for name in tested])
            scores.append(_decoding(dealt, parts, tested, components, chosen, whole(splits, "splits"), rng))
        for j, name in enumerate(tested):
            part_tests[name] = NullTest(float(shares[0][j]), np.array([s[j] for s in shares[1:]]))
            decoding[name] = NullTest(scores[0][name], np.stack([s[name] for s in scores[1:]]))

    mean = averages.reshape(-1, units).mean(axis=0)
    split = marginalise(averages, parts)
    fitted = _fit(averages, split, components, chosen)
    flat = (averages - mean).reshape(-1, units)
    total = np.sum(flat**2)
    if not total:
        raise ValueError("x never varies over conditions and time: there is nothing to demix")
    explained, projections, composition = {}, {}, {}
    for name, (encoder, decoder) in fitted.items():
        along = flat @ decoder.T
        projections[name] = along.reshape(*axes, components)
        # |X - f d X|^2 = |X|^2 - 2 <f' X, d X> + |d X|^2, since f has norm 1.
        explained[name] = (2 * np.sum((flat @ encoder.T) * along, axis=0) - np.sum(along**2, axis=0)) / total
        of_parts = {other: np.sum((part.reshape(-1, units) @ decoder.T) ** 2, axis=0) for other, part in split.items()}
        whole_of = np.maximum(sum(of_parts.values()), 1e-300)
        composition[name] = {other: share / whole_of for other, share in of_parts.items()}
    return DemixedPCA(
        names,
        {name: decoder for name, (_, decoder) in fitted.items()},
        {name: encoder for name, (encoder, _) in fitted.items()},
        projections,
        _part_variance(split),
        explained,
        composition,
        chosen,
        tried,
        errors,
        part_tests,
        decoding,
        mean,
    )


Fitted = dict[str, tuple[FloatArray, FloatArray]]  # of each part, encoder and decoder (component, unit)


def _fit(averages: FloatArray, split: Mapping[str, FloatArray], components: int, strength: float) -> Fitted:
    return _path(averages, split, components, np.array([strength]))[0]


def _path(
    averages: FloatArray, split: Mapping[str, FloatArray], components: int, strengths: FloatArray
) -> list[Fitted]:
    """A fit for each strength; they share one decomposition."""
    units = averages.shape[-1]
    flat = averages.reshape(-1, units) - averages.reshape(-1, units).mean(axis=0)
    left, singular, along = thin_svd(flat)
    cross = {name: part.reshape(-1, units).T @ left * singular for name, part in split.items()}  # X_p X' in its basis
    found = []
    for strength in strengths:
        damped = singular**2 + strength**2 * np.sum(singular**2)
        # Without ridge the inverse is the pseudo-inverse.
        inverse = np.where(damped > 1e-12 * singular[0] ** 2, 1 / np.maximum(damped, 1e-300), 0.0)
        fit: Fitted = {}
        for name, product in cross.items():
            # The left singular vectors of C [X, sqrt(mu)] are those of X_p X' (X X' + mu)^(-1/2).
            leading = thin_svd(product * np.sqrt(inverse))[0]
            encoder = leading[:, :components].T
            encoder = encoder * np.sign(encoder[np.arange(components), np.abs(encoder).argmax(axis=1)])[:, None]
            fit[name] = encoder, (encoder @ product * inverse) @ along
        found.append(fit)
    return found


def _part_variance(split: Mapping[str, FloatArray]) -> dict[str, float]:
    squares = {name: float(np.sum(part**2)) for name, part in split.items()}
    total = sum(squares.values())
    return {name: value / total if total else 0.0 for name, value in squares.items()}


def _left_out(values: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """One trial of each condition, drawn at random, and the averages of the others."""
    trials, conditions = len(values), values.shape[1:-2]
    drawn = rng.integers(0, trials, conditions)
    one = np.take_along_axis(values, drawn[None, ..., None, None], axis=0)[0]
    return one, (values.sum(axis=0) - one) / (trials - 1)


def _dealt(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Trials dealt out to the conditions anew, each as a whole."""
    trials = values.reshape(-1, *values.shape[-2:])
    return trials[rng.permutation(len(trials))].reshape(values.shape)


def _errors(values: FloatArray, parts: Mapping, components: int, splits: int, rng: np.random.Generator) -> FloatArray:
    """|X_p - F D X|^2 over |X_p|^2, parts summed, X a trial left out and X_p the part of the averages of the others."""
    missed, there = np.zeros(len(STRENGTHS)), 0.0
    units = values.shape[-1]
    for _ in range(splits):
        one, averages = _left_out(values, rng)
        split = marginalise(averages, parts)
        new = one.reshape(-1, units) - averages.reshape(-1, units).mean(axis=0)
        there += sum(float(np.sum(part**2)) for part in split.values())
        for k, fit in enumerate(_path(averages, split, components, STRENGTHS)):
            for name, (encoder, decoder) in fit.items():
                missed[k] += np.sum((split[name].reshape(-1, units) - new @ decoder.T @ encoder) ** 2)
    return missed / there


def _decoding(
    values: FloatArray,
    parts: Mapping,
    tested: Sequence[str],
    components: int,
    strength: float,
    splits: int,
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Share of classes told right in trials left out by the nearest class mean along each component, (component, time)."""
    time = values.ndim - 3  # of the averages
    found: dict[str, FloatArray] = {name: np.zeros((components, values.shape[-2])) for name in tested}
    for _ in range(splits):
        one, averages = _left_out(values, rng)
        fit = _fit(averages, marginalise(averages, parts), components, strength)
        for name in tested:
            decoder = fit[name][1]
            other = tuple(a for a in range(time) if a not in parts[name][0])
            known, new = ((v @ decoder.T).mean(axis=other) for v in (averages, one))
            known, new = (v.reshape(-1, *v.shape[-2:]) for v in (known, new))  # (class, time, component)
            nearest = np.abs(new[:, None] - known[None]).argmin(axis=1)
            right = nearest == np.arange(len(known))[:, None, None]
            found[name] += right.mean(axis=0).T / splits
    return found
