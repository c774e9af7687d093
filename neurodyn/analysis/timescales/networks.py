"""Timescales of the units of a network from their autocorrelations: the published protocol and its summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import FloatArray, number, whole
from .correlation import activity, autocorrelation
from .exponentials import ExponentialFit, fit_exponentials

Rule = Literal["aic", "calibrated"]


@dataclass(frozen=True, eq=False)
class NetworkTimescales:
    """The timescale of each unit, by one or two exponentials fitted to its autocorrelation.

    Attributes
    ----------
    autocorrelation : array, shape (lag, unit)
    single, double : ExponentialFit
        Of one and of two exponentials; each has ``tau`` and ``weight`` (unit, component), ``rss`` and ``aic``.
    is_double : array of bool, shape (unit)
        Units for which two exponentials were chosen.
    rule : "aic" or "calibrated"
        How they were chosen: by the lower AIC, or by :func:`calibrated_timescales`.
    longest : float
        Bound of the time constants in steps.
    steps, trials : int
        Length and number of the trials behind the autocorrelations.
    """

    autocorrelation: FloatArray
    single: ExponentialFit
    double: ExponentialFit
    is_double: NDArray[np.bool_]
    rule: Rule
    longest: float
    steps: int
    trials: int

    @property
    def tau(self) -> FloatArray:
        """Timescale in steps, shape (unit): the longer one of a double fit, NaN for constant units."""
        return np.where(self.is_double, self.double.tau[:, 1], self.single.tau[:, 0])

    @property
    def fit_lags(self) -> int:
        """The longest lag that was fitted."""
        return self.single.lags - 1

    def refit(self, fit_lags: int) -> NetworkTimescales:
        """The same autocorrelations fitted over lags 0 to `fit_lags`, two exponentials by the lower AIC."""
        return fitted(self.autocorrelation, self.steps, self.trials, fit_lags=fit_lags, longest=self.longest)

    def summary(self) -> dict[str, float]:
        """The population in one flat dictionary; times in steps, NaN where no unit is left.

        * ``units``: units that vary;
        * ``kept``: share of them with tau above 1: of the others lag 1 shows nothing;
        * ``mean``, ``sd``: over the kept units: what is published;
        * ``median``: over the kept units;
        * ``trimmed_mean``: over the kept units without the lowest and highest 10 %;
        * ``median_all``: over all units that vary;
        * ``at_bound``: share of the kept units whose tau is at the bound `longest`;
        * ``double``: share of the units that vary with two exponentials;
        * ``slow_weight``: median, over the kept double units, of the share of the slow component.

        A mean far above the median, or many units at the bound, comes from few units with a slow component of
        small weight; pure AR(1) units show that too. Judge it beside :func:`ar1_null`.
        """
        from scipy.stats import trim_mean

        varies = np.isfinite(self.tau)
        tau = self.tau[varies]
        kept = tau[tau > 1]
        slow = self.is_double & (np.nan_to_num(self.tau) > 1)
        weight = self.double.weight[slow]

        def over(estimate: Callable[[np.ndarray], float], values: np.ndarray) -> float:
            return float(estimate(values)) if len(values) else float("nan")

        return {
            "units": len(tau),
            "kept": over(np.mean, tau > 1),
            "mean": over(np.mean, kept),
            "sd": over(np.std, kept),
            "median": over(np.median, kept),
            "trimmed_mean": over(lambda values: trim_mean(values, 0.1), kept),
            "median_all": over(np.median, tau),
            "at_bound": over(np.mean, kept >= 0.999 * self.longest),
            "double": over(np.mean, self.is_double[varies]),
            "slow_weight": over(np.median, weight[:, 1] / weight.sum(axis=1)),
        }


def network_timescales(
    x: ArrayLike, *, fit_lags: int = 30, longest: float = 100.0, lags: int | None = None
) -> NetworkTimescales:
    """Timescale of each unit of a network, by the published protocol.

    The autocorrelation at lags 0 to `fit_lags` is fitted by one and by two exponentials
    (:func:`fit_exponentials`, the global optimum); the lower AIC chooses, and of two time constants the longer
    one is taken.

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
        Stationary activity without the first transient. Trials should last some hundred timescales.
    fit_lags : int
        At least 5. The protocol has 30.
    longest : float
        Upper bound of the time constants in steps.
    lags : int
        The longest lag kept in the result, for plots and for ``refit``; by default the smaller of 200 and
        what the trials allow, or `fit_lags` if that is more.

    Returns
    -------
    NetworkTimescales
        All times in steps: multiply by the step of the recording.

    Notes
    -----
    The protocol makes long timescales out of nothing. Errors of neighbouring lags are alike, AIC takes them as
    independent, and so two exponentials win for 28 to 42 % of units that have one; the second follows the
    error, often with a time constant at the bound and hardly any weight. The mean over units shows little else.
    Print ``summary()`` whole, beside :func:`ar1_null`. :func:`calibrated_timescales` keeps false doubles to 5 %,
    which still move a mean; :func:`integrated_timescale` has none.

    A unit r <- (1 - 1/tau) r + input / tau has the timescale -1 / ln(1 - 1/tau), about tau - 0.5.

    References
    ----------
    Khajehabdollahi et al. 2024, ICLR, arXiv 2309.12927.
    """
    length = activity(x).shape[1]
    fit_lags = whole(fit_lags, "fit_lags", low=5, high=length - 1)
    number(longest, "longest", unit="steps", low=1, strict=True)
    lags = max(fit_lags, min(200, length - 1)) if lags is None else whole(lags, "lags", low=fit_lags, high=length - 1)
    trials = activity(x).shape[0]
    return fitted(autocorrelation(x, lags=lags), length, trials, fit_lags=fit_lags, longest=longest)


def fitted(correlation: FloatArray, steps: int, trials: int, *, fit_lags: int, longest: float) -> NetworkTimescales:
    """The protocol from the autocorrelations on."""
    fit_lags = whole(fit_lags, "fit_lags", low=5, high=len(correlation) - 1)
    window = correlation[: fit_lags + 1]
    single = fit_exponentials(window, components=1, longest=longest)
    double = fit_exponentials(window, components=2, longest=longest)
    return NetworkTimescales(correlation, single, double, double.aic < single.aic, "aic", float(longest), steps, trials)
