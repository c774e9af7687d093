"""Points on this machine, as many at a time as there are processors."""

from __future__ import annotations

import os
from collections.abc import Sequence

from neurodyn.scan.amounts import show_seconds
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries
from neurodyn.scan.measured import measured
from neurodyn.scan.options import Report, RunOptions
from neurodyn.scan.points import Point
from neurodyn.scan.worker import Worker

_MANY = 200  # points, from which on a hint is worth reading
_TINY_S = 0.1


def run(folder: Folder, points: Sequence[Point], options: RunOptions, report: Report) -> str:
    """Run `points` here, until they are done or this process is told to stop."""
    slots = options.workers or max(1, processors() // options.limits.threads)
    worker = Worker(folder, "local", slots, options.limits, batch=options.batch, report=report)
    worker.run(points)
    stopped = f"stopped: {worker.why}" if worker.why else ""
    return "; ".join(filter(None, (stopped, worker.note or _advice(folder, len(points), options))))


def _advice(folder: Folder, count: int, options: RunOptions) -> str:
    """What would help where starting processes is most of the work; "" elsewhere."""
    known = measured(entries(folder)) if options.batch == 1 and count >= _MANY else None
    if known is None or known.seconds > _TINY_S:
        return ""
    return (
        f"a point takes {show_seconds(known.seconds)}, much of which is the start of its process: where points may share "
        "one, batch = 'auto' (--batch auto) runs several in it"
    )


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
