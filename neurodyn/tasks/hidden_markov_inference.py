"""What sequences of symbols tell about the states of a hidden Markov model, in log space."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodyn.tasks.hidden_markov_dwell import Durations
from neurodyn.tasks.stochastic_matrices import FloatArray
from neurodyn.tasks.symbol_sequences import Sequences, read


class Inference(Durations):
    """Inference in :class:`neurodyn.tasks.HiddenMarkov`.

    ``sequences`` are integers from 0 on: an array or tensor (time,) or (sequence, time), or a list of sequences
    (time,) of any lengths. What is known of every step comes back in the same form. All begin from ``start``. A
    symbol that isn't one of the model's is a ValueError that names sequence, step and symbol.
    """

    @property
    def logs(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Logarithms of start, transition and emission; -inf for 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.start), np.log(self.transition), np.log(self.emission)

    def log_likelihood(self, sequences: Any) -> Any:
        """Log-probability of each sequence in nats, (sequence,), or a float for a single one; -inf if it can't occur.

        Divided by minus the length, it is the cross-entropy per symbol.
        """
        from neurodyn.tasks.hidden_markov_kernels import forward

        read_in = read(sequences, self.symbols)
        predicted = forward(read_in.symbols, read_in.ends, *self.logs)[1]
        return read_in.totals(np.add.reduceat(predicted, read_in.begins))

    def filter(self, sequences: Any) -> Any:
        """Probability of each state at each step given the symbols up to there, (..., time, state).

        Raises
        ------
        ValueError
            For a sequence that can't occur; names it, and the step from which on it can't.
        """
        from neurodyn.tasks.hidden_markov_kernels import forward

        read_in = read(sequences, self.symbols)
        filtered, predicted = forward(read_in.symbols, read_in.ends, *self.logs)
        possible(read_in, predicted)
        return read_in.steps(np.exp(filtered))

    def predict(self, sequences: Any) -> Any:
        """Log-probability of each symbol given those before it, (..., time); they sum to the log-likelihood.

        -inf from a symbol that can't occur on to the end of its sequence.
        """
        from neurodyn.tasks.hidden_markov_kernels import forward

        read_in = read(sequences, self.symbols)
        return read_in.steps(forward(read_in.symbols, read_in.ends, *self.logs)[1])

    def smooth(self, sequences: Any) -> Any:
        """Probability of each state at each step given the whole sequence, (..., time, state): forward-backward.

        Raises
        ------
        ValueError
            For a sequence that can't occur; names it, and the step from which on it can't.
        """
        from neurodyn.tasks.hidden_markov_kernels import backward, forward

        read_in, (start, transition, emission) = read(sequences, self.symbols), self.logs
        filtered, predicted = forward(read_in.symbols, read_in.ends, start, transition, emission)
        possible(read_in, predicted)
        posterior, _ = backward(read_in.symbols, read_in.ends, transition, emission, filtered, predicted)
        return read_in.steps(posterior)

    def viterbi(self, sequences: Any) -> tuple[Any, Any]:
        """Most probable path of states, (..., time), and its log-probability jointly with the symbols, (sequence,).

        The second is a float for a single sequence. Of equally probable paths, the one of lower states is taken, from
        the end backwards.

        Raises
        ------
        ValueError
            For a sequence that can't occur; names it.
        """
        from neurodyn.tasks.hidden_markov_kernels import best_paths

        read_in = read(sequences, self.symbols)
        path, best = best_paths(read_in.symbols, read_in.ends, *self.logs)
        wrong = np.flatnonzero(np.isneginf(best))
        if wrong.size:
            raise ValueError(f"sequences[{wrong[0]}] can't occur in this model; see predict() for the step")
        return read_in.steps(path), read_in.totals(best)


def possible(sequences: Sequences, predicted: FloatArray) -> None:
    """Refuse sequences with a symbol of probability 0 given those before it; ``predicted`` (step,) are logs."""
    wrong = np.flatnonzero(np.isneginf(predicted))
    if wrong.size:
        raise ValueError(
            f"{sequences.place(int(wrong[0]))} holds {sequences.symbols[wrong[0]]}, which has probability 0 after what "
            "came before; log_likelihood() of such a sequence is -inf, its states are undefined"
        )
