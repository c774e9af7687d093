"""Statistics of a hidden Markov model in closed form, all of the stationary process unless said otherwise."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from neurodyn.tasks.fields import whole
from neurodyn.tasks.stochastic_matrices import FloatArray, entropy, stationary

_CELLS = 2**24  # numbers in the largest table of n-grams


class Statistics:
    """What follows from the matrices of :class:`neurodyn.tasks.HiddenMarkov`. Entropies are in nats, times in steps."""

    transition: FloatArray
    emission: FloatArray
    start: FloatArray

    @property
    def states(self) -> int:
        """Number of hidden states."""
        return len(self.transition)

    @property
    def symbols(self) -> int:
        """Number of symbols."""
        return self.emission.shape[1]

    @cached_property
    def stationary(self) -> FloatArray:
        """Stationary distribution of the hidden states, (state,); ValueError if there are several."""
        return stationary(self.transition)

    @property
    def marginal(self) -> FloatArray:
        """Probability of each symbol, (symbol,)."""
        return self.stationary @ self.emission

    @property
    def bigrams(self) -> FloatArray:
        """Probability of each pair of successive symbols, (symbol, next symbol): E^T diag(pi) T E."""
        return (self.stationary[:, None] * self.emission).T @ self.transition @ self.emission

    @property
    def symbol_transition(self) -> FloatArray:
        """Probability of the next symbol given one, (symbol, next symbol); NaN after a symbol that never occurs."""
        joint = self.bigrams
        total = joint.sum(axis=1, keepdims=True)
        return np.divide(joint, total, out=np.full_like(joint, np.nan), where=total > 0)

    def ngrams(self, n: int) -> FloatArray:
        """Probability of each word of n symbols, shape (symbol,) * n, at most 2^24 numbers over states."""
        n = whole(n, "n", 1)
        if self.symbols**n * self.states > _CELLS:
            raise ValueError(
                f"n={n}: {self.symbols}^{n} words times {self.states} states are more than {_CELLS} numbers; shorten it"
            )
        joint = self.stationary[None]
        for position in range(n):
            before = joint @ self.transition if position else joint
            joint = (before[:, None] * self.emission.T).reshape(-1, self.states)
        return joint.sum(axis=1).reshape((self.symbols,) * n)

    @property
    def symbol_change(self) -> float:
        """Probability that a symbol differs from the one before it."""
        return float(self.stationary @ self._changes)

    @property
    def _changes(self) -> FloatArray:
        """Probability, given a state, that the next symbol differs from the present one."""
        same = np.sum(self.emission * (self.transition @ self.emission), axis=1)
        return 1 - same

    def volatility(self, length: int) -> float:
        """Expected number of symbol changes in a sequence of ``length`` symbols from ``start`` on."""
        occupancy, total, changes = self.start, 0.0, self._changes
        for _ in range(whole(length, "length", 1) - 1):
            total += float(occupancy @ changes)
            occupancy = occupancy @ self.transition
        return total

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of the transition matrix, largest modulus first, (state,); complex if any is."""
        found = np.linalg.eigvals(self.transition)
        return found[np.argsort(-np.abs(found), kind="stable")]

    @property
    def second_eigenvalue(self) -> float:
        """Second largest modulus of an eigenvalue: correlations shrink by it per step; 0 for one state."""
        return float(np.abs(self.eigenvalues[1])) if self.states > 1 else 0.0

    @property
    def correlation_time(self) -> float:
        """Steps in which correlations shrink by e: -1 / log of the second eigenvalue; infinite where it is 1."""
        second = self.second_eigenvalue
        if second == 0:
            return 0.0
        return -1 / float(np.log(second)) if second < 1 - 1e-14 else np.inf

    def autocorrelation(self, lags: int, values: ArrayLike | None = None) -> FloatArray:
        """Autocorrelation of the symbols at lags 0 to ``lags``, (lag,).

        Parameters
        ----------
        lags : int
            At least 0.
        values : array, shape (symbol,), optional
            Number that stands for each symbol; 0, 1, 2, ... if not given. NaN throughout if only one of them occurs.
        """
        v = np.arange(self.symbols) if values is None else np.asarray(values)
        if v.shape != (self.symbols,) or v.dtype.kind not in "biuf" or not np.isfinite(v).all():
            raise ValueError(f"values = {values!r}: give one finite number for each of the {self.symbols} symbols")
        v = v.astype(float)  # of flags there is no difference
        if np.ptp(v[self.marginal > 0]) == 0:
            return np.full(whole(lags, "lags", 0) + 1, np.nan)
        v = v - self.marginal @ v
        later = self.emission @ v
        result = [float(self.marginal @ v**2)]
        weights = self.stationary * later
        for _ in range(whole(lags, "lags", 0)):
            later = self.transition @ later
            result.append(float(weights @ later))
        return np.array(result) / result[0]

    @property
    def marginal_entropy(self) -> float:
        """Entropy of a symbol, in nats."""
        return float(entropy(self.marginal))

    @property
    def markov_entropy(self) -> float:
        """Entropy of a symbol given the one before it, in nats: an upper bound of the entropy rate."""
        return float(entropy(self.bigrams.ravel())) - self.marginal_entropy
