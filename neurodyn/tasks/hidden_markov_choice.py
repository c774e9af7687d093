"""How many states data ask for: hidden Markov models of several sizes, fitted to some sequences and tried on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodyn.citing import cites
from neurodyn.models.naming import one_of
from neurodyn.tasks.fields import whole
from neurodyn.tasks.hidden_markov import HiddenMarkov
from neurodyn.tasks.hidden_markov_fit import HiddenMarkovFit, Matrices, baum_welch
from neurodyn.tasks.symbol_sequences import IntArray, Sequences, read

if TYPE_CHECKING:
    import pandas

_RULES = ("best", "one-standard-error")
_APART = 0.1  # how much of the rows of two states that were one is drawn anew


@dataclass(frozen=True, eq=False)
class HiddenMarkovChoice:
    """Models of several numbers of states beside one another, and which was chosen.

    Attributes
    ----------
    states : int
        Of the model that was chosen.
    table : pandas.DataFrame
        A row for each number of states. ``training`` and ``held_out``: log-likelihood per symbol, in nats, each with its
        standard error over sequences (``_error``). ``behind``: held-out log-likelihood per symbol that it loses to the
        best number of states, with the standard error of that difference, in which what all models find hard cancels.
        ``parameters``: free ones. ``AIC``, ``BIC``: of the training sequences, in nats times 2; the smaller, the better.
        ``converged``: whether the fit has.
    fits : mapping of int to HiddenMarkovFit
        By number of states.
    training, held_out : list of (time,)
        The sequences of either kind.
    """

    states: int
    table: pandas.DataFrame
    fits: Mapping[int, HiddenMarkovFit]
    training: list[IntArray]
    held_out: list[IntArray]

    @property
    def model(self) -> HiddenMarkov:
        """The model that was chosen, as fitted to the training sequences."""
        return self.fits[self.states].model

    def __repr__(self) -> str:
        return (
            f"<{self.states} states of {', '.join(map(str, self.fits))}; {len(self.training)} sequences for training, "
            f"{len(self.held_out)} held out>\n{self.table.to_string(float_format='{:.4g}'.format)}"
        )


@cites("akaike1974", "schwarz1978")
def choose_hidden_markov(
    sequences: Any,
    *,
    states: Sequence[int] | int = (1, 2, 3, 4),
    symbols: int | None = None,
    held_out: float = 0.25,
    rule: Literal["best", "one-standard-error"] = "best",
    starts: int = 5,
    seed: int = 0,
    tolerance: float = 1e-3,
    iterations: int = 2000,
) -> HiddenMarkovChoice:
    """Fit models of several numbers of states to some of the sequences, and choose by the likelihood of the others.

    Parameters
    ----------
    sequences : array (sequence, time), or list of (time,)
        Symbols as integers from 0 on; of a list, of any lengths. A long recording has to be cut into pieces of several
        correlation times, since errors are taken over sequences.
    states : int or sequence of int
        Numbers of states to try, each at least 1.
    symbols : int, optional
        Of the models; one more than the largest that occurs if not given.
    held_out : float
        Share of the sequences, chosen at random, that no model is fitted to; in (0, 1), at least 2 sequences.
    rule : "best" or "one-standard-error"
        The highest held-out likelihood; or the fewest states that are no more than one standard error behind it, which
        is the error of the difference, over held-out sequences.
    starts, tolerance, iterations
        Of each fit, see :meth:`HiddenMarkov.fit`; besides ``starts`` random ones, it begins from the next smaller model,
        with one of its states split in two, each in turn.
    seed : int
        Key of the random starts, and of which sequences are held out.

    Returns
    -------
    HiddenMarkovChoice

    Raises
    ------
    ValueError
        For numbers out of range; a single sequence or too few; symbols that only held-out sequences have; more free
        parameters than symbols to fit them to; and data of which every model rules something out.

    References
    ----------
    Akaike (1974) IEEE Trans. Autom. Control 19:716; Schwarz (1978) Ann. Stat. 6:461; one standard error: Breiman et al.
    (1984) Classification and Regression Trees, there with the error of the best itself.
    """
    one_of("rule", rule, _RULES)
    given, numbers = read(sequences, None if symbols is None else whole(symbols, "symbols", 1)), _numbers(states)
    if not 0 < held_out < 1:
        raise ValueError(f"held_out={held_out!r}: give a share of the sequences between 0 and 1, such as 0.25")
    which = _held_out(given, held_out, whole(seed, "seed", 0))
    known, unseen = given.chosen(~which), given.chosen(which)
    count = symbols or int(given.symbols.max()) + 1
    _check_symbols(given, which, count)
    for number in numbers:
        free = _parameters(number, count)
        if free >= len(known.symbols):
            raise ValueError(
                f"states={number}: {count} symbols make {free} free parameters, and {len(known.symbols)} symbols are "
                "left to fit them to; give more data, fewer states, or merge symbols"
            )
    training, tried = ([part.copy() for part in s.steps(s.symbols)] for s in (known, unseen))
    how: dict[str, Any] = {"tolerance": tolerance, "iterations": iterations}
    fits: dict[int, HiddenMarkovFit] = {}
    for number in numbers:
        fit = HiddenMarkov.fit(training, states=number, symbols=count, starts=starts, seed=seed, **how)
        fits[number] = _grown(fits[max(fits)], known, number, fit, seed=seed, **how) if fits else fit
    totals = np.array([fit.model.log_likelihood(tried) for fit in fits.values()])
    lengths = np.array([len(part) for part in tried])
    means = totals.sum(axis=1) / lengths.sum()
    best = int(np.argmax(means))
    if np.isneginf(means[best]):
        impossible = int(np.flatnonzero(np.isneginf(totals[best]))[0])
        raise ValueError(
            f"every model rules out a sequence that is held out, such as {tried[impossible][:20].tolist()}...: give more "
            "data, fewer states, or merge symbols that are rare"
        )
    rows = []
    for fit, total in zip(fits.values(), totals, strict=True):
        seen, seen_error = log_likelihood_per_symbol(fit.model, training)
        mean, error = _per_symbol(total, lengths)
        lost, lost_error = _per_symbol(totals[best] - total, lengths)
        free, log_likelihood = _parameters(fit.model.states, count), float(fit.log_likelihood[-1])
        rows.append(
            {
                "training": seen,
                "training_error": seen_error,
                "held_out": mean,
                "held_out_error": error,
                "behind": lost,
                "behind_error": lost_error,
                "parameters": free,
                "AIC": 2 * (free - log_likelihood),
                "BIC": free * float(np.log(len(known.symbols))) - 2 * log_likelihood,
                "converged": fit.converged,
            }
        )
    chosen = numbers[best]
    if rule == "one-standard-error":
        chosen = min(n for n, row in zip(numbers, rows, strict=True) if row["behind"] <= row["behind_error"])
    return HiddenMarkovChoice(chosen, _table(rows, numbers), fits, training, tried)


def log_likelihood_per_symbol(model: HiddenMarkov, sequences: Any) -> tuple[float, float]:
    """Return the log-likelihood of sequences under a model per symbol, in nats, and its standard error over sequences.

    Longer sequences count for more: it is the sum of all over the number of all symbols, and the error that of a ratio;
    that of a single one is NaN. -inf and NaN if one can't occur.

    Parameters
    ----------
    model : HiddenMarkov
    sequences : array or list of arrays
        As in :func:`choose_hidden_markov`.
    """
    given = read(sequences, model.symbols)
    return _per_symbol(np.atleast_1d(model.log_likelihood(sequences)), np.diff(given.ends, prepend=0))


def _per_symbol(totals: NDArray[np.float64], lengths: NDArray[np.int64]) -> tuple[float, float]:
    mean, count = float(totals.sum() / lengths.sum()), len(totals)
    if count < 2 or not np.isfinite(mean):
        return mean, float("nan")
    residuals = totals - mean * lengths
    return mean, float(np.sqrt(count / (count - 1) * np.sum(residuals**2)) / lengths.sum())


def _grown(
    smaller: HiddenMarkovFit, sequences: Sequences, states: int, fit: HiddenMarkovFit, *, seed: int, **how: Any
) -> HiddenMarkovFit:
    """The better of a fit and of those that begin from a smaller model, each with another of its states split first.

    Random starts may all end in maxima below that of fewer states, which a model of more contains.
    """
    best, finals = fit, list(fit.starts)
    for first in range(smaller.model.states):
        rng = np.random.default_rng([seed, states, first])
        matrices = smaller.model.start, smaller.model.transition, smaller.model.emission
        for k in range(states - smaller.model.states):
            matrices = _split(matrices, (first + k) % smaller.model.states, rng)
        (start, transition, emission), history, converged = baum_welch(sequences, matrices, **how)
        finals.append(history[-1])
        if history[-1] > best.log_likelihood[-1]:
            best = HiddenMarkovFit(HiddenMarkov(transition, emission, start), history, converged, best.starts)
    return replace(best, starts=np.array(finals))


def _split(matrices: Matrices, state: int, rng: np.random.Generator) -> Matrices:
    """One of the states is two, each half as often entered, with rows that differ a little."""
    start, transition, emission = (np.concatenate([p, p[state : state + 1]]) for p in matrices)
    transition = np.concatenate([transition, transition[:, state : state + 1]], axis=1)
    start[[state, -1]] /= 2
    transition[:, [state, -1]] /= 2
    for rows in (transition, emission):
        for row in (state, -1):
            rows[row] = (1 - _APART) * rows[row] + _APART * rng.dirichlet(np.ones(rows.shape[1]))
    return start, transition, emission


def _numbers(states: Any) -> list[int]:
    given = list(states) if isinstance(states, Sequence | np.ndarray | range) else [states]
    numbers = sorted({whole(number, "states", 1) for number in given})
    if not numbers:
        raise ValueError("states=(): give at least one number of states, such as (1, 2, 3)")
    return numbers


def _parameters(states: int, symbols: int) -> int:
    return states * (states - 1) + states * (symbols - 1) + states - 1


def _held_out(given: Sequences, share: float, seed: int) -> NDArray[np.bool_]:
    count = len(given.ends)
    if count == 1:
        raise ValueError(
            f"sequences holds one sequence, of {len(given.symbols)} symbols, and some have to be held out; cut it into "
            "pieces of several correlation times: np.array_split(sequence, 20)"
        )
    unseen = round(share * count)
    if unseen < 2 or count - unseen < 2:
        raise ValueError(
            f"held_out={share:g} of {count} sequences are {unseen}; at least 2 have to be held out and 2 to be left: "
            "give more sequences (cut long ones into pieces), or another share"
        )
    which = np.zeros(count, dtype=np.bool_)
    which[np.random.default_rng(seed).permutation(count)[:unseen]] = True
    return which


def _check_symbols(given: Sequences, which: NDArray[np.bool_], count: int) -> None:
    unseen = np.repeat(which, np.diff(given.ends, prepend=0))
    known = np.bincount(given.symbols[~unseen], minlength=count) > 0
    wrong = np.flatnonzero(unseen & ~known[given.symbols])
    if wrong.size:
        raise ValueError(
            f"{given.place(int(wrong[0]))} holds {given.symbols[wrong[0]]}, which occurs in held-out sequences only, so "
            "that no fit can know it; merge rare symbols, give more data, or another seed"
        )


def _table(rows: list[dict[str, Any]], numbers: list[int]) -> pandas.DataFrame:
    import pandas

    return pandas.DataFrame(rows, index=pandas.Index(numbers, name="states"))
