"""How far a scan is, what failed and why, and what to do next."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurodyn.scan.amounts import show_bytes, show_seconds
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder
from neurodyn.scan.measured import Measured, measured
from neurodyn.scan.points import Point
from neurodyn.scan.source import source_files, source_hash
from neurodyn.scan.survey import STATES, Survey

_WIDTH = 110  # characters of a line
_GROUPS = 3  # of workers, or of reasons, that are named


@dataclass(frozen=True)
class Failures:
    """Points that failed for the same reason: how many, and the commonest message."""

    count: int
    message: str


@dataclass(frozen=True)
class Status:
    """Where a scan stands, by :meth:`neurodyn.Scan.status`.

    Parameters
    ----------
    path, simulation : str
    points : int
        How many there are; each is counted once in what follows.
    done, failed, running, lost, stopped, pending : int
        Lost: their worker ended without a word. Stopped: begun, and left with a checkpoint or without.
    checkpoints : int
        Those of the stopped that go on where they were.
    failures : mapping of kind to Failures
        "raised", "time", "memory", "exited", "killed", "lost".
    places : mapping of place to number
        Where points run.
    workers : sequence of str
        Workers by executor and host, in words.
    slots : int
        Points that living workers run at a time.
    measured : Measured or None
        What the points that are done took.
    work_left, time_left : float or None
        Seconds of all points that are to run, one after the other; and with the workers that live. None: unknown.
    cluster : sequence of str
        Jobs of this scan in the queue of Slurm.
    troubles : sequence of str
        Why tasks on Slurm did nothing, as long as points are pending.
    sources : mapping of str to int
        Versions of the script, and how many points each has done.
    source : str
        The version that there is now.
    changes : sequence of str
        What is different from when the scan was planned.
    next : str
        The command to go on with.
    """

    path: str
    simulation: str
    points: int
    done: int = 0
    failed: int = 0
    running: int = 0
    lost: int = 0
    stopped: int = 0
    pending: int = 0
    checkpoints: int = 0
    failures: Mapping[str, Failures] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    workers: tuple[str, ...] = ()
    slots: int = 0
    measured: Measured | None = None
    work_left: float | None = None
    time_left: float | None = None
    cluster: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    sources: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    changes: tuple[str, ...] = ()
    next: str = ""

    def __str__(self) -> str:
        lines = [f"{self.simulation}: {self.points} points in {self.path}"]
        share = f" ({100 * self.done / self.points:.0f} %)" if self.points else ""
        lines.append(f"done     {self.done:>7}{share}{self._costs()}")
        if self.failed:
            lines += [f"failed   {self.failed:>7}", *self._reasons()]
        if self.running:
            lines.append(
                f"running  {self.running:>7}  {_listed(f'{n} on {place}' for place, n in self.places.items())}"
            )
        if self.lost:
            lines.append(f"lost     {self.lost:>7}  their workers ended without a word; the next run takes them up")
        if self.stopped + self.pending:
            stops = (
                f"  {self.stopped} stopped, {self.checkpoints} with a checkpoint to go on from" if self.stopped else ""
            )
            lines.append(f"pending  {self.stopped + self.pending:>7}{stops}")
        if self.work_left:
            left = f"{show_seconds(self.work_left)} of work"
            if self.time_left is not None:
                left += f"; done in about {show_seconds(self.time_left)}, {self.slots} at a time"
            lines.append(f"left     {left}")
        if self.workers:
            lines.append(f"workers  {_listed(self.workers)}")
        if self.cluster:
            lines.append(f"slurm    {_listed(self.cluster)}")
        lines += [f"trouble  {line}" for line in self.troubles]
        if len(self.sources) > 1:
            now = {self.source: " (that of now)"}
            versions = _listed(f"{n} with {source}{now.get(source, '')}" for source, n in self.sources.items())
            lines.append(f"done with {len(self.sources)} versions of the script: {versions}")
        if self.changes:
            lines.append(f"changed  {_listed(self.changes)}")
        lines.append(f"next     {self.next}")
        return "\n".join(lines)

    def _costs(self) -> str:
        if self.measured is None:
            return ""
        costs = f"{show_seconds(self.measured.seconds)} each, the longest {show_seconds(self.measured.longest)}"
        return f"  {costs}, up to {show_bytes(self.measured.peak)} of memory, {show_bytes(self.measured.disk)} on disk"

    def _reasons(self) -> list[str]:
        """A line for each of the commonest reasons."""
        every = sorted(self.failures.items(), key=lambda item: -item[1].count)
        lines = [f"         {f.count:>7}  {kind}: {textwrap.shorten(f.message, _WIDTH - 30)}" for kind, f in every]
        if len(lines) <= _GROUPS:
            return lines
        others = ", ".join(f"{each.count} {kind}" for kind, each in every[_GROUPS - 1 :])
        return [*lines[: _GROUPS - 1], f"         {sum(f.count for _, f in every[_GROUPS - 1 :]):>7}  others: {others}"]


@dataclass(frozen=True)
class Listed:
    """A point and what has become of it; `message` says why it failed, where it runs, why it was stopped."""

    point: Point
    state: str
    seconds: float | None = None
    message: str = ""


def status(folder: Folder) -> Status:
    """Where a scan stands at this moment; nothing is written, so that anybody who may read the scan may look."""
    survey = Survey(folder)
    states, ends, sources = Counter[str](), Counter[tuple[str, str]](), Counter[str]()
    places, checkpoints, rows = Counter[str](), 0, []
    hosts = {member.name: member.host for member in survey.watcher.members()}
    for point in survey.points:
        state = survey.state(point.key)
        states[state] += 1
        ended = survey.ended(point.key) if state in ("done", "failed") else None
        if state == "done" and ended is not None:
            sources[ended.source] += 1
            if ended.seconds is not None:
                row = {"seconds": ended.seconds, "peak": ended.peak or 0, "stamp": survey.done[point.key]}
                rows.append({"state": "done", **row})
        elif ended is not None:
            ends[ended.kind, ended.message] += 1
        elif state == "running":
            places[hosts.get(survey.claims[point.key], "?")] += 1
        elif state == "stopped":
            checkpoints += survey.resumable(point.key)
    costs = measured(rows)
    slots = sum(m.slots for m in survey.watcher.members() if survey.watcher.alive(m.name))
    waiting = states["running"] + states["lost"] + states["stopped"] + states["pending"]
    work = None if costs is None else costs.mean * waiting
    (cluster, troubles), (source, changes) = _slurm(folder, pending=states["pending"] > 0), _script(folder)
    sources.pop("", None)  # done, but no journal says by what
    return Status(
        path=_typed(folder.path),
        simulation=folder.header.simulation,
        points=sum(states.values()),
        **{state: states[state] for state in STATES},
        checkpoints=checkpoints,
        failures=_grouped(ends),
        places=dict(places),
        workers=_workers(survey),
        slots=slots,
        measured=costs,
        work_left=work,
        time_left=work / slots if work is not None and slots else None,
        cluster=cluster,
        troubles=troubles,
        sources=dict(sources.most_common()),
        source=source,
        changes=changes,
        next=_next(folder, states, ends, busy=bool(slots or cluster)),
    )


def listing(folder: Folder, states: Collection[str] = ()) -> Iterator[Listed]:
    """The points in the order of the manifest, or those in one of `states`, with what there is to say about each.

    Raises
    ------
    ScanError
        At once, for a state that there is not.
    """
    for state in states:
        if state not in STATES:
            raise ScanError(f"state = {state!r}; there are {', '.join(STATES)}")
    return _listing(Survey(folder), states)


def _listing(survey: Survey, states: Collection[str]) -> Iterator[Listed]:
    for point in survey.points:
        key, state = point.key, survey.state(point.key)
        if states and state not in states:
            continue
        if state in ("done", "failed"):
            ended = survey.ended(key)
            reason = f"{ended.kind}: {ended.message}" if ended and state == "failed" else ""
            yield Listed(point, state, ended.seconds if ended else None, reason)
        elif state == "running":
            yield Listed(point, state, survey.since(key), f"on {survey.claims[key]}")
        elif state == "lost":
            yield Listed(point, state, None, f"its worker {survey.claims[key]} ended without a word")
        else:
            yield Listed(point, state, None, survey.stopped(key))


def _grouped(ends: Mapping[tuple[str, str], int]) -> dict[str, Failures]:
    """Kind -> how many, and the commonest message."""
    found: dict[str, Failures] = {}
    for (kind, message), count in sorted(ends.items(), key=lambda item: -item[1]):
        before = found.get(kind)
        found[kind] = Failures(count, message) if before is None else Failures(before.count + count, before.message)
    return found


def _workers(survey: Survey) -> tuple[str, ...]:
    """Those that live in groups of executor and host; how many have ended, and how the last of these did."""
    living, slots, ended = Counter[str](), Counter[str](), []
    for member in survey.watcher.members():
        if survey.watcher.alive(member.name):
            place = f"{member.executor} on {member.host}"
            living[place] += 1
            slots[place] += member.slots
        else:
            ended.append(member)
    words = [f"{count} {place}, {slots[place]} points at a time" for place, count in living.most_common()]
    if ended:
        last = max(ended, key=lambda member: member.started)
        words.append(f"{len(ended)} ended (the last: {last.ended or 'without a word'})")
    return tuple(words)


def _slurm(folder: Folder, *, pending: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is in the queue, and why tasks did nothing if points are left."""
    if not any((folder.path / "submissions").iterdir()):
        return (), ()
    from neurodyn.scan.executors.slurm import queue, troubles

    return tuple(queue(folder)), tuple(troubles(folder)) if pending else ()


