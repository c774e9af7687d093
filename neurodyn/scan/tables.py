"""Tables: points read from a CSV file, and parameters and results of all points written to one table."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurodyn.scan.columns import Column, as_text, gather
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder
from neurodyn.scan.points import Plan
from neurodyn.scan.survey import Survey

Row = dict[str, Any]
Columns = Mapping[str, tuple[Column, list[Any]]]
_ABOUT = ("key", "state", "repetition")
_USAGE = ("seconds", "cpu_seconds", "peak_bytes", "host", "worker", "source", "message")


def read_points(path: str | Path) -> list[dict[str, str]]:
    """The points in a CSV file: its first line names the parameters, each further line is a point; values are text.

    Raises
    ------
    ScanError
        A file that can't be read, without names or without points, names given twice, lines of other lengths, a line
        that is there twice.
    """
    try:
        with open(Path(path).expanduser(), encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except OSError as error:
        raise ScanError(f"points = {str(path)!r} can't be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScanError(f"points = {str(path)!r} is no CSV file in UTF-8: {error}") from None
    if not lines:
        raise ScanError(
            f"points = {str(path)!r} is empty; write names of parameters, and a line of values for each point"
        )
    names = _names(path, lines[0][1])
    if len(lines) == 1:
        raise ScanError(f"points = {str(path)!r} has no points: there is no line below that of the names")
    seen: dict[tuple[str, ...], int] = {}
    for number, cells in lines[1:]:
        if len(cells) != len(names):
            raise ScanError(
                f"{path}, line {number} has {len(cells)} values for {len(names)} names ({', '.join(names)}); a value with "
                'a comma in it stands in quotes: "[1,2]"'
            )
        if (first := seen.setdefault(tuple(cells), number)) != number:
            raise ScanError(f"{path}, line {number} is the same as line {first}; for repetitions, give seeds")
    return [dict(zip(names, cells, strict=True)) for cells in seen]


def _names(path: str | Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    for number, name in enumerate(names):
        if not name:
            hint = "; is it the index of a table? leave it out when writing (index=False)" if number == 0 else ""
            raise ScanError(f"{path}: column {number + 1} has no name in the first line{hint}")
        if not name.isidentifier():
            raise ScanError(f"{path}: the first line has to name the parameters, it has {name!r}")
        if name in names[:number]:
            raise ScanError(f"{path}: the first line has {name!r} twice")
    return names


def collect(folder: Folder) -> tuple[Path, Path]:
    """Write one table of all points, ``results.csv`` and ``results.h5`` in the scan's folder, over those that are there.

    A row for each point, in the order of the manifest: key, state, repetition, parameters, seed, results, checks (whether
    they passed), time, memory, where it ran, the version of the script, and why it failed. A result or parameter that has
    the name of another column gets "result: " or "parameter: " before it. Lists are JSON in the CSV file, and arrays in
    HDF5 if all are of one shape.
    """
    from neurodyn.recording.disk import beside, publish

    survey = Survey(folder)
    names = parameters_of(folder)
    columns = gather(rows_of_scan(survey, names), len(survey.points), quantities=names.values())
    columns = {name: columns[name] for name in _ordered(columns, names)}
    places = folder.path / "results.csv", folder.path / "results.h5"
    temporary = [beside(place, "tmp") for place in places]
    try:
        _write_csv(temporary[0], columns)
        _write_hdf5(temporary[1], survey, columns)
        for one, final in zip(temporary, places, strict=True):
            publish(one, final, overwrite=True)
    finally:
        for one in temporary:
            one.unlink(missing_ok=True)
    return places


def parameters_of(folder: Folder) -> dict[str, str]:
    """Parameter -> column, of all that a scan sets: the fixed ones, those that vary, and the seed last."""
    plan: Plan = folder.plan
    every = dict.fromkeys([*plan.fixed, *(name for row in plan.rows for name in row), *plan.grid])
    if plan.seeds is not None:
        every["seed"] = None
    return {name: f"parameter: {name}" if name in (*_ABOUT, *_USAGE) else name for name in every}


def rows_of_scan(survey: Survey, names: Mapping[str, str]) -> Iterator[Row]:
    """The rows of the table, those of points that are not done without results."""
    hosts = {member.name: member.host for member in survey.watcher.members()}
    taken = {*_ABOUT, *_USAGE, *names.values(), "checks_passed"}
    for point, state, ended, about in survey.outcomes():
        config = survey.folder.config(point)
        row: Row = {"key": point.key, "state": state, "repetition": point.repetition}
        row |= {column: config.get(name) for name, column in names.items()}
        row |= outcome_columns(about, taken)
        if about.get("checks"):
            row["checks_passed"] = sum(check["passed"] for check in about["checks"])
        if ended is not None:
            row |= {"seconds": ended.seconds, "cpu_seconds": ended.cpu, "peak_bytes": ended.peak}
            row |= {"host": hosts.get(ended.worker), "worker": ended.worker, "source": ended.source}
            row["message"] = f"{ended.kind}: {ended.message}" if state == "failed" else ended.message
        yield row


def outcome_columns(about: Mapping[str, Any], taken: Collection[str]) -> Row:
    """Results and checks under names that differ from those that are taken, and from each other."""
    results = {
        f"result: {name}" if name in taken or name.startswith("check: ") else name: value
        for name, value in (about.get("results") or {}).items()
    }
    return results | {f"check: {check['name']}": check["passed"] for check in about.get("checks") or ()}


def _ordered(columns: Collection[str], names: Mapping[str, str]) -> list[str]:
    first = [*_ABOUT, *names.values()]
    checks = ["checks_passed", *(name for name in columns if name.startswith("check: "))]
    results = [name for name in columns if name not in (*first, *checks, *_USAGE)]
    return [name for name in (*first, *results, *checks, *_USAGE) if name in columns]


def _write_csv(path: Path, columns: Columns) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        cells = [as_text(v) if column.kind in ("list", "mixed") else v for column, v in columns.values()]
        writer.writerows(zip(*cells, strict=True))


def _write_hdf5(path: Path, survey: Survey, columns: Columns) -> None:
    import h5py

    from neurodyn.recording.arrays import bare_scale
    from neurodyn.recording.layout import storage
    from neurodyn.recording.sink import writing

    header = survey.folder.header
    about = {"scan": header.id, "simulation": header.simulation, "script": header.script, "created": header.created}
    with writing(path) as file:
        file.attrs.update(about)
        points = bare_scale(file, "point", len(survey.points))
        scales: dict[int, Any] = {}
        for name, (column, values) in columns.items():
            text = column.dtype is object
            array = np.array(as_text(values), dtype=object) if text else column.array(values)
            how = {"dtype": h5py.string_dtype()} if text else storage(array.shape, array.itemsize)
            dataset = file.create_dataset(_hdf5_name(name, file), data=array, **how)
            dataset.attrs["long_name"] = name
            if column.units:
                dataset.attrs["units"] = column.units
            dataset.dims[0].attach_scale(points)
            for axis, length in enumerate(column.shape, 1):
                if length not in scales:
                    scales[length] = bare_scale(file, _hdf5_name(f"{length} entries", file), length)
                dataset.dims[axis].attach_scale(scales[length])


def _hdf5_name(name: str, file: Any) -> str:
    """A name that HDF5 takes, and that is free."""
    found = name.replace("/", "_per_").replace("\0", "") or "_"
    while found in file or found == ".":
        found += "_"
    return found
