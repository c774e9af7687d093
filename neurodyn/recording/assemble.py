"""A store becomes a recording: the layout of the file, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.arrays import Axis, Scales, bare_scale, write_array
from neurodyn.recording.layout import dataset_at, ordered_group
from neurodyn.recording.store import Store
from neurodyn.recording.streams import Stream
from neurodyn.recording.tree import write_tree
from neurodyn.recording.trials import write_trials
from neurodyn.recording.values import encode

SORTING = {"none": 0, "by_id": 1, "by_time": 2}  # SONATA


def assemble(file: h5py.File, store: Store, attrs: Mapping[str, Any], *, compress: bool) -> None:
    """Write all of `store` into an empty or begun file; `attrs` (encoded) come last, when all else is there.

    `compress` goes for spikes, times, whole numbers, booleans and trees: noise does not compress.
    """
    for key, value in store.header.items():
        file.attrs[key] = value
    everything = (*store.streams, *store.trees)
    scales: dict[str, Scales] = {}
    for path, stream in store.streams.items():
        parent, _, name = path.rpartition("/")
        if parent == "spikes":
            _write_spikes(ordered_group(file, path), stream, store, compress=compress)
            continue
        if parent not in scales:
            inside = (other.removeprefix(f"{parent}/") for other in everything if other.startswith(f"{parent}/"))
            members = {other.partition("/")[0] for other in inside}
            scales[parent] = Scales(ordered_group(file, parent), members, compress=compress)
        _write_samples(ordered_group(file, parent), name, stream, store, scales[parent], compress=compress)
    write_trials(file, store.rows)
    for path, frozen in store.trees.items():
        write_tree(file, path, frozen, compress=compress)
    for key, value in attrs.items():
        file.attrs[key] = value


def _write_spikes(group: h5py.Group, stream: Stream, store: Store, *, compress: bool) -> None:
    shape, dt_ms = (stream.total,), stream.meta["dt_ms"]
    times = (steps * dt_ms for steps in store.pieces(stream.path, "steps"))
    ids = (piece.astype(np.uint64) for piece in store.pieces(stream.path, "ids"))
    timestamps = write_array(group, "timestamps", shape, times, compress=compress, dtype=np.float64)
    node_ids = write_array(group, "node_ids", shape, ids, compress=compress, dtype=np.uint64)
    timestamps.attrs["units"] = "ms"
    scale = bare_scale(group, "spike", stream.total)
    timestamps.dims[0].attach_scale(scale)
    node_ids.dims[0].attach_scale(scale)
    group.attrs.create("sorting", SORTING["by_time"], dtype=h5py.enum_dtype(SORTING, basetype="u1"))
    group.attrs["dt_ms"] = dt_ms
    size = stream.meta["size"]
    group.attrs["size"] = np.int64(stream.meta["largest"] + 1 if size is None else size)


def _write_samples(
    group: h5py.Group, name: str, stream: Stream, store: Store, scales: Scales, *, compress: bool
) -> None:
    meta, dtype = stream.meta, np.dtype(stream.meta["dtype"])
    shape = (stream.total, *meta["rest"])
    if name in group:  # begun, with all its rows
        dataset = dataset_at(group, name)
    else:
        pieces = store.pieces(stream.path, "values")
        dataset = write_array(group, name, shape, pieces, compress=compress and dtype.kind in "biu", dtype=dtype)
    for key, value in meta["attrs"].items():
        dataset.attrs[key] = encode(value, name)
    first = meta["dims"][0]
    axes = [Axis(first, shape[0], partial(_times, stream, store), {"units": "ms"} if first == "time" else {})]
    for dim, size in zip(meta["dims"][1:], shape[1:], strict=True):
        given = meta["coords"].get(dim)
        axes.append(Axis(dim, size, None if given is None else lambda given=given: [given]))
    scales.attach(dataset, name, axes)


def _times(stream: Stream, store: Store) -> Any:
    return store.pieces(stream.path, "times")
