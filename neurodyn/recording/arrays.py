"""Arrays with named dimensions: datasets with dimension scales, as netCDF-4 and xarray read them."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from neurodyn.recording.layout import DIMENSION_ONLY, check_name, storage
from neurodyn.recording.values import decode, encode, plain, storable

if TYPE_CHECKING:
    import xarray

# Used by HDF5, netCDF or xarray themselves: a value of ours there would change how the array is read.
_HIDDEN = set("dims CLASS NAME DIMENSION_LIST REFERENCE_LIST _Netcdf4Dimid _Netcdf4Coordinates".split())
RESERVED = _HIDDEN | set(
    "_FillValue missing_value coordinates scale_factor add_offset grid_mapping bounds calendar dtype".split()
)

_FREE_BYTES = 2**26  # what may be claimed without being there: an array that was never written, or all fill value
_MOST_COMPRESSED = 1100  # deflate makes 1032 to 1 at most

Pieces = Callable[[], Iterable[np.ndarray]]


@dataclass(frozen=True)
class Axis:
    """One dimension of an array: its name, its length, and its coordinate if there is one."""

    dim: str
    size: int
    pieces: Pieces | None = None  # the coordinate, piece by piece
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Equal for two axes that may share one dimension scale."""
        if self.pieces is None:
            return f"none {self.size}"
        digest = hashlib.blake2b(digest_size=16)
        for piece in self.pieces():
            # the width of numpy text depends on the longest entry of the piece
            digest.update(piece.dtype.kind.encode())
            if piece.dtype.kind == "U":
                digest.update("".join(f"{text}\0" for text in piece.tolist()).encode())
            else:
                digest.update(np.ascontiguousarray(piece).data)
        return f"{digest.hexdigest()} {self.size} {sorted(self.attrs.items())}"


class Scales:
    """The dimension scales of one group, shared by the variables whose coordinates agree.

    The first coordinate called "time" bears that name; another one, of the variable v, is called "v_time".
    """

    def __init__(self, group: h5py.Group, taken: Collection[str], *, compress: bool) -> None:
        self._group, self._taken, self._compress = group, taken, compress
        self._made: dict[tuple[str, str], h5py.Dataset] = {}

    def attach(self, dataset: h5py.Dataset, owner: str, axes: Sequence[Axis]) -> None:
        """Attach to each axis of `dataset` its scale, written now if no variable has needed it before."""
        for number, axis in enumerate(axes):
            key = (axis.dim, axis.fingerprint())
            if key not in self._made:
                self._made[key] = self._write(owner, axis)
            dataset.dims[number].attach_scale(self._made[key])
        dataset.attrs["dims"] = encode([axis.dim for axis in axes], "dims")

    def _write(self, owner: str, axis: Axis) -> h5py.Dataset:
        name = axis.dim
        if name in self._group or name in self._taken:
            name = f"{owner}_{axis.dim}"
        while name in self._group or name in self._taken:
            name += "_"
        if axis.pieces is None:
            return bare_scale(self._group, name, axis.size)
        scale = write_array(self._group, name, (axis.size,), axis.pieces(), compress=self._compress)
        scale.make_scale(name)
        for key, value in axis.attrs.items():
            scale.attrs[key] = encode(value, f"{name}: attribute {key!r}")
        return scale


def check_coordinate(values: Any, where: str) -> np.ndarray:
    """`values` as a 1-D array of numbers or text, or an error naming `where`."""
    array = np.array(values)
    if array.dtype.kind in "OT" and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)
    if array.ndim != 1 or array.dtype.kind not in "biufU":
        raise ValueError(f"{where} has shape {array.shape} and type {array.dtype}: give a 1-D list of numbers or text")
    if array.dtype.kind == "U" and not all(storable(text) for text in array.tolist()):
        raise ValueError(f"{where} holds text with NUL or lone surrogates, which HDF5 cannot store")
    return array


