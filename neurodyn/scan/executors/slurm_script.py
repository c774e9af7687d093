"""What the tasks of an array ask for, and the script that they run."""

from __future__ import annotations

import math
import os
import re
import shlex
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neurodyn
from neurodyn.scan.amounts import seconds
from neurodyn.scan.errors import ScanError
from neurodyn.scan.executors.submissions import Submission
from neurodyn.scan.measured import Measured
from neurodyn.scan.options import RunOptions

BLIND_TASKS = 100  # at most, as long as nobody knows what a point takes
_SHORTEST_WALL = 300.0  # a signal ahead of the limit may come a minute early, and limits count in minutes
_OVERHEAD = 600 * 2**20  # bytes of a worker and its server, libraries included
_POINT_MEMORY = 2 * 2**30  # of a point of which nothing is known
_OWN = ("job-name", "time", "signal")
_MEMORY = ("mem", "mem-per-cpu", "mem-per-gpu")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")


@dataclass(frozen=True)
class Needs:
    """What each task of an array is for, and what it asks for.

    Parameters
    ----------
    tasks : int
        How many there are.
    slots, cpus : int
        Points at a time, and processors.
    memory : int
        Bytes.
    wall : float
        Seconds.
    point : float or None
        Seconds that a point takes, as far as known.
    """

    tasks: int
    slots: int
    cpus: int
    memory: int
    wall: float
    point: float | None

    @property
    def margin(self) -> float:
        """Seconds before the limit when a task stops."""
        return margin(self.wall)


def margin(wall: float) -> float:
    """Seconds before a limit when a task stops, so that its points can write checkpoints."""
    return min(120.0, wall / 6)


def needs(count: int, options: RunOptions, known: Measured | None) -> Needs:
    """For `count` points."""
    slots = options.workers or 1
    point = known.mean if known else seconds(options.point_time, "point_time")
    target = seconds(options.task_time, "task_time") or 1800.0
    if point is None:
        tasks = min(BLIND_TASKS, math.ceil(count / slots))
    else:
        tasks = math.ceil(count / (slots * max(1, int(target / point))))
    each = known.peak * 1.5 if known else _POINT_MEMORY
    memory = _OVERHEAD + int(slots * (options.limits.memory or each))
    longest = max(target, point or 0.0, known.longest if known else 0.0, options.limits.time or 0.0)
    wall = seconds(options.wall_time, "wall_time") or 2 * longest
    wall = 60 * math.ceil(max(wall, _SHORTEST_WALL) / 60)
    return Needs(tasks, slots, slots * options.threads, memory, wall, point)


def directives(submission: Submission, options: RunOptions, needed: Needs) -> dict[str, Any]:
    """All of the script: ours, overridden by those of the user."""
    ours: dict[str, Any] = {
        "job-name": submission.name,
        "output": "%A_%a.out",
        "open-mode": "append",  # a task that begins anew keeps what it said before
        "requeue": True,
        "time": f"{needed.wall / 60:.0f}",
        "signal": f"B:USR1@{max(60, round(needed.margin))}",
        "cpus-per-task": needed.cpus,
        "mem": f"{math.ceil(needed.memory / 2**20)}M",  # without it, some sites give each task the whole node
    }
    theirs = checked(options.directives)
    if any(name in theirs for name in _MEMORY):
        del ours["mem"]
    return {**ours, **{name: value for name, value in theirs.items() if name != "array"}}


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Directives of the user, or `ScanError`."""
    for name, value in given.items():
        if not _NAME.fullmatch(name) or "\n" in str(value):
            raise ScanError(f"directives: {name!r} = {value!r} can't be written as #SBATCH --name=value")
        if name in _OWN:
            instead = {"time": "; give wall_time", "signal": "; give wall_time and grace"}.get(name, "")
            raise ScanError(f"directives: {name!r} is set by the scan{instead}")
    if "array" in given and not re.fullmatch(r"%\d+", str(given["array"])):
        raise ScanError(
            f"directives: 'array' = {given['array']!r} is set by the scan, from task_time; only how many tasks run at a "
            "time can be given, as '%20'"
        )
    return dict(given)


def script(submission: Submission, options: RunOptions, needed: Needs) -> str:
    """The text of `array.sh`."""
    lines = ["#!/bin/bash"]
    for name, value in directives(submission, options, needed).items():
        dashes = "-" if len(name) == 1 else "--"
        word = str(value).lower()
        if word == "true":  # a word without a value, such as exclusive
            lines.append(f"#SBATCH {dashes}{name}")
        elif word not in ("false", "none"):  # these take away one of ours
            lines.append(f"#SBATCH {dashes}{name}{'=' if len(name) > 1 else ' '}{value}")
    lines += ["", 'if [ -d "${SLURM_TMPDIR:-}" ]; then export TMPDIR=$SLURM_TMPDIR; fi']
    if path := _python_path():
        lines.append(f"export PYTHONPATH={shlex.quote(path)}")
    lines += [options.setup] if isinstance(options.setup, str) else list(options.setup)
    command = [sys.executable, "-m", "neurodyn.scan.task", str(submission.folder.path), str(submission.number)]
    # exec: the signal ahead of the limit goes to this process. SECONDS: what has passed of the time by now.
    lines.append(f'exec {shlex.join(command)} "$SLURM_ARRAY_TASK_ID" "$SECONDS"')
    return "\n".join(lines) + "\n"


def _python_path() -> str:
    """Where modules are found here and would not be found by this Python on its own."""
    root = str(Path(neurodyn.__file__).resolve().parent.parent)
    installed = {os.path.realpath(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    given = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return os.pathsep.join([*([] if root in installed else [root]), *map(os.path.abspath, given)])
