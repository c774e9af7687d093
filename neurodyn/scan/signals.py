"""Signals that ask to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)  # Ctrl-C; a kind kill; Slurm's warning


@contextmanager
def heard(tell: Callable[[str], Any]) -> Iterator[None]:
    """Have signals that ask to stop told in words, instead of ending the process; only the main thread can."""

    def ask(number: int, frame: FrameType | None) -> None:
        tell(f"told to by {signal.Signals(number).name}")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ask) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
