"""The periodic state of a system that is forced strongly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._checks import FloatArray
from .._result import Result
from ..conventions import Conventions


@dataclass(frozen=True, eq=False)
class PeriodicResponse(Result, figure="periodic_response"):
    r"""Mean and density under A cos(W t) of any size, after all transients; ``print`` shows the harmonics.

    Attributes
    ----------
    amplitude, angular_frequency, noise : float
        A, W in radians per unit of time, and D.
    mean : float
        Mean over the period.
    harmonics : complex array, shape (harmonic,)
        z_n, n = 1, 2, ...: the mean is <x>(t) = mean + sum Re[z_n exp(-i n W t)].
    x : array, shape (point,)
    coefficients : array, shape (point, 2 * harmonic + 1)
        Of the probability density, of 1, cos W t, sin W t, cos 2 W t, ...
    linear : complex
        z_1 of linear response, A chi(W).
    conventions : Conventions
    """

    amplitude: float
    angular_frequency: float
    noise: float
    mean: float
    harmonics: NDArray[np.complexfloating]
    x: FloatArray
    coefficients: FloatArray
    linear: complex
    conventions: Conventions

    @property
    def amplification(self) -> float:
        """Spectral power amplification at this A, ``|z_1 / A|^2``."""
        return float(abs(self.harmonics[0] / self.amplitude) ** 2)

    @property
    def lag(self) -> float:
        """Phase lag of the first harmonic, in radians."""
        return float(np.angle(self.harmonics[0]))

    def _waves(self, phase: FloatArray) -> FloatArray:
        n = np.arange(1, len(self.harmonics) + 1)[:, None] * np.asarray(phase)
        waves = np.empty((2 * len(n) + 1, n.shape[1]))
        waves[0], waves[1::2], waves[2::2] = 1, np.cos(n), np.sin(n)
        return waves

    def course(self, phase: FloatArray) -> FloatArray:
        """The mean <x> at phases W t of the force, in radians, shape (phase,)."""
        waves = self._waves(phase)
        return self.mean + self.harmonics.real @ waves[1::2] + self.harmonics.imag @ waves[2::2]

    def density(self, phase: FloatArray) -> FloatArray:
        """Probability density at phases W t of the force, shape (point, phase)."""
        return self.coefficients @ self._waves(phase)

    def __str__(self) -> str:
        sizes = ", ".join(f"{size:.4g}" for size in np.abs(self.harmonics[:5]))
        gain = abs(self.linear / self.amplitude) ** 2
        return (
            f"periodic state under A = {self.amplitude:g}, W = {self.angular_frequency:g} rad per {self.conventions.time}, "
            f"D = {self.noise:g}\n"
            f"eta {self.amplification:.4g} (linear response {gain:.4g}), lag {self.lag:.4g} rad\n"
            f"mean {round(self.mean, 9):.4g}, amplitudes of harmonics 1 to {min(5, len(self.harmonics))}: {sizes}"
        )
