"""Points on a Dask cluster: a running one that is named, that of a client, or one made here for the run.

A task is a chunk of points, run by a `Worker` in a thread of a dask worker; its server is a process of its own, which
ends with the dask worker. When a dask worker is lost, Dask gives its task to another one, which goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import math
import queue
import secrets
from asyncio import CancelledError
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neurodyn.scan.amounts import seconds
from neurodyn.scan.ending import End
from neurodyn.scan.errors import ScanError
from neurodyn.scan.executors.dask_chunk import found, run_chunk, stop_workers
from neurodyn.scan.executors.local import processors
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries
from neurodyn.scan.measured import measured
from neurodyn.scan.options import Report, RunOptions
from neurodyn.scan.points import Point
from neurodyn.scan.registry import Registry
from neurodyn.scan.selection import bury
from neurodyn.scan.signals import heard

_SHARE = 4  # chunks for each thread of the cluster: little is lost with a worker, and the last ones end together
_FEWEST_THREADS = 16  # taken for granted of a cluster whose workers are still to come
_PATIENT = 5  # dask workers that a point may be waiting at when they are lost
_SHORTEST_S = 5.0  # of a chunk, whose process takes about half a second to start
_WORKERS_S = 5.0  # for the first worker of a cluster to come
_LOOK_S = 0.5


def run(folder: Folder, points: Sequence[Point], options: RunOptions, report: Report, *, client: Any = None) -> str:
    """Run `points` on a cluster, until they are done or this process is told to stop."""
    with _connected(client, options) as (cluster, slots):
        return _Submission(cluster, folder, options, slots, report).run(points)


@contextlib.contextmanager
def _connected(client: Any, options: RunOptions) -> Iterator[tuple[Any, int]]:
    """A client, and how many points at a time a task runs."""
    try:
        import distributed
    except ImportError:
        raise ScanError("on = 'dask' needs the package distributed: pip install neurodyn[dask]") from None
    if client is not None:
        if not isinstance(client, distributed.Client) or client.asynchronous:
            raise ScanError(f"client = {client!r} has to be a dask.distributed.Client that is not asynchronous")
        yield client, options.workers or 1
    elif options.scheduler is not None:
        file = options.scheduler.endswith(".json")
        if file and not Path(options.scheduler).is_file():
            raise ScanError(f"scheduler = {options.scheduler!r}: there is no such file; start the scheduler first")
        try:
            address, written = (None, options.scheduler) if file else (options.scheduler, None)
            running = distributed.Client(address, scheduler_file=written, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ScanError(f"scheduler = {options.scheduler!r}: no Dask scheduler answers there ({error})") from None
        with running:
            yield running, options.workers or 1
    else:
        count = options.workers or max(1, processors() // options.threads)
        own = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
        with (
            distributed.LocalCluster(**own, processes=True) as cluster,
            distributed.Client(cluster, set_as_default=False) as local,
        ):
            yield local, 1


class _Submission:
    """Chunks of points that a cluster was given, and what came back."""

    def __init__(self, client: Any, folder: Folder, options: RunOptions, slots: int, report: Report) -> None:
        self.client, self.folder, self.options, self.slots, self.report = client, folder, options, slots, report
        self.name = secrets.token_hex(4)
        self.chunks: dict[Any, list[Point]] = {}
        self.ended: queue.Queue[Any] = queue.Queue()
        self.submitted = 0
        self.lost: list[Point] = []
        self.waited = Counter[str]()  # how often a point was with a dask worker that was lost before it began
        self.error: str | None = None
        self.told: list[str] = []

    def run(self, points: Sequence[Point]) -> str:
        """Submit all points and wait; returns what there is to say."""
        with contextlib.suppress(TimeoutError):  # they come later, then, as those of an adaptive cluster do
            self.client.wait_for_workers(1, timeout=_WORKERS_S)
        size = chunk_size(self.folder, len(points), self.options, sum(self.client.nthreads().values()))
        with heard(self.told.append):
            try:
                for first in range(0, len(points), size):
                    self._submit(points[first : first + size])
                while self.chunks:
                    if self.told:
                        self._stop()
                    with contextlib.suppress(queue.Empty):
                        self._take(self.ended.get(timeout=_LOOK_S))
            finally:
                if self.chunks and self.client.status == "running":
                    self.told.append("its submission ended")
                    self._stop()
        if self.error is not None:
            raise ScanError(self.error)
        if self.told:
            return f"stopped: {self.told[0]}"
        if self.lost:
            return f"lost with the dask workers that ran them: {', '.join(map(str, self.lost))}; run the scan again"
        return ""

    def _submit(self, points: Sequence[Point]) -> None:
        self.submitted += 1
        job = f"{self.name}.{self.submitted}"
        rows, limits = [asdict(point) for point in points], asdict(self.options.limits)
        about = (str(self.folder.path), self.folder.header.id, rows, limits, self.slots, self.options.batch, job)
        future = self.client.submit(run_chunk, *about, key=f"neurodyn-{job}", pure=False)
        self.chunks[future] = list(points)
        future.add_done_callback(self.ended.put)

    def _stop(self) -> None:
        """Give up the chunks that wait, and tell those that run to stop; what is told twice ends at once."""
        try:
            running = {key for keys in self.client.processing().values() for key in keys}
            waiting = [future for future in self.chunks if future.key not in running and not future.done()]
            self.client.cancel(waiting)
            for future in waiting:
                del self.chunks[future]
            self.client.run(stop_workers, self.name, self.told[0], len(self.told) > 1, on_error="ignore")
        except (OSError, CancelledError) as error:
            self.chunks.clear()
            self.error = f"the Dask scheduler does not answer any more ({error}); run the scan again on another one"

    def _take(self, future: Any) -> None:
        """What a chunk brought."""
        from distributed import KilledWorker

        points = self.chunks.pop(future, None)
        if points is None:
            return
        if future.cancelled():  # by whoever owns the cluster
            self._give_up(
                "the Dask cluster has dropped the tasks of this scan; was it closed? Run the scan on another one"
            )
            return
        error = future.exception()
        if error is None:
            brought = future.result()
            self._tell(points, {key: End(*end) for key, *end in brought["ends"]})
            if "error" in brought:
                self._give_up(brought["error"])
        elif isinstance(error, KilledWorker):
            self._go_on(points)
        else:
            self._give_up(
                f"the Dask cluster can't run points ({type(error).__name__}: {error}); its scheduler and its workers "
                "need the same neurodyn as this process"
            )

    def _go_on(self, points: list[Point]) -> None:
        """Several dask workers were lost with a chunk: what is left of it runs in halves, to find out whose fault it is."""
        left = [point for point in points if self._found(point) is None]
        self._tell([point for point in points if point not in left], {})
        if self.told:
            return
        if len(points) == 1 and left:
            key = left[0].key
            self.waited[key] += 1
            if self.waited[key] < _PATIENT and Registry(self.folder).owner(key) is None:
                self._submit(left)
                return
            bury(self.folder)
            self._tell(left, {})
            self.lost += left
            return
        middle = (len(left) + 1) // 2
        for half in (left[:middle], left[middle:]):
            if half:
                self._submit(half)

    def _tell(self, points: Sequence[Point], ends: Mapping[str, End]) -> None:
        for point in points:
            end = ends.get(point.key) or self._found(point)
            if end is not None:
                self.report(point, end)

    def _found(self, point: Point) -> End | None:
        return found(self.folder, point.key, self.name)

    def _give_up(self, why: str) -> None:
        """Something that no other chunk would do better."""
        if self.error is None:
            self.error = why
            self.told.append(why)


def chunk_size(folder: Folder, count: int, options: RunOptions, threads: int) -> int:
    """Points of a task: several tasks for each thread of the cluster.

    Where it is known what points take, a task takes `task_time` at most, and is no shorter than pays for its process.
    """
    size = math.ceil(count / (_SHARE * (threads or _FEWEST_THREADS)))
    known = measured(entries(folder))
    typical = known.seconds if known is not None else seconds(options.point_time, "point_time")
    if typical:
        longest = seconds(options.task_time, "task_time") or math.inf
        size = min(size, int(longest / typical))
        size = max(size, min(math.ceil(_SHORTEST_S / typical), math.ceil(count / (threads or _FEWEST_THREADS))))
    return max(1, size)
