"""The answer of a noisy system to a weak periodic force, as theory gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import FloatArray, choice, number
from .._result import Result
from ..conventions import Conventions

#: Of all the theory of resonance: S(W) = integral of C(t) exp(i W t) dt, noise as D, W in radians.
THEORY = Conventions(sided="two", frequency="cycles", noise="D", time="unit of time")

Over = Literal["radians", "cycles"]


@dataclass(frozen=True, eq=False)
class LinearResponse(Result, figure="linear_response"):
    r"""Response to A cos(W t) and background spectrum, exact for A -> 0; ``print`` shows them.

    The mean answers with ``Re[A chi exp(-i W t)] = A |chi| cos(W t - lag)``.

    Attributes
    ----------
    angular_frequency : array, shape (frequency)
        W in radians per unit of time; W = 2 pi f for a frequency f in cycles.
    susceptibility : complex array, of the shape of `angular_frequency`
        chi(W). Its imaginary part is positive where the answer lags behind.
    spectrum : array, shape (frequency)
        Background without the force, S(W) = integral of C(t) exp(i W t) over all t: a two-sided density per cycle, the variance
        is its integral over f = W / 2 pi. Per radian it is S / (2 pi).
    noise : float
        D of dx = -V' dt + sqrt(2 D) dW.
    conventions : Conventions
        Of the densities. Frequencies are always in radians here.

    Notes
    -----
    Gammaitoni, Haenggi, Jung & Marchesoni (1998), Rev Mod Phys 70:223. Don't trust it where A times the distance between the wells
    isn't small beside D: :meth:`FokkerPlanck.periodic_response` has the answer at a finite A.
    """

    angular_frequency: FloatArray
    susceptibility: NDArray[np.complexfloating]
    spectrum: FloatArray
    noise: float
    conventions: Conventions = THEORY

    @property
    def amplification(self) -> FloatArray:
        """Spectral power amplification ``eta = |chi|^2``, the squared gain of the amplitude."""
        return np.abs(self.susceptibility) ** 2

    @property
    def lag(self) -> FloatArray:
        """Phase lag behind the force, arg chi, in radians."""
        return np.angle(self.susceptibility)

    @property
    def fluctuation_dissipation(self) -> FloatArray:
        """(2 D / W) Im chi: equal to `spectrum` if the force moves what is measured and the system is in equilibrium."""
        return 2 * self.noise / self.angular_frequency * self.susceptibility.imag

    def snr(self, amplitude: float = 1.0, *, over: Over = "radians") -> FloatArray:
        r"""Signal-to-noise ratio of the line at W, a power over a density of power; ``10 * log10`` of it is in dB.

        Parameters
        ----------
        amplitude : float
            A, above 0. SNR grows with A^2 in linear response.
        over : "radians" or "cycles"
            "radians": as Gammaitoni et al. (1998), per unit of time in radians. "cycles": line over a density of the same
            sides per cycle, per unit of time in cycles, which is 4 pi times smaller.

        Notes
        -----
        A mean xbar cos(W t - lag) has the power xbar^2 / 2, half of it in each of the lines at +W and -W. Over S of the same side,
        per cycle, that is (xbar^2 / 4) / S; a one-sided spectrum has twice the line and twice the background, and so the same
        ratio. Over the density per radian, S / (2 pi), it is pi xbar^2 / (2 S). Gammaitoni et al. count both lines
        over a density of one side: pi xbar^2 / S.
        """
        a = number(amplitude, "amplitude", unit="", low=0, strict=True)
        choice(over, "over", ("radians", "cycles"))
        factor = np.pi if over == "radians" else 0.25
        return factor * a**2 * self.amplification / self.spectrum

    def __str__(self) -> str:
        lines = [
            f"linear response, D = {self.noise:g}; {self.conventions}, W in radians",
            f"{'W':>9} {'eta':>9} {'lag (rad)':>9} {'S':>10} {'SNR / A^2':>10}",
        ]
        columns = (self.angular_frequency, self.amplification, self.lag, self.spectrum, self.snr())
        rows = np.stack([np.atleast_1d(column) for column in columns], axis=1)
        lines += [f"{w:9.4g} {eta:9.4g} {lag:9.4g} {s:10.4g} {snr:10.4g}" for w, eta, lag, s, snr in rows[:12]]
        return "\n".join(lines + ["..."] * (len(rows) > 12))


def angular(values: ArrayLike) -> FloatArray:
    """Angular frequencies, a number or an array, above 0."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"angular_frequency has dtype {array.dtype}: give real numbers, radians per unit of time")
    bad = ~(np.isfinite(array) & (array > 0))
    if not array.size or bad.any():
        first = f"holds {array[bad].flat[0]:g}" if array.size else "is empty"
        raise ValueError(
            f"angular_frequency {first}: give finite numbers above 0, in radians per unit of time (W = 2 pi f)"
        )
    return array.astype(np.float64)
