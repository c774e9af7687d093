"""What is counted in sequences of symbols, and what a hidden Markov model expects of sequences as long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray

if TYPE_CHECKING:
    from neurodyn.tasks.hidden_markov import HiddenMarkov


@dataclass(frozen=True, eq=False)
class SymbolStatistics:
    """Statistics of sequences of symbols, in steps and nats.

    Attributes
    ----------
    symbol_transition : array, shape (symbol, next symbol)
        Probability of the next symbol given one; NaN after a symbol that never occurs.
    marginal, marginal_sd : array, shape (symbol)
        Frequency of each symbol: mean and standard deviation over sequences.
    changes : array, shape (number)
        Share of sequences in which the symbol changes 0, 1, 2, ... times.
    word_distance : array, shape (word length)
        Total variation to the words of 1, 2, ... symbols of the model: half the sum of absolute differences.
    autocorrelation : array, shape (lag)
        Of the symbols as numbers 0, 1, 2, ..., with the mean of all sequences subtracted; lags from 0.
    run_lengths : array, shape (duration)
        Share of runs of one symbol that last 1, 2, ... steps, of those that begin and end within a sequence. NaN if
        there are none.
    cross_entropy : float
        Mean of -log p(symbol | those before it) under the model, over the second half of each sequence.
    """

    symbol_transition: FloatArray
    marginal: FloatArray
    marginal_sd: FloatArray
    changes: FloatArray
    word_distance: FloatArray
    autocorrelation: FloatArray
    run_lengths: FloatArray
    cross_entropy: float

    @property
    def volatility(self) -> float:
        """Mean number of changes of the symbol in a sequence."""
        return _moments(self.changes, first=0)[0]

    @property
    def volatility_sd(self) -> float:
        """Standard deviation of that number over sequences."""
        return _moments(self.changes, first=0)[1]

    @property
    def run_mean(self) -> float:
        """Mean length of runs, in steps."""
        return _moments(self.run_lengths, first=1)[0]

    @property
    def run_cv(self) -> float:
        """Coefficient of variation of the length of runs."""
        mean, sd = _moments(self.run_lengths, first=1)
        return sd / mean


def counted(symbols: IntArray, model: HiddenMarkov, words: Sequence[FloatArray], lags: int) -> SymbolStatistics:
    """Statistics of `symbols` (sequence, time); `words` are the probabilities of words of 1, 2, ... symbols."""
    count, length = model.symbols, symbols.shape[1]
    pairs = np.bincount((symbols[:, :-1] * count + symbols[:, 1:]).ravel(), minlength=count**2).reshape(count, count)
    total = pairs.sum(axis=1, keepdims=True)
    shares = np.stack([(symbols == k).mean(axis=1) for k in range(count)], axis=1)
    changes = (symbols[:, 1:] != symbols[:, :-1]).sum(axis=1)
    return SymbolStatistics(
        np.divide(pairs, total, out=np.full(pairs.shape, np.nan), where=total > 0),
        shares.mean(axis=0),
        shares.std(axis=0),
        np.bincount(changes, minlength=length) / len(changes),
        np.array([0.5 * np.abs(_words(symbols, count, n) - p.ravel()).sum() for n, p in enumerate(words, start=1)]),
        _autocorrelation(symbols, lags),
        _run_lengths(symbols),
        # The first half tells the model where it is: without it short sequences would seem harder to predict.
        float(0.0 - model.predict(symbols)[:, length // 2 :].mean()),
    )


def expected(model: HiddenMarkov, length: int, words: int, lags: int) -> SymbolStatistics:
    """Statistics of infinitely many stationary sequences of `length` symbols; no closed form of the cross-entropy."""
    marginal, pairs = model.marginal, length - np.arange(length)
    variance = np.zeros(model.symbols)
    for k in np.flatnonzero((marginal > 0) & (marginal < 1)):
        rho = model.autocorrelation(length - 1, np.eye(model.symbols)[k])
        variance[k] = marginal[k] * (1 - marginal[k]) * (2 * pairs @ rho - length) / length**2
    # A run of n steps with both ends in sight begins at one of length - 1 - n steps.
    places = length - 1 - np.arange(1, length - 1)
    runs = np.nan_to_num(model.run_lengths(length - 2)) * model.run_starts[:, None] * places
    seen = runs.sum(axis=0)
    return SymbolStatistics(
        model.symbol_transition,
        marginal,
        np.sqrt(np.maximum(variance, 0)),
        _expected_changes(model, length),
        np.zeros(words),
        model.autocorrelation(lags),
        seen / seen.sum() if seen.any() else np.full(length - 2, np.nan),
        np.nan,
    )


def _words(symbols: IntArray, count: int, n: int) -> FloatArray:
    """Frequencies of all words of n symbols, (count^n,)."""
    places = symbols.shape[1] - n + 1
    code = np.zeros((len(symbols), places), dtype=np.int64)
    for position in range(n):
        code = code * count + symbols[:, position : position + places]
    return np.bincount(code.ravel(), minlength=count**n) / code.size


def _autocorrelation(symbols: IntArray, lags: int) -> FloatArray:
    x = symbols - symbols.mean()
    steps = x.shape[1]
    products = np.array([np.vdot(x[:, : steps - k], x[:, k:]) / (len(x) * (steps - k)) for k in range(lags + 1)])
    return products / products[0] if products[0] > 0 else np.full(lags + 1, np.nan)


def _run_lengths(symbols: IntArray) -> FloatArray:
    sequence, step = np.nonzero(symbols[:, 1:] != symbols[:, :-1])
    lengths = np.diff(step)[np.diff(sequence) == 0]
    counts = np.bincount(lengths, minlength=symbols.shape[1] - 1)[1:]
    return counts / counts.sum() if len(lengths) else np.full(len(counts), np.nan)


def _expected_changes(model: HiddenMarkov, length: int) -> FloatArray:
    """Probability that the symbol changes 0 to `length` - 1 times in a stationary sequence."""
    alive = np.zeros((length, model.states, model.symbols))  # (changes so far, state, symbol)
    alive[0] = model.stationary[:, None] * model.emission
    for _ in range(length - 1):
        other = alive.sum(axis=2, keepdims=True) - alive
        stay, change = (np.einsum("kia,ij->kja", part, model.transition) * model.emission for part in (alive, other))
        alive = stay
        alive[1:] += change[:-1]
    return alive.sum(axis=(1, 2))


def _moments(shares: FloatArray, *, first: int) -> tuple[float, float]:
    """Mean and standard deviation of whole numbers from `first` on that have these shares."""
    numbers = np.arange(first, first + len(shares))
    mean = float(numbers @ shares)
    return mean, float(np.sqrt((numbers - mean) ** 2 @ shares))
