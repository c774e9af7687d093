"""Points on this machine, as many at a time as there are processors."""

from __future__ import annotations

import os
from collections.abc import Sequence

from neurodyn.scan.folder import Folder
from neurodyn.scan.options import Report, RunOptions
from neurodyn.scan.points import Point
from neurodyn.scan.worker import Worker


def run(folder: Folder, points: Sequence[Point], options: RunOptions, report: Report) -> str:
    """Run `points` here, until they are done or this process is told to stop."""
    slots = options.workers or max(1, processors() // options.limits.threads)
    worker = Worker(folder, "local", slots, options.limits, batch=options.batch, report=report)
    worker.run(points)
    return "; ".join(filter(None, (f"stopped: {worker.why}" if worker.why else "", worker.note)))


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
