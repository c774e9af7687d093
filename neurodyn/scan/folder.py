"""The folder of a scan: its manifest, and where everything of a point stands.

::

    scan.json                     what is scanned: script, simulation, defaults, text and versions at the start
    plans/0001.json               what was asked for; 0002 and so on what extended it
    plans/0001.points.jsonl       the points of it, one a line
    points/ab/<key>.h5            the recording of a point, there when it is complete (figures beside it)
    points/ab/<key>.files/        other files that it wrote beside its recording
    failures/ab/<key>.json        why a point failed, with what it printed last
    work/<key>.<source>/          a point that is being run, or was stopped
    work/<key>.claim              the worker that runs it
    workers/<worker>.json         who works or worked, touched every few seconds
    journal/<worker>.jsonl        what each worker did, in order
    logs/<worker>.log             what its points printed
    submissions/0001/             what was handed to a cluster

Points and failures are the truth; journals say quickly what is in them.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from neurodyn.recording.places import shown
from neurodyn.scan.errors import ScanError
from neurodyn.scan.points import Plan, Point

FORMAT = "neurodyn-scan 1"


@dataclass(frozen=True)
class Header:
    """What `scan.json` holds.

    Parameters
    ----------
    id : str
        Eight digits that tell this scan from others.
    script, simulation : str
        The file, as an absolute path, and the function in it.
    folder : str
        Where the scan was planned; its points run there.
    defaults : mapping
        All parameters of the simulation as they were then.
    source : mapping of str to str
        Hashes of the script and of the modules beside it that it imports.
    versions : mapping of str to str
    created : str
        ISO 8601, UTC.
    """

    id: str
    script: str
    simulation: str
    folder: str
    defaults: Mapping[str, Any]
    source: Mapping[str, str]
    versions: Mapping[str, str]
    created: str
    format: str = FORMAT


class Folder:
    """A scan on disk; `path` has to hold one, or `ScanError`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().resolve()
        if not (self.path / "scan.json").is_file():
            raise ScanError(f"{path} is no folder of a scan (it has no scan.json)")

    @staticmethod
    def create(path: str | Path, header: Header) -> Folder:
        """Make the folder of a new scan, without points; an existing one is refused, if there is a file in it."""
        place = Path(path).expanduser().resolve()
        if place.exists() and (not place.is_dir() or any(not found.is_dir() for found in place.rglob("*"))):
            raise ScanError(f"out = {str(path)!r} exists and is not empty; give another name")
        for name in ("plans", "points", "failures", "work", "workers", "journal", "logs", "submissions"):
            (place / name).mkdir(parents=True, exist_ok=True)
        write_json(place / "scan.json", asdict(header))
        return Folder(place)

    def __repr__(self) -> str:
        return f"<scan of {self.header.simulation} in {shown(self.path)}>"

    @cached_property
    def header(self) -> Header:
        """What is scanned."""
        tree = read_json(self.path / "scan.json")
        if tree.get("format") != FORMAT:
            raise ScanError(f"{self.path} has format {tree.get('format')!r}, this version reads {FORMAT!r}")
        return Header(**tree)

    @property
    def planned(self) -> bool:
        """Whether planning came to its end."""
        return bool(self._plans())

    @property
    def plan(self) -> Plan:
        """What was asked for, the latest extension included."""
        return Plan.from_json(read_json(self._plans()[-1])["plan"])

    def add_plan(self, plan: Plan, points: Iterator[Point], *, asked: Mapping[str, Any]) -> int:
        """Append `points` to the manifest, in one step; returns how many are new."""
        known = {point.key for point in self.points()}
        number = len(self._plans()) + 1
        temporary = self.path / "plans" / f".{number:04d}.{secrets.token_hex(4)}"
        count = 0
        with open(temporary, "w", encoding="utf-8") as file:
            for point in points:
                if point.key not in known:
                    count += 1
                    entry = {"key": point.key, "values": point.values, "repetition": point.repetition}
                    file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path / "plans" / f"{number:04d}.points.jsonl")
        # the plan comes last: without it, its points do not count
        about = {"plan": plan.to_json(), "points": count, **asked}
        write_json(self.path / "plans" / f"{number:04d}.json", about, indent=None if plan.rows else 1)
        return count

    def points(self) -> Iterator[Point]:
        """All points, in the order of the manifest."""
        for plan in self._plans():
            with open(plan.with_suffix(".points.jsonl"), encoding="utf-8") as file:
                for line in file:
                    yield Point(**json.loads(line))

    @property
    def size(self) -> int:
        """How many points there are."""
        return sum(read_json(plan)["points"] for plan in self._plans())

    def _plans(self) -> list[Path]:
        return sorted((self.path / "plans").glob("[0-9]*[0-9].json"))

    def config(self, point: Point) -> dict[str, Any]:
        """All parameters of a point."""
        return {**self.header.defaults, **self.plan_fixed, **point.values}

    @cached_property
    def plan_fixed(self) -> Mapping[str, Any]:
        """The parameters that are the same at all points."""
        return self.plan.fixed

    def find(self, name: str) -> Point:
        """The point whose key begins with `name`, or `ScanError`."""
        found = [point for point in self.points() if point.key.startswith(name)]
        if len(found) != 1:
            many = f"{len(found)} points, among them {found[0].key} and {found[1].key}" if found else "no point"
            raise ScanError(f"{name!r} is the beginning of {many}; `neurodyn scan status DIR --points` lists them")
        return found[0]

    def recording(self, key: str) -> Path:
        """Where the recording of a point is, or will be."""
        return self.path / "points" / key[:2] / f"{key}.h5"

    def failure(self, key: str) -> Path:
        """Where it stands why a point failed."""
        return self.path / "failures" / key[:2] / f"{key}.json"

    def work(self, key: str, source: str) -> Path:
        """Where a point is being run by one version of the simulation's text."""
        return self.path / "work" / f"{key}.{source}"

    def claim(self, key: str) -> Path:
        """Where it stands who runs a point."""
        return self.path / "work" / f"{key}.claim"

    def done(self) -> set[str]:
        """Keys of all points that have a recording."""
        return set(_sharded(self.path / "points", ".h5"))

    def failed(self) -> set[str]:
        """Keys of all points that failed last time."""
        return set(_sharded(self.path / "failures", ".json"))


def _sharded(folder: Path, ending: str) -> Iterator[str]:
    with os.scandir(folder) as shards:
        for shard in shards:
            if shard.is_dir() and len(shard.name) == 2:
                with os.scandir(shard) as files:
                    yield from (
                        f.name.removesuffix(ending) for f in files if f.name.endswith(ending) and f.name.count(".") == 1
                    )


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, tree: Mapping[str, Any], *, indent: int | None = 1) -> None:
    """Write a JSON file, whole or not at all, over one that is there; without indent, large ones are written quickly."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(json.dumps(tree, indent=indent))
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
