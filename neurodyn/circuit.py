"""The neutral description of a network: populations, connections, inputs, filters, readouts.

Descriptions are frozen and know nothing of execution. Numbers that differ between two networks of one structure
(sizes, parameters, weights, seed) are drawn or evaluated by :mod:`neurodyn.network`; the statements of a step come
from :mod:`neurodyn.lowering`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurodyn import units
from neurodyn.plasticity.rule import Rule
from neurodyn.units import Quantity, quantity

if TYPE_CHECKING:
    from neurodyn.program import Program

RESERVED = {"t", "dt", "i", "j", "N", "step", "learning", "calibration", "randn", "rand", "sum", "mean", "xi"}


class CircuitError(ValueError):
    """A description that can't be built, with the part, the value and what is allowed."""


@dataclass(frozen=True)
class Uniform:
    """Values drawn uniformly between ``low`` and ``high`` (quantities of one dimension)."""

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

    def __post_init__(self) -> None:
        _identifier("population", self.name)
        _size("population", self.name, self.size)
        if (self.equations is None) == (self.code is None):
            raise CircuitError(f"population {self.name!r}: give either equations or code (one of them, not both)")
        for name in (*self.parameters, *self.variables):
            if name in RESERVED or not name.isidentifier():
                raise CircuitError(f"population {self.name!r}: {name!r} can't be used as a name (reserved or no identifier)")
        twice = set(self.parameters) & set(self.variables)
        if twice:
            raise CircuitError(f"population {self.name!r}: {sorted(twice)} declared as parameter and as variable; keep one")
        if self.code is not None and self.method is not None:
            raise CircuitError(f"population {self.name!r}: method={self.method!r} belongs to equations; code is its own scheme")
        if self.reset is not None and self.threshold is None:
            raise CircuitError(f"population {self.name!r}: a reset needs a threshold")
        if self.refractory is not None and self.threshold is None:
            raise CircuitError(f"population {self.name!r}: refractory needs a threshold")
        if self.dt is not None:
            units.si(self.dt, "second", name=f"{self.name}.dt", low=1e-12)
        silenced = np.unique(np.asarray(self.silenced, dtype=np.int64).ravel())
        if silenced.size and not (0 <= silenced[0] and silenced[-1] < self.size):
            raise CircuitError(f"population {self.name!r}: units {silenced.tolist()[:5]}... outside 0..{self.size - 1}")
        object.__setattr__(self, "silenced", tuple(silenced.tolist()))

    @property
    def spiking(self) -> bool:
        """Whether the units emit spikes."""
        return self.threshold is not None


def poisson(name: str, size: int, rate: Any) -> Population:
    """Return a population of independent Poisson sources at ``rate`` (quantity in Hz, number or array of them)."""
    if not isinstance(rate, Uniform | Normal):
        units.si(rate, "hertz", name=f"{name}.rate", low=0.0)
    return Population(name, size, code="", threshold="rand() < rate*dt", parameters={"rate": rate})


@dataclass(frozen=True, eq=False)
class SpikeTimes:
    """Units that spike at given times: ``units`` (n,) int and ``times`` (n,) quantity, at most one spike a unit and step."""

    name: str
    size: int
    units: Any
    times: Any

    def __post_init__(self) -> None:
        _identifier("spike source", self.name)
        _size("spike source", self.name, self.size)
        ids = np.asarray(self.units, dtype=np.int64).ravel()
        times = np.atleast_1d(np.asarray(units.si(self.times, "second", name=f"{self.name}.times", low=0.0), dtype=float))
        if ids.shape != times.shape:
            raise CircuitError(f"spike source {self.name!r}: {ids.size} units but {times.size} times; give one time for each")
        if ids.size and (ids.min() < 0 or ids.max() >= self.size):
            bad = int(ids.min() if ids.min() < 0 else ids.max())
            raise CircuitError(f"spike source {self.name!r}: unit {bad} outside 0..{self.size - 1}")
        object.__setattr__(self, "units", ids)
        object.__setattr__(self, "times", times)


