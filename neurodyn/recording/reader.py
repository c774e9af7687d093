"""A recording, read piece by piece; the file is open only while something is read from it."""

from __future__ import annotations

import difflib
import importlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from neurodyn.recording.arrays import is_bare_scale, read_array, read_values
from neurodyn.recording.disk import beside, check_output, publish
from neurodyn.recording.layout import FORMAT, children, dataset_at, group_at, lookup
from neurodyn.recording.spikes import Spikes, read_spikes
from neurodyn.recording.tree import read_tree
from neurodyn.recording.trials import cut_into_trials, read_trials
from neurodyn.recording.values import decode

if TYPE_CHECKING:
    import pandas
    import xarray

    from neurodyn.recording.closing import Image
    from neurodyn.recording.lazy import LazyArray

_PREFERRED = ("expectation", "output")  # among several variables of a readout
_RATE_TAU_MS, _RATE_DT_MS = 30.0, 1.0


def load(path: str | Path) -> Recording:
    """Open a recording for reading.

    Parameters
    ----------
    path : path
        An HDF5 file that a run wrote; "~" is known.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no recording, or of another format than this version reads.
    """
    path = Path(path).expanduser()
    if not path.exists():
        near = path.with_name(f"{path.stem}.partial{path.suffix}")
        names = [item.name for item in path.parent.glob("*.h5")] if path.parent.is_dir() else []
        close = [near.name] if near.exists() else difflib.get_close_matches(path.name, names, n=3)
        raise FileNotFoundError(f"{path} does not exist{'; there is ' + ', '.join(close) if close else ''}")
    return Recording(path.resolve())


