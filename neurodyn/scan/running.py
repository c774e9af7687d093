"""A point while it runs, or several that run as one, and what it may use."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from neurodyn.scan.ending import End, too_large, too_long
from neurodyn.scan.link import resident, send
from neurodyn.scan.points import Point

_MOST_PRINTED = 100_000_000  # bytes of output that a running point may have on disk


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
class Running:
    """A process of a point, or of the points of a `batch`, of which `point` is the first."""

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
        """All points that run in it."""
        return self.batch or (self.point,)

    def kill(self, end: End) -> None:
        """End it, for a reason."""
        self.end, self.killed = end, time.monotonic()
        send(self.pid, signal.SIGKILL)

    def watch(self, limits: Limits, now: float) -> None:
        """End it if it takes too long or too much."""
        if self.killed is not None:
            if now - self.killed > 1.0:  # it may have had children that it had not had then
                send(self.pid, signal.SIGKILL)
            return
        if limits.memory is not None:
            self.peak = max(self.peak, resident(self.pid))
            if self.peak > limits.memory * len(self.points):
                self.kill(too_large(self.peak, limits.memory))
        if limits.time is not None and now - self.started > limits.time * len(self.points):
            self.kill(too_long(limits.time))

    def stop(self, why: str, *, overdue: bool) -> None:
        """Tell it to stop, or end it if it was told to and is overdue."""
        if self.end is None:
            self.end = End("stopped", why)
            send(self.pid, signal.SIGTERM)
        elif overdue and self.killed is None:
            self.kill(End("stopped", why))

    def prune(self) -> None:
        """Cut what it has printed when that gets long: nobody reads it, and the disk is for recordings."""
        with contextlib.suppress(OSError):
            if (self.work / "log").stat().st_size > _MOST_PRINTED:
                os.truncate(self.work / "log", 0)  # it appends, and so goes on at the beginning
