"""Long traces go straight to their place in the file to be.

An array whose rows are counted before the run needs no second copy: the file is begun with room for it, in one piece,
what arrives is written there as plain bytes, which HDF5 never moves, and the rest of the recording is added at the end.
The begun file stands in the folder of the segments. A segment tells how many rows were there when it was closed, and
their sum, by which damage shows. Only the process that began the file makes the recording of it, since a kill may come
while the rest is being added; others read the rows as plain bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np

from neurodyn.recording.disk import sync
from neurodyn.recording.layout import ordered_group
from neurodyn.recording.sink import writing
from neurodyn.recording.streams import Stream

NAME = "begun.h5"
_LEAST = 2**22  # bytes; a smaller array is not worth a file that is opened twice
_BLOCK = 2**19  # bytes that are divided, added up and written while the cache holds them


class Begun:
    """The begun file at ``path``, where rows are written as plain bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._block = np.empty(_BLOCK, np.uint8)

    def put(self, stream: Stream, values: np.ndarray) -> bool:
        """Write the next rows of ``stream``; False if it has no room here, or the disk has none: then they are not taken."""
        if not stream.placing or stream.placed + len(values) > stream.rows:
            stream.placing = False  # rows that are held come after those that were placed, never before
            return False
        flat, total = np.ascontiguousarray(values).reshape(-1), 0
        assert stream.offset is not None
        try:
            with open(self.path, "r+b", buffering=0) as file:
                file.seek(stream.offset + stream.placed * stream.row_bytes)
                for start in range(0, flat.size, _BLOCK // flat.itemsize):
                    block = flat[start : start + _BLOCK // flat.itemsize]
                    if stream.scale != 1.0:
                        block = np.divide(block, stream.scale, out=self._block[: block.nbytes].view(block.dtype))
                    view = block.view(np.uint8).data
                    while len(view):
                        view = view[file.write(view) :]
                    total += _sum(block)
        except OSError:  # a checkpoint will say so, and keep what is in memory
            stream.placing = False
            return False
        stream.placed += len(values)
        stream.unsealed = (stream.unsealed + total) % 2**64
        return True

    def sync(self) -> None:
        """Have the disk hold the rows."""
        sync(self.path)


def begin(path: Path, streams: Mapping[str, Stream]) -> Begun | None:
    """Begin the file with the groups of ``streams`` and room for long traces; None if there are none, or there is no disk."""
    long = [s for s in streams.values() if s.rows and s.rows * s.row_bytes >= _LEAST and not s.total and _floats(s)]
    if not long:
        return None
    try:
        with writing(path) as file:
            for name in streams:  # groups are listed in the order in which they came
                ordered_group(file, name if name.startswith("spikes/") else name.rpartition("/")[0])
            for stream in long:
                stream.offset = _room(file, stream)
    except OSError:
        for stream in long:
            stream.offset = None
        path.unlink(missing_ok=True)
        return None
    for stream in long:
        stream.placing = True
    return Begun(path)


def placed_rows(path: Path, stream: Stream, first: int = 0) -> Iterator[np.ndarray]:
    """The rows of ``stream`` that stand in the begun file, from ``first`` on, some at a time."""
    assert stream.offset is not None
    dtype, rest = np.dtype(stream.meta["dtype"]), stream.meta["rest"]
    some = max(1, 2**24 // max(1, stream.row_bytes))
    with open(path, "rb") as file:
        for start in range(first, stream.placed, some):
            count = min(some, stream.placed - start)
            file.seek(stream.offset + start * stream.row_bytes)
            values = np.fromfile(file, dtype, count * (stream.row_bytes // dtype.itemsize))
            if values.nbytes < count * stream.row_bytes:
                raise EOFError(f"{path} ends within {stream.path}")
            yield values.reshape(count, *rest)


def intact(path: Path, stream: Stream) -> bool:
    """Whether the rows since those that an earlier segment vouches for are as they were written."""
    try:
        return sum(map(_sum, placed_rows(path, stream, stream.sealed))) % 2**64 == stream.unsealed
    except (OSError, EOFError):
        return False


def _floats(stream: Stream) -> bool:
    return np.dtype(stream.meta["dtype"]).kind == "f"  # others are compressed


def _room(file: h5py.File, stream: Stream) -> int:
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_layout(h5py.h5d.CONTIGUOUS)
    how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    parent, _, name = stream.path.rpartition("/")
    space = h5py.h5s.create_simple((stream.rows, *stream.meta["rest"]))
    kind = h5py.h5t.py_create(np.dtype(stream.meta["dtype"]), logical=True)
    return h5py.h5d.create(file[parent].id, name.encode(), kind, space, dcpl=how).get_offset()


def _sum(values: np.ndarray) -> int:
    return int(values.reshape(-1).view(f"u{values.itemsize}").sum(dtype=np.uint64))
