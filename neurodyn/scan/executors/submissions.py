"""What was handed to a cluster: which points stand in which task, and how they are to be run.

::

    submissions/0001/plan.json      how many tasks and points, the options, the limit of time
    submissions/0001/tasks.jsonl    the points of each task, one task a line
    submissions/0001/array.sh       the script that was submitted
    submissions/0001/job            its number, once it has one
    submissions/0001/12_3.out       what task 3 of job 12 printed
    submissions/0001/3.trouble      why task 3 could not run anything
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder, read_json, write_json
from neurodyn.scan.points import Point


class Submission:
    """One array of tasks."""

    def __init__(self, folder: Folder, number: int) -> None:
        self.folder, self.number = folder, number
        self.path = folder.path / "submissions" / f"{number:04d}"

    @staticmethod
    def create(folder: Folder, tasks: Sequence[Sequence[Point]], plan: Mapping[str, Any]) -> Submission:
        """Write down a new one; nothing is submitted by that."""
        for number in itertools.count(1 + max((s.number for s in submissions(folder)), default=0)):
            submission = Submission(folder, number)
            try:
                submission.path.mkdir()
            except FileExistsError:  # another process was quicker
                continue
            break
        with open(submission.path / "tasks.jsonl", "w", encoding="utf-8") as file:
            for points in tasks:
                file.write(json.dumps([[p.key, p.values, p.repetition] for p in points]) + "\n")
        counts = {"tasks": len(tasks), "points": sum(map(len, tasks))}
        write_json(submission.path / "plan.json", {**counts, **plan})
        return submission

    def __str__(self) -> str:
        return f"job {self.job}" if self.job else f"submission {self.number}"

    @property
    def name(self) -> str:
        """What the job is called: found in the queue by that even if its number was never written down."""
        return f"{job_prefix(self.folder)}{self.number:04d}"

    @property
    def plan(self) -> dict[str, Any]:
        """What it was made with."""
        return read_json(self.path / "plan.json")

    @property
    def job(self) -> str | None:
        """The number of the job; None if it never came to that, as far as is known."""
        try:
            return (self.path / "job").read_text(encoding="ascii").strip() or None
        except OSError:
            return None

    def tasks(self) -> Iterator[list[Point]]:
        """The points of each task."""
        with open(self.path / "tasks.jsonl", encoding="utf-8") as file:
            for line in file:
                yield [Point(*entry) for entry in json.loads(line)]

    def points(self, task: int) -> list[Point]:
        """The points of one task, or `ScanError`."""
        with open(self.path / "tasks.jsonl", encoding="utf-8") as file:
            line = next(itertools.islice(file, task, None), None)
        if line is None:
            raise ScanError(f"{self.path} has no task {task}")
        return [Point(*entry) for entry in json.loads(line)]

    def trouble(self, task: int) -> Path:
        """Where it stands why a task could not run anything."""
        return self.path / f"{task}.trouble"

    def troubles(self) -> dict[int, str]:
        """Why tasks could not run anything: number -> message."""
        found = ((int(path.stem), path) for path in self.path.glob("[0-9]*.trouble"))
        return {task: path.read_text(encoding="utf-8").strip() for task, path in sorted(found)}

    def remove(self) -> None:
        """As if it had not been made."""
        shutil.rmtree(self.path, ignore_errors=True)


def job_prefix(folder: Folder) -> str:
    """What the names of all jobs of a scan begin with."""
    return f"nd-{folder.header.id}-"


def submissions(folder: Folder) -> list[Submission]:
    """All that there are, in order."""
    return [Submission(folder, int(path.name)) for path in sorted((folder.path / "submissions").glob("[0-9]*"))]
