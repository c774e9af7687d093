"""Which of two generative models of short trials the data ask for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import FloatArray, whole
from .approximate_bayes import TimescalePosterior


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Posterior predictive distances of two models, and the Bayes factor at each distance.

    Attributes
    ----------
    first, second : array, shape (sample)
        Distances between the data and simulations from each posterior, in order.
    """

    first: FloatArray
    second: FloatArray

    @property
    def thresholds(self) -> FloatArray:
        """Distances up to the smaller of the two medians, shape (threshold): where models differ, small ones count."""
        every = np.sort(np.concatenate([self.first, self.second]))
        return every[every <= min(np.median(self.first), np.median(self.second))]

    @property
    def bayes_factor(self) -> FloatArray:
        """Share of `second` within each threshold over that of `first`; infinite where the first has none."""
        one, two = (np.searchsorted(d, self.thresholds, side="right") / len(d) for d in (self.first, self.second))
        return np.divide(two, one, out=np.full(len(one), np.inf), where=one > 0)

    @property
    def preferred(self) -> str:
        """ "second" if it comes closer at every threshold, "first" if that does, otherwise "neither"."""
        if (self.bayes_factor > 1).all():
            return "second"
        return "first" if (self.bayes_factor < 1).all() else "neither"


def compare_timescale_models(
    first: TimescalePosterior, second: TimescalePosterior, *, samples: int = 1000, seed: int = 0
) -> ModelComparison:
    """Bayes factors of two models fitted to the same trials by :func:`fit_timescales_abc`.

    Parameters
    ----------
    first, second : TimescalePosterior
        Usually of the models "one" and "two", fitted to the same data with the same `lags`.
    samples, seed : int
        Simulations from each posterior, and the seed of their draws.

    Returns
    -------
    ModelComparison
        A factor above 1 speaks for the second model.

    Raises
    ------
    ValueError
        Posteriors of different data or lags.

    References
    ----------
    Zeraati, Engel & Levina 2022, Nat Comput Sci 2:193: ratio of the cumulative distributions of distances.
    """
    same = first.autocorrelation.shape == second.autocorrelation.shape and np.allclose(
        first.autocorrelation, second.autocorrelation
    )
    if not same or (first.steps, first.trials) != (second.steps, second.trials):
        raise ValueError(
            "the posteriors are of different data or lags: fit both models to the same x with the same lags"
        )
    samples = whole(samples, "samples", low=10)
    return ModelComparison(
        *(np.sort(posterior.predicted_distances(samples, seed=seed)) for posterior in (first, second))
    )
