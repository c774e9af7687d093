"""The parts of a circuit: populations, spike sources, inputs, filters, readouts, connections.

Descriptions are frozen and know nothing of execution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.plasticity.rule import Rule, SynapticRule

RESERVED = {"t", "dt", "i", "j", "N", "step", "learning", "calibration", "randn", "rand", "sum", "mean", "xi"}


class CircuitError(ValueError):
    """A description that can't be built, with the part, the value and what is allowed."""


@dataclass(frozen=True)
class Uniform:
    """Values drawn uniformly between ``low`` and ``high``, quantities of one dimension: ``nd.Uniform("-70 mV", "-50 mV")``."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Normal:
    """Values drawn from a normal distribution with ``mean`` and standard deviation ``std`` (std >= 0)."""

    mean: Any
    std: Any


@dataclass(frozen=True, eq=False)
class Population:
    """Units that share their equations.

    Parameters
    ----------
    name : str
        A Python identifier.
    size : int
        Number of units, 0 or more.
    equations : str
        Brian2 equations with units, integrated by ``method``.
    code : str
        Instead of equations: the assignments of one step (published schemes, discrete maps), with the variables
        declared in ``variables``.
    variables : mapping of name to unit
        State variables of ``code`` and their units ("1" for pseudo-units).
    threshold, reset : str
        Condition for a spike, evaluated after the update, and the assignments made for units that spiked.
    refractory : quantity, or name of a parameter
        Time after a spike in which no further spike is emitted; variables marked ``(unless refractory)`` rest.
    parameters : mapping
        Quantities as text, numbers or arrays (size,), distributions, or expressions of other parameters, ``i``, ``N``.
    initial : mapping
        Start values by the same rules; expressions may hold ``randn()`` and ``rand()`` and the values set before them.
    method : str
        Integrator of ``equations``: euler, exact, exponential_euler, rk2, rk4, heun, milstein (Brian2's choice if None).
    dt : quantity
        Step that a published scheme is locked to.
    labels : mapping of variable to text
        Units written into recordings for pseudo-unit variables, such as ``{"v": "mV (2003 form)"}``.
    silenced : array of int
        Units that never spike (see :meth:`Circuit.lesion`).
    clamped : mapping of variable to (units, value)
        Units held at a value (see :meth:`Circuit.clamp`).
    references : tuple of str
        What to cite: keys or BibTeX entries (see :func:`neurodyn.bibtex`).

    Raises
    ------
    CircuitError
        Both equations and code or neither, names that are reserved or declared twice, a reset or a refractory time without
        a threshold, a method for code, or silenced units that don't exist.
    """

    name: str
    size: int
    equations: str | None = None
    code: str | None = field(default=None, kw_only=True)
    variables: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    threshold: str | None = field(default=None, kw_only=True)
    reset: str | None = field(default=None, kw_only=True)
    refractory: Any = field(default=None, kw_only=True)
    parameters: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    initial: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    method: str | None = field(default=None, kw_only=True)
    dt: Any = field(default=None, kw_only=True)
    labels: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    silenced: Any = field(default=(), kw_only=True)
    clamped: Mapping[str, tuple[Any, Any]] = field(default_factory=dict, kw_only=True)
    references: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        identifier("population", self.name)
        check_size("population", self.name, self.size)
        if (self.equations is None) == (self.code is None):
            raise CircuitError(f"population {self.name!r}: give either equations or code (one of them, not both)")
        for name in (*self.parameters, *self.variables):
            if name in RESERVED or not name.isidentifier():
                raise CircuitError(
                    f"population {self.name!r}: {name!r} can't be used as a name (reserved or no identifier)"
                )
        twice = set(self.parameters) & set(self.variables)
        if twice:
            raise CircuitError(
                f"population {self.name!r}: {sorted(twice)} declared as parameter and as variable; keep one"
            )
        if self.code is not None and self.method is not None:
            raise CircuitError(
                f"population {self.name!r}: method={self.method!r} belongs to equations; code is its own scheme"
            )
        if self.reset is not None and self.threshold is None:
            raise CircuitError(f"population {self.name!r}: a reset needs a threshold")
        if self.refractory is not None and self.threshold is None:
            raise CircuitError(f"population {self.name!r}: refractory needs a threshold")
        if self.dt is not None:
            units.si(self.dt, "second", name=f"{self.name}.dt", low=1e-12)
        silenced = np.unique(np.asarray(self.silenced, dtype=np.int64).ravel())
        if silenced.size and not (silenced[0] >= 0 and silenced[-1] < self.size):
            raise CircuitError(f"population {self.name!r}: units {silenced.tolist()[:5]}... outside 0..{self.size - 1}")
        object.__setattr__(self, "silenced", tuple(silenced.tolist()))

    @property
    def spiking(self) -> bool:
        """Whether the units emit spikes."""
        return self.threshold is not None


def poisson(name: str, size: int, rate: Any) -> Population:
    """Return a population of independent Poisson sources.

    Parameters
    ----------
    name : str
        A Python identifier.
    size : int
        Number of units, 0 or more.
    rate : quantity in Hz, array of them (unit,), or distribution
        At least 0. A source spikes at most once a step, with chance rate dt.

    Raises
    ------
    UnitsError
        A rate below 0, or one that is no rate.
    """
    if not isinstance(rate, Uniform | Normal):
        units.si(rate, "hertz", name=f"{name}.rate", low=0.0)
    return Population(name, size, code="", threshold="rand() < rate*dt", parameters={"rate": rate})


@dataclass(frozen=True, eq=False)
class SpikeTimes:
    """Units that spike at given times, at most one spike a unit and step.

    Parameters
    ----------
    name : str
        A Python identifier.
    size : int
        Number of units, 0 or more.
    units : array of int, (spike,)
        Which unit spikes, 0 to size - 1.
    times : quantity, (spike,)
        When, from the start of the session, 0 or later.

    Raises
    ------
    CircuitError
        As many units as times are needed, and units have to exist.
    """

    name: str
    size: int
    units: Any
    times: Any

    def __post_init__(self) -> None:
        identifier("spike source", self.name)
        check_size("spike source", self.name, self.size)
        ids = np.asarray(self.units, dtype=np.int64).ravel()
        times = np.atleast_1d(
            np.asarray(units.si(self.times, "second", name=f"{self.name}.times", low=0.0), dtype=float)
        )
        if ids.shape != times.shape:
            raise CircuitError(
                f"spike source {self.name!r}: {ids.size} units but {times.size} times; give one time for each"
            )
        if ids.size and (ids.min() < 0 or ids.max() >= self.size):
            bad = int(ids.min() if ids.min() < 0 else ids.max())
            raise CircuitError(f"spike source {self.name!r}: unit {bad} outside 0..{self.size - 1}")
        object.__setattr__(self, "units", ids)
        object.__setattr__(self, "times", units.Quantity(times, units.dimensions_of("second")))


@dataclass(frozen=True, eq=False)
class Input:
    """Values over time that come from outside.

    By default a session brings them (``Trial.inputs[name]``; absent means 0).

    Parameters
    ----------
    name : str
        A Python identifier.
    channels : tuple of str
        Labels of the values, in order.
    pulses : sequence of (start, stop, amplitude)
        Values given here instead: quantities from the start of each trial, and a number, on all channels.
    function : callable
        Closes a loop: called as ``function(t, values)`` with the time in seconds and a read-only mapping of the circuit's
        arrays ("readout.y", "cells.v", ...); returns the channels' values, (channel,), until the next call.
    every : quantity
        How often ``function`` is called, above 0.

    Raises
    ------
    CircuitError
        A function without ``every`` or with pulses, or a pulse that doesn't stop after its start.
    """

    name: str
    channels: tuple[str, ...]
    pulses: tuple[tuple[Any, Any, float], ...] = field(default=(), kw_only=True)
    function: Callable[[float, Mapping[str, np.ndarray]], Any] | None = field(default=None, kw_only=True)
    every: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        identifier("input", self.name)
        object.__setattr__(self, "channels", labels_of(f"input {self.name!r}", "channels", self.channels))
        if (self.function is None) != (self.every is None):
            raise CircuitError(f"input {self.name!r}: function and every belong together")
        if self.every is not None:
            units.si(self.every, "second", name=f"{self.name}.every", above=0.0)
        if self.function is not None and self.pulses:
            raise CircuitError(f"input {self.name!r}: give pulses or a function, not both")
        for pulse in self.pulses:
            start, stop = (units.si(x, "second", name=f"{self.name}.pulses", low=0.0) for x in pulse[:2])
            if not start < stop or not np.isfinite(pulse[2]):
                raise CircuitError(
                    f"input {self.name!r}: pulse {pulse!r}; give (start, stop, amplitude) with start < stop and a finite number"
                )


@dataclass(frozen=True, eq=False)
class Filter:
    """A low-pass filter of each unit's spikes, for readouts and plasticity.

    With ``tau`` alone, r decays by exp(-dt/tau) a step and grows by ``scale/tau`` at a spike: the rate in Hz for
    ``scale=1``. With ``tau_rise`` the filter is a double exponential with the same area.

    Parameters
    ----------
    name : str
        A Python identifier; its value is the array ``name.r`` (unit).
    source : Population, SpikeTimes or name
        Whose spikes are filtered.
    tau, tau_rise : quantity
        Time constants of decay and, if given, of rise, above 0.
    scale : float
        Area under the response to one spike.
    reset : bool
        Whether r begins anew where a trial resets the network; otherwise it goes on through the session.
    unit : str
        Unit of r, as recordings show it.
    """

    name: str
    source: str | Population | SpikeTimes
    tau: Any
    tau_rise: Any = field(default=None, kw_only=True)
    scale: float = field(default=1.0, kw_only=True)
    reset: bool = field(default=True, kw_only=True)
    unit: str = field(default="Hz", kw_only=True)

    def __post_init__(self) -> None:
        identifier("filter", self.name)
        object.__setattr__(self, "source", name_of(self.source))
        units.si(self.tau, "second", name=f"{self.name}.tau", low=1e-12)
        if self.tau_rise is not None:
            units.si(self.tau_rise, "second", name=f"{self.name}.tau_rise", low=1e-12)


@dataclass(frozen=True, eq=False)
class Readout:
    """Outputs computed from the units of a filter or from a variable of a population.

    Parameters
    ----------
    name : str
        A Python identifier.
    source : str
        A filter, or "population.variable"; the code calls its value ``r``.
    outputs : tuple of str
        Labels of the axis "output"; inputs with the same labels line up with it.
    state, memory : mapping of name to axes
        Arrays of the readout: axes "output", "unit", "output*unit", "unit*unit" or "network", or (axes, start value).
        ``state`` returns to its start value at a reset, ``memory`` (weights, statistics) stays.
    parameters : mapping of name to number
        Constants of the code.
    per_step, trial_start, trial_end : str
        Code in the model language, such as ``y = sum(w*r)``, each step and at the borders of a trial; inputs are known by their names, other parts as ``part.variable``, and
        ``learning`` and ``calibration`` say what kind of trial it is.
    rule : Rule
        How memory changes; its code runs after that of all readouts, only while learning is on.
    labels : mapping of array to text
        Units written into recordings, such as ``{"y": "Hz"}``.
    """

    name: str
    source: str
    outputs: tuple[str, ...]
    state: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    memory: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    parameters: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    per_step: str = field(default="", kw_only=True)
    trial_start: str = field(default="", kw_only=True)
    trial_end: str = field(default="", kw_only=True)
    rule: Rule | None = field(default=None, kw_only=True)
    labels: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        identifier("readout", self.name)
        object.__setattr__(self, "outputs", labels_of(f"readout {self.name!r}", "outputs", self.outputs))


@dataclass(frozen=True, eq=False)
class Connection:
    """Synapses from a source to a variable of a population.

    On a spike of a source unit, ``weight`` is added to ``variable`` of its targets ``delay`` later (a population with
    a threshold, or :class:`SpikeTimes`). From an :class:`Input`, a readout's or another variable ("readout.fb",
    "cells.x"), ``variable`` is each step the weighted sum; delay is then 0 from inputs and 1 step otherwise.

    Parameters
    ----------
    source, target : part or name
        Where synapses come from, see above, and the population that they go to.
    variable : str
        Variable of the target; one variable takes spikes or sums, not both.
    probability : float
        Chance of each pair, 0 to 1. Or ``pattern`` "all" or "one-to-one", or ``pairs`` = (source units, target units),
        or ``weight`` as a matrix (source, target), where NaN means no synapse. All to all if none of these is given.
    weight : quantity, array, distribution or expression
        Expressions may use ``i`` (source), ``j`` (target), ``N_pre``, ``N_post``, ``randn()``, ``rand()`` and the
        parameters of both sides as ``name_pre``, ``name_post``.
    delay : quantity, array, distribution or expression
        A whole number of steps after rounding; 0, for spikes the default, means the next state update.
    autapses : bool
        Whether spikes of a unit may reach itself where the pattern is random or "all".
    rules : SynapticRule, or sequence of them
        How the weights change, such as ``nd.stdp()``; the weight then acts as it is when the spike arrives.
    bounds : (low, high)
        Hard bounds of plastic weights, quantities of the weight's unit; None leaves a side open.
    name : str
        A Python identifier; by default made of source, target and variable.

    Raises
    ------
    CircuitError
        A probability outside 0 to 1, two patterns at once, rules that are none, or bounds without rules.
    """

    source: Any
    target: Any
    variable: str
    probability: float | None = field(default=None, kw_only=True)
    pattern: str | None = field(default=None, kw_only=True)
    pairs: tuple[Any, Any] | None = field(default=None, kw_only=True)
    weight: Any = field(default=1.0, kw_only=True)
    delay: Any = field(default=None, kw_only=True)
    autapses: bool = field(default=False, kw_only=True)
    rules: Any = field(default=(), kw_only=True)
    bounds: tuple[Any, Any] = field(default=(None, None), kw_only=True)
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", name_of(self.source))
        object.__setattr__(self, "target", name_of(self.target))
        if not self.name:
            object.__setattr__(self, "name", f"{self.source.replace('.', '_')}_to_{self.target}_{self.variable}")
        identifier("connection", self.name)
        number = isinstance(self.probability, int | float | np.number)
        if self.probability is not None and not (number and 0 <= self.probability <= 1):
            raise CircuitError(f"connection {self.name!r}: probability = {self.probability!r}, allowed is 0 to 1")
        given = [k for k in ("probability", "pattern", "pairs") if getattr(self, k) is not None]
        if len(given) > 1:
            raise CircuitError(f"connection {self.name!r}: {' and '.join(given)} exclude each other; give one")
        if self.pattern not in (None, "all", "one-to-one"):
            raise CircuitError(
                f"connection {self.name!r}: pattern = {self.pattern!r}, allowed are 'all' and 'one-to-one'"
            )
        rules = (self.rules,) if isinstance(self.rules, SynapticRule) else tuple(self.rules)
        object.__setattr__(self, "rules", rules)
        for rule in rules:
            if not isinstance(rule, SynapticRule):
                raise CircuitError(
                    f"connection {self.name!r}: rules hold {rule!r}; give nd.SynapticRule(...) or a preset such as nd.stdp()"
                )
        if len(self.bounds) != 2:
            raise CircuitError(
                f"connection {self.name!r}: bounds = {self.bounds!r}; give (low, high), None for an open side"
            )
        if not rules and tuple(self.bounds) != (None, None):
            raise CircuitError(f"connection {self.name!r}: bounds = {self.bounds!r}, but no rules change its weights")

    @property
    def plastic(self) -> bool:
        """Whether rules change the weights."""
        return bool(self.rules)


def identifier(kind: str, name: str) -> None:
    if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
        raise CircuitError(f"{kind} {name!r}: a name must be a Python identifier and not one of {sorted(RESERVED)}")


def check_size(kind: str, name: str, size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
        raise CircuitError(f"{kind} {name!r}: size = {size!r}, give a whole number of units, 0 or more")


def labels_of(where: str, what: str, labels: Any) -> tuple[str, ...]:
    labels = (labels,) if isinstance(labels, str) else tuple(str(x) for x in labels)
    if not labels or len(set(labels)) != len(labels) or any("," in x for x in labels):
        raise CircuitError(f"{where}: {what} = {labels!r}, give one or more different labels without commas")
    return labels


def name_of(part: Any) -> str:
    return part if isinstance(part, str) else part.name
