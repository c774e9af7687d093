"""Many runs as rows, whatever they come from: the parameters, the seed and the results of each."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodyn.parameters import nearest
from neurodyn.recording import Recording, load

if TYPE_CHECKING:
    import xarray

_ELEMENT = re.compile(r"(.+?)((?:\[-?\d+\])+)")

PATHS = "the recordings give their paths, such as 'scans/rules/points/*/*.h5'"


@dataclass(frozen=True, eq=False)
class RunRow:
    """One run: its name, parameters (dotted where nested), results, and its recording if there is a file."""

    name: str
    parameters: Mapping[str, Any]
    results: Mapping[str, Any]
    recording: Recording | None = None

    def parameter(self, name: str) -> Any:
        """The value of a parameter by its name or an unmistakable end of it; KeyError with a reason otherwise."""
        if name in self.parameters:
            return self.parameters[name]
        found = {key: value for key, value in self.parameters.items() if key.endswith(f".{name}")}
        if found and len({repr(value) for value in found.values()}) == 1:
            return next(iter(found.values()))
        if found:
            raise KeyError(f"may mean {' or '.join(found)}")
        short = {part for key in self.parameters for part in (key, key.rpartition(".")[2])}
        raise KeyError(nearest(name, short).removeprefix("; ") or f"it has {', '.join(self.parameters) or 'none'}")

    def number(self, name: str) -> float:
        """A result, or what the recording holds under a key, as a number (NaN for None); ValueError with a reason."""
        match, run = _ELEMENT.fullmatch(name), self.recording
        found = self.results.get(name)
        if name not in self.results:
            base = match[1] if match else name
            if base in self.results:
                found = self.results[base]
            elif run is not None and base in run and base != "rate" and not base.startswith("spikes"):
                found = np.asarray(run[base]).tolist()
            else:
                hint = nearest(base, self.results) or f"; it has {', '.join(self.results) or 'none'}"
                raise ValueError(f"has no result {base!r}{hint}" + (f"; for a key of {PATHS}" if run is None else ""))
            for place in re.findall(r"-?\d+", match[2]) if match else ():
                found = _element(found, int(place), base)
        found = found[0] if isinstance(found, list) and len(found) == 1 else found
        if found is None:
            return float("nan")
        if isinstance(found, (bool, int, float)):
            return float(found)
        if isinstance(found, list):
            raise ValueError(
                f"holds {len(found)} values for {name!r}; name one of them, such as '{name}[-1]' for the last"
            )
        raise ValueError(f"holds {found!r} for {name!r}, which is no number")


def rows_of(runs: Any) -> tuple[list[RunRow], list[str]]:
    """All runs, and remarks on what is left out.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        Nothing found, or something that is no run.
    """
    rows: list[RunRow] = []
    remarks: list[str] = []
    for part in _parts(runs):
        if hasattr(part, "data_vars"):
            found, said = _of_dataset(part)
            rows += found
            remarks += said
        else:
            rows.append(_of_recording(part))
    if not rows:
        raise ValueError(f"runs = {runs!r} holds no run that is done")
    return rows, remarks


def of_all(rows: Sequence[RunRow], name: str, option: str) -> list[Any]:
    """A parameter of all runs."""
    found = []
    for row in rows:
        try:
            found.append(row.parameter(name))
        except KeyError as error:
            raise ValueError(f"{option} = {name!r} is no parameter of {row.name}; {error.args[0]}") from None
    return found


def some(names: Iterable[Any]) -> str:
    """The first few of many."""
    every = [str(name) for name in names]
    return ", ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")


def _parts(runs: Any) -> Iterator[Any]:
    """Recordings and datasets."""
    if isinstance(runs, Recording) or hasattr(runs, "data_vars"):
        yield runs
    elif isinstance(runs, (str, Path)):
        yield from _on_disk(runs)
    elif isinstance(runs, Mapping) or not hasattr(runs, "__iter__"):
        raise TypeError(
            f"runs: {type(runs).__name__} is no run; give recordings, paths, a glob such as 'runs/*.h5', the folder of a "
            "scan, or what nd.load_scan returns"
        )
    else:
        for run in runs:
            yield from _parts(run)


def _on_disk(place: str | Path) -> Iterator[Any]:
    path = Path(place).expanduser()
    if (path / "scan.json").is_file():
        from neurodyn.scan.dataset import load_scan

        yield load_scan(path)
        return
    if path.is_dir():
        found = sorted(path.glob("*.h5"))
    elif glob.has_magic(str(path)) and not path.exists():
        found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
    else:
        yield load(path)
        return
    if not found:
        raise FileNotFoundError(f"runs = {str(place)!r}: there is no recording (*.h5) there")
    yield from map(load, found)


def _of_recording(run: Recording) -> RunRow:
    attrs, config = run.attrs, run.config
    parameters = dict(config.get("parameters", {}))
    for name, value in _flat({k: v for k, v in config.items() if k != "parameters"}):
        parameters.setdefault(name, value)
    for name in ("seed", "backend", "device", "dtype"):
        if name in attrs:
            parameters.setdefault(name, attrs[name])
    name = run.path.name if run.path is not None else f"seed {attrs.get('seed', '?')}"
    return RunRow(name, parameters, run.results, run)


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _of_dataset(dataset: xarray.Dataset) -> tuple[list[RunRow], list[str]]:
    """The points of a scan that are done."""
    if "state" not in dataset or "key" not in dataset:
        raise ValueError(
            "runs: the dataset has no variables state and key; give what nd.load_scan returns, or a part of it"
        )
    places = dataset["state"].dims
    constants = json.loads(dataset.attrs.get("constants", "{}"))
    results = [
        name
        for name, one in dataset.data_vars.items()
        if one.dims[: len(places)] == places
        and name not in ("key", "state", "seed", "seconds")
        and not str(name).startswith("check: ")
    ]
    rows, states = [], {}
    for index in np.ndindex(*dataset["state"].shape):
        point = dataset.isel(dict(zip(places, index, strict=True)))
        state = str(point["state"].item())
        if state != "done":
            states[state] = states.get(state, 0) + 1
            continue
        parameters = constants | {
            str(n): _shown(c) for n, c in point.coords.items() if c.ndim == 0 and n != "repetition"
        }
        if "seed" in dataset and "seed" not in parameters:
            parameters["seed"] = _plain(point["seed"].values)
        rows.append(
            RunRow(
                str(point["key"].item())[:8], parameters, {str(name): _plain(point[name].values) for name in results}
            )
        )
    states.pop("absent", None)
    left = ", ".join(f"{count} {state}" for state, count in states.items())
    return rows, [f"points that are not done are left out: {left}"] if left else []


def _shown(coordinate: xarray.DataArray) -> Any:
    """A parameter of a point, as text if it has a unit."""
    value = coordinate.item()
    units = coordinate.attrs.get("units")
    return f"{value:g} {units}" if units else value


def _plain(values: np.ndarray) -> Any:
    """Numbers of Python; whole ones as whole numbers, also where others of the scan have none."""
    found = values.tolist()
    return int(found) if isinstance(found, float) and found.is_integer() else found


def _element(values: Any, number: int, name: str) -> Any:
    if not isinstance(values, list) or not -len(values) <= number < len(values):
        size = len(values) if isinstance(values, list) else "one"
        raise ValueError(
            f"has {size} value{'s' if isinstance(values, list) else ''} for {name!r}, so there is no [{number}]"
        )
    return values[number]
