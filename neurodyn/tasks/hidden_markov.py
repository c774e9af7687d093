"""Hidden Markov models: sequences of symbols with known statistics, as a task and as a yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurodyn.tasks.fields import whole
from neurodyn.tasks.hidden_markov_fit import HiddenMarkovFit, baum_welch, random_matrices
from neurodyn.tasks.hidden_markov_inference import Inference
from neurodyn.tasks.stochastic_matrices import edges, entropy, rows
from neurodyn.tasks.symbol_sequences import read

if TYPE_CHECKING:
    from torch import Tensor

_MOST_ALIGNED = 8  # states of which all orders are tried


@dataclass(frozen=True, eq=False)
class HiddenMarkov(Inference):
    """A hidden Markov chain whose states emit symbols 0, 1, 2, ...

    Parameters
    ----------
    transition : array, shape (state, next state)
        Probabilities; every row sums to 1.
    emission : array, shape (state, symbol)
        Probabilities of the symbols in each state; every row sums to 1.
    start : array, shape (state,), optional
        Probabilities of the first state; the stationary distribution if not given.

    Raises
    ------
    ValueError
        For rows that don't sum to 1 (names the row and its sum), shapes that don't match, or no single stationary
        distribution where no start is given.

    Notes
    -----
    Statistics in closed form: ``stationary``, ``marginal``, ``bigrams``, ``symbol_transition``, ``ngrams``,
    ``symbol_change``, ``volatility``, ``eigenvalues``, ``second_eigenvalue``, ``correlation_time``,
    ``autocorrelation``, ``dwell_times``, ``dwell_moments``, ``run_starts``, ``run_lengths``, ``run_moments``,
    ``marginal_entropy``, ``markov_entropy``. Inference: ``log_likelihood``, ``predict``, ``filter``, ``smooth``,
    ``viterbi``. The presets are the targets of Torre et al. (2025) NeurIPS, arXiv 2510.25674, and their code.
    """

    references: ClassVar[tuple[str, ...]] = ("torre2025",)

    transition: Any
    emission: Any
    start: Any = None

    def __post_init__(self) -> None:
        transition, emission = rows(self.transition, "transition"), rows(self.emission, "emission")
        states = len(transition)
        if transition.shape[1] != states:
            raise ValueError(f"transition has shape {transition.shape}: give one row and one column for each state")
        if len(emission) != states:
            raise ValueError(f"emission has {len(emission)} rows, transition {states}: give one row for each state")
        object.__setattr__(self, "transition", transition)
        object.__setattr__(self, "emission", emission)
        start = rows(self.stationary if self.start is None else self.start, "start", ndim=1)
        if len(start) != states:
            raise ValueError(f"start has {len(start)} numbers, transition {states} rows: give one for each state")
        object.__setattr__(self, "start", start)

    @classmethod
    def chain(cls, states: int = 2, *, crossing: float = 0.05) -> HiddenMarkov:
        """Return a linear chain: steps to neighbours only, symbol 0 at one end and 2 at the other, 1 rare everywhere.

        State i of M emits 0, 1 and 2 with probabilities .99 (1 - a), .01 and .99 a, a = i / (M - 1).

        Parameters
        ----------
        states : int
            M, at least 2; at most 5 for the default crossing.
        crossing : float
            Probability, in (0, 1), of going from one end to the other in M - 1 steps: each has its (M - 1)-th root.
        """
        states = whole(states, "states", 2)
        if not 0 < crossing < 1:
            raise ValueError(f"crossing={crossing!r}: give a probability between 0 and 1")
        step = crossing ** (1 / (states - 1))
        if states > 2 and step > 0.5:
            most = 1 + int(np.log(crossing) / np.log(0.5))
            raise ValueError(
                f"states={states}: a crossing of {crossing:g} takes a probability of {step:.3f} to each neighbour, and "
                f"two of them exceed 1; give at most {most} states, or a smaller crossing"
            )
        transition = step * (np.eye(states, k=1) + np.eye(states, k=-1))
        transition += np.diag(1 - transition.sum(axis=1))
        alpha = np.arange(states) / (states - 1)
        return cls(transition, np.stack([0.99 * (1 - alpha), np.full(states, 0.01), 0.99 * alpha], axis=1))

    @classmethod
    def fully_connected(cls) -> HiddenMarkov:
        """Return three states that stay with .95, go to either other with .025, and emit their own symbol with .98."""
        return cls(0.925 * np.eye(3) + 0.025, 0.97 * np.eye(3) + 0.01)

    @classmethod
    def cyclic(cls) -> HiddenMarkov:
        """Return a ring of four states that stay with .95; two of them, opposite each other, mostly emit symbol 1."""
        ring = np.roll(np.eye(4), 1, axis=1)
        return cls(
            0.95 * np.eye(4) + 0.025 * (ring + ring.T), [[0.9, 0.1, 0], [0.1, 0.9, 0], [0, 0.1, 0.9], [0, 0.9, 0.1]]
        )

    @property
    def config(self) -> dict[str, Any]:
        """Name and parameters, for a recording."""
        return {"task": "HiddenMarkov", **{k: getattr(self, k).tolist() for k in ("transition", "emission", "start")}}

    def sample(
        self, sequences: int, length: int, *, seed: int, step: int = 0, device: Any = "cpu"
    ) -> tuple[Tensor, Tensor]:
        """Return states and symbols, (sequence, time) each, integers.

        They are a function of seed and step alone, the same on every device; more sequences begin with the fewer.

        Parameters
        ----------
        sequences, length : int
            Number of sequences, and of symbols in each; at least 1.
        seed, step : int
            Key of the draws, and number of the batch.
        device : torch device
        """
        import torch

        from neurodyn.kernels.draws import uniforms

        shape = (whole(sequences, "sequences", 1), whole(length, "length", 1))
        where: dict[str, Any] = {"seed": seed, "step": step, "device": device}
        first, following, emitted = (
            torch.as_tensor(edges(p), device=device) for p in (self.start[None], self.transition, self.emission)
        )
        u = uniforms("hidden_markov.states", shape, **where).T.contiguous()
        states = torch.empty(u.shape, dtype=torch.int64, device=device)
        states[0] = (u[0, :, None] >= first).sum(1)
        for t in range(1, shape[1]):
            states[t] = (u[t, :, None] >= following[states[t - 1]]).sum(1)
        states = states.T.contiguous()
        u = uniforms("hidden_markov.symbols", shape, **where)
        symbols = torch.zeros_like(states)
        for edge in emitted.T:
            symbols += u >= edge[states]
        return states, symbols

    def entropy_rate(
        self, *, sequences: int = 200, length: int = 2000, burn_in: int = 200, seed: int = 0
    ) -> tuple[float, float]:
        """Return the entropy of a symbol given all before it, in nats, and the standard error of this estimate.

        The forward algorithm over sampled sequences predicts every symbol; the mean entropy of the predictions is the
        estimate, which varies less than the mean of -log p of the symbols that came.

        Parameters
        ----------
        sequences, length : int
            Sequences, at least 2, and steps that count in each, at least 1.
        burn_in : int
            Symbols before the first prediction that counts, at least 1: several correlation times.
        seed : int
        """
        counted, burn_in = whole(length, "length", 1), whole(burn_in, "burn_in", 1)
        seen = self.sample(whole(sequences, "sequences", 2), burn_in + counted - 1, seed=seed)[1]
        predictions = self.filter(seen)[:, burn_in - 1 :] @ self.transition @ self.emission
        means = entropy(predictions).mean(axis=1)
        return float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))

    @classmethod
    def fit(
        cls,
        sequences: Any,
        *,
        states: int,
        symbols: int | None = None,
        starts: int = 5,
        seed: int = 0,
        tolerance: float = 1e-3,
        iterations: int = 2000,
    ) -> HiddenMarkovFit:
        """Fit a model to sequences by expectation-maximisation from several random starts.

        Parameters
        ----------
        sequences : array (time,) or (sequence, time), or list of (time,)
            Symbols as integers from 0 on; of a list, of any lengths. Each is taken to begin from ``start``, which a
            few sequences hardly determine.
        states, symbols : int
            Of the model; symbols are one more than the largest that occurs if not given.
        starts, seed : int
            Random starts, at least 1, and their key; more starts begin with the fewer.
        tolerance : float
            Gain in log-likelihood, in nats, of two updates and a longer step, below which a start has converged;
            at least 0.
        iterations : int
            Most evaluations of the likelihood for a start, at least 1.

        Returns
        -------
        HiddenMarkovFit
            ``model`` and how it was found. The order of its states is arbitrary: see :meth:`aligned_to`.

        References
        ----------
        Baum et al. (1970) Ann. Math. Stat. 41:164; accelerated as in Varadhan & Roland (2008) Scand. J. Stat. 35:335.
        """
        given = read(sequences, None if symbols is None else whole(symbols, "symbols", 1))
        states, starts, seed = whole(states, "states", 1), whole(starts, "starts", 1), whole(seed, "seed", 0)
        if not tolerance >= 0:
            raise ValueError(f"tolerance={tolerance!r}: give a gain in nats, at least 0")
        iterations = whole(iterations, "iterations", 1)
        counts = np.bincount(given.symbols, minlength=symbols or 0)
        fits = []
        for number in range(starts):
            initial = random_matrices(states, counts / counts.sum(), np.random.default_rng([seed, number]))
            fits.append(baum_welch(given, initial, tolerance=tolerance, iterations=iterations))
        finals = np.array([history[-1] for _, history, _ in fits])
        (start, transition, emission), history, converged = fits[int(finals.argmax())]
        return HiddenMarkovFit(cls(transition, emission, start), history, converged, finals)

    def aligned_to(self, other: HiddenMarkov) -> HiddenMarkov:
        """Return the same model with its states in the order in which it is nearest to another.

        Nearest by the sum of absolute differences of transition and emission, over all orders of at most 8 states.

        Raises
        ------
        ValueError
            For models of different numbers of states or symbols, or more than 8 states.
        """
        if self.emission.shape != other.emission.shape:
            ours, theirs = (f"{m.states} states and {m.symbols} symbols" for m in (self, other))
            raise ValueError(f"this model has {ours}, the other {theirs}; only equal numbers can be aligned")
        if self.states > _MOST_ALIGNED:
            raise ValueError(f"{self.states} states have too many orders to try; at most {_MOST_ALIGNED}")
        orders = np.array(list(permutations(range(self.states))))
        distance = np.abs(self.transition[orders[:, :, None], orders[:, None, :]] - other.transition).sum(axis=(1, 2))
        distance += np.abs(self.emission[orders] - other.emission).sum(axis=(1, 2))
        order = orders[distance.argmin()]
        return HiddenMarkov(self.transition[np.ix_(order, order)], self.emission[order], self.start[order])
