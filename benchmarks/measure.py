"""How times are taken: contenders in turn, A B C A B C, so that a busy machine is busy for all of them alike."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def in_turn(contenders: Mapping[str, Callable[[], float | None]], rounds: int, fewer: Mapping[str, int] | None = None) -> dict[str, list[float]]:
    """Run each contender once a round and return its times in seconds.

    A contender returns its own time, or None to be timed by the wall clock. Those in ``fewer`` (slow ones) take part
    in that many rounds only. A first round warms up the caches and is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            most = (fewer or {}).get(name, rounds)
            if number > most or (number == 0 and most <= 1):
                continue
            gc.collect()
            start = time.perf_counter()
            own = run()
            wall = time.perf_counter() - start
            if number:
                times[name].append(wall if own is None else own)
    return times


def python(code: str, *, env: Mapping[str, str] | None = None) -> float:
    """Return the wall-clock seconds of a new Python process that runs ``code``; it must succeed."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path, **(env or {})}, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"a benchmark's process failed:\n{done.stderr[-2000:]}")
    return wall


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="neurodyn-bench-") as folder:
        yield Path(folder)
