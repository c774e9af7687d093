"""HDF5 on a disk that may be full.

HDF5 2.0 crashes the process (segmentation fault) when it closes a file whose writes failed. So it writes through a
Python file here that never fails towards HDF5: the first error is kept, what comes after it is dropped, and the error
is raised once the file is closed. It is as quick as HDF5's own driver.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import h5py


class _Sink(io.FileIO):
    failure: OSError | None = None

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        size = len(view)
        try:
            while len(view) and self.failure is None:
                view = view[super().write(view) :]
        except OSError as error:
            self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            if self.failure is None:
                return super().truncate(size)
        except OSError as error:
            self.failure = error
        return size or 0


@contextmanager
def writing(path: Path, mode: Literal["w", "r+"] = "w", *, room: int | None = None) -> Iterator[h5py.File]:
    """The file at `path` for writing; raises OSError with the disk's own reason after it is closed.

    `room` bytes (a power of two from 512) are left free at its beginning.
    """
    with _Sink(path, "w+" if mode == "w" else mode) as sink:
        try:
            with h5py.File(sink, mode, userblock_size=room) as file:
                yield file
        except Exception as error:
            if sink.failure is not None:
                raise sink.failure from error
            raise
        if sink.failure is not None:
            raise sink.failure
