"""What a recording holds, as lines that an overview can draw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodyn.plots.base import label as label_of

CLOCK = "time (ms)"
# Columns of the table of trials that may hold the start of a trial on the clock of the run, in ms.
STARTS = ("start_ms", "start")
# Variables of a readout that are held against its target; others only if a readout has none of these.
OUTPUTS = ("y", "o", "z", "output", "expectation", "prediction")


@dataclass(frozen=True, eq=False)
class Track:
    """Lines of one entry: values (x, line) with what their panel has to say.

    ``x_label`` is `CLOCK` if x is the clock of the run, which all such panels share.
    """

    key: str
    x: np.ndarray
    x_label: str
    values: np.ndarray
    labels: tuple[str, ...]
    units: str
    remark: str = ""
    name: str = ""


def tracks(recording: Any, *, lines: int) -> list[Track]:
    """Every numeric array of a recording but spikes and courses of a training, at most ``lines`` lines of each, in order."""
    order = {"state": 0, "readout": 1, "stimulus": 2, "weights": 4, "data": 5}
    keys = sorted(
        (key for key in recording if not key.startswith(("spikes/", "training/"))),
        key=lambda key: order.get(key.partition("/")[0], 3),
    )
    found = [track(key, recording[key], lines=lines) for key in keys]
    return [one for one in found if one is not None]


def track(key: str, array: Any, *, lines: int) -> Track | None:
    """The first dimension of an ``xarray.DataArray`` along x, the others as lines; None for text, scalars."""
    if array.dtype.kind not in "biuf" or array.ndim == 0 or array.size == 0:
        return None
    remarks = []
    by_trial = array.dims[0] == "trial" and "time" in array.dims
    if by_trial:
        remarks.append(f"last of {array.shape[0]} trials")
        array = array[-1].transpose("time", ...)
    if key.startswith("weights/") and array.dims[1:] == ("synapse",) and array.shape[1] > 1:
        return _distribution(key, array)
    x, label = _axis(array)
    if by_trial:
        # The clock within a trial is not that of the run.
        label = label.replace("time", "time in trial")
    values = np.asarray(array.values, dtype=np.float64)
    if key.startswith("weights/") and values.ndim > 1:
        # A matrix of thousands of weights says little as lines: show how large they are.
        labels = _names(array, values.shape[1]) if values.ndim > 2 else ["all"]
        values = np.sqrt((values.reshape(len(x), len(labels), -1) ** 2).sum(axis=2))
        remarks.append("norm")
    else:
        labels = _names(array, int(np.prod(values.shape[1:], dtype=int)))
        values = values.reshape(len(x), -1)
    total = len(labels)
    if total > lines:
        pick = np.unique(np.linspace(0, total - 1, lines).round().astype(int))
        values, labels = values[:, pick], [labels[k] for k in pick]
        remarks.append(f"{len(pick)} of {total} {_plural(array)} shown")
    units = str(array.attrs.get("units", "1"))
    remark = f" ({', '.join(remarks)})" if remarks else ""
    name = str(array.attrs.get("long_name", key.rpartition("/")[2]))
    return Track(key, x, label, values, tuple(labels), units, remark, name)


def _distribution(key: str, array: Any) -> Track | None:
    """Weights of synapses at the first and the last snapshot, as counts."""
    values = np.asarray(array.values, dtype=np.float64)[[0, -1]]
    if not np.isfinite(values).any():
        return None
    edges = np.histogram_bin_edges(values[np.isfinite(values)], 60)
    counts = np.stack([np.histogram(row, edges)[0] for row in values], axis=1).astype(np.float64)
    times, _ = _axis(array)
    labels = tuple(f"{time / 1000:.4g} s" for time in (times[0], times[-1]))
    units = str(array.attrs.get("units", "1"))
    x_label = label_of(str(array.attrs.get("long_name", key.rpartition("/")[2])), units)
    remark = f" of {array.shape[1]} synapses, at the first and the last snapshot"
    return Track(key, (edges[:-1] + edges[1:]) / 2, x_label, counts, labels, "1", remark, "synapses")


def aims_of(one: Track, others: list[Track]) -> Track | None:
    """The target of an output of a readout: the entry called target with the same lines, if there is one."""
    fitting = [other for other in others if other.key.startswith("readout/") and other.labels == one.labels]
    named = [other for other in fitting if other.key.rpartition("/")[2] in OUTPUTS]
    if one not in (named or fitting[:1]):
        return None
    for other in others:
        if "target" in other.key.lower() and other.labels == one.labels and other is not one:
            return other
    return None


def cell_groups(recording: Any, population: str, size: int) -> dict[str, np.ndarray] | None:
    """Excitatory and inhibitory cells, if the network in the recording tells them apart."""
    try:
        marked = np.asarray(recording.tree("network")["values"][f"{population}.inhibitory"]).astype(bool)
    except KeyError:
        return None
    if marked.shape != (size,) or marked.all() or not marked.any():
        return None
    return {"E": np.flatnonzero(~marked), "I": np.flatnonzero(marked)}


def trial_starts(table: Any) -> np.ndarray | None:
    """Starts of the trials on the clock of the run in ms, or None if the table has none."""
    for name in STARTS:
        if name in table.columns and len(table):
            starts = np.asarray(table[name], dtype=np.float64)
            return starts if np.isfinite(starts).all() else None
    return None


def trial_names(table: Any) -> list[str]:
    """A few words for each trial: its number, and its phase if there is one."""
    phases = [str(phase) for phase in table["phase"]] if "phase" in table.columns else [""] * len(table)
    return [f"{number} {phase}".strip() for number, phase in zip(table.index, phases, strict=True)]


def title_of(attrs: Mapping[str, Any], path: Any) -> str:
    """Name, seed and backend of a run, and whether it came to its end."""
    config = json.loads(attrs.get("config_json", "{}"))
    given = attrs.get("simulation") or config.get("simulation") or attrs.get("name") or attrs.get("circuit")
    if given is None and "training" in config:
        given = " on ".join(filter(None, (_own_name(config, "network"), _own_name(config, "task"))))
    parts = [str(given or (path.name if path is not None else "Recording"))]
    if "seed" in attrs:
        parts.append(f"seed {attrs['seed']}")
    if attrs.get("backend"):
        parts.append(str(attrs["backend"]))
    if not attrs.get("complete", True):
        parts.append(f"INCOMPLETE: {attrs.get('stopped', 'cut short')}")
    return ", ".join(parts)


def _own_name(config: Mapping[str, Any], part: str) -> str:
    """What a network or task of a training calls itself."""
    found = config.get(part)
    return str(found.get(part, "")) if isinstance(found, Mapping) else ""


def _axis(array: Any) -> tuple[np.ndarray, str]:
    dim = array.dims[0]
    if dim not in array.coords or array.coords[dim].dtype.kind not in "biuf":
        name = "row" if str(dim).startswith("dim_") else str(dim)
        return np.arange(array.shape[0], dtype=np.float64), "time (step)" if dim == "time" else name
    coordinate = array.coords[dim]
    units = str(coordinate.attrs.get("units", "ms" if dim == "time" else "1"))
    label = str(dim) if units == "1" else f"{dim} ({units})"
    return np.asarray(coordinate.values, dtype=np.float64), label


def _names(array: Any, count: int) -> list[str]:
    if array.ndim == 1:
        return [str(array.name or "value")]
    dim = array.dims[1]
    if count != array.shape[1]:
        return [str(k) for k in range(count)]
    given = array.coords[dim].values if dim in array.coords else np.arange(count)
    name = "column" if str(dim).startswith("dim_") else dim
    return [value if isinstance(value, str) else f"{name} {value:g}" for value in given.tolist()]


def _plural(array: Any) -> str:
    if array.ndim > 2:
        return "entries"
    return "columns" if str(array.dims[1]).startswith("dim_") else f"{array.dims[1]}s"
