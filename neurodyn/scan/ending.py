"""How a point ended, and what is left of it in the scan's folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodyn.recording.disk import host
from neurodyn.scan.amounts import show_bytes, show_seconds
from neurodyn.scan.folder import Folder, read_json, write_json
from neurodyn.scan.journal import Journal, last_bytes
from neurodyn.scan.points import Point

_LEAST_FREE = 2**16  # bytes
_TAIL = 4000  # bytes of what a failed point printed


@dataclass(frozen=True)
class End:
    """How the process of a point ended.

    Parameters
    ----------
    kind : str
        "done"; "stopped", which leaves the point pending; or why it failed: "raised", "memory", "time", "exited",
        "killed", "lost".
    message : str
        One sentence.
    about : mapping
        results and checks of a point that is done, the traceback of one that raised.
    """

    kind: str
    message: str = ""
    about: Mapping[str, Any] | None = None

    @property
    def failed(self) -> bool:
        """Whether this is a failure of the point."""
        return self.kind not in ("done", "stopped")


def left_word(work: Path) -> End | None:
    """What the process of a point said at its end, if it came to that."""
    try:
        tree = read_json(work / "end.json")
    except (OSError, json.JSONDecodeError):
        return None
    return End(tree.pop("kind"), tree.pop("message", ""), tree)


def judge(work: Path, status: int, *, peak: int, out_of_memory: bool = False) -> End:
    """How a process ended by itself, from its word and its exit status."""
    word = left_word(work)
    if word is not None:
        return word
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        if out_of_memory:
            return End("memory", f"ended by the system for lack of memory, at {show_bytes(peak)}")
        hint = f"; the system may have run out of memory (it held {show_bytes(peak)})" if name == "SIGKILL" else ""
        return End("killed", f"ended by {name}{hint}")
    return End("exited", f"ended its process with exit code {os.WEXITSTATUS(status)}, without results")


def disk_is_full(path: Path, end: End) -> bool:
    """Whether a point failed because there was no room, which is no fault of its own."""
    told = any(word in end.message for word in ("No space left on device", "Disk quota exceeded"))
    return told or (end.kind == "exited" and shutil.disk_usage(path).free < _LEAST_FREE)


def settle(
    folder: Folder, journal: Journal, point: Point, work: Path, end: End, *, source: str, usage: Mapping[str, Any]
) -> End:
    """Put what a point left where it belongs; afterwards it is done, failed or pending."""
    if end.kind == "done":
        end = _publish(folder, point.key, work)
    entry = {"key": point.key, "state": end.kind, "at": time.time(), "source": source, **usage}
    if end.kind == "stopped":
        journal.add(entry)
        return end
    entry["log"] = journal.keep(str(point), work / "log")
    if end.kind == "done":
        about = {name: (end.about or {}).get(name) for name in ("results", "checks")}
        journal.add({**entry, **about, "stamp": _stamp(folder.recording(point.key))})
        folder.failure(point.key).unlink(missing_ok=True)
    else:
        record_failure(folder, point, end, work, source=source, usage={**usage, "worker": journal.worker})
        journal.add({**entry, "message": end.message, "stamp": _stamp(folder.failure(point.key))})
    shutil.rmtree(work, ignore_errors=True)
    return end


def _stamp(path: Path) -> list[int]:
    """What tells whether a journal speaks of the file that is there: its size, and when it was written."""
    about = path.stat()
    return [about.st_size, about.st_mtime_ns]


def _publish(folder: Folder, key: str, work: Path) -> End:
    """Move what a complete point has written to its place, the recording last.

    Figures, and all that bears the name of the recording, stand beside it, everything else in `<key>.files`.
    """
    word, final = left_word(work), folder.recording(key)
    if not (work / f"{key}.h5").exists() and not final.exists():
        return End("exited", "came to its end but left no recording")
    final.parent.mkdir(exist_ok=True)
    for path in work.iterdir():
        if path.name in (final.name, "end.json", "log") or path.name.startswith("."):
            continue
        place = final.parent if path.name.startswith(f"{key}.") else final.parent / f"{key}.files"
        place.mkdir(exist_ok=True)
        if (place / path.name).is_dir():
            shutil.rmtree(place / path.name)
        os.replace(path, place / path.name)
    with contextlib.suppress(FileNotFoundError):
        os.replace(work / f"{key}.h5", final)
    return word or End("done")


def record_failure(
    folder: Folder, point: Point, end: End, work: Path, *, source: str, usage: Mapping[str, Any]
) -> None:
    """Write down why a point failed."""
    place = folder.failure(point.key)
    place.parent.mkdir(exist_ok=True)
    tail = last_bytes(work / "log", _TAIL).decode("utf-8", "replace")
    attempts = 1
    with contextlib.suppress(OSError, json.JSONDecodeError, KeyError):
        attempts += read_json(place)["attempts"]
    about = {"kind": end.kind, "message": end.message, "attempts": attempts}
    where = {"host": host(), "job": os.environ.get("SLURM_JOB_ID"), "at": time.time(), "source": source, **usage}
    details = {"traceback": (end.about or {}).get("traceback", ""), "printed": tail}
    write_json(place, {"key": point.key, "values": dict(point.values), **about, **where, **details})


def too_long(limit: float) -> End:
    """A point that ran into its time limit."""
    return End("time", f"still running after {show_seconds(limit)}, the limit for a point")


def too_large(peak: int, limit: int) -> End:
    """A point that took more memory than it may."""
    return End("memory", f"took {show_bytes(peak)} of memory; the limit for a point is {show_bytes(limit)}")
