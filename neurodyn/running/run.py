"""One network through its session: what it asks of its engine, and what it records."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodyn import units
from neurodyn.backends.engine import Advance, Begin, End, Records, Request
from neurodyn.circuit import Circuit
from neurodyn.network import Network
from neurodyn.parts import CircuitError, Input
from neurodyn.program import Program
from neurodyn.running.recorder import Recorder, plan_recording
from neurodyn.running.stopping import StopRequest, Suspended
from neurodyn.session import Session, Trial
from neurodyn.specs import whole_steps
from neurodyn.trees.runs import run_tree

if TYPE_CHECKING:
    from pathlib import Path

    from neurodyn.backends.engine import Engine
    from neurodyn.recording import Recording

_CHUNK = 4096  # steps; a chunk is what is lost when numbers blow up


class BlowUpError(ArithmeticError):
    """A variable became infinite or not a number; ``recording`` (and ``path``, of a file) hold what came before."""

    path: Path | None = None
    recording: Recording | None = None


@dataclass(frozen=True, eq=False)
class Reply:
    """What an engine made of :class:`Advance`: ``steps`` of it, their records, and what stopped it, if anything did."""

    records: Records
    steps: int
    error: BlowUpError | None = None


class Run:
    """One network and its session.

    :meth:`requests` is the one loop over trials and chunks. It asks for what it needs, so that whoever serves it is
    free to serve one network after the other, in threads, or as a batch.
    """

    engine: Engine
    recording: Recording

    def __init__(
        self, network: Network, session: Session, out: Any, options: Mapping[str, Any], stop: StopRequest
    ) -> None:
        self.network, self.session, self.stop = network, session, stop
        self.dt = network.circuit.timestep
        self.ratio = _ratio(session, network.circuit)
        self.plan = plan_recording(network, options["record"])
        self.steps = steps = self.ratio * sum(t.steps for t in session.trials)
        if options["dtype"] == "float32" and steps >= 2**24:
            raise ValueError(
                f"dtype = 'float32' counts steps up to 2^24, the session has {steps}; use float64 or several sessions"
            )
        self.callbacks = [i for i in network.circuit.inputs if i.function is not None]
        self.period = _period(self.callbacks, self.dt)
        self.held = {i.name: np.zeros(len(i.channels)) for i in self.callbacks}
        header = _header(network, session, options)
        if out is not None:
            header["run_fingerprint"] = fingerprint(network, session, options)
        self.recorder = Recorder(
            network, self.plan, header, out, overwrite=options["overwrite"], resume=options["resume"], steps=steps
        )
        if self.recorder.state is None:
            self.recorder.given(run_tree(network.circuit, session, options))

    @property
    def first_step(self) -> int:
        """The step that this process begins with."""
        return 0 if self.recorder.state is None else int(self.recorder.state["engine"]["step"])

    @property
    def first_trial(self) -> int:
        """The trial that this process begins with."""
        return 0 if self.recorder.state is None else int(self.recorder.state["trial"])

    def requests(self) -> Generator[Request, Any, None]:
        """Ask for trials and chunks, one after the other; :class:`Advance` is answered by a :class:`Reply`."""
        try:
            first, done = self._resumed()
            for number in range(first, len(self.session)):
                yield from self._trial(number, done)
                done = 0
            self.recorder.weights(self.engine)
            self.recording = self.recorder.finish(trained_circuit(self.network.circuit, self.engine))
        except Suspended:
            self.recorder.suspend()
            raise
        except BaseException as error:
            self.recorder.abort(error)
            raise

    def _trial(self, number: int, done: int) -> Generator[Request, Any, None]:
        """Go through a trial, of which so many steps are done already."""
        trial = self.session.trials[number]
        steps = trial.steps * self.ratio
        inputs = {i.name: self._values(i, trial, steps) for i in self.network.circuit.inputs if i.function is None}
        if not done:
            if not number or trial.learning != self.session.trials[number - 1].learning:
                self.recorder.weights(self.engine)
            self.held = {name: np.zeros_like(values) for name, values in self.held.items()}
            begin = {name: values[0] for name, values in inputs.items()} | self.held
            yield Begin(trial.learning, trial.calibration, trial.reset, begin)
            self.recorder.trial(number, trial, self.engine.step, steps)
        while done < steps:
            length = min(_CHUNK, steps - done)
            if self.period is not None:
                length = min(length, self.period - self.engine.step % self.period)
                self._call(done)
            chunk = {name: values[done : done + length] for name, values in inputs.items()}
            chunk |= {name: np.broadcast_to(values, (length, values.size)) for name, values in self.held.items()}
            at = self.engine.step
            reply = yield Advance(length, chunk)
            self.recorder.chunk(reply.records, at, at + reply.steps)
            if reply.error is not None:
                raise reply.error
            done += reply.steps
            del reply  # its memory can take the next chunk
            self._checkpoint(number, done)
        yield End()
        bad = self.engine.infinite()
        if bad is not None:
            raise blow_up(self.engine, bad, f"at the end of trial {number}")

    def _checkpoint(self, number: int, done: int) -> None:
        """Save where the run stands, where that is due; stop here if that was asked for."""
        if self.recorder.due or (self.stop.signal and self.recorder.path is not None):
            state = {key.replace("/", ":"): np.asarray(value) for key, value in self.engine.to_arrays().items()}
            self.recorder.checkpoint({"trial": number, "done": done, "held": self.held, "engine": state})
        if self.stop.signal:
            raise Suspended(f"{self.stop.signal} stopped the run {self._where(number, done)}")

    def _where(self, number: int, done: int) -> str:
        where = f"in trial {number} of {len(self.session)}, {done * self.dt * 1e3:g} ms after its start"
        if self.recorder.path is None:
            return f"{where}; it was recorded in memory only, which is lost"
        return f"{where}; the same call with resume=True (neurodyn run --resume) goes on to {self.recorder.path}"

    def _resumed(self) -> tuple[int, int]:
        """Return the trial and the steps of it that an earlier process did, its state taken over."""
        state = self.recorder.state
        if state is None:
            return 0, 0
        self.engine.from_arrays({key.replace(":", "/"): value for key, value in state["engine"].items()})
        self.held = {name: state["held"][name] for name in self.held}
        return int(state["trial"]), int(state["done"])

    def _values(self, source: Input, trial: Trial, steps: int) -> np.ndarray:
        """Return the values of an input over a trial, (steps, channels)."""
        width = len(source.channels)
        if source.pulses:
            t, values = np.arange(steps) * self.dt, np.zeros((steps, width))
            for start, stop, amplitude in source.pulses:
                low, high = (float(units.si(x, "second", name=f"{source.name}.pulses")) for x in (start, stop))  # type: ignore[arg-type]
                values[(t >= low - 1e-9 * self.dt) & (t < high - 1e-9 * self.dt)] += amplitude
            return values
        given = trial.inputs.get(source.name)
        if given is None:
            return np.zeros((steps, width))
        if given.ndim == 1:
            return np.broadcast_to(given, (steps, width))
        return np.repeat(given, self.ratio, axis=0) if self.ratio > 1 else given

    def _call(self, done: int) -> None:
        """Ask the closed-loop functions for their values; they hold until the next call."""
        view = _ReadOnly(self.engine)
        for source in self.callbacks:
            assert source.function is not None
            if self.engine.step % _steps(source, self.dt) and done:
                continue
            values = np.asarray(source.function(self.engine.step * self.dt, view), dtype=float).ravel()
            if values.shape != (len(source.channels),) or not np.isfinite(values).all():
                raise CircuitError(
                    f"input {source.name!r}: its function returned {values!r}; needed are {len(source.channels)} finite numbers"
                )
            self.held[source.name] = values


def blow_up(engine: Engine, bad: tuple[str, list[int]], where: str) -> BlowUpError:
    """Return the error that names the variable, the unit and the step."""
    name, index = bad
    part, _, variable = name.partition(".")
    return BlowUpError(
        f"{variable} of {part!r}, unit {', '.join(map(str, index))}, became {np.atleast_1d(engine.arrays[name])[tuple(index)]} {where}; "
        "reduce the step or the weights, or check the parameters. What was recorded before is kept"
    )


class _ReadOnly(Mapping[str, np.ndarray]):
    def __init__(self, engine: Engine) -> None:
        self._engine, self._arrays = engine, engine.arrays

    def __getitem__(self, name: str) -> np.ndarray:
        view = self._engine.value(name).view()
        view.flags.writeable = False
        return view

    def __iter__(self) -> Any:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def trained_circuit(circuit: Circuit, engine: Engine) -> Circuit:
    """Return the circuit with what it has learned: the memory of all readouts and rules."""
    arrays = engine.program.arrays
    return circuit.with_values({a.name: engine.arrays[a.name].copy() for a in arrays if a.role == "memory"})


def _header(network: Network, session: Session, options: Mapping[str, Any]) -> dict[str, Any]:
    program: Program = network.program
    return {
        "backend": options["backend"],
        "device": options["device"],
        "dtype": options["dtype"],
        "seed": str(network.seed),
        "dt_ms": network.circuit.timestep * 1e3,
        "duration_ms": session.duration * 1e3,
        "threads": options["threads"],
        "program_hash": program.hash,
        "exactness": program.exactness,
        "inexact": json.dumps(list(program.inexact)),
        "circuit": network.circuit.name,
        "time_stamps": "spike in step k: k dt; states at the end of step k: (k + 1) dt",
        "config": {
            "simulate": {
                "backend": options["backend"],
                "device": options["device"],
                "dtype": options["dtype"],
                "record": [r if isinstance(r, str) else r.array for r in options["record"]],
                "learn": repr(options["learn"]),
            },
            "session": dict(session.config),
            **options["config"],
        },
    }


def fingerprint(network: Network, session: Session, options: Mapping[str, Any]) -> dict[str, str]:
    """Return what two calls have to share for one to go on where the other stopped, as short digests by subject."""
    numbers = hashlib.blake2b(digest_size=8)
    for name, values in sorted(network.values.items()):
        numbers.update(name.encode() + np.asarray(values).tobytes())
    for name, w in sorted(network.wiring.items()):
        numbers.update(name.encode())
        for x in (w.indptr, w.targets, w.weights, w.delays):
            for first in range(0, x.size, 2**20):  # they may be most of the memory
                numbers.update(x[first : first + 2**20].tobytes())
    for name, (steps, units_) in sorted(network.schedules.items()):
        numbers.update(name.encode() + steps.tobytes() + units_.tobytes())
    trials = hashlib.blake2b(digest_size=8)
    known: dict[int, bytes] = {}
    for trial in session.trials:
        trials.update(repr((trial.steps, trial.learning, trial.calibration, trial.reset, trial.labels)).encode())
        for name, values in sorted(trial.inputs.items()):
            known.setdefault(id(values), hashlib.blake2b(values.tobytes(), digest_size=8).digest())
            trials.update(name.encode() + known[id(values)])
    record = [r if isinstance(r, str) else (r.array, repr(r.units), repr(r.every)) for r in options["record"]]
    return {
        "program": network.program.hash[:16],
        "seed": str(network.seed),
        "network": numbers.hexdigest(),
        "session": trials.hexdigest(),
        "dtype": options["dtype"],
        "record": hashlib.blake2b(repr(record).encode(), digest_size=8).hexdigest(),
    }


def as_session(session: Any, circuit: Circuit) -> Session:
    """Return a session: a duration is one trial without inputs; inputs that don't fit the circuit are refused."""
    if not isinstance(session, Session):
        steps = whole_steps(session, circuit.timestep, "session")
        return Session((Trial(steps),), dt=circuit.timestep, config={"duration_ms": steps * circuit.timestep * 1e3})
    if not session.trials:
        raise ValueError("session: it has no trials; give at least one Trial, or a duration such as '2 s'")
    names = {i.name for i in circuit.inputs}
    for number, trial in enumerate(session.trials):
        for name in trial.inputs:
            if name not in names and name not in session.channels:
                near = difflib.get_close_matches(name, sorted(names), n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(names)) or 'none'}"
                raise CircuitError(f"trial {number} brings an input {name!r}, which the circuit doesn't have; {hint}")
    wanted = {i.name: i.channels for i in circuit.inputs if i.function is None and not i.pulses}
    for name, channels in wanted.items():
        known = session.channels.get(name)
        if known is None and session.channels:
            raise CircuitError(
                f"the circuit has an input {name!r} {channels}, which the session doesn't bring; it has {sorted(session.channels)}"
            )
        if known is not None and tuple(known) != channels:
            raise CircuitError(
                f"input {name!r}: the circuit expects the channels {channels}, the session brings {tuple(known)}; "
                "make both from the same events (for example SpikingReservoir(events=task.names))"
            )
        for number, trial in enumerate(session.trials):
            if name in trial.inputs and trial.inputs[name].shape[-1] != len(channels):
                raise CircuitError(
                    f"trial {number}: input {name!r} has {trial.inputs[name].shape[-1]} channels, the circuit {len(channels)}"
                )
    return session


def _ratio(session: Session, circuit: Circuit) -> int:
    ratio = session.dt / circuit.timestep
    if ratio < 1 - 1e-9 or abs(ratio - round(ratio)) > 1e-6:
        raise CircuitError(
            f"the session is sampled every {session.dt * 1e3:g} ms, which is no whole multiple of the circuit's step of {circuit.timestep * 1e3:g} ms"
        )
    return round(ratio)


def _steps(source: Input, dt: float) -> int:
    return whole_steps(source.every, dt, f"{source.name}.every")


def _period(callbacks: Sequence[Input], dt: float) -> int | None:
    return int(np.gcd.reduce([_steps(c, dt) for c in callbacks])) if callbacks else None