@dataclass(frozen=True, eq=False)
class Input:
    """Values over time that come from outside.

    By default a session brings them (``Trial.inputs[name]``; absent means 0). ``pulses`` gives them here instead, as
    (start, stop, amplitude) from the start of each trial on all channels. ``function`` closes a loop: it is called
    as ``function(t, values)`` every ``every`` (quantity) with the time in seconds and a read-only mapping of the
    circuit's arrays ("readout.y", "cells.v", ...), and returns the channels' values until the next call.
    """

    name: str
    channels: tuple[str, ...]
    pulses: tuple[tuple[Any, Any, float], ...] = field(default=(), kw_only=True)
    function: Callable[[float, Mapping[str, np.ndarray]], Any] | None = field(default=None, kw_only=True)
    every: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _identifier("input", self.name)
        object.__setattr__(self, "channels", _labels(f"input {self.name!r}", "channels", self.channels))
        if (self.function is None) != (self.every is None):
            raise CircuitError(f"input {self.name!r}: function and every belong together")
        if self.every is not None:
            units.si(self.every, "second", name=f"{self.name}.every", above=0.0)
        if self.function is not None and self.pulses:
            raise CircuitError(f"input {self.name!r}: give pulses or a function, not both")
        for pulse in self.pulses:
            start, stop = (units.si(x, "second", name=f"{self.name}.pulses", low=0.0) for x in pulse[:2])
            if not start < stop or not np.isfinite(pulse[2]):
                raise CircuitError(f"input {self.name!r}: pulse {pulse!r}; give (start, stop, amplitude) with start < stop and a finite number")


@dataclass(frozen=True, eq=False)
class Filter:
    """A low-pass filter of each unit's spikes, for readouts and plasticity.

    With ``tau`` alone, r decays by exp(-dt/tau) a step and grows by ``scale/tau`` at a spike: the rate in Hz for
    ``scale=1``. With ``tau_rise`` the filter is a double exponential with the same area.
    """

    name: str
    source: str | Population | SpikeTimes
    tau: Any
    tau_rise: Any = field(default=None, kw_only=True)
    scale: float = field(default=1.0, kw_only=True)
    reset: bool = field(default=True, kw_only=True)
    unit: str = field(default="Hz", kw_only=True)

    def __post_init__(self) -> None:
        _identifier("filter", self.name)
        object.__setattr__(self, "source", _name(self.source))
        units.si(self.tau, "second", name=f"{self.name}.tau", low=1e-12)
        if self.tau_rise is not None:
            units.si(self.tau_rise, "second", name=f"{self.name}.tau_rise", low=1e-12)


@dataclass(frozen=True, eq=False)
class Readout:
    """Outputs computed from the units of a filter or from a variable of a population.

    Parameters
    ----------
    name : str
    source : str
        A filter, or "population.variable"; the text calls its value ``r``.
    outputs : tuple of str
        Labels; inputs with the same labels line up with them.
    state, memory : mapping of name to axes
        Arrays of the readout: axes "output", "unit", "output*unit", "unit*unit" or "network", or (axes, start value).
        ``state`` returns to its start value at a reset, ``memory`` (weights, statistics) stays.
    parameters : mapping of name to number
    per_step, trial_start, trial_end : str
        Code in the model language; inputs are known by their names, other parts as ``part.variable``, and
        ``learning`` and ``calibration`` say what kind of trial it is.
    rule : Rule
        How memory changes; its code runs after that of all readouts, only while learning is on.
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
        _identifier("readout", self.name)
        object.__setattr__(self, "outputs", _labels(f"readout {self.name!r}", "outputs", self.outputs))


@dataclass(frozen=True, eq=False)
class Connection:
    """Synapses from a source to a variable of a population.

    On a spike of a source unit, ``weight`` is added to ``variable`` of its targets ``delay`` later (a population with
    a threshold, or :class:`SpikeTimes`). From an :class:`Input`, a readout's or another variable ("readout.fb",
    "cells.x"), ``variable`` is each step the weighted sum; delay is then 0 from inputs and 1 step otherwise.

    Parameters
    ----------
    source, target : part or name
    variable : str
        Variable of the target; one variable takes spikes or sums, not both.
    probability : float
        Chance of each pair, 0 to 1. Or ``pattern`` "all" or "one-to-one", or ``pairs`` = (source units, target units),
        or ``weight`` as a matrix (source, target), where NaN means no synapse.
    weight : quantity, array, distribution or expression
        Expressions may use ``i`` (source), ``j`` (target), ``N_pre``, ``N_post``, ``randn()``, ``rand()`` and the
        parameters of both sides as ``name_pre``, ``name_post``.
    delay : quantity, array, distribution or expression
        A whole number of steps after rounding; 0 means the next state update.
    autapses : bool
        Whether a random pattern may connect a unit with itself.
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
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", _name(self.source))
        object.__setattr__(self, "target", _name(self.target))
        if not self.name:
            object.__setattr__(self, "name", f"{self.source.replace('.', '_')}_to_{self.target}_{self.variable}")
        _identifier("connection", self.name)
        number = isinstance(self.probability, int | float | np.number)
        if self.probability is not None and not (number and 0 <= self.probability <= 1):
            raise CircuitError(f"connection {self.name!r}: probability = {self.probability!r}, allowed is 0 to 1")
        given = [k for k in ("probability", "pattern", "pairs") if getattr(self, k) is not None]
        if len(given) > 1:
            raise CircuitError(f"connection {self.name!r}: {' and '.join(given)} exclude each other; give one")
        if self.pattern not in (None, "all", "one-to-one"):
            raise CircuitError(f"connection {self.name!r}: pattern = {self.pattern!r}, allowed are 'all' and 'one-to-one'")


