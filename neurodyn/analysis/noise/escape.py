"""Escape over a barrier: Kramers' rate, and what two states that are left at a rate do under a weak periodic force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, number
from .._result import Result
from ..conventions import Conventions
from .linear_response import THEORY, LinearResponse, angular
from .residence_theory import ResidenceDensity, residence_density

Potential = Callable[[FloatArray], ArrayLike]


@dataclass(frozen=True, eq=False)
class KramersRate(Result, figure="kramers_rate"):
    """A rate of escape and what it follows from; ``print`` shows it, ``float`` gives the rate.

    Attributes
    ----------
    rate : float
        Per unit of time.
    barrier : float
        V(barrier) - V(well).
    curvatures : (float, float)
        V'' of the well and of the barrier, in this order.
    noise : float
        The D of dx = -V' dt + sqrt(2 D) dW.
    well, top : float
        Where they are.
    conventions : Conventions
    """

    rate: float
    barrier: float
    curvatures: tuple[float, float]
    noise: float
    well: float
    top: float
    conventions: Conventions = THEORY

    @property
    def valid(self) -> bool:
        """Whether the barrier is at least 1.5 D high: then within about 10 to 15 % for the quartic double well."""
        return self.barrier >= 1.5 * self.noise

    def __float__(self) -> float:
        return self.rate

    def __str__(self) -> str:
        doubt = "" if self.valid else "; the barrier is too low for the formula, take FokkerPlanck.mean_first_passage"
        return (
            f"Kramers rate {self.rate:.4g} per {self.conventions.time} from {self.well:.4g} over {round(self.top, 9):.4g}: "
            f"barrier {self.barrier:.4g} = {self.barrier / self.noise:.3g} D{doubt}"
        )


def kramers_rate(
    potential: Potential,
    *,
    noise: float,
    well: float,
    barrier: float,
    curvatures: tuple[float, float] | None = None,
) -> KramersRate:
    r"""Rate of escape of an overdamped particle from a well over a barrier.

    Parameters
    ----------
    potential : callable
        V of an array of places, element by element.
    noise : float
        D of dx = -V' dt + sqrt(2 D) dW, above 0.
    well, barrier : float
        A minimum and the maximum beside it, roughly: Newton's method finds the exact places.
    curvatures : (float, float), optional
        V'' at the well and at the barrier; by finite differences if not given.

    Raises
    ------
    ValueError
        No minimum near `well` or no maximum near `barrier`, or curvatures of the wrong sign.

    Notes
    -----
    ``r = sqrt(V''(well) |V''(barrier)|) / (2 pi) exp(-(V(barrier) - V(well)) / D)``, the first term of an expansion in D / barrier
    (Kramers 1940, Physica 7:284; Haenggi, Talkner & Borkovec 1990, Rev Mod Phys 62:251). It is the rate of leaving the well for
    good: 1/r is the mean first passage time to the other well, that to the top is half of it. In V = x^4/4 - x^2/2
    2 r is 9 to 11 % above the exact slowest rate for D from 0.05 to 0.1, 4 % at 0.15, and falls 4 to 35 % short of it from 0.2 to 0.5
    (two errors that happen to cross): don't trust a rate because it agrees at one D.
    """
    d = number(noise, "noise", unit="", low=0, strict=True)
    a, b = number(well, "well", unit=""), number(barrier, "barrier", unit="")
    if a == b:
        raise ValueError(f"well = barrier = {a:g}: give the places of a minimum and of the maximum beside it")
    step = 1e-3 * abs(b - a)
    a, rise = _extremum(potential, a, step, "well", 1)
    b, fall = _extremum(potential, b, step, "barrier", -1)
    if curvatures is not None:
        rise, fall = (number(c, f"curvatures[{k}]", unit="") for k, c in enumerate(curvatures))
        if rise <= 0 or fall >= 0:
            raise ValueError(f"curvatures = {curvatures}: give V'' above 0 at the well, then below 0 at the barrier")
    low, high = np.asarray(potential(np.array([a, b])), dtype=np.float64)
    if high <= low:
        raise ValueError(f"barrier = {barrier!r} lies {low - high:g} below well = {well!r}: is the sign of V right?")
    rate = np.sqrt(-rise * fall) / (2 * np.pi) * np.exp(-(high - low) / d)
    return KramersRate(float(rate), float(high - low), (rise, fall), d, a, b)


def _extremum(potential: Potential, guess: float, step: float, name: str, sign: int) -> tuple[float, float]:
    """Place and curvature of the minimum (`sign` 1) or maximum (-1) near a guess."""
    place = guess
    for _ in range(20):
        v = np.asarray(potential(place + step * np.arange(-2, 3)), dtype=np.float64)
        # Five points: errors of order step^4.
        slope = (v[0] - 8 * v[1] + 8 * v[3] - v[4]) / (12 * step)
        curvature = (-v[0] + 16 * v[1] - 30 * v[2] + 16 * v[3] - v[4]) / (12 * step**2)
        if not np.isfinite(v).all() or sign * curvature <= 0 or abs(place - guess) > 300 * step:
            break
        place -= slope / curvature
        if abs(slope / curvature) < 1e-6 * step:
            return place, float(curvature)
    kind = "minimum" if sign > 0 else "maximum"
    raise ValueError(f"{name} = {guess:g}: the potential has no {kind} there, give a place closer to one")


@dataclass(frozen=True, eq=False)
class TwoState(Result, figure="two_state"):
    r"""Two states that noise leaves at constant rates: the caricature of a bistable system, solved in closed form.

    Parameters
    ----------
    noise : float
        D, which says how a force changes the rates.
    up : float
        Rate from the lower to the upper state without the force, above 0, per unit of time.
    down : float, optional
        Rate back; as `up` if not given.
    positions : (lower, upper)
        x of the states. +-sqrt(<x^2>) of the true density is better than the bottoms of the wells.
    conventions : Conventions
        Units and conventions of what is computed from it.

    Raises
    ------
    ValueError
        Rates or a noise that are not positive, or positions that are not (lower, upper).

    Notes
    -----
    With l = up + down and the variance v of x, ``C(t) = v exp(-l |t|)``, S = 2 v l / (l^2 + W^2) and chi = (v / D) l / (l - i W): with
    up = down = r, ``|chi| = (<x^2> / D) 2 r / sqrt(4 r^2 + W^2)`` and lag = atan(W / 2 r) (McNamara & Wiesenfeld 1989, Phys Rev A 39:4854).
    Motion inside the wells is left out (see :func:`bistable_response`); W and l have to be slow beside it.
    """

    noise: float
    up: float
    down: float | None = None
    positions: tuple[float, float] = (-1.0, 1.0)
    conventions: Conventions = THEORY

    def __post_init__(self) -> None:
        number(self.noise, "noise", unit="", low=0, strict=True)
        number(self.up, "up", unit="", low=0, strict=True)
        if self.down is not None:
            number(self.down, "down", unit="", low=0, strict=True)
        if not number(self.positions[0], "positions[0]", unit="") < number(self.positions[1], "positions[1]", unit=""):
            raise ValueError(f"positions = {self.positions}: give (lower, upper)")

    @classmethod
    def of_potential(
        cls, potential: Potential, *, noise: float, wells: tuple[float, float] = (-1.0, 1.0), barrier: float = 0.0
    ) -> TwoState:
        """The two states of a potential with two wells, at their bottoms, with Kramers' rates.

        ``potential``, ``noise`` and ``barrier`` are as in :func:`kramers_rate`, ``wells`` the places of the two minima.
        """
        lower = kramers_rate(potential, noise=noise, well=wells[0], barrier=barrier)
        upper = kramers_rate(potential, noise=noise, well=wells[1], barrier=barrier)
        return cls(noise, lower.rate, upper.rate, (lower.well, upper.well))

    @property
    def rate(self) -> float:
        """Rate of relaxation, up + down."""
        return self.up + (self.up if self.down is None else self.down)

    @property
    def variance(self) -> float:
        """Variance of x."""
        p = self.up / self.rate
        return p * (1 - p) * (self.positions[1] - self.positions[0]) ** 2

    @property
    def matched_frequency(self) -> float:
        """W in radians whose half period is the mean time between switches: the bona fide resonance, pi r if up = down = r."""
        p = self.up / self.rate
        return 2 * np.pi * p * (1 - p) * self.rate

    def response(self, angular_frequency: ArrayLike) -> LinearResponse:
        """Linear response at W in radians per unit of time; its SNR, pi (A x / D)^2 r, doesn't depend on W."""
        w = angular(angular_frequency)
        chi = self.variance / self.noise * self.rate / (self.rate - 1j * w)
        spectrum = 2 * self.variance * self.rate / (self.rate**2 + w**2)
        return LinearResponse(w, chi, spectrum, self.noise, self.conventions)

    def residence_times(self, amplitude: float, angular_frequency: float, *, longest: float = 8.0) -> ResidenceDensity:
        """Density of the times in a state under the force A cos(W t); see :class:`ResidenceDensity`.

        Parameters
        ----------
        amplitude : float
            A, at least 0.
        angular_frequency : float
            W in radians per unit of time, above 0.
        longest : float
            How far the density is given, in periods.

        Raises
        ------
        ValueError
            The rates differ: the density is that of symmetric states.
        """
        if self.down is not None and not np.isclose(self.down, self.up, rtol=1e-6):
            raise ValueError(f"down = {self.down:g}, up = {self.up:g}: residence times are those of symmetric states")
        a = number(amplitude, "amplitude", unit="", low=0)
        w = float(angular(number(angular_frequency, "angular_frequency", unit="radians per unit of time")))
        number(longest, "longest", unit="periods", low=1)
        reach = (self.positions[1] - self.positions[0]) / 2
        return residence_density(self.up, a * reach / self.noise, w, longest, self.conventions)

    def __str__(self) -> str:
        down = self.up if self.down is None else self.down
        return (
            f"two states at {self.positions[0]:.4g} and {self.positions[1]:.4g}, rates up {self.up:.4g}, down {down:.4g} "
            f"per {self.conventions.time}, D = {self.noise:g}; matched W = {self.matched_frequency:.4g} rad"
        )


