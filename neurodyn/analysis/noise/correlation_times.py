"""Correlation time of noisy oscillations, as in coherence resonance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, number, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest
from ._periodic import discarded, paths_of, step_of, stretch
from ._red_noise import red_noise, successive


@dataclass(frozen=True, eq=False)
class CorrelationTime(Result, figure="correlation_time"):
    """Integral of the squared autocorrelation; ``print`` shows it with its null.

    Attributes
    ----------
    value : float
        In units of dt.
    error : float
        Standard error, jackknife over paths; NaN for one path.
    null : NullTest
        Of red noise (AR(1)) with the same correlation between successive samples (two-sided): what a single exponential gives.
        Oscillations of many periods are above it, those of few below.
    lags, correlation : array, shape (lag)
        Mean autocorrelation of the paths.
    conventions : Conventions
    """

    value: float
    error: float
    null: NullTest[float]
    lags: FloatArray
    correlation: FloatArray
    conventions: Conventions = field(default_factory=Conventions)

    def __str__(self) -> str:
        return f"correlation time {self.null} {self.conventions.time}, standard error {self.error:.2g}, to lag {self.lags[-1]:.4g}"


def correlation_time(
    x: Any,
    *,
    dt: float,
    longest: float | None = None,
    discard: float = 0.0,
    samples: int = 40,
    seed: int = 0,
    time: str = "ms",
) -> CorrelationTime:
    """Correlation time of Pikovsky and Kurths: the integral of C(t)^2 over lags from 0, C the normalised autocorrelation.

    tau / 2 for C = exp(-t / tau); tau / 4 (1 + 1 / (1 + (w tau)^2)) for C = exp(-t / tau) cos w t, whatever the period.

    Parameters
    ----------
    x : array, shape (time, path) or (time)
        Stationary, evenly sampled; paths independent and alike. Of events: counts in bins, smoothed, since the peak of an event with itself
        has the width of a bin.
    dt : float
        Time between samples.
    longest : float, optional
        Longest lag, by default a tenth of the record: five times the result or more, at most half of the record.
    discard : float
        Time left out at the beginning.
    samples, seed : int
        Surrogates, each of the size of x.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For fewer than 40 samples, lags out of range, and values that are NaN or never vary.

    Notes
    -----
    The square of a noisy autocorrelation is too large. Of several paths the products of different paths are taken, which is unbiased.
    Of a single path Bartlett's variance 2 tau / (T - lag) is taken off: tau = integral / (1 + 2 log(T / (T - longest))). Not to
    be trusted where T is below a hundred times the result, or where x drifts.

    References
    ----------
    Pikovsky & Kurths (1997) Phys Rev Lett 78:775. Bartlett (1946) J R Stat Soc Suppl 8:27.
    """
    dt = step_of(dt)
    values = _record(x, discard, dt, 40)
    lags = _lags(longest, dt, len(values))
    found = _autocorrelations(values, lags)
    value = _integral(found, dt, len(values))
    paths = found.shape[1]
    error = np.nan
    if paths > 2:
        left = np.array([_integral(np.delete(found, k, axis=1), dt, len(values)) for k in range(paths)])
        error = float(np.sqrt((paths - 1) / paths * np.sum((left - left.mean()) ** 2)))
    rng, rho = np.random.default_rng(seed), successive(values)
    null = [
        _integral(_autocorrelations(red_noise(rho, values.shape, rng), lags), dt, len(values))
        for _ in range(whole(samples, "samples"))
    ]
    correlation = found.mean(axis=1) / found[0].mean()
    return CorrelationTime(
        value,
        error,
        NullTest(value, np.array(null), "two-sided"),
        np.arange(lags) * dt,
        correlation,
        Conventions(time=time),
    )


def _record(x: Any, discard: float, dt: float, shortest: int) -> FloatArray:
    paths = paths_of(x)
    values = stretch(paths, discarded(discard, dt, paths.shape[0]), paths.shape[0])
    if len(values) < shortest:
        raise ValueError(f"x has {len(values)} samples after what is discarded: at least {shortest}")
    if not np.ptp(values, axis=0).any():
        raise ValueError("x never varies: there is nothing to measure")
    return values


def _lags(longest: float | None, dt: float, length: int) -> int:
    if longest is None:
        return max(2, length // 10)
    lags = int(round(number(longest, "longest", unit="the unit of time", low=0, strict=True) / dt)) + 1
    if not 2 <= lags <= length // 2:
        raise ValueError(f"longest = {longest:g}: from dt = {dt:g} to {(length // 2 - 1) * dt:g}, half of the record")
    return lags


def _autocorrelations(values: FloatArray, lags: int) -> FloatArray:
    """Autocovariance of each path, about the mean of all, (lag, path)."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(values) + lags, real=True)
    power = np.abs(np.asarray(rfft(values - values.mean(), size, axis=0))) ** 2
    return np.asarray(irfft(power, size, axis=0))[:lags] / (len(values) - np.arange(lags))[:, None]


def _integral(found: FloatArray, dt: float, length: int) -> float:
    lags, paths = found.shape
    if paths > 1:
        square = (found.sum(axis=1) ** 2 - np.sum(found**2, axis=1)) / (paths * (paths - 1))
        square[0] = found[0].mean() ** 2  # a variance is positive, and known well
        shrink = 1.0
    else:
        square = found[:, 0] ** 2
        shrink = 1 + 2 * np.log(length / (length - lags))
    return float((square.sum() - square[0] / 2) * dt / square[0] / shrink)
