"""How long a two-state system stays in a state whose rate of escape a periodic force modulates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import FloatArray, number, whole
from .._result import Result
from ..conventions import Conventions

_PHASES = 720  # of a period


@dataclass(frozen=True, eq=False)
class ResidenceDensity(Result, figure="residence_density"):
    r"""Density of the residence times of two symmetric states under a periodic force; ``print`` shows the areas of its peaks.

    Attributes
    ----------
    times : array, shape (time,)
        In units of time, evenly spaced from 0.
    density : array, shape (time,)
        Per unit of time.
    rate : float
        r, of escape without the force: the density is then r exp(-r t).
    modulation : float
        A x_m / D.
    angular_frequency : float
        W in radians per unit of time.
    mean : float
        Mean residence time, of the whole density.
    conventions : Conventions

    Notes
    -----
    Rates are r exp(-+(A x_m / D) cos W t) in the upper and the lower state. With u the phase at which a state is entered, in the flux of
    the periodic state, the density is <k(u + W t) exp(-int_0^t k)>: quadrature over 720 phases. Peaks lie at odd multiples of half the
    period (Zhou, Moss & Jung 1990, Phys Rev A 42:3161; Gammaitoni, Marchesoni & Santucci 1995, Phys Rev Lett 74:1052). Not to be trusted
    where the force lowers the barrier to the size of D, or for times as short as the relaxation in a well.
    """

    times: FloatArray
    density: FloatArray
    rate: float
    modulation: float
    angular_frequency: float
    mean: float
    conventions: Conventions

    @property
    def period(self) -> float:
        """Of the force, 2 pi / W."""
        return 2 * np.pi / self.angular_frequency

    def peak_area(self, n: int = 1, *, width: float = 0.25) -> float:
        """P_n, the probability of times within `width` periods of (n - 1/2) periods; NaN where the density isn't given that far.

        As a function of the noise, P_1 is largest where 1 / r is about half a period: the bona fide resonance.
        """
        whole(n, "n")
        if number(width, "width", unit="periods", low=0, strict=True) > 0.5:
            raise ValueError(f"width = {width!r}: at most 0.5 periods, or peaks overlap")
        ends = (np.array([n - 0.5 - width, n - 0.5 + width])) * self.period
        if ends[1] > self.times[-1] * (1 + 1e-12):
            return float("nan")
        dt = self.times[1]
        below = np.concatenate([[0.0], np.cumsum((self.density[1:] + self.density[:-1]) / 2 * dt)])
        low, high = np.interp(ends, self.times, below)
        return float(high - low)

    def __str__(self) -> str:
        areas = ", ".join(f"{self.peak_area(n):.3g}" for n in (1, 2, 3))
        return (
            f"residence times under a force of period {self.period:.4g} (modulation {self.modulation:.3g}), "
            f"escape rate {self.rate:.4g} per {self.conventions.time}\n"
            f"mean {self.mean:.4g}; areas within a quarter of a period of (n - 1/2) periods, n = 1, 2, 3: {areas}"
        )


def residence_density(
    rate: float, modulation: float, w: float, longest: float, conventions: Conventions
) -> ResidenceDensity:
    """The density of symmetric states up to `longest` periods."""
    phases = np.arange(_PHASES) * 2 * np.pi / _PHASES
    dt = phases[1] / w
    # The upper state is left most where the force points down. Integrals over a step at its middle.
    middle = phases + phases[1] / 2
    leave, enter = rate * np.exp(-modulation * np.cos(middle)), rate * np.exp(modulation * np.cos(middle))
    kept = np.exp(-(leave + enter) * dt)
    gained = enter / (leave + enter) * (1 - kept)
    # Periodic share of the upper state: once round as a linear map.
    factor, offset = 1.0, 0.0
    for k in range(_PHASES):
        factor, offset = factor * kept[k], offset * kept[k] + gained[k]
    share = np.empty(_PHASES)
    share[0] = offset / (1 - factor)
    for k in range(_PHASES - 1):
        share[k + 1] = share[k] * kept[k] + gained[k]
    entering = rate * np.exp(modulation * np.cos(phases)) * (1 - share)
    weight = entering / entering.sum()

    steps = int(np.ceil(longest * _PHASES))
    hazard = rate * np.exp(-modulation * np.cos(phases))
    density, survival = np.empty(steps + 1), np.ones(_PHASES)
    place = np.arange(_PHASES)
    for k in range(steps + 1):
        density[k] = weight @ (hazard[place] * survival)
        survival *= np.exp(-leave[place] * dt)
        place = (place + 1) % _PHASES
    mean = float(share.mean() / entering.mean())  # time in the state over entries into it
    return ResidenceDensity(np.arange(steps + 1) * dt, density, rate, modulation, w, mean, conventions)
