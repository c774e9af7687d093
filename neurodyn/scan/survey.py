"""What has become of the points of a scan: read once, quickly, and without writing anything."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from neurodyn.scan.folder import Folder, read_json
from neurodyn.scan.points import Point
from neurodyn.scan.registry import Registry

STATES = ("done", "failed", "running", "lost", "stopped", "pending")
Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ended:
    """A point that is done or failed, as a journal or, where none speaks of the file that is there, the file says.

    Parameters
    ----------
    kind : str
        "done", or why it failed.
    message : str
    seconds, cpu : float or None
        Time by the clock and of processors.
    peak : int or None
        Most memory in bytes.
    worker, source : str
        Who ran it, and the version of the script.
    place : (int, int)
        Number of the journal and position of the line in it; (-1, 0) for one that was read from its file.
    """

    kind: str
    message: str = ""
    seconds: float | None = None
    cpu: float | None = None
    peak: int | None = None
    worker: str = ""
    source: str = ""
    place: tuple[int, int] = (-1, 0)


class Watcher(Registry):
    """The workers of a scan, looked at without a trace."""

    def silence(self, name: str) -> float:
        """Seconds since a worker was last heard of, by the clock of this machine or that of a worker ahead of it."""
        beats = {path.stem: path.stat().st_mtime for path in (self.folder.path / "workers").glob("*.json")}
        return max(time.time(), *beats.values()) - beats[name] if name in beats else 0.0


class Survey:
    """All points of a scan at one moment.

    The recordings and records of failures that are there say what is done and what failed. What they hold is taken from
    the journals, where the size and the time of the file are those that a worker noted when it wrote it.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.points = list(folder.points())
        self.watcher = Watcher(folder)
        self.done = _stamps(folder.path / "points", ".h5")
        self.failed = {k: s for k, s in _stamps(folder.path / "failures", ".json").items() if k not in self.done}
        self.claims = {k: owner for k, owner in self.watcher.claimed().items() if k not in self.done}
        self._journals = sorted((folder.path / "journal").glob("*.jsonl"))
        self._stops: dict[str, tuple[float, str]] = {}
        self._ended = self._read()
        self._left = _left(folder)

    def state(self, key: str) -> str:
        """One of `STATES`; a point that was stopped has begun, and goes on from there when it is run again."""
        if key in self.done:
            return "done"
        if key in self.claims:
            return "running" if self.watcher.alive(self.claims[key]) else "lost"
        if key in self.failed:
            return "failed"
        return "stopped" if key in self._left else "pending"

    def ended(self, key: str) -> Ended | None:
        """How a point ended, None if it did not."""
        if key not in self._ended and key in self.failed:
            self._ended[key] = _from_record(self.folder.failure(key))
        elif key not in self._ended and key in self.done:
            self._ended[key] = Ended("done")
        return self._ended.get(key)

    def stopped(self, key: str) -> str:
        """Why a point was stopped the last time it ran."""
        return self._stops.get(key, (0.0, ""))[1]

    def since(self, key: str) -> float | None:
        """Seconds since a running point began, from the oldest trace in its folder; None if there is none yet."""
        started = self._starts.get(self.claims.get(key, ""), 0.0)
        times = []
        for work in self._left.get(key, ()):
            with contextlib.suppress(OSError), os.scandir(work) as entries:
                times += [work.stat().st_mtime, *(entry.stat().st_mtime for entry in entries)]
        begun = [when for when in times if when >= started - 1.0]  # older ones are of an earlier life
        return max(0.0, time.time() - min(begun)) if begun else None

    def resumable(self, key: str) -> bool:
        """Whether what a stopped point left has a checkpoint to go on from."""
        from neurodyn.recording.leftovers import leftovers

        return any(leftovers(work / f"{key}.h5") for work in self._left.get(key, ()))

    @cached_property
    def _starts(self) -> dict[str, float]:
        return {member.name: member.started for member in self.watcher.members()}

    def outcomes(self) -> Iterator[tuple[Point, str, Ended | None, Mapping[str, Any]]]:
        """Each point, its state, how it ended, and {"results": ..., "checks": ...} if it is done.

        The state is one of `STATES`, or "unreadable" where there is a recording that can't be read.
        """
        with contextlib.ExitStack() as stack:
            journals = [stack.enter_context(open(path, "rb")) for path in self._journals]
            for point in self.points:
                state, about = self.state(point.key), {}
                ended = self.ended(point.key) if state in ("done", "failed") else None
                if state == "done" and ended is not None and ended.place[0] >= 0:
                    journals[ended.place[0]].seek(ended.place[1])
                    about = json.loads(journals[ended.place[0]].readline().decode())
                elif state == "done":
                    try:
                        about = _from_recording(self.folder.recording(point.key))
                    except (OSError, ValueError) as error:
                        state, ended = "unreadable", Ended("unreadable", str(error))
                yield point, state, ended, about

    def _read(self) -> dict[str, Ended]:
        found: dict[str, Ended] = {}
        for number, path in enumerate(self._journals):
            position = 0
            with open(path, "rb") as file:
                for line in file:
                    here, position = position, position + len(line)
                    try:
                        entry = json.loads(line.decode())
                        key, state, at = entry["key"], entry["state"], entry["at"]
                    except (ValueError, KeyError, TypeError):  # cut short by a kill
                        continue
                    if state == "stopped":
                        self._stops[key] = max(self._stops.get(key, (0.0, "")), (at, entry.get("message", "")))
                        continue
                    stamp = (self.done if state == "done" else self.failed).get(key)
                    if stamp is not None and list(stamp) == entry.get("stamp"):
                        found[key] = _ended(state, entry, (number, here))
        return found


def _stamps(folder: Path, ending: str) -> dict[str, Stamp]:
    """Key -> size and time of all files in the shards of a folder."""
    found = {}
    with os.scandir(folder) as shards:
        for shard in shards:
            if len(shard.name) == 2 and shard.is_dir():
                with os.scandir(shard) as files:
                    for file in files:
                        if file.name.endswith(ending) and not file.name.startswith("."):
                            with contextlib.suppress(FileNotFoundError):  # it was there a moment ago
                                about = file.stat()
                                found[file.name.removesuffix(ending)] = (about.st_size, about.st_mtime_ns)
    return found


def _left(folder: Folder) -> dict[str, list[Path]]:
    """Key -> folders of points that run, or were stopped."""
    found: dict[str, list[Path]] = {}
    with os.scandir(folder.path / "work") as entries:
        for entry in entries:
            if not entry.name.startswith(".") and not entry.name.endswith(".claim") and entry.is_dir():
                found.setdefault(entry.name.partition(".")[0], []).append(Path(entry.path))
    return found


def _from_record(path: Path) -> Ended:
    """A failure, from its record."""
    try:
        tree = read_json(path)
    except (OSError, json.JSONDecodeError) as error:
        return Ended("unreadable", f"its record can't be read: {error}")
    return _ended(tree.get("kind", ""), tree, (-1, 0))


def _ended(kind: str, tree: Mapping[str, Any], place: tuple[int, int]) -> Ended:
    """How a point ended, from an entry of a journal or the record of a failure."""
    usage = (tree.get("seconds"), tree.get("cpu"), tree.get("peak"))
    return Ended(kind, tree.get("message", ""), *usage, tree.get("worker") or "", tree.get("source") or "", place)


def _from_recording(path: Path) -> dict[str, Any]:
    """Results and checks, from the recording itself."""
    from neurodyn.recording import load

    attrs = load(path).attrs
    results = json.loads(attrs.get("results_json", "{}"))
    return {"results": results, "checks": json.loads(attrs.get("checks_json", "[]"))}