class Recording:
    """What a run left: spikes, samples, trials, network, configuration and results.

    ``recording[key]`` reads one entry. Keys are paths ("state/cells/v", "spikes/cells") or any unmistakable
    part of one ("v", "when", "readout"). Spikes come as `Spikes` ("spikes" alone gives a dictionary if there
    are several populations), everything else as ``xarray.DataArray`` with units in its attributes. "rate"
    gives the recorded rates if there are any, else rates in Hz filtered from the spikes (exponential, 30 ms,
    on a grid of 1 ms).

    Parameters
    ----------
    source : Path, or recording in memory
        Where it stands; :func:`neurodyn.load` opens a file.

    Raises
    ------
    ValueError
        The file is no recording of neurodyn, or of another format than this version reads.
    """

    def __init__(self, source: Path | Image) -> None:
        self.path: Path | None = source if isinstance(source, Path) else None
        self._image: bytes | Image | None = None if isinstance(source, Path) else source
        if self.path is None:
            return  # made by this very version
        version = str(self.attrs.get("neurodyn_format", ""))
        if not version and "scan" in self.attrs:
            raise ValueError(
                f"{self._name} is the table of a scan, no recording: nd.load_scan reads the folder it is in"
            )
        if version != FORMAT:
            raise ValueError(
                f"{self._name} is no recording of neurodyn: the attribute neurodyn_format is missing"
                if not version
                else f"{self._name} has format {version!r}, this version reads {FORMAT!r}; update neurodyn"
            )

    def __getstate__(self) -> dict[str, Any]:
        image = self._image
        return {"path": self.path, "_image": None if image is None else bytes(image)}

    @contextmanager
    def open(self) -> Iterator[h5py.File]:
        """The file for reading with h5py, closed at the end of the ``with`` block."""
        file = _open(self.path) if self._image is None else h5py.File(io.BytesIO(bytes(self._image)), "r")
        with file:
            yield file

    def save(self, path: str | Path, *, overwrite: bool = False) -> Recording:
        """Write a copy (of a recording in memory, say) to ``path`` and return it.

        Raises FileExistsError for a file that is there, unless ``overwrite``.
        """
        final = check_output(path, overwrite=overwrite)
        temporary = beside(final, "tmp")
        try:
            if self.path is not None:
                shutil.copyfile(self.path, temporary)
            elif self._image is not None:
                temporary.write_bytes(bytes(self._image))
            publish(temporary, final, overwrite=overwrite)
        finally:
            temporary.unlink(missing_ok=True)
        return Recording(final)

    def keys(self) -> list[str]:
        """Paths of all entries that ``recording[key]`` reads as spikes or arrays."""
        with self.open() as file:
            return [path for path, _ in _entries(file)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        keys = self.keys()
        populations = _populations(keys)
        if key == "spikes" or _filtered(key, populations) in populations:
            return bool(populations)
        return self._find(key, keys)[0] is not None

    def __getitem__(self, key: str) -> Any:
        keys = self.keys()
        populations = _populations(keys)
        if key == "spikes":
            if not populations:
                raise KeyError(f"{self._name} has no spikes; it holds {', '.join(keys) or 'no arrays'}")
            found = {population: self._spikes(population) for population in populations}
            return found[populations[0]] if len(found) == 1 else found
        path, candidates = self._find(key, keys)
        if not candidates and path is None and (population := _filtered(key, populations)) is not None:
            return self._rate(population, populations)
        if path is None:
            path = key if self._plain(key) is not None else None
        if path is None:
            raise KeyError(self._unknown(key, keys, candidates))
        if path.startswith("spikes/"):
            return self._spikes(path.partition("/")[2])
        plain = self._plain(path)
        return self._array(path) if plain is None else plain

    def lazy(self, key: str) -> LazyArray:
        """The array that ``recording[key]`` would read, left in the file: slices are read when they are asked for.

        For recordings larger than memory. Spikes, and rates that would have to be made from them, raise KeyError.
        """
        from neurodyn.recording.lazy import LazyArray

        keys = self.keys()
        path, candidates = self._find(key, keys)
        if path is not None and not path.startswith("spikes/"):
            return LazyArray(self.open, path)
        if path is not None or key in self:
            raise KeyError(f"{self._name} has spikes for {key!r}, no array; read recording[{key!r}]")
        raise KeyError(self._unknown(key, keys, candidates))

    def dataset(self, group: str) -> xarray.Dataset:
        """The arrays of one group, such as "state/cells", "readout/when", "stimulus", "spikes/cells" or "trials".

        Values are read from the file when they are used; close the dataset, or use it in a ``with`` block, to close
        the file. Arrays sampled alike share dimensions, others have their own ("w_time"). Spikes have the dimension
        "spike". Units are attributes; times are numbers in ms. Raises KeyError for a group without arrays.
        """
        from neurodyn.recording.datasets import open_dataset

        return open_dataset(self, group)

    def datatree(self) -> xarray.DataTree:
        """All arrays as a tree of datasets by group, read when they are used; the root has the recording's attributes.

        Close it, or use it in a ``with`` block, to close the file. ``xarray.open_datatree(path, engine="h5netcdf")``
        opens the whole file instead, the groups of the network's description included.
        """
        from neurodyn.recording.datasets import open_tree

        return open_tree(self)

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes of the root: versions, seed, backend, started, complete, ..."""
        with self.open() as file:
            return {key: decode(value) for key, value in file.attrs.items()}

    @property
    def complete(self) -> bool:
        """Whether the run came to its end."""
        return self.attrs.get("complete") is True

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the run."""
        return json.loads(self.attrs.get("config_json", "{}"))

    @property
    def results(self) -> dict[str, Any]:
        """Results by name."""
        return json.loads(self.attrs.get("results_json", "{}"))

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Checks: name, value, threshold, reference, source, passed."""
        return json.loads(self.attrs.get("checks_json", "[]"))

    @property
    def trials(self) -> pandas.DataFrame:
        """The table of trials, a row each; empty if there were none."""
        with self.open() as file:
            return read_trials(file)

    def by_trial(self, key: str) -> xarray.DataArray:
        """The array ``recording[key]`` cut into trials: (trial, time, ...), with time in ms from the start of each.

        Columns of the table of trials are coordinates of ``trial``. Trials that are shorter than the longest end in NaN.

        Raises KeyError for an unknown key, ValueError for an array that isn't over time, for samples
        at other times of one trial than of another, or where there are no trials.
        """
        return cut_into_trials(self[key], self.trials)

    @property
    def weights(self) -> dict[str, xarray.DataArray]:
        """Snapshots of weights by their paths below /weights."""
        found = [path for path in self.keys() if path.startswith("weights/")]
        return {path.removeprefix("weights/"): self._array(path) for path in found}

    def tree(self, path: str) -> dict[str, Any]:
        """The nested dictionary stored as the group `path`, such as "network"."""
        with self.open() as file:
            group = lookup(file, path)
            if isinstance(group, h5py.Group):
                return read_tree(group)
            there = [name for name, member in children(file) if isinstance(member, h5py.Group)]
        raise KeyError(f"{self._name} has no group {path!r}; it has {', '.join(there) or 'none'}")

    def network(self) -> Any:
        """The network as it was at the end of the run: wiring, cells, learned weights."""
        # by name: a recording can be read without the part of the package that simulates
        return importlib.import_module("neurodyn.circuit").Circuit.from_tree(self.tree("network"))

    def info(self) -> str:
        """Layout, shapes, units, provenance, results and checks, as text."""
        from neurodyn.recording.summary import describe

        return describe(self)

    def __repr__(self) -> str:
        from neurodyn.recording.summary import headline

        return headline(self)

    @property
    def _name(self) -> str:
        return str(self.path) if self.path is not None else "the recording in memory"

    def _spikes(self, population: str) -> Spikes:
        with self.open() as file:
            duration = decode(file.attrs["duration_ms"]) if "duration_ms" in file.attrs else None
            if decode(file.attrs.get("complete")) is not True:
                duration = None  # planned, but not reached
            return read_spikes(group_at(file, f"spikes/{population}"), population, duration)

    def _array(self, path: str) -> xarray.DataArray:
        with self.open() as file:
            return read_array(dataset_at(file, path), path.rpartition("/")[2])

    def _plain(self, path: str) -> Any:
        """An array without named dimensions, such as one of a tree; None if `path` is none."""
        with self.open() as file:
            found = lookup(file, path)
            if not isinstance(found, h5py.Dataset) or "dims" in found.attrs or is_bare_scale(found):
                return None
            return read_values(found)

    def _rate(self, population: str, populations: list[str]) -> xarray.DataArray:
        import numpy as np
        import xarray

        if population not in populations:
            raise KeyError(f"rates of which population? {', '.join(f'rate/{name}' for name in populations)}")
        spikes = self._spikes(population)
        rates = spikes.rates(_RATE_TAU_MS, _RATE_DT_MS)
        time = ("time", (np.arange(len(rates)) + 1) * _RATE_DT_MS, {"units": "ms"})
        attrs = {"units": "Hz", "filter": "exponential", "tau_ms": _RATE_TAU_MS, "population": population}
        coords = {"time": time, "unit": np.arange(spikes.size)}
        return xarray.DataArray(rates, dims=("time", "unit"), coords=coords, name="rate", attrs=attrs)

    @staticmethod
    def _find(key: str, keys: list[str]) -> tuple[str | None, list[str]]:
        """The one path that `key` means, or None and what it might mean."""
        if key in keys:
            return key, []
        candidates = [path for path in keys if f"/{key}/" in f"/{path}/"]
        if not candidates and "." in key:  # "cells.v", as it was recorded
            key = key.replace(".", "/")
            candidates = [path for path in keys if f"/{key}/" in f"/{path}/"]
            over_time = [path for path in candidates if not path.startswith("weights/")]
            candidates = over_time or candidates  # before snapshots
        readouts = [path for path in candidates if path.startswith("readout/")]
        choices = [candidates, [path for path in candidates if path.endswith(f"/{key}")]]
        choices += [[path for path in readouts if path.endswith(f"/{name}")] for name in _PREFERRED]
        for choice in choices:
            if len(choice) == 1:
                return choice[0], candidates
        return None, candidates

    def _unknown(self, key: str, keys: list[str], candidates: list[str]) -> str:
        if candidates:
            return f"{key!r} may mean any of {', '.join(candidates)}; give one of these"
        short = {part: path for path in keys for part in (*path.split("/"), path)}
        near = difflib.get_close_matches(str(key), list(short), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it holds {', '.join(keys) or 'no arrays'}"
        return f"{self._name} has no {key!r}; {hint}"


def _populations(keys: list[str]) -> list[str]:
    return [path.removeprefix("spikes/") for path in keys if path.startswith("spikes/")]


def _filtered(key: str, populations: list[str]) -> str | None:
    """The population whose rates `key` asks for ("" if it does not say which), or None."""
    if key == "rate" and populations:
        return populations[0] if len(populations) == 1 else ""
    return key.removeprefix("rate/") if key.startswith("rate/") and populations else None


def _open(path: Path | None) -> h5py.File:
    assert path is not None
    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise
    except OSError as error:
        if "lock" not in str(error):
            raise OSError(f"{path} cannot be read as HDF5, it may have been cut short: {error}") from error
    # A file with its final name is never written to, so a lock, or a file system that has none, need not stop
    # us.
    return h5py.File(path, "r", locking=False)


def _entries(group: h5py.Group, path: str = "", seen: set | None = None) -> Iterator[tuple[str, Any]]:
    """Paths and objects of all spikes and arrays; a group that is linked again, into itself perhaps, is entered once."""
    seen = {group.id} if seen is None else seen
    for name, member in children(group):
        here = f"{path}/{name}" if path else name
        if isinstance(member, h5py.Dataset):
            if "dims" in member.attrs and member.shape is not None:
                yield here, member
        elif path == "spikes":
            if {"timestamps", "node_ids"} <= {inner for inner, _ in children(member)}:
                yield here, member
        elif member.id not in seen:
            seen.add(member.id)
            yield from _entries(member, here, seen)
