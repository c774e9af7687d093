"""How activity resembles itself some steps later, for each unit and for the sum of the population."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, whole

_SAMPLES = 1 << 21  # of one block, so that it needs tens of MB whatever the recording


def autocorrelation(x: ArrayLike, *, lags: int = 200) -> FloatArray:
    """Autocorrelation of each unit, averaged over trials.

    From each trial its own mean is subtracted; the products at each lag k are divided by their number T - k,
    averaged over trials, and divided by the value at lag 0.

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
        Any real dtype; worked through in blocks, so that a float32 recording of GBs needs little beyond itself.
    lags : int
        The longest lag in steps, below the number of steps.

    Returns
    -------
    array, shape (lags + 1, unit)
        1 at lag 0. NaN for units that are constant in every trial.

    Raises
    ------
    ValueError
        Wrong shape, values that are not finite, or too many lags.

    Notes
    -----
    Subtracting the mean of a trial takes its variance, about 2 tau / T, off every lag. For trials of less than
    some hundred timescales a fit of these values is biased towards short timescales; see :func:`fit_timescales_abc`.

    References
    ----------
    Khajehabdollahi et al. 2024, ICLR, arXiv 2309.12927 (this protocol, in their code).
    """
    trials = activity(x)
    length, units = trials.shape[1:]
    lags = whole(lags, "lags", low=0, high=length - 1)
    size = padded(length, lags)
    result = np.empty((lags + 1, units))
    width = max(1, _SAMPLES // length)
    for start in range(0, units, width):
        power = np.zeros((min(width, units - start), size // 2 + 1))
        for k, trial in enumerate(trials):
            block = np.array(trial[:, start : start + width].T, dtype=np.float64, order="C")
            if not np.isfinite(block).all():
                unit, time = (int(i) for i in np.argwhere(~np.isfinite(block))[0])
                raise ValueError(
                    f"x is NaN or infinite in trial {k} at step {time}, unit {start + unit}: "
                    "cut or fill such values before the analysis"
                )
            power += power_spectrum(block, size)
        result[:, start : start + width] = normalised(power, length, lags).T
    return result


def population_autocorrelation(x: ArrayLike, *, lags: int = 200) -> FloatArray:
    """Autocorrelation of the summed activity of all units, averaged over trials.

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
    lags : int
        As in :func:`autocorrelation`.

    Returns
    -------
    array, shape (lags + 1)
    """
    return autocorrelation(activity(x).sum(axis=2, keepdims=True, dtype=np.float64), lags=lags)[:, 0]


def activity(x: ArrayLike) -> FloatArray:
    """`x` as (trial, time, unit), in its own dtype and without a copy."""
    values = np.asarray(x)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"x has dtype {values.dtype}: give real numbers, shape (time, unit) or (trial, time, unit)")
    if values.ndim not in (2, 3):
        raise ValueError(f"x has shape {values.shape}: give (time, unit) or (trial, time, unit)")
    values = values if values.ndim == 3 else values[None]
    if values.shape[1] < 2 or values.size == 0:
        raise ValueError(f"x has shape {np.shape(x)}: at least 2 steps in time and no empty axis")
    return values


def padded(length: int, lags: int) -> int:
    """An even length, good for Fourier transforms, at which the first `lags` lags don't wrap around."""
    from scipy.fft import next_fast_len

    # Even, so that the spectrum alone says how long the series was.
    return 2 * cast(int, next_fast_len((length + lags + 1) // 2, real=True))


def power_spectrum(series: FloatArray, size: int) -> FloatArray:
    """Squared Fourier amplitudes of `series`, shape (..., time), each less its mean; `series` is overwritten."""
    from scipy.fft import rfft

    constant = series.max(axis=-1) == series.min(axis=-1)
    series -= series.mean(axis=-1, keepdims=True)
    # Less its rounded mean a constant may leave 1e-17, which normalising would blow up.
    series[constant] = 0.0
    spectrum = np.asarray(rfft(series, size, axis=-1))
    return np.real(spectrum) ** 2 + np.imag(spectrum) ** 2


def normalised(power: FloatArray, length: int, lags: int) -> FloatArray:
    """Autocorrelation, shape (..., lag), from power spectra added up over trials of `length` steps."""
    from scipy.fft import irfft

    covariance = np.asarray(irfft(power, axis=-1))[..., : lags + 1] / (length - np.arange(lags + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(power.any(axis=-1, keepdims=True), covariance / covariance[..., :1], np.nan)
