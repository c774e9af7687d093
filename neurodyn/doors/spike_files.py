"""Spikes from files, as a stimulus: our recordings, SONATA spike files, and the Units of NWB."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodyn import units
from neurodyn.parts import SpikeTimes
from neurodyn.recording.arrays import read_values, visible_attrs
from neurodyn.recording.layout import children, dataset_at, lookup
from neurodyn.recording.reader import Recording
from neurodyn.recording.values import decode

_SLACK_S = 1e-9  # times are multiples of a step in floating point


@dataclass(frozen=True)
class _Found:
    """Spikes of one population: times in seconds, units from 0, how many units there are."""

    times: np.ndarray
    ids: np.ndarray
    size: int


def read_spikes(
    path: str | Path | Recording,
    *,
    population: str | None = None,
    name: str | None = None,
    window: tuple[Any, Any] | None = None,
) -> SpikeTimes:
    """Read spikes from a file, as a part of a circuit that emits them again.

    Parameters
    ----------
    path : path or Recording
        A recording of ours, a SONATA spike file (or a folder with ``spikes.h5``, as `nd.export` writes it), or an NWB
        file with a table of Units.
    population : str, optional
        Which population; needed if there are several. In NWB, the value of the column "population"; without that
        column all units are taken.
    name : str, optional
        Name of the part; default that of the population, as an identifier.
    window : (start, stop), optional
        Quantities of time, such as ("2 s", "2.5 s"): only spikes with start <= t < stop, counted from start.

    Returns
    -------
    SpikeTimes
        Units keep their numbers: ``node_ids`` of SONATA, the column "unit" of NWB where that counts within the
        population, else the row. Silent units are counted as far as the file tells of them. The times (n,) are in
        order; in a circuit each goes to the nearest step, and two spikes of a unit in one step are refused.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    KeyError
        For an unknown population.
    ValueError
        For a file without spikes, several populations and none chosen, or a window that isn't one.
    """
    with path.open() if isinstance(path, Recording) else _opened(path) as file:
        chosen, found = _nwb(file, population) if "units" in file else _sonata(file, population)
    order = np.lexsort((found.ids, found.times))
    times, ids = found.times[order], found.ids[order]
    if window is not None:
        times, ids = _within(times, ids, window)
    if len(times) and times[0] < 0:
        raise ValueError(
            f"{path}: spikes before 0 (the first at {times[0]:g} s); give window = (start, stop), quantities from which "
            "times are counted"
        )
    return SpikeTimes(
        name if name is not None else _identifier(chosen),
        found.size,
        ids,
        units.Quantity(times, units.dimensions_of("s")),
    )


def _opened(path: str | Path) -> h5py.File:
    file = Path(path).expanduser()
    if file.is_dir():
        file = file / "spikes.h5"
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist")
    try:
        return h5py.File(file, "r")
    except OSError as error:
        raise ValueError(
            f"{file} cannot be read as HDF5, which recordings, SONATA and NWB are; from other files make "
            f"nd.SpikeTimes(name, size, units, times) yourself: {error}"
        ) from error


def _within(times: np.ndarray, ids: np.ndarray, window: tuple[Any, Any]) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(window, tuple | list) or len(window) != 2:
        raise ValueError(f"window = {window!r}; give (start, stop), such as ('2 s', '2.5 s')")
    start, stop = (float(units.si(edge, "second", name="window")) for edge in window)
    if not start < stop:
        raise ValueError(f"window = {window!r}: start has to be before stop")
    inside = (times >= start - _SLACK_S) & (times < stop - _SLACK_S)
    return np.maximum(times[inside] - start, 0.0), ids[inside]


def _identifier(text: str) -> str:
    made = re.sub(r"\W", "_", text)
    return made if made.isidentifier() else f"p_{made}"


def _choose(file: h5py.File, population: str | None, there: list[str]) -> str:
    if population is None and len(there) == 1:
        return there[0]
    if population is None:
        raise ValueError(f"{file.filename} has spikes of {', '.join(there)}; choose one: population={there[0]!r}")
    if population not in there:
        near = difflib.get_close_matches(str(population), there, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(there)}"
        raise KeyError(f"{file.filename} has no spikes of a population {population!r}; {hint}")
    return population


def _sonata(file: h5py.File, population: str | None) -> tuple[str, _Found]:
    section = lookup(file, "spikes")
    groups = {}
    if isinstance(section, h5py.Group):
        groups = {
            name: group
            for name, group in children(section)
            if isinstance(group, h5py.Group) and {"timestamps", "node_ids"} <= set(group)
        }
    if not groups:
        raise ValueError(
            f"{file.filename} has no spikes: neither /spikes/<population>/timestamps and node_ids (recordings, SONATA) "
            "nor /units (NWB)"
        )
    chosen = _choose(file, population, list(groups))
    group = groups[chosen]
    stamps, nodes = dataset_at(group, "timestamps"), dataset_at(group, "node_ids")
    times, ids = read_values(stamps), read_values(nodes)
    if times.shape != ids.shape or times.ndim != 1 or times.dtype.kind not in "iuf" or ids.dtype.kind not in "iu":
        raise ValueError(
            f"{file.filename}: /spikes/{chosen} doesn't hold spikes as SONATA has them: {times.dtype} times "
            f"{times.shape}, {ids.dtype} ids {ids.shape}"
        )
    unit = str(visible_attrs(stamps).get("units", "ms"))
    scale = float(units.si(f"1 {unit}", "second", name=f"units of /spikes/{chosen}/timestamps"))
    ids = ids.astype(np.int64)
    told = decode(group.attrs["size"]) if "size" in group.attrs else _nodes(file, chosen)
    size = max(int(ids.max(initial=-1)) + 1, told if isinstance(told, int) else 0)
    return chosen, _Found(times.astype(float) * scale, ids, size)


def _nodes(file: h5py.File, population: str) -> int:
    """How many nodes the population has by the ``nodes.h5`` beside the spikes, if it is there; else 0."""
    beside = Path(file.filename).with_name("nodes.h5")
    if not beside.exists():
        return 0
    with h5py.File(beside, "r") as nodes:
        found = lookup(nodes, f"nodes/{population}/node_type_id")
        return int(found.shape[0]) if isinstance(found, h5py.Dataset) and found.ndim == 1 else 0


def _nwb(file: h5py.File, population: str | None) -> tuple[str, _Found]:
    table = lookup(file, "units")
    columns = dict(children(table)) if isinstance(table, h5py.Group) else {}
    if not {"spike_times", "spike_times_index"} <= set(columns):
        raise ValueError(f"{file.filename} has no spikes: /units lacks spike_times and their index, as NWB has them")
    flat, ends = (_column(columns[name]) for name in ("spike_times", "spike_times_index"))
    counts = np.diff(ends.astype(np.int64), prepend=0) if ends.dtype.kind in "iu" else np.array([-1])
    if flat.dtype.kind != "f" or (counts < 0).any() or counts.sum() != len(flat):
        raise ValueError(
            f"{file.filename}: /units doesn't hold spikes as NWB has them: {len(flat)} times of {flat.dtype}, rows up "
            f"to {ends[-1:].tolist()}"
        )
    names = _column(columns["population"]) if "population" in columns else None
    rows = np.arange(len(counts))
    if names is not None and len(names) != len(rows):
        raise ValueError(
            f"{file.filename}: /units doesn't hold spikes as NWB has them: {len(names)} populations of {len(rows)} rows"
        )
    if names is None:
        if population is not None:
            raise KeyError(
                f"population = {population!r}, but the Units of {file.filename} have no column 'population'; leave it out"
            )
        chosen = "units"
    else:
        chosen = _choose(file, population, list(dict.fromkeys(map(str, names.tolist()))))
        rows = rows[names.astype(str) == chosen]
    ids = _numbers(columns, rows)
    taken = np.isin(np.repeat(np.arange(len(counts)), counts), rows)
    return chosen, _Found(flat[taken], np.repeat(ids, counts[rows]), int(ids.max(initial=-1)) + 1)


def _column(member: Any) -> np.ndarray:
    if not isinstance(member, h5py.Dataset) or member.ndim != 1:
        raise ValueError(f"{member.file.filename}: {member.name} is no column of a table")
    return read_values(member)


def _numbers(columns: dict[str, Any], rows: np.ndarray) -> np.ndarray:
    """The number of each unit: the column "unit" where it counts them, else their order."""
    if "unit" in columns and len(given := _column(columns["unit"])) > rows.max(initial=-1):
        given = given[rows]
        if given.dtype.kind in "iu" and len(np.unique(given)) == len(rows) and given.min(initial=0) >= 0:
            return given.astype(np.int64)
    return np.arange(len(rows))
