"""A worker: runs points of a scan in fresh processes, a few at a time, until they are done or it has to stop."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neurodyn.scan.amounts import show_seconds
from neurodyn.scan.batch import Queue, Sizes
from neurodyn.scan.ending import End, disk_is_full, judge, left_word, settle
from neurodyn.scan.errors import ScanError, in_words
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import Journal
from neurodyn.scan.link import Link, ServerLost, ended_for_memory, send
from neurodyn.scan.points import Point
from neurodyn.scan.registry import BEAT_S, Registry
from neurodyn.scan.running import Limits, Running
from neurodyn.scan.signals import STOPS, heard
from neurodyn.scan.source import source_files, source_hash

_LOOK_S = 0.05  # how often the memory of points is looked at
_WAIT_S = 0.25
_LOSSES = 3  # servers that may end on their own, one after the other, before any point has begun
_POINT_LOSSES = 2  # servers that may end while the same point runs
_IMPORT_S = 900.0  # for a script to be imported; a cold file system of a cluster takes minutes


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
    _stopped: float = field(default=0.0, init=False)

    def run(self, points: Sequence[Point]) -> Counter[str]:
        """Run the points that are not done and that nobody else runs; returns how many ended how."""
        with in_words(self.folder.path):
            self._run(points)
        return self.counts

    def _run(self, points: Sequence[Point]) -> None:
        started = time.monotonic()
        self._until = None if self.deadline is None else started + self.deadline
        self._running = dict[str, Running]()
        self._free, self._losses, self._times = list(range(self.slots))[::-1], 0, list[float]()
        self._free_since: dict[int, float] = {}
        self._lives, self._suspects, self._full = Counter[str](), deque[Point](), None
        self._registry, self._held = Registry(self.folder), set[str]()
        self._memory_ends = ended_for_memory()
        header = self.folder.header
        self._source = source_hash(source_files(Path(header.script)))
        about = {"executor": self.executor, "slots": self.slots, "job": self.job, "submission": self.submission}
        self._member = self._registry.enter(**about, source=self._source)
        self._journal = Journal(self.folder, self._member.name)
        # points that an earlier worker began
        self._left = {path.name.partition(".")[0] for path in (self.folder.path / "work").iterdir() if path.is_dir()}
        sizes = Sizes(self.batch, slots=self.slots, memory=self.limits.memory)
        self._queue = Queue(points, self.folder.config, sizes, alone=self._left)
        self._scratch = Path(tempfile.mkdtemp(prefix="neurodyn-scan-"))
        self._link: Link | None = None
        try:
            with heard(self.stop):
                self._loop()
        finally:
            if self._link is not None:
                # without children it may be loading things for more of them, which nobody needs now
                self._link.close(10.0 if self._running else _WAIT_S)
            with contextlib.suppress(OSError):  # of what went wrong, tell the first
                for key in set(self._held):
                    self._release(key)
                self._journal.close()
                self._registry.leave(self._member, "; ".join(filter(None, (self.why or "no points left", sizes.note))))
            shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def note(self) -> str:
        """What came of batches, in a sentence; "" where nothing was to be decided."""
        return self._queue.sizes.note

    def stop(self, why: str) -> None:
        """Start no more points and have the running ones stop; a second call ends them at once."""
        if self.why is not None:
            self.limits = replace(self.limits, grace=0.0)
        else:
            self.why, self._stopped = why, time.monotonic()

    def _loop(self) -> None:
        beat, look = 0.0, 0.0
        while True:
            now = time.monotonic()
            if now - beat > BEAT_S:
                self._registry.beat(self._member)
                self._registry.forget()
                for running in self._running.values():
                    running.prune()
                beat = now
            if self._until is not None and now > self._until and self.why is None:
                self.stop("its time was up")
            self._fill()
            if not self._running and (self.why or self._full or not (self._queue or self._suspects)):
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
                running = self._running[message["started"]]
                running.pid, running.started = message["pid"], time.monotonic()
            elif "ended" in message:
                self._ended(message)

    def _fill(self) -> None:
        """Start points while there are free slots."""
        while self._free and (self._queue or self._suspects) and not (self.why or self._full):
            if self._running and (self._suspects or any(self._lives[r.point.key] for r in self._running.values())):
                return  # one of them has taken a server with it; each runs alone, to find out which
            if self._until is not None and self._times:
                typical = sorted(self._times)[len(self._times) // 2]
                left = self._until - time.monotonic()
                if typical > left:  # those that run may still come to their end
                    left = max(left, 0.0)
                    self._full = f"a point takes {show_seconds(typical)}, and only {show_seconds(left)} were left"
                    return
            if self._suspects:
                points = list(filter(self._claimed, [self._suspects.popleft()]))
            else:
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
        self._held.add(point.key)
        if recording.exists():  # the one who ran it was just finishing
            self._release(point.key)
            self.counts["there"] += 1
            return False
        return True

    def _release(self, key: str) -> None:
        self._registry.release(key, self._member)
        self._held.discard(key)

    def _connect(self) -> None:
        header = self.folder.header
        log = self.folder.path / "logs" / f"{self._member.name}.server"
        target = f"{header.script}:{header.simulation}"
        self._source = source_hash(source_files(Path(header.script)))  # this server may be a later one
        self._link = Link(target, header.folder, scratch=self._scratch, threads=self.limits.threads, log=log)

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
            self._settle(Running(point, work, -1, time.monotonic()), word, {})
            return
        work.mkdir(exist_ok=True)
        for name in ("end.json", "log"):
            if there:
                (work / name).unlink(missing_ok=True)
        running = Running(point, work, self._free.pop(), time.monotonic())
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
        running = Running(points[0], works[0], self._free.pop(), time.monotonic(), batch=tuple(points))
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
        assert self._link is not None
        if not self._link.ready:
            if self.why is not None:
                self._abandon(End("stopped", self.why))
            elif now - self._link.began > _IMPORT_S:
                script = self.folder.header.script
                raise ScanError(
                    f"importing {script} has not ended after {show_seconds(_IMPORT_S)}; see {self._link.log}"
                )
        for running in self._running.values():
            if running.pid:
                running.watch(self.limits, now)
                if self.why is not None:
                    running.stop(self.why, overdue=now - self._stopped > self.limits.grace)

    def _abandon(self, end: End) -> None:
        """Let go of points that have not begun."""
        for point in (point for running in self._running.values() for point in running.points):
            work = self.folder.work(point.key, self._source)
            self._settle(Running(point, work, -1, 0.0), end, {})
            with contextlib.suppress(OSError):  # there is something to go on from
                work.rmdir()
        self._running.clear()

    def _ended(self, message: dict[str, Any]) -> None:
        running, ended = self._running.pop(message["ended"]), time.monotonic()
        self._free.append(running.slot)
        self._losses = 0
        since, self._free_since[running.slot] = self._free_since.get(running.slot, running.started), ended
        if os.WIFSIGNALED(message["status"]) and os.WTERMSIG(message["status"]) in STOPS:
            if self.why is None:  # who ends a job ends its points too, and our own signal may be a moment behind
                time.sleep(_WAIT_S)
            if self.why is not None and running.end is None:
                running.end = End("stopped", self.why)
        peak, took = max(message["peak"], running.peak), ended - running.started
        if running.batch:
            done = self._ended_batch(running, message["cpu"], took, peak)
            self._queue.sizes.ended(len(running.batch), done, ended - since, peak)
            return
        end = judge(running.work, message["status"], peak=peak, out_of_memory=self._memory_was_short(message["status"]))
        if running.end is not None and end.kind not in ("done", "raised"):
            end = running.end
        elif end.failed and disk_is_full(self.folder.path, end):
            self.stop(f"the disk that holds {self.folder.path} is full; make room and run the scan again")
            end = End("stopped", self.why or "")
        if end.kind == "done":
            self._times.append(took)
        self._queue.sizes.ended(1, int(end.kind == "done"), ended - since, peak)
        self._settle(running, end, {"seconds": took, "cpu": message["cpu"], "peak": peak})
        shutil.rmtree(self._scratch / running.point.key, ignore_errors=True)

    def _memory_was_short(self, status: int) -> bool:
        """Whether the system has ended a process for lack of memory since it was last asked."""
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            return False
        before, self._memory_ends = self._memory_ends, ended_for_memory()
        return self._memory_ends > before

    def _ended_batch(self, running: Running, cpu: float, took: float, peak: int) -> int:
        """Settle the points that came to their end, and count them; the others did not fail, but run again, singly."""
        count, done = len(running.batch), 0
        for point in running.batch:
            work = self.folder.work(point.key, self._source)
            word = left_word(work)
            if word is None and self.why is not None:
                word = End("stopped", self.why)
            if word is not None:
                done += word.kind == "done"
                usage = {"seconds": took / count, "cpu": cpu / count, "peak": peak, "batch": count}
                self._settle(Running(point, work, -1, running.started), word, usage)
            else:
                self._journal.keep(f"{point}, in a batch; runs again", work / "log")
                shutil.rmtree(work, ignore_errors=True)
                self._release(point.key)
                self._queue.again(point)
            shutil.rmtree(self._scratch / point.key, ignore_errors=True)
        if done == count:
            self._times.append(took)
        return done

    def _settle(self, running: Running, end: End, usage: dict[str, Any]) -> None:
        end = settle(self.folder, self._journal, running.point, running.work, end, source=self._source, usage=usage)
        self._release(running.point.key)
        self.counts["failed" if end.failed else end.kind] += 1
        self.report(running.point, end)

    def _lost(self) -> None:
        """The server has ended: its points begin again, on a new one, one at a time."""
        assert self._link is not None
        self._link.kill()
        for running in self._running.values():
            if running.pid:  # the system has ended it with the server, but not what it had started
                send(running.pid, signal.SIGKILL)
        with contextlib.suppress(ServerLost):
            while True:  # what it said last; it may have said why
                self._listen(_WAIT_S)
        ending, log = self._link.close(), self._link.log
        self._link = None
        lost, self._running = self._running, {}
        self._losses = 0 if any(running.pid for running in lost.values()) else self._losses + 1
        self._free = list(range(self.slots))[::-1]
        for running in lost.values():
            for point in running.points:
                self._left.add(point.key)
                self._lives[point.key] += bool(running.pid)
                if self._lives[point.key] >= _POINT_LOSSES:
                    end = End("lost", f"the process that starts points {ending}, twice, while it ran")
                    self._settle(Running(point, self.folder.work(point.key, self._source), -1, 0.0), end, {})
                    continue
                self._release(point.key)
                if running.pid:
                    self._suspects.append(point)
                else:
                    self._queue.again(point)
        if self._losses >= _LOSSES:
            raise ScanError(
                f"the process that imports {self.folder.header.script} {ending}, {_LOSSES} times; see {log}"
            )
