"""Words of symbols: windows that slide along sequences, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._checks import IntArray

if TYPE_CHECKING:
    from neurodyn.tasks.symbol_sequences import Sequences


def windows(given: Sequences, n: int, name: str) -> IntArray:
    """Steps at which a word of `n` symbols begins that its sequence holds completely."""
    ends = np.repeat(given.ends, np.diff(given.ends, prepend=0))
    begins = np.flatnonzero(np.arange(len(ends)) + n <= ends)
    if not len(begins):
        raise ValueError(f"n = {n}: {name} has no sequence as long; give longer ones, or shorten the words")
    return begins


def word_codes(given: Sequences, n: int, base: int, name: str) -> IntArray:
    """The word at each of :func:`windows`, its symbols read as digits of a number to this base."""
    begins = windows(given, n, name)
    code = np.zeros(len(begins), dtype=np.int64)
    for position in range(n):
        code = code * base + given.symbols[begins + position]
    return code


def code_words(codes: IntArray, n: int, base: int) -> IntArray:
    """Words (word, n) of such numbers."""
    return codes[:, None] // base ** np.arange(n - 1, -1, -1, dtype=np.int64) % base
