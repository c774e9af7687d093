"""A recording as SONATA files: spikes, a frame report for each state, and the configurations that find them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from neurodyn.doors.folder import Folder, writing
from neurodyn.doors.series import Series, over_time
from neurodyn.recording.layout import children, chunk_shape, lookup
from neurodyn.recording.values import decode

if TYPE_CHECKING:
    from neurodyn.recording.reader import Recording

_MAGIC, _VERSION = np.uint32(0x0A7A), np.array([0, 1], np.uint32)  # what SONATA asks of the root of its files
_BY_TIME, _SORTING = 2, h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
_LARGEST_SEED = 2**31 - 1  # an int32 to its readers; all of it stands in the recording


def write_sonata(recording: Recording, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write `recording` as a folder of SONATA files and return its path.

    ``spikes.h5`` holds the spikes of each population, one report file each array under /state that was sampled evenly
    by unit (float32, as the format demands), ``nodes.h5`` the sizes of the populations; ``simulation_config.json``
    and ``circuit_config.json`` name them for readers of configurations, and ``index.csv`` says of each entry of the
    recording where it is, or why SONATA has no place for it.

    Raises FileExistsError if the folder is there, ValueError for a recording with neither spikes nor states of units.
    """
    spiking = [key for key in recording if key.startswith("spikes/")]
    sources = _sources(recording)
    series = {found.key: found for found in over_time(recording)}
    reports = {key: one for key, one in series.items() if _why_not(key, one) is None}
    if not spiking and not reports:
        raise ValueError(
            f"{recording.path or 'the recording'} has neither spikes nor states of units sampled evenly, which is what "
            f"SONATA has a place for; it holds {', '.join(recording) or 'no arrays'}"
        )
    with writing(path, overwrite=overwrite) as (folder, final):
        sizes = _sizes(recording)
        sizes |= _spikes(recording, folder, spiking)
        written = {}
        for key in recording:
            if key in reports:
                file = folder.file(f"{reports[key].name}.h5")
                owner = key.split("/")[1]
                population = sources.get(owner, owner)
                _report(file, population, reports[key])
                last = int(reports[key].labels["unit"].max(initial=-1)) + 1
                sizes[population] = max(sizes.get(population, 0), last)
                written[reports[key].name] = _entry(file, population, reports[key])
                folder.note(
                    file, key, reports[key].array.units, f"frame report of the population {population}, float32"
                )
            elif key not in spiking:
                folder.note(None, key, "", f"not in SONATA: {_why_not(key, series.get(key))}")
        _nodes(folder, sizes)
        _configurations(folder, recording, sizes, written)
    return final


def _why_not(key: str, series: Series | None) -> str | None:
    """Why an array can't be a frame report; None if it can."""
    if series is None or not key.startswith("state/") or key.count("/") != 2:
        return "its reports are of states of units over time"
    if series.array.dims != ("time", "unit"):
        return f"its reports are by time and unit, this is by {' and '.join(series.array.dims)}"
    if series.step_ms is None:
        return "its samples are not evenly spaced"
    return None


def _sizes(recording: Recording) -> dict[str, int]:
    """The sizes of the populations of the network, as far as the recording holds it."""
    return {str(at["name"]): at["size"] for at in _parts(recording, "populations") if isinstance(at.get("size"), int)}


def _sources(recording: Recording) -> dict[str, str]:
    """The population whose units a filter filters, by the name of the filter."""
    return {str(at["name"]): str(at["source"]) for at in _parts(recording, "filters") if at.get("source")}


def _parts(recording: Recording, kind: str) -> list[dict[str, Any]]:
    with recording.open() as file:
        group = lookup(file, f"network/{kind}")
        parts = [part for _, part in children(group)] if isinstance(group, h5py.Group) else []
        return [{key: decode(value) for key, value in part.attrs.items()} for part in parts if "name" in part.attrs]


def _root(path: Path) -> h5py.File:
    file = h5py.File(path, "w")
    file.attrs["magic"], file.attrs["version"] = _MAGIC, _VERSION
    return file


