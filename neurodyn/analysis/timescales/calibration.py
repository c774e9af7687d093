"""One or two exponentials, with a stated rate of false alarms."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from .._checks import FloatArray, number, whole
from .exponentials import ROUNDING, fit_exponentials
from .networks import NetworkTimescales

# Correlations at lag 1 at which the critical ratio is found; it is interpolated between them.
_GRID = (0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.87, 0.92, 0.96, 0.985)


def calibrated_timescales(
    observed: NetworkTimescales, *, level: float = 0.05, samples: int = 1000, seed: int = 0
) -> NetworkTimescales:
    """The same fits with two exponentials chosen only where they improve more than they do by chance.

    Two exponentials are taken if RSS(single) / RSS(double) exceeds what `level` of AR(1) units with the same
    lag-1 correlation, number of steps and trials exceed. So a share `level` of units that have one exponential
    get two, whatever their timescale; by AIC it is 28 to 42 %. Medians are then safe; a mean is not, since each of
    those few may have a tau at the bound.

    Parameters
    ----------
    observed : NetworkTimescales
        Of :func:`network_timescales`, any number of lags.
    level : float
        Between 0 and 1: the share of false doubles.
    samples, seed : int
        AR(1) units at each of 11 lag-1 correlations, at least 100, and the seed of their draws. The default
        takes some 15 seconds the first time and is kept for further calls.

    Returns
    -------
    NetworkTimescales
        With ``rule = "calibrated"``.

    Raises
    ------
    ValueError
        A level outside (0, 1), or fewer than 100 samples.

    Notes
    -----
    The autocorrelations of the AR(1) units are drawn from the normal law that estimates follow in long
    recordings (Bartlett 1946, J R Stat Soc Suppl 8:27), with the bias by the subtracted mean. Activity that
    isn't Gaussian has the same law if it is a linear filter of independent input. Trials should be longer
    than some 50 timescales.

    Noise that is white beside a slow component shows at lag 0 only. It is a second component in this family of
    fits (tau of nearly 0), and found as such.
    """
    level = number(level, "level", unit="", low=0, strict=True)
    if level >= 1:
        raise ValueError(f"level = {level!r}: below 1, such as 0.05")
    samples = whole(samples, "samples", low=100)
    critical = _critical(observed.steps, observed.trials, observed.fit_lags, observed.longest, level, samples, seed)
    threshold = np.interp(observed.autocorrelation[1], _GRID, critical)
    return replace(
        observed, is_double=_improvement(observed.single.rss, observed.double.rss) > threshold, rule="calibrated"
    )


@lru_cache(maxsize=32)
def _critical(
    steps: int, trials: int, lags: int, longest: float, level: float, samples: int, seed: int
) -> tuple[float, ...]:
    """Log ratio of RSS that a share `level` of AR(1) units exceeds, at each correlation of the grid."""
    rng = np.random.default_rng(seed)
    values = []
    for phi in _GRID:
        correlation = drawn_autocorrelation(phi, steps, trials, lags, samples, rng)
        single = fit_exponentials(correlation, components=1, longest=longest)
        double = fit_exponentials(correlation, components=2, longest=longest)
        values.append(float(np.quantile(_improvement(single.rss, double.rss), 1 - level)))
    return tuple(values)


def _improvement(single: FloatArray, double: FloatArray) -> FloatArray:
    # Below the floor lies rounding, in which two exponentials would always win.
    return np.log(np.maximum(single, 100 * ROUNDING) / np.maximum(double, 100 * ROUNDING))


def drawn_autocorrelation(
    phi: float, steps: int, trials: int, lags: int, samples: int, rng: np.random.Generator
) -> FloatArray:
    """Autocorrelations, shape (lag, sample), as long recordings of AR(1) units have them.

    Bartlett's law: the N estimates of autocovariance at lags p and q are normal around the truth, with
    covariance [s(p - q) + s(p + q)] / N, s(m) = sum_j gamma(j) gamma(j + m). A fourth cumulant of the units
    drops out when lag 0 is divided by. The subtracted mean of a trial takes its variance off all lags.
    """
    k = np.arange(2 * lags + 1)
    power = np.power(phi, k)
    convolved = power * (k + (1 + phi**2) / (1 - phi**2))
    p = np.arange(lags + 1)
    covariance = convolved[np.abs(p[:, None] - p)] + convolved[p[:, None] + p]
    truth = power[: lags + 1] - (1 + phi) / (1 - phi) / steps
    noise = rng.standard_normal((lags + 1, samples)) / np.sqrt(steps * trials)
    estimate = truth[:, None] + np.linalg.cholesky(covariance) @ noise
    return estimate / estimate[0]
