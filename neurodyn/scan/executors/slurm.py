"""Points on Slurm: an array of tasks, each with as many points as fill its time.

A task is a worker like any other; nothing has to stay on the login node, and nothing is asked of Slurm's accounting. What
Slurm says is used for two things: points that wait in the queue are not submitted again, and `status` shows the queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from neurodyn.scan.amounts import seconds, show_bytes, show_seconds
from neurodyn.scan.errors import ScanError
from neurodyn.scan.executors.slurm_commands import Full, Refused, Unsure, array_size, queued, submit
from neurodyn.scan.executors.slurm_queue import held, queue, troubles
from neurodyn.scan.executors.slurm_script import Needs, checked, needs, script
from neurodyn.scan.executors.submissions import Submission
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries
from neurodyn.scan.measured import measured
from neurodyn.scan.options import Report, RunOptions
from neurodyn.scan.points import Point

__all__ = ["queue", "run", "troubles"]


def run(folder: Folder, points: Sequence[Point], options: RunOptions, report: Report) -> str:
    """Submit `points` as arrays of tasks, except those that wait in the queue or run; returns at once.

    Raises
    ------
    ScanError
        Nothing was submitted: with the words of sbatch, and what is wrong with the options.
    """
    checked(options.directives)
    said, taken = [], held(folder)
    if busy := Counter(taken[point.key] for point in points if point.key in taken):
        where = ", ".join(f"{count} in {place}" for place, count in busy.items())
        said.append(f"not submitted again, because they wait or run already: {where}")
        points = [point for point in points if point.key not in taken]
    if points:
        said = [*_submit(folder, points, options), *said]
    return "\n".join(said)


def _submit(folder: Folder, points: Sequence[Point], options: RunOptions) -> list[str]:
    known = measured(entries(folder))
    needed = needs(len(points), options, known)
    tasks = _spread(points, needed.tasks)
    said: list[str] = []
    most, first = array_size(), None
    while tasks:
        try:
            submission = _submit_array(folder, tasks[:most], options, needed, first)
        except Full as error:
            most = min(most, len(tasks)) // 2
            if most:
                continue
            if not said:
                raise
            left = f"{sum(map(len, tasks))} points are left: the site takes no more jobs of yours now ({error}); "
            return [*said, f"{left}run the scan again when some have ended, or give a longer task_time"]
        except ScanError as error:
            if not said:
                raise
            return [*said, f"{sum(map(len, tasks))} points are left: {error}"]
        first = first or submission.number
        said.append(_line(submission, tasks[:most], needed))
        tasks = tasks[most:]
    return [*said, *_remarks(options, needed)]


def _spread(points: Sequence[Point], count: int) -> list[list[Point]]:
    """Deal points out to tasks, so that what is slow in one region of the grid does not come together in one task."""
    tasks: list[list[Point]] = [[] for _ in range(count)]
    for number, point in enumerate(points):
        # each round begins with the next task: else one would get all points of a value whose axis divides their number
        tasks[(number + number // count) % count].append(point)
    return sorted(tasks, key=len, reverse=True)


def _submit_array(
    folder: Folder, tasks: Sequence[Sequence[Point]], options: RunOptions, needed: Needs, first: int | None
) -> Submission:
    """Everything a task needs stands in the folder before sbatch is called."""
    submission = Submission.create(folder, tasks, {"wall": needed.wall, "first": first, "options": options.to_json()})
    path = submission.path / "array.sh"
    path.write_text(script(submission, options, needed), encoding="utf-8")
    try:
        job = submit(path, f"0-{len(tasks) - 1}{options.directives.get('array', '')}")
    except Unsure:
        # the folder stays, for the job that there may be
        found = queued(submission.name)
        if not found:
            raise
        job = found[0].job
    except Refused:
        submission.remove()
        raise
    (submission.path / "job").write_text(job + "\n", encoding="ascii")
    return submission


def _line(submission: Submission, tasks: Sequence[Sequence[Point]], needed: Needs) -> str:
    per_task = len(tasks[0])
    most = "" if len(tasks[-1]) == per_task else "up to "
    points = f"{len(tasks)} task{'s' * (len(tasks) > 1)} of {most}{per_task} point{'s' * (per_task > 1)}"
    length = "" if needed.point is None else f", about {show_seconds(per_task * needed.point / needed.slots)} each"
    processors = f"{needed.cpus} processor{'s' * (needed.cpus > 1)}"
    asked = f"{processors}, {show_bytes(needed.memory)} and {show_seconds(needed.wall)} for each"
    return f"submitted job {submission.job}: {points}{length}; asked for {asked}"


def _remarks(options: RunOptions, needed: Needs) -> list[str]:
    if needed.point is None:
        target = show_seconds(seconds(options.task_time, "task_time") or 0.0)
        return [
            f"what a point takes is not known; for tasks of {target} give point_time, or run a few points before the rest"
        ]
    if needed.point > needed.wall - needed.margin:
        return [
            f"a point takes about {show_seconds(needed.point)}, and a task stops after "
            f"{show_seconds(needed.wall - needed.margin)}: only simulations that go on from a checkpoint will ever be "
            "complete; give a longer wall_time"
        ]
    return []
