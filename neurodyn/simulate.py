"""Simulate circuits: prepare everything before the first step, then run it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast, overload

from neurodyn.backends import engine_class
from neurodyn.circuit import Circuit
from neurodyn.kernels.cache import collection_later
from neurodyn.memory import NetworkSize, check_memory
from neurodyn.network import Network, axis_sizes, realize
from neurodyn.program import Program
from neurodyn.running.drive import Tick, in_threads, together
from neurodyn.running.progress import progress_bar
from neurodyn.running.run import Run, as_session, fingerprint
from neurodyn.running.stopping import Resume, StopRequest, Suspended, finished, listening, resume_by_default
from neurodyn.session import Session

if TYPE_CHECKING:
    from neurodyn.backends.engine import Engine
    from neurodyn.recording import Recording


@dataclass(frozen=True, eq=False)
class Sample:
    """Record ``array`` ("cells.v", "when.y") for ``units`` (default all) every ``every`` (quantity, default each step)."""

    array: str
    units: Any = None
    every: Any = None


@dataclass(frozen=True, eq=False)
class Job:
    """One circuit of a call, with its session, its ``out`` and the options of the call."""

    circuit: Circuit
    session: Any
    out: Any
    options: Mapping[str, Any]


#: where set, it gets the jobs of a call of :func:`simulate` instead, and returns their recordings: several calls at a
#: time, each in a thread of its own, can then run as one
merging: ContextVar[Callable[[list[Job]], list[Recording]] | None] = ContextVar("merging", default=None)


class _Options(TypedDict, total=False):
    learn: Any
    record: Sequence[str | Sample]
    out: Any
    backend: str
    device: str
    dtype: str
    overwrite: bool
    resume: Resume | None
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
    device: str = "auto",
    dtype: str = "float64",
    overwrite: bool = False,
    resume: Resume | None = None,
    progress: bool | None = None,
    threads: int | None = None,
    config: Mapping[str, Any] | None = None,
) -> Recording | list[Recording]:
    """Simulate one circuit, or several side by side, and return the recording.

    Parameters
    ----------
    circuit : Circuit, or sequence of them
        Several circuits run in threads (numba) or as one batch (torch), each with the result it has alone; a list is
        returned. A batch takes circuits of one structure; sizes, wiring, parameters, inputs and seeds are their own.
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
    backend : "numba", "torch", "interpreter" or "brian2"
    device : "auto", "cpu" or "cuda"
        Where torch computes: "auto" takes a GPU if there is one. The others compute on the CPU.
    dtype : "float64" or "float32"
    resume : bool or "takeover"
        Whether to go on from the last checkpoint of an earlier process that was to write ``out``, if it left one, and to
        begin if not; a complete ``out`` of the same run is returned as it is. A run that another machine began and did
        not suspend may still be at it: "takeover" says that it has ended. None: as ``neurodyn run --resume`` said.
    progress : bool
        By default a bar on a terminal and in a notebook, elsewhere a line a minute; False: nothing. True: also a line at the
        end where there is no bar.
    threads : int
        Networks that numba runs side by side; default as many as there are processors. Threads beyond the number of
        networks share large ones, without weighted sums, inputs and plasticity, to the same bits. They wait for each other
        in each step, which takes long where something else uses the processors.
    config : mapping
        Further configuration to keep in the file.

    Raises
    ------
    CircuitError, ModelError, UnitsError
        Before the first step, for descriptions and inputs that don't fit.
    FileExistsError, OSError
        Before the first step, for an output that can't be written.
    MemoryError
        Before the first step: before anything is drawn, for networks that this machine can't hold; and for a batch that
        doesn't fit, with the number of networks that do.
    BlowUpError
        When a number becomes infinite; the recording until then is kept (``error.recording``, ``error.path``).
    Suspended
        When SIGTERM or SIGUSR1 asked to stop; the run can be resumed.
    ValueError
        For options that don't exist, and for another number of sessions or outputs than of circuits.
    """
    options = _options(learn, record, backend, device, dtype, overwrite, resume, config)
    if isinstance(circuit, Circuit):
        return _run([circuit], [session], [out], options, progress, threads)[0]
    circuits = list(circuit)
    if not circuits:
        return []
    several = isinstance(session, list | tuple) and not isinstance(session, str)
    sessions: list[Any] = list(cast(Sequence[Any], session)) if several else [session] * len(circuits)
    outs: list[Any] = [None] * len(circuits) if out is None else list(out) if not isinstance(out, str | Path) else []
    for name, given in (("session", sessions), ("out", outs)):
        if len(given) != len(circuits):
            raise ValueError(f"{name}: {len(given)} given for {len(circuits)} circuits; give one for each")
    return _run(circuits, sessions, outs, options, progress, threads)


def _options(
    learn: Any,
    record: Any,
    backend: str,
    device: str,
    dtype: str,
    overwrite: bool,
    resume: Resume | None,
    config: Any,
) -> dict[str, Any]:
    """Gather the options of a run."""
    if dtype not in ("float64", "float32"):
        raise ValueError(f"dtype = {dtype!r}, allowed are 'float64' and 'float32'")
    if learn is not None and not hasattr(learn, "attach"):
        raise TypeError(f"learn = {learn!r}; give an object with attach(circuit), such as nd.WhatWhenRule()")
    record = (record,) if isinstance(record, str | Sample) else tuple(record)
    return {
        "learn": learn,
        "record": record,
        "backend": backend,
        "device": choose_device(engine_class(backend), device),
        "dtype": dtype,
        "overwrite": overwrite,
        "resume": resume_by_default.get() if resume is None else resume,
        "config": dict(config or {}),
    }


def choose_device(engine: type[Engine], device: str) -> str:
    """Return the device a runner computes on; one that it can't use, or that isn't there, is refused."""
    kind = device.partition(":")[0]
    if kind not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device = {device!r}; allowed are 'auto', 'cpu', 'cuda' and 'cuda:0', 'cuda:1', ...")
    if "cuda" not in engine.devices:
        if kind == "cuda":
            raise ValueError(f"device = {device!r}: backend {engine.name!r} computes on the CPU; use backend='torch'")
        return "cpu"
    if kind == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda" if kind == "auto" else device
    if kind == "cuda":
        raise ValueError(
            f"device = {device!r}: torch {torch.__version__} finds no GPU here; use device='cpu' or 'auto'"
        )
    return "cpu"


def _run(
    circuits: list[Circuit],
    sessions: list[Any],
    outs: list[Any],
    options: dict[str, Any],
    progress: bool | None,
    threads: int | None,
) -> list[Recording]:
    options["threads"] = _threads(options["backend"], len(circuits), threads)
    jobs = [Job(*job, options) for job in zip(circuits, sessions, outs, strict=True)]
    merge = merging.get()
    return run_jobs(jobs, progress, options["threads"]) if merge is None else merge(jobs)


def run_jobs(jobs: Sequence[Job], progress: bool | None, threads: int) -> list[Recording]:
    """Simulate side by side what has the same backend, device, dtype and record."""
    runs: list[Run] = []
    complete: dict[int, Recording] = {}
    bar, stop = None, StopRequest()
    common = jobs[0].options
    try:
        with listening(stop) if any(job.out is not None for job in jobs) else nullcontext():
            with collection_later():
                circuits = [
                    job.options["learn"].attach(job.circuit) if job.options["learn"] is not None else job.circuit
                    for job in jobs
                ]
                if engine_class(common["backend"]).per_step:
                    circuits = [circuit.per_step() for circuit in circuits]
                networks = _networks(circuits, threads, common["dtype"])
            for number, (network, job) in enumerate(zip(networks, jobs, strict=True)):
                session, options = as_session(job.session, network.circuit), job.options
                if options["resume"] and job.out is not None and Path(job.out).expanduser().exists():
                    path = Path(job.out).expanduser()
                    complete[number] = finished(path, fingerprint(network, session, options))
                    continue
                runs.append(Run(network, session, job.out, options, stop))
            serve = _engines(runs, common, threads)
            steps = sum(run.steps - run.first_step for run in runs)
            bar = progress_bar(sum(len(run.session) for run in runs), progress, parts=steps)
            bar.update(sum(run.first_trial for run in runs))
            serve(bar.update)
    except Suspended as suspended:
        for run in runs:  # those whose turn had not come: where they stood stays
            run.recorder.leave()
        print(f"neurodyn: {suspended}", file=sys.stderr)
        raise
    finally:
        if bar is not None:
            bar.close()
        for run in runs:  # those that an error of another one kept from their end
            run.recorder.close()
    ran = iter(runs)
    return [complete[k] if k in complete else next(ran).recording for k in range(len(jobs))]


def _networks(circuits: list[Circuit], threads: int, dtype: str) -> list[Network]:
    """Draw the numbers of all networks; those of one structure share a Program."""
    programs: dict[str, Program] = {}
    shared = [programs.setdefault(circuit.program.hash, circuit.program) for circuit in circuits]
    if len(circuits) > 1:
        check_memory([NetworkSize.of(c, p, axis_sizes(c), dtype) for c, p in zip(circuits, shared, strict=True)])
    if threads == 1 or len(circuits) == 1:
        return [realize(*pair, dtype=dtype) for pair in zip(circuits, shared, strict=True)]
    with ThreadPoolExecutor(threads) as pool:  # compiled drawing releases the interpreter lock
        return list(pool.map(partial(realize, dtype=dtype), circuits, shared))


def _threads(backend: str, networks: int, threads: int | None) -> int:
    """Return how many threads compute."""
    if backend == "torch":
        import torch

        return torch.get_num_threads()
    return threads or min(networks, os.cpu_count() or 1) if engine_class(backend).threads else 1


def _engines(runs: list[Run], options: Mapping[str, Any], threads: int) -> Callable[[Tick], None]:
    """Give each run its engine, and return what serves them all."""
    make = engine_class(options["backend"])
    if options["backend"] != "torch":
        for run in runs:
            plan, more = run.plan, {"parts": threads // len(runs)} if make.threads else {}
            if make.early and len(runs) == 1:
                more["steps"] = run.steps - run.first_step
            run.engine = make(run.network, samples=plan.samples, spikes=plan.spikes, dtype=options["dtype"], **more)
        return lambda tick: in_threads(runs, tick, threads)
    from neurodyn.backends.torch import TorchBatch

    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:  # what advances together has one structure, one step, and is at one step
        groups.setdefault((run.network.program.hash, run.dt, run.first_step), []).append(run)
    batches = []
    for group in groups.values():
        batch = TorchBatch(
            [run.network for run in group],
            samples=[run.plan.samples for run in group],
            spikes=group[0].plan.spikes,
            dtype=options["dtype"],
            device=options["device"],
        )
        for run, engine in zip(group, batch.engines, strict=True):
            run.engine = engine
        batches.append((group, batch))

    def serve(tick: Tick) -> None:
        for group, batch in batches:
            together(group, batch, tick)

    return serve
