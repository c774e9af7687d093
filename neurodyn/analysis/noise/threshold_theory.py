"""A threshold and noise, in closed form: information, signal-to-noise ratio and rate of crossings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, choice, floats, number
from .._result import Result
from ..conventions import Conventions
from .linear_response import Over

#: Noise of a detector is given by its SD.
DETECTOR = Conventions(sided="two", frequency="cycles", noise="sigma", time="unit of time")
_PHASES = 512


@dataclass(frozen=True, eq=False)
class ThresholdInformation(Result, figure="threshold_information"):
    """Information that a thresholded sample carries about a binary input; ``print`` shows the best noise.

    Attributes
    ----------
    noise : array, shape (level,)
        SD of the noise.
    information : array, shape (level,)
        In bits per sample.
    hit, false_alarm : array, shape (level,)
        Probabilities that the output is 1, of the upper and the lower input.
    threshold, prior : float
    inputs : (float, float)
    conventions : Conventions
    """

    noise: FloatArray
    information: FloatArray
    hit: FloatArray
    false_alarm: FloatArray
    threshold: float
    inputs: tuple[float, float]
    prior: float
    conventions: Conventions = DETECTOR

    @property
    def best(self) -> float:
        """The level of `noise` with the most information."""
        return float(self.noise[self.information.argmax()])

    def __str__(self) -> str:
        below = "below" if self.inputs[1] < self.threshold else "not below"
        return (
            f"inputs {self.inputs[0]:g} and {self.inputs[1]:g}, {below} the threshold {self.threshold:g}: "
            f"{self.information.max():.4g} bits per sample at sigma = {self.best:.4g}, "
            f"{self.information[0]:.4g} at {self.noise[0]:.4g}, {self.information[-1]:.4g} at {self.noise[-1]:.4g}"
        )


def threshold_information(
    noise: ArrayLike, *, threshold: float, inputs: tuple[float, float] = (0.0, 1.0), prior: float = 0.5
) -> ThresholdInformation:
    r"""Mutual information between a binary input and whether input plus Gaussian noise exceeds a threshold.

    Parameters
    ----------
    noise : float or array, shape (level,)
        SD of the noise, above 0.
    threshold : float
    inputs : (lower, upper)
    prior : float
        Probability of the upper input, between 0 and 1.

    Raises
    ------
    ValueError
        Inputs that are not (lower, upper), a prior outside (0, 1), or noise that is not positive.

    Notes
    -----
    A binary asymmetric channel with p_s = Q((threshold - s) / sigma), Q(z) = erfc(z / sqrt 2) / 2. With h the binary entropy,
    I = h(sum_s P(s) p_s) - sum_s P(s) h(p_s). If both inputs are below the threshold, I -> 0 for sigma -> 0 and for
    sigma -> infinity and has its maximum between them (Bulsara & Zador 1996, Phys Rev E 54:R2185). If the threshold lies between them it
    only falls, from h(prior). Samples are independent: correlated noise carries less.
    """
    from scipy.special import ndtr, rel_entr

    levels = _levels(noise)
    theta = number(threshold, "threshold", unit="")
    low, high = (number(s, f"inputs[{k}]", unit="") for k, s in enumerate(inputs))
    if not low < high:
        raise ValueError(f"inputs = {inputs}: give (lower, upper)")
    if not 0 < number(prior, "prior", unit="") < 1:
        raise ValueError(f"prior = {prior!r}: give a probability between 0 and 1")
    miss, hit = ndtr((theta - high) / levels), ndtr((high - theta) / levels)
    correct, alarm = ndtr((theta - low) / levels), ndtr((low - theta) / levels)
    # As a mean of Kullback-Leibler divergences: differences of entropies would lose all digits at weak noise.
    one, none = prior * hit + (1 - prior) * alarm, prior * miss + (1 - prior) * correct
    given_high = rel_entr(hit, one) + rel_entr(miss, none)
    given_low = rel_entr(alarm, one) + rel_entr(correct, none)
    information = np.maximum(prior * given_high + (1 - prior) * given_low, 0) / np.log(2)
    return ThresholdInformation(levels, information, hit, alarm, theta, (low, high), prior)


@dataclass(frozen=True, eq=False)
class ThresholdResponse(Result, figure="threshold_response"):
    """The line and the background of a detector's output against the noise; ``print`` shows the best noise.

    Attributes
    ----------
    noise : array, shape (level,)
        SD of the noise.
    response : array, shape (level,)
        Amplitude xbar of the mean output at the frequency of the drive.
    background : array, shape (level,)
        S of the output at that frequency, two-sided per cycle.
    conventions : Conventions
    """

    noise: FloatArray
    response: FloatArray
    background: FloatArray
    conventions: Conventions = DETECTOR

    def snr(self, *, over: Over = "radians") -> FloatArray:
        """pi xbar^2 / S, or over cycles xbar^2 / (4 S): see :meth:`LinearResponse.snr`. NaN where the output never changes."""
        choice(over, "over", ("radians", "cycles"))
        quiet = np.full_like(self.response, np.nan)
        ratio = np.divide(self.response**2, self.background, out=quiet, where=self.background > 0)
        return (np.pi if over == "radians" else 0.25) * ratio

    @property
    def best(self) -> float:
        """The level of `noise` with the largest SNR."""
        snr = self.snr()
        return float(self.noise[np.nanargmax(snr)]) if np.isfinite(snr).any() else float("nan")

    def __str__(self) -> str:
        snr = self.snr()
        return f"SNR {np.nanmax(snr):.4g} per {self.conventions.time} in radians at sigma = {self.best:.4g}; {self.conventions}"


def sampled_threshold_response(
    noise: ArrayLike, *, threshold: float, amplitude: float, interval: float
) -> ThresholdResponse:
    r"""Line and background of y = 1 if A cos(W t) + noise > threshold, else 0, with independent Gaussian noise in each sample.

    Parameters
    ----------
    noise : float or array, shape (level,)
        SD of a sample, above 0.
    threshold, amplitude : float
        Threshold, and A above 0.
    interval : float
        Time between samples.

    Notes
    -----
    The output is 1 with probability p(u) = Q((threshold - A cos u) / sigma) at phase u. The mean has the amplitude
    xbar = (1 / pi) int p(u) cos u du; what is left is independent from sample to sample and has the variance <p (1 - p)>, averaged over the
    phase: a flat two-sided density S = interval * <p (1 - p)> per cycle. Both hold for any A and W, as long as samples fall on all
    phases alike. For A << sigma, xbar = A phi(threshold / sigma) / sigma. Jung (1994), Phys Rev E 50:2513; Gammaitoni (1995), Phys
    Rev E 52:4691. Noise that lasts longer than `interval` breaks it: see :func:`crossing_response`.
    """
    from scipy.special import ndtr

    levels = _levels(noise)
    a, dt = (
        number(value, name, unit="", low=0, strict=True)
        for value, name in ((amplitude, "amplitude"), (interval, "interval"))
    )
    wave = np.cos(2 * np.pi * np.arange(_PHASES) / _PHASES)
    z = (number(threshold, "threshold", unit="") - a * wave) / levels[:, None]
    above, below = ndtr(-z), ndtr(z)
    return ThresholdResponse(levels, 2 * (above * wave).mean(axis=1), dt * (above * below).mean(axis=1))


def rice_rate(threshold: float, *, sd: ArrayLike, time_constants: tuple[float, float]) -> FloatArray:
    r"""Rate of upward crossings of a threshold by Gaussian noise that has passed two low-pass filters.

    Parameters
    ----------
    threshold : float
        Distance from the mean, of either sign.
    sd : float or array
        SD of the noise, above 0.
    time_constants : (float, float)
        Of the two filters, above 0, in units of time: an Ornstein-Uhlenbeck process of one, low-pass filtered by the other.

    Returns
    -------
    array
        Crossings per unit of time, of the shape of `sd`.

    Notes
    -----
    Rice (1944): nu = (1 / 2 pi) sqrt(-C''(0) / C(0)) exp(-threshold^2 / 2 sd^2). Here
    ``C(t) = sd^2 (t1 exp(-|t| / t1) - t2 exp(-|t| / t2)) / (t1 - t2)``, so that -C''(0) / C(0) = 1 / (t1 t2). A single filter isn't enough: paths of the Ornstein-Uhlenbeck
    process aren't differentiable and cross infinitely often, a simulation counts what its step makes of that.
    """
    theta = number(threshold, "threshold", unit="")
    sigma = np.asarray(_levels(sd, "sd")).reshape(np.shape(sd))
    first, second = (
        number(t, f"time_constants[{k}]", unit="", low=0, strict=True) for k, t in enumerate(time_constants)
    )
    return np.exp(-((theta / sigma) ** 2) / 2) / (2 * np.pi * np.sqrt(first * second))


def crossing_response(
    noise: ArrayLike, *, threshold: float, amplitude: float, time_constants: tuple[float, float]
) -> ThresholdResponse:
    r"""Line and background of a train of unit pulses at the upward crossings of a slow, weak signal plus smooth noise.

    Parameters
    ----------
    noise : float or array, shape (level,)
        SD of the noise, above 0.
    threshold, amplitude : float
        Threshold above 0; A above 0.
    time_constants : (float, float)
        As in :func:`rice_rate`.

    Notes
    -----
    If the signal is slow beside the noise, the rate follows it, nu(threshold - A cos W t). To first order in A that is nu
    + A (threshold nu / sigma^2) cos W t. If crossings are rare they are a Poisson process, whose background is S = nu (of pulses of area 1,
    two-sided per cycle). So SNR = pi (A threshold / sigma^2)^2 nu, largest at sigma = threshold / 2 exactly (Gingl, Kiss & Moss 1995,
    Europhys Lett 29:191). Not to be trusted for A not small beside sigma^2 / threshold, for sigma near the threshold or above, where
    crossings repel each other, nor for frequencies near 1 / (time constants).
    """
    levels = _levels(noise)
    theta = number(threshold, "threshold", unit="", low=0, strict=True)
    a = number(amplitude, "amplitude", unit="", low=0, strict=True)
    rate = rice_rate(theta, sd=levels, time_constants=time_constants)
    return ThresholdResponse(levels, a * theta * rate / levels**2, rate)


def _levels(noise: ArrayLike, name: str = "noise") -> FloatArray:
    levels = floats(np.atleast_1d(np.asarray(noise)).ravel(), name, axes=("level",))
    if levels.min() <= 0:
        raise ValueError(f"{name} holds {levels.min():g}: give SDs above 0")
    return levels
