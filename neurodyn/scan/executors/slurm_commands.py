"""Slurm's own commands, as far as a scan needs them: neither accounting nor a process that stays."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurodyn.scan.errors import ScanError

_ARRAY_SIZE = 1001  # Slurm's, where a site does not say
_FIELDS = "%F|%K|%T|%M|%r|%j"  # job, task, state, time it has run, reason, name: what may hold anything comes last


class Refused(ScanError):
    """A command of Slurm failed; the message has its own words."""


class Unsure(Refused):
    """A command did not come to its end; what it was to do may have been done."""


class Full(Refused):
    """The site takes no more jobs of this user now."""


@dataclass(frozen=True)
class Queued:
    """A task of an array in the queue; `seconds` is how long it has run."""

    name: str
    job: str
    task: int
    state: str
    seconds: float
    reason: str

    @property
    def started(self) -> bool:
        """Whether it has left the queue for a node, as far as Slurm knows."""
        return self.state in ("RUNNING", "COMPLETING", "STOPPED", "SUSPENDED")


def queued(prefix: str, *, timeout: float = 60.0) -> list[Queued]:
    """This user's array tasks in the queue whose jobs have names that begin so.

    Raises
    ------
    Refused
        squeue is missing, failed or took longer than `timeout` seconds.
    """
    user = f"--user={os.getuid()}"
    found = []
    for line in _command("squeue", "--noheader", "--array", user, f"--format={_FIELDS}", timeout=timeout).splitlines():
        job, task, state, ran, reason, name = line.split("|", 5)
        if name.startswith(prefix) and task.isdigit():
            found.append(Queued(name, job, int(task), state, _elapsed(ran), reason))
    return found


def _elapsed(text: str) -> float:
    """Seconds from Slurm's "1-02:03:04", "02:03:04", "3:04"; 0 from what is none."""
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdigit() for part in [*parts, days or "0"]):
        return 0.0
    seconds = sum(int(part) * unit for part, unit in zip(reversed(parts), (1, 60, 3600), strict=False))
    return float(seconds + 86400 * int(days or 0))


def array_size() -> int:
    """How many tasks an array may have at this site."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _command("scontrol", "show", "config", timeout=60.0), re.MULTILINE)
    return max(1, int(found[1])) if found else _ARRAY_SIZE


def submit(script: Path, array: str) -> str:
    """Submit an array; its tasks run in the folder of the script. Returns the number of the job.

    Raises
    ------
    Full
        It has more tasks than the site takes from this user now.
    Unsure
        There may be a job: look for its name in the queue.
    Refused
        sbatch is missing or failed.
    """
    try:
        said = _command("sbatch", "--parsable", f"--array={array}", script.name, timeout=600.0, folder=script.parent)
    except Refused as error:
        if re.search(r"Submit\w*Limit", str(error)):
            raise Full(str(error)) from None
        raise
    return said.strip().partition(";")[0]


def _command(program: str, *arguments: str, timeout: float, folder: Path | None = None) -> str:
    command: Sequence[str] = (program, *arguments)
    try:
        done = subprocess.run(
            command, cwd=folder, env=_environment(), capture_output=True, encoding="utf-8", timeout=timeout
        )
    except FileNotFoundError:
        raise Refused(
            f"there is no {program} here: run this on a machine of the cluster where sbatch works, or on = 'local'"
        ) from None
    except subprocess.TimeoutExpired:
        raise Unsure(f"{program} gave no answer within {timeout:g} s") from None
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())
        raise (Unsure if "timed out" in words else Refused)(f"{program} failed: {words}")
    return done.stdout


def _environment() -> dict[str, str]:
    """Ours, without what a Slurm job around us would tell of itself: another job takes that for its own."""
    kept = ("SLURM_CONF", "SLURM_CLUSTERS")
    return {name: value for name, value in os.environ.items() if name in kept or not name.startswith("SLURM_")}
