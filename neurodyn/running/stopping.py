"""Runs that are told to stop, and runs that go on where they stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from neurodyn.recording import Recording

RESUMABLE = 75  # exit code: EX_TEMPFAIL of sysexits.h, "try again"

Resume = bool | Literal["takeover"]

#: what ``nd.simulate(resume=None)`` takes: ``neurodyn run --resume`` sets it for the simulations of its script
resume_by_default: ContextVar[Resume] = ContextVar("resume_by_default", default=False)


class Suspended(SystemExit):
    """A run was told to stop (SIGTERM, SIGUSR1) and left a checkpoint; left alone, it ends the process with code 75.

    The same call with ``resume=True`` goes on from there. ``message`` says which run, and how it goes on.
    """

    def __init__(self, message: str) -> None:
        super().__init__(RESUMABLE)
        self.message = message

    def __str__(self) -> str:
        return self.message


class StopRequest:
    """Whether a signal asked to stop, and which."""

    #: whether a second signal ends the process; not where somebody else sees to that, and one request may come twice
    impatient = True

    def __init__(self) -> None:
        self.signal: str | None = None

    def ask(self, number: int, frame: object = None) -> None:
        """Take note of a signal (a handler); the second one does what it does without us, if `impatient`."""
        if self.signal is not None and self.impatient:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal = signal.Signals(number).name


@contextmanager
def listening(stop: StopRequest) -> Iterator[None]:
    """Let SIGTERM and SIGUSR1 (Slurm's warning before the time limit) ask to stop, instead of ending the process.

    Handlers of the process's owner are left alone, and a thread other than the main one can't set any.
    """
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) == signal.SIG_DFL}
    for number in before:
        signal.signal(number, stop.ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def finished(path: Path, wanted: Mapping[str, str]) -> Recording:
    """Return the recording of a run that needs no resuming, since it is complete."""
    from neurodyn.recording import load
    from neurodyn.recording.leftovers import sweep

    recording = load(path)
    found = recording.attrs.get("run_fingerprint")
    if found != wanted or not recording.complete:
        other = [k for k in wanted if not isinstance(found, Mapping) or found.get(k) != wanted[k]]
        raise FileExistsError(
            f"out = {str(path)!r} exists and is not what this call records (another {', '.join(other) or 'end'}); "
            "give another name, or overwrite=True instead of resume"
        )
    sweep(Path(os.path.realpath(path)), done=True)  # a kill may have come after the file had its name
    return recording
