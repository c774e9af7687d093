"""How times are taken: contenders in turn, A B C A B C, so that a busy machine is busy for all of them alike.

One thread that computes is timed on the CPU clock: on an idle machine that is the wall clock, on a busy one it leaves
out the time of others. (Brian2's C++ program times itself with std::clock, which is the CPU clock too.)
"""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

BUSY = "something else uses the cores, and threads would wait for each other"
ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Times:
    """Seconds of each run of a contender: wall clock, CPU (all threads and child processes), and its own measure."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)


def in_turn(
    contenders: Mapping[str, Callable[[], float | None]], rounds: int, fewer: Mapping[str, int] | None = None
) -> dict[str, Times]:
    """Run each contender once a round; what it returns is its own measure, in seconds.

    A first round warms up and is not counted. Those in ``fewer`` (slow ones) take part in that many rounds only, and
    don't warm up.
    """
    times = {name: Times() for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            if fewer and name in fewer and not 0 < number <= fewer[name]:
                continue
            gc.collect()
            wall, cpu = time.perf_counter(), cpu_seconds()
            own = run()
            wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
            if number:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
                times[name].own.append(cpu if own is None else own)
    return times


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the children it waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # os.times counts in hundredths of a second
    return time.process_time() + used.ru_utime + used.ru_stime


def python(code: str, *, env: Mapping[str, str] | None = None) -> float:
    """Return the wall-clock seconds of a new Python process that runs ``code``; it must succeed."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"a benchmark's process failed:\n{done.stderr[-2000:]}")
    return wall


def cores_free(wanted: int) -> bool:
    """Return whether so many threads get a core each, by trying: the load average tells of what ran before as well."""
    from concurrent.futures import ThreadPoolExecutor

    from numba import njit

    @njit(nogil=True)
    def spin(turns):
        x = 1.0
        for _ in range(turns):
            x = x * 0.999 + 1.0
        return x

    spin(1)
    with ThreadPoolExecutor(wanted) as pool:
        wall, cpu = time.perf_counter(), time.process_time()
        list(pool.map(spin, [50_000_000] * wanted))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return cpu > 0.9 * wanted * wall


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="neurodyn-bench-") as folder:
        yield Path(folder)
