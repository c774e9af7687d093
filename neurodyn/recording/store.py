"""All that a run has recorded so far: closed segment files plus what is still in memory.

A segment is written whole, closed, synced and only then given its name, so a kill costs what was in memory
and nothing else. Segments are private to this package and uncompressed; `assemble` makes the recording of
them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.disk import host, sync
from neurodyn.recording.layout import dataset_at, group_at, lookup
from neurodyn.recording.sink import writing
from neurodyn.recording.streams import Stream
from neurodyn.recording.tree import freeze, read_tree, write_tree
from neurodyn.recording.values import decode


@dataclass
class Store:
    """Header (encoded attributes of the root), streams, trials, trees (frozen) and closed segments."""

    header: dict[str, Any]
    streams: dict[str, Stream] = field(default_factory=dict)  # none is ever removed: segments know them by number
    rows: list[dict] = field(default_factory=list)
    trees: dict[str, dict] = field(default_factory=dict)
    segments: list[Path] = field(default_factory=list)
    target: str = ""  # name of the file to be
    _saved_rows: int = 0
    _unsaved_trees: set[str] = field(default_factory=set)

    @property
    def empty(self) -> bool:
        """Whether nothing was recorded over time (a tree alone, such as the network, does not count)."""
        return not self.rows and not any(stream.total for stream in self.streams.values())

    def put_tree(self, path: str, frozen: dict[str, Any]) -> None:
        """Set the tree at `path`, in place of what was there."""
        self.trees[path] = frozen
        self._unsaved_trees.add(path)

    def pieces(self, path: str, column: str) -> Iterator[np.ndarray]:
        """One column of a stream from its beginning, with at most one segment in memory at a time."""
        number = list(self.streams).index(path)
        for segment in self.segments:
            with h5py.File(segment, "r") as file:
                dataset = lookup(file, f"streams/{number}/{column}")
                piece = dataset[()] if isinstance(dataset, h5py.Dataset) else None
            if piece is not None:
                yield piece
        yield from self.streams[path].pieces[column]

    def save(self, folder: Path) -> None:
        """Move all that is only in memory into a new segment file in `folder`."""
        final = folder / f"{len(self.segments):06d}.h5"
        temporary = final.with_suffix(".tmp")
        with writing(temporary) as file:
            file.attrs["target"], file.attrs["host"], file.attrs["pid"] = self.target, host(), os.getpid()
            for key, value in self.header.items():
                file.require_group("header").attrs[key] = value
            file.create_group("streams")
            file.create_group("trees")
            file.create_dataset("rows", data=json.dumps(self.rows[self._saved_rows :]))
            for number, (path, stream) in enumerate(self.streams.items()):
                group = file.create_group(f"streams/{number}")
                group.attrs["path"], group.attrs["columns"] = path, list(stream.columns)
                write_tree(group, "meta", freeze(stream.meta, path))
                for column, held in stream.pieces.items():
                    if held:
                        group.create_dataset(column, data=np.concatenate(held))
            for number, path in enumerate(sorted(self._unsaved_trees)):
                group = file.create_group(f"trees/{number}")
                group.attrs["path"] = path
                write_tree(group, "tree", self.trees[path])
        sync(temporary)
        os.replace(temporary, final)
        self.segments.append(final)
        self._saved_rows = len(self.rows)
        self._unsaved_trees.clear()
        for stream in self.streams.values():
            stream.drop()

    @classmethod
    def restore(cls, folder: Path) -> Store:
        """What the closed segments in `folder` hold."""
        store = cls({}, segments=sorted(folder.glob("[0-9]*.h5")))
        for segment in store.segments:
            with h5py.File(segment, "r") as file:
                store.target = decode(file.attrs["target"])
                store.header = dict(group_at(file, "header").attrs)
                store.rows += json.loads(str(dataset_at(file, "rows").asstr()[()]))
                for number in range(len(group_at(file, "streams"))):
                    store._restore_stream(group_at(file, f"streams/{number}"))
                for number in range(len(group_at(file, "trees"))):
                    path = decode(group_at(file, f"trees/{number}").attrs["path"])
                    store.trees[path] = freeze(read_tree(group_at(file, f"trees/{number}/tree")), path)
        return store

    def _restore_stream(self, group: h5py.Group) -> None:
        path, columns = decode(group.attrs["path"]), decode(group.attrs["columns"])
        stream = self.streams.setdefault(path, Stream(path, (columns[0], columns[1]), {}))
        stream.meta = read_tree(group_at(group, "meta"))
        if columns[0] in group:
            stream.total += dataset_at(group, columns[0]).shape[0]
