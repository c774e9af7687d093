"""How a run of a scan goes: a bar on a terminal, a line a minute elsewhere, failures as they happen."""

from __future__ import annotations

import threading

from neurodyn.running.progress import Bar, progress_bar
from neurodyn.scan.ending import End
from neurodyn.scan.folder import Folder
from neurodyn.scan.points import Point
from neurodyn.scan.registry import Registry

_MOST = 20  # failures that are printed


class Progress:
    """Shows the points of a run as they end, on the standard error output; a context that ends with it."""

    def __init__(self, folder: Folder) -> None:
        self._registry = Registry(folder)
        self._failed = 0
        self._bar: Bar | None = None
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
        self._bar = progress_bar(count, unit="point")
        self._teller.start()

    def report(self, point: Point, end: End) -> None:
        """A point has ended."""
        assert self._bar is not None
        self._failed += end.failed
        if end.kind != "stopped":
            self._bar.update()
        if end.failed and self._failed <= _MOST:
            self._bar.say(f"failed: {point}: {end.message}")
            if self._failed == _MOST:
                self._bar.say("further failures are not printed; `neurodyn scan status` lists all")

    def _tell(self) -> None:
        """Say now and then how far it is, also while no point ends."""
        assert self._bar is not None
        while not self._over.wait(self._bar.every):
            self._bar.note(f"{self._failed} failed, {len(self._registry.claimed())} running")
