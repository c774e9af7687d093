"""What of a recording the formats of others have a place for: arrays sampled over time, with columns and units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from neurodyn._unit_text import Dimensions, UnitsError, parse
from neurodyn.recording.arrays import is_bare_scale, read_values, visible_attrs
from neurodyn.recording.layout import dataset_at
from neurodyn.recording.lazy import LazyArray

if TYPE_CHECKING:
    from neurodyn.recording.reader import Recording

_SLACK = 1e-6  # of a step: the times of samples are multiples of it in floating point
_BASE = ("m", "kg", "s", "A", "K", "mol", "cd")


@dataclass(frozen=True)
class Series:
    """An array of a recording whose first dimension is time in ms.

    Attributes
    ----------
    key : str
        Path in the recording, such as "state/cells/v".
    array : LazyArray
        The values (time, ...), left in the file.
    times : ndarray (time,)
        Milliseconds from the start of the run.
    step_ms : float or None
        The distance of the samples; None if it varies or there is only one.
    labels : dict of dimension to ndarray
        The coordinates of the other dimensions; 0, 1, ... where there are none.
    """

    key: str
    array: LazyArray
    times: np.ndarray
    step_ms: float | None
    labels: dict[str, np.ndarray]

    @property
    def name(self) -> str:
        """What stands behind the section, with dots, as it was asked for when it was recorded: "cells.v"."""
        return self.key.partition("/")[2].replace("/", ".")

    def columns(self) -> dict[str, np.ndarray]:
        """For each dimension but the first, the label of each column of the array when it is made 2-D."""
        meshes = np.meshgrid(*self.labels.values(), indexing="ij")
        return {dim: mesh.ravel() for dim, mesh in zip(self.labels, meshes, strict=True)}


def over_time(recording: Recording) -> Iterator[Series]:
    """The arrays of numbers sampled over time, in the order of the file."""
    for key in recording:
        if not key.startswith("spikes/") and (found := _series(recording, key)) is not None:
            yield found


def _series(recording: Recording, key: str) -> Series | None:
    with recording.open() as file:
        dataset = dataset_at(file, key)
        if dataset.dtype.kind not in "biuf":
            return None
        array = LazyArray(recording.open, key)
        first = coordinate(dataset, 0) if array.dims[:1] == ("time",) else None
        if first is None or first[1].get("units") != "ms":
            return None
        labels = {}
        for axis, (dim, size) in enumerate(zip(array.dims[1:], array.shape[1:], strict=True), start=1):
            found = coordinate(dataset, axis)
            labels[dim] = np.arange(size) if found is None else found[0]
    return Series(key, array, first[0], _step(first[0]), labels)


def coordinate(dataset: h5py.Dataset, axis: int) -> tuple[np.ndarray, dict[str, Any]] | None:
    """The values along one dimension of an array and their attributes, if it has such."""
    scales = dataset.dims[axis]
    if not len(scales) or is_bare_scale(scales[0]):
        return None
    return read_values(scales[0]), visible_attrs(scales[0])


def _step(times: np.ndarray) -> float | None:
    if len(times) < 2:
        return None
    step = float(times[-1] - times[0]) / (len(times) - 1)
    even = times[0] + step * np.arange(len(times))
    return float(f"{step:.12g}") if step > 0 and (np.abs(times - even) <= _SLACK * step).all() else None


def known_unit(text: str) -> tuple[float, Dimensions] | None:
    """Size in SI and dimensions of the unit `text`; None for pseudo-units such as "mV (2003 form)" and none at all."""
    try:
        return parse(text)[:2]
    except UnitsError:
        return None


def base_units(dimensions: Dimensions) -> str:
    """Dimensions as text of SI base units: "m^2 kg s^-3 A^-1"."""
    return " ".join(s if e == 1 else f"{s}^{e:g}" for s, e in zip(_BASE, dimensions, strict=True) if e)
