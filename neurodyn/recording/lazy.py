"""An array that stays in its file: analyses that work in pieces read it slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.arrays import dimensions, is_bare_scale, visible_attrs
from neurodyn.recording.layout import dataset_at

_BLOCK_BYTES = 2**26


class LazyArray:
    """One array of a recording, read when it is indexed; the file is open only meanwhile.

    Made by :meth:`Recording.lazy`. Slices come as plain arrays, so ``lazy[-1000:]`` reads the last 1000 rows;
    ``numpy.asarray(lazy)`` reads all of it.

    Parameters
    ----------
    source : callable
        Opens the file: returns a context manager.
    path : str
        Path of the array in the recording.

    Attributes
    ----------
    name : str
        Path in the recording.
    shape, ndim, dtype, dims
        As those of the array.
    units : str
        Empty if there are none.

    Raises
    ------
    ValueError
        The array doesn't hold numbers.
    """

    def __init__(self, source: Callable[[], AbstractContextManager[h5py.File]], path: str) -> None:
        self._source, self.name = source, path
        with source() as file:
            dataset = dataset_at(file, path)
            if dataset.dtype.kind not in "biufc":
                raise ValueError(f"{file.filename}: {path} is of type {dataset.dtype}; only numbers are read lazily")
            self.shape: tuple[int, ...] = dataset.shape
            self.dtype: np.dtype = dataset.dtype
            self.dims = tuple(dimensions(dataset))
            self.units = str(visible_attrs(dataset).get("units", ""))

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that all of it takes in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, where: Any) -> np.ndarray:
        with self._source() as file:
            return np.asarray(dataset_at(file, self.name)[where])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"{self.name} lies in a file: it can't become an array without a copy")
        return np.asarray(self[()], dtype=dtype)

    def coordinate(self, dim: str) -> np.ndarray:
        """The values along a dimension, such as the times of the samples in ms; KeyError if it has none."""
        with self._source() as file:
            if dim in self.dims:
                scales = dataset_at(file, self.name).dims[self.dims.index(dim)]
                if len(scales) and not is_bare_scale(scales[0]):
                    return np.asarray(scales[0][()])
        raise KeyError(f"{self.name} has no coordinate {dim!r}; its dimensions are {', '.join(self.dims)}")

    def blocks(self, rows: int | None = None) -> Iterator[np.ndarray]:
        """Successive slices along the first axis of so many rows, by default of about 64 MB."""
        if rows is None:
            rows = max(1, _BLOCK_BYTES * max(1, len(self)) // max(1, self.nbytes))
        for start in range(0, len(self), rows):
            yield self[start : start + rows]

    def __repr__(self) -> str:
        inside = ", ".join(f"{dim}: {size}" for dim, size in zip(self.dims, self.shape, strict=True))
        return f"<LazyArray {self.name!r} ({inside}) {self.dtype}, {self.nbytes / 1e6:.3g} MB in the file>"
