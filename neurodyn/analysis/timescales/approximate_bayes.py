"""Timescales of short trials by simulation (adaptive approximate Bayesian computation, aABC)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, choice, floats, number, whole
from .correlation import normalised, padded, power_spectrum

Model = Literal["one", "two"]
_PARAMETERS = {"one": ("tau",), "two": ("tau_fast", "tau_slow", "weight")}
_SAMPLES = 1 << 21  # of the processes simulated in one go
_KEEP, _SPREAD, _POPULATIONS = 75.0, 2.0, 60


@dataclass(frozen=True, eq=False)
class TimescalePosterior:
    """What the autocorrelation of short trials says about their timescales.

    Attributes
    ----------
    model : "one" or "two"
    parameters : tuple of str
        ``tau``, or ``tau_fast``, ``tau_slow`` and the ``weight`` of the fast one; times in steps.
    samples : array, shape (particle, parameter)
        The last population.
    weights : array, shape (particle)
        Of the particles; their sum is 1.
    distances : array, shape (particle)
        Mean squared differences between the autocorrelations of data and particle.
    thresholds, acceptance : array, shape (population)
        Largest distance allowed in each population, and the share of proposals that it accepted.
    autocorrelation : array, shape (lag)
        Of the data.
    steps, trials : int
    """

    model: Model
    parameters: tuple[str, ...]
    samples: FloatArray
    weights: FloatArray
    distances: FloatArray
    thresholds: FloatArray
    acceptance: FloatArray
    autocorrelation: FloatArray
    steps: int
    trials: int

    @property
    def mean(self) -> FloatArray:
        """Posterior mean, shape (parameter)."""
        return self.weights @ self.samples

    @property
    def sd(self) -> FloatArray:
        """Posterior standard deviation, shape (parameter)."""
        return np.sqrt(self.weights @ (self.samples - self.mean) ** 2)

    def most_probable(self, *, points: int = 40) -> FloatArray:
        """Mode of the joint posterior (MAP), shape (parameter).

        The density is a weighted Gaussian kernel estimate (Scott's rule) on a grid of `points` a parameter over
        the range of the samples.
        """
        from scipy.stats import gaussian_kde

        low, high = self.samples.min(axis=0), self.samples.max(axis=0)
        axes = [np.linspace(a, b, whole(points, "points", low=2)) for a, b in zip(low, high, strict=True)]
        grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
        density = gaussian_kde(self.samples.T, weights=self.weights)(grid)
        return grid[:, int(np.argmax(density))]

    def predicted_distances(self, samples: int = 1000, *, seed: int = 0) -> FloatArray:
        """Distances of data simulated from posterior draws (posterior predictive), shape (sample)."""
        rng = np.random.default_rng(seed)
        drawn = rng.choice(len(self.samples), whole(samples, "samples"), p=self.weights)
        return _distances(self.samples[drawn], self.autocorrelation, self.steps, self.trials, rng)

    def __str__(self) -> str:
        rows = zip(self.parameters, self.mean, self.sd, strict=True)
        return ", ".join(f"{name} = {mean:.3g} +- {sd:.2g}" for name, mean, sd in rows)


def fit_timescales_abc(
    x: ArrayLike,
    model: Model = "one",
    *,
    lags: int = 100,
    longest: float = 100.0,
    particles: int = 100,
    minimum_acceptance: float = 0.01,
    seed: int = 0,
) -> TimescalePosterior:
    """Timescales of short trials, free of the bias that short trials give to direct fits.

    Data are simulated from an Ornstein-Uhlenbeck process, or the sum of two, with as many steps and trials as
    the recording, so that its autocorrelation has the same bias; parameters whose autocorrelation comes close
    to that of the data make up the posterior.

    Parameters
    ----------
    x : array, shape (trial, time)
        One unit, or the population.
    model : "one" or "two"
        "two" is sqrt(c) OU(tau_fast) + sqrt(1-c) OU(tau_slow), with tau_fast < tau_slow.
    lags : int
        The distance is the mean over lags 0 to `lags`. Take about where the autocorrelation reaches zero.
    longest : float
        The prior is uniform: time constants between 0 and `longest` steps, c between 0 and 1.
    particles : int
        Accepted in each population; at least 10 a parameter.
    minimum_acceptance : float
        Between 0 and 1. The fit ends with the first population of a lower share of accepted proposals, or the
        60th.
    seed : int

    Returns
    -------
    TimescalePosterior

    Raises
    ------
    ValueError
        Fewer than 6 steps a trial, activity that is constant, or numbers out of range.

    Notes
    -----
    Population Monte Carlo. The first population takes prior draws at a distance below 1; each later one allows
    the 75th percentile of the distances accepted before, and proposes normal steps, with twice the weighted
    covariance of the last population, from its particles; importance weights are prior over proposal density. The
    processes are exact at whole steps (exp(-1/tau) from one to the next), where abcTau takes Euler's 1 - dt/tau.
    Autocorrelations are divided by lag 0, so that mean and variance of the data don't matter, and must be
    those of continuous activity: the spike counts of a Poisson process need another generative model.

    References
    ----------
    Zeraati, Engel & Levina 2022, Nat Comput Sci 2:193.
    """
    choice(model, "model", tuple(_PARAMETERS))
    data = floats(x, "x", axes=("trial, time",))
    trials, steps = data.shape
    if steps < 6:
        raise ValueError(f"x has {steps} steps a trial: give at least 6")
    lags = whole(lags, "lags", low=5, high=steps - 1)
    longest = number(longest, "longest", unit="steps", low=0, strict=True)
    names = _PARAMETERS[model]
    particles = whole(particles, "particles", low=10 * len(names))
    floor = number(minimum_acceptance, "minimum_acceptance", unit="", low=0, strict=True)
    if floor >= 1:
        raise ValueError(f"minimum_acceptance = {minimum_acceptance!r}: below 1, such as 0.01")
    observed = normalised(power_spectrum(data.copy(), padded(steps, lags)).sum(axis=0), steps, lags)
    if not np.isfinite(observed).all():
        raise ValueError("x is constant in every trial: it has no timescale")
    rng = np.random.default_rng(seed)
    highest = np.array([longest] * (1 if model == "one" else 2) + [1.0] * (model == "two"))

    def prior(n: int) -> FloatArray:
        return rng.uniform(size=(n, len(names))) * highest

    def possible(theta: FloatArray) -> np.ndarray:
        inside = np.all((theta > 0) & (theta < highest), axis=1)
        return np.asarray(inside & (theta[:, 0] < theta[:, 1]) if model == "two" else inside)

    threshold, thresholds, acceptance = 1.0, [], []
    samples = weights = distances = np.empty(0)
    for population in range(_POPULATIONS):
        if population == 0:
            draw, spread = prior, None
        else:
            spread = _SPREAD * np.atleast_2d(np.cov(samples.T, aweights=weights, ddof=0))
            draw = _proposal(samples, weights, spread, rng)
        new, distances, tried = _accept(
            draw, possible, threshold, particles, lambda theta: _distances(theta, observed, steps, trials, rng)
        )
        weights = np.full(particles, 1 / particles) if spread is None else _importance(new, samples, weights, spread)
        samples = new
        thresholds.append(threshold)
        acceptance.append(particles / tried)
        if acceptance[-1] < floor:
            break
        threshold = float(np.percentile(distances, _KEEP))
    return TimescalePosterior(
        model, names, samples, weights, distances, np.array(thresholds), np.array(acceptance), observed, steps, trials
    )


def _proposal(
    samples: FloatArray, weights: FloatArray, spread: FloatArray, rng: np.random.Generator
) -> Callable[[int], FloatArray]:
    def draw(n: int) -> FloatArray:
        centre = samples[rng.choice(len(samples), n, p=weights)]
        return centre + rng.multivariate_normal(np.zeros(samples.shape[1]), spread, n)

    return draw


def _accept(
    draw: Callable[[int], FloatArray],
    possible: Callable[[FloatArray], np.ndarray],
    threshold: float,
    particles: int,
    distance: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, FloatArray, int]:
    """The first `particles` proposals within the threshold, their distances, and the number tried for them."""
    kept, near, tried, share = [], [], 0, 1.0
    found = 0
    while found < particles:
        # As many as the share accepted so far asks for; proposals outside the prior cost nothing.
        count = int(np.clip((particles - found) / share, 16, 4 * particles))
        theta = draw(count)
        theta = theta[possible(theta)]
        if not len(theta):
            continue
        away = distance(theta)
        good = np.flatnonzero(away <= threshold)[: particles - found]
        found += len(good)
        tried += len(theta) if found < particles else int(good[-1]) + 1
        kept.append(theta[good])
        near.append(away[good])
        share = max(found, 1) / tried
    return np.concatenate(kept), np.concatenate(near), tried


def _importance(new: FloatArray, old: FloatArray, weights: FloatArray, spread: FloatArray) -> FloatArray:
    """Prior, which is constant, over the density of the proposals; sum 1."""
    away = new[:, None] - old
    exponent = -0.5 * np.einsum("nop,pq,noq->no", away, np.linalg.inv(spread), away)
    density = np.exp(exponent - exponent.max(axis=1, keepdims=True)) @ weights
    result = np.exp(-exponent.max(axis=1) - np.log(density))
    return result / result.sum()


def _distances(
    theta: FloatArray, observed: FloatArray, steps: int, trials: int, rng: np.random.Generator
) -> FloatArray:
    """Mean squared difference of autocorrelations for each row of parameters."""
    lags = len(observed) - 1
    size = padded(steps, lags)
    chunk = max(1, _SAMPLES // (steps * trials))
    result = np.empty(len(theta))
    for start in range(0, len(theta), chunk):
        rows = theta[start : start + chunk]
        series = _processes(rows[:, 0], steps, trials, rng)
        if rows.shape[1] == 3:
            fast = rows[:, 2].astype(np.float32)[:, None, None]
            series = np.sqrt(fast) * series + np.sqrt(1 - fast) * _processes(rows[:, 1], steps, trials, rng)
        correlation = normalised(power_spectrum(series, size).sum(axis=1), steps, lags)
        result[start : start + chunk] = ((correlation - observed) ** 2).mean(axis=1)
    return result


def _processes(tau: FloatArray, steps: int, trials: int, rng: np.random.Generator) -> FloatArray:
    """Stationary Ornstein-Uhlenbeck processes of unit variance, shape (process, trial, time), in float32."""
    from scipy.signal import lfilter

    # Half the time of float64; rounding is 1e-7, the differences to be seen 1e-3.
    noise = rng.standard_normal((len(tau), trials, steps), dtype=np.float32)
    for series, decay in zip(noise, np.exp(-1 / tau), strict=True):
        series[:, 1:] *= np.float32(np.sqrt(1 - decay**2))
        series[:] = lfilter(np.ones(1, np.float32), np.array([1, -decay], np.float32), series, axis=1)
    return noise
