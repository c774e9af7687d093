"""The recording file: one HDF5 file a run, written once, whole or not at all.

``docs/recording.md`` describes the layout. Names are imported on first use: ``import neurodyn`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodyn.recording.annotation import annotate
    from neurodyn.recording.disk import check_disk, sample_bytes, spike_bytes
    from neurodyn.recording.layout import FORMAT
    from neurodyn.recording.lazy import LazyArray
    from neurodyn.recording.reader import Recording, load
    from neurodyn.recording.recovery import recover
    from neurodyn.recording.spikes import Spikes
    from neurodyn.recording.writer import Writer

# No module may bear the name of a function here: importing it would replace the function in this namespace.
_HOMES = {
    "FORMAT": "layout",
    "LazyArray": "lazy",
    "Recording": "reader",
    "Spikes": "spikes",
    "Writer": "writer",
    "annotate": "annotation",
    "check_disk": "disk",
    "load": "reader",
    "recover": "recovery",
    "sample_bytes": "disk",
    "spike_bytes": "disk",
}

__all__ = [
    "FORMAT",
    "LazyArray",
    "Recording",
    "Spikes",
    "Writer",
    "annotate",
    "check_disk",
    "load",
    "recover",
    "sample_bytes",
    "spike_bytes",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