def _spikes(recording: Recording, folder: Folder, keys: list[str]) -> dict[str, int]:
    sizes = {}
    if not keys:
        return sizes
    path = folder.file("spikes.h5")
    with _root(path) as file:
        for key in keys:
            spikes = recording[key]
            group = file.create_group(key)
            group.attrs.create("sorting", _BY_TIME, dtype=_SORTING)
            # uncompressed: libsonata as it comes from PyPI can't read gzip
            times = group.create_dataset("timestamps", data=spikes.times)
            times.attrs["units"] = "ms"
            group.create_dataset("node_ids", data=spikes.ids.astype(np.uint64))
            sizes[spikes.population] = spikes.size
            folder.note(path, key, "ms", f"spikes of {spikes.size} units, in order of time")
    return sizes


def _report(path: Path, population: str, series: Series) -> None:
    array, units = series.array, series.labels["unit"]
    how = {"chunks": chunk_shape(array.shape, 4)} if array.nbytes else {}
    with _root(path) as file:
        group = file.create_group(f"report/{population}")
        data = group.create_dataset("data", array.shape, dtype=np.float32, **how)
        data.attrs["units"] = array.units or "unknown"
        start = 0
        for block in array.blocks():
            data[start : start + len(block)] = block
            start += len(block)
        mapping = group.create_group("mapping")
        nodes = mapping.create_dataset("node_ids", data=units.astype(np.uint64))
        nodes.attrs["sorted"] = np.uint8((np.diff(units) > 0).all())
        mapping.create_dataset("index_pointers", data=np.arange(len(units) + 1, dtype=np.uint64))
        mapping.create_dataset("element_ids", data=np.zeros(len(units), np.uint32))  # one compartment a unit
        time = mapping.create_dataset("time", data=np.array(_clock(series)))
        time.attrs["units"] = "ms"


def _clock(series: Series) -> tuple[float, float, float]:
    """Start, stop and step in ms; a state at the end of step k bears (k + 1) dt, in the report as in the recording."""
    assert series.step_ms is not None
    start = float(series.times[0])
    return start, start + len(series.times) * series.step_ms, series.step_ms


def _entry(path: Path, population: str, series: Series) -> dict[str, Any]:
    start, stop, step = _clock(series)
    return {
        "cells": population,
        "type": "compartment",
        "sections": "soma",
        "variable_name": series.key.rpartition("/")[2],
        "unit": series.array.units or "unknown",
        "dt": step,
        "start_time": start,
        "end_time": stop,
        "file_name": path.name,
        "enabled": True,
    }


def _nodes(folder: Folder, sizes: Mapping[str, int]) -> None:
    path = folder.file("nodes.h5")
    with _root(path) as file:
        for name, size in sizes.items():
            group = file.create_group(f"nodes/{name}")
            group.create_group("0")  # no attributes by node: parameters stay in the recording
            for column in ("node_type_id", "node_group_id"):
                group.create_dataset(column, data=np.zeros(size, np.uint64))
            group.create_dataset("node_group_index", data=np.arange(size, dtype=np.uint64))
    folder.note(path, "network", "", f"sizes of the populations: {', '.join(f'{n} {s}' for n, s in sizes.items())}")


def _configurations(
    folder: Folder, recording: Recording, sizes: Mapping[str, int], reports: Mapping[str, Mapping[str, Any]]
) -> None:
    attrs = recording.attrs
    ends = [report["end_time"] for report in reports.values()]
    spikes = folder.path / "spikes.h5"
    ends += [recording[key].duration_ms for key in recording if key.startswith("spikes/")]
    seed = str(attrs.get("seed"))
    texts = {
        "node_sets.json": {name: {"population": name} for name in sizes},
        "circuit_config.json": {
            "version": 2,
            "node_sets_file": "node_sets.json",
            "networks": {
                "nodes": [
                    {
                        "nodes_file": "nodes.h5",
                        "node_types_file": None,
                        "populations": {name: {"type": "point_neuron"} for name in sizes},
                    }
                ],
                "edges": [],
            },
        },
        "simulation_config.json": {
            "version": 2,
            "network": "circuit_config.json",
            "run": {
                "tstop": max(ends, default=0.0),
                "dt": attrs.get("dt_ms") or min(report["dt"] for report in reports.values()),
                "random_seed": min(int(seed) if seed.isdecimal() else 0, _LARGEST_SEED),
            },
            "output": {"output_dir": ".", **({"spikes_file": spikes.name} if spikes.exists() else {})},
            "reports": dict(reports),
        },
    }
    for name, content in texts.items():
        file = folder.file(name)
        file.write_text(json.dumps(content, indent=2), encoding="utf-8")
        folder.note(file, "", "", "configuration for readers of SONATA")
