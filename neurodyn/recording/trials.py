"""The table of trials: one row a trial, one dataset a column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from neurodyn.recording.arrays import read_values
from neurodyn.recording.layout import check_name, children, lookup, ordered_group
from neurodyn.recording.values import plain, storable

if TYPE_CHECKING:
    import pandas
    import xarray

Cell = bool | int | float | str | None


def clean_row(row: Mapping[str, Any], number: int, kinds: dict[str, str]) -> dict[str, Cell]:
    """Check row `number` against the kinds of the columns so far ("text", "number"), which it may extend."""
    clean: dict[str, Cell] = {}
    for column, value in row.items():
        where = f"trial {number}, column {column!r}"
        check_name(column, f"trial {number}")
        value = plain(value, where)
        if isinstance(value, (list, dict)):
            raise TypeError(f"{where}: {value!r} is a {type(value).__name__}; give a number, bool, text or None")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError(f"{where}: {value} does not fit into 64 bits; give it as text")
        if isinstance(value, str) and not storable(value):
            raise ValueError(f"{where}: {value!r} holds NUL or lone surrogates, which HDF5 cannot store")
        if column == "trial":
            if value != number:
                raise ValueError(f"{where}: {value!r}; the column 'trial' is the number of the row, from 0")
            continue
        if value is not None:
            kind = "text" if isinstance(value, str) else "number"
            if kinds.setdefault(column, kind) != kind:
                raise TypeError(f"{where}: {value!r} is a {kind}, the rows before hold {kinds[column]}; use one kind")
        clean[column] = value
    return clean


def column_values(cells: Sequence[Cell]) -> np.ndarray:
    """A column as bool, int64, float64 or text; None is NaN (making numbers float64) or ''."""
    given = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, str) for cell in given):
        return np.array(["" if cell is None else cell for cell in cells], dtype=str)
    if len(given) == len(cells):
        if all(isinstance(cell, bool) for cell in given):
            return np.array(cells, dtype=bool)
        if all(isinstance(cell, int) for cell in given):
            return np.array(cells, dtype=np.int64)
    return np.array([math.nan if cell is None else cell for cell in cells], dtype=np.float64)


def write_trials(file: h5py.File, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write /trials: each column with the dimension scale `trial`."""
    if not rows:
        return
    group = ordered_group(file, "trials")
    scale = group.create_dataset("trial", data=np.arange(len(rows), dtype=np.int64))
    scale.make_scale("trial")
    for column in dict.fromkeys(column for row in rows for column in row):
        values = column_values([row.get(column) for row in rows])
        if values.dtype.kind == "U":
            dataset = group.create_dataset(column, data=values.astype(object), dtype=h5py.string_dtype())
        else:
            dataset = group.create_dataset(column, data=values)
        dataset.dims[0].attach_scale(scale)
        if column.endswith("_ms"):
            dataset.attrs["units"] = "ms"


def read_trials(file: h5py.File) -> pandas.DataFrame:
    """The table with the number of the trial as index; empty where no trial was recorded."""
    import pandas

    group = lookup(file, "trials")
    columns: dict[str, np.ndarray] = {}
    index = np.zeros(0, dtype=np.int64)
    if isinstance(group, h5py.Group):
        for name, dataset in children(group):
            if isinstance(dataset, h5py.Dataset):
                columns[name] = read_values(dataset)
        index = columns.pop("trial", index)
    return pandas.DataFrame(columns, index=pandas.Index(index, name="trial"))


def cut_into_trials(array: xarray.DataArray, table: pandas.DataFrame) -> xarray.DataArray:
    """An array over time as (trial, time, ...); see :meth:`Recording.by_trial`."""
    import xarray

    if not hasattr(array, "dims"):
        raise ValueError("spikes can't be cut into an array: run[key].between(start, stop) takes those of one trial")
    name = array.name
    if array.dims[:1] != ("time",):
        raise ValueError(f"{name} has dimensions {array.dims}: only an array over time can be cut into trials")
    if table.empty or "start_ms" not in table or "duration_ms" not in table:
        raise ValueError(f"{name} can't be cut into trials: the recording has no table of them")
    time, starts = array["time"].values, table["start_ms"].to_numpy()
    # a sample at the end of a step bears that time: it belongs to the trial before a border
    slack = 1e-6
    first = np.searchsorted(time, starts + slack)
    last = np.searchsorted(time, starts + table["duration_ms"].to_numpy() + slack)
    longest = int((last - first).max())
    if not longest:
        raise ValueError(f"{name} has no sample in any trial")
    model = int(np.argmax(last - first))
    since = time[first[model] : last[model]] - starts[model]
    values = array.values if (last - first == longest).all() else array.values.astype(float)
    cut = np.full((len(table), longest, *array.shape[1:]), np.nan if values.dtype.kind == "f" else 0, values.dtype)
    for trial, (begin, end) in enumerate(zip(first, last, strict=True)):
        own = time[begin:end] - starts[trial]
        if (np.abs(own - since[: own.size]) > slack).any():
            raise ValueError(
                f"{name} was sampled at other times of trial {trial} than of trial {model}: record it so often that the "
                "length of the trials is a multiple"
            )
        cut[trial, : own.size] = values[begin:end]
    coords = {
        "trial": np.arange(len(table)),
        "time": ("time", since, dict(array["time"].attrs)),
        **{str(column): ("trial", table[column].to_numpy()) for column in table if column not in array.dims},
        **{str(k): v for k, v in array.coords.items() if "time" not in v.dims},
    }
    return xarray.DataArray(cut, dims=("trial", *array.dims), coords=coords, name=name, attrs=array.attrs)
