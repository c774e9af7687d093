"""A worker: runs points of a scan in fresh processes, a few at a time, until they are done or it has to stop."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from neurodyn.scan.amounts import show_seconds
from neurodyn.scan.batch import Queue, Sizes
from neurodyn.scan.ending import End, judge, left_word, settle, too_large, too_long
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import Journal
from neurodyn.scan.link import Link, ServerLost, resident, send
from neurodyn.scan.points import Point
from neurodyn.scan.registry import BEAT_S, Registry
from neurodyn.scan.source import source_files, source_hash

_LOOK_S = 0.05  # how often the memory of points is looked at
_WAIT_S = 0.25
_LOSSES = 3  # servers that may end on their own, one after the other
_POINT_LOSSES = 2  # of them while the same point ran


@contextmanager
def heard(tell: Callable[[str], Any]) -> Iterator[None]:
    """Have signals that ask to stop (Ctrl-C, SIGTERM, Slurm's SIGUSR1) told in words; only the main thread can."""

    def ask(number: int, frame: FrameType | None) -> None:
        tell(f"told to by {signal.Signals(number).name}")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class Limits:
    """What a point may use.

    Parameters
    ----------
    time : float or None
        Seconds; afterwards it is ended, and has failed.
    memory : int or None
        Bytes, of its process and those it starts; with more it is ended, and has failed.
    threads : int
        Threads of libraries (BLAS, OpenMP, numba).
    grace : float
        Seconds that a point has to write a checkpoint when the worker is told to stop.
    """

    time: float | None = None
    memory: int | None = None
    threads: int = 1
    grace: float = 60.0


@dataclass
class _Running:
    point: Point
    work: Path
    slot: int
    started: float
    pid: int = 0
    peak: int = 0
    end: End | None = None
    killed: float | None = None
    batch: tuple[Point, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        return self.batch or (self.point,)


@dataclass
class Worker:
    """Runs points.

    Parameters
    ----------
    folder : Folder
    executor : str
        For whom: "local", "slurm", "dask".
    slots : int
        Points at a time.
    limits : Limits
    job, submission : str, int
        What a cluster calls this worker.
    deadline : float
        Seconds from now after which it stops, leaving the rest pending.
    batch : int or "auto"
        Points that run as one launch, see :class:`neurodyn.scan.RunOptions`.
    report : callable
        Called with a point and its `End` whenever one has ended.
    """

    folder: Folder
    executor: str
    slots: int
    limits: Limits
    job: str | None = None
    submission: int | None = None
    deadline: float | None = None
    batch: int | str = 1
    report: Callable[[Point, End], Any] = lambda point, end: None
    counts: Counter[str] = field(default_factory=Counter)
    why: str | None = None

    def run(self, points: Sequence[Point]) -> Counter[str]:
        """Run the points that are not done and that nobody else runs; returns how many ended how."""
        started = time.monotonic()
        self._until = None if self.deadline is None else started + self.deadline
        self._running = dict[str, _Running]()
        self._free, self._losses, self._times = list(range(self.slots))[::-1], 0, list[float]()
        self._lives, self._full = Counter[str](), None
        self._registry = Registry(self.folder)
        header = self.folder.header
        self._source = source_hash(source_files(Path(header.script)))
        about = {"executor": self.executor, "slots": self.slots, "job": self.job, "submission": self.submission}
        self._member = self._registry.enter(**about, source=self._source)
        self._journal = Journal(self.folder, self._member.name)
        self._left = {path.name.partition(".")[0] for path in (self.folder.path / "work").glob("[0-9a-f]*.*[!m]")}
        sizes = Sizes(self.batch, slots=self.slots, memory=self.limits.memory)
        self._queue = Queue(points, self.folder.config, sizes, alone=self._left)
        self._scratch = Path(tempfile.mkdtemp(prefix="neurodyn-scan-"))
        self._link: Link | None = None
        try:
            with heard(self.stop):
                self._loop()
        finally:
            if self._link is not None:
                self._link.close()
            for point in (point for running in self._running.values() for point in running.points):
                self._registry.release(point.key)
            self._journal.close()
            self._registry.leave(self._member, "; ".join(filter(None, (self.why or "no points left", sizes.note))))
            shutil.rmtree(self._scratch, ignore_errors=True)
        return self.counts

    @property
    def note(self) -> str:
        """What came of batches, in a sentence; "" where nothing was to be decided."""
        return self._queue.sizes.note

    def stop(self, why: str) -> None:
        """Start no more points and have the running ones stop; a second call ends them at once."""
        if self.why is not None:
            self.limits = Limits(self.limits.time, self.limits.memory, self.limits.threads, 0.0)
        self.why = self.why or why
        self._stopped = getattr(self, "_stopped", time.monotonic())

    def _loop(self) -> None:
        beat, look = 0.0, 0.0
        while True:
            now = time.monotonic()
            if now - beat > BEAT_S:
                self._registry.beat(self._member)
                self._registry.forget()
                beat = now
            if self._until is not None and now > self._until and self.why is None:
                self.stop("its time was up")
            self._fill()
            if not self._running and (self.why is not None or self._full is not None or not self._queue):
                self.why = self.why or self._full
                return
            if now - look > _LOOK_S:
                self._watch(now)
                look = now
            try:
                self._listen(_LOOK_S if self.limits.memory or self.why else _WAIT_S)
            except ServerLost:
                self._lost()

    def _listen(self, timeout: float) -> None:
        assert self._link is not None
        for message in self._link.news(timeout):
            if "pid" in message:
                self._running[message["started"]].pid = message["pid"]
            elif "ended" in message:
                self._ended(message)

    def _fill(self) -> None:
        """Start points while there are free slots."""
        while self._free and self._queue and self.why is None and self._full is None:
            if self._until is not None and self._times:
                typical = sorted(self._times)[len(self._times) // 2]
                left = self._until - time.monotonic()
                if typical > left:  # those that run may still come to their end
                    left = max(left, 0.0)
                    self._full = f"a point takes {show_seconds(typical)}, and only {show_seconds(left)} were left"
                    return
            points = self._queue.take(self._claimed)
            if points and self._link is None:
                self._connect()
            if len(points) > 1:
                self._start_batch(points)
            elif points:
                self._start(points[0])

    def _claimed(self, point: Point) -> bool:
        """Whether the point is ours to run now."""
        recording = self.folder.recording(point.key)
        if recording.exists():
            self.counts["there"] += 1
            return False
        if not self._registry.claim(point.key, self._member):
            self.counts["elsewhere"] += 1
            return False
        if recording.exists():  # the one who ran it was just finishing
            self._registry.release(point.key)
            self.counts["there"] += 1
            return False
        return True

    def _connect(self) -> None:
        header = self.folder.header
        log = self.folder.path / "logs" / f"{self._member.name}.server"
        target = f"{header.script}:{header.simulation}"
        self._link = Link(target, header.folder, threads=self.limits.threads, log=log)

    def _start(self, point: Point) -> None:
        assert self._link is not None
        work = self.folder.work(point.key, self._source)
        there = False
        if point.key in self._left:
            for other in (self.folder.path / "work").glob(f"{point.key}.*"):
                if other.is_dir() and other != work:  # begun by another text of the simulation
                    shutil.rmtree(other, ignore_errors=True)
            there = work.is_dir()
        word = left_word(work) if there else None
        if word is not None and word.kind == "done":  # complete, but its worker was killed before it said so
            self._settle(_Running(point, work, -1, time.monotonic()), word, {})
            return
        work.mkdir(exist_ok=True)
        for name in ("end.json", "log"):
            if there:
                (work / name).unlink(missing_ok=True)
        running = _Running(point, work, self._free.pop(), time.monotonic())
        self._running[point.key] = running
        order = self._order(point, work)
        self._send({**order, "cpus": self._cpus(running.slot), "resume": "takeover" if there else False})

    def _order(self, point: Point, work: Path) -> dict[str, Any]:
        scratch = str(self._scratch / point.key)
        return {"run": point.key, "config": self.folder.config(point), "work": str(work), "scratch": scratch}

    def _start_batch(self, points: list[Point]) -> None:
        works = [self.folder.work(point.key, self._source) for point in points]
        for work in works:
            work.mkdir(exist_ok=True)
        running = _Running(points[0], works[0], self._free.pop(), time.monotonic(), batch=tuple(points))
        name = f"{points[0].key}+{len(points) - 1}"
        self._running[name] = running
        orders, cpus = list(map(self._order, points, works)), self._cpus(running.slot)
        self._send({**orders[0], "run": name, "batch": orders, "cpus": cpus, "threads": len(cpus or [0])})

    def _send(self, order: dict[str, Any]) -> None:
        assert self._link is not None
        try:
            self._link.order(order)
        except ServerLost:
            self._lost()

    def _cpus(self, slot: int) -> list[int] | None:
        if not hasattr(os, "sched_getaffinity"):
            return None
        mine = sorted(os.sched_getaffinity(0))
        share = max(1, len(mine) // self.slots)
        first = slot * share % len(mine)
        return mine[first : first + share]

    def _watch(self, now: float) -> None:
        """End points that take too long or too much, and those that don't stop when told to."""
        for running in self._running.values():
            if not running.pid:
                continue
            if running.killed is not None:
                if now - running.killed > 1.0:  # it may have had children that it had not had then
                    send(running.pid, signal.SIGKILL)
                continue
            if self.limits.memory is not None:
                running.peak = max(running.peak, resident(running.pid))
                if running.peak > self.limits.memory * len(running.points):
                    self._kill(running, too_large(running.peak, self.limits.memory))
            if self.limits.time is not None and now - running.started > self.limits.time * len(running.points):
                self._kill(running, too_long(self.limits.time))
            if self.why is not None and running.end is None:
                running.end = End("stopped", self.why)
                send(running.pid, signal.SIGTERM)
            elif self.why is not None and now - self._stopped > self.limits.grace:
                self._kill(running, End("stopped", self.why))

    def _kill(self, running: _Running, end: End) -> None:
        running.end, running.killed = end, time.monotonic()
        send(running.pid, signal.SIGKILL)

    def _ended(self, message: dict[str, Any]) -> None:
        running = self._running.pop(message["ended"])
        self._free.append(running.slot)
        self._losses = 0
        if os.WIFSIGNALED(message["status"]) and os.WTERMSIG(message["status"]) == signal.SIGTERM:
            if self.why is None:  # who ends a job ends its points too, and our own signal may be a moment behind
                time.sleep(_WAIT_S)
            if self.why is not None and running.end is None:
                running.end = End("stopped", self.why)
        peak = max(message["peak"], running.peak)
        if running.batch:
            self._ended_batch(running, message["cpu"], peak)
            return
        end = judge(running.work, message["status"], peak=peak)
        if running.end is not None and end.kind not in ("done", "raised"):
            end = running.end
        took = time.monotonic() - running.started
        if end.kind == "done":
            self._times.append(took)
        self._queue.sizes.ended(1, int(end.kind == "done"), took, peak)
        self._settle(running, end, {"seconds": took, "cpu": message["cpu"], "peak": peak})
        shutil.rmtree(self._scratch / running.point.key, ignore_errors=True)

    def _ended_batch(self, running: _Running, cpu: float, peak: int) -> None:
        """Settle the points that came to their end; the others did not fail, but run again, singly."""
        took, count, done = time.monotonic() - running.started, len(running.batch), 0
        for point in running.batch:
            work = self.folder.work(point.key, self._source)
            word = left_word(work)
            if word is None and self.why is not None:
                word = End("stopped", self.why)
            if word is not None:
                done += word.kind == "done"
                usage = {"seconds": took / count, "cpu": cpu / count, "peak": peak, "batch": count}
                self._settle(_Running(point, work, -1, running.started), word, usage)
            else:
                self._journal.keep(f"{point}, in a batch; runs again", work / "log")
                shutil.rmtree(work, ignore_errors=True)
                self._registry.release(point.key)
                self._queue.again(point)
            shutil.rmtree(self._scratch / point.key, ignore_errors=True)
        if done == count:
            self._times.append(took)
        self._queue.sizes.ended(count, done, took, peak)

    def _settle(self, running: _Running, end: End, usage: dict[str, Any]) -> None:
        end = settle(self.folder, self._journal, running.point, running.work, end, source=self._source, usage=usage)
        self._registry.release(running.point.key)
        self.counts["failed" if end.failed else end.kind] += 1
        self.report(running.point, end)

    def _lost(self) -> None:
        """The server has ended: its points begin again, on a new one."""
        assert self._link is not None
        for running in self._running.values():
            if running.pid:
                send(running.pid, signal.SIGKILL)
        self._link.close()
        self._link = None
        self._losses += 1
        if self._losses >= _LOSSES:
            raise ScanError(
                f"the process that starts points has ended {_LOSSES} times; see "
                f"{self.folder.path / 'logs' / self._member.name}.server"
            )
        lost, self._running = self._running, {}
        self._free = list(range(self.slots))[::-1]
        for running in lost.values():
            for point in running.points:
                self._left.add(point.key)
                self._lives[point.key] += 1
                if self._lives[point.key] >= _POINT_LOSSES:
                    end = End("lost", "the process that starts points ended, twice, while it ran")
                    self._settle(_Running(point, self.folder.work(point.key, self._source), -1, 0.0), end, {})
                else:
                    self._registry.release(point.key)
                    self._queue.again(point)
