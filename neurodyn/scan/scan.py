"""Scans: one simulation at many points, in a folder that knows what is done."""

from __future__ import annotations

import importlib
import inspect
import os
import secrets
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodyn.parameters import ParameterError
from neurodyn.recording.places import shown
from neurodyn.recording.provenance import versions
from neurodyn.scan.errors import ScanError, in_words
from neurodyn.scan.folder import Folder, Header, read_json, write_json
from neurodyn.scan.options import Report, RunOptions
from neurodyn.scan.points import Plan, checked, defaults_of, points_of
from neurodyn.scan.selection import candidates, outdated, selected
from neurodyn.scan.source import changes, source_files, source_hash
from neurodyn.scripts import simulation_of, split_target
from neurodyn.simulation import Simulation

if TYPE_CHECKING:
    from neurodyn.scan.probe import DryRun
    from neurodyn.scan.status import Status


class Scan:
    """One simulation at many points.

    Parameters
    ----------
    simulation : str, path or Simulation
        "SCRIPT.py", "SCRIPT.py:NAME", or a function under ``@nd.simulation`` that stands in a file.
    out : path
        The scan's folder. One that holds the same scan is opened; any other is refused.
    grid : mapping of name to sequence
        Axes; every combination of their values is a point.
    points : sequence of mappings, or path of a CSV file with a header
        Points that are no grid, the same names in each; combined with ``grid`` if there is one.
    set : mapping
        Parameters that are the same everywhere.
    seeds : int
        How many times each combination runs. The parameter ``seed`` of each is made from all its other parameters and the
        number of the repetition, so that neither order, nor growth, nor where it runs changes it. Left out, ``seed`` is
        a parameter like any other.
    root_seed : int
        Another one gives other seeds.
    paired : sequence of str
        Parameters that seeds do not depend on: points that differ only in these have the same seeds. ``backend``
        always is one.

    Raises
    ------
    ScanError, ScriptError
        Before anything is written: names and values that the simulation doesn't take, a folder that is taken.
    """

    def __init__(
        self,
        simulation: str | Path | Simulation,
        *,
        out: str | Path,
        grid: Mapping[str, Sequence[Any]] | None = None,
        points: Sequence[Mapping[str, Any]] | str | Path = (),
        set: Mapping[str, Any] | None = None,
        seeds: int | None = None,
        root_seed: int = 0,
        paired: Sequence[str] = (),
    ) -> None:
        function, target = _resolved(simulation)
        rows = rows_of(points, function)
        asked = Plan(
            dict(set or {}), {k: list(v) for k, v in (grid or {}).items()}, rows, seeds, root_seed, tuple(paired)
        )
        plan = checked(function, asked)
        place = Path(out).expanduser()
        if (place / "scan.json").is_file():
            self.folder = _same(Folder(place), target, plan)
        else:
            self.folder = Folder.create(place, _header(function, target))
        if not self.folder.planned:
            self.folder.add_plan(plan, points_of(plan, self.folder.header.defaults), asked=_stamp(self.folder))

    @classmethod
    def open(cls, folder: str | Path) -> Scan:
        """The scan in a folder."""
        self = cls.__new__(cls)
        self.folder = Folder(folder)
        if not self.folder.planned:
            raise ScanError(f"{folder} has no points, since planning it did not come to its end; plan it again")
        return self

    def __repr__(self) -> str:
        return f"<scan of {self.folder.header.simulation}: {self.folder.size} points in {shown(self.folder.path)}>"

    @property
    def path(self) -> Path:
        """The scan's folder."""
        return self.folder.path

    def extend(
        self,
        *,
        grid: Mapping[str, Sequence[Any]] | None = None,
        points: Sequence[Mapping[str, Any]] | str | Path = (),
        seeds: int | None = None,
    ) -> int:
        """Add values to axes, axes, points or repetitions; returns how many points are new, the others stay as they are.

        An axis that is new has the value that it had so far as its first one.

        Parameters
        ----------
        grid : mapping of parameter to values
            Added to the axes, or new axes.
        points : sequence of mappings, or a CSV file
            Single points.
        seeds : int, optional
            Repetitions of each point from now on.

        Raises
        ------
        ScanError
            For parameters that the simulation lacks, and ``seeds`` of a scan that was made without.
        """
        header, plan = self.folder.header, self.folder.plan
        if seeds is not None and plan.seeds is None:
            raise ScanError(
                f"seeds = {seeds}: this scan was made without seeds; begin another, or add to the axis 'seed'"
            )
        function = simulation_of(_target(header))
        asked = checked(
            function, Plan(grid=dict(grid or {}), rows=rows_of(points, function), seeds=seeds, paired=plan.paired)
        )
        base = {**header.defaults, **plan.fixed}
        fresh = {name: [base[name], *values] for name, values in asked.grid.items() if name not in plan.grid}
        whole = plan.merged(Plan(grid={**asked.grid, **fresh}, rows=asked.rows, seeds=seeds))
        return self.folder.add_plan(whole, points_of(whole, header.defaults), asked=_stamp(self.folder))

    def run(
        self,
        which: Collection[str] | str = ("missing",),
        *,
        begin: Callable[[int], Any] | None = None,
        report: Report | None = None,
        client: Any = None,
        **options: Any,
    ) -> str:
        """Run points; options that are left out are those of the last run.

        Parameters
        ----------
        which : "missing", "failed", "outdated", or several of them
            Points that have not run or were lost with their worker; those that failed; those that another text of the
            simulation did, whose recordings are put aside.
        begin : callable
            Called with the number of points, before the first one.
        report : callable
            Called with a point and how it ended, whenever one has (not on Slurm).
        client : dask.distributed.Client
            Where to run with ``on="dask"``.
        **options
            See :class:`neurodyn.scan.options.RunOptions`.

        Returns
        -------
        str
            What there is to say: why it stopped, which job was submitted.
        """
        chosen = self.options(**options)
        source = source_files(Path(self.folder.header.script))
        with in_words(self.path):
            points = selected(self.folder, [which] if isinstance(which, str) else which, source=source_hash(source))
            write_json(self.folder.path / "run.json", chosen.to_json())
        if not points:
            return "nothing to do"
        if begin is not None:
            begin(len(points))
        executor = importlib.import_module(f"neurodyn.scan.executors.{chosen.on}")
        more = {"client": client} if chosen.on == "dask" else {}
        return executor.run(self.folder, points, chosen, report or (lambda point, end: None), **more)

    def dry_run(self, which: Collection[str] | str = ("missing",), **options: Any) -> DryRun:
        """Which points would run, and what they would take, from one of them; the scan stays as it is.

        Takes what :meth:`run` does; raises `ScanError` if there is no point to run.
        """
        from neurodyn.scan.probe import probe

        kinds = [which] if isinstance(which, str) else which
        old = self.outdated() if "outdated" in kinds else set()
        return probe(self.folder, candidates(self.folder, kinds, old), self.options(**options))

    def outdated(self) -> set[str]:
        """Keys of the points that were done by another text of the simulation than the present one."""
        return outdated(self.folder, source_hash(source_files(Path(self.folder.header.script))))

    def status(self) -> Status:
        """How far it is, what failed and why, what to do next; ``print(scan.status())`` shows it."""
        from neurodyn.scan.status import status

        return status(self.folder)

    def collect(self) -> tuple[Path, Path]:
        """Write parameters and results of all points into one table, as CSV and HDF5; returns the two files."""
        from neurodyn.scan.tables import collect

        return collect(self.folder)

    def options(self, **given: Any) -> RunOptions:
        """The options of the last run, with these changes."""
        before = self.folder.path / "run.json"
        return RunOptions(**{**(read_json(before) if before.exists() else {}), **given})

    def changes(self) -> list[str]:
        """What differs from when the scan was planned: files of the simulation, versions of packages; in words."""
        header = self.folder.header
        now = source_files(Path(header.script))
        said = [f"{name} has changed since the scan was planned" for name in changes(header.source, now)]
        for name, version in versions().items():
            if header.versions.get(name, version) != version:
                said.append(f"{name} was {header.versions[name]}, it is {version} now")
        return said


