"""Sequences of symbols from a file or from this package's own source, and what simple models say of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neurodyn as nd

MOST_SYMBOLS = 50  # more are text or measurements, not symbols
SHORTEST_SOURCE = 30  # lines
_KINDS = ("blank", "code", "text")


@dataclass(frozen=True, eq=False)
class Data:
    """Sequences (time,) of whole numbers from 0 on, and what each number stands for."""

    sequences: list[NDArray[np.int64]]
    names: tuple[str, ...]
    source: str

    def __str__(self) -> str:
        lengths = [len(s) for s in self.sequences]
        return (
            f"{self.source}: {len(lengths)} sequences of {min(lengths)} to {max(lengths)} symbols, {sum(lengths)} in all; "
            f"symbols {', '.join(self.names)}"
        )


def read_lines(path: Path) -> Data:
    """Read a text file with one sequence on each line; empty lines are left out.

    Symbols are separated by blanks, commas or semicolons; where no line has any, every character is a symbol. They may be
    numbers or names, and are numbered in their order.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"data = {str(path)!r} can't be read ({error}); give a text file with one sequence on each line"
        ) from None
    lines = [line.strip(" \t,;") for line in text.splitlines()]
    separated = any(re.search(r"[\s,;]", line) for line in lines)
    rows = [re.split(r"[\s,;]+", line) if separated else list(line) for line in lines if line]
    if not rows:
        raise ValueError(f"data = {str(path)!r} is empty; give one sequence on each line")
    found = {symbol for row in rows for symbol in row}
    whole = all(re.fullmatch(r"[+-]?\d+", symbol) for symbol in found)
    names = sorted(found, key=int) if whole else sorted(found)
    if len(names) > MOST_SYMBOLS:
        raise ValueError(
            f"data = {str(path)!r} has {len(names)} different symbols, such as {', '.join(names[:5])}; at most "
            f"{MOST_SYMBOLS}: sort them into classes, and separate symbols of several characters by blanks"
        )
    number = {symbol: k for k, symbol in enumerate(names)}
    return Data([np.array([number[symbol] for symbol in row]) for row in rows], tuple(names), path.name)


def source_lines() -> Data:
    """The kinds of lines in this package's own files: blank, code, or text (docstrings and comments)."""
    assert nd.__file__ is not None
    folder = Path(nd.__file__).parent
    sequences = [kinds(file.read_text()) for file in sorted(folder.rglob("*.py"))]
    sequences = [s for s in sequences if len(s) >= SHORTEST_SOURCE]
    return Data(sequences, _KINDS, "lines of the source of neurodyn, by kind")


def kinds(source: str) -> NDArray[np.int64]:
    """The kind of each line of a Python file, (line,): 0 blank, 1 code, 2 text."""
    quoted, found = False, []
    for line in map(str.strip, source.splitlines()):
        if quoted or line.startswith(("#", '"""')):
            found.append(2)
        else:
            found.append(1 if line else 0)
        quoted ^= line.count('"""') % 2 == 1
    return np.array(found)


def independent(sequences: Sequence[Any], symbols: int) -> nd.tasks.HiddenMarkov:
    """Symbols without memory; to every count a half is added, so that nothing is impossible."""
    counts = np.bincount(np.concatenate(sequences), minlength=symbols) + 0.5
    return nd.tasks.HiddenMarkov([[1.0]], [counts / counts.sum()])


def markov(sequences: Sequence[Any], symbols: int) -> nd.tasks.HiddenMarkov:
    """A chain of the symbols themselves; to every count a half is added."""
    counts = np.full((symbols, symbols), 0.5)
    for s in sequences:
        np.add.at(counts, (s[:-1], s[1:]), 1)
    first = np.bincount([s[0] for s in sequences], minlength=symbols) + 0.5
    return nd.tasks.HiddenMarkov(counts / counts.sum(1, keepdims=True), np.eye(symbols), first / first.sum())


def alike(symbols: Any, sequences: Sequence[Any]) -> list[Any]:
    """Cut generated ``symbols`` (sequence, time) to the lengths of sequences, one for each."""
    return [np.asarray(row)[: len(s)] for row, s in zip(symbols, sequences, strict=True)]


def words(sequences: Sequence[Any], n: int, symbols: int) -> NDArray[np.float64]:
    """Share of each word of n symbols, (word,), overlapping ones counted."""
    counts = np.zeros(symbols**n)
    for s in sequences:
        if len(s) >= n:
            codes = np.lib.stride_tricks.sliding_window_view(np.asarray(s), n) @ symbols ** np.arange(n)
            counts += np.bincount(codes, minlength=len(counts))
    return counts / counts.sum()


def word_distance(one: Sequence[Any], other: Sequence[Any], n: int, symbols: int) -> float:
    """Total variation between the words of n symbols of two sets of sequences, from 0 to 1."""
    return float(np.abs(words(one, n, symbols) - words(other, n, symbols)).sum() / 2)
