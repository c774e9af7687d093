"""A bank of chaotic maps and flows with their published Lyapunov exponents: to test estimators on, and to train networks on.

>>> from neurodyn.models import chaotic
>>> lorenz = chaotic.system("lorenz63")
>>> lorenz.trajectory(1000).shape
(1000, 3)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from neurodyn.analysis.dynamics.flows import flow
from neurodyn.models import chaotic_equations as equations


@dataclass(frozen=True)
class Published:
    """Lyapunov exponents of a system at its default parameters, and where they are from.

    Attributes
    ----------
    exponents : tuple of float
        The largest ones, in order; nats per step of a map, per unit of time of a flow.
    tolerance : float
        How well they are known, or agree between publications.
    source : str
    dimension : float or None
        Kaplan-Yorke dimension.
    total : float or None
        Sum of all exponents where it is known exactly: mean logarithm of the change of volume.
    """

    exponents: tuple[float, ...]
    tolerance: float
    source: str
    dimension: float | None = None
    total: float | None = None


@dataclass(frozen=True, eq=False)
class ChaoticSystem:
    """A chaotic map or flow; made by :func:`system`.

    Attributes
    ----------
    name : str
    kind : "map" or "flow"
        A delayed flow is the map of its discretised past.
    dt : float
        Time that a step stands for; 1 of a map.
    parameters : mapping of name to number
    units : int
        Dimensions of the state.
    published : Published or None
        None for parameters other than the default ones.
    derivative : callable or None
        Velocity of states (..., unit) of a flow, in NumPy or torch as these are.
    step : callable
        States (..., unit) a step later: the map, or a step of Runge and Kutta's fourth-order scheme.
    """

    name: str
    kind: Literal["map", "flow"]
    dt: float
    parameters: Mapping[str, float]
    units: int
    published: Published | None
    derivative: Callable[[Any], Any] | None
    step: Callable[[Any], Any]
    _near: Callable[[np.random.Generator, int], np.ndarray]
    _settle: int

    def start(self, count: int = 1, *, seed: int = 0) -> np.ndarray:
        """States on the attractor, or in the chaotic sea, (count, unit): where drawn states are after a while."""
        if isinstance(count, bool) or count < 1:
            raise ValueError(f"count = {count!r}: at least 1")
        states = self._near(np.random.default_rng(seed), count)
        for _ in range(self._settle):
            states = self.step(states)
        return states

    def trajectory(self, steps: int, *, count: int | None = None, every: int = 1, seed: int = 0) -> np.ndarray:
        """States along orbits on the attractor, (time, unit), or (orbit, time, unit) if a ``count`` of them is given.

        ``steps`` samples lie ``every`` steps apart; the first is a start.
        """
        for name, value in (("steps", steps), ("every", every)):
            if isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} = {value!r}: at least 1")
        states = self.start(1 if count is None else count, seed=seed)
        found = np.empty((len(states), steps, self.units))
        for k in range(steps):
            found[:, k] = states
            for _ in range(every if k + 1 < steps else 0):
                states = self.step(states)
        return found[0] if count is None else found

    def __str__(self) -> str:
        numbers = ", ".join(f"{k} = {v:g}" for k, v in self.parameters.items())
        text = f"{self.name}: {self.kind} of {self.units} dimensions, dt = {self.dt:g}, {numbers}"
        if self.published is None:
            return text
        exponents = ", ".join(f"{value:+.4g}" for value in self.published.exponents)
        return f"{text}; exponents {exponents} ± {self.published.tolerance:g} ({self.published.source})"


@dataclass(frozen=True)
class _Entry:
    rule: Callable[..., Any]
    parameters: Mapping[str, float]
    published: Published
    kind: Literal["map", "flow"] = "map"
    dt: float = 1.0
    units: int = 2
    centre: tuple[float, ...] = (0.1,)
    spread: float = 0.05
    settle: int = 1000


_SPROTT = "Sprott 2003, Chaos and Time-Series Analysis, appendix A"
_ENTRIES = {
    "logistic": _Entry(
        equations.logistic,
        {"r": 4.0},
        Published((np.log(2.0),), 0.0, "exact", 1.0),
        units=1,
        centre=(0.3,),
    ),
    "henon": _Entry(
        equations.henon,
        {"a": 1.4, "b": 0.3},
        Published((0.41922, -1.62319), 0.001, _SPROTT, 1.25827, np.log(0.3)),
    ),
    "ikeda": _Entry(
        equations.ikeda,
        {"alpha": 6.0, "beta": 0.4, "gamma": 1.0, "mu": 0.9},
        Published((0.50760, -0.71832), 0.005, _SPROTT, 1.70666, 2 * np.log(0.9)),
    ),
    "standard": _Entry(
        equations.standard,
        {"K": 10.0},
        Published((np.log(5.0), -np.log(5.0)), 0.05, "ln(K/2) for large K: Chirikov 1979, Phys. Rep. 52:263", 2.0, 0.0),
        centre=(1.0, 2.0),
    ),
    "lorenz63": _Entry(
        equations.lorenz63,
        {"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
        Published((0.9056, 0.0, -14.5723), 0.01, _SPROTT, 2.06215, -(10 + 1 + 8 / 3)),
        kind="flow",
        dt=0.02,
        units=3,
        centre=(1.0, 1.0, 25.0),
        settle=2000,
    ),
    "roessler": _Entry(
        equations.roessler,
        {"a": 0.2, "b": 0.2, "c": 5.7},
        Published((0.0714, 0.0, -5.3943), 0.005, _SPROTT, 2.0132),
        kind="flow",
        dt=0.05,
        units=3,
        centre=(-5.0, -5.0, 0.0),
        settle=2000,
    ),
    "lorenz96": _Entry(
        equations.lorenz96,
        {"F": 8.0},
        Published(
            (1.67,),
            0.05,
            "Lorenz & Emanuel 1998, J. Atmos. Sci. 55:399 (errors double in 2.1 days of 0.2)",
            27.1,
            -40.0,
        ),
        kind="flow",
        dt=0.01,
        units=40,
        centre=(8.0,),
        spread=1.0,
        settle=2000,
    ),
    "mackey_glass": _Entry(
        equations.mackey_glass,
        {"beta": 0.2, "gamma": 0.1, "n": 10.0, "tau": 31.8},
        # As they are printed there, and as they are measured here in nats; read as bits they would be a third less.
        Published((6.30e-3, 2.62e-3, 0.0, -1.39e-2), 0.001, "Wolf et al. 1985, Physica D 16:285, table 1", 3.64),
        dt=31.8 / 100,
        units=101,
        centre=(0.9,),
        spread=0.2,
        settle=5000,
    ),
}

#: Names that :func:`system` knows.
SYSTEMS = tuple(_ENTRIES)


def system(name: str, **parameters: float) -> ChaoticSystem:
    """Return a chaotic map or flow by its name: x' is the next step of a map, dx the derivative over time of a flow.

    ==================  ======================================================================================
    "logistic"          x' = r x (1 - x)
    "henon"             x' = 1 - a x^2 + y, y' = b x
    "ikeda"             ``z' = gamma + mu z exp(i [beta - alpha/(1 + |z|^2)])``, z = x + iy
    "standard"          p' = p + K sin(theta), theta' = theta + p', angles modulo 2 pi; state (theta, p)
    "lorenz63"          dx = sigma (y - x), dy = x (rho - z) - y, dz = x y - beta z
    "roessler"          dx = -y - z, dy = x + a y, dz = b + z (x - c)
    "lorenz96"          dx_i = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F, 40 units on a ring
    "mackey_glass"      dx = beta x(t - tau)/(1 + x(t - tau)^n) - gamma x, as a map of 100 steps of its past
                        (trapezoidal rule), newest first
    ==================  ======================================================================================

    Parameters
    ----------
    name : str
        One of ``SYSTEMS``.
    **parameters : float
        Those of the equation, instead of the published ones; ``published`` is None then.

    Raises
    ------
    ValueError
        For a name or a parameter that isn't known, or a number that isn't finite (a ``tau`` that isn't positive).

    Notes
    -----
    Other parameters need not give chaos, nor bounded orbits. Exponents of flows are those of steps of ``dt``, not of the
    equation itself. The exponents of "mackey_glass" are those of Wolf et al., who took other
    steps.
    """
    entry = _ENTRIES.get(name)
    if entry is None:
        alike = get_close_matches(str(name), SYSTEMS, n=1)
        hint = f"; did you mean {alike[0]!r}?" if alike else f"; there are {', '.join(SYSTEMS)}"
        raise ValueError(f"name = {name!r}: no such system{hint}")
    for key, value in parameters.items():
        if key not in entry.parameters:
            raise ValueError(f"{name} has no parameter {key!r}; there are {', '.join(entry.parameters)}")
        if isinstance(value, bool) or not np.isfinite(value):
            raise ValueError(f"{key} = {value!r}: give a finite number")
    numbers = {**entry.parameters, **{k: float(v) for k, v in parameters.items()}}
    if not numbers.get("tau", 1.0) > 0:
        raise ValueError(f"tau = {numbers['tau']:g}: give a positive time")
    dt = entry.dt * numbers.get("tau", 1.0) / entry.parameters.get("tau", 1.0)  # so many steps to a delay

    def rule(state: Any) -> Any:
        return entry.rule(state, **numbers)

    def near(rng: np.random.Generator, count: int) -> np.ndarray:
        spread = entry.spread * rng.uniform(-1, 1, (count, entry.units))
        return np.broadcast_to(entry.centre, entry.units) + spread

    return ChaoticSystem(
        name,
        entry.kind,
        dt,
        numbers,
        entry.units,
        None if numbers != entry.parameters else entry.published,
        rule if entry.kind == "flow" else None,
        flow(rule, dt) if entry.kind == "flow" else rule,
        near,
        entry.settle,
    )
