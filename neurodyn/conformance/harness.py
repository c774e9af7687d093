"""Running a circuit of the suite on a runner: whole, in chunks, from a stored state; and where two results differ.

A runner is named as the keyword ``backend`` names it ("numba", or "mypackage.engine:MyEngine"); "torch@cuda" adds a
device, without which it computes on the CPU.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn.backends import NAMES, engine_class
from neurodyn.backends.engine import Begin, Engine
from neurodyn.conformance.circuits import CIRCUITS
from neurodyn.network import Network, realize
from neurodyn.parts import CircuitError
from neurodyn.running.recorder import plan_recording

REFERENCE = "interpreter"
State = Mapping[str, np.ndarray]


class NotConformant(AssertionError):
    """A runner breaks a promise; the text names runner, circuit, step, unit and variable."""


class Refused(Exception):
    """A runner says before the first step that it can't run a circuit, and which runner can."""


@dataclass(frozen=True, eq=False)
class TrialOf:
    """One trial at the step of the circuit: ``inputs`` by name, each (steps, channels)."""

    steps: int
    begin: Mapping[str, bool]
    inputs: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Case:
    """A circuit of the suite with its network, session, trials, and the words that record everything."""

    name: str
    circuit: nd.Circuit
    session: Any
    network: Network
    trials: tuple[TrialOf, ...]
    record: tuple[str, ...]

    @property
    def exact(self) -> bool:
        return self.network.program.exactness == "exact"

    @property
    def steps(self) -> int:
        return sum(trial.steps for trial in self.trials)


@functools.cache
def case(name: str) -> Case:
    """Return a circuit of the suite, ready to run."""
    circuit, session = CIRCUITS[name]()
    return case_of(name, circuit, session)


def case_of(name: str, circuit: nd.Circuit, session: Any) -> Case:
    """Return any circuit with its session (or duration), ready to run."""
    network = realize(circuit)
    return Case(name, circuit, session, network, _trials(circuit, session), everything(circuit))


def everything(circuit: nd.Circuit) -> tuple[str, ...]:
    """Return the words that record all spikes, weights, and every number of one axis at most."""
    arrays = [a for a in circuit.program.arrays if a.role in ("state", "memory", "input") and "@" not in a.name]
    return ("spikes", "weights", *(a.name for a in arrays if len(a.axes) < 2 and a.dtype == "float"))


def _trials(circuit: nd.Circuit, session: Any) -> tuple[TrialOf, ...]:
    if not isinstance(session, nd.Session):
        steps = round(float(nd.quantity(session).value) / circuit.timestep)
        session = nd.Session((nd.Trial(steps),), circuit.timestep)
    ratio = round(session.dt / circuit.timestep)
    trials = []
    for trial in session.trials:
        steps, inputs = trial.steps * ratio, {}
        for source in circuit.inputs:
            given = np.asarray(trial.inputs.get(source.name, np.zeros(len(source.channels))))
            rows = np.broadcast_to(given, (trial.steps, len(source.channels)))
            inputs[source.name] = np.repeat(rows, ratio, axis=0) + _pulses(source, steps, circuit.timestep)
        begin = {"learning": trial.learning, "calibration": trial.calibration, "reset": trial.reset}
        trials.append(TrialOf(steps, begin, inputs))
    return tuple(trials)


def _pulses(source: nd.Input, steps: int, dt: float) -> np.ndarray:
    t, values = np.arange(steps) * dt, np.zeros((steps, 1))
    for start, stop, amplitude in source.pulses:
        low, high = (float(nd.quantity(x).value) - 1e-9 for x in (start, stop))
        values[(t >= low) & (t < high)] += amplitude
    return values


# -- running -----------------------------------------------------------------------------------------------------


def promises_bits(runner: str) -> bool:
    """Whether a runner is held to the bits of exact circuits: on the CPU."""
    return runner.partition("@")[2] in ("", "cpu")


def engine(of: Case | Network, runner: str, dtype: str = "float64") -> Engine:
    """Return a runner's engine that records everything; `Refused` where the runner can't run the circuit."""
    network = of.network if isinstance(of, Case) else of
    plan = plan_recording(network, everything(network.circuit))
    name, _, device = runner.partition("@")
    options: dict[str, Any] = {"device": device} if device else {}
    try:
        return engine_class(name)(network, samples=plan.samples, spikes=plan.spikes, dtype=dtype, **options)
    except CircuitError as error:
        raise _refusal(name, error) from error


def simulate(circuit: Any, session: Any, runner: str, *, record: Sequence[str], dtype: str = "float64", **options: Any):
    """Run :func:`neurodyn.simulate` on a runner; `Refused` where it can't run the circuit."""
    name, _, device = runner.partition("@")
    for one in circuit if isinstance(circuit, list | tuple) else [circuit]:
        if engine_class(name).per_step and one.program.hash != one.per_step().program.hash:
            engine(realize(one), runner)  # says so itself; simulate() would run another Program
    try:
        return nd.simulate(
            circuit, session, backend=name, device=device or "cpu", record=record, dtype=dtype, **options
        )
    except CircuitError as error:
        raise _refusal(name, error) from error


def _refusal(name: str, error: CircuitError) -> Refused:
    if not any(f"'{other}'" in str(error) for other in NAMES if other != name):
        raise NotConformant(f"{name} refuses a circuit without naming a runner that can run it: {error}") from error
    return Refused(str(error))


@functools.cache
def whole_run(name: str, runner: str, dtype: str = "float64") -> Any:
    """Return the recording of a circuit of the suite by :func:`neurodyn.simulate`, everything recorded."""
    of = case(name)
    return simulate(of.circuit, of.session, runner, record=of.record, dtype=dtype)


