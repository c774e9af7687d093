"""A store becomes a file: written under a temporary name, closed, checked, and only then named."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.assemble import assemble
from neurodyn.recording.disk import beside, publish
from neurodyn.recording.layout import dataset_at
from neurodyn.recording.sink import writing
from neurodyn.recording.store import Store
from neurodyn.recording.values import encode


class Image:
    """The recording as the bytes of an HDF5 file that never touches the disk, uncompressed.

    They are put together when they are first asked for: what is recorded may be dropped unread.
    """

    def __init__(self, store: Store, attrs: Mapping[str, Any]) -> None:
        self._parts: tuple[Store, Mapping[str, Any]] | None = (store, attrs)
        self._bytes = b""
        self._lock = threading.Lock()

    def __bytes__(self) -> bytes:
        with self._lock:
            if self._parts is not None:
                self._bytes, self._parts = _image(*self._parts), None
            return self._bytes


def _image(store: Store, attrs: Mapping[str, Any]) -> bytes:
    image = io.BytesIO()  # takes half the time of HDF5's own driver for memory
    with h5py.File(image, "w") as file:
        assemble(file, store, attrs, compress=False)
    return image.getvalue()


def write_file(store: Store, target: Path, attrs: Mapping[str, Any], *, overwrite: bool) -> None:
    """Write the recording to `target` in one visible step.

    Raises FileExistsError if the name is taken and `overwrite` is False, and OSError, leaving the store as it
    was, if there is no room.
    """
    begun, store.whole = store.ready, False  # whatever comes of it: if this fails, the next attempt copies its rows
    temporary = begun or beside(target, "tmp")
    try:
        with writing(temporary, "r+" if begun else "w") as file:
            assemble(file, store, attrs, compress=True)
        _verify(temporary, store)
        publish(temporary, target, overwrite=overwrite)
    except FileExistsError:
        raise
    except OSError as error:
        raise OSError(error.errno, f"{target} could not be written: {error.strerror or error}") from error
    finally:
        if not begun:
            temporary.unlink(missing_ok=True)


def write_partial(store: Store, target: Path, reason: str, *, overwrite: bool = False) -> Path:
    """Keep an unfinished run beside `target` as <stem>.partial.h5 (numbered if taken and not `overwrite`)."""
    return write_numbered(store, target, ".partial", stopped_attrs(reason), overwrite=overwrite)


def stopped_attrs(reason: str) -> dict[str, Any]:
    """The attributes of the root of an unfinished run."""
    return {"complete": np.False_, "stopped": encode(str(reason), "reason")}


def write_numbered(store: Store, target: Path, mark: str, attrs: Mapping[str, Any], *, overwrite: bool = False) -> Path:
    """Write to <stem><mark>.h5, or <stem><mark>-2.h5, ... : the first name that is free. Returns the path."""
    number = 1
    while True:
        name = f"{target.stem}{mark}{'' if number == 1 else f'-{number}'}{target.suffix or '.h5'}"
        path = target.with_name(name)
        try:
            if overwrite or not path.exists():
                write_file(store, path, attrs, overwrite=overwrite)
                return path
        except FileExistsError:
            pass
        number += 1


def _verify(path: Path, store: Store) -> None:
    """Open a closed file again and see that everything that was counted is in it."""
    with h5py.File(path, "r") as file:
        where = {name: f"{name}/timestamps" if name.startswith("spikes/") else name for name in store.streams}
        found = {name: dataset_at(file, path).shape[0] for name, path in where.items()}
        expected = {name: stream.total for name, stream in store.streams.items()}
        trials = dataset_at(file, "trials/trial").shape[0] if store.rows else 0
        if "complete" not in file.attrs or found != expected or trials != len(store.rows):
            raise OSError(f"{path} does not hold what was written to it: {found} instead of {expected}")
