"""What a runner promises, one function for each promise; they serve the table, our tests and those for other runners.

Each raises `NotConformant` with circuit, step, unit and variable, or `Refused` where the runner says by itself that it
can't run the circuit; otherwise it returns what it measured, where there is something to measure.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn.backends.engine import Engine
from neurodyn.conformance.batches import BATCHES
from neurodyn.conformance.golden import GOLDEN
from neurodyn.conformance.harness import (
    REFERENCE,
    State,
    begin,
    case,
    demand,
    earliest_difference,
    engine,
    everything,
    first_difference,
    largest_deviation,
    play,
    promises_bits,
    simulate,
    whole_play,
    whole_run,
)

ONE_STEP = 1e-12  # tolerant circuits, float64: largest deviation after one step from the same state
ONE_STEP_SINGLE = 1e-4  # any circuit, float32; some sum large numbers of opposite sign
NEAR = 0.01  # float32: fraction of steps in which a unit within rounding of its threshold may fall on the other side
HORIZON, TRAJECTORY = 50, 1e-9  # tolerant circuits, float64: steps, and largest deviation over them
RATE = 0.1  # float32: largest difference of the number of spikes, as a fraction (5 spikes are always allowed)
PARTED = 1e-3  # float32, circuits without spikes: the deviation that counts as another run
LOOKED_AT = 200  # float32: steps looked at one by one
ODD = (1, 7, 2, 131, 3)  # lengths of chunks, in turn


def same_bits(runner: str, name: str) -> None:
    """An exact circuit gives the spikes, states, weights and outputs of the interpreter, to the last bit."""
    found = nd.compare(whole_run(name, runner), whole_run(name, REFERENCE))
    demand(bool(found) and not found.skipped, runner, name, _told(found))


def each_step(runner: str, name: str, dtype: str = "float64", steps: int | None = None) -> float:
    """From the same state, one step (or border of a trial) of any circuit gives the same spikes and nearly the same numbers.

    Returns the largest deviation, relative to the largest magnitude of its array.
    """
    of, worst = case(name), 0.0
    reference, machine = engine(of, REFERENCE), engine(of, runner, dtype)
    left = of.steps if steps is None else min(steps, of.steps)
    misses = 0 if dtype == "float64" else math.ceil(NEAR * left)

    def both(what: str, action: Callable[[Engine], Any]) -> None:
        nonlocal misses, worst
        where = f"{what} from the state of the interpreter, {dtype}: "
        at = reference.step
        machine.from_arrays(reference.to_arrays())
        expected, found = (action(m) for m in (reference, machine))
        parted = expected and first_difference(_spikes(found), _spikes(expected), first=at)
        if parted:
            demand(misses > 0, runner, name, where + parted)
            misses -= 1
            return
        deviation, place = largest_deviation(machine.to_arrays(), reference.to_arrays())
        limit = ONE_STEP if dtype == "float64" else ONE_STEP_SINGLE
        text = f"step {at}, {place}: deviates by {deviation:.2g} of the largest magnitude, allowed is {limit:g}"
        demand(deviation < limit, runner, name, where + text)
        worst = max(worst, deviation)

    for trial in of.trials:
        if left <= 0:
            break
        both("the start of a trial", functools.partial(begin, trial=trial))
        for k in range(min(trial.steps, left)):
            row = {source: values[k : k + 1] for source, values in trial.inputs.items()}
            both("one step", lambda m, row=row: m.advance(1, row))
        left -= trial.steps
        if left >= 0:
            both("the end of a trial", lambda m: m.end_trial())
    return worst


def short_trajectory(runner: str, name: str) -> float:
    """A tolerant circuit stays near the interpreter over a short horizon; returns the largest deviation."""
    of = case(name)
    found, expected = (play(engine(of, r), of.trials, stop=HORIZON) for r in (runner, REFERENCE))
    deviation, where = largest_deviation(found, expected)
    what = f"{where}: deviates by {deviation:.2g} of the largest magnitude within {HORIZON} steps, allowed is {TRAJECTORY:g}"
    demand(deviation < TRAJECTORY, runner, name, what)
    return deviation


def chunked(runner: str, name: str) -> None:
    """A run in chunks of odd lengths, which cut trials anywhere, is the run in one piece."""
    machine = engine(case(name), runner)
    expected, end = whole_play(name, runner)
    parted = first_difference(play(machine, case(name).trials, ODD), expected)
    parted = parted or first_difference(machine.to_arrays(), end, first=None)
    demand(parted is None, runner, name, f"in chunks of {ODD} steps beside one piece: {parted}")


def resumed(runner: str, name: str) -> None:
    """A new engine that takes over a stored state amid a trial goes on as the first one would have."""
    of = case(name)
    cut = min(of.trials[0].steps // 2 + 3, of.steps - 1)
    first, second = engine(of, runner), engine(of, runner)
    play(first, of.trials, stop=cut)
    second.from_arrays(first.to_arrays())
    expected, end = whole_play(name, runner)
    kept = {k: v[:, v[0] >= cut] if k.startswith("spikes/") else v[cut:] for k, v in expected.items()}
    parted = first_difference(play(second, of.trials, skip=cut), kept, first=cut)
    parted = parted or first_difference(second.to_arrays(), end, first=None)
    demand(parted is None, runner, name, f"resumed from stored arrays at step {cut}, beside uninterrupted: {parted}")


def taken_over(runner: str, name: str) -> None:
    """Runners take over from each other, spikes on their way included, and end in the state of the interpreter."""
    of, turn = case(name), max(case(name).trials[0].steps // 10, 1)
    state: State | None = None
    for number, who in enumerate((runner, "numba", runner, REFERENCE, runner)):
        machine = engine(of, who)
        if state is not None:
            machine.from_arrays(state)
        play(machine, of.trials, skip=turn * number, stop=turn * (number + 1))
        state = machine.to_arrays()
    whole = engine(of, REFERENCE)
    play(whole, of.trials, stop=5 * turn)
    assert state is not None
    parted = first_difference(state, whole.to_arrays(), first=None)
    demand(parted is None, runner, name, f"in turns of {turn} steps with numba and the interpreter: {parted}")


def repeated(runner: str, name: str) -> None:
    """An engine that is put back to a stored state repeats itself (a run that blows up is searched that way)."""
    of = case(name)
    machine, half = engine(of, runner), of.trials[0].steps // 2
    play(machine, of.trials, stop=half)
    state = machine.to_arrays()
    inputs = {k: v[half:] for k, v in of.trials[0].inputs.items()}
    once = machine.advance(of.trials[0].steps - half, inputs)
    machine.from_arrays(state)
    again = machine.advance(of.trials[0].steps - half, inputs)
    parted = first_difference(_spikes(again) | again.samples, _spikes(once) | once.samples, first=half)
    demand(parted is None, runner, name, f"from step {half} a second time: {parted}")


def batched(runner: str, name: str) -> None:
    """Networks of one Program with other sizes, wiring, numbers, seeds and sessions, in one call, are the single runs.

    Exact networks beside the interpreter's single runs, tolerant ones beside the runner's own, over a short horizon.
    """
    circuits, sessions = BATCHES[name]()
    bits = batch_is_exact(name) and promises_bits(runner)
    batch = simulate(list(circuits), list(sessions), runner, record=everything(circuits[0]), threads=2)
    for number, (found, expected) in enumerate(zip(batch, _singles(name, REFERENCE if bits else runner), strict=True)):
        report = nd.compare(found, expected, tolerance=0.0 if bits else TRAJECTORY)
        demand(bool(report), runner, name, f"network {number} of {len(circuits)} in one batch: {_told(report)}")


@functools.cache
def batch_is_exact(name: str) -> bool:
    """Whether the circuits of a batch are of the exact class."""
    return BATCHES[name]()[0][0].program.exactness == "exact"


@functools.cache
def _singles(name: str, runner: str) -> list[Any]:
    circuits, sessions = BATCHES[name]()
    record = everything(circuits[0])
    return [simulate(c, s, runner, record=record) for c, s in zip(circuits, sessions, strict=True)]


@dataclass(frozen=True)
class Parting:
    """How a run that is held to no bits compares with the interpreter in double precision.

    ``one_step`` is the largest deviation after one step from the same state. ``step`` (of ``steps``, at ``time_ms``) is
    the first whose spikes differ, or without spikes the first in which a number is off by more than `PARTED`; None
    where the runs stay together. ``rate`` is the difference of the number of spikes, as a fraction; None without spikes.
    """

    one_step: float
    steps: int
    step: int | None
    time_ms: float
    rate: float | None


def parting(runner: str, name: str, dtype: str = "float32") -> Parting:
    """In float32 (or on a GPU) one step is right to rounding; where a run parts from the reference, its rate stays."""
    one_step = each_step(runner, name, dtype, LOOKED_AT)
    of, run, reference = case(name), whole_run(name, runner, dtype), whole_run(name, REFERENCE)
    if not of.network.program.spiking:
        difference = nd.compare(run, reference, tolerance=PARTED).difference
        step, rate = None if difference is None else difference.step, None
    else:
        mine, theirs = ({f"spikes/{p}": _events(s) for p, s in trains(r).items()} for r in (run, reference))
        parted = earliest_difference(mine, theirs)
        a, b = (sum(x.shape[1] for x in events.values()) for events in (mine, theirs))
        what = f"{a} spikes in {dtype}, {b} in the reference: more than {RATE:.0%} apart; first, {parted and parted[1]}"
        demand(abs(a - b) <= max(RATE * b, 5.0), runner, name, what)
        step, rate = None if parted is None else parted[0], (a - b) / max(b, 1)
    return Parting(one_step, of.steps, step, (step or 0) * of.circuit.timestep * 1e3, rate)


def golden(runner: str, name: str) -> None:
    """The spike trains of a circuit are those of the day it was written down, on every machine."""
    found = spike_hash(whole_run(name, runner))
    what = f"its spike trains have the hash {found}, stored is {GOLDEN[name]}: everybody's results have changed"
    demand(found == GOLDEN[name], runner, name, what)


def spike_hash(recording: Any) -> str:
    """Return the first 16 hexadecimal digits of SHA-256 over the spike trains (steps and units as little-endian int64)."""
    digest = hashlib.sha256()
    for population, spikes in trains(recording).items():
        digest.update(population.encode() + _events(spikes).astype("<i8").tobytes())
    return digest.hexdigest()[:16]


def trains(recording: Any) -> dict[str, Any]:
    """Return the spike trains of a recording by population."""
    return {key[7:]: recording[key] for key in recording.keys() if key.startswith("spikes/")}  # noqa: SIM118


def _events(spikes: Any) -> np.ndarray:
    return np.stack([np.rint(spikes.times / spikes.dt_ms).astype(np.int64), spikes.ids.astype(np.int64)])


def _spikes(records: Any) -> dict[str, np.ndarray]:
    return {f"spikes/{p}": np.stack([steps, units]) for p, (steps, units) in records.spikes.items()}


def _told(found: Any) -> str:
    """Say where a run leaves the one it is compared with."""
    d = found.difference
    if d is None:
        return f"only one of the two runs recorded {', '.join(found.skipped)}"
    a, b = d.values
    what = ("a spike too many" if a else "a spike is missing") if d.variable == "spikes" else f"{a!r} instead of {b!r}"
    more = f" (largest deviation {found.deviation:.2g} of the largest magnitude, in {found.deviation_path})"
    return f"step {d.step} (t = {d.time_ms:g} ms), {d.path}, unit {d.unit}: {what}{more if found.deviation else ''}"
