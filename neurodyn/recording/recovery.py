"""What a killed run left behind, as a recording of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from neurodyn.recording.closing import write_partial
from neurodyn.recording.leftovers import leftovers
from neurodyn.recording.segments import last_state, restore, whole_segments


def recover(path: str | Path) -> list[Path]:
    """Make partial recordings of the segments that killed runs of this output left; returns their paths.

    A run that closed its segments with checkpoints need not end here: called again with ``resume=True`` it goes on from
    the last one, so its segments stay, as do those of a run on another machine, where it might still go on. Other
    segments are removed once they are in a file.

    Parameters
    ----------
    path : path
        The file that the run was to write.

    Raises
    ------
    FileNotFoundError
        No segments are left.
    RuntimeError
        The run that writes them is alive.
    """
    target = Path(os.path.realpath(Path(path).expanduser()))
    kept = []
    for left in leftovers(target):
        segments = whole_segments(left.folder)
        if not segments:
            continue
        if left.alive:
            raise RuntimeError(f"{target} is still being written by {left.writer}; wait for it, or end it first")
        resumable = bool(last_state(segments)[0])
        reason = f"{left.writer} ended without a word" + ("; resume=True goes on from there" if resumable else "")
        kept.append(write_partial(restore(segments), target, reason))
        if not left.uncertain and not resumable:
            shutil.rmtree(left.folder, ignore_errors=True)
    if not kept:
        raise FileNotFoundError(f"no segments of {target} are left; a run closes its first after 64 MB or 5 minutes")
    return kept
