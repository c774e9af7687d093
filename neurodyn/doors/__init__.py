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
    from neurodyn.training.run import TrainingRun

_HOMES = {"read_spikes": "spike_files", "to_neo": "neo"}
_ENDINGS = {".nwb": "nwb", ".sonata": "sonata", ".csv": "csv"}

__all__ = ["export", "read_spikes", "to_neo"]


def export(
    recording: Recording | TrainingRun | str | Path,
    out: str | Path | None = None,
    *,
    to: Literal["nwb", "sonata", "csv"] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a recording in a form that other tools read, and return the path of what was written.

    What goes where is in ``docs/exchange.md``. The file or folder is there whole or not at all.

    Parameters
    ----------
    recording : Recording, path of one, or TrainingRun
    out : path, optional
        Default beside the recording: ``a.nwb`` (a file), ``a.sonata`` or ``a.csv`` (folders).
    to : {"nwb", "sonata", "csv"}, optional
        The form; default that of the ending of `out`.
    overwrite : bool
        Whether what stands at `out` may be replaced; a folder only if an export made it.

    Raises
    ------
    TypeError
        What is no recording.
    ValueError
        A form that can't be told, or what a form can't hold.
    FileExistsError, OSError
        There is something at ``out``, and ``overwrite`` is not set; a place that can't be written.
    ImportError
        pynwb is missing (NWB).
    """
    from neurodyn.recording.given import check_apart, recording_of

    opened = recording_of(recording)
    form = _form(out, to)
    if out is None:
        if opened.path is None:
            raise ValueError(f"out = None, but the recording is in memory: say where, such as out='run.{form}'")
        out = opened.path.with_suffix(f".{form}")
    check_apart(opened, out)
    if form == "nwb":
        need("pynwb", "nwb")
        from neurodyn.doors.nwb import write_nwb as write
    elif form == "sonata":
        from neurodyn.doors.sonata import write_sonata as write
    else:
        from neurodyn.doors.tables import write_csv as write
    return write(opened, out, overwrite=overwrite)


def _form(out: str | Path | None, to: str | None) -> str:
    known = ", ".join(map(repr, _ENDINGS.values()))
    if to is not None and to not in _ENDINGS.values():
        raise ValueError(f"to = {to!r}; allowed are {known}")
    ending = None if out is None else Path(out).suffix.lower()
    told = None if ending is None else _ENDINGS.get(ending)
    if to and told and to != told:
        raise ValueError(f"to = {to!r}, but out = {str(out)!r} ends in {ending!r}; leave one of them out")
    if to or told:
        return str(to or told)
    where = "nothing says which form" if out is None else f"out = {str(out)!r} doesn't tell the form by its ending"
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
