"""A recording as CSV files, for spreadsheets, R and pandas."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodyn.doors.folder import Folder, writing
from neurodyn.doors.series import coordinate
from neurodyn.recording.arrays import dimensions, read_values, visible_attrs
from neurodyn.recording.layout import dataset_at
from neurodyn.recording.lazy import LazyArray

if TYPE_CHECKING:
    import pandas

    from neurodyn.recording.reader import Recording

MOST_NUMBERS = 20_000_000  # about 400 MB of text


def write_csv(recording: Recording, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write `recording` as a folder of CSV files and return its path.

    ``spikes.csv`` has a row for each spike (population, unit, time_ms); an array has a file of its own, a row for each
    sample and a column for each unit (or output, or pair of them); ``trials.csv``, ``results.csv`` and ``checks.csv``
    are the tables of these names, ``configuration.json`` holds configuration and provenance, and ``index.csv`` tells
    of each file what it holds, in which units.

    Raises ValueError for more than 20 million numbers, FileExistsError if the folder is there.
    """
    keys = recording.keys()
    _check_size(recording, keys)
    with writing(path, overwrite=overwrite) as (folder, final):
        _spikes(recording, folder, [key for key in keys if key.startswith("spikes/")])
        for key in keys:
            if not key.startswith("spikes/"):
                _array(recording, folder, key)
        _tables(recording, folder)
        about = {"attributes": recording.attrs, "configuration": recording.config}
        for text in ("config_json", "results_json", "checks_json"):
            about["attributes"].pop(text, None)
        file = folder.file("configuration.json")
        file.write_text(json.dumps(about, indent=2, ensure_ascii=False), encoding="utf-8")
        folder.note(file, "", "", "configuration of the run, versions, seed, machine and time")
    return final


def _check_size(recording: Recording, keys: Iterable[str]) -> None:
    sizes = {}
    with recording.open() as file:
        for key in keys:
            spikes = key.startswith("spikes/")
            shape = dataset_at(file, f"{key}/node_ids" if spikes else key).shape
            sizes[key] = math.prod(shape) * (2 if spikes else 1)
    total = sum(sizes.values())
    if total > MOST_NUMBERS:
        largest = max(sizes, key=lambda key: sizes[key])
        raise ValueError(
            f"the recording has {total / 1e6:.1f} million numbers, {largest} alone {sizes[largest] / 1e6:.1f}; CSV is "
            f"written up to {MOST_NUMBERS / 1e6:g} million. Export it to NWB or SONATA, read it in pieces with "
            "recording.lazy(key), or record fewer units or every k-th step"
        )


def _spikes(recording: Recording, folder: Folder, keys: list[str]) -> None:
    if not keys:
        return
    import pandas

    def tables() -> Iterator[pandas.DataFrame]:
        for key in keys:
            spikes = recording[key]
            yield pandas.DataFrame({"population": spikes.population, "unit": spikes.ids, "time_ms": spikes.times})

    file = folder.file("spikes.csv")
    _write(file, tables())
    for key in keys:
        size = recording[key].size
        folder.note(file, key, "ms", f"a row for each spike; the population has {size} units, silent ones included")


def _array(recording: Recording, folder: Folder, key: str) -> None:
    import pandas

    with recording.open() as opened:
        dataset = dataset_at(opened, key)
        dims, shape, text = dimensions(dataset), dataset.shape, dataset.dtype.kind not in "biufc"
        coords = [coordinate(dataset, axis) for axis in range(len(dims))]
        units = str(visible_attrs(dataset).get("units", ""))
        values = read_values(dataset) if text or not shape else None
    labels = [found[0] if found else np.arange(size) for found, size in zip(coords, shape, strict=True)]
    columns = _columns(dims[1:], labels[1:])
    first = _first_column(dims, coords)

    def tables() -> Iterator[pandas.DataFrame]:
        start = 0
        for block in LazyArray(recording.open, key).blocks(_rows(shape)) if values is None else [np.atleast_1d(values)]:
            table = pandas.DataFrame(block.reshape(len(block), len(columns)), columns=columns)
            if dims:
                table.insert(0, first, labels[0][start : start + len(block)], allow_duplicates=True)
            start += len(block)
            yield table

    file = folder.file(f"{key.replace('/', '.')}.csv")
    _write(file, tables(), head=[first, *columns])
    across = f", a column for each {' and '.join(dims[1:])}" if dims[1:] else ""
    folder.note(file, key, units, f"a row for each {dims[0]}{across}" if dims else "one number")


def _first_column(dims: list[str], coords: list[tuple[np.ndarray, dict[str, Any]] | None]) -> str:
    """What the first column is called: "time_ms", so that the unit is seen where the numbers are."""
    if not dims:
        return "value"
    unit = coords[0][1].get("units", "") if coords[0] else ""
    return f"{dims[0]}_{unit}" if unit == "ms" else dims[0]


def _columns(dims: list[str], labels: list[np.ndarray]) -> list[str]:
    """The heads of the columns: "unit 3", or "output A, unit 3" where there are several dimensions."""
    if not dims:
        return ["value"]
    heads = [""]
    for dim, values in zip(dims, labels, strict=True):
        heads = [f"{head}{', ' if head else ''}{dim} {label}" for head in heads for label in values.tolist()]
    return heads


def _rows(shape: tuple[int, ...]) -> int:
    return max(1, 1_000_000 // max(1, math.prod(shape[1:])))


def _tables(recording: Recording, folder: Folder) -> None:
    import pandas

    trials, results, checks = recording.trials, recording.results, recording.checks
    if len(trials):
        file = folder.file("trials.csv")
        trials.to_csv(file)
        folder.note(file, "trials", "ms in columns that end in _ms", "a row for each trial")
    if results:
        file = folder.file("results.csv")
        rows = [
            (name, json.dumps(value) if isinstance(value, list | dict) else value) for name, value in results.items()
        ]
        pandas.DataFrame(rows, columns=["name", "value"]).to_csv(file, index=False)
        folder.note(file, "results", "", "a row for each result; lists are JSON")
    if checks:
        file = folder.file("checks.csv")
        pandas.DataFrame(checks).to_csv(file, index=False)
        folder.note(file, "checks", "", "a row for each check: measured value, threshold, reference and its source")


def _write(file: Path, tables: Iterable[pandas.DataFrame], *, head: list[str] | None = None) -> None:
    """Write the tables below one another; `head` stands alone where there is none."""
    import pandas

    first = True
    for table in tables:
        table.to_csv(file, mode="w" if first else "a", header=first, index=False)
        first = False
    if first:
        pandas.DataFrame(columns=head).to_csv(file, index=False)