def _resolved(simulation: str | Path | Simulation) -> tuple[Simulation, str]:
    """The simulation, and "SCRIPT.py:NAME" with an absolute path."""
    if not isinstance(simulation, Simulation):
        function = simulation_of(str(simulation))
        script, _ = split_target(str(simulation))
        return function, f"{script.resolve()}:{function.name}"
    file = inspect.getsourcefile(simulation.function)
    if file is None or not Path(file).is_file():
        raise ScanError(
            f"{simulation.name} stands in no file; write it into a script, which other processes can import"
        )
    return simulation, f"{Path(file).resolve()}:{simulation.name}"


def _target(header: Header) -> str:
    return f"{header.script}:{header.simulation}"


def _header(simulation: Simulation, target: str) -> Header:
    script, _ = split_target(target)
    defaults = defaults_of(simulation)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    where = (str(script), simulation.name, os.getcwd())
    return Header(secrets.token_hex(4), *where, defaults, source_files(script), versions(), now)


def _stamp(folder: Folder) -> dict[str, Any]:
    """When and by what something was asked."""
    source = source_hash(source_files(Path(folder.header.script)))
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "command": sys.argv, "source": source}


def _same(folder: Folder, target: str, plan: Plan) -> Folder:
    """The folder, if what is asked is what it holds."""
    if _target(folder.header) != target:
        raise ScanError(f"out = {str(folder.path)!r} holds a scan of {_target(folder.header)}; give another name")
    if folder.planned and folder.plan != plan and folder.plan.to_json() != plan.to_json():
        raise ScanError(
            f"out = {str(folder.path)!r} holds a scan with another plan; to add to it, use `neurodyn scan extend` "
            "(Scan.extend), for anything else give another name"
        )
    return folder


def rows_of(points: Sequence[Mapping[str, Any]] | str | Path, simulation: Simulation) -> list[dict[str, Any]]:
    """Points given as mappings or as a CSV file."""
    if not isinstance(points, (str, Path)):
        return [dict(row) for row in points]
    from neurodyn.scan.tables import read_points

    try:
        return [simulation.from_text(row) for row in read_points(points)]
    except ParameterError as error:
        raise ScanError(f"{points}, first line: {error}") from None
