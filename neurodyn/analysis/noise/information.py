"""Mutual information between a discrete signal and a discrete response, free of most of its bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import IntArray, choice, whole
from .._result import Result
from ..nulls import NullTest, Surrogate


@dataclass(frozen=True, eq=False)
class MutualInformation(Result, figure="mutual_information"):
    """Bits that a response tells about a signal; ``print`` shows them with the null.

    Attributes
    ----------
    bits : float
        Estimate for a sample, less the bias; below 0 by chance.
    bias : float
        What was taken off, in bits.
    error : float
        Standard error, for independent samples.
    null : NullTest
        The same estimate after the signal was put in another order.
    table : array, shape (signal, response)
        Counts.
    signal_bits : float
        Entropy of the signal, in bits, from the counts: no response can tell more.
    """

    bits: float
    bias: float
    error: float
    null: NullTest[float]
    table: IntArray
    signal_bits: float

    @property
    def plugin(self) -> float:
        """Estimate with its bias."""
        return self.bits + self.bias

    def __str__(self) -> str:
        return (
            f"mutual information {self.null} bits of {self.signal_bits:.4g}, standard error {self.error:.2g}, "
            f"{self.bias:+.2g} of bias taken off; {self.table.sum()} samples in "
            f"{np.count_nonzero(self.table)} of {self.table.size} cells"
        )


def mutual_information(
    signal: ArrayLike, response: ArrayLike, *, kind: Surrogate = "shuffle", samples: int = 200, seed: int = 0
) -> MutualInformation:
    """Mutual information of two discrete variables, with the bias correction of Miller and Madow.

    I = sum p(s, r) log2[p(s, r) / (p(s) p(r))], from counts, less (R_sr - R_s - R_r + 1) / (2 N ln 2), with R the numbers of
    values that occur (pairs, signals, responses) in N samples.

    Parameters
    ----------
    signal : array, shape (sample)
        Whole numbers, booleans or text. Bin continuous values first.
    response : array, shape (sample) or (sample, unit)
        Counts, states; with units, the words of a row are the values.
    kind : "shuffle" or "shift"
        How the null pairs signals with responses: in random order (independent trials), or rotated in time by a random offset
        (successive samples of slow processes, which a shuffle would call related by chance too often).
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Raises
    ------
    ValueError, TypeError
        For fractions, arrays of different lengths, fewer than 4 samples, and a signal or a response that is always the same.

    Notes
    -----
    The correction is the first term of the expansion in 1 / N (Panzeri & Treves 1996, with the responses counted that occur). With
    fewer samples than about four times the occupied cells of the table the estimate is still too high: the null shows by how much,
    as it suffers alike. It also makes the estimate fall below 0 by chance, which keeps means over networks unbiased. The error takes
    samples as independent.

    References
    ----------
    Miller (1955) in Quastler, Information Theory in Psychology. Panzeri & Treves (1996) Network 7:87. Panzeri, Senatore, Montemurro
    & Petersen (2007) J Neurophysiol 98:1064.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodyn.analysis import mutual_information
    >>> rng = np.random.default_rng(0)
    >>> sent = rng.integers(0, 2, 5000)
    >>> received = sent ^ (rng.random(5000) < 0.1)
    >>> found = mutual_information(sent, received, samples=20)
    >>> bool(abs(found.bits - 0.531) < 0.03)
    True
    """
    choice(kind, "kind", ("shuffle", "shift"))
    s, r = _symbols(signal, "signal", ("sample",)), _symbols(response, "response", ("sample", "sample, unit"))
    if len(s) != len(r):
        raise ValueError(f"signal has {len(s)} samples, response {len(r)}: give one response for each signal")
    table = _table(s, r)
    plugin, bias, terms = _estimate(table)
    rng = np.random.default_rng(seed)
    null = []
    for _ in range(whole(samples, "samples")):
        moved = rng.permutation(s) if kind == "shuffle" else np.roll(s, rng.integers(1, len(s)))
        value, off, _ = _estimate(_table(moved, r))
        null.append(value - off)
    share = table.sum(axis=1) / table.sum()
    return MutualInformation(
        plugin - bias,
        bias,
        terms,
        NullTest(plugin - bias, np.array(null)),
        table,
        float(-np.sum(share * np.log2(share))),
    )


def _symbols(values: ArrayLike, name: str, axes: tuple[str, ...]) -> IntArray:
    """Numbers of the values that occur, (sample)."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and (not np.isfinite(array).all() or (array != np.rint(array)).any()):
        raise ValueError(
            f"{name} holds fractions, NaN or infinite values: give whole numbers; bin continuous values first"
        )
    if array.dtype.kind not in "biufUS":
        raise TypeError(f"{name} has dtype {array.dtype}: give whole numbers, booleans or text")
    shapes = " or ".join(f"({text})" for text in axes)
    if array.ndim not in range(1, len(axes) + 1) or len(array) < 4 or not array.size:
        raise ValueError(f"{name} has shape {array.shape}: give {shapes}, at least 4 samples")
    found, numbers = np.unique(array, axis=0, return_inverse=True)
    if len(found) < 2:
        raise ValueError(f"{name} is always {found[0]}: something constant carries no information")
    return numbers.reshape(-1).astype(np.int64)


def _table(signal: IntArray, response: IntArray) -> IntArray:
    columns = int(response.max()) + 1
    cells = (int(signal.max()) + 1) * columns
    return np.bincount(signal * columns + response, minlength=cells).reshape(-1, columns)


def _estimate(table: IntArray) -> tuple[float, float, float]:
    """Estimate from the counts, its bias, and its standard error; in bits."""
    total = table.sum()
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    at = np.nonzero(table)
    share = table[at] / total
    terms = np.log2(table[at] * total / (rows[at[0]] * columns[at[1]]))
    value = float(share @ terms)
    bias = (len(share) - len(rows) - len(columns) + 1) / (2 * total * np.log(2))
    return value, float(bias), float(np.sqrt(max(share @ terms**2 - value**2, 0.0) / total))
