"""What waits and runs of a scan, as far as Slurm's queue and the scan's own workers tell."""

from __future__ import annotations

import time
from collections import Counter

from neurodyn.scan.executors.slurm_commands import Queued, Refused, queued
from neurodyn.scan.executors.submissions import Submission, job_prefix, submissions
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries
from neurodyn.scan.registry import LOST_S, Member, Registry

_QUICK_S = 5.0
_CLOCKS_S = 5.0  # by which clocks may differ
_NEVER = "launch failed requeued held"  # a node refused it: Slurm holds it for good
_TOLD = 3  # troubles that are told word by word


def held(folder: Folder) -> dict[str, str]:
    """Points that are not to be submitted, because somebody runs them or a task of ours is yet to do so: key -> where.

    Raises
    ------
    Refused
        squeue does not work.
    """
    registry = Registry(folder)
    found = {key: "other workers" for key, owner in registry.claimed().items() if registry.alive(owner)}
    waiting: dict[str, dict[int, Queued]] = {}
    for task in queued(job_prefix(folder)):
        waiting.setdefault(task.name, {})[task.task] = task
    if not waiting:
        return found
    lives = {(member.submission, member.job): member for member in sorted(registry.members(), key=lambda m: m.started)}
    ended: dict[str, set[str]] = {}
    for entry in entries(folder):
        ended.setdefault(entry["worker"], set()).add(entry["key"])
    for submission in submissions(folder):
        there = waiting.get(submission.name, {})
        for number, points in enumerate(submission.tasks() if there else ()):
            if number in there:
                task = there[number]
                last = lives.get((submission.number, f"{task.job}_{number}"))
                works = last is not None and registry.alive(last.name)
                if works or _to_begin(task, last):
                    gone = ended.get(last.name, set()) if works and last else set()
                    found |= {point.key: f"job {task.job}" for point in points if point.key not in gone}
    return found


def _to_begin(task: Queued, last: Member | None) -> bool:
    """Whether a task without a living worker will have one; `last` is the worker of it that began last."""
    if not task.started:
        return task.reason.replace("_", " ") != _NEVER
    if task.state == "COMPLETING" or (last is not None and last.started > time.time() - task.seconds - _CLOCKS_S):
        return False
    # later, it is a ghost: a controller that was killed and begins again may take for running what has ended
    return task.seconds < LOST_S


def queue(folder: Folder) -> list[str]:
    """What the queue holds of this scan, a line for each job; empty, and soon, where Slurm does not answer."""
    try:
        tasks = queued(job_prefix(folder), timeout=_QUICK_S)
    except Refused:
        return []
    jobs: dict[str, Counter[str]] = {}
    for task in tasks:
        what = task.state.lower() if task.started or task.reason == "None" else f"{task.state.lower()} ({task.reason})"
        jobs.setdefault(task.job, Counter())[what] += 1
    return [
        f"job {job}: {', '.join(_tasks(count, what) for what, count in counts.items())}" for job, counts in jobs.items()
    ]


def _tasks(count: int, what: str) -> str:
    return f"{count} task{'s' * (count > 1)} {what}"


def troubles(folder: Folder) -> list[str]:
    """Why tasks of the last run did nothing: they could not run any point, or left the queue without having started."""
    said = []
    for submission in _latest(folder):
        words = submission.troubles()
        for word, count in Counter(words.values()).most_common(_TOLD):
            said.append(f"{submission}: {_tasks(count, 'could not run anything')}: {word}")
        started = {member.job for member in Registry(folder).members() if member.submission == submission.number}
        job, plan = submission.job, submission.plan
        rest = {task for task in range(plan["tasks"]) if task not in words and f"{job}_{task}" not in started}
        if job is None or not rest:
            continue
        try:
            rest -= {task.task for task in queued(submission.name, timeout=_QUICK_S)}
        except Refused:
            continue
        if rest:
            said.append(
                f"{submission}: {_tasks(len(rest), 'gone from the queue that never began')}: cancelled, forgotten by "
                f"Slurm, or see {submission.path / f'{job}_{min(rest)}.out'} (none? the nodes may not see this folder)"
            )
    return said


def _latest(folder: Folder) -> list[Submission]:
    """The submissions of the last run."""
    every = [submission for submission in submissions(folder) if (submission.path / "plan.json").is_file()]
    if not every:
        return []
    first = every[-1].plan["first"] or every[-1].number
    return [submission for submission in every if submission.number >= first]
