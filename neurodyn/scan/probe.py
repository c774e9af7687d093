"""A dry run: what a scan would take, from one of its points, run and thrown away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurodyn.scan.amounts import show_bytes, show_seconds
from neurodyn.scan.ending import End
from neurodyn.scan.errors import ScanError
from neurodyn.scan.executors.local import processors
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries
from neurodyn.scan.measured import Measured
from neurodyn.scan.options import RunOptions
from neurodyn.scan.points import Point
from neurodyn.scan.worker import Worker

_SHOWN = 3  # points at either end of the list
_QUICK_S = 10.0


@dataclass(frozen=True)
class DryRun:
    """What a scan would take, by :meth:`neurodyn.Scan.dry_run`.

    Parameters
    ----------
    points : sequence of Point
        Those that would run, in their order.
    probed : Point
        The one that did.
    end : End
        How it ended.
    seconds : float
        What it took.
    peak, disk : int
        Its memory and what it left, in bytes.
    options : RunOptions
        How the points would run.
    """

    points: Sequence[Point]
    probed: Point
    end: End
    seconds: float
    peak: int
    disk: int
    options: RunOptions

    def __bool__(self) -> bool:
        """Whether the probed point came to its end."""
        return self.end.kind == "done"

    @property
    def total_seconds(self) -> float:
        """The time of all points, one after the other."""
        return self.seconds * len(self.points)

    @property
    def total_disk(self) -> int:
        """What all points would leave, in bytes."""
        return self.disk * len(self.points)

    def __str__(self) -> str:
        return "\n".join([f"{len(self.points)} points", *self._list(), "", *self._told()])

    def _list(self) -> list[str]:
        if len(self.points) <= 2 * _SHOWN + 1:
            return [f"  {point}" for point in self.points]
        ends = [f"  {point}" for point in (*self.points[:_SHOWN], *self.points[-_SHOWN:])]
        return [*ends[:_SHOWN], f"  ... {len(self.points) - 2 * _SHOWN} more", *ends[_SHOWN:]]

    def _told(self) -> list[str]:
        what = f"one of them, {self.probed},"
        if not self:
            trace = (self.end.about or {}).get("traceback", "").rstrip().splitlines()
            return [f"{what} was tried and did not come to its end: {self.end.message}", *trace]
        took = f"{show_seconds(self.seconds)}, {show_bytes(self.peak)} of memory and {show_bytes(self.disk)} of disk"
        return [f"{what} was run for this: {took}", f"all: {self._how()}, {show_bytes(self.total_disk)} of disk"]

    def _how(self) -> str:
        total, options = show_seconds(self.total_seconds), self.options
        if options.on == "slurm":
            return f"{total} of work; {self._tasks()}"
        here = options.on == "local" or options.scheduler is None  # a Dask cluster that is made for the run
        slots = options.workers or (max(1, processors() // options.threads) if here else None)
        if slots is None:
            return f"{total} of work on one worker, divided by as many as the cluster has"
        at_a_time = min(slots, len(self.points))
        memory = show_bytes(self.peak * at_a_time)
        # a scan takes at least what its longest series of points takes
        rounds = -(-len(self.points) // at_a_time)
        return f"about {show_seconds(self.seconds * rounds)} with {at_a_time} at a time, {memory} of memory"

    def _tasks(self) -> str:
        """What would be submitted."""
        from neurodyn.scan.executors.slurm_script import checked, needs

        known = Measured(1, self.seconds, self.seconds, self.peak, self.disk, self.seconds)
        asked = needs(len(self.points), self.options, known)
        each = -(-len(self.points) // asked.tasks)
        length = show_seconds(each * asked.point / asked.slots) if asked.point else "an unknown time"
        theirs = [
            name if value is True else f"{name}={value}" for name, value in checked(self.options.directives).items()
        ]
        said = f"{asked.tasks} task{'s' * (asked.tasks > 1)} of up to {each} point{'s' * (each > 1)}, about {length}"
        cpus = f"{asked.cpus} processor{'s' * (asked.cpus > 1)}"
        resources = [cpus, show_bytes(asked.memory), f"a limit of {show_seconds(asked.wall)}", *theirs]
        return f"{said}, each with {', '.join(resources)}"


def probe(folder: Folder, points: Sequence[Point], options: RunOptions) -> DryRun:
    """Run the middle one of some points, and if that is quick, the one after it, in a temporary folder that is removed.

    Raises
    ------
    ScanError
        There is no point, or the script can't be imported.
    """
    if not points:
        raise ScanError("no point would run: there is nothing to try")
    middle = len(points) // 2
    tried = points[middle : middle + 2]
    place = Path(tempfile.mkdtemp(prefix="neurodyn-dry-run-"))
    try:
        trial = Folder.create(place / "scan", folder.header)
        trial.add_plan(folder.plan, iter(tried), asked={})
        ends: list[tuple[Point, End]] = []

        def report(point: Point, end: End) -> None:
            ends.append((point, end))
            if end.failed or (end.about or {}).get("seconds", 0.0) > _QUICK_S:
                worker.stop("one is enough")

        worker = Worker(trial, "local", 1, options.limits, report=report)
        worker.run(tried)
        ends = [(point, end) for point, end in ends if end.kind != "stopped"]
        if not ends:
            raise ScanError("the dry run was stopped before its point had ended")
        # of two, the second: it did not have to load what all have in common
        point, end = next((one for one in ends[::-1] if one[1].kind == "done"), ends[0])
        noted = {entry["key"]: entry for entry in entries(trial)}
        # what the point says leaves out the import of the script, which a scan pays once
        seconds = (end.about or {}).get("seconds", noted[point.key]["seconds"])
        peak = max(entry.get("peak", 0) for entry in noted.values())
        disk = sum(file.stat().st_size for file in (trial.path / "points").glob(f"*/{point.key}*"))
        return DryRun(points, point, end, seconds, peak, disk, options)
    finally:
        shutil.rmtree(place, ignore_errors=True)
