"""Which points a run of a scan takes up."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Set
from pathlib import Path

from neurodyn.scan.amounts import show_seconds
from neurodyn.scan.ending import End, record_failure
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder, read_json
from neurodyn.scan.points import Point
from neurodyn.scan.registry import Member, Registry

KINDS = ("missing", "failed", "outdated")


def selected(folder: Folder, which: Collection[str], *, source: str) -> list[Point]:
    """The points to run, in the order of the manifest.

    Parameters
    ----------
    which : collection of "missing", "failed", "outdated"
        Those that have not run or were lost with their worker; those that failed; those that were done by another text of
        the simulation, whose recordings are put aside as `<key>.<time>.old`.
    """
    for kind in which:
        if kind not in KINDS:
            raise ScanError(f"which = {kind!r}; there are {', '.join(KINDS)}")
    bury(folder)
    tidy(folder)
    old = outdated(folder, source) if "outdated" in which else set()
    for key in old:
        folder.recording(key).rename(folder.recording(key).with_suffix(f".{int(time.time())}.old"))
    return candidates(folder, which, old)


def candidates(folder: Folder, which: Collection[str], old: Set[str]) -> list[Point]:
    """The points that are missing or failed, if `which` says so, and those with a key in `old`; nothing is changed."""
    done, failed = folder.done() - old, folder.failed()
    lost = {key for key in failed if kind_of_failure(folder, key) == "lost"} if "missing" in which else set()
    taken = set(old)
    if "failed" in which:
        taken |= failed - done
    if "missing" in which:
        taken |= lost - done
    return [
        point
        for point in folder.points()
        if point.key in taken or ("missing" in which and point.key not in done and point.key not in failed)
    ]


def bury(folder: Folder) -> list[str]:
    """Give the points of workers that ended without a word a record that says so; returns their keys."""
    registry = Registry(folder)
    lost = {key: owner for key, owner in registry.claimed().items() if not registry.alive(owner)}
    if not lost:
        return []
    members = {member.name: member for member in registry.members() if member.name in lost.values()}
    buried = []
    for point in folder.points():
        owner = lost.get(point.key)
        if owner is None or not registry.seize(point.key, owner):  # or another one runs it by now
            continue
        buried.append(point.key)
        if not folder.recording(point.key).exists():
            member = members.get(owner)
            end = End("lost", f"its worker {owner} ended without a word{_whereabouts(registry, member)}")
            usage = {"worker": owner, "host": member.host, "job": member.job} if member else {"worker": owner}
            work = folder.work(point.key, member.source) if member else folder.path / "work" / point.key
            record_failure(folder, point, end, work, source=member.source if member else "", usage=usage)
    return buried


def tidy(folder: Folder) -> None:
    """Remove what is left of points whose workers ended right after the recording had its place."""
    registry = Registry(folder)
    with os.scandir(folder.path / "work") as entries:
        left = [Path(entry.path) for entry in entries if not entry.name.endswith((".claim", ".taking"))]
    for work in left:
        if work.name.startswith("."):  # what a worker makes its claims from
            if not registry.alive(work.name[1:]):
                work.unlink(missing_ok=True)
            continue
        key = work.name.partition(".")[0]
        if folder.recording(key).exists() and not folder.claim(key).exists():
            folder.failure(key).unlink(missing_ok=True)
            shutil.rmtree(work, ignore_errors=True)


def _whereabouts(registry: Registry, member: Member | None) -> str:
    if member is None:
        return ""
    job = f", job {member.job}" if member.job else ""
    return f" on {member.host}{job}; last heard of {show_seconds(max(registry.silence(member.name), 0.0))} before"


def kind_of_failure(folder: Folder, key: str) -> str:
    """Why a point failed, in one word; "" where the record can't be read."""
    try:
        return str(read_json(folder.failure(key)).get("kind", ""))
    except (OSError, json.JSONDecodeError):
        return ""


def outdated(folder: Folder, source: str) -> set[str]:
    """Keys of the points that were done by another text of the simulation."""
    from neurodyn.scan.journal import entries

    sources: dict[str, str] = {}
    for entry in sorted((e for e in entries(folder) if e["state"] == "done"), key=lambda e: e["at"]):
        sources[entry["key"]] = entry["source"]
    return {key for key in folder.done() if sources.get(key, source) != source}
