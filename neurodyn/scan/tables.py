"""Tables: points read from a CSV file, and parameters and results of all points written to one table."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from neurodyn.scan.columns import Column, as_text
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder
from neurodyn.scan.points import Plan
from neurodyn.scan.survey import Survey

Row = dict[str, Any]
_BLOCK = 10_000  # rows that are held at a time
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
        with suppress(ValueError):
            float(name)
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
    survey = Survey(folder)
    names = parameters_of(folder)
    columns: dict[str, Column] = {}
    for row in rows_of_scan(survey, names):
        for name, value in row.items():
            if name not in columns:
                columns[name] = Column(name, quantities=name in names.values())
            columns[name].see(value)
    columns = {name: columns[name] for name in _ordered(columns, names)}
    for column in columns.values():  # what some rows do not have
        if column.name not in (*_ABOUT, *names.values(), *_USAGE):
            column.see(None)

    def blocks() -> Iterator[list[Row]]:
        rows = rows_of_scan(survey, names)
        while block := list(islice(rows, _BLOCK)):
            yield block

    places = folder.path / "results.csv", folder.path / "results.h5"
    _put(places[0], lambda path: _write_csv(path, columns, blocks()))
    _put(places[1], lambda path: _write_hdf5(path, survey, columns, blocks()))
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


def _ordered(columns: Mapping[str, Column], names: Mapping[str, str]) -> list[str]:
    first = [*_ABOUT, *names.values()]
    checks = ["checks_passed", *(name for name in columns if name.startswith("check: "))]
    results = [name for name in columns if name not in (*first, *checks, *_USAGE)]
    return [name for name in (*first, *results, *checks, *_USAGE) if name in columns]


def _put(final: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside its place, then put it there in one step."""
    from neurodyn.recording.disk import beside, publish

    temporary = beside(final, "tmp")
    try:
        write(temporary)
        publish(temporary, final, overwrite=True)
    finally:
        temporary.unlink(missing_ok=True)


def _write_csv(path: Path, columns: Mapping[str, Column], blocks: Iterator[list[Row]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for block in blocks:
            writer.writerows([_cell(row.get(name)) for name in columns] for row in block)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def _write_hdf5(path: Path, survey: Survey, columns: Mapping[str, Column], blocks: Iterator[list[Row]]) -> None:
    import h5py

    from neurodyn.recording.arrays import bare_scale
    from neurodyn.recording.layout import GZIP
    from neurodyn.recording.sink import writing

    size, header = len(survey.points), survey.folder.header
    with writing(path) as file:
        about = {"scan": header.id, "simulation": header.simulation, "script": header.script, "created": header.created}
        file.attrs.update(about)
        scales = {size: bare_scale(file, "point", size)}
        datasets = {}
        for name, column in columns.items():
            shape = (size, *column.shape)
            how = {"chunks": (_BLOCK, *column.shape), **GZIP} if size > _BLOCK and 0 not in shape else {}
            dtype = h5py.string_dtype() if column.dtype is object else column.dtype
            datasets[name] = dataset = file.create_dataset(_hdf5_name(name, file), shape, dtype, **how)
            dataset.attrs["long_name"] = name
            if column.units:
                dataset.attrs["units"] = column.units
            for axis, length in enumerate(shape):
                if axis and length not in scales:
                    scales[length] = bare_scale(file, _hdf5_name(f"{length} entries", file), length)
                dataset.dims[axis].attach_scale(scales[length] if axis else scales[size])
        start = 0
        for block in blocks:
            for name, column in columns.items():
                values = column.array([row.get(name) for row in block])
                datasets[name][start : start + len(block)] = as_text(values) if column.dtype is object else values
            start += len(block)


def _hdf5_name(name: str, file: Any) -> str:
    """A name that HDF5 takes, and that is free."""
    found = name.replace("/", "_per_").replace("\0", "") or "_"
    while found in file or found == ".":
        found += "_"
    return found
