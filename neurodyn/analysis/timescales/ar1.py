"""What the protocol of :func:`network_timescales` finds in AR(1) units, which have one exponential and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .._checks import FloatArray, choice, whole
from ..nulls import NullTest
from .calibration import calibrated_timescales
from .correlation import normalised, padded, power_spectrum
from .networks import NetworkTimescales, fitted


@dataclass(frozen=True, eq=False)
class TimescalesNull:
    """The summary of a population beside that of AR(1) populations; ``print`` shows the table.

    Attributes
    ----------
    observed : dict
        ``NetworkTimescales.summary()`` of the data.
    null : dict
        The same of each surrogate population: an array of shape (sample) under each name.
    """

    observed: Mapping[str, float]
    null: Mapping[str, FloatArray]

    def test(self, name: str = "median") -> NullTest[float]:
        """One line of the summary as a :class:`NullTest`, alternative "greater".

        A surrogate without a single unit above 1 has no mean or median over them; it counts as 0.
        """
        choice(name, "name", tuple(self.observed))
        values = self.null[name]
        return NullTest(self.observed[name], np.nan_to_num(values), "greater")

    def __str__(self) -> str:
        rows = [f"{'':14}{'observed':>10}{'null':>10}{'5 %':>10}{'95 %':>10}"]
        for name, value in self.observed.items():
            finite = self.null[name][np.isfinite(self.null[name])]
            middle = np.percentile(finite, [50, 5, 95]) if len(finite) else np.full(3, np.nan)
            rows.append(f"{name:14}{value:10.4g}" + "".join(f"{number:10.4g}" for number in middle))
        return "\n".join(rows)


def ar1_null(observed: NetworkTimescales, *, samples: int = 20, seed: int = 0) -> TimescalesNull:
    """The summary of timescales beside that of AR(1) units with the same correlations at lag 1.

    Each surrogate population has one stationary Gaussian AR(1) unit for each unit that varies, simulated with
    its lag-1 correlation and as many steps and trials, and goes through the same protocol: the same lags, bound
    and rule of choice.

    Parameters
    ----------
    observed : NetworkTimescales
        Of :func:`network_timescales` or :func:`calibrated_timescales`.
    samples : int
        Surrogate populations. They cost as much as simulating and analysing the recording again, each.
    seed : int

    Returns
    -------
    TimescalesNull

    Notes
    -----
    Units with a correlation of zero or less at lag 1 are kept: their surrogates are white or alternate in sign.
    The fit, which has no negative amplitudes, gives both a tau well below 1 (at the least, 0.02: lag 0 only), so
    that they mostly drop out of what is kept, in the data as in the null.

    Surrogate units are independent. Units of a network share fluctuations, so its mean varies more from
    recording to recording than the null's: the null says what the protocol makes of one exponential, its width
    is no standard error. The estimate at lag 1 is itself too small by about (1 + 3 phi) / T.
    """
    samples = whole(samples, "samples")
    rng = np.random.default_rng(seed)
    varies = np.isfinite(observed.autocorrelation[1])
    # A trend can take the estimate to 1 and beyond; no stationary unit has that.
    limit = 1 - 1 / observed.steps
    phi = np.clip(observed.autocorrelation[1, varies], -limit, limit)
    summaries = []
    for _ in range(samples):
        correlation = simulated_autocorrelation(phi, observed.steps, observed.trials, observed.fit_lags, rng)
        result = fitted(
            correlation, observed.steps, observed.trials, fit_lags=observed.fit_lags, longest=observed.longest
        )
        summaries.append((calibrated_timescales(result) if observed.rule == "calibrated" else result).summary())
    null = {name: np.array([summary[name] for summary in summaries]) for name in summaries[0]}
    return TimescalesNull(observed.summary(), null)


def simulated_autocorrelation(
    phi: FloatArray, steps: int, trials: int, lags: int, rng: np.random.Generator
) -> FloatArray:
    """Autocorrelation, shape (lag, unit), of stationary Gaussian AR(1) units with lag-1 correlations `phi`."""
    from scipy.signal import lfilter

    size = padded(steps, lags)
    result = np.empty((lags + 1, len(phi)))
    chunk = max(1, (1 << 20) // steps)
    for unit, coefficient in enumerate(phi):
        power = np.zeros(size // 2 + 1)
        for start in range(0, trials, chunk):
            noise = rng.standard_normal((min(chunk, trials - start), steps))
            # The first sample has the stationary variance of 1, later ones the noise that keeps it.
            noise[:, 1:] *= np.sqrt(1 - coefficient**2)
            series = np.asarray(lfilter([1.0], [1.0, -coefficient], noise, axis=1))
            power += power_spectrum(series, size).sum(axis=0)
        result[:, unit] = normalised(power, steps, lags)
    return result
