"""A recording as xarray's datasets and tree, values left in the file until they are used."""

from __future__ import annotations

import difflib
import io
from typing import TYPE_CHECKING, Any

import h5py

from neurodyn.recording.arrays import RESERVED
from neurodyn.recording.layout import children, lookup
from neurodyn.recording.values import decode

if TYPE_CHECKING:
    import xarray

    from neurodyn.recording.reader import Recording

_TREES = ("network", "run")  # nested descriptions, not arrays over dimensions: read with recording.tree


def open_dataset(recording: Recording, group: str) -> xarray.Dataset:
    """The arrays of one group of the file; see :meth:`Recording.dataset`."""
    import xarray

    group = group.strip("/")
    there = dataset_groups(recording)
    if group not in there:
        within = [name for name in there if name.startswith(f"{group}/")]
        near = within or difflib.get_close_matches(group, there, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(there) or 'none'}"
        raise KeyError(f"{recording.path or 'the recording in memory'} has no group of arrays {group!r}; {hint}")
    # times stay numbers in ms, and nothing is masked: the file means what it says
    found = xarray.open_dataset(
        _source(recording),
        engine="h5netcdf",
        group=group,
        decode_times=False,
        decode_timedelta=False,
        mask_and_scale=False,
    )
    for variable in found.variables.values():
        variable.attrs = _plain(variable.attrs)
    found.attrs = _plain(found.attrs)
    return found


def open_tree(recording: Recording) -> xarray.DataTree:
    """All groups of arrays; see :meth:`Recording.datatree`."""
    import xarray

    groups = {f"/{name}": open_dataset(recording, name) for name in dataset_groups(recording)}
    tree = xarray.DataTree.from_dict({"/": xarray.Dataset(attrs=recording.attrs), **groups})

    def close() -> None:
        for dataset in groups.values():
            dataset.close()

    tree.set_close(close)
    return tree


def dataset_groups(recording: Recording) -> list[str]:
    """The groups of the file that hold arrays: "state/cells", "spikes/cells", "stimulus", "trials", ..."""
    found = dict.fromkeys(key if key.startswith("spikes/") else key.rpartition("/")[0] for key in recording)
    with recording.open() as file:
        trials = lookup(file, "trials")
        if isinstance(trials, h5py.Group) and any(children(trials)):
            found["trials"] = None
    return [name for name in found if name and name.partition("/")[0] not in _TREES]


def _source(recording: Recording) -> Any:
    return recording.path if recording._image is None else io.BytesIO(bytes(recording._image))


def _plain(attrs: dict[str, Any]) -> dict[str, Any]:
    return {key: decode(value) for key, value in attrs.items() if key not in RESERVED}
