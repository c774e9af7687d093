"""Sequences of symbols in the forms that users have them, laid end to end."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_FORMS = "(time,) or (sequence, time), or a list of sequences (time,) of any lengths"


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences laid end to end.

    Attributes
    ----------
    symbols : array, shape (step,)
        All sequences, one after the other.
    ends : array, shape (sequence,)
        Where each ends.
    shape : tuple of int, optional
        Of the array that was given; None for a list.
    """

    symbols: IntArray
    ends: IntArray
    shape: tuple[int, ...] | None

    @property
    def begins(self) -> IntArray:
        """Where each sequence begins, (sequence,)."""
        return np.concatenate([[0], self.ends[:-1]])

    def chosen(self, which: NDArray[np.bool_]) -> Sequences:
        """Some of the sequences, as a list."""
        lengths = np.diff(self.ends, prepend=0)
        return Sequences(self.symbols[np.repeat(which, lengths)], np.cumsum(lengths[which]), None)

    def steps(self, values: np.ndarray) -> Any:
        """Values (step, ...) in the form in which the sequences were given."""
        if self.shape is None:
            return np.split(values, self.ends[:-1])
        return values.reshape(*self.shape, *values.shape[1:])

    def totals(self, values: np.ndarray) -> Any:
        """Values (sequence,): a float if a single sequence was given."""
        return float(values[0]) if self.shape is not None and len(self.shape) == 1 else values

    def place(self, step: int) -> str:
        """The name of a step, for an error."""
        number = int(np.searchsorted(self.ends, step, side="right"))
        return f"sequences[{number}] at step {step - int(self.begins[number])}"


def read(sequences: Any, symbols: int | None = None) -> Sequences:
    """Sequences of whole numbers, from 0 to ``symbols`` - 1 if it is given."""
    if isinstance(sequences, list | tuple) and not (sequences and isinstance(sequences[0], Integral)):
        parts, shape = [_array(part, f"sequences[{k}]") for k, part in enumerate(sequences)], None
        for k, part in enumerate(parts):
            if part.ndim != 1:
                raise ValueError(f"sequences[{k}] has shape {part.shape}: each of a list has shape (time,)")
    else:
        array = _array(sequences, "sequences")
        if array.ndim not in (1, 2):
            hint = "; of one-hot codes, take argmax(-1)" if array.ndim == 3 else ""
            raise ValueError(f"sequences has shape {array.shape}: give {_FORMS}{hint}")
        parts, shape = list(np.atleast_2d(array)), array.shape
    if not parts:
        raise ValueError(f"sequences is empty: give at least one, {_FORMS}")
    for k, part in enumerate(parts):
        if not len(part):
            raise ValueError(f"sequences[{k}] is empty: leave it out, or give it at least one symbol")
    flat = np.concatenate(parts).astype(np.int64)
    result = Sequences(flat, np.cumsum([len(part) for part in parts]), shape)
    wrong = np.flatnonzero((flat < 0) if symbols is None else (flat < 0) | (flat >= symbols))
    if wrong.size:
        allowed = "symbols count from 0" if symbols is None else f"the model has {symbols} symbols, 0 to {symbols - 1}"
        raise ValueError(f"{result.place(int(wrong[0]))} holds {flat[wrong[0]]}; {allowed}")
    return result


def _array(given: Any, name: str) -> np.ndarray:
    if hasattr(given, "detach"):  # a tensor, on any device
        given = given.detach().cpu()
    try:
        array = np.asarray(given)
    except ValueError:
        raise ValueError(f"{name} has rows of several lengths: give {_FORMS}") from None
    if array.dtype.kind not in "iu" and array.size:
        raise ValueError(f"{name} has dtype {array.dtype}: give symbols as whole numbers, from 0 on")
    return array
