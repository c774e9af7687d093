"""Results are added to a recording that exists, without ever opening it for writing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodyn.recording.arrays import Axis, Scales, check_attrs, check_coordinate, read_array, write_array
from neurodyn.recording.disk import beside, check_output, publish
from neurodyn.recording.header import encode_header, outcome_attrs
from neurodyn.recording.layout import check_name, children, group_at, ordered_group
from neurodyn.recording.sink import writing
from neurodyn.recording.values import decode, encode


def annotate(
    path: str | Path,
    *,
    results: Mapping[str, Any] | None = None,
    checks: Sequence[Any] | None = None,
    config: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Path:
    """Add results, checks, configuration and arrays to the recording ``path``, or make a file of these alone.

    Results, configuration and data are added by name to what is there, checks replace those that are there. The file is
    copied, the copy completed, checked, and put in its place in one step; if anything fails, the original stands as it
    was.

    Parameters
    ----------
    path : path
        The recording.
    results, config : mapping of str to number, text or list
    checks : sequence of Check
    data : mapping of str to array of any shape, or xarray.DataArray
        Becomes /data/<name>.

    Raises
    ------
    ValueError
        The file is there and no recording of neurodyn.
    """
    prepared = {check_name(name, "data"): _prepare(name, values) for name, values in (data or {}).items()}
    attrs = outcome_attrs(results, checks, config)
    final = check_output(path, overwrite=True)
    temporary = beside(final, "tmp")
    try:
        there = final.exists()
        if there:
            shutil.copyfile(final, temporary)
            shutil.copymode(final, temporary)
        with writing(temporary, "r+" if there else "w") as file:
            if "neurodyn_format" not in file.attrs:
                if len(file) or len(file.attrs):
                    raise ValueError(f"{path} is no recording of neurodyn; results can only be added to one")
                for key, value in {**encode_header({}), "complete": np.True_}.items():
                    file.attrs[key] = value
            before = set(file)
            for key, text in attrs.items():
                file.attrs[key] = _merged(file, key, text)
            _write_data(file, prepared)
        _verify(temporary, before, attrs, prepared)
        publish(temporary, final, overwrite=True)
    finally:
        temporary.unlink(missing_ok=True)
    return final


def _merged(file: h5py.File, key: str, text: str) -> str:
    if key == "checks_json" or key not in file.attrs:
        return text
    return json.dumps(json.loads(decode(file.attrs[key])) | json.loads(text))


def _prepare(name: str, values: Any) -> tuple[np.ndarray, list[Axis], dict[str, Any]]:
    """The array, its axes and its attributes, checked before any file is touched."""
    where = f"data[{name!r}]"
    array = np.asarray(values)
    if array.dtype.kind in "OT" and array.size and all(isinstance(item, str) for item in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in "biufcU" or array.dtype.itemsize > 16 and array.dtype.kind != "U":
        raise TypeError(f"{where} is an array of {array.dtype}; allowed are bool, numbers and text")
    dims = [str(dim) for dim in getattr(values, "dims", [f"dim_{axis}" for axis in range(array.ndim)])]
    if len(set(dims)) != array.ndim:
        raise ValueError(f"{where} has dimensions {dims}; name each one differently")
    attrs, given = dict(getattr(values, "attrs", {})), {}
    for coord, content in getattr(values, "coords", {}).items():
        if content.ndim == 0:  # what .sel() and .isel() leave behind
            attrs.setdefault(str(coord), content.item())
        elif coord in dims:
            given[coord] = (check_coordinate(content.values, f"{where}, coordinate {coord!r}"), content.attrs)
        else:
            raise ValueError(
                f"{where}: {coord!r} is not the coordinate of a dimension; drop it with drop_vars({coord!r})"
            )
    axes = []
    for dim, size in zip(dims, array.shape, strict=True):
        check_name(dim, f"{where}, dimensions")
        coordinate, about = given.get(dim, (None, {}))
        pieces = None if coordinate is None else lambda coordinate=coordinate: [coordinate]
        axes.append(Axis(dim, size, pieces, check_attrs(about, f"{where}, coordinate {dim!r}")))
    return array, axes, check_attrs(attrs, where)


def _write_data(file: h5py.File, new: Mapping[str, tuple]) -> None:
    if not new:
        return
    every = dict(new)
    if "data" in file:
        # written anew as a whole, since the arrays share their dimension scales
        found = children(group_at(file, "data"))
        old = {
            name: read_array(item, name)
            for name, item in found
            if isinstance(item, h5py.Dataset) and "dims" in item.attrs
        }
        every = {name: _prepare(name, values) for name, values in old.items() if name not in new} | every
        del file["data"]
    group = ordered_group(file, "data")
    scales = Scales(group, set(every), compress=True)
    for name, (array, axes, attrs) in every.items():
        dataset = write_array(group, name, array.shape, [array], compress=True)
        for key, value in attrs.items():
            dataset.attrs[key] = encode(value, name)
        scales.attach(dataset, name, axes)


def _verify(path: Path, before: set[str], attrs: Mapping[str, str], data: Mapping[str, Any]) -> None:
    with h5py.File(path, "r") as file:
        missing = [name for name in (*before, *(f"data/{name}" for name in data)) if name not in file]
        missing += [key for key in attrs if key not in file.attrs]
        if missing:
            raise OSError(f"{path} does not hold what was added to it: {', '.join(missing)}")
