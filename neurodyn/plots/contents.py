"""What a recording holds, as lines that an overview can draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    """Every numeric array of a recording, at most ``lines`` lines of each, in the order of the sections."""
    order = {"state": 0, "readout": 1, "stimulus": 2, "weights": 4, "data": 5}
    keys = sorted(
        (key for key in recording if not key.startswith("spikes/")),
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
    given = attrs.get("simulation") or attrs.get("name") or attrs.get("circuit")
    parts = [str(given or (path.name if path is not None else "Recording"))]
    if "seed" in attrs:
        parts.append(f"seed {attrs['seed']}")
    if attrs.get("backend"):
        parts.append(str(attrs["backend"]))
    if not attrs.get("complete", True):
        parts.append(f"INCOMPLETE: {attrs.get('stopped', 'cut short')}")
    return ", ".join(parts)


def _axis(array: Any) -> tuple[np.ndarray, str]:
    dim = array.dims[0]
    if dim not in array.coords or array.coords[dim].dtype.kind not in "biuf":
        return np.arange(array.shape[0], dtype=np.float64), "time (step)" if dim == "time" else str(dim)
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
    return [value if isinstance(value, str) else f"{dim} {value:g}" for value in given.tolist()]


def _plural(array: Any) -> str:
    return "entries" if array.ndim > 2 else f"{array.dims[1]}s"
