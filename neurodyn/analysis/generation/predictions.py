"""Errors of predictions against how far ahead they look, beside the prediction that nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arrays import plain
from .._checks import FloatArray, IntArray, whole


@dataclass(frozen=True, eq=False)
class PredictionError:
    """Squared errors, summed over dimensions; index 0 of ``horizon`` is one step ahead.

    Attributes
    ----------
    error : array, shape (horizon)
        Mean over sequences and steps; NaN where nothing could be compared.
    persistence : array, shape (horizon)
        That of the last observation as prediction, over the same steps.
    by_sequence, persistence_by_sequence : array, shape (sequence, horizon)
        Means over the steps of each sequence.
    count : array of int, shape (horizon)
        Predictions that were compared.
    """

    error: FloatArray
    persistence: FloatArray
    by_sequence: FloatArray
    persistence_by_sequence: FloatArray
    count: IntArray

    @property
    def ratio(self) -> FloatArray:
        """Error over that of persistence, (horizon)."""
        return self.error / self.persistence

    def __str__(self) -> str:
        lines = [f"{'ahead':>5}{'error':>10}{'persistence':>13}{'ratio':>8}{'count':>9}"]
        for h in range(len(self.error)):
            numbers = f"{self.error[h]:>10.4f}{self.persistence[h]:>13.4f}{self.ratio[h]:>8.3f}"
            lines.append(f"{h + 1:>5}{numbers}{self.count[h]:>9}")
        return "\n".join(lines)


def prediction_error(predicted: Any, actual: Any, *, first: int = 20) -> PredictionError:
    """Compare predictions over several horizons with what came.

    Parameters
    ----------
    predicted : array or tensor, shape (sequence, time, horizon, dimension)
        ``predicted[:, t, h]``, made after observing step t, is of ``actual[:, t + h + 1]``. NaN: no prediction was made.
    actual : array or tensor, shape (sequence, time, dimension)
        NaN: not observed. A step with a missing dimension is left out.
    first : int
        The first step t, counted from 0, whose predictions count, at least 0: after 20 observed steps by default.

    Raises
    ------
    ValueError
        For shapes that don't match, and a ``first`` that leaves nothing.
    """
    made, came = plain(predicted).astype(np.float64), plain(actual).astype(np.float64)
    if came.ndim != 3 or made.ndim != 4 or made.shape[:2] != came.shape[:2] or made.shape[3] != came.shape[2]:
        raise ValueError(
            f"predicted has shape {made.shape}, actual {came.shape}: give (sequence, time, horizon, dimension) and "
            "(sequence, time, dimension) with the same sequences, steps and dimensions"
        )
    length = came.shape[1]
    if not made.size:
        raise ValueError(f"predicted has shape {made.shape}: give at least one of everything")
    first = whole(first, "first", low=0, high=length - 2)
    horizons = made.shape[2]
    errors, still = np.full((2, *made.shape[:3]), np.nan)
    for h in range(min(horizons, length - 1 - first)):
        later = came[:, first + h + 1 :]
        until = length - h - 1
        errors[:, first:until, h] = np.square(made[:, first:until, h] - later).sum(axis=2)
        still[:, first:until, h] = np.square(came[:, first:until] - later).sum(axis=2)
    still[np.isnan(errors)] = np.nan
    return PredictionError(
        error=_mean(errors, (0, 1)),
        persistence=_mean(still, (0, 1)),
        by_sequence=_mean(errors, 1),
        persistence_by_sequence=_mean(still, 1),
        count=(~np.isnan(errors)).sum(axis=(0, 1)),
    )


def persistence_error(actual: Any, *, horizons: int = 5, first: int = 20) -> PredictionError:
    """Return the errors of the prediction that nothing changes.

    Parameters
    ----------
    actual : array, shape (sequence, time, dimension)
    horizons : int
        Steps ahead, at least 1.
    first : int
        First step that is scored, as in :func:`prediction_error`.

    Raises
    ------
    ValueError
        Values of another shape, or numbers out of range.
    """
    came = plain(actual)
    if came.ndim != 3:
        raise ValueError(f"actual has shape {came.shape}: give (sequence, time, dimension)")
    return prediction_error(np.repeat(came[:, :, None], whole(horizons, "horizons"), axis=2), came, first=first)


def _mean(values: FloatArray, axis: Any) -> FloatArray:
    """Mean of what isn't NaN; NaN where all is."""
    there = ~np.isnan(values)
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
