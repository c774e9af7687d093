"""Is there a resonance: a curve over noise levels, measured on several networks, its optimum, and whether that is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, choice, floats, number, whole
from .._result import Result
from ..conventions import Conventions


@dataclass(frozen=True, eq=False)
class ResonanceCurve(Result, figure="resonance_curve"):
    """A measure against noise with its optimum; ``print`` says "a resonance" only if it is one.

    Attributes
    ----------
    noise : array, shape (level)
    values : array, shape (level, network)
    low, high : array, shape (level)
        Bootstrap band of the mean over networks, for each level by itself.
    best : "max" or "min"
    optimum : float
        Noise at the best mean: top of a parabola in log noise through the best level and its neighbours; a level where it is at an end.
    optimum_low, optimum_high : float
        Bootstrap interval of it.
    share : float
        Bootstrap samples whose best level is inside. It is large for flat curves too, and no test.
    margin : float
        The largest distance by which an inner level is better than both ends, for sure: the lower bound of a simultaneous confidence
        interval over all levels, in the unit of the values. A resonance if above 0.
    confidence : float
    control : array, shape (level, network), or None
        The measure on surrogates.
    control_margin : float
        ``margin`` of the control; NaN without one. Above 0 the measure has an optimum without the signal.
    name : str
        Of the measure.
    conventions : Conventions
    """

    noise: FloatArray
    values: FloatArray
    low: FloatArray
    high: FloatArray
    best: Literal["max", "min"]
    optimum: float
    optimum_low: float
    optimum_high: float
    share: float
    margin: float
    confidence: float
    control: FloatArray | None
    control_margin: float
    name: str
    conventions: Conventions = field(default_factory=Conventions)

    @property
    def mean(self) -> FloatArray:
        """Over networks, (level)."""
        return self.values.mean(axis=1)

    @property
    def resonance(self) -> bool:
        """Whether an inner level is better than both ends, with the stated confidence for all levels together."""
        return self.margin > 0

    def __str__(self) -> str:
        level = int(np.argmax(self.mean) if self.best == "max" else np.argmin(self.mean))
        word = {"max": "maximum", "min": "minimum"}[self.best]
        found = (
            f"a resonance in {self.name}: {word}"
            if self.resonance
            else f"no resonance shown in {self.name}: best mean, perhaps by chance,"
        )
        lines = [
            f"{found} at noise {self.optimum:.4g} ({self.confidence:.0%} interval {self.optimum_low:.4g} to {self.optimum_high:.4g}); "
            f"{self.mean[level]:.4g} at level {self.noise[level]:.4g} ({self.low[level]:.4g} to {self.high[level]:.4g}), "
            f"ends {self.mean[0]:.4g} and {self.mean[-1]:.4g}",
            f"advantage over both ends: at least {self.margin:.4g} ({self.confidence:.0%} confidence over all levels); best level inside in "
            f"{self.share:.0%} of bootstrap samples; {self.values.shape[1]} networks, noise as {self.conventions.noise}",
        ]
        if self.control is not None:
            verdict = "has an optimum of its own" if self.control_margin > 0 else "shows none"
            lines.append(
                f"control: {self.control.mean(axis=1)[level]:.4g} at that level; it {verdict} (margin {self.control_margin:.4g})"
            )
        return "\n".join(lines)


def resonance_curve(
    noise: ArrayLike,
    values: ArrayLike,
    *,
    best: Literal["max", "min"] = "max",
    control: ArrayLike | None = None,
    name: str = "the measure",
    confidence: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
    conventions: Conventions | None = None,
) -> ResonanceCurve:
    """Tell whether a measure has an optimum at intermediate noise, and where, from several networks at several levels.

    A resonance asks for one inner level that is better than both ends. For each inner level k and each end e, the mean difference
    d_ke over networks has a lower confidence bound d_ke - c_e se_ke; c_e is the quantile, over bootstrap samples of whole networks,
    of the largest studentised deviation over all k. margin = max over k of min over e of the bounds.

    Parameters
    ----------
    noise : array, shape (level)
        Levels, above 0 and increasing, at least 5.
    values : array, shape (level, network)
        The measure. Networks (or batches of paths) are independent of each other, at least 4; each is measured at all levels,
        which may share its draws.
    best : "max" or "min"
        "max" of an amplification or SNR, "min" of a CV.
    control : array, shape (level, network), optional
        The measure on surrogates, such as without drive, or with shuffled intervals. A resonance of the control says that it comes
        from something else than the signal.
    name : str
        Of the measure.
    confidence : float
        Of band, interval and test, between 0 and 1.
    samples, seed : int
        Bootstrap over networks, the same networks at all levels.
    conventions : Conventions, optional
        What the noise level is (D or sigma).

    Raises
    ------
    ValueError
        For fewer than 5 levels or 4 networks, levels out of order, shapes that don't fit, NaN (leave out levels at which the measure
        isn't defined), and values that are the same at all levels.

    Notes
    -----
    The best of several noisy levels lies inside almost always, and above both ends by construction: that share is no evidence.
    The simultaneous bound allows for the choice of the level. Measured false alarms where at most 5 % are nominal (tests: 400 curves of
    9 levels each, Gaussian and skewed, 5 to 20 networks): at most 1.3 % for flat and monotone curves, 3 to 6 % where all levels
    but one end are alike.

    The answer is about the range of levels: a curve that is still rising at the last one shows no resonance, one that falls at both ends
    may rise again beyond. The interval of the optimum is that of a parabola through three levels: no finer than their spacing says.
    With few networks the bound is conservative: a peak of two standard deviations (between networks) was seen by 8 networks in half of
    cases, by 5 in a tenth, by 20 always.

    References
    ----------
    Bootstrap-t and simultaneous intervals: Romano & Wolf (2005) Econometrica 73:1237; Efron & Tibshirani (1993), An Introduction to the
    Bootstrap, chapter 12. Intersection-union test: Berger (1982) Technometrics 24:295.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodyn.analysis import resonance_curve
    >>> noise = np.geomspace(0.05, 0.5, 8)
    >>> curve = np.exp(-np.log(noise / 0.15)[:, None] ** 2)
    >>> networks = curve + 0.1 * np.random.default_rng(0).normal(size=(8, 12))
    >>> found = resonance_curve(noise, networks, samples=500)
    >>> found.resonance, bool(abs(found.optimum - 0.15) < 0.05)
    (True, True)
    """
    levels = floats(noise, "noise", axes=("level",), shortest=5)
    if levels[0] <= 0 or (np.diff(levels) <= 0).any():
        raise ValueError(f"noise = {levels.tolist()}: give levels above 0, each above the one before")
    measured = _rows(values, "values", len(levels))
    surrogates = None if control is None else _rows(control, "control", len(levels))
    choice(best, "best", ("max", "min"))
    confidence = number(confidence, "confidence", unit="", low=0, strict=True)
    if confidence >= 1:
        raise ValueError(f"confidence = {confidence!r}: below 1, such as 0.95")
    samples = whole(samples, "samples", low=100)
    sign = 1.0 if best == "max" else -1.0
    networks = measured.shape[1]
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(networks, np.full(networks, 1 / networks), samples) / networks
    means = drawn @ measured.T
    tails = [50 * (1 - confidence), 50 * (1 + confidence)]
    low, high = np.percentile(means, tails, axis=0)
    places = np.array([_top(levels, sign * row) for row in means])
    first, last = np.percentile(places, tails)
    inside = np.argmax(sign * means, axis=1)
    control_margin = np.nan
    if surrogates is not None:
        count = surrogates.shape[1]
        again = rng.multinomial(count, np.full(count, 1 / count), samples) / count
        control_margin = _margin(sign * surrogates, again, confidence)
    return ResonanceCurve(
        levels,
        measured,
        low,
        high,
        best,
        _top(levels, sign * measured.mean(axis=1)),
        float(first),
        float(last),
        float(np.mean((inside > 0) & (inside < len(levels) - 1))),
        _margin(sign * measured, drawn, confidence),
        confidence,
        surrogates,
        control_margin,
        name,
        conventions or Conventions(),
    )


def _rows(values: ArrayLike, name: str, levels: int) -> FloatArray:
    array = floats(values, name, axes=("level, network",), shortest=1)
    if array.shape[0] != levels or array.shape[1] < 4:
        raise ValueError(
            f"{name} has shape {array.shape}: give (level, network), {levels} levels as in noise and at least 4 networks"
        )
    if not np.ptp(array, axis=0).any():
        raise ValueError(f"{name} is the same at all levels: there is no curve")
    return array


def _top(levels: FloatArray, mean: FloatArray) -> float:
    """Where the parabola in log noise through the best level and its neighbours is highest."""
    k = int(np.argmax(mean))
    if k in (0, len(levels) - 1):
        return float(levels[k])
    place, height = np.log(levels[k - 1 : k + 2]), mean[k - 1 : k + 2]
    left, right = place[1] - place[0], place[2] - place[1]
    rise, fall = height[1] - height[0], height[1] - height[2]
    if rise + fall <= 0:
        return float(levels[k])
    shift = (rise * right**2 - fall * left**2) / (2 * (rise * right + fall * left))
    return float(np.exp(place[1] + shift))


def _margin(values: FloatArray, drawn: FloatArray, confidence: float) -> float:
    """The largest lower bound, simultaneous over levels, of how far an inner level is above both ends."""
    networks = values.shape[1]
    # (end, inner level, network)
    differences = np.stack([values[1:-1] - values[end] for end in (0, -1)])
    mean = differences.mean(axis=2)
    error = differences.std(axis=2, ddof=1) / np.sqrt(networks)
    again = np.tensordot(drawn, differences, axes=(1, 2))
    variance = np.tensordot(drawn, differences**2, axes=(1, 2)) - again**2
    spread = np.sqrt(np.maximum(variance, 0.0) / (networks - 1))
    # Samples that drew one network only have no spread of their own, and tell nothing.
    some = spread > 1e-9 * np.maximum(error, np.finfo(float).tiny)
    deviation = np.where(some, (again - mean) / np.where(some, spread, 1.0), 0.0)
    # Without a resonance all levels are at most as good as the better end, whichever it is: a quantile for each end.
    reach = np.quantile(deviation.max(axis=2), confidence, axis=0)
    return float((mean - reach[:, None] * error).min(axis=0).max())
