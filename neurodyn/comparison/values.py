"""Which results of runs are compared, as numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurodyn.comparison.rows import PATHS, RunRow, some

if TYPE_CHECKING:
    import pandas

    from neurodyn.recording import Recording


def numbers(
    rows: Sequence[RunRow], value: str | Sequence[str] | Callable[[Recording], float] | None
) -> tuple[dict[str, list[float]], list[str]]:
    """The results to compare, by name, and remarks on those that are not."""
    if callable(value):
        return {getattr(value, "__name__", "value").strip("<>"): [_called(value, row) for row in rows]}, []
    if value is not None:
        names = [value] if isinstance(value, str) else list(value)
        if not names:
            raise ValueError("value = []: name a result, or leave it out for all that are numbers")
        return {name: [_number(row, name) for row in rows] for name in names}, []
    every = list(dict.fromkeys(name for row in rows for name in row.results))
    numeric = [n for n in every if all(isinstance(row.results.get(n, ""), (int, float, type(None))) for row in rows)]
    found = {n: [row.number(n) for row in rows] for n in numeric}
    found = {n: values for n, values in found.items() if not np.isnan(values).all()}
    varying = {n: values for n, values in found.items() if len(set(values)) > 1}
    if not found:
        raise ValueError(
            f"value: no result is a number in all runs; there are {', '.join(every) or 'none'}; name an element of one that is "
            "a list, such as 'NAME[-1]', a key of the recordings, or give a function of a recording"
        )
    remarks = []
    if varying and (same := [n for n in found if n not in varying]):
        remarks.append(f"the same in all runs: {', '.join(same)}")
    if absent := [n for n in every if any(n not in row.results for row in rows)]:
        remarks.append(f"not in all runs: {', '.join(absent)}")
    return varying or found, remarks


def _number(row: RunRow, name: str) -> float:
    try:
        return row.number(name)
    except ValueError as error:
        raise ValueError(f"value = {name!r}: {row.name} {error}") from None


def _called(function: Callable[[Recording], float], row: RunRow) -> float:
    if row.recording is None:
        raise ValueError(f"value: for a function of {PATHS}")
    found = function(row.recording)
    try:
        return float(found)
    except (TypeError, ValueError):
        raise ValueError(f"value: the function gives {found!r} for {row.name}; it has to give a number") from None


def missing(frame: pandas.DataFrame, values: Sequence[str]) -> list[str]:
    """Runs without a finite number, said for each result."""
    found = []
    for name in values:
        runs = frame["run"][~np.isfinite(frame[name].to_numpy(dtype=float))]
        if len(runs):
            found.append(f"{name}: left out where it is not finite, in {some(runs)}")
    return found