_TYPES: dict[str, Any] = {
    "populations": Population | SpikeTimes, "inputs": Input, "filters": Filter, "readouts": Readout, "connections": Connection,
}


@dataclass(frozen=True, eq=False)
class Circuit:
    """A network: parts by name, the step, and the seed of everything random in it.

    Parameters
    ----------
    populations : sequence of Population and SpikeTimes
    connections : sequence of Connection
    inputs, filters, readouts : sequences
    dt : quantity
        Step; default the one a population is locked to, else 0.1 ms.
    seed : int
        64-bit key of wiring, parameters, start values and noise.
    values : mapping of "part.array" to array
        Numbers that replace drawn or default ones: learned weights, explicit wiring.
    """

    populations: Sequence[Population | SpikeTimes] = ()
    connections: Sequence[Connection] = ()
    inputs: Sequence[Input] = field(default=(), kw_only=True)
    filters: Sequence[Filter] = field(default=(), kw_only=True)
    readouts: Sequence[Readout] = field(default=(), kw_only=True)
    dt: Any = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)
    name: str = field(default="circuit", kw_only=True)
    values: Mapping[str, np.ndarray] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        for kind in ("populations", "connections", "inputs", "filters", "readouts"):
            parts = getattr(self, kind)
            parts = tuple(parts if isinstance(parts, Iterable) else (parts,))
            for part in parts:
                if not isinstance(part, _TYPES[kind]):
                    raise CircuitError(f"{kind}: {part!r} is none; the parts of a circuit are populations, connections, inputs, filters, readouts")
            object.__setattr__(self, kind, parts)
        seen: set[str] = set()
        for part in self.parts():
            if part.name in seen:
                raise CircuitError(f"two parts are called {part.name!r}; give each its own name")
            seen.add(part.name)
        if not isinstance(self.seed, int | np.integer) or isinstance(self.seed, bool) or not 0 <= self.seed < 2**64:
            raise CircuitError(f"seed = {self.seed!r}: give a whole number from 0 to 2^64 - 1")
        locked = {float(cast(float, units.si(p.dt, "second", name="dt"))) for p in self.populations
                  if isinstance(p, Population) and p.dt is not None}
        own = float(cast(float, units.si(self.dt, "second", name="dt", low=1e-12))) if self.dt is not None else None
        if len(locked | ({own} - {None})) > 1:
            raise CircuitError(
                f"dt: the circuit asks for {own}, its populations are locked to {sorted(locked)} s; a published scheme runs at its own step"
            )
        step = own if own is not None else next(iter(locked), 1e-4)
        object.__setattr__(self, "dt", units.Quantity(step, units.dimensions_of("second")))
        for connection in self.connections:
            self[connection.source.split(".")[0]]
            if not isinstance(self[connection.target], Population):
                raise CircuitError(f"connection {connection.name!r}: target {connection.target!r} is no population")

    def parts(self) -> tuple[Any, ...]:
        """Return all parts in declared order."""
        return (*self.populations, *self.inputs, *self.filters, *self.readouts, *self.connections)  # type: ignore[misc]

    def __getitem__(self, name: str) -> Any:
        for part in self.parts():
            if part.name == name:
                return part
        names = [part.name for part in self.parts()]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none'}"
        raise CircuitError(f"circuit {self.name!r} has no part {name!r}; {hint}")

    def with_(self, **changes: Any) -> Circuit:
        """Return a copy with other fields, for example ``net.with_(seed=3)``."""
        return replace(self, **changes)

    def with_part(self, part: Any) -> Circuit:
        """Return a copy in which ``part`` replaces the part of its name, or is added."""
        for kind, types in _TYPES.items():
            if isinstance(part, types):
                old = list(getattr(self, kind))
                names = [p.name for p in old]
                if part.name in names:
                    old[names.index(part.name)] = part
                else:
                    old.append(part)
                return replace(self, **{kind: tuple(old)})
        raise CircuitError(f"{part!r} is no part of a circuit")

    def with_values(self, values: Mapping[str, Any]) -> Circuit:
        """Return a copy with arrays set, for example ``{"when.w": w}``; shapes are checked when it is run."""
        known = [a.name for a in self.program.arrays if a.role in ("state", "memory", "parameter", "constant")]
        known += [f"{c.name}.{field}" for c in self.connections for field in ("indptr", "targets", "weights", "delays")]
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise CircuitError(f"values: {name!r} is no array of circuit {self.name!r}{f'; did you mean {near[0]!r}?' if near else ''}")
        return replace(self, values={**self.values, **{k: np.asarray(v) for k, v in values.items()}})

    def freeze(self) -> Circuit:
        """Return a copy without plasticity: all rules removed, the weights as they are."""
        return replace(self, readouts=tuple(replace(r, rule=None) for r in self.readouts))

    def lesion(self, population: str, units: Any) -> Circuit:
        """Return a copy in which ``units`` (indices) of a population never spike again."""
        part = self[population]
        if not isinstance(part, Population) or not part.spiking:
            raise CircuitError(f"lesion: {population!r} is no spiking population")
        return self.with_part(replace(part, silenced=(*part.silenced, *np.asarray(units).ravel().tolist())))

    def clamp(self, population: str, variable: str, units: Any, value: Any) -> Circuit:
        """Return a copy in which ``variable`` of ``units`` is held at ``value`` (one, or one a unit) after every update."""
        part = self[population]
        if not isinstance(part, Population):
            raise CircuitError(f"clamp: {population!r} is no population")
        ids = np.asarray(units, dtype=np.int64).ravel()
        if ids.size and not (0 <= ids.min() and ids.max() < part.size):
            bad = int(ids.min() if ids.min() < 0 else ids.max())
            raise CircuitError(f"clamp: unit {bad} of {population!r} outside 0..{part.size - 1}")
        held = quantity(value, name=f"clamp of {population}.{variable}")
        if np.shape(held.value) not in ((), ids.shape) or not np.isfinite(held.value).all():
            raise CircuitError(f"clamp of {population}.{variable}: value = {value!r}; give one finite number, or one for each of {ids.size} units")
        old, before = part.clamped.get(variable, ((), Quantity(np.empty(0), held.dimensions)))
        before = quantity(before, name=f"clamp of {population}.{variable}")
        if before.dimensions != held.dimensions:
            raise CircuitError(f"clamp of {population}.{variable}: {value!r} has another unit than the value held before")
        numbers = dict(zip(old, np.broadcast_to(before.value, len(old)).tolist(), strict=True))
        numbers |= dict(zip(ids.tolist(), np.broadcast_to(held.value, ids.shape).tolist(), strict=True))
        entry = (tuple(numbers), Quantity(np.array(list(numbers.values()), dtype=float), held.dimensions))
        return self.with_part(replace(part, clamped={**part.clamped, variable: entry}))

    def stimulate(self, population: str, variable: str, units: Any, *, amplitude: Any, start: Any, stop: Any) -> Circuit:
        """Return a copy with an extra drive onto ``variable`` of ``units`` from ``start`` to ``stop`` of each trial.

        ``variable`` must be one that weighted sums go to (such as ``I_in`` of the reservoir); ``amplitude`` has its unit.
        """
        part = self[population]
        ids = np.asarray(units, dtype=np.int64).ravel()
        number = sum(1 for i in self.inputs if i.name.startswith("stimulation"))
        pulse = Input(f"stimulation{number or ''}", ("amplitude",), pulses=((start, stop, 1.0),))
        link = Connection(pulse, part, variable, pairs=(np.zeros_like(ids), ids), weight=amplitude)
        return self.with_part(pulse).with_part(link)

    @property
    def timestep(self) -> float:
        """The step in seconds."""
        return float(self.dt.value)

    @property
    def program(self) -> Program:
        """The lowered form of one step (see :mod:`neurodyn.program`)."""
        from neurodyn.lowering import lower

        return lower(self)

    def to_brian2(self) -> Any:
        """Return the circuit as Brian2 objects (see :class:`neurodyn.backends.brian2.Brian2Network`)."""
        from neurodyn.backends.brian2 import to_brian2

        return to_brian2(self)

    def to_tree(self) -> dict[str, Any]:
        """Return the description with its numbers as nested dicts and arrays, for a recording."""
        from neurodyn.network import to_tree

        return to_tree(self)

    @staticmethod
    def from_tree(tree: Mapping[str, Any]) -> Circuit:
        """Rebuild a circuit from :meth:`to_tree`; wiring, parameters and weights are those of the tree."""
        from neurodyn.network import from_tree

        return from_tree(tree)


def _identifier(kind: str, name: str) -> None:
    if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
        raise CircuitError(f"{kind} {name!r}: a name must be a Python identifier and not one of {sorted(RESERVED)}")


def _size(kind: str, name: str, size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
        raise CircuitError(f"{kind} {name!r}: size = {size!r}, give a whole number of units, 0 or more")


def _labels(where: str, what: str, labels: Any) -> tuple[str, ...]:
    labels = (labels,) if isinstance(labels, str) else tuple(str(x) for x in labels)
    if not labels or len(set(labels)) != len(labels) or any("," in x for x in labels):
        raise CircuitError(f"{where}: {what} = {labels!r}, give one or more different labels without commas")
    return labels


def _name(part: Any) -> str:
    return part if isinstance(part, str) else part.name
