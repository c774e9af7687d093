"""One loop over trials and chunks, for every circuit and every runner."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast, overload

import numpy as np

from neurodyn import units
from neurodyn.backends import engine_class
from neurodyn.circuit import Circuit
from neurodyn.network import Network, realize
from neurodyn.parts import CircuitError, Input
from neurodyn.program import Program
from neurodyn.recorder import Recorder, plan_recording
from neurodyn.session import Session, Trial
from neurodyn.specs import whole_steps

if TYPE_CHECKING:
    from neurodyn.backends.engine import Engine
    from neurodyn.recording import Recording

_CHUNK = 4096  # steps; a chunk is what is lost when numbers blow up


class BlowUpError(ArithmeticError):
    """A variable became infinite or not a number; ``recording`` (and ``path``, of a file) hold what came before."""

    path: Path | None = None
    recording: Recording | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """Record ``array`` ("cells.v", "when.y") for ``units`` (default all) every ``every`` (quantity, default each step)."""

    array: str
    units: Any = None
    every: Any = None


class _Options(TypedDict, total=False):
    learn: Any
    record: Sequence[str | Sample]
    out: Any
    backend: str
    dtype: str
    overwrite: bool
    progress: bool | None
    threads: int | None
    config: Mapping[str, Any] | None


@overload
def simulate(circuit: Circuit, session: Any, **options: Unpack[_Options]) -> Recording: ...
@overload
def simulate(circuit: Sequence[Circuit], session: Any, **options: Unpack[_Options]) -> list[Recording]: ...
def simulate(
    circuit: Circuit | Sequence[Circuit],
    session: Session | Sequence[Session] | Any,
    *,
    learn: Any = None,
    record: Sequence[str | Sample] = ("spikes",),
    out: str | Path | Sequence[str | Path] | None = None,
    backend: str = "numba",
    dtype: str = "float64",
    overwrite: bool = False,
    progress: bool | None = None,
    threads: int | None = None,
    config: Mapping[str, Any] | None = None,
) -> Recording | list[Recording]:
    """Simulate one circuit, or several side by side, and return the recording.

    Parameters
    ----------
    circuit : Circuit, or sequence of them
        Several circuits run in threads (numba) with equal results to single runs; a list is returned.
    session : Session, duration, or one session for each circuit
        A duration such as "2 s" is one trial without inputs.
    learn : object with ``attach(circuit)``
        Readouts and rules to add, such as ``nd.WhatWhenRule()``. Learning happens in trials that allow it.
    record : sequence
        "spikes" or "spikes/cells"; "readout" (all outputs), "stimulus" (all inputs), "weights" (memory of readouts at
        the start, before and after trials without learning, and at the end); "cells.v", "rate.r", "when.y"; or
        :class:`Sample` for some units and every k-th step.
    out : path
        File to write; without it the recording stays in memory. An existing file is refused unless ``overwrite``.
    backend : "numba", "interpreter" or "brian2"
    dtype : "float64" or "float32"
    progress : bool
        Bar over trials; by default only on a terminal.
    config : mapping
        Further configuration to keep in the file.

    Raises
    ------
    CircuitError, ModelError, UnitsError
        Before the first step, for descriptions and inputs that don't fit.
    FileExistsError, OSError
        Before the first step, for an output that can't be written.
    BlowUpError
        When a number becomes infinite; the recording until then is kept (``error.recording``, ``error.path``).
    """
    if isinstance(circuit, Circuit):
        (run,) = _Runs([circuit], [session], [out], _options(learn, record, backend, dtype, overwrite, config)).execute(
            progress, 1
        )
        return run
    circuits = list(circuit)
    several = isinstance(session, list | tuple) and not isinstance(session, str)
    sessions: list[Any] = list(cast(Sequence[Any], session)) if several else [session] * len(circuits)
    outs: list[Any] = [None] * len(circuits) if out is None else list(out) if not isinstance(out, str | Path) else []
    for name, given in (("session", sessions), ("out", outs)):
        if len(given) != len(circuits):
            raise ValueError(f"{name}: {len(given)} given for {len(circuits)} circuits; give one for each")
    runs = _Runs(circuits, sessions, outs, _options(learn, record, backend, dtype, overwrite, config))
    return runs.execute(progress, threads)


def _options(learn: Any, record: Any, backend: str, dtype: str, overwrite: bool, config: Any) -> dict[str, Any]:
    """Gather the options of a run."""
    if dtype not in ("float64", "float32"):
        raise ValueError(f"dtype = {dtype!r}, allowed are 'float64' and 'float32'")
    record = (record,) if isinstance(record, str | Sample) else tuple(record)
    return {
        "learn": learn,
        "record": record,
        "backend": backend,
        "dtype": dtype,
        "overwrite": overwrite,
        "config": dict(config or {}),
    }


class _Runs:
    """Prepare all runs before the first step, then execute them."""

    def __init__(self, circuits: list[Circuit], sessions: list[Any], outs: list[Any], options: dict[str, Any]) -> None:
        self.runs: list[_Run] = []
        make = engine_class(options["backend"])
        try:
            self._prepare(circuits, sessions, outs, options, make)
        except BaseException:
            for run in self.runs:  # those before the one that can't be run
                run.recorder.close()
            raise

    def _prepare(
        self, circuits: list[Circuit], sessions: list[Any], outs: list[Any], options: dict[str, Any], make: Any
    ) -> None:
        programs: dict[int, Program] = {}
        for circuit, session, out in zip(circuits, sessions, outs, strict=True):
            if options["learn"] is not None:
                if not hasattr(options["learn"], "attach"):
                    raise TypeError(
                        f"learn = {options['learn']!r}; give an object with attach(circuit), such as nd.WhatWhenRule()"
                    )
                circuit = options["learn"].attach(circuit)
            program = circuit.program
            program = next((p for p in programs.values() if p == program), program)
            programs[id(program)] = program
            self.runs.append(_Run(realize(circuit, program), as_session(session, circuit), out, make, options))

    def execute(self, progress: bool | None, threads: int | None) -> list[Recording]:
        total = sum(len(r.session) for r in self.runs)
        bar = progress_bar(total, progress)
        try:
            if len(self.runs) == 1 or self.runs[0].engine.name != "numba":
                return [r.run(bar.update) for r in self.runs]
            with ThreadPoolExecutor(threads or min(len(self.runs), os.cpu_count() or 1)) as pool:
                return list(pool.map(lambda r: r.run(bar.update), self.runs))
        finally:
            bar.close()
            for run in self.runs:
                run.recorder.close()


def progress_bar(total: int, progress: bool | None, unit: str = "trial") -> Any:
    """Return a progress bar; silent where nobody watches (``progress=None`` and no terminal)."""
    from tqdm.auto import tqdm

    return tqdm(
        total=total, unit=unit, disable=not (sys.stderr.isatty() if progress is None else progress), leave=False
    )


class _Run:
    """One network through its session."""

    def __init__(
        self, network: Network, session: Session, out: Any, make: type[Engine], options: dict[str, Any]
    ) -> None:
        self.network, self.session = network, session
        self.dt = network.circuit.timestep
        self.ratio = _ratio(session, network.circuit)
        plan = plan_recording(network, options["record"])
        self.engine = make(network, samples=plan.samples, spikes=plan.spikes, dtype=options["dtype"])
        steps = self.ratio * sum(t.steps for t in session.trials)
        if options["dtype"] == "float32" and steps >= 2**24:
            raise ValueError(
                f"dtype = 'float32' counts steps up to 2^24, the session has {steps}; use float64 or several sessions"
            )
        header = {
            "backend": options["backend"],
            "device": "cpu",
            "dtype": options["dtype"],
            "seed": str(network.seed),
            "dt_ms": self.dt * 1e3,
            "program_hash": network.program.hash,
            "exactness": network.program.exactness,
            "inexact": json.dumps(list(network.program.inexact)),
            "circuit": network.circuit.name,
            "time_stamps": "spike in step k: k dt; states at the end of step k: (k + 1) dt",
            "config": {
                "simulate": {
                    "backend": options["backend"],
                    "dtype": options["dtype"],
                    "record": [r if isinstance(r, str) else r.array for r in options["record"]],
                    "learn": repr(options["learn"]),
                },
                "session": dict(session.config),
                **options["config"],
            },
        }
        self.callbacks = [i for i in network.circuit.inputs if i.function is not None]
        self.period = _period(self.callbacks, self.dt)
        self.recorder = Recorder(network, plan, header, out, overwrite=options["overwrite"], steps=steps)

    def run(self, tick: Any) -> Recording:
        try:
            previous = None
            for number, trial in enumerate(self.session.trials):
                if previous is None or trial.learning != previous.learning:
                    self.recorder.weights(self.engine)
                self._trial(number, trial)
                previous = trial
                tick(1)
            self.recorder.weights(self.engine)
            return self.recorder.finish(trained_circuit(self.network.circuit, self.engine))
        except BaseException as error:
            self.recorder.abort(error)
            raise

    def _trial(self, number: int, trial: Trial) -> None:
        first, steps = self.engine.step, trial.steps * self.ratio
        inputs = {i.name: self._values(i, trial, steps) for i in self.network.circuit.inputs}
        self.engine.start_trial(
            learning=trial.learning,
            calibration=trial.calibration,
            reset=trial.reset,
            inputs={name: values[0] for name, values in inputs.items()},
        )
        self.recorder.trial(number, trial, first, steps)
        done = 0
        while done < steps:
            length = min(_CHUNK, steps - done)
            if self.period is not None:
                length = min(length, self.period - self.engine.step % self.period)
                self._call(inputs, done)
            self._chunk({n: v[done : done + length] for n, v in inputs.items()}, length)
            done += length
        self.engine.end_trial()
        self._check(self.engine.arrays, f"at the end of trial {number}")

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
        if given is None or source.function is not None:
            return np.zeros((steps, width))
        if given.ndim == 1:
            return np.broadcast_to(given, (steps, width))
        return np.repeat(given, self.ratio, axis=0) if self.ratio > 1 else given

    def _call(self, inputs: dict[str, np.ndarray], done: int) -> None:
        """Ask the closed-loop functions for their values; they hold until the next call."""
        view = _ReadOnly(self.engine.arrays)
        for source in self.callbacks:
            assert source.function is not None
            every = _steps(source, self.dt)
            if self.engine.step % every and done:
                continue
            values = np.asarray(source.function(self.engine.step * self.dt, view), dtype=float).ravel()
            if values.shape != (len(source.channels),) or not np.isfinite(values).all():
                raise CircuitError(
                    f"input {source.name!r}: its function returned {values!r}; needed are {len(source.channels)} finite numbers"
                )
            inputs[source.name][done : done + every] = values  # the next call is not later than that

    def _chunk(self, inputs: dict[str, np.ndarray], steps: int) -> None:
        before = self.engine.to_arrays() if steps > 1 else None  # a copy each step would cost a tight loop dearly
        first = self.engine.step
        records = self.engine.advance(steps, inputs)
        if self._bad(self.engine.arrays) is None:
            self.recorder.chunk(records, first, self.engine.step)
            return
        if before is None:
            self._check(self.engine.arrays, f"in step {first} (t = {first * self.dt * 1e3:g} ms)")
        else:
            self.engine.from_arrays(before)  # find the step: the same numbers again, one by one
        for k in range(steps):
            records = self.engine.advance(1, {n: v[k : k + 1] for n, v in inputs.items()})
            if self._bad(self.engine.arrays) is not None:
                self._check(self.engine.arrays, f"in step {first + k} (t = {(first + k) * self.dt * 1e3:g} ms)")
            self.recorder.chunk(records, first + k, first + k + 1)
        raise BlowUpError(
            f"numbers became infinite between steps {first} and {first + steps}, but not when repeated one by one"
        )

    def _bad(self, arrays: Mapping[str, np.ndarray]) -> tuple[str, Any] | None:
        for array in self.network.program.arrays:
            if (
                array.role in ("state", "memory")
                and array.dtype == "float"
                and not np.isfinite(arrays[array.name]).all()
            ):
                return array.name, np.argwhere(~np.isfinite(np.atleast_1d(arrays[array.name])))[0].tolist()
        return None

    def _check(self, arrays: Mapping[str, np.ndarray], where: str) -> None:
        bad = self._bad(arrays)
        if bad is not None:
            name, index = bad
            part, _, variable = name.partition(".")
            raise BlowUpError(
                f"{variable} of {part!r}, unit {', '.join(map(str, index))}, became {np.atleast_1d(arrays[name])[tuple(index)]} {where}; "
                "reduce the step or the weights, or check the parameters. What was recorded before is kept"
            )


class _ReadOnly(Mapping[str, np.ndarray]):
    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> np.ndarray:
        view = self._arrays[name].view()
        view.flags.writeable = False
        return view

    def __iter__(self) -> Any:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def trained_circuit(circuit: Circuit, engine: Engine) -> Circuit:
    """Return the circuit with what it has learned: the memory of all readouts and rules."""
    program = engine.program
    return circuit.with_values({a.name: engine.arrays[a.name].copy() for a in program.arrays if a.role == "memory"})


def as_session(session: Any, circuit: Circuit) -> Session:
    """Return a session: a duration is one trial without inputs; inputs that don't fit the circuit are refused."""
    if not isinstance(session, Session):
        seconds = float(units.si(session, "second", name="session (a duration)", low=0.0))  # type: ignore[arg-type]
        steps = round(seconds / circuit.timestep)
        if steps < 1:
            raise ValueError(f"session: {session!r} is shorter than one step of {circuit.timestep * 1e3:g} ms")
        return Session((Trial(steps, learning=True),), dt=circuit.timestep, config={"duration_ms": seconds * 1e3})
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
