"""How points are packed into tasks, and what the tasks ask for."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from neurodyn.scan import RunOptions, ScanError
from neurodyn.scan.executors.slurm import _spread
from neurodyn.scan.executors.slurm_script import checked, margin, needs, script
from neurodyn.scan.executors.submissions import Submission, submissions
from neurodyn.scan.folder import Folder, Header
from neurodyn.scan.measured import Measured
from neurodyn.scan.points import Point


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    header = Header("0123abcd", "/home/me/my model.py", "model", "/home/me", {}, {}, {}, "2026-01-01")
    return Folder.create(tmp_path / "my scan", header)


def text(folder: Folder, **options: Any) -> str:
    asked = RunOptions(on="slurm", **options)
    submission = Submission.create(folder, [[Point("ab", {})]], {})
    return script(submission, asked, needs(1, asked, None))


@pytest.mark.parametrize(
    ("count", "options", "tasks"),
    [
        (600, {"point_time": "10 min"}, 200),  # three in half an hour
        (601, {"point_time": "10 min"}, 201),
        (600, {"point_time": "10 min", "workers": 2}, 100),
        (600, {"point_time": "10 min", "task_time": "2 h"}, 50),
        (600, {"point_time": "10 ms"}, 1),
        (5, {"point_time": "3 h"}, 5),  # longer than a task should take
        (600, {}, 100),  # nothing is known
        (7, {}, 7),
        (7, {"workers": 2}, 4),
    ],
)
def test_tasks_take_about_as_long_as_they_should(count: int, options: dict[str, Any], tasks: int) -> None:
    assert needs(count, RunOptions(on="slurm", **options), None).tasks == tasks


def test_what_was_measured_counts_more_than_what_was_said() -> None:
    options = RunOptions(on="slurm", point_time="1 s")
    known = Measured(count=3, seconds=600.0, longest=3600.0, peak=4 * 10**9, disk=1.0, mean=600.0)
    needed = needs(600, options, known)
    assert needed.tasks == 200 and needed.wall == 7200 and 6 * 10**9 < needed.memory < 7 * 10**9
    limited = needs(600, RunOptions(on="slurm", memory_limit="1 GB", workers=3, threads=2), known)
    assert 3 * 10**9 < limited.memory < 4 * 10**9 and limited.cpus == 6


@pytest.mark.parametrize(
    ("options", "wall"),
    [
        ({}, 3600),
        ({"wall_time": "90 min"}, 5400),
        ({"wall_time": "61 s"}, 300),  # shorter, and Slurm's signal may come at the start
        ({"wall_time": "301 s"}, 360),  # limits are whole minutes
        ({"point_time": "3 h"}, 6 * 3600),
        ({"time_limit": "2 h"}, 4 * 3600),
    ],
)
def test_the_limit_of_time(options: dict[str, Any], wall: int) -> None:
    needed = needs(10, RunOptions(on="slurm", **options), None)
    assert needed.wall == wall and needed.margin == margin(wall) <= min(120, wall / 6)


def test_points_that_are_alike_do_not_come_together() -> None:
    """An axis of ten values and a hundred tasks: dealt out in turn, each task would see one value only."""
    points = [Point(f"{number}", {"gain": number % 10}) for number in range(1000)]
    tasks = _spread(points, 100)
    assert sorted(point.key for task in tasks for point in task) == sorted(point.key for point in points)
    assert {len(task) for task in tasks} == {10}
    assert all(set(Counter(point.values["gain"] for point in task).values()) == {1} for task in tasks)
    assert [len(task) for task in _spread(points[:7], 3)] == [3, 2, 2]


def test_directives(folder: Folder) -> None:
    ours = text(folder)
    for line in ("--job-name=nd-0123abcd-0001", "--time=60", "--signal=B:USR1@120", "--requeue", "--mem=2648M"):
        assert f"#SBATCH {line}\n" in ours
    assert ours.startswith("#!/bin/bash\n#SBATCH ")
    theirs = {
        "partition": "gpu",
        "exclusive": True,
        "mem-per-cpu": "4G",
        "requeue": False,
        "A": "lab",
        "open-mode": "false",
    }
    changed = text(folder, directives=theirs, setup=["module load python", "source env/bin/activate"])
    lines = changed.splitlines()
    assert {"#SBATCH --partition=gpu", "#SBATCH --exclusive", "#SBATCH --mem-per-cpu=4G", "#SBATCH -A lab"} < set(lines)
    assert not any(word in changed for word in ("--requeue", "--open-mode", "--mem="))
    assert lines.index("source env/bin/activate") == len(lines) - 2 == lines.index("module load python") + 1
    assert lines[-1].startswith(f"exec {sys.executable} -m neurodyn.scan.task '{folder.path}' 2 ")
    assert subprocess.run(["bash", "-n"], input=changed, encoding="utf-8").returncode == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time": "10:00"}, "'time' is set by the scan; give wall_time"),
        ({"signal": "USR2@10"}, "'signal' is set by the scan; give wall_time and grace"),
        ({"job-name": "mine"}, "'job-name' is set by the scan$"),
        ({"array": "0-3"}, "only how many tasks run at a time can be given, as '%20'"),
        ({"partition": "a\nrm -r x"}, "can't be written as #SBATCH --name=value"),
        ({"--partition": "a"}, "can't be written"),
    ],
)
def test_directives_that_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ScanError, match=said):
        checked(given)
    assert checked({"array": "%20"}) == {"array": "%20"}


def test_submissions_are_numbered_and_hold_their_points(folder: Folder) -> None:
    points = [Point(f"{number:02d}", {"a": number}, None) for number in range(5)]
    first = Submission.create(folder, [points[:3], points[3:]], {"wall": 300})
    second = Submission.create(folder, [points], {"wall": 300})
    assert [first.number, second.number] == [1, 2] and first.plan == {"tasks": 2, "points": 5, "wall": 300}
    assert first.points(1) == points[3:] and list(second.tasks()) == [points]
    with pytest.raises(ScanError, match="has no task 2"):
        first.points(2)
    second.remove()
    assert [submission.number for submission in submissions(folder)] == [1]
