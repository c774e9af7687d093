"""Doors to other tools: recordings out to their formats, spikes and models in from them.

Names are imported on first use, and so are the packages that a door needs: a missing one gives an error that says
how to install it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from neurodyn.doors.neo import to_neo
    from neurodyn.doors.spike_files import read_spikes
    from neurodyn.recording.reader import Recording

_HOMES = {"read_spikes": "spike_files", "to_neo": "neo"}
_ENDINGS = {".nwb": "nwb", ".sonata": "sonata", ".csv": "csv"}

__all__ = ["export", "read_spikes", "to_neo"]


def export(
    recording: Recording | str | Path,
    path: str | Path | None = None,
    *,
    to: Literal["nwb", "sonata", "csv"] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a recording in a form that other tools read, and return the path of what was written.

    What goes where is in ``docs/exchange.md``. The file or folder is there whole or not at all.

    Parameters
    ----------
    recording : Recording or path
    path : path, optional
        Default beside the recording: ``a.nwb`` (a file), ``a.sonata`` or ``a.csv`` (folders).
    to : {"nwb", "sonata", "csv"}, optional
        The form; default that of the ending of `path`.
    overwrite : bool
        Whether what stands at `path` may be replaced; a folder only if an export made it.

    Raises
    ------
    ValueError
        A form that can't be told, or what a form can't hold.
    FileExistsError
        There is something at ``path``, and ``overwrite`` is not set.
    ImportError
        pynwb is missing (NWB).
    """
    from neurodyn.recording.reader import Recording, load

    opened = recording if isinstance(recording, Recording) else load(recording)
    form = _form(path, to)
    if path is None:
        if opened.path is None:
            raise ValueError(f"path = None, but the recording is in memory: say where, such as path='run.{form}'")
        path = opened.path.with_suffix(f".{form}")
    if form == "nwb":
        need("pynwb", "nwb")
        from neurodyn.doors.nwb import write_nwb

        return write_nwb(opened, path, overwrite=overwrite)
    if form == "sonata":
        from neurodyn.doors.sonata import write_sonata

        return write_sonata(opened, path, overwrite=overwrite)
    from neurodyn.doors.tables import write_csv

    return write_csv(opened, path, overwrite=overwrite)


def _form(path: str | Path | None, to: str | None) -> str:
    known = ", ".join(map(repr, _ENDINGS.values()))
    if to is not None and to not in _ENDINGS.values():
        raise ValueError(f"to = {to!r}; allowed are {known}")
    ending = None if path is None else Path(path).suffix.lower()
    told = None if ending is None else _ENDINGS.get(ending)
    if to and told and to != told:
        raise ValueError(f"to = {to!r}, but path = {str(path)!r} ends in {ending!r}; leave one of them out")
    if to or told:
        return str(to or told)
    where = "nothing says which form" if path is None else f"path = {str(path)!r} doesn't tell the form by its ending"
    raise ValueError(f"{where}; give to = {known.replace(', ', ' or ')}")


def need(package: str, extra: str) -> None:
    """Raise ImportError, saying how to install it, unless `package` can be imported."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise ImportError(f'{package} is missing; install it with: pip install "neurodyn[{extra}]"') from error


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
