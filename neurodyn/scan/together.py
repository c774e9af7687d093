"""Several points in one process: each runs alone until it simulates, and then they simulate together.

Every point has a thread, but only one of them runs at a time. It runs until it calls :func:`neurodyn.simulate`, and
waits there. When all wait, or have ended, their calls are made as one, each gets its own recording, and they go on in
turn. So no point sees another one, and a batched backend sees them all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodyn.scan.point import run_point, use_scratch, write_end
from neurodyn.scan.surroundings import Output, Surroundings
from neurodyn.simulate import Job, merging, run_jobs

if TYPE_CHECKING:
    from neurodyn.recording import Recording


def run_batch(simulation: Any, orders: Sequence[Mapping[str, Any]], *, threads: int) -> None:
    """Run the points of a batch; those that end well say so in their `end.json`, of the others nothing is known."""

    def call(order: Mapping[str, Any]) -> Callable[[], None]:
        def run() -> None:
            use_scratch(order["scratch"])
            end = run_point(simulation, order["config"], Path(order["work"]) / f"{order['run']}.h5", resume=False)
            if end["kind"] == "done":
                write_end(Path(order["work"]), end)

        return run

    logs = [Path(order["work"]) / "log" for order in orders]
    run_together([call(order) for order in orders], logs, threads=threads)


def run_together(calls: Sequence[Callable[[], Any]], logs: Sequence[Path], *, threads: int) -> None:
    """Run `calls`, which raise nothing, until all have ended; what each prints goes to its own log.

    Parameters
    ----------
    threads : int
        Threads that compute the networks, where the backend has threads.

    Raises
    ------
    BaseException
        What a call that several made together raised. The calls don't go on then, and their threads stay where they
        are: the process has to end.
    """
    before = Surroundings()
    members = [_Member(call, Output(log), before) for call, log in zip(calls, logs, strict=True)]
    for member in members:
        member.go_on()
    while waiting := [member for member in members if member.asked]:
        for group in _alike(waiting):
            jobs = [job for member in group for job in member.asked]
            with group[0].at_work():
                recordings = iter(run_jobs(jobs, False, threads))
            for member in group:
                member.given = [next(recordings) for _ in member.asked]
                member.asked = []
        for member in waiting:
            member.go_on()
    for member in members:
        member.output.close()
    before.restore()


class _Member:
    """A point of a batch: its thread, and the baton that this one and the main thread hand to each other."""

    def __init__(self, call: Callable[[], Any], output: Output, surroundings: Surroundings) -> None:
        self.output, self.surroundings = output, surroundings
        self.asked: list[Job] = []
        self.given: list[Recording] = []
        self.folder = ""  # where it was when it asked
        self._mine, self._back = threading.Semaphore(0), threading.Semaphore(0)
        context = copy_context()
        context.run(merging.set, self._ask)
        # a daemon: after a failed launch nobody lets it go on
        self._thread = threading.Thread(target=context.run, args=(self._live, call), daemon=True)
        self._thread.start()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have what it shares with the other points be as it left it."""
        self.output.use()
        self.surroundings.restore()
        yield
        self.surroundings = Surroundings()

    def go_on(self) -> None:
        """Let it run until it simulates or ends."""
        with self.at_work():
            self._mine.release()
            self._back.acquire()

    def _live(self, call: Callable[[], Any]) -> None:
        self._mine.acquire()
        try:
            call()
        finally:
            self._back.release()

    def _ask(self, jobs: list[Job]) -> list[Recording]:
        if threading.current_thread() is not self._thread:  # one that the simulation has started
            return run_jobs(jobs, False, jobs[0].options["threads"])
        self.asked, self.folder = jobs, os.getcwd()
        self._back.release()
        self._mine.acquire()
        given, self.given = self.given, []
        return given


def _alike(members: Sequence[_Member]) -> list[list[_Member]]:
    """Those whose calls can be one call."""
    groups: dict[Any, list[_Member]] = {}
    for member in members:
        options = member.asked[0].options
        record = [r if isinstance(r, str) else (r.array, repr(r.units), repr(r.every)) for r in options["record"]]
        kind: Any = (options["backend"], options["device"], options["dtype"], repr(record), member.folder)
        if any(source.function is not None for job in member.asked for source in job.circuit.inputs):
            kind = id(member)  # a function may use what all code shares
        groups.setdefault(kind, []).append(member)
    return list(groups.values())
