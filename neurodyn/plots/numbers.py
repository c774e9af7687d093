"""Checks of what comes in, and the few numbers that figures need: mean with spread, correlation, thinning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

Spread = Literal["sd", "sem", "range"]
_SPREADS = {"sd": "mean ± SD", "sem": "mean ± SEM", "range": "mean and range"}


def checked(
    name: str, values: Any, shape: tuple[int | None, ...], *, finite: bool = False, empty: bool = False
) -> np.ndarray:
    """An array of floats of ``shape`` (None: any length), or a ValueError that names it."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected an array of numbers of shape {_text(shape)}; {error}") from None
    fits = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape, strict=True))
    if not fits:
        raise ValueError(f"{name} has shape {array.shape}; expected {_text(shape)}")
    if array.size == 0 and not empty:
        raise ValueError(f"{name} is empty (shape {array.shape}); there is nothing to draw")
    if finite and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} is {array[where]} at {where}; it must be finite")
    return array


def seeds_of(name: str, values: Any, length: int) -> np.ndarray:
    """(seed, length) floats; one row is taken as one seed. NaN is allowed and stays."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1:
        array = array[np.newaxis]
    return checked(name, array, (None, length))


def _text(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"


def centre_and_spread(values: np.ndarray, spread: Spread) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, lower and upper edge over the first axis, of finite values only; NaN where there are none."""
    if spread not in _SPREADS:
        raise ValueError(f"spread = {spread!r}: known are {', '.join(map(repr, _SPREADS))}")
    finite = np.isfinite(values)
    count = finite.sum(axis=0)
    number = np.maximum(count, 1)
    clean = np.where(finite, values, 0.0)
    mean = clean.sum(axis=0) / number
    if spread == "range":
        low = np.where(finite, values, np.inf).min(axis=0)
        high = np.where(finite, values, -np.inf).max(axis=0)
    else:
        squares = np.where(finite, (clean - mean) ** 2, 0.0).sum(axis=0)
        half = np.sqrt(squares / np.maximum(count - 1, 1))
        if spread == "sem":
            half = half / np.sqrt(number)
        low, high = mean - half, mean + half
    blank = count == 0
    return np.where(blank, np.nan, mean), np.where(blank, np.nan, low), np.where(blank, np.nan, high)


def spread_text(spread: Spread, rows: Iterable[Any]) -> str:
    """What line and band are, for conditions with these rows of seeds: ``mean ± SD, 3 to 5 seeds``."""
    counts = sorted({len(row) for row in rows} - {0})
    if counts in ([], [1]):
        return "one seed" if counts else "no seeds"
    number = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    return f"{_SPREADS[spread]}, {number} seeds"


def decimals(value: float, digits: int = 3) -> str:
    """A number with a true minus sign, or ``undefined`` for NaN."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "undefined"


def complete(name: str, values: np.ndarray) -> str:
    """``name``, with a remark in brackets if values of some seeds are missing."""
    whole = int(np.isfinite(values).all(axis=1).sum())
    return name if whole == len(values) else f"{name} ({whole} of {len(values)} seeds complete)"


def mean_correlation(x: np.ndarray, rows: np.ndarray) -> float:
    """Pearson correlation of x with each row, averaged over rows; NaN if x or every row is constant."""
    found = []
    for row in rows:
        use = np.isfinite(row)
        a, b = x[use], row[use]
        if use.sum() > 1 and np.ptp(a) > 0 and np.ptp(b) > 0:
            found.append(float(np.corrcoef(a, b)[0, 1]))
    return float(np.mean(found)) if found else float("nan")


def thinned(time: np.ndarray, values: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """About ``points`` of the samples: least and greatest of each stretch, so that no peak is lost."""
    stretch = int(np.ceil(2 * len(values) / points))
    if stretch <= 2:
        return time, values
    whole = len(values) // stretch * stretch
    blocks = values[:whole].reshape(-1, stretch)
    # argmin and argmax both find a NaN first: a gap stays a gap.
    ordered = np.sort(np.stack([blocks.argmin(axis=1), blocks.argmax(axis=1)], axis=1), axis=1)
    index = (ordered + np.arange(len(blocks))[:, np.newaxis] * stretch).ravel()
    index = np.concatenate([index, np.arange(whole, len(values))])
    return time[index], values[index]
