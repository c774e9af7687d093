"""How far the words that a generator makes are from those of its reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import FloatArray, IntArray, number, whole
from ._words import code_words, word_codes

if TYPE_CHECKING:
    from neurodyn.tasks.finite_state import FiniteState

_FIRST = 2**30  # number of our first batch: those of a user's seed must not come back as its floor
_LARGEST = 2**62  # code of a word


@dataclass(frozen=True, eq=False)
class WordDivergence:
    """Words of n symbols beside those of a reference; divergences are in nats.

    Attributes
    ----------
    divergence, reverse : float
        KL(reference || generated), and KL(generated || reference).
    sampled, sampled_reverse : array, shape (repeat)
        The same of perfect samples: as many sequences of the machine, as long. Empty if the reference is no machine.
    words : array of int, shape (word, n)
        All that occur in either, the likeliest of the reference first.
    reference, generated : array, shape (word)
        Their probabilities, and their shares of the windows.
    windows : int
        Words that were counted; they overlap.
    """

    divergence: float
    reverse: float
    sampled: FloatArray
    sampled_reverse: FloatArray
    words: IntArray
    reference: FloatArray
    generated: FloatArray
    windows: int

    @property
    def entropy(self) -> float:
        """Block entropy of the generated words, in bits."""
        return _bits(self.generated)

    @property
    def reference_entropy(self) -> float:
        """Block entropy of the words of the reference, in bits."""
        return _bits(self.reference)

    @property
    def missing(self) -> float:
        """Probability, under the reference, of the words that were never generated."""
        return float(self.reference[self.generated == 0].sum())

    @property
    def strange(self) -> float:
        """Share of the generated words that the reference doesn't have."""
        return float(self.generated[self.reference == 0].sum())

    def __str__(self) -> str:
        lines = [f"{self.windows} words of {self.words.shape[1]} symbols"]
        for name, value, floor in (
            ("KL(reference || generated)", self.divergence, self.sampled),
            ("KL(generated || reference)", self.reverse, self.sampled_reverse),
        ):
            beside = (
                f"; perfect samples {floor.mean():.4f}, {floor.min():.4f} to {floor.max():.4f}" if len(floor) else ""
            )
            lines.append(f"{name} {value:.4f} nats{beside}")
        lines.append(f"block entropy {self.entropy:.3f} bits, of the reference {self.reference_entropy:.3f}")
        lines.append(f"never generated: {self.missing:.2%}; not in the reference: {self.strange:.2%}")
        return "\n".join(lines)


def word_divergence(
    symbols: Any,
    reference: FiniteState | Any,
    *,
    n: int = 12,
    floor: float = 1e-4,
    repeats: int = 20,
    seed: int = 0,
) -> WordDivergence:
    """Compare the words of n symbols in sequences with those of a machine, or of other sequences.

    Words are windows that slide along each sequence. The divergence of few words is not 0, even from a perfect generator:
    a machine as reference also gives that of its own samples of the same size.

    Parameters
    ----------
    symbols : array or tensor of int, shape (time) or (sequence, time), or list of (time)
        Generated symbols, from 0 on. Without a transient: the reference is the endless process.
    reference : FiniteState, or symbols
        What they are compared with: probabilities in closed form, or shares of words in other sequences.
    n : int
        Symbols in a word, at least 1, at most the length of a sequence.
    floor : float
        Least probability of a word in the second place of a divergence, above 0. What is missing there, or rarer, counts
        as if it had this probability; without it a single missing word would make the divergence infinite.
    repeats, seed : int
        Perfect samples, at least 1, and their key.

    Raises
    ------
    ValueError
        For symbols that aren't the machine's, and sequences shorter than words.

    Notes
    -----
    Because of the floor, probabilities in the second place sum to a little more than 1, and a divergence near 0 may be
    below it. Perfect samples begin in the ``start`` of the machine.
    The toolkit of Tani's lab (github.com/jnamika/rnn) has a floor of .001 in both directions.
    """
    from neurodyn.tasks.finite_state import FiniteState
    from neurodyn.tasks.symbol_sequences import Sequences, read

    n, floor = whole(n, "n"), number(floor, "floor", unit="", low=0, strict=True)
    repeats, seed = whole(repeats, "repeats"), whole(seed, "seed", low=0)
    machine = reference if isinstance(reference, FiniteState) else None
    given = read(symbols, None if machine is None else machine.symbols)
    if machine is None:
        other = read(reference)
        base = 1 + int(max(given.symbols.max(), other.symbols.max()))
        _refuse_long(n, base)
        expected = _shares(word_codes(other, n, base, "reference"))
    else:
        base = machine.symbols
        _refuse_long(n, base)
        listed, probabilities = machine.words(n)
        expected = listed @ base ** np.arange(n - 1, -1, -1, dtype=np.int64), probabilities

    def compared(these: Sequences) -> tuple[IntArray, FloatArray, FloatArray]:
        codes, shares = _shares(word_codes(these, n, base, "symbols"))
        every = np.union1d(codes, expected[0])
        p, q = np.zeros(len(every)), np.zeros(len(every))
        p[np.searchsorted(every, expected[0])] = expected[1]
        q[np.searchsorted(every, codes)] = shares
        return every, p, q

    every, p, q = compared(given)
    floors = np.zeros((2, 0))
    if machine is not None:
        lengths = np.diff(given.ends, prepend=0)
        longest = int(lengths.max())
        cut = np.arange(longest) < lengths[:, None]
        floors = np.zeros((2, repeats))
        for k in range(repeats):
            drawn = machine.sample(len(lengths), longest, seed=seed, step=_FIRST + k)[1].numpy()
            _, right, left = compared(Sequences(drawn[cut], given.ends, None))
            floors[:, k] = _kl(right, left, floor), _kl(left, right, floor)
    order = np.lexsort((every, -p))
    return WordDivergence(
        divergence=_kl(p, q, floor),
        reverse=_kl(q, p, floor),
        sampled=floors[0],
        sampled_reverse=floors[1],
        words=code_words(every[order], n, base),
        reference=p[order],
        generated=q[order],
        windows=int(np.maximum(np.diff(given.ends, prepend=0) - n + 1, 0).sum()),
    )


def _shares(codes: IntArray) -> tuple[IntArray, FloatArray]:
    found, counts = np.unique(codes, return_counts=True)
    return found, counts / counts.sum()


def _refuse_long(n: int, base: int) -> None:
    if base**n > _LARGEST:
        raise ValueError(f"n = {n}: words of {base} symbols can't be longer than {int(62 / np.log2(base))}")


def _kl(p: FloatArray, q: FloatArray, floor: float) -> float:
    there = p > 0
    return float(np.sum(p[there] * np.log(p[there] / np.maximum(q[there], floor))))


def _bits(p: FloatArray) -> float:
    there = p[p > 0]
    return float(0.0 - np.sum(there * np.log2(there)))
