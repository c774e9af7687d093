"""Whether sequences of symbols keep to a finite-state machine, and how they branch where it leaves a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import FloatArray, IntArray, whole
from ..statistics import binomial_interval
from ._words import windows

if TYPE_CHECKING:
    from neurodyn.tasks.finite_state import FiniteState


@dataclass(frozen=True, eq=False)
class Legality:
    """How often sequences break the rules of a machine.

    Attributes
    ----------
    steps : float
        Share of symbols that can't follow those before them, 0 to 1.
    words : float
        Share of words of n symbols that the machine makes from no state.
    first : array of int, shape (sequence)
        Step of the first illegal symbol; the length of the sequence if there is none.
    illegal, symbols : int
        Number of illegal symbols, and of all.
    """

    steps: float
    words: float
    first: IntArray
    illegal: int
    symbols: int

    def __str__(self) -> str:
        return f"{self.illegal} of {self.symbols} symbols illegal ({self.steps:.2%}), {self.words:.2%} of the words"


@dataclass(frozen=True, eq=False)
class BranchProbabilities:
    """What was emitted in the states with a choice; arrays have shape (edge), one entry for each; ``print`` shows a table.

    ``found[state, symbol]`` is the share of one symbol.

    Attributes
    ----------
    state, symbol : array of int
    expected : array
        Probability of the symbol in the machine.
    count, visits : array of int
        How often the state emitted the symbol, and how often it was visited, illegal symbols included.
    low, high : array
        Wilson interval of the share at ``confidence``; 0 and 1 without visits. It takes visits as independent.
    unknown : float
        Share of steps whose state isn't known; they don't count.
    confidence : float
    """

    state: IntArray
    symbol: IntArray
    expected: FloatArray
    count: IntArray
    visits: IntArray
    low: FloatArray
    high: FloatArray
    unknown: float
    confidence: float

    @property
    def share(self) -> FloatArray:
        """Count over visits; NaN without visits."""
        return np.divide(self.count, self.visits, out=np.full(len(self.count), np.nan), where=self.visits > 0)

    def __getitem__(self, place: tuple[int, int]) -> float:
        at = np.flatnonzero((self.state == place[0]) & (self.symbol == place[1]))
        if not len(at):
            known = ", ".join(f"({i}, {k})" for i, k in zip(self.state, self.symbol, strict=True))
            raise KeyError(f"no choice of symbol {place[1]} in state {place[0]}; (state, symbol) are {known}")
        return float(self.share[at[0]])

    def __str__(self) -> str:
        rows = [f"{'state':>5}{'symbol':>8}{'machine':>9}{'found':>8}   {self.confidence:.0%} interval    visits"]
        for k, share in enumerate(self.share):
            rows.append(
                f"{self.state[k]:>5}{self.symbol[k]:>8}{self.expected[k]:>9.3f}{share:>8.3f}   {self.low[k]:.3f} to "
                f"{self.high[k]:.3f}{self.visits[k]:>10}"
            )
        return "\n".join([*rows, f"state not known at {self.unknown:.2%} of the steps"])


def legality(symbols: Any, machine: FiniteState, *, n: int = 12, from_start: bool = False) -> Legality:
    """Count the symbols and the words that a machine can't have made.

    Parameters
    ----------
    symbols : array or tensor of int, shape (time) or (sequence, time), or list of (time)
    machine : FiniteState
    n : int
        Symbols in a word, at least 1, at most the length of a sequence.
    from_start : bool
        Whether sequences begin in the ``start`` of the machine, or in any state.

    Raises
    ------
    ValueError
        For symbols that the machine doesn't have, and sequences shorter than words.

    Notes
    -----
    A symbol is illegal if none of the states that are possible after those before it emits it. After it any state is taken
    as possible: one wrong symbol counts once, and a lost phase isn't held against all that follows.
    """
    from neurodyn.tasks.symbol_sequences import read

    given = read(symbols, machine.symbols)
    legal = _flat(machine.legal(symbols, from_start=from_start))
    begins = windows(given, whole(n, "n"), "symbols")
    words = machine.legal(given.symbols[begins[:, None] + np.arange(n)], from_start=False)
    first = [(len(part) if part.all() else int(part.argmin())) for part in np.split(legal, given.ends[:-1])]
    illegal = int((~legal).sum())
    return Legality(
        illegal / len(legal), float((~words.all(axis=1)).mean()), np.array(first, dtype=np.int64), illegal, len(legal)
    )


def branch_probabilities(
    symbols: Any, machine: FiniteState, *, from_start: bool = False, confidence: float = 0.95
) -> BranchProbabilities:
    """Count what is emitted in each state of a machine that has more than one symbol to choose from.

    The machine is followed along the symbols; a step counts where those before it leave a single state. After an illegal
    symbol it is lost until they do again, see :func:`legality`.

    Parameters
    ----------
    symbols : array or tensor of int, shape (time) or (sequence, time), or list of (time)
    machine : FiniteState
        Unifilar: state and symbol determine the next state.
    from_start : bool
        Whether sequences begin in the ``start`` of the machine, or in any state.
    confidence : float
        Of the intervals, between 0 and 1.

    Raises
    ------
    ValueError
        For a machine that isn't unifilar or has no choice anywhere, and symbols it doesn't have.
    """
    from neurodyn.tasks.symbol_sequences import read

    given = read(symbols, machine.symbols)
    states = _flat(machine.track(symbols, from_start=from_start))
    emission = machine.emission
    choices = (emission > 0) & ((emission > 0).sum(axis=1, keepdims=True) > 1)
    if not choices.any():
        raise ValueError("machine has one symbol in each state: there is no choice to count")
    counts = np.zeros(emission.shape, dtype=np.int64)
    known = states >= 0
    np.add.at(counts, (states[known], given.symbols[known]), 1)
    state, symbol = np.nonzero(choices)
    count, visits = counts[state, symbol], counts.sum(axis=1)[state]
    intervals = [
        binomial_interval(int(k), int(v), confidence=confidence) if v else None
        for k, v in zip(count, visits, strict=True)
    ]
    return BranchProbabilities(
        state=state,
        symbol=symbol,
        expected=emission[state, symbol],
        count=count,
        visits=visits,
        low=np.array([0.0 if i is None else i.low for i in intervals]),
        high=np.array([1.0 if i is None else i.high for i in intervals]),
        unknown=float((~known).mean()),
        confidence=confidence,
    )


def _flat(values: Any) -> np.ndarray:
    return np.concatenate(values) if isinstance(values, list) else values.ravel()
