"""Which process this is, and whether another one of this machine still lives."""

from __future__ import annotations

import os
from pathlib import Path

NOBODY = "0-0"  # owner of what a run has given up


def identity() -> str:
    """This process as "<number>-<start>", which no later process with the same number has."""
    return f"{os.getpid()}-{_status(os.getpid())[1]}"


def alive(process: str) -> bool:
    """Whether the process of that identity still runs on this machine."""
    number, _, start = process.partition("-")
    if number == "0":
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    state, began = _status(int(number))
    return state != "Z" and (began == start or "0" in (began, start))


def _status(number: int) -> tuple[str, str]:
    """State and start (ticks since the machine came up) of a process; ("", "0") where the system does not tell."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", "0"
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return fields[0], fields[19]
