"""A network as a neutral description: its parts by name, the step, and the seed of everything random in it.

Numbers that differ between two networks of one structure (sizes, parameters, weights, seed) are drawn or evaluated by
:mod:`neurodyn.network`; the statements of a step come from :mod:`neurodyn.lowering`.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from neurodyn import units
from neurodyn.parts import CircuitError, Connection, Filter, Input, Population, Readout, SpikeTimes
from neurodyn.units import Quantity, quantity

if TYPE_CHECKING:
    from neurodyn.backends.step_function import StepFunction
    from neurodyn.program import Program
    from neurodyn.wiring import Wiring

_TYPES: dict[str, Any] = {
    "populations": Population | SpikeTimes,
    "inputs": Input,
    "filters": Filter,
    "readouts": Readout,
    "connections": Connection,
}


@dataclass(frozen=True, eq=False)
class Circuit:
    """A network: parts by name, the step, and the seed of everything random in it.

    Parameters
    ----------
    populations : sequence of Population and SpikeTimes
    connections : sequence of Connection
    inputs, filters, readouts : sequences of Input, Filter, Readout
    dt : quantity
        Step; default the one a population is locked to, else 0.1 ms.
    seed : int
        64-bit key of wiring, parameters, start values and noise.
    name : str
        What recordings and messages call it.
    values : mapping of "part.array" to array of the shape of that array
        Numbers that replace drawn or default ones: learned weights, explicit wiring.
    references : tuple of str
        What to cite: keys or BibTeX entries (see :func:`neurodyn.bibtex`).

    Raises
    ------
    CircuitError
        A part of the wrong kind, two of one name, a connection to what is no population, a seed outside 0 to 2^64 - 1, or
        populations that are locked to different steps.
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
    references: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        for kind in ("populations", "connections", "inputs", "filters", "readouts"):
            parts = getattr(self, kind)
            parts = tuple(parts if isinstance(parts, Iterable) else (parts,))
            for part in parts:
                if not isinstance(part, _TYPES[kind]):
                    raise CircuitError(
                        f"{kind}: {part!r} is none; the parts of a circuit are populations, connections, inputs, filters, readouts"
                    )
            object.__setattr__(self, kind, parts)
        seen: set[str] = set()
        for part in self.parts():
            if part.name in seen:
                raise CircuitError(f"two parts are called {part.name!r}; give each its own name")
            seen.add(part.name)
        if not isinstance(self.seed, int | np.integer) or isinstance(self.seed, bool) or not 0 <= self.seed < 2**64:
            raise CircuitError(f"seed = {self.seed!r}: give a whole number from 0 to 2^64 - 1")
        locked = {
            float(cast(float, units.si(p.dt, "second", name="dt")))
            for p in self.populations
            if isinstance(p, Population) and p.dt is not None
        }
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
        copy = replace(self, **changes)
        if changes.keys() <= {"seed", "name"}:  # neither is part of a Program: many seeds are lowered once
            vars(copy)["_lowered"] = self._lowered
        return copy

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
                raise CircuitError(
                    f"values: {name!r} is no array of circuit {self.name!r}{f'; did you mean {near[0]!r}?' if near else ''}"
                )
        return replace(self, values={**self.values, **{k: np.asarray(v) for k, v in values.items()}})

    def freeze(self) -> Circuit:
        """Return a copy without plasticity: all rules removed, the weights as they are."""
        fixed = tuple(replace(c, rules=(), bounds=(None, None)) for c in self.connections)
        learned = {f"{c.name}.w": f"{c.name}.weights" for c in self.connections if c.plastic}
        values = {learned.get(name, name): value for name, value in self.values.items()}
        values |= {new: self.values[old] for old, new in learned.items() if old in self.values}
        readouts = tuple(replace(r, rule=None) for r in self.readouts)
        return replace(self, readouts=readouts, connections=fixed, values=values)

    def forms(self) -> Mapping[str, str]:
        """Return for each plastic connection "at events" (in closed form), or "per step" with the reason."""
        from neurodyn.lowering import forms

        return forms(self)

    def per_step(self) -> Circuit:
        """Return a copy whose plastic synapses are all advanced in every step: what Brian2 does, and others where they must.

        The same up to rounding.
        """
        plastic = [c for c in self.connections if c.plastic]
        if not plastic:
            return self
        rules = {c.name: tuple(replace(r, form="per_step") for r in c.rules) for c in plastic}
        return replace(self, connections=tuple(replace(c, rules=rules.get(c.name, ())) for c in self.connections))

    def synapses(self, connection: str) -> Wiring:
        """Return the synapses of a ``connection`` by its name: ``sources``, ``targets``, ``weights`` (SI units), ``delays`` (steps), each (synapses,).

        In the order in which recordings hold them; weights are those that a run begins with.
        """
        from neurodyn.network import realize

        if not isinstance(self[connection], Connection):
            raise CircuitError(
                f"synapses: {connection!r} is no connection; there are {[c.name for c in self.connections]}"
            )
        return realize(self).wiring[connection]

    def lesion(self, population: str, units: Any) -> Circuit:
        """Return a copy in which ``units`` (indices) of a ``population`` never spike again; at threshold they reset in silence."""
        part = self[population]
        if not isinstance(part, Population) or not part.spiking:
            raise CircuitError(f"lesion: {population!r} is no spiking population")
        return self.with_part(replace(part, silenced=(*part.silenced, *np.asarray(units).ravel().tolist())))

    def clamp(self, population: str, variable: str, units: Any, value: Any) -> Circuit:
        """Return a copy in which ``variable`` of ``units`` of a ``population`` is held at ``value`` after every update.

        The value is a quantity, one for all units or one for each.
        """
        part = self[population]
        if not isinstance(part, Population):
            raise CircuitError(f"clamp: {population!r} is no population")
        ids = np.asarray(units, dtype=np.int64).ravel()
        if ids.size and not (ids.min() >= 0 and ids.max() < part.size):
            bad = int(ids.min() if ids.min() < 0 else ids.max())
            raise CircuitError(f"clamp: unit {bad} of {population!r} outside 0..{part.size - 1}")
        held = quantity(value, name=f"clamp of {population}.{variable}")
        if np.shape(held.value) not in ((), ids.shape) or not np.isfinite(held.value).all():
            raise CircuitError(
                f"clamp of {population}.{variable}: value = {value!r}; give one finite number, or one for each of {ids.size} units"
            )
        old, before = part.clamped.get(variable, ((), Quantity(np.empty(0), held.dimensions)))
        before = quantity(before, name=f"clamp of {population}.{variable}")
        if before.dimensions != held.dimensions:
            raise CircuitError(
                f"clamp of {population}.{variable}: {value!r} has another unit than the value held before"
            )
        numbers = dict(zip(old, np.broadcast_to(before.value, len(old)).tolist(), strict=True))
        numbers |= dict(zip(ids.tolist(), np.broadcast_to(held.value, ids.shape).tolist(), strict=True))
        entry = (tuple(numbers), Quantity(np.array(list(numbers.values()), dtype=float), held.dimensions))
        return self.with_part(replace(part, clamped={**part.clamped, variable: entry}))

    def stimulate(
        self, population: str, variable: str, units: Any, *, amplitude: Any, start: Any, stop: Any
    ) -> Circuit:
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
        """The lowered form of one step: what all runners compute, as statements. Made at its first use and kept."""
        from neurodyn.lowering import lower

        kept = self._lowered
        if not kept:
            kept.append(lower(self))
        return kept[0]

    @functools.cached_property
    def _lowered(self) -> list[Program]:
        """Where the Program is kept, once it is made; copies that have the same one share the place."""
        return []

    def step_function(
        self, *, inputs: Mapping[str, Any] | None = None, noise: Literal["refuse", "off"] = "refuse"
    ) -> StepFunction:
        """Return the step as a function of the state, (batch, entry) to (batch, entry), that torch can differentiate.

        For circuits of rates: without spikes, delays of more than a step, learning, and dependence on the time.

        Parameters
        ----------
        inputs : mapping of input to value
            What each is held at: one number, or one a channel. Others are held at 0.
        noise : "refuse" or "off"
            What happens where a step draws: an error, or normal draws at 0 and uniform ones at 1/2, their means.

        Raises
        ------
        CircuitError
            For circuits that are no function of a state; says why.

        Examples
        --------
        >>> import neurodyn as nd
        >>> step = nd.RateReservoir(50).step_function(noise="off")
        >>> step.names, tuple(step(step.start[None]).shape)
        (('cells.x',), (1, 50))
        """
        from neurodyn.backends.step_function import StepFunction

        return StepFunction(self, inputs or {}, noise)

    def to_brian2(self) -> Any:
        """Return the circuit as Brian2 objects (see :class:`neurodyn.backends.brian2_network.Brian2Network`)."""
        from neurodyn.backends.brian2_network import to_brian2

        return to_brian2(self)

    def to_tree(self) -> dict[str, Any]:
        """Return the description with its numbers as nested dicts and arrays, for a recording."""
        from neurodyn.trees.circuits import to_tree

        return to_tree(self)

    @staticmethod
    def from_tree(tree: Mapping[str, Any]) -> Circuit:
        """Rebuild a circuit from :meth:`to_tree`; wiring, parameters and weights are those of the tree."""
        from neurodyn.trees.circuits import from_tree

        return from_tree(tree)
