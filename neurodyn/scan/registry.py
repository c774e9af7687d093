"""Who works on a scan, who still lives, and who runs which point.

A worker writes `workers/<name>.json` and touches it every few seconds. A worker on this machine is looked up among its
processes; one on another machine counts as lost once its file has not been touched for two minutes by the clock of
the file system, which is the only clock that all of them share.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from neurodyn.recording.disk import host
from neurodyn.recording.process import alive, identity
from neurodyn.scan.folder import Folder, read_json, write_json

BEAT_S = 5.0
LOST_S = 120.0
_AT_IT_S = 10.0  # what takes microseconds lasts at most that long in the eyes of others


@dataclass(frozen=True)
class Member:
    """A worker of a scan: where it runs, for which executor and job, and since when (seconds since 1970)."""

    name: str
    host: str
    machine: str
    process: str
    executor: str
    slots: int
    started: float
    job: str | None = None
    submission: int | None = None
    source: str = ""
    ended: str | None = None


class Registry:
    """The workers of a scan."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._known: dict[str, bool] = {}

    def enter(
        self, *, executor: str, slots: int, job: str | None = None, submission: int | None = None, source: str = ""
    ) -> Member:
        """Make this process a worker; earlier lives of the same job have ended."""
        if job is not None:
            for path in (self.folder.path / "workers").glob(f"{executor}-{job}-*.json"):
                earlier = Member(**read_json(path))
                if earlier.submission == submission:  # a Slurm that was set up anew counts its jobs anew
                    self.leave(earlier, "its job began anew")
        name = "-".join(filter(None, (executor, job, host(), identity().partition("-")[0], secrets.token_hex(3))))
        place = (host(), machine(), identity(), executor, slots, time.time(), job, submission, source)
        member = Member(name, *place)
        write_json(self._file(name), asdict(member))
        return member

    def beat(self, member: Member) -> None:
        """Show that this worker lives."""
        with contextlib.suppress(OSError):  # a moment without the file system is no reason to stop
            os.utime(self._file(member.name))

    def leave(self, member: Member, why: str) -> None:
        """Note that a worker has ended."""
        write_json(self._file(member.name), {**asdict(member), "ended": why})
        (self.folder.path / "work" / f".{member.name}").unlink(missing_ok=True)

    def members(self) -> Iterator[Member]:
        """All workers that there were."""
        for path in sorted((self.folder.path / "workers").glob("*.json")):
            yield Member(**read_json(path))

    def alive(self, name: str) -> bool:
        """Whether a worker still works, as far as can be told (within the life of this registry, found once)."""
        if name not in self._known:
            self._known[name] = self._alive(name)
        return self._known[name]

    def forget(self) -> None:
        """Look at everybody anew."""
        self._known.clear()

    def _alive(self, name: str) -> bool:
        try:
            member = Member(**read_json(self._file(name)))
        except (OSError, ValueError, TypeError):
            return False
        if member.ended is not None:
            return False
        if (member.host, member.machine) == (host(), machine()):
            return alive(member.process)
        return self.silence(name) < LOST_S

    def silence(self, name: str) -> float:
        """Seconds since a worker was last heard of."""
        return self._age(self._file(name))

    def _age(self, path: Path) -> float:
        """Seconds since a file was touched, by the clock of the file system; 0 if there is none."""
        probe = self.folder.path / "workers" / f".clock.{secrets.token_hex(4)}"
        try:
            probe.touch()
            return probe.stat().st_mtime - path.stat().st_mtime
        except OSError:
            return 0.0
        finally:
            probe.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.folder.path / "workers" / f"{name}.json"

    def claim(self, key: str, member: Member) -> bool:
        """Whether this worker may run a point now: nobody who lives does."""
        path = self.folder.claim(key)
        for _ in range(3):
            try:
                self._write_claim(path, member)
            except FileExistsError:
                owner = self.owner(key)
                if owner == member.name:
                    return True
                if owner is not None and self._take_away(path, owner) is False:
                    return False
            else:
                return True
        return False

    def _write_claim(self, path: Path, member: Member) -> None:
        """Raises FileExistsError if there is a claim."""
        mine = self.folder.path / "work" / f".{member.name}"
        if not mine.exists():
            mine.write_text(member.name, encoding="utf-8")
        try:
            os.link(mine, path)  # there with its content or not at all
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            with open(path, "x", encoding="utf-8") as file:
                file.write(member.name)

    def _take_away(self, path: Path, owner: str) -> bool | None:
        """Remove the claim of a worker that has ended; of several that try, one succeeds. None: it is gone already."""
        if self.alive(owner) or (not owner and self._age(path) < _AT_IT_S):  # who writes it is just at it
            return False
        taking = path.with_name(f".{path.name}.taking")
        try:
            taking.touch(exist_ok=False)
        except FileExistsError:
            if self._age(taking) < _AT_IT_S:
                return False
            taking.unlink(missing_ok=True)  # whoever was at it was killed
            return None
        try:
            now = self.owner(path.stem)
            if now == owner:  # and it stays that, since only we may take it away
                path.unlink()
            return None if now is None else now == owner
        finally:
            taking.unlink(missing_ok=True)

    def release(self, key: str, member: Member) -> None:
        """Let others run a point, unless they do already because this worker was thought to be lost."""
        if self.owner(key) == member.name:
            self.folder.claim(key).unlink(missing_ok=True)

    def seize(self, key: str, owner: str) -> bool:
        """Take away the claim of a worker that has ended; whether this call did it, of several at the same time."""
        return self._take_away(self.folder.claim(key), owner) is True

    def owner(self, key: str) -> str | None:
        """Who runs a point, or ran it when it ended without a word; None if nobody."""
        try:
            return self.folder.claim(key).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def claimed(self) -> dict[str, str]:
        """Key -> owner of all claims there are."""
        found = {}
        with os.scandir(self.folder.path / "work") as entries:
            for entry in entries:
                if entry.name.endswith(".claim") and not entry.name.startswith("."):
                    key = entry.name.removesuffix(".claim")
                    found[key] = self.owner(key) or ""
        return found


@cache
def machine() -> str:
    """What tells processes apart that bear the same number: this start of the machine, and the container."""
    marks = []
    with contextlib.suppress(OSError):
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()[:8])
    with contextlib.suppress(OSError):
        marks.append(os.readlink("/proc/self/ns/pid").strip("pid:[]"))
    return "-".join(marks)
