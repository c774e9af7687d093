"""What a task of a Slurm array runs: ``python -m neurodyn.scan.task DIR SUBMISSION TASK PASSED``.

Arguments are the scan's folder, the number of the submission, that of the task, and the seconds that have passed since the
task began. The exit code is 0 if the task could do its work, even if points failed: their records say so. It is 1 if
nothing can be run, for a reason that then stands beside the submission.
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path

from neurodyn.scan.errors import ScanError
from neurodyn.scan.executors.slurm_script import margin
from neurodyn.scan.executors.submissions import Submission
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries
from neurodyn.scan.options import RunOptions
from neurodyn.scan.points import Point
from neurodyn.scan.registry import Registry
from neurodyn.scan.worker import Worker


def main(arguments: list[str]) -> int:
    """Run the points of a task; returns the exit code."""
    folder, submission, task, passed = Path(arguments[0]), int(arguments[1]), int(arguments[2]), float(arguments[3])
    array = Submission(Folder(folder), submission)
    try:
        run(array, task, passed)
    except Exception as error:
        traceback.print_exc()
        why = f"{error}" if isinstance(error, ScanError) else f"{type(error).__name__}: {error}"
        array.trouble(task).write_text(why, encoding="utf-8")
        return 1
    array.trouble(task).unlink(missing_ok=True)
    return 0


def run(submission: Submission, task: int, passed: float) -> None:
    """Run the points of a task, as far as its time goes."""
    plan = submission.plan
    options = RunOptions(**plan["options"])
    job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{task}"
    last = margin(plan["wall"])
    limits = replace(options.limits, grace=min(options.limits.grace, last / 2))
    worker = Worker(
        submission.folder,
        "slurm",
        options.workers or 1,
        limits,
        job=job,
        submission=submission.number,
        deadline=plan["wall"] - last - passed,
        batch=options.batch,
        report=lambda point, end: print(point, end.kind, end.message, flush=True),
    )
    worker.run(_unsettled(submission, task, job))
    counts = (f"{count} {how}" for how, count in worker.counts.items())
    print("; ".join(filter(None, (*counts, worker.why or "nothing is left", worker.note))))


def _unsettled(submission: Submission, task: int, job: str) -> list[Point]:
    """The points of a task without those that failed already in an earlier life of it, before it was requeued."""
    earlier = {
        member.name
        for member in Registry(submission.folder).members()
        if (member.job, member.submission) == (job, submission.number)
    }
    failed: set[str] = set()
    if earlier:
        failed = {
            entry["key"]
            for entry in entries(submission.folder)
            if entry["worker"] in earlier and entry["state"] not in ("done", "stopped")
        }
    return [point for point in submission.points(task) if point.key not in failed]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
