"""Fit of a hidden Markov model to sequences by expectation-maximisation (Baum-Welch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurodyn.tasks.stochastic_matrices import FloatArray
from neurodyn.tasks.symbol_sequences import Sequences

if TYPE_CHECKING:
    from neurodyn.tasks.hidden_markov import HiddenMarkov

_NOTHING = 1e-100  # an expected count that can be taken for 0

Matrices = tuple[FloatArray, FloatArray, FloatArray]  # start, transition, emission


@dataclass(frozen=True, eq=False)
class HiddenMarkovFit:
    """A hidden Markov model fitted to sequences.

    Attributes
    ----------
    model : HiddenMarkov
        Of the start with the highest log-likelihood.
    log_likelihood : array, shape (iteration,)
        Of all sequences in nats, on the way; the last is that of ``model``. It never decreases.
    converged : bool
        Whether the last gain was below the tolerance; otherwise the iterations ran out.
    starts : array, shape (start,)
        Final log-likelihood of each start: where they disagree, there are several local maxima.
    """

    model: HiddenMarkov
    log_likelihood: FloatArray
    converged: bool
    starts: FloatArray


def random_matrices(states: int, frequencies: FloatArray, rng: np.random.Generator) -> Matrices:
    """Where a fit begins: states that rather stay, symbols half as frequent as observed and half at random."""
    transition = (np.eye(states) + rng.dirichlet(np.ones(states), size=states)) / 2
    emission = (frequencies + rng.dirichlet(np.ones(len(frequencies)), size=states)) / 2
    return np.full(states, 1 / states), transition, emission


def baum_welch(
    sequences: Sequences, matrices: Matrices, *, tolerance: float, iterations: int
) -> tuple[Matrices, FloatArray, bool]:
    """Updated matrices, the log-likelihood (iteration,) of every set of them on the way, and whether it converged.

    After every two updates, a step further in their direction is tried (SQUAREM, Varadhan & Roland 2008, scheme S3)
    and kept if it raises the log-likelihood. This goes on until both together gain less than ``tolerance``, or
    ``iterations`` sets of matrices have been evaluated.
    """
    likelihood, counts = expected_counts(sequences, matrices)
    history = [likelihood]
    evaluated, gain = 1, np.inf
    while evaluated < iterations and gain >= tolerance:
        first = normalised(counts, matrices)
        likelihood, counts = expected_counts(sequences, first)
        history.append(likelihood)
        second = normalised(counts, first)
        further = _extrapolated(matrices, first, second)
        reached, found = expected_counts(sequences, further)
        evaluated += 2
        if not reached >= likelihood:
            further = second
            reached, found = expected_counts(sequences, second)
            evaluated += 1
        gain = reached - history[-2]
        matrices, counts = further, found
        history.append(reached)
    return matrices, np.array(history), bool(gain < tolerance)


def _extrapolated(before: Matrices, first: Matrices, second: Matrices) -> Matrices:
    """Matrices further along the way from ``before`` over ``first`` to ``second``; at least that far."""
    once = [b - a for a, b in zip(before, first, strict=True)]
    bend = [c - b - r for b, c, r in zip(first, second, once, strict=True)]
    squares = [sum(float(np.sum(d**2)) for d in steps) for steps in (once, bend)]
    if squares[1] == 0:
        return second
    length = max(1.0, np.sqrt(squares[0] / squares[1]))
    rows = []
    for a, r, v, c in zip(before, once, bend, second, strict=True):
        # A tenth of what two updates give is the least, so that no probability is lost to a step too long.
        row = np.maximum(a + 2 * length * r + length**2 * v, c / 10)
        rows.append(row / row.sum(axis=-1, keepdims=True))
    return rows[0], rows[1], rows[2]


def expected_counts(sequences: Sequences, matrices: Matrices) -> tuple[float, Matrices]:
    """Log-likelihood, and the expected numbers of starts in, transitions between and emissions by the states."""
    from neurodyn.tasks.hidden_markov_counts import scaled_counts

    likelihood, exact, starts, moves, emitted = scaled_counts(sequences.symbols, sequences.ends, *matrices)
    total = float(likelihood.sum())
    if not exact.all():
        rest, counts = expected_counts_of_logs(sequences.chosen(~exact), matrices)
        total, starts, moves, emitted = total + rest, starts + counts[0], moves + counts[1], emitted + counts[2]
    return total, (starts, moves, emitted)


def expected_counts_of_logs(sequences: Sequences, matrices: Matrices) -> tuple[float, Matrices]:
    """The same in log space: exact for any probabilities."""
    from neurodyn.tasks.hidden_markov_kernels import backward, forward

    with np.errstate(divide="ignore"):
        start, transition, emission = (np.log(p) for p in matrices)
    filtered, predicted = forward(sequences.symbols, sequences.ends, start, transition, emission)
    posterior, moves = backward(sequences.symbols, sequences.ends, transition, emission, filtered, predicted)
    symbols = emission.shape[1]
    emitted = posterior.T @ np.eye(symbols)[sequences.symbols]
    return float(predicted.sum()), (posterior[sequences.begins].sum(axis=0), moves, emitted)


def normalised(counts: Matrices, before: Matrices) -> Matrices:
    """Counts divided by the sums of their rows; a state without any keeps the row that it had."""
    rows = []
    for count, old in zip(counts, before, strict=True):
        # What vanishes does so for ever; on its way through the smallest floats it would only cost time.
        count = np.where(count < _NOTHING, 0.0, count)
        total = count.sum(axis=-1, keepdims=True)
        rows.append(np.divide(count, total, out=old.copy(), where=total > 0))
    return rows[0], rows[1], rows[2]
