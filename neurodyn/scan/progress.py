"""How a run of a scan goes: a bar on a terminal, a line a minute elsewhere, failures as they happen."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from neurodyn.scan.amounts import show_seconds
from neurodyn.scan.ending import End
from neurodyn.scan.folder import Folder
from neurodyn.scan.points import Point
from neurodyn.scan.registry import Registry

_LINE_S = 60.0  # between lines where there is no terminal
_BAR_S = 1.0
_MOST = 20  # failures that are printed


class Progress:
    """Shows the points of a run as they end, on the standard error output; a context that ends with it."""

    def __init__(self, folder: Folder) -> None:
        self._registry = Registry(folder)
        self._total = self._done = self._failed = 0
        self._bar: Any = None
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._teller.ident is not None:
            self._teller.join()
        if self._bar is not None:
            self._bar.close()

    def begin(self, count: int) -> None:
        """So many points will run."""
        from tqdm import tqdm

        self._total, self._started = count, time.monotonic()
        if sys.stderr.isatty():
            self._bar = tqdm(total=count, unit="point", dynamic_ncols=True)
        self._teller.start()

    def report(self, point: Point, end: End) -> None:
        """A point has ended."""
        self._done += end.kind == "done"
        self._failed += end.failed
        if self._bar is not None and end.kind != "stopped":
            self._bar.update()
        if end.failed and self._failed <= _MOST:
            self._say(f"failed: {point}: {end.message}")
            if self._failed == _MOST:
                self._say("further failures are not printed; `neurodyn scan status` lists all")

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def _tell(self) -> None:
        """Say now and then how far it is, also while no point ends."""
        while not self._over.wait(_BAR_S if self._bar is not None else _LINE_S):
            running = len(self._registry.claimed())
            if self._bar is not None:
                self._bar.set_postfix_str(f"{self._failed} failed, {running} running")
            else:
                self._say(self._line(running))

    def _line(self, running: int) -> str:
        ended = self._done + self._failed
        left = "time left unknown"
        if ended:
            rate = (time.monotonic() - self._started) / ended
            left = f"about {show_seconds(rate * (self._total - ended))} left"
        counts = f"{self._done} of {self._total} done, {self._failed} failed, {running} running"
        return f"{time.strftime('%H:%M')} {counts}, {left}"