@functools.cache
def whole_play(name: str, runner: str) -> tuple[State, State]:
    """Return what an engine records of a circuit in one piece for each trial, and its state at the end."""
    of = case(name)
    machine = engine(of, runner)
    return play(machine, of.trials), machine.to_arrays()


def play(
    machine: Engine,
    trials: Iterable[TrialOf],
    lengths: Sequence[int] = (10**9,),
    *,
    skip: int = 0,
    stop: int | None = None,
) -> State:
    """Run trials from step ``skip`` to ``stop`` in chunks of ``lengths`` (in turn); return what was recorded.

    Spikes as (2, spikes) of step and unit under "spikes/population", samples as (steps, units) by array. Closed-loop
    functions are not called.
    """
    spikes, samples, turn, at = [], [], 0, 0
    last = 10**18 if stop is None else stop
    for trial in trials:
        if at >= skip:
            begin(machine, trial)
        done = 0
        while done < trial.steps:
            if at + done < skip:
                done = min(trial.steps, skip - at)
                continue
            if at + done >= last:
                break
            length = min(lengths[turn % len(lengths)], trial.steps - done, last - at - done)
            turn += 1
            records = machine.advance(length, {k: v[done : done + length] for k, v in trial.inputs.items()})
            spikes.append(records.spikes)
            samples.append(records.samples)
            done += length
        if done < trial.steps:
            break
        at += trial.steps
        if at > skip:
            machine.end_trial()
    joined = {
        f"spikes/{p}": np.concatenate([np.stack(s[p]) for s in spikes], axis=1) for p in (spikes[0] if spikes else ())
    }
    return joined | {p: np.concatenate([s[p] for s in samples]) for p in (samples[0] if samples else ())}


def begin(machine: Engine, trial: TrialOf) -> None:
    """Begin a trial, with the values of its first step."""
    machine.start_trial(**vars(Begin(**trial.begin, inputs={k: v[0] for k, v in trial.inputs.items()})))


# -- comparing ---------------------------------------------------------------------------------------------------


def demand(good: bool, runner: str, circuit: str, what: str) -> None:
    """Raise `NotConformant` with who and where, unless all is well."""
    if not good:
        raise NotConformant(f"{runner} on circuit {circuit!r}: {what}")


def first_difference(found: State, expected: State, *, first: int | None = 0) -> str | None:
    """Return the earliest place where two results of :func:`play` differ, as text; None for the same bits.

    ``first`` is the step of the first row; None compares two states, which have no time.
    """
    place = earliest_difference(found, expected, first=first)
    return None if place is None else place[1]


def earliest_difference(found: State, expected: State, *, first: int | None = 0) -> tuple[int, str] | None:
    """Return the step and the text of :func:`first_difference`."""
    if found.keys() != expected.keys():
        return first or 0, f"only one of the two has {', '.join(sorted(set(found) ^ set(expected)))}"
    places = [_first(name, found[name], expected[name], first) for name in expected]
    return min((p for p in places if p is not None), default=None)


def _first(name: str, found: Any, expected: Any, first: int | None) -> tuple[int, str] | None:
    a, b = np.asarray(found), np.asarray(expected)
    if name.startswith("spikes/") and first is not None:
        mine, theirs = ({(int(k), int(u)) for k, u in x.T} for x in (a, b))
        if mine == theirs and a.shape == b.shape:
            return None
        step, unit = min(mine ^ theirs, default=(first, 0))
        which = "a spike too many" if (step, unit) in mine else "a spike is missing"
        return step, f"step {step}, {name}, unit {unit}: {which}"
    if a.shape != b.shape:
        return first or 0, f"{name} has shape {a.shape}, expected is {b.shape}"
    with np.errstate(all="ignore"):
        same = (a == b) | ((a != a) & (b != b))
    if np.all(same):
        return None
    place = tuple(int(k) for k in np.argwhere(~np.atleast_1d(same))[0])
    values = f"{np.atleast_1d(a)[place].item()!r} instead of {np.atleast_1d(b)[place].item()!r}"
    if first is None:
        return 0, f"{name}, unit {_index(place)}: {values}"
    return first + place[0], f"step {first + place[0]}, {name}, unit {_index(place[1:])}: {values}"


def largest_deviation(found: State, expected: State) -> tuple[float, str]:
    """Return the largest difference of two states or results, relative to the largest magnitude of its array, and where.

    What is no floating-point number has to be the same: else the deviation is infinite.
    """
    worst, where = 0.0, ""
    for name, y in expected.items():
        a, b = np.asarray(found[name]), np.asarray(y)
        if a.shape != b.shape or a.dtype.kind != "f":
            off = np.zeros(1) if np.array_equal(a, b) else np.full(1, np.inf)
        else:
            a, b = a.astype(float), b.astype(float)
            with np.errstate(all="ignore"):
                # what rounding left over of a sum (Kahan) is measured by the sum
                whole = np.asarray(expected.get(f"{name.removesuffix('@rest')}@sum", b), dtype=float)
                off = np.where(a == b, 0.0, np.abs(a - b) / (np.max(np.abs(whole), initial=0.0) or 1.0))
            off = np.atleast_1d(np.where(np.isnan(off), np.where(np.isnan(a) & np.isnan(b), 0.0, np.inf), off))
        if off.max(initial=0.0) > worst:
            place = np.unravel_index(int(np.argmax(off)), off.shape)
            worst, where = float(off.max()), f"{name}, unit {_index(tuple(int(k) for k in place))}"
    return worst, where


def _index(place: tuple[int, ...]) -> str:
    return ", ".join(map(str, place)) or "0"
