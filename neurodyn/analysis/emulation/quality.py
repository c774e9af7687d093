"""How well sequences of symbols emulate those of a hidden Markov model: every number beside its sampling floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._checks import IntArray, whole
from ._symbols import symbol_array
from .alignment import align_sequences
from .quality_result import EmulationQuality
from .symbol_refit import refitted
from .symbol_statistics import counted, expected

if TYPE_CHECKING:
    from neurodyn.tasks.hidden_markov import HiddenMarkov

_FIRST = 2**30  # number of our first batch of the model: those of a user's seed 0 must not come back as its floor
_WORD = 6  # symbols in the longest word, unless told
_LAGS = 40
_CELLS = 2**24  # numbers in a table of words, as the model allows
_PREDICTED = 2**22  # numbers from which the entropy rate is estimated
_MOST_STATES = 8  # whose orders a refit can try


def emulation_quality(
    symbols: Any,
    model: HiddenMarkov,
    *,
    sequences: int | None = None,
    longest_word: int | None = None,
    lags: int | None = None,
    refit: bool = False,
    repeats: int = 5,
    seed: int = 0,
) -> EmulationQuality:
    """Compare sequences of symbols with a hidden Markov model, and with what its own sequences give.

    Finite samples of one source differ, too: every metric is also taken of `repeats` independent sets of the model, of
    equal number and length. That is the floor. A generator below it varies too little.

    Parameters
    ----------
    symbols : array or tensor of int, shape (sequence, time)
        Of any generator, from its stationary state; at least 2 sequences of at least 3 symbols.
    model : HiddenMarkov
        What they are to emulate.
    sequences : int, optional
        How many of `symbols`, the first ones, are aligned; all by default. The distance depends on that number. 5000 take 2
        to 30 s for each of the ``repeats + 1`` alignments, less with more threads; time grows with the square.
    longest_word : int, optional
        Symbols in the longest words that are counted, up to the length of the sequences; 6 by default, or what a shorter
        sequence or a large alphabet allows.
    lags : int, optional
        Longest lag of the autocorrelation, below the length of the sequences; 40 by default, or half a shorter sequence.
    refit : bool
        Whether a model with as many states is fitted, to the sequences and to each set of the floor, from 2 random starts.
        Takes seconds to minutes each.
    repeats, seed : int
        Sets of the floor, at least 2, and the key of all draws.

    Returns
    -------
    EmulationQuality

    Raises
    ------
    ValueError, TypeError
        For symbols that are not the model's, too few or too short sequences, and numbers out of range.

    Notes
    -----
    Aligned distance: :func:`align_sequences`, columns `symbols`, rows as many sequences of the model; the floor has two
    sets of the model for each repeat. Bigrams are conditional probabilities of the next symbol, compared with the closed
    form; after a symbol that never occurred they are left out. Cross-entropy: each symbol of the second half of a
    sequence under `model`, given all before it, minus the entropy rate of the model (estimated). It is no divergence:
    below 0, sequences are easier to predict than the model's own, and infinite if one can't occur. Runs count where
    both ends lie within a sequence, in the closed form, too, so that its mean is below that of the endless process.
    All closed forms are those of the stationary process; a model with another `start` shows this in its floor.

    Refits of models that are not identifiable, such as chains of 4 and 5 states, don't come back even from their own
    sequences: their floor says so, and only the Juang-Rabiner distance means something.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante 2025, NeurIPS, arXiv 2510.25674: aligned distance, bigrams, marginals and
    volatility; the closed form stands where they have another sample. Juang & Rabiner 1985, AT&T Tech J 64:391.
    """
    from neurodyn.tasks.hidden_markov import HiddenMarkov

    if not isinstance(model, HiddenMarkov):
        raise TypeError(
            f"model is a {type(model).__name__}: give a HiddenMarkov, such as nd.tasks.HiddenMarkov.chain(2)"
        )
    try:
        _ = model.stationary
    except ValueError as error:
        raise ValueError(
            f"model has no closed forms to compare with, which take one stationary state. {error}"
        ) from None
    given = symbol_array(symbols, "symbols", symbols=model.symbols, shortest=3)
    count, length = given.shape
    aligned = count if sequences is None else whole(sequences, "sequences", low=2, high=count)
    words = _words(longest_word, model, length)
    lags = _within(lags, "lags", length - 1, min(_LAGS, length // 2), length)
    repeats, seed = whole(repeats, "repeats", low=2), whole(seed, "seed", low=0)
    if refit and model.states > _MOST_STATES:
        raise ValueError(
            f"refit = True with {model.states} states: their orders are too many to try, at most {_MOST_STATES} states; "
            "leave refit out"
        )

    tables = [model.ngrams(n).ravel() for n in range(1, words + 1)]

    def sampled(number: int) -> IntArray:
        return model.sample(count, length, seed=seed, step=_FIRST + number)[1].numpy()

    def compared(these: IntArray, number: int) -> Any:
        reference = sampled(2 * number)
        return (
            counted(these, model, tables, lags),
            align_sequences(reference[:aligned], these[:aligned]),
            refitted(these, model, reference, seed=seed, step=_FIRST + 2 * number) if refit else None,
        )

    found = [compared(given, 0), *(compared(sampled(2 * k + 1), k) for k in range(1, repeats + 1))]
    statistics, alignments, refits = zip(*found, strict=True)
    # Predictions of all symbols are held at once: of a large alphabet fewer steps.
    steps = max(200, min(2000, _PREDICTED // (200 * model.symbols)))
    rate, error = model.entropy_rate(sequences=200, length=steps, seed=seed)
    return EmulationQuality(
        model,
        count,
        length,
        aligned,
        statistics[0],
        statistics[1:],
        expected(model, length, words, lags),
        alignments[0],
        alignments[1:],
        rate,
        error,
        refits[0],
        refits[1:] if refit else (),
    )


def _words(longest: int | None, model: HiddenMarkov, length: int) -> int:
    """Symbols in the longest word: as wanted, or what sequences and tables allow."""
    table = 1
    while table < length and model.symbols ** (table + 1) * model.states <= _CELLS:
        table += 1
    if longest is not None and table < whole(longest, "longest_word") <= length:
        raise ValueError(
            f"longest_word = {longest}: {model.symbols}^{longest} words times {model.states} states are more than {_CELLS} "
            f"numbers; at most {table}"
        )
    return _within(longest, "longest_word", length, min(_WORD, table), length)


def _within(value: int | None, name: str, most: int, default: int, length: int) -> int:
    if value is None:
        return default
    if whole(value, name) > most:
        raise ValueError(
            f"{name} = {value}: sequences of {length} symbols allow at most {most}; shorten it, or generate longer sequences"
        )
    return int(value)
