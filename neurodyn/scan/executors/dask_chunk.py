"""What a dask worker does: it runs a chunk of the points of a scan, until it is told to stop."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurodyn.recording.disk import host
from neurodyn.scan.ending import End
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder, read_json
from neurodyn.scan.points import Point
from neurodyn.scan.running import Limits
from neurodyn.scan.worker import Worker

_PATIENCE_S = 10.0  # for a shared file system to show a folder that was made just now
_LOOK_S = 0.5

# in a dask worker, by the name of the run: who runs points, and what has been stopped
_active: dict[str, list[Worker]] = {}
_stopped: set[str] = set()
_lock = threading.Lock()


def found(folder: Folder, key: str, run: str) -> End | None:
    """How a point ended in a run, from the scan's folder; None if it has not."""
    if folder.recording(key).exists():
        return End("done")
    with contextlib.suppress(OSError, ValueError):
        failure = read_json(folder.failure(key))
        if str(failure.get("worker", "")).startswith(f"dask-{run}."):
            return End(failure["kind"], failure["message"])
    return None


def run_chunk(
    path: str, scan: str, rows: Sequence[Mapping[str, Any]], limits: Any, slots: int, batch: int | str, job: str
) -> dict[str, Any]:
    """The task: run points in this dask worker; returns {"ends": [(key, kind, message), ...]}, and "error" if one came."""
    run, ends = job.partition(".")[0], list[tuple[str, str, str]]()

    def note(point: Point, end: End) -> None:
        ends.append((point.key, end.kind, end.message))

    try:
        folder = _shared(Path(path), scan)
        worker = Worker(folder, "dask", slots, Limits(**limits), job=job, batch=batch, report=note)
        with _lock:
            if run in _stopped:
                return {"ends": []}
            _active.setdefault(run, []).append(worker)
        try:
            points = [Point(**row) for row in rows]
            # some may have failed here already, before Dask lost the worker that had this task
            worker.run([point for point in points if found(folder, point.key, run) is None])
        finally:
            with _lock:
                _active[run].remove(worker)
    except ScanError as error:
        return {"ends": ends, "error": str(error)}
    return {"ends": ends}


def stop_workers(run: str, why: str, at_once: bool) -> None:
    """In a dask worker: stop what runs for a run, and start nothing more."""
    with _lock:
        _stopped.add(run)
        for worker in _active.get(run, ()):
            if worker.why is None or at_once:
                worker.stop(why)


def _shared(path: Path, scan: str) -> Folder:
    """The scan's folder, as this machine sees it."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        with contextlib.suppress(ScanError, OSError, ValueError):
            folder = Folder(path)
            if folder.header.id == scan:
                return folder
        if time.monotonic() > until:
            raise ScanError(
                f"the dask worker on {host()} does not see the scan in {path}; put it (and the script) on a file system "
                "that the workers share with this machine"
            )
        time.sleep(_LOOK_S)