def bistable_response(
    potential: Potential,
    *,
    noise: float,
    angular_frequency: ArrayLike,
    wells: tuple[float, float] = (-1.0, 1.0),
    barrier: float = 0.0,
    domain: tuple[float, float] = (-3.0, 3.0),
) -> LinearResponse:
    r"""Linear response of a bistable system as the sum of hopping between the wells and motion inside them.

    Parameters
    ----------
    potential : callable
        V of an array of places.
    noise : float
        The D of dx = -V' dt + sqrt(2 D) dW, above 0.
    angular_frequency : float or array
        W in radians per unit of time.
    wells, barrier : (float, float), float
        As in :func:`kramers_rate`.
    domain : (low, high)
        Over which the variance is integrated; as in :class:`FokkerPlanck`.

    Raises
    ------
    ValueError
        A barrier below D, or as in :func:`kramers_rate` and :class:`FokkerPlanck`.

    Notes
    -----
    ``C(t) = g1 exp(-l |t|) + g2 exp(-m |t|)``, with l the sum of Kramers' rates and m the mean curvature of the wells, by their populations. Two
    things are known without error: C(0) is the variance v, and C'(0+) = -D for any potential. So
    g2 = (D - l v) / (m - l), g1 = v - g2, and chi = sum_j (g_j / D) l_j / (l_j - i W), S = sum_j 2 g_j l_j / (l_j^2 + W^2): the theory of
    Jung & Haenggi (1991), Phys Rev A 44:8032. For V = x^4/4 - x^2/2, eta and SNR are within 21 %
    of :class:`FokkerPlanck` for D from 0.05 to 0.15 and W up to 0.1, 30 % for any W; most of it is the error of Kramers' rate. Don't
    trust it for barriers below 1.5 D.
    """
    from .fokker_planck import FokkerPlanck

    w = angular(angular_frequency)
    up, down = (kramers_rate(potential, noise=noise, well=well, barrier=barrier) for well in wells)
    slow, upper = up.rate + down.rate, up.rate / (up.rate + down.rate)
    fast = (1 - upper) * up.curvatures[0] + upper * down.curvatures[0]
    variance = FokkerPlanck(potential, noise=noise, domain=domain).variance()
    lower = min(up.barrier, down.barrier)
    if lower < noise or noise <= slow * variance or slow >= fast:
        raise ValueError(
            f"noise = {noise:g}: hopping over a barrier of {lower / noise:.2g} D isn't slow beside the wells. Give noise below "
            f"{lower:.3g}, or take FokkerPlanck.response"
        )
    inside = (noise - slow * variance) / (fast - slow)
    chi, spectrum = np.zeros(w.shape, dtype=np.complex128), np.zeros(w.shape)
    for weight, rate in ((variance - inside, slow), (inside, fast)):
        chi = chi + weight / noise * rate / (rate - 1j * w)
        spectrum = spectrum + 2 * weight * rate / (rate**2 + w**2)
    return LinearResponse(w, chi, spectrum, noise)
