"""What chance alone would give: the comparison with a null, and the surrogates that make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ._checks import FloatArray, IntArray, choice, floats

Alternative = Literal["greater", "less", "two-sided"]
Surrogate = Literal["shift", "shuffle"]


Estimate = TypeVar("Estimate", float, FloatArray)


@dataclass(frozen=True, eq=False)
class NullTest(Generic[Estimate]):
    """An estimate beside the values that the same estimator takes on data without the effect.

    Parameters
    ----------
    observed : float or array
        The estimate.
    null : array, shape (sample, ...)
        The estimate on each surrogate; the axes after the first are those of `observed`.
    alternative : "greater", "less" or "two-sided"
        In which direction an effect lies.

    Notes
    -----
    ``p`` counts the observed data among the surrogates, p = (1 + #extreme) / (1 + samples), so that it is
    never zero and the test keeps its level (Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39). With 99
    surrogates the smallest p is 0.01. An array of estimates gets an array of p-values, not corrected for
    their number.
    """

    observed: Estimate
    null: FloatArray
    alternative: Alternative = "greater"

    @property
    def samples(self) -> int:
        """Number of surrogates."""
        return self.null.shape[0]

    @property
    def p(self) -> Estimate:
        """Probability, under the null, of an estimate at least as extreme as the observed one."""
        # Surrogates that repeat the data must count as ties in spite of rounding.
        slack = 1e-12 * np.maximum(np.abs(self.observed), np.abs(self.null).max(axis=0))
        above = (1 + (self.null >= self.observed - slack).sum(axis=0)) / (1 + self.samples)
        below = (1 + (self.null <= self.observed + slack).sum(axis=0)) / (1 + self.samples)
        if self.alternative == "greater":
            return _plain(above)
        if self.alternative == "less":
            return _plain(below)
        return _plain(np.minimum(1.0, 2 * np.minimum(above, below)))

    @property
    def low(self) -> Estimate:
        """5th percentile of the null."""
        return _plain(np.percentile(self.null, 5, axis=0))

    @property
    def high(self) -> Estimate:
        """95th percentile of the null."""
        return _plain(np.percentile(self.null, 95, axis=0))

    def __str__(self) -> str:
        if np.ndim(self.observed):
            shape = np.shape(self.observed)
            return f"{shape} estimates, smallest p = {np.min(self.p):.3g}, {self.samples} surrogates"
        return (
            f"{self.observed:.4g} (null 5 to 95 %: {self.low:.4g} to {self.high:.4g}, "
            f"p = {self.p:.3g} {self.alternative}, {self.samples} surrogates)"
        )


def _plain(values: np.ndarray | np.floating) -> Any:
    return float(values) if np.ndim(values) == 0 else np.asarray(values, dtype=np.float64)


def surrogate(x: ArrayLike, *, kind: Surrogate = "shift", seed: int | np.random.Generator = 0) -> FloatArray:
    """A copy of `x` in which no unit knows the time of another.

    Parameters
    ----------
    x : array, shape (time, unit)
    kind : "shift" or "shuffle"
        "shift" rotates each unit in time by its own random offset, which keeps its autocorrelation; "shuffle"
        puts the samples of each unit in random order, which keeps only their distribution. For anything
        smooth in time take "shift": shuffled samples are independent, and look higher-dimensional for that
        reason alone.
    seed : int or numpy Generator

    Returns
    -------
    array, shape (time, unit)

    Notes
    -----
    A shift joins the end of the recording to its start and takes it as stationary. Drifts as long as the
    recording break that: independent random walks are then mostly found to be related. Have a recording
    some ten times longer than the slowest autocorrelation.
    """
    values = floats(x, "x", axes=("time, unit",), shortest=2)
    choice(kind, "kind", ("shift", "shuffle"))
    rng = np.random.default_rng(seed)
    if kind == "shuffle":
        return rng.permuted(values, axis=0)
    length, units = values.shape
    rows = (np.arange(length)[:, None] + rng.integers(0, length, units)) % length
    return np.take_along_axis(values, rows, axis=0)


def permutations(n: int, samples: int, rng: np.random.Generator) -> IntArray:
    """Random orders of 0 .. n-1, shape (sample, n)."""
    return rng.permuted(np.tile(np.arange(n), (samples, 1)), axis=1)


def grouped_permutations(labels: np.ndarray, groups: np.ndarray, samples: int, rng: np.random.Generator) -> IntArray:
    """Orders of the trials under which `labels[order]` keeps what is not exchangeable, shape (sample, trial).

    If each group has one label only, whole groups swap labels; otherwise labels move within their group.
    """
    names, first, member = np.unique(groups, return_index=True, return_inverse=True)
    if np.array_equal(labels[first][member], labels):
        return first[permutations(len(names), samples, rng)][:, member]
    orders = np.tile(np.arange(len(labels)), (samples, 1))
    for group in range(len(names)):
        inside = np.flatnonzero(member == group)
        orders[:, inside] = inside[permutations(len(inside), samples, rng)]
    return orders
