"""What arrives during a run, step by step, checked and held until it is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn.recording.arrays import check_attrs, check_coordinate
from neurodyn.recording.layout import check_path


@dataclass
class Stream:
    """Two columns that grow together along time: (steps, ids) of spikes, or (values, times) of samples.

    `meta` describes the columns in plain values and arrays; `pieces` holds what no segment file has yet;
    `total` counts all entries so far, written or not. Values are held as they came and written divided by `scale`.
    """

    path: str
    columns: tuple[str, str]
    meta: dict[str, Any]
    pieces: dict[str, list[np.ndarray]] = field(default_factory=dict)
    total: int = 0
    scale: float = 1.0
    rows: int = 0  # how many there will be; 0 if that is unknown
    offset: int | None = None  # where the begun file has room for them
    placed: int = 0  # those that are there
    unsealed: int = 0  # the sum of those that no segment vouches for
    sealed: int = 0  # how many rows segments vouch for
    placing: bool = False

    def __post_init__(self) -> None:
        self.drop()

    @property
    def row_bytes(self) -> int:
        """Bytes of the values of one point in time."""
        return math.prod(self.meta["rest"]) * np.dtype(self.meta["dtype"]).itemsize

    def append(self, *arrays: np.ndarray) -> int:
        """Hold one piece of each column; returns the bytes held more."""
        for column, array in zip(self.columns, arrays, strict=True):
            self.pieces[column].append(array)
        self.total += len(arrays[-1])
        return sum(array.nbytes for array in arrays)

    def held(self, column: str) -> Iterator[np.ndarray]:
        """Pieces of a column as a file has them, one after the other."""
        for piece in self.pieces[column]:
            yield piece if self.scale == 1.0 or column != "values" else piece / self.scale

    def drop(self) -> None:
        """Forget the pieces: a segment has them, or the file is written."""
        self.pieces = {column: [] for column in self.columns}


def spike_stream(population: str, size: int | None, dt_ms: float | None) -> Stream:
    """A stream of the spikes of a population of `size` units; `dt_ms` is the step in milliseconds."""
    path = check_path(f"spikes/{population}", depth=2)
    if path.count("/") != 1:
        raise ValueError(f"population = {population!r}: a population's name must not hold '/'")
    if dt_ms is None or not dt_ms > 0:
        raise ValueError(f"dt_ms = {dt_ms!r}: spikes need the time step; put dt_ms (milliseconds, > 0) into the header")
    if size is not None and size < 0:
        raise ValueError(f"size = {size!r} of population {population!r}: give the number of units, at least 0")
    meta = {"size": None if size is None else int(size), "dt_ms": float(dt_ms), "last": -1, "largest": -1}
    return Stream(path, ("steps", "ids"), meta)


def take_spikes(stream: Stream, steps: Any, ids: Any) -> int:
    """Check one batch of spikes and append a copy; returns the bytes held more."""
    name = stream.path.partition("/")[2]
    steps, ids = _whole(steps, f"steps of {name!r}"), _whole(ids, f"ids of {name!r}")
    if steps.shape != ids.shape:
        raise ValueError(f"spikes of {name!r}: {len(steps)} steps but {len(ids)} ids; give one of each per spike")
    if not len(steps):
        return 0
    if (steps[1:] < steps[:-1]).any():
        order = np.argsort(steps, kind="stable")
        steps, ids = steps[order], ids[order]
    first, low, high = int(steps[0]), int(ids.min()), int(ids.max())
    if first < max(0, stream.meta["last"]):
        raise ValueError(
            f"spikes of {name!r}: step {first} after step {stream.meta['last']}; append spikes in order of "
            "time, on one clock that does not return to zero between trials"
        )
    size = stream.meta["size"]
    if low < 0 or (size is not None and high >= size):
        raise ValueError(f"spikes of {name!r}: id {low if low < 0 else high} is outside 0 ... {size or 'size'} - 1")
    stream.meta["last"], stream.meta["largest"] = int(steps[-1]), max(stream.meta["largest"], high)
    return stream.append(steps, ids)


def _whole(values: Any, what: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(f"{what}: shape {array.shape} and type {array.dtype}; give a 1-D array of whole numbers")
    return np.array(array, dtype=np.int64)


def sample_stream(
    path: str,
    values: np.ndarray,
    dims: Sequence[str] | None,
    coords: Mapping[str, Any],
    attrs: Mapping[str, Any],
) -> Stream:
    """A stream of samples shaped like `values` (time, ...); see ``Writer.samples``."""
    check_path(path, depth=2)
    name = path.rpartition("/")[2]
    if values.ndim < 1 or values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        raise ValueError(
            f"samples of {path!r} have shape {values.shape} and type {values.dtype}: "
            "give (time, ...) as bool, int or float"
        )
    dims = ("time", "unit")[: values.ndim] if dims is None else tuple(dims)
    if len(dims) != values.ndim or len(set(dims)) != len(dims) or name in dims or not all(map(str.isidentifier, dims)):
        raise ValueError(
            f"samples of {path!r}: dims = {dims} for shape {values.shape}; give one name per dimension, all "
            f"different, made of letters, digits and _, none of them {name!r}"
        )
    unknown = set(coords) - set(dims[1:])
    if unknown:
        raise ValueError(f"samples of {path!r}: coords for {sorted(unknown)}; only {list(dims[1:])} can have them")
    clean = {dim: check_coordinate(given, f"coords[{dim!r}] of {path!r}") for dim, given in coords.items()}
    for dim, given in clean.items():
        size = values.shape[dims.index(dim)]
        if len(given) != size:
            raise ValueError(f"coords[{dim!r}] of {path!r} has {len(given)} entries for a dimension of {size}")
    meta = {
        "dims": list(dims),
        "coords": clean,
        "attrs": check_attrs(attrs, path),
        "dtype": values.dtype.str,
        "rest": list(values.shape[1:]),
    }
    return Stream(path, ("values", "times"), meta)


def take_samples(
    stream: Stream, values: np.ndarray, times: Any, put: Callable[[np.ndarray], bool], *, copy: bool = True
) -> int:
    """Check one batch of samples and append it, or a copy; returns its bytes. What `put` takes is not held."""
    times = np.array(times, dtype=np.float64, ndmin=1)
    if times.shape != values.shape[:1]:
        raise ValueError(f"samples of {stream.path!r}: times of shape {times.shape} for values of {values.shape}")
    rest, dtype = tuple(stream.meta["rest"]), np.dtype(stream.meta["dtype"])
    if values.shape[1:] != rest or values.dtype != dtype:
        raise ValueError(
            f"samples of {stream.path!r}: got {values.shape} of {values.dtype}, the first batch was "
            f"(time, {', '.join(map(str, rest))}) of {dtype}; all batches must agree"
        )
    if put(values):
        return values.nbytes + stream.append(values[:0].copy(), times)  # a view would keep the memory of all
    return stream.append(np.array(values, order="C", subok=False, copy=copy or None), times)