def _script(folder: Folder) -> tuple[str, tuple[str, ...]]:
    """The version of the script that there is now, and what has changed since the scan was planned."""
    from neurodyn.scan.scan import Scan

    script = Path(folder.header.script)
    try:
        return source_hash(source_files(script)), tuple(Scan.open(folder.path).changes())
    except (OSError, ScanError) as error:  # what is done can be looked at without it
        return "", (str(error),)


def _next(folder: Folder, states: Mapping[str, int], ends: Mapping[tuple[str, str], int], *, busy: bool) -> str:
    """The command that brings the scan on."""
    where = _typed(folder.path)
    lost = sum(count for (kind, _), count in ends.items() if kind == "lost")
    if busy:
        return f"neurodyn scan status {where} --watch"
    if states["lost"] or states["stopped"] or states["pending"] or lost:
        return f"neurodyn scan run {where}"
    return f"neurodyn scan run {where} --failed" if states["failed"] else f"neurodyn scan collect {where}"


def _typed(path: Path) -> str:
    """A path as one types it from here."""
    try:
        near = os.path.relpath(path)
    except ValueError:  # another drive
        near = str(path)
    return shlex.quote(str(path) if near.startswith("..") else near)


def _listed(words: Any) -> str:
    """The first few, and how many more there are."""
    every = list(words)
    return "; ".join(every[:_GROUPS]) + (f"; and {len(every) - _GROUPS} more" if len(every) > _GROUPS else "")
