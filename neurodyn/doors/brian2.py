"""The door in from Brian2: a network of its objects as a circuit."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.parts import CircuitError, Connection

if TYPE_CHECKING:
    from neurodyn.doors.brian2_groups import Group
    from neurodyn.doors.brian2_reading import Reading
    from neurodyn.doors.brian2_synapses import ReadSynapses

_SCHEDULE = ["start", "groups", "thresholds", "synapses", "resets", "end"]


def from_brian2(network: Any, *, seed: int = 0, dt: Any = None) -> Circuit:
    """Return a Brian2 network as a circuit: equations, numbers, wiring and delays as they stand in its objects.

    Cells keep equations, integrator, threshold, reset and refractory period; each variable that a spike adds to becomes a
    connection with the pairs, weights and delays of the Synapses; sums over synapses become weighted sums; synapses that
    spikes change get a :class:`neurodyn.SynapticRule`; a TimedArray becomes an input. Names are those of the Brian2 objects.
    Constants are looked up as Brian2 does: in the namespace of an object, else where this function is called. Draws
    (``xi``, ``rand()``, PoissonGroup) are ours, from ``seed``. Monitors are left out, with a warning that says what to
    record instead. Nothing of the network is changed.

    Parameters
    ----------
    network : brian2.Network, or iterable of Brian2 objects
        Such as ``brian2.collect()``; not yet run, or put back with ``restore()``.
    seed : int
        Key of all draws, 0 to 2^64 - 1.
    dt : quantity
        Step of the circuit; default that of the objects, which then have to share one.

    Raises
    ------
    CircuitError
        For what a circuit can't express: all of it at once, each with the object, the reason and what to do.
    TypeError
        For what is no network.

    References
    ----------
    Stimberg, Brette & Goodman (2019) eLife 8:e47314.

    Examples
    --------
    >>> import brian2, neurodyn as nd
    >>> tau = 10 * brian2.ms
    >>> drift = "dv/dt = (1.2 - v)/tau : 1"
    >>> spikes = {"threshold": "v > 1", "reset": "v = 0"}
    >>> cells = brian2.NeuronGroup(3, drift, **spikes, name="cells")
    >>> nd.from_brian2([cells])["cells"].size
    3
    """
    from neurodyn.backends.equations_brian2 import brian2
    from neurodyn.doors.brian2_reading import Reading, get_local_namespace

    objects = _objects(network)
    namespace = get_local_namespace(level=1)
    monitors = [o for o in objects if isinstance(o, brian2.EventMonitor | brian2.StateMonitor | brian2.PopulationRateMonitor)]  # fmt: skip
    simulated = [o for o in objects if o not in monitors]
    reading = Reading(namespace, _step([o for o in simulated if _is_part(o)], dt))
    _check_order(network, reading)
    circuit = _circuit(simulated, reading, seed)
    if monitors:
        notes = "; ".join(_instead(monitor, circuit) for monitor in monitors)
        warnings.warn(f"from_brian2 leaves monitors out: {notes}", UserWarning, stacklevel=2)
    return circuit


def _objects(network: Any) -> list[Any]:
    """Return the objects of a network, in the order of their names."""
    from neurodyn.backends.equations_brian2 import brian2

    if hasattr(network, "groups") and hasattr(network, "monitors"):
        raise TypeError("from_brian2: this network was made by circuit.to_brian2(); go on with the circuit itself")
    given = network.objects if isinstance(network, brian2.Network) else network
    objects = list(given) if isinstance(given, Iterable) else [given]
    if isinstance(given, brian2.BrianObject | str) or not all(isinstance(o, brian2.BrianObject) for o in objects):
        raise TypeError(
            f"from_brian2: network = {network!r}; give a brian2.Network, a list of Brian2 objects, or brian2.collect()"
        )
    if not objects:
        raise CircuitError(
            f"from_brian2: network = {network!r} holds no objects; give them as a list, a brian2.Network, or brian2.collect(), "
            "which finds those of the function that calls it"
        )
    owned = {id(part) for o in objects for part in o.contained_objects}
    return sorted((o for o in objects if id(o) not in owned), key=_by_name)


def _by_name(part: Any) -> list[Any]:
    """Return a key that puts synapses_10 behind synapses_2."""
    return [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", part.name)]


def _is_part(made: Any) -> bool:
    """Whether an object can be a part of a circuit."""
    from neurodyn.backends.equations_brian2 import brian2

    return type(made) in (brian2.NeuronGroup, brian2.PoissonGroup, brian2.SpikeGeneratorGroup, brian2.Synapses)


def _step(objects: list[Any], dt: Any) -> float:
    """Return the step in seconds, which all objects share unless it is given."""
    if dt is not None:
        return float(units.si(dt, "second", name="dt", low=1e-12))  # type: ignore[arg-type]
    steps = {float(o.clock.dt_): o.name for o in objects}
    if len(steps) > 1:
        listed = ", ".join(f"{name!r} {step * 1e3:g} ms" for step, name in sorted(steps.items()))
        raise CircuitError(
            f"from_brian2: the objects have different clocks ({listed}): a circuit has one step; give dt=... to put all on it"
        )
    return next(iter(steps), 1e-4)


def _check_order(network: Any, reading: Reading) -> None:
    """Refuse a network that has run, or whose step has another order."""
    from neurodyn.backends.equations_brian2 import brian2

    if not isinstance(network, brian2.Network):
        return
    if float(network.t_) > 0:
        reading.refuse(
            network,
            f"it has run for {float(network.t_) * 1e3:g} ms: spikes under way can't be taken over; put it back with store() and "
            "restore(), or build it anew",
        )
    if list(network.schedule) != _SCHEDULE:
        reading.refuse(
            network, f"its schedule is {list(network.schedule)}: circuits have one order of a step, {_SCHEDULE}"
        )


def _circuit(objects: list[Any], reading: Reading, seed: int) -> Circuit:
    from neurodyn.backends.equations_brian2 import brian2
    from neurodyn.doors.brian2_groups import read_group

    synapses = [o for o in objects if type(o) is brian2.Synapses]
    cells = [o for o in objects if _is_part(o) and o not in synapses]
    for other in objects:
        if not _is_part(other) and type(other) is not brian2.Subgroup:
            reading.refuse(other, _UNKNOWN.get(type(other).__name__, "circuits have nothing of the kind: leave it out"))
    reading.names |= {o.name for o in cells}
    read = _read_synapses(synapses, cells, reading)  # before the cells: what synapses write to is no constant
    groups = {g.name: made for g in cells if (made := read_group(g, reading)) is not None}
    connections, values = _connections(read, groups, reading)
    if reading.refusals:
        listed = "".join(f"\n  - {line}" for line in reading.refusals)
        raise CircuitError(f"from_brian2: what a circuit can't express ({len(reading.refusals)}):{listed}")
    circuit = Circuit(
        [g.part for g in groups.values()],
        [*(s for g in groups.values() for s in g.signals), *connections],
        inputs=list(reading.inputs.values()),
        dt=units.Quantity(reading.step, units.dimensions_of("second")),
        seed=seed,
        values=values,
    )
    try:
        circuit.program  # noqa: B018  (finds texts that our language lacks)
    except ValueError as error:
        raise CircuitError(f"from_brian2: the texts of this network make no circuit: {error}") from error
    return circuit


def _read_synapses(synapses: list[Any], cells: list[Any], reading: Reading) -> list[ReadSynapses]:
    from neurodyn.doors.brian2_reading import NotExpressible, note_reset, parent
    from neurodyn.doors.brian2_synapses import ReadSynapses, check_synapses, note_writes

    read = []
    for made in synapses:
        end = next((e for e in map(parent, (made.source, made.target)) if e not in cells), None)
        try:
            if end is not None:
                raise NotExpressible(
                    f"it ends at {end.name!r} ({type(end).__name__}), no group of this network: add that"
                )
            one = ReadSynapses(made, reading)
            note_writes(one)
            if check_synapses(one):
                read.append(one)
        except NotExpressible as error:
            reading.refuse(made, str(error))
    for group in cells:
        note_reset(group, reading)
    return read


def _connections(
    read: list[ReadSynapses], groups: Mapping[str, Group], reading: Reading
) -> tuple[list[Connection], dict[str, Any]]:
    """Return the connections in the order in which Brian2 passes spikes on, sums first, and values of plastic synapses."""
    from neurodyn.doors.brian2_plastic import plastic_of
    from neurodyn.doors.brian2_reading import NotExpressible
    from neurodyn.doors.brian2_synapses import fixed_of, place, sums_of

    sums: list[Connection] = []
    carrying: list[tuple[Any, Connection]] = []
    values: dict[str, Any] = {}
    for one in read:
        if not {one.group("pre").name, one.group("post").name} <= groups.keys():
            continue  # refused already
        try:
            effects = one.effects
            if one.changing:
                connection, delivery, started = plastic_of(one, groups)
                carrying.append((place(delivery), connection))
                values |= started
                effects = [e for e in effects if e is not delivery]
            carrying += fixed_of(one, effects, groups)
            sums += sums_of(one, groups)
        except NotExpressible as error:
            reading.refuse(one.synapses, str(error))
    return [*sums, *(c for _, c in sorted(carrying, key=lambda x: x[0]))], values


_UNKNOWN = {
    "NetworkOperation": "it calls Python in every step: write it as code of a population (nd.Population(code=...)), or as "
    "nd.Input(function=...)",
    "SpatialNeuron": "circuits have no compartments: use populations of one compartment",
    "PoissonInput": "it adds binomial numbers of spikes: use a PoissonGroup with Synapses, or 'xi' in the equations",
    "CodeRunner": "it runs code of its own: write it into the equations",
}


def _instead(monitor: Any, circuit: Circuit) -> str:
    """Return what to record in the place of a monitor."""
    from neurodyn.backends.equations_brian2 import brian2

    source = monitor.source
    if not isinstance(monitor, brian2.StateMonitor):
        return f"{monitor.name}: record=['spikes'] holds those of {source.name!r}"
    if not isinstance(source, brian2.Synapses):
        return f"{monitor.name}: record={[f'{source.name}.{variable}' for variable in monitor.record_variables]}"
    rules = {rule.name: rule for c in circuit.connections for rule in c.rules}
    rule = rules.get(f"{source.name}_rule")
    kept = () if rule is None else {*rule.traces, *rule.memory, *rule.state}
    found = [f"{source.name}_rule.{name}" if name in kept else f"{source.name}.w" for name in monitor.record_variables]
    return f"{monitor.name}: record={found}" if rule is not None else f"{monitor.name}: its synapses don't change"
