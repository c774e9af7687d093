"""Probabilistic finite-state machines: sequences of symbols with a grammar, as a task and as a yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurodyn.tasks.fields import whole
from neurodyn.tasks.finite_state_edges import machine_edges
from neurodyn.tasks.sequence_draws import sequence_draws
from neurodyn.tasks.stochastic_matrices import FloatArray, entropy, stationary
from neurodyn.tasks.stochastic_matrices import edges as upper_edges
from neurodyn.tasks.symbol_sequences import IntArray, Sequences, read

if TYPE_CHECKING:
    from torch import Tensor

    from neurodyn.tasks.hidden_markov import HiddenMarkov

_WORDS = 2**18  # most words that are listed


@dataclass(frozen=True)
class FiniteState:
    """A probabilistic finite-state machine whose edges emit symbols 0, 1, 2, ...

    Parameters
    ----------
    edges : sequence of (state, next state, symbol, probability)
        States and symbols count from 0; the probabilities of the edges that leave a state sum to 1.
    start : int
        State in which every sequence begins.

    Raises
    ------
    ValueError
        For edges that are none, probabilities that don't sum to 1 (names the state and the sum), edges that occur twice,
        and states that aren't reached from ``start``.

    Notes
    -----
    A machine is unifilar if no state has two edges with the same symbol: then a symbol tells where the machine goes. The
    states along a sequence and the entropy rate are known in closed form for these alone. All ways of giving sequences
    are those of :class:`HiddenMarkov`: integers (time,) or (sequence, time), arrays or tensors, or a list of (time,).

    References
    ----------
    The first experiment of Ahmadi & Tani (2019) Neural Comput. 31:2025 has such a machine, see :meth:`cycle`.
    """

    references: ClassVar[tuple[str, ...]] = ("ahmadi2019",)

    edges: Any
    start: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", whole(self.start, "start", 0))
        object.__setattr__(self, "edges", machine_edges(self.edges, self.start))

    @classmethod
    def cycle(cls, p: float = 0.7) -> FiniteState:
        """Return the ring of three states that emits 1, then 0, then 1 with probability p and 0 otherwise.

        A stand-in for the machine of Ahmadi & Tani (2019) Neural Comput. 31:2025, whose probabilities aren't known here.

        Parameters
        ----------
        p : float
            In (0, 1).
        """
        if not 0 < p < 1:
            raise ValueError(f"p={p!r}: give a probability between 0 and 1")
        return cls(((0, 1, 1, 1.0), (1, 2, 0, 1.0), (2, 0, 1, p), (2, 0, 0, 1 - p)))

    @property
    def config(self) -> dict[str, Any]:
        """Name and parameters, for a recording."""
        return {"task": "FiniteState", "edges": [list(edge) for edge in self.edges], "start": self.start}

    @property
    def states(self) -> int:
        """Number of states."""
        return 1 + max(edge[0] for edge in self.edges)

    @property
    def symbols(self) -> int:
        """Number of symbols: one more than the largest."""
        return 1 + max(edge[2] for edge in self.edges)

    @cached_property
    def matrices(self) -> FloatArray:
        """Probability of each symbol together with each next state, (symbol, state, next state)."""
        result = np.zeros((self.symbols, self.states, self.states))
        for state, following, symbol, probability in self.edges:
            result[symbol, state, following] = probability
        return result

    @property
    def emission(self) -> FloatArray:
        """Probability of each symbol in each state, (state, symbol)."""
        return self.matrices.sum(axis=2).T

    @property
    def unifilar(self) -> bool:
        """Whether state and symbol determine the next state."""
        return bool(((self.matrices > 0).sum(axis=2) <= 1).all())

    @cached_property
    def stationary(self) -> FloatArray:
        """Share of steps that the machine spends in each state, (state,); ValueError if it depends on chance."""
        return stationary(self.matrices.sum(axis=0))

    @property
    def entropy_rate(self) -> float:
        """Entropy of a symbol given all before it, in nats per step.

        ValueError for a machine that isn't unifilar, for which there is no closed form.
        """
        self._refuse_others("entropy_rate")
        return float(self.stationary @ entropy(self.emission))

    @cached_property
    def hidden_markov(self) -> HiddenMarkov:
        """The same process as a hidden Markov model, with one state for each edge, in their order."""
        from neurodyn.tasks.hidden_markov import HiddenMarkov

        origin, following, symbol = (np.array([edge[k] for edge in self.edges]) for k in range(3))
        probability = np.array([edge[3] for edge in self.edges])
        transition = (following[:, None] == origin) * probability
        return HiddenMarkov(transition, np.eye(self.symbols)[symbol], (origin == self.start) * probability)

    def sample(self, count: int, length: int, *, seed: int, step: int = 0) -> tuple[Tensor, Tensor]:
        """Return states before each symbol, and the symbols, (sequence, time) each, integers.

        They are a function of seed and step alone; more and longer sequences begin with the fewer and shorter.

        Parameters
        ----------
        count, length : int
            Number of sequences, and of symbols in each; at least 1.
        seed, step : int
            Key of the draws, and number of the batch, below 2^31.
        """
        import torch

        from neurodyn.tasks.finite_state_kernels import walk

        count, length = whole(count, "count", 1), whole(length, "length", 1)
        leaving = [[edge for edge in self.edges if edge[0] == state] for state in range(self.states)]
        table = np.zeros((3, self.states, max(map(len, leaving))))
        for state, those in enumerate(leaving):
            for k, edge in enumerate(those):
                table[:, state, k] = edge[3], edge[1], edge[2]
        u = sequence_draws("uniform", "finite_state.edges", count, length, seed=seed, step=step)
        following, emitted = table[1:].astype(np.int64)
        states, symbols = walk(u, upper_edges(table[0]), following, emitted, self.start)
        return torch.from_numpy(states), torch.from_numpy(symbols)

    def words(self, n: int) -> tuple[IntArray, FloatArray]:
        """Return all words of n symbols that can occur, (word, n), in order, and their probabilities, (word,).

        At a random step of the endless process. At most 2^18 words.
        """
        n = whole(n, "n", 1)
        words, joint = np.zeros((1, 0), dtype=np.int64), self.stationary[None]
        for _ in range(n):
            longer = np.einsum("wi,aij->waj", joint, self.matrices)
            word, symbol = np.nonzero(longer.sum(axis=2) > 0)
            if len(word) > _WORDS:
                raise ValueError(f"n={n}: there are more than {_WORDS} words; shorten them")
            words, joint = np.column_stack([words[word], symbol]), longer[word, symbol]
        return words, joint.sum(axis=1)

    def log_likelihood(self, sequences: Any) -> Any:
        """Log-probability of each sequence in nats, (sequence,), or a float for a single one; -inf if it can't occur."""
        return self.hidden_markov.log_likelihood(sequences)

    def legal(self, sequences: Any, *, from_start: bool = True) -> Any:
        """Whether each symbol can follow those before it, (..., time).

        Parameters
        ----------
        sequences
            See above.
        from_start : bool
            Whether sequences begin in ``start``; otherwise any state is possible there.

        Notes
        -----
        After an illegal symbol any state is taken as possible. So one wrong symbol counts once, and a lost phase isn't held
        against all that follows.
        """
        given = read(sequences, self.symbols)
        return given.steps(self._followed(given, from_start)[1])

    def track(self, sequences: Any, *, from_start: bool = True) -> Any:
        """Return the state before each symbol, (..., time), integers; -1 where several are possible.

        See :meth:`legal` for the parameters, and for what happens after an illegal symbol.

        Raises
        ------
        ValueError
            For a machine that isn't unifilar.
        """
        self._refuse_others("track")
        given = read(sequences, self.symbols)
        return given.steps(_single(self._followed(given, from_start)[0]))

    def state_after(self, sequences: Any, *, from_start: bool = True) -> IntArray:
        """Return the state after the last symbol of each sequence, (sequence,); -1 where several are possible.

        See :meth:`track`.
        """
        self._refuse_others("state_after")
        return _single(self._followed(read(sequences, self.symbols), from_start)[2])

    def _followed(self, given: Sequences, from_start: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        from neurodyn.tasks.finite_state_kernels import follow

        first = np.arange(self.states) == self.start if from_start else np.ones(self.states, dtype=bool)
        return follow(given.symbols, given.ends, self.matrices > 0, first)

    def _refuse_others(self, name: str) -> None:
        if not self.unifilar:
            symbol, state = (int(k) for k in np.argwhere((self.matrices > 0).sum(axis=2) > 1)[0])
            raise ValueError(
                f"{name} needs a machine in which state and symbol determine the next state, but state {state} has "
                f"several edges with symbol {symbol}; hidden_markov has inference for all machines"
            )


def _single(possible: np.ndarray) -> IntArray:
    """The state where one alone is possible, and -1 elsewhere."""
    return np.where(possible.sum(axis=-1) == 1, possible.argmax(axis=-1), -1)
