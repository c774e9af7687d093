"""A scan as an ``xarray.Dataset`` over its axes."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodyn.scan.columns import Column, as_text, gather
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder
from neurodyn.scan.points import Point
from neurodyn.scan.source import source_hash
from neurodyn.scan.survey import Ended, Survey
from neurodyn.scan.tables import outcome_columns

if TYPE_CHECKING:
    import xarray


def load_scan(path: str | Path, *, data: Sequence[str] = ()) -> xarray.Dataset:
    """A scan as an ``xarray.Dataset``: results over the axes of its grid.

    Parameters
    ----------
    path : path
        The scan's folder.
    data : sequence of str
        Arrays in the recordings' /data to read as well, by name; they have to be of one shape.

    Returns
    -------
    xarray.Dataset
        Dimensions are the axes of the grid, "point" for points of a list (with their parameters along it), and "repetition"
        where the scan made seeds. Values that are quantities in one unit become numbers with ``units`` in their attributes.
        Variables are all results (lists of equal length with a dimension of their own), "check: NAME" for checks, and key,
        state, seed and seconds of each point. A result that has the name of an axis, or of one of these, gets "result: "
        before it. Where a point is not done, numbers are NaN and text is ""; ``state`` says "done", "failed", "running",
        "lost", "stopped", "pending" or "unreadable", and "absent" where the scan has no such point.

    Raises
    ------
    ScanError
        No scan, no such array in a recording, arrays of different shapes.
    """
    import xarray

    folder = Folder(path)
    survey = Survey(folder)
    axes = _axes(survey)
    dataset = xarray.Dataset(coords=_coordinates(axes), attrs=_about(folder))
    fixed = {str(name) for name in (*dataset.coords, *dataset.dims)}
    own = ("key", "state", "seconds") if folder.plan.seeds is None else ("key", "state", "seed", "seconds")
    names = {name: _free(name, fixed) for name in own}
    taken = {*fixed, *names.values()}
    rows = (_row(names, taken, *outcome) for outcome in survey.outcomes())
    for column, values in gather(rows, len(survey.points)).values():
        dataset[column.name] = _variable(column, values, axes, absent="absent" if column.name == names["state"] else "")
    for name in data:
        dataset[_free(name, {*dataset.variables, *dataset.dims})] = _arrays(survey, axes, name)
    return dataset


@dataclass(frozen=True)
class _Axes:
    """What the dimensions go through, and where each point stands.

    Parameters
    ----------
    values : mapping of dimension to sequence
        Values of a parameter, numbers of repetitions, or the dictionaries of parameters that a list of points gives.
    rows : str or None
        The dimension of the list of points.
    places : array, shape (point, dimension)
    """

    values: Mapping[str, Sequence[Any]]
    rows: str | None
    places: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(values) for values in self.values.values())

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def spread(self, values: np.ndarray, fill: Any) -> np.ndarray:
        """Values of the points over the dimensions, `fill` where there is no point."""
        found = np.full((self.size, *values.shape[1:]), fill, dtype=values.dtype)
        found[np.ravel_multi_index(tuple(self.places.T), self.shape) if self.shape else slice(None)] = values
        return found.reshape((*self.shape, *values.shape[1:]))


def _axes(survey: Survey) -> _Axes:
    plan, folder = survey.folder.plan, survey.folder
    listed = [name for name in dict.fromkeys(name for row in plan.rows for name in row) if name not in plan.grid]
    rows = _free("point", plan.grid) if listed else None
    repetition = _free("repetition", plan.grid) if plan.seeds is not None else None
    found: dict[str, dict[str, Any]] = {rows: {}} if rows else {}
    found |= {name: {repr(value): value for value in values} for name, values in plan.grid.items()}
    base = {**folder.header.defaults, **plan.fixed}
    texts: list[tuple[str, ...]] = []
    for point in survey.points:
        get = point.values.get
        place = {name: get(name, base[name]) for name in plan.grid}
        if rows:
            place = {rows: {name: get(name, base[name]) for name in listed}} | place
        text = tuple(map(repr, place.values()))
        texts.append(text)
        for name, shown in zip(place, text, strict=True):
            if shown not in found[name]:
                found[name][shown] = place[name]
    numbers = [{text: number for number, text in enumerate(values)} for values in found.values()]
    places = [[number[text] for number, text in zip(numbers, row, strict=True)] for row in texts]
    values: dict[str, Sequence[Any]] = {name: list(each.values()) for name, each in found.items()}
    if repetition:
        values[repetition] = range(plan.seeds or 0)
        places = [[*place, point.repetition or 0] for place, point in zip(places, survey.points, strict=True)]
    return _Axes(values, rows, np.array(places, dtype=np.int64).reshape(len(survey.points), len(values)))


def _coordinates(axes: _Axes) -> dict[str, Any]:
    found = {}
    for dim, values in axes.values.items():
        if dim == axes.rows:
            found |= {name: (dim, *_coordinate([row[name] for row in values])) for name in values[0]}
        else:
            found[dim] = (dim, *_coordinate(values))
    return found


def _coordinate(values: Sequence[Any]) -> tuple[np.ndarray, dict[str, str]]:
    """Values of a parameter as a coordinate, with its attributes; lists as text."""
    column = Column("", quantities=True)
    column.see(values)
    if column.kind in ("list", "mixed", "text"):
        return np.array(as_text(values)), {}
    return column.array(values), {"units": column.units} if column.units else {}


def _row(
    own: Mapping[str, str],
    taken: Collection[str],
    point: Point,
    state: str,
    ended: Ended | None,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """What the dataset holds of a point; what is not there stays out of it."""
    every = {
        "key": point.key,
        "state": state,
        "seed": point.values.get("seed"),
        "seconds": ended.seconds if ended is not None else None,
    }
    return {name: every[which] for which, name in own.items()} | outcome_columns(about, taken)


def _variable(column: Column, values: list[Any], axes: _Axes, *, absent: str) -> xarray.Variable:
    import xarray

    column.expect(axes.size)
    fill = {"text": absent, "mixed": None, "int": 0, "bool": False}.get(column.kind, np.nan)
    dims = [*axes.values, *(f"{column.name}_{axis}" for axis in range(len(column.shape)))]
    if len(column.shape) == 1:
        dims[-1] = f"{column.name}_index"
    return xarray.Variable(dims, axes.spread(column.array(values), fill))


def _arrays(survey: Survey, axes: _Axes, name: str) -> xarray.DataArray:
    """The arrays of one name in the recordings of all points that are done."""
    import xarray

    arrays = (
        (number, point, _array(survey.folder.recording(point.key), name))
        for number, point in enumerate(survey.points)
        if survey.state(point.key) == "done"
    )
    one = next(arrays, None)
    if one is None:
        raise ScanError(f"data = {name!r}: no point is done yet")
    first = one[2]
    coords = dict(first.coords)
    kind = first.dtype if first.dtype.kind in "fc" else object if first.dtype.kind == "U" else np.dtype(np.float64)
    fill = "" if kind is object else np.nan
    found = np.full((len(survey.points), *first.shape), fill, dtype=kind)
    for number, point, array in chain([one], arrays):
        if (array.dims, array.shape) != (first.dims, first.shape):
            raise ScanError(
                f"/data/{name} has shape {dict(zip(first.dims, first.shape, strict=True))} in the first recording and "
                f"{dict(zip(array.dims, array.shape, strict=True))} in that of point {point}; read these one by one, "
                "with nd.load"
            )
        found[number] = array.values
        coords = {
            dim: known for dim, known in coords.items() if dim in array.coords and known.equals(array.coords[dim])
        }
    dims = {dim: _free(str(dim), axes.values) for dim in first.dims}
    inner = {dims[dim]: (dims[dim], values.values, values.attrs) for dim, values in coords.items()}
    return xarray.DataArray(axes.spread(found, fill), inner, [*axes.values, *dims.values()], attrs=first.attrs)


def _array(path: Path, name: str) -> xarray.DataArray:
    from neurodyn.recording import load

    recording = load(path)
    if f"data/{name}" not in recording:
        there = [entry.removeprefix("data/") for entry in recording if entry.startswith("data/")]
        raise ScanError(f"{path} has no /data/{name}; it has {', '.join(there) or 'no arrays there'}")
    return recording[f"data/{name}"]


def _about(folder: Folder) -> dict[str, str]:
    """Attributes that netCDF can hold, too."""
    header, plan = folder.header, folder.plan
    constants = {**header.defaults, **plan.fixed}
    varying = {*plan.grid, *(name for row in plan.rows for name in row)} | ({"seed"} if plan.seeds else set())
    return {
        "scan": header.id,
        "simulation": header.simulation,
        "script": header.script,
        "source": source_hash(header.source),
        "constants": json.dumps({name: value for name, value in constants.items() if name not in varying}),
    }


def _free(name: str, taken: Collection[Any]) -> str:
    """The name, with "_" behind it while it is taken."""
    while name in taken:
        name += "_"
    return name
