"""A recording as it is given to what makes something of it, and the name of what is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurodyn.recording.reader import Recording, load

if TYPE_CHECKING:
    from neurodyn.training.run import TrainingRun


def recording_of(given: Recording | TrainingRun | str | Path) -> Recording:
    """Return the recording: itself, that of a training, or the one in a file.

    Raises TypeError for what is none of these, and what :func:`load` raises.
    """
    found = getattr(given, "recording", given)
    if isinstance(found, str | Path):
        return load(found)
    if not isinstance(found, Recording):
        raise TypeError(f"recording = {given!r} is none; give a recording, the path of one, or a training")
    return found


def check_apart(recording: Recording, out: str | Path) -> None:
    """Raise ValueError where ``out`` is the file of the recording itself."""
    if recording.path is not None and Path(out).expanduser().resolve() == recording.path.resolve():
        raise ValueError(f"out = {str(out)!r} is the recording itself; give another name")
