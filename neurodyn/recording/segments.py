"""Segment files: what a run has recorded, closed every so often, and the states from which it can go on.

A segment is written whole, closed, sealed, synced and only then given its name, so a kill costs what was in memory
and nothing else. With a checkpoint, the state comes first, under the number of the segment to be: the segment's
name makes both count. Only the last two states stay. These files are private to this package and uncompressed;
`assemble` makes the recording of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.arrays import write_array
from neurodyn.recording.begun import NAME, intact
from neurodyn.recording.disk import sync, sync_folder
from neurodyn.recording.layout import dataset_at, group_at
from neurodyn.recording.seal import ROOM, seal, sealed
from neurodyn.recording.sink import writing
from neurodyn.recording.store import Store
from neurodyn.recording.streams import Stream
from neurodyn.recording.tree import freeze, read_tree, write_tree
from neurodyn.recording.values import decode

STATES_KEPT = 2  # the last one, and the one before in case the last segment turns out damaged


def save(store: Store, folder: Path, state: Mapping[str, Any] | None = None) -> int:
    """Move all that is only in memory into a new segment in `folder`; returns the bytes that `state` took.

    `state` is frozen. Raises OSError, leaving the store as it was, if there is no room.
    """
    segment = folder / f"{len(store.segments):06d}.h5"
    size = 0
    if state is not None:
        size = _write(_state(segment), lambda file: write_tree(file, "state", state, compress=False))
    try:
        _write(segment, lambda file: _fill(file, store))
    except OSError:
        _state(segment).unlink(missing_ok=True)
        raise
    sync_folder(folder)
    store.saved(segment)
    for old in store.segments[:-STATES_KEPT]:
        _state(old).unlink(missing_ok=True)
    return size


def whole_segments(folder: Path) -> list[Path]:
    """The segments in `folder` up to the first that is missing or damaged."""
    found = []
    while sealed(segment := folder / f"{len(found):06d}.h5") and _placed_whole(segment):
        found.append(segment)
    return found


def _placed_whole(segment: Path) -> bool:
    """Whether the rows that were placed before this segment was closed are there."""
    with h5py.File(segment, "r") as file:
        for number in range(len(group_at(file, "streams"))):
            group = group_at(file, f"streams/{number}")
            stream = Stream("", ("values", "times"), read_tree(group_at(group, "meta")))
            _take_place(stream, group)
            if stream.placed and not intact(segment.with_name(NAME), stream):
                return False
    return True


def last_state(segments: list[Path]) -> tuple[list[Path], dict[str, Any] | None]:
    """The last whole state and the segments that led to it; ([], None) if there is none."""
    for count in range(len(segments), 0, -1):
        path = _state(segments[count - 1])
        if sealed(path):
            with h5py.File(path, "r") as file:
                return segments[:count], read_tree(group_at(file, "state"))
    return [], None


def restore(segments: list[Path]) -> Store:
    """The store as it was when the last of these segments was closed."""
    store = Store({}, segments=list(segments), begun=segments[0].with_name(NAME))
    for segment in segments:
        with h5py.File(segment, "r") as file:
            store.target = decode(file.attrs["target"])
            store.header = dict(group_at(file, "header").attrs)
            store.rows += json.loads(str(dataset_at(file, "rows").asstr()[()]))
            for number in range(len(group_at(file, "streams"))):
                _restore_stream(store, group_at(file, f"streams/{number}"))
            for number in range(len(group_at(file, "trees"))):
                path = decode(group_at(file, f"trees/{number}").attrs["path"])
                store.trees[path] = freeze(read_tree(group_at(file, f"trees/{number}/tree")), path)
    store.saved_rows = len(store.rows)
    return store


def header_of(segment: Path) -> dict[str, Any]:
    """The header of the recording to be, decoded."""
    with h5py.File(segment, "r") as file:
        return {key: decode(value) for key, value in group_at(file, "header").attrs.items()}


def target_of(folder: Path) -> str | None:
    """The name of the file that the segments in `folder` are for; None if there is no whole segment to tell."""
    first = folder / "000000.h5"
    if not sealed(first):  # HDF5 may never come back from a damaged file
        return None
    try:
        with h5py.File(first, "r") as file:
            return decode(file.attrs["target"])
    except FileNotFoundError:  # its run has come to its end meanwhile
        return None


def drop_others(folder: Path, segments: list[Path]) -> None:
    """Remove from `folder` what belongs neither to these segments nor to their states."""
    kept = {path for segment in segments for path in (segment, _state(segment), segment.with_name(NAME))}
    for path in set(folder.iterdir()) - kept:
        path.unlink()


def _state(segment: Path) -> Path:
    return segment.with_suffix(".state")


def _write(final: Path, fill: Callable[[h5py.File], None]) -> int:
    temporary = final.with_suffix(".tmp")
    try:
        with writing(temporary, room=ROOM) as file:
            fill(file)
        seal(temporary)
        sync(temporary)
        os.replace(temporary, final)
    finally:
        temporary.unlink(missing_ok=True)  # on a full disk its room is needed
    return final.stat().st_size


def _fill(file: h5py.File, store: Store) -> None:
    file.attrs["target"] = store.target
    for key, value in store.header.items():
        file.require_group("header").attrs[key] = value
    file.create_group("streams")
    file.create_group("trees")
    file.create_dataset("rows", data=json.dumps(store.rows[store.saved_rows :]))
    for number, (path, stream) in enumerate(store.streams.items()):
        group = file.create_group(f"streams/{number}")
        group.attrs["path"], group.attrs["columns"] = path, list(stream.columns)
        write_tree(group, "meta", freeze(stream.meta, path), compress=False)
        if stream.offset is not None:
            place = {"rows": stream.rows, "offset": stream.offset, "first": stream.sealed, "placed": stream.placed}
            group.attrs.update({**place, "sum": np.uint64(stream.unsealed)})
        for column, held in stream.pieces.items():
            if held:
                shape = (sum(map(len, held)), *held[0].shape[1:])
                write_array(group, column, shape, stream.held(column), compress=False)
    unsaved = [path for path in store.trees if path in store.unsaved_trees]
    for number, path in enumerate(unsaved):
        group = file.create_group(f"trees/{number}")
        group.attrs["path"] = path
        write_tree(group, "tree", store.trees[path], compress=False)


def _restore_stream(store: Store, group: h5py.Group) -> None:
    path, columns = decode(group.attrs["path"]), decode(group.attrs["columns"])
    stream = store.streams.setdefault(path, Stream(path, (columns[0], columns[1]), {}))
    stream.meta = read_tree(group_at(group, "meta"))
    _take_place(stream, group)
    stream.sealed, stream.unsealed = stream.placed, 0
    if columns[1] in group:
        stream.total += dataset_at(group, columns[1]).shape[0]
    stream.placing = stream.offset is not None and stream.placed == stream.total


def _take_place(stream: Stream, group: h5py.Group) -> None:
    if "offset" in group.attrs:
        stream.rows, stream.offset, stream.sealed, stream.placed, stream.unsealed = (
            int(decode(group.attrs[name])) for name in ("rows", "offset", "first", "placed", "sum")
        )
