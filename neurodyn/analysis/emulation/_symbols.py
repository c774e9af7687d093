"""Checks of symbol sequences that are compared as a set."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import IntArray

_NEEDED = "give whole numbers from 0 on, shape (sequence, time), such as model.sample(1000, 100, seed=1)[1]"


def symbol_array(given: Any, name: str, *, symbols: int | None = None, shortest: int = 1) -> IntArray:
    """`given` as whole numbers (sequence, time), from 0 to `symbols` - 1 if that is known; at least 2 sequences."""
    if hasattr(given, "symbols") and not hasattr(given, "shape"):
        raise ValueError(f"{name} is a {type(given).__name__}: give its symbols, {name}.symbols")
    if hasattr(given, "detach"):  # a tensor, on any device
        given = given.detach().cpu()
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        raise ValueError(f"{name} has rows of several lengths: cut all sequences to one length") from None
    if array.ndim != 2:
        hint = "; of one-hot codes, take argmax(-1)" if array.ndim == 3 else ""
        raise ValueError(f"{name} has shape {array.shape}: {_NEEDED}{hint}")
    if len(array) < 2:
        raise ValueError(
            f"{name} has shape {array.shape}: give at least 2 sequences, since sets are compared; one long sequence of a "
            "stationary source may be cut, as x[: 100 * (len(x) // 100)].reshape(-1, 100) does"
        )
    if array.shape[1] < shortest:
        raise ValueError(f"{name} has shape {array.shape}: give sequences of at least {shortest} symbols")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        sequence, step = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{name}[{sequence}] holds {array[sequence, step]} at step {step}, where a symbol is a whole number: look "
            "where the network that made it diverged"
        )
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} has dtype {array.dtype}: {_NEEDED}")
    wrong = (array < 0) if symbols is None else (array < 0) | (array >= symbols)
    if wrong.any():
        sequence, step = (int(i) for i in np.argwhere(wrong)[0])
        allowed = "symbols count from 0" if symbols is None else f"the model has {symbols} symbols, 0 to {symbols - 1}"
        strange = np.unique(array[wrong])
        named = ", ".join(map(str, strange[:5])) + (", ..." if len(strange) > 5 else "")
        raise ValueError(
            f"{name}[{sequence}] holds {array[sequence, step]} at step {step}; {allowed}. In all {int(wrong.sum())} of "
            f"{array.size} are others: {named}"
        )
    return array.astype(np.int64)
