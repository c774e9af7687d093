"""Folders of segments that runs left behind, and how one of them is taken over."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurodyn.recording.begun import NAME
from neurodyn.recording.disk import beside, host, stem
from neurodyn.recording.process import NOBODY, alive, identity
from neurodyn.recording.segments import drop_others, header_of, last_state, restore, target_of, whole_segments
from neurodyn.recording.store import Store


@dataclass(frozen=True)
class Leftover:
    """The folder of one run of an output; its name tells the machine and the process that write there."""

    folder: Path
    host: str
    process: str

    @property
    def alive(self) -> bool:
        """Whether it is being written on this machine."""
        return self.host == host() and alive(self.process)

    @property
    def uncertain(self) -> bool:
        """Whether it may be being written on another machine."""
        return self.host != host() and self.process != NOBODY

    @property
    def writer(self) -> str:
        """Who writes there, in words."""
        number = self.process.partition("-")[0]
        here = " (this very process)" if self.host == host() and self.process == identity() else ""
        return f"process {number} on {self.host}{here}"


@dataclass
class TakenOver:
    """What a stopped run left, as it was at its last whole checkpoint, in a folder that is now ours.

    `behind` are the folders of other runs of the same that came less far.
    """

    store: Store
    state: dict[str, Any]
    folder: Path
    header: dict[str, Any]
    behind: list[Path] = field(default_factory=list)


def leftovers(target: Path) -> list[Leftover]:
    """What runs of the output `target` left or are writing, whole or not."""
    # long names share their beginning
    return [left for left in _beside(target, "parts") if target_of(left.folder) in (None, target.name)]


def sweep(target: Path, *, done: bool = False) -> None:
    """Remove what processes of this machine were putting together for `target` when they were killed.

    With `done`, because `target` is complete, their segments go, too.
    """
    for left in [*_beside(target, "tmp"), *(leftovers(target) if done else [])]:
        if left.host != host() or left.alive:
            continue
        if left.folder.is_dir():
            shutil.rmtree(left.folder, ignore_errors=True)
        else:
            left.folder.unlink(missing_ok=True)


def _beside(target: Path, ending: str) -> list[Leftover]:
    prefix, found = f".{stem(target)}.", []
    for path in sorted(target.parent.iterdir()) if target.parent.is_dir() else []:
        parts = path.name.removeprefix(prefix).split(".")
        if path.name.startswith(prefix) and len(parts) == 4 and parts[3] == ending:
            found.append(Leftover(path, parts[0], parts[1]))
    return found


def refuse_second_writer(target: Path, given: str | Path) -> None:
    """Raise FileExistsError if another process of this machine is writing the same output."""
    for left in leftovers(target):
        if left.alive and left.process != identity():
            raise FileExistsError(
                f"out = {str(given)!r} is being written by {left.writer}; wait for it, end it, or give another name"
            )


def give_up(folder: Path, target: Path) -> None:
    """Rename a folder so that any process may take it over."""
    os.rename(folder, beside(target, "parts", owner=NOBODY))


def take_over(target: Path, fingerprint: Any, *, elsewhere: bool) -> TakenOver | None:
    """Take over what a stopped run of `target` left, the one furthest along; None if nothing was left.

    Parameters
    ----------
    fingerprint : plain value or mapping of them
        What `run_fingerprint` in the header of that run has to equal.
    elsewhere : bool
        Whether to take it from a process of another machine, of which nobody here can tell whether it has ended.

    Raises RuntimeError if a process is, or may be, still writing it; ValueError if what was left is of another run,
    or holds no whole checkpoint.
    """
    found = leftovers(target)
    for left in found:
        if left.alive:
            raise RuntimeError(f"{target} is still being written by {left.writer}; wait for it, or end it first")
    best = _furthest(target, found, fingerprint, elsewhere=elsewhere)
    if best is None:
        return None
    folder = beside(target, "parts")
    try:
        os.rename(best.folder, folder)
    except FileNotFoundError:  # of two that try, one finds it gone
        raise RuntimeError(f"{target} has this moment been taken over by another process") from None
    best.store.segments = [folder / segment.name for segment in best.store.segments]
    best.store.begun = folder / NAME
    best.folder = folder
    drop_others(folder, best.store.segments)
    return best


def _furthest(target: Path, found: list[Leftover], fingerprint: Any, *, elsewhere: bool) -> TakenOver | None:
    others: list[str] = []
    bare: list[Path] = []
    made: list[TakenOver] = []
    for left in found:
        segments = whole_segments(left.folder)
        if not segments:
            if any(left.folder.glob("[0-9]*.h5")):
                bare.append(left.folder)
            elif not left.uncertain:
                shutil.rmtree(left.folder, ignore_errors=True)  # it ended before it had closed its first
            continue
        difference = _difference(header_of(segments[0]).get("run_fingerprint"), fingerprint)
        if difference:
            others.append(f"{left.folder.name} is of another run ({difference})")
            continue
        if left.uncertain and not elsewhere:
            silent = (time.time() - max(s.stat().st_mtime for s in segments)) / 60
            raise RuntimeError(
                f"{target} was begun by {left.writer}, last heard of {silent:.0f} minutes ago, which may still be at it. "
                "Make sure that it has ended, then say so with resume='takeover'"
            )
        reached, state = last_state(segments)
        if state is None:
            bare.append(left.folder)
        else:
            made.append(TakenOver(restore(reached), state, left.folder, header_of(reached[-1])))
    if made:
        made.sort(key=lambda one: (one.store.entries, one.store.segments[-1].stat().st_mtime))
        made[-1].behind = [one.folder for one in made[:-1]]
        return made[-1]
    if bare:
        raise ValueError(
            f"{target}: there is no whole checkpoint in {bare[-1]}. neurodyn.recording.recover({str(target)!r}) makes a "
            "partial recording of what there is; delete the folder to begin anew"
        )
    if others:
        raise ValueError(
            f"{target} can't be resumed: {'; '.join(others)}. Repeat the call that was stopped, give another name, or "
            "begin anew without resume"
        )
    return None


def _difference(before: Any, now: Any) -> str:
    """In which entries two fingerprints differ, in words; empty if they are the same."""
    if before == now:
        return ""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return f"its fingerprint is {_short(before)}, not {_short(now)}"
    keys = [key for key in dict.fromkeys((*before, *now)) if before.get(key) != now.get(key)]
    return ", ".join(f"its {key} is {_short(before.get(key))}, not {_short(now.get(key))}" for key in keys)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
