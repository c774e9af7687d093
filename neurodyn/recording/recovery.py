"""What a killed run left behind."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path

import h5py

from neurodyn.recording.closing import write_partial
from neurodyn.recording.disk import host, stem
from neurodyn.recording.store import Store
from neurodyn.recording.values import decode


def recover(path: str | Path) -> list[Path]:
    """Make partial recordings of the segments that killed runs of this output left; returns their paths.

    `path` is the file that the run was to write. The segments are removed once they are in a file, unless the
    run was on another machine, where it might still go on. Raises FileNotFoundError if there are none,
    RuntimeError if the run that writes them is alive.
    """
    target = Path(os.path.realpath(Path(path).expanduser()))
    pattern = f".{glob.escape(stem(target))}.*.parts"
    kept = []
    for folder in sorted(target.parent.glob(pattern)):
        segments = sorted(folder.glob("[0-9]*.h5"))
        if not segments:
            continue
        with h5py.File(segments[0], "r") as file:
            name, machine, process = (decode(file.attrs[key]) for key in ("target", "host", "pid"))
        if name != target.name:
            continue
        here = machine == host()
        if here and _alive(process):
            raise RuntimeError(f"{target} is still being written by process {process}; wait for it, or end it first")
        reason = f"process {process} on {machine} ended without a word"
        kept.append(write_partial(Store.restore(folder), target, reason))
        if here:
            shutil.rmtree(folder, ignore_errors=True)
    if not kept:
        raise FileNotFoundError(f"no segments of {target} are left; a run closes its first after 64 MB or 5 minutes")
    return kept


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
