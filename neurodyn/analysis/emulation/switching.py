"""When the winner changes: times between switches, of a network and of a hidden Markov model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray

if TYPE_CHECKING:
    from neurodyn.tasks.hidden_markov import HiddenMarkov


@dataclass(frozen=True)
class DwellTimes:
    """Steps from one switch to the next; ``print`` shows them as text.

    Attributes
    ----------
    mean, cv : float
        Mean in steps, and coefficient of variation; NaN where nothing was counted.
    count : float
        Complete intervals that were counted; infinite for a closed form.
    """

    mean: float
    cv: float
    count: float

    def __str__(self) -> str:
        counted = "closed form" if np.isinf(self.count) else f"{self.count:.0f} intervals"
        return f"mean {self.mean:.3g} steps, CV {self.cv:.3g} ({counted})"


def switch_times(symbols: IntArray) -> IntArray:
    """Steps at which one sequence (time) differs from the step before."""
    return np.flatnonzero(np.diff(symbols)) + 1


def intervals(symbols: IntArray) -> IntArray:
    """Complete intervals between switches of sequences (path, time), all in one array."""
    return np.concatenate([np.zeros(0, int), *(np.diff(switch_times(path)) for path in symbols)])


def dwell_of(lengths: IntArray) -> DwellTimes:
    """Moments of intervals in steps."""
    if not len(lengths):
        return DwellTimes(np.nan, np.nan, 0)
    return DwellTimes(float(lengths.mean()), float(lengths.std() / lengths.mean()), len(lengths))


def dwell_of_states(target: HiddenMarkov) -> DwellTimes:
    """Visits of the hidden states of a model, in closed form."""
    return _mixed(target.stationary * (1 - np.diag(target.transition)), *target.dwell_moments())


def dwell_of_symbols(target: HiddenMarkov) -> DwellTimes:
    """Runs of the symbols of a model, in closed form."""
    return _mixed(target.run_starts, *target.run_moments())


def _mixed(rate: FloatArray, mean: FloatArray, cv: FloatArray) -> DwellTimes:
    """Moments over all visits, of kinds that begin at a rate and have a mean and a coefficient of variation each."""
    happens = rate > 0
    if not happens.any():
        return DwellTimes(np.inf, np.nan, np.inf)
    share, m, c = rate[happens] / rate.sum(), mean[happens], cv[happens]
    first, second = share @ m, share @ (m**2 * (1 + c**2))
    return DwellTimes(float(first), float(np.sqrt(max(second - first**2, 0.0)) / first), np.inf)
