"""How long a hidden Markov model stays: dwell times of its states and runs of its symbols, in closed form."""

from __future__ import annotations

import numpy as np

from neurodyn.tasks.fields import whole
from neurodyn.tasks.hidden_markov_statistics import Statistics
from neurodyn.tasks.stochastic_matrices import FloatArray


class Durations(Statistics):
    """Distributions of times in :class:`neurodyn.tasks.HiddenMarkov`, of the stationary process, in steps."""

    def dwell_times(self, longest: int) -> FloatArray:
        """Probability that a visit of each state lasts 1 to ``longest`` steps, (state, duration): geometric."""
        stay = np.diag(self.transition)[:, None]
        return (1 - stay) * stay ** np.arange(whole(longest, "longest", 1))

    def dwell_moments(self) -> tuple[FloatArray, FloatArray]:
        """Mean and coefficient of variation of the visits of each state, (state,) each.

        1 / (1 - p) and sqrt(p) for a probability p of staying; infinite and NaN for a state that is never left.
        """
        stay = np.diag(self.transition)
        left = stay < 1
        mean = np.divide(1, 1 - stay, out=np.full(self.states, np.inf), where=left)
        return mean, np.where(left, np.sqrt(stay), np.nan)

    @property
    def run_starts(self) -> FloatArray:
        """Probability per step that a run of each symbol begins, (symbol,); their sum is ``symbol_change``."""
        return np.array([self._first(symbol).sum() for symbol in range(self.symbols)])

    def run_lengths(self, longest: int) -> FloatArray:
        """Probability that a run of each symbol lasts 1 to ``longest`` steps, (symbol, duration).

        NaN for a symbol of which no run begins. Weighted by ``run_starts``, the rows give the runs of all symbols.
        """
        result = np.empty((self.symbols, whole(longest, "longest", 1)))
        for symbol in range(self.symbols):
            occupancy, step = self._first(symbol), self._step(symbol)
            # Of a run that never begins nothing is known.
            alive = [occupancy.sum()]
            for _ in range(result.shape[1]):
                occupancy = occupancy @ step
                alive.append(occupancy.sum())
            result[symbol] = -np.diff(alive) / alive[0] if alive[0] > 0 else np.nan
        return result

    def run_moments(self) -> tuple[FloatArray, FloatArray]:
        """Mean and coefficient of variation of the runs of each symbol, (symbol,) each; NaN where no run begins."""
        mean, cv = np.full((2, self.symbols), np.nan)
        for symbol in range(self.symbols):
            first, step = self._first(symbol), self._step(symbol)
            if not first.sum() > 0:
                continue
            # A discrete phase-type time: E L = v N 1 and E L(L - 1) = 2 v N S N 1 with N = 1 / (1 - S).
            visits = np.linalg.solve(np.eye(self.states) - step, np.ones(self.states))
            v = first / first.sum()
            mean[symbol] = v @ visits
            square = 2 * v @ np.linalg.solve(np.eye(self.states) - step, step @ visits) + mean[symbol]
            cv[symbol] = np.sqrt(max(square - mean[symbol] ** 2, 0.0)) / mean[symbol]
        return mean, cv

    def _first(self, symbol: int) -> FloatArray:
        """Probability of each state at the first step of a run of the symbol, per step of the process."""
        before = self.stationary * (1 - self.emission[:, symbol])
        return before @ self._step(symbol)

    def _step(self, symbol: int) -> FloatArray:
        """Probability of a transition that emits the symbol, (state, next state)."""
        return self.transition * self.emission[:, symbol]
