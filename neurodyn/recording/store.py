"""All that a run has recorded so far: closed segment files plus what is still in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.begun import placed_rows
from neurodyn.recording.layout import lookup
from neurodyn.recording.streams import Stream


@dataclass
class Store:
    """Header (encoded attributes of the root), streams, trials, trees (frozen) and closed segments."""

    header: dict[str, Any]
    streams: dict[str, Stream] = field(default_factory=dict)  # none is ever removed: segments know them by number
    rows: list[dict] = field(default_factory=list)
    trees: dict[str, dict] = field(default_factory=dict)
    segments: list[Path] = field(default_factory=list)
    target: str = ""  # name of the file to be
    begun: Path | None = None  # the file that holds rows which were placed
    whole: bool = False  # whether that is still as it was begun, so that the recording can be made of it
    saved_rows: int = 0
    unsaved_trees: set[str] = field(default_factory=set)

    @property
    def empty(self) -> bool:
        """Whether nothing was recorded over time (a tree alone, such as the network, does not count)."""
        return not self.entries

    @property
    def entries(self) -> int:
        """Spikes, samples and trials so far: what tells how far a run has come."""
        return len(self.rows) + sum(stream.total for stream in self.streams.values())

    @property
    def ready(self) -> Path | None:
        """The begun file, if the recording can be made of it: all rows that it has room for are there."""
        room = [stream for stream in self.streams.values() if stream.offset is not None]
        return self.begun if self.whole and all(s.placed == s.rows == s.total for s in room) else None

    def put_tree(self, path: str, frozen: dict[str, Any]) -> None:
        """Set the tree at `path`, in place of what was there."""
        self.trees[path] = frozen
        self.unsaved_trees.add(path)

    def pieces(self, path: str, column: str) -> Iterator[np.ndarray]:
        """One column of a stream from its beginning, with at most one segment in memory at a time."""
        number = list(self.streams).index(path)
        if column == "values" and self.streams[path].placed:
            assert self.begun is not None
            yield from placed_rows(self.begun, self.streams[path])
        for segment in self.segments:
            with h5py.File(segment, "r") as file:
                dataset = lookup(file, f"streams/{number}/{column}")
                piece = dataset[()] if isinstance(dataset, h5py.Dataset) else None
            if piece is not None:
                yield piece
        yield from self.streams[path].held(column)

    def saved(self, segment: Path) -> None:
        """Take note that `segment` holds all that was only in memory, and forget it here."""
        self.segments.append(segment)
        self.saved_rows = len(self.rows)
        self.unsaved_trees.clear()
        for stream in self.streams.values():
            stream.drop()
            stream.sealed, stream.unsealed = stream.placed, 0
