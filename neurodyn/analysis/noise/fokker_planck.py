"""Exact numbers of noise in one dimension: the Fokker-Planck equation of a potential, solved on a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, number, whole
from .._result import Result
from ..conventions import Conventions
from ._birth_death import Chain
from .floquet import PeriodicResponse
from .linear_response import THEORY, LinearResponse, angular

Function = Callable[[FloatArray], ArrayLike]

_STEEPEST = 0.5  # of V[i + 1] - V[i], in 2 D, where the density is worth it
_EDGE = 1e-6  # of the highest density: what may stand at an end of the domain
_TAIL = 1e-7  # of the first harmonic: what the last ones may hold


@dataclass(frozen=True, eq=False)
class Relaxation(Result, figure="relaxation_modes"):
    """Rates of relaxation and modes, the slowest first; ``print`` shows the rates.

    Attributes
    ----------
    rates : array, shape (mode,)
        Eigenvalues l_k of -L, per unit of time; l_0 = 0. NaN where a rate can't be told from 0 in double precision.
    x, density : array, shape (point,)
        Points of the grid, and the stationary density there.
    modes : array, shape (point, mode)
        Functions psi_k with <psi_j psi_k> = delta under the stationary density, psi_0 = 1; from any start the
        mean of psi_k decays with exp(-l_k t). NaN where the density is below 1e-300.
    conventions : Conventions
    """

    rates: FloatArray
    x: FloatArray
    density: FloatArray
    modes: FloatArray
    conventions: Conventions

    def __str__(self) -> str:
        return f"rates of relaxation, per {self.conventions.time}: " + ", ".join(f"{r:.4g}" for r in self.rates)


@dataclass(frozen=True, eq=False)
class FokkerPlanck(Result, figure="fokker_planck_solution"):
    r"""Noise in a potential, dx = -V'(x) dt + sqrt(2 D) dW: density, rates, passage times, spectra and responses.

    Parameters
    ----------
    potential : callable
        V of an array of places, element by element. :meth:`from_force` takes a force instead.
    noise : float
        D, above 0; sigma^2 = 2 D for a noise sigma dW.
    domain : (low, high)
        Where x lives, with reflecting ends. They should lie where nothing goes: an error if the density there is above
        1e-6 of its highest, unless `walls` says that it is meant.
    points : int
        Of the grid, ends included; at least 51.
    walls : bool
        The ends are reflecting walls that the system does reach.

    Raises
    ------
    ValueError
        `potential` not finite or of another shape, density at the ends, or a grid too coarse for the noise: the potential
        changes by more than D from a point to the next, where the density is above 1e-8 of its highest.

    Notes
    -----
    dp/dt = (V' p)' + D p'', as jumps between neighbours with rates in detailed balance: the stationary density is exact on the grid,
    the rest off by order h^2 (halve h to see how much; 1201 points on (-3, 3) give the double well to about 1e-4).
    Risken (1989), The Fokker-Planck Equation, chapters 5 and 6. Noise that depends on x, and forces that are no gradient
    (more dimensions), aren't covered. Results are in one unit of time and of x throughout, those of the potential.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodyn.analysis import FokkerPlanck
    >>> well = FokkerPlanck(lambda x: x**4 / 4 - x**2 / 2, noise=0.1)
    >>> escape = well.relaxation().rates[1]
    >>> round(well.mean(np.square), 3), round(float(escape), 4)
    (0.871, 0.0335)
    """

    potential: Function
    noise: float = field(kw_only=True)
    domain: tuple[float, float] = field(default=(-3.0, 3.0), kw_only=True)
    points: int = field(default=1201, kw_only=True)
    walls: bool = field(default=False, kw_only=True)
    conventions: Conventions = field(default=THEORY, init=False)

    def __post_init__(self) -> None:
        number(self.noise, "noise", unit="", low=0, strict=True)
        whole(self.points, "points", low=51)
        _ends(self.domain)
        values, density = self.values, self.density
        if not self.walls and (edge := max(density[0], density[-1])) > _EDGE * density.max():
            raise ValueError(
                f"domain = {self.domain}: the density at an end is {edge / density.max():.2g} of its highest, it should be below "
                f"{_EDGE:g}. Widen the domain, check the sign of the potential, or say walls=True if the ends reflect"
            )
        common = np.maximum(density[1:], density[:-1]) > 1e-8 * density.max()
        steep = float(np.abs(np.diff(values))[common].max(initial=0) / (2 * self.noise))
        if steep > _STEEPEST:
            raise ValueError(
                f"points = {self.points}: the potential changes by {2 * steep:.2g} D between neighbouring points, at most "
                f"{2 * _STEEPEST:g} D is allowed. Give {int(self.points * steep / _STEEPEST) + 1} points or a narrower domain"
            )

    @classmethod
    def from_force(
        cls,
        force: Function,
        *,
        noise: float,
        domain: tuple[float, float] = (-3.0, 3.0),
        points: int = 1201,
        walls: bool = False,
    ) -> FokkerPlanck:
        """The system dx = force(x) dt + sqrt(2 D) dW, for a smooth force; V is its integral, by a cubic spline."""
        from scipy.interpolate import CubicSpline

        low, high = _ends(domain)
        x = np.linspace(low, high, 4 * whole(points, "points", low=51))
        work = CubicSpline(x, _values(force, x, "force")).antiderivative()
        return cls(lambda at: -work(at), noise=noise, domain=domain, points=points, walls=walls)

    @cached_property
    def x(self) -> FloatArray:
        """Points of the grid, (point,)."""
        return np.linspace(*self.domain, self.points)

    @property
    def spacing(self) -> float:
        """Distance of neighbouring points."""
        return (self.domain[1] - self.domain[0]) / (self.points - 1)

    @cached_property
    def values(self) -> FloatArray:
        """The potential at the points, its lowest value taken off."""
        values = _values(self.potential, self.x, "potential")
        return values - values.min()

    @cached_property
    def density(self) -> FloatArray:
        """Stationary density exp(-V / D) / Z at the points; its sum times `spacing` is 1."""
        weight = np.exp(-self.values / self.noise)
        return weight / (weight.sum() * self.spacing)

    @cached_property
    def _chain(self) -> Chain:
        # Far out the density is nil and the slope of no account: held so that the rates stay finite.
        step = np.clip(np.diff(self.values) / (2 * self.noise), -30, 30)
        scale = self.noise / self.spacing**2
        return Chain(scale * np.exp(-step), scale * np.exp(step), scale)

    @property
    def _root(self) -> FloatArray:
        """Square root of the probabilities of the points: the mode of rate 0."""
        return np.sqrt(self.density * self.spacing)

    def mean(self, f: Function = np.asarray) -> float:
        """<f(x)> of the stationary density; of x itself if no `f` is given."""
        return float(_values(f, self.x, "f") @ self.density * self.spacing)

    def variance(self, f: Function = np.asarray) -> float:
        """Variance of f(x), of x itself if no `f` is given."""
        return float((_values(f, self.x, "f") - self.mean(f)) ** 2 @ self.density * self.spacing)

    def current(self, density: ArrayLike | None = None) -> FloatArray:
        """Probability current between neighbouring points, (point - 1,), of `density` (point,); 0 for the stationary one."""
        p = self.density if density is None else np.asarray(density, dtype=np.float64)
        if p.shape != self.x.shape or not np.isfinite(p).all():
            raise ValueError(f"density has shape {p.shape}: give finite values at the {self.points} points")
        return (self._chain.up * p[:-1] - self._chain.down * p[1:]) * self.spacing

    def relaxation(self, count: int = 6) -> Relaxation:
        """The `count` slowest rates of relaxation, 0 the first of them, and their modes."""
        rates, vectors = self._chain.modes(whole(count, "count", high=self.points))
        # Errors of eigenvalues are absolute, and of the size of the fastest rate times the precision.
        floor = 1e-15 * 4 * self._chain.scale * 10
        rates = np.where(rates > floor, rates, np.nan)
        rates[0] = 0.0
        root = self._root
        modes = np.divide(vectors, root[:, None], out=np.full_like(vectors, np.nan), where=root[:, None] > 1e-150)
        # Positive at the highest point where there is some density.
        high = int(np.flatnonzero(self.density > 1e-4 * self.density.max())[-1])
        signs = np.where(vectors[high] < 0, -1.0, 1.0)
        return Relaxation(rates, self.x, self.density, modes * signs, self.conventions)

    def mean_first_passage(self, start: float, target: float) -> float:
        r"""Mean time from `start` until `target` is first reached; inf where it exceeds the range of numbers.

        For start < target, with the low end reflecting, T = (1/D) int_start^target dy exp(V(y)/D) int_low^y exp(-V(z)/D) dz (the
        sums of the grid are exact for its jumps); mirrored for start > target.
        """
        low, high = self.domain
        for name, place in (("start", start), ("target", target)):
            if not low <= number(place, name, unit="", low=low) <= high:
                raise ValueError(f"{name} = {place!r}: give a place in domain = {self.domain}")
        values = self.values / self.noise
        if start > target:
            values, start, target = values[::-1], low + high - start, low + high - target
        below = np.logaddexp.accumulate(-values)[:-1]  # summed as logarithms, that exp(V / D) may be large
        with np.errstate(over="ignore"):
            steps = np.exp((values[:-1] + values[1:]) / 2 + below) / self._chain.scale
            passed = np.concatenate([[0.0], np.cumsum(steps)])
        until = np.interp([start, target], self.x, passed)
        return float(until[1] - until[0]) if np.isfinite(until[1]) else np.inf

    def autocovariance(self, lags: ArrayLike, f: Function = np.asarray) -> FloatArray:
        """C(t) = <f(x(t)) f(x(0))> - <f>^2 at lags t (either sign) in units of time, from all modes of the grid."""
        times = np.abs(np.asarray(lags, dtype=np.float64))
        if not np.isfinite(times).all():
            raise ValueError("lags holds values that are NaN or infinite: give times")
        rates, vectors = self._all_modes
        weights = (((_values(f, self.x, "f") - self.mean(f)) * self._root) @ vectors)[1:] ** 2
        return np.exp(-times[..., None] * np.maximum(rates[1:], 0)) @ weights

    @cached_property
    def _all_modes(self) -> tuple[FloatArray, FloatArray]:
        return self._chain.modes()

    def response(self, angular_frequency: ArrayLike, f: Function = np.asarray) -> LinearResponse:
        r"""Linear response of <f(x)> to a weak force A cos(W t) beside -V', and the spectrum of f(x) without it.

        Parameters
        ----------
        angular_frequency : float or array
            W in radians per unit of time, above 0.
        f : callable
            What is measured; x itself if not given.

        Notes
        -----
        ``chi(W) = <f | (-i W - L)^-1 | -d/dx p0>`` and ``S(W) = 2 Re <f| (-i W - L)^-1 |(f - <f>) p0>``, each by one tridiagonal solve. For
        f = x, S = (2 D / W) Im chi (fluctuation-dissipation theorem), which is a check: two solves must agree.
        """
        w = angular(angular_frequency)
        root, h = self._root, self.spacing
        p = root**2
        # A force F changes the jumps' rates by the factors exp(+-F h / 2 D).
        flux = h / (2 * self.noise) * (self._chain.up * p[:-1] + self._chain.down * p[1:])
        moved = np.zeros_like(p)
        moved[:-1] -= flux
        moved[1:] += flux
        values = (_values(f, self.x, "f") - self.mean(f)) * root
        source = np.divide(moved, root, out=np.zeros_like(p), where=root > 1e-150)
        solved = [
            values @ self._chain.resolvent(each, np.stack([source, values], axis=1)) for each in w.ravel().tolist()
        ]
        chi, half = np.array(solved).T.reshape(2, *w.shape)
        return LinearResponse(w, chi, 2 * half.real, self.noise, self.conventions)

    def periodic_response(self, amplitude: float, angular_frequency: float) -> PeriodicResponse:
        """The exact periodic state under the force A cos(W t), of any amplitude A.

        Parameters
        ----------
        amplitude : float
            A, above 0.
        angular_frequency : float
            W in radians per unit of time, above 0.

        Raises
        ------
        ValueError
            64 harmonics aren't enough (a force far above the noise, at a low frequency), or the force brings the system to the
            ends of the domain.

        Notes
        -----
        The density is a Fourier series in time, whose coefficients obey a block tridiagonal system over the grid (Floquet theory;
        Jung 1993, Phys Rep 234:175). The number of harmonics doubles from 8 until the last hold less than 1e-7 of the
        first. A tenth of a second for weak forces, seconds for 64.
        """
        a = number(amplitude, "amplitude", unit="", low=0, strict=True)
        w = float(angular(number(angular_frequency, "angular_frequency", unit="radians per unit of time")))
        start = int(self.density.argmax())
        for order in (8, 16, 32, 64):
            found = self._chain.floquet(w, a * self.spacing / (2 * self.noise), order, start)
            means = self.x @ found
            harmonics = means[1::2] + 1j * means[2::2]
            # In a symmetric potential every second one vanishes: look at two.
            if np.abs(harmonics[-2:]).max() < _TAIL * abs(harmonics[0]):
                break
        else:
            raise ValueError(
                f"amplitude = {a:g} at angular_frequency = {w:g} and noise = {self.noise:g} needs more than 64 harmonics: "
                "give a weaker force, more noise or a higher frequency"
            )
        edge = max(np.abs(found[0]).sum(), np.abs(found[-1]).sum())
        if not self.walls and edge > 10 * _EDGE * np.abs(found).sum(axis=1).max():
            raise ValueError(f"amplitude = {a:g} brings the system to the ends of domain = {self.domain}: widen it")
        linear = complex(a * self.response(w).susceptibility)
        coefficients = found / self.spacing
        return PeriodicResponse(
            a, w, self.noise, float(means[0]), harmonics, self.x, coefficients, linear, self.conventions
        )

    def __str__(self) -> str:
        slowest = self.relaxation(3).rates[1:]
        return (
            f"Fokker-Planck solution, D = {self.noise:g}, {self.points} points on {self.domain}; {self.conventions}\n"
            f"mean {round(self.mean(), 12):.4g}, variance {self.variance():.4g}; "
            f"slowest rates {slowest[0]:.4g} and {slowest[1]:.4g} per {self.conventions.time}"
        )


def _ends(domain: tuple[float, float]) -> tuple[float, float]:
    low, high = domain
    if not number(low, "domain[0]", unit="") < number(high, "domain[1]", unit=""):
        raise ValueError(f"domain = {domain}: give (low, high) with low < high")
    return low, high


def _values(function: Function, x: FloatArray, name: str) -> FloatArray:
    """A function at the points of a grid, refused unless finite and of the grid's shape."""
    values = np.asarray(function(x))
    if values.dtype.kind not in "biuf" or values.shape != x.shape:
        raise ValueError(
            f"{name} of {len(x)} places gave {values.dtype} of shape {values.shape}: it has to work on arrays, element by element"
        )
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name}({x[~np.isfinite(values)][0]:g}) is NaN or infinite: narrow the domain")
    return values
