"""Nested dictionaries of arrays and plain values as HDF5 groups, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.arrays import bare_scale, is_bare_scale, read_values
from neurodyn.recording.layout import check_name, children, ordered_group, storage
from neurodyn.recording.values import decode, encode, storable

MANY = 2**20  # floats of one array, from which on it is stored as it is: weights, which hardly compress


def freeze(mapping: Mapping[str, Any], where: str, *, copy: bool = True) -> dict[str, Any]:
    """Turn `mapping` into what `write_tree` can store, so that every error comes here and early.

    Arrays (bool, int, float, complex, text) are copied unless the result is used up before they change (`copy` =
    False), mappings are copied in depth, other values are encoded. Raises TypeError or ValueError naming the place of what cannot be stored.
    """
    if not isinstance(mapping, Mapping):
        raise TypeError(f"{where} is of type {type(mapping).__name__}: give a mapping of names to values")
    frozen: dict[str, Any] = {}
    for key, value in mapping.items():
        check_name(key, where)
        place = f"{where}/{key}"
        if isinstance(value, Mapping):
            frozen[key] = freeze(value, place, copy=copy)
        elif isinstance(value, np.ndarray):
            frozen[key] = _freeze_array(value, place, copy=copy)
        else:
            frozen[key] = encode(value, place)
    return frozen


def _freeze_array(array: np.ndarray, where: str, *, copy: bool) -> np.ndarray:
    if array.dtype.kind == "U":
        for text in array.flat:
            if not storable(str(text)):
                raise ValueError(f"{where} holds the text {str(text)!r}; NUL and lone surrogates cannot be stored")
        # a plain copy of an array subclass would drag its class along
        return np.array(array, subok=False, copy=copy or None)
    if array.dtype.kind not in "biufc" or array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):
        raise TypeError(
            f"{where} is an array of {array.dtype}, which cannot be stored: allowed are bool, integers, "
            "floats to 64 bits, complex to 128 bits and text; convert it with astype"
        )
    return np.array(array, subok=False, copy=copy or None)


def write_tree(parent: h5py.Group, path: str, frozen: Mapping[str, Any], *, compress: bool = True) -> None:
    """Write what `freeze` returned: mappings as groups, arrays as datasets, everything else as attributes."""
    group = ordered_group(parent, path)
    arrays = [(key, value) for key, value in frozen.items() if isinstance(value, np.ndarray)]
    scales: dict[str, h5py.Dataset] = {}
    for key, value in frozen.items():
        if isinstance(value, Mapping):
            write_tree(group, key, value, compress=compress)
        elif not isinstance(value, np.ndarray):
            group.attrs[key] = value
    for key, array in arrays:
        if array.dtype.kind == "U":
            dataset = group.create_dataset(key, data=array.astype(object), dtype=h5py.string_dtype())
        else:
            drawn = (
                array.dtype.kind == "f" and array.size >= MANY
            )  # a minute for 10^8 weights, and a tenth of their room
            how = storage(array.shape, array.dtype.itemsize) if compress and not drawn else {}
            if array.size > 1 and not any(array.strides):  # one number seen as many: it is stored once
                how |= {"shape": array.shape, "dtype": array.dtype, "fillvalue": array.flat[0]}
                dataset = group.create_dataset(key, **how)
            else:
                dataset = group.create_dataset(key, data=array, **how)
        _attach(group, dataset, scales, taken=frozen)


def _attach(group: h5py.Group, dataset: h5py.Dataset, scales: dict, *, taken: Mapping[str, Any]) -> None:
    """Name the dimensions by their sizes; xarray wants two names where an array is square."""
    used: dict[int, int] = {}
    for axis, size in enumerate(dataset.shape):
        used[size] = used.get(size, 0) + 1
        label = f"dim_{size}" if used[size] == 1 else f"dim_{size}_{used[size]}"
        if label not in scales:
            name = label
            while name in taken or name in group:
                name += "_"
            scales[label] = bare_scale(group, name, size)
        dataset.dims[axis].attach_scale(scales[label])


def read_tree(group: h5py.Group, seen: set | None = None) -> dict[str, Any]:
    """The nested dictionary under `group`; tuples come back as lists.

    Raises ValueError where a group is linked twice, as into itself, which no recording has, and for data that
    `read_values` refuses.
    """
    seen = {group.id} if seen is None else seen
    result: dict[str, Any] = {key: decode(value) for key, value in group.attrs.items()}
    for name, member in children(group):
        if isinstance(member, h5py.Group):
            if member.id in seen:
                raise ValueError(f"{group.file.filename}: {group.name}/{name} is the same group as another one")
            seen.add(member.id)
            result[name] = read_tree(member, seen)
        elif not is_bare_scale(member):
            result[name] = read_values(member)
    return result