def check_attrs(attrs: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A copy of `attrs`, or an error for a value that cannot be stored or a name that readers interpret."""
    for key in attrs:
        if check_name(key, f"attributes of {where}") in RESERVED:
            raise ValueError(f"{where}: the attribute {key!r} has a meaning of its own to readers; choose another name")
    return {key: plain(value, f"{where}: attribute {key!r}", arrays=True) for key, value in attrs.items()}


def write_array(
    group: h5py.Group,
    name: str,
    shape: tuple[int, ...],
    pieces: Iterable[np.ndarray],
    *,
    compress: bool,
    dtype: Any = None,
) -> h5py.Dataset:
    """Write an array handed over in pieces along its first dimension: compressed by the chunk, or as it comes.

    `dtype` is needed only where there may be no piece at all.
    """
    pieces = iter(pieces)
    first = next(pieces, np.zeros((0, *shape[1:]), dtype or np.float64))
    text = first.dtype.kind == "U"
    dtype = h5py.string_dtype() if text else np.dtype(dtype or first.dtype)
    how = storage(shape, dtype.itemsize) if compress and not text else {}
    dataset = group.create_dataset(name, shape, dtype=dtype, **how)
    if not shape:
        dataset[()] = str(first) if text else first
        return dataset
    rows = dataset.chunks[0] if dataset.chunks else 1
    start, count, held = 0, 0, []
    for piece in itertools.chain([first], pieces):
        held.append(piece)
        count += len(piece)
        if count >= rows:
            block, full = held[0] if len(held) == 1 else np.concatenate(held), count - count % rows
            _put(dataset, start, block[:full])
            start, count, held = start + full, count - full, [block[full:]] if full < count else []
    if held:
        _put(dataset, start, np.concatenate(held))
    return dataset


def _put(dataset: h5py.Dataset, start: int, block: np.ndarray) -> None:
    if block.size:
        dataset[start : start + len(block)] = block.astype(object) if block.dtype.kind == "U" else block


def bare_scale(group: h5py.Group, name: str, size: int) -> h5py.Dataset:
    """A dimension without a coordinate, as netCDF-4 marks it; takes no room in the file."""
    scale = group.create_dataset(name, (size,), dtype=">f4")
    scale.make_scale(f"{DIMENSION_ONLY} {size:10d}")
    return scale


def is_bare_scale(dataset: h5py.Dataset) -> bool:
    """Whether `dataset` only names a dimension."""
    if not dataset.is_scale:
        return False
    return str(decode(dataset.attrs.get("NAME", ""))).startswith(DIMENSION_ONLY)


def read_values(dataset: h5py.Dataset) -> np.ndarray:
    """The values of a dataset of booleans, numbers or text.

    Raises ValueError for what no recording holds and a file from elsewhere might: other types (opaque, compound,
    references), data kept in other files, and more entries than the bytes in the file can account for.
    """
    text = h5py.check_string_dtype(dataset.dtype) is not None
    where = f"{dataset.file.filename}: {dataset.name}"
    if dataset.shape is None or not (text or dataset.dtype.kind in "biufc"):
        raise ValueError(f"{where} is of type {dataset.dtype}, which no recording holds; it is not read")
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{where} is kept in another file; it is not read")
    size = math.prod(dataset.shape) * dataset.dtype.itemsize
    if size > max(_FREE_BYTES, _MOST_COMPRESSED * dataset.id.get_storage_size()):
        raise ValueError(f"{where} claims {size / 1e6:.0f} MB, which is more than the file can hold; it is not read")
    if text:
        return np.array(dataset.asstr(errors="replace")[()], dtype=str).reshape(dataset.shape)
    return np.asarray(dataset[()], dtype=dataset.dtype).reshape(dataset.shape)


def dimensions(dataset: h5py.Dataset) -> list[str]:
    """The names of the dimensions of an array; ValueError if they don't fit it."""
    dims = decode(dataset.attrs["dims"])
    if not isinstance(dims, list) or len(dims) != dataset.ndim or not all(isinstance(dim, str) for dim in dims):
        raise ValueError(f"{dataset.file.filename}: {dataset.name} has dims = {dims!r} for {dataset.ndim} dimensions")
    return dims


def visible_attrs(dataset: h5py.Dataset) -> dict[str, Any]:
    """The attributes of a dataset without those of the machinery."""
    return {key: decode(value) for key, value in dataset.attrs.items() if key not in _HIDDEN}


def read_array(dataset: h5py.Dataset, name: str) -> xarray.DataArray:
    """The dataset as an ``xarray.DataArray`` with the dimensions and coordinates it was written with."""
    import xarray

    dims = dimensions(dataset)
    coords = {}
    for axis, dim in enumerate(dims):
        scales = dataset.dims[axis]
        if len(scales) and not is_bare_scale(scales[0]):
            scale = scales[0]
            coords[dim] = (dim, read_values(scale), visible_attrs(scale))
    return xarray.DataArray(read_values(dataset), dims=dims, coords=coords, name=name, attrs=visible_attrs(dataset))
