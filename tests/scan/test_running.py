"""What a running point may use, and what it may print."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from neurodyn.scan.link import resident
from neurodyn.scan.points import Point
from neurodyn.scan.running import Running


def test_output_that_gets_long_is_cut(tmp_path):
    running = Running(Point("ab", {}), tmp_path, 0, 0.0)
    running.prune()  # it has printed nothing so far
    for size, left in ((90_000_000, 90_000_000), (110_000_000, 0)):
        (tmp_path / "log").touch()
        os.truncate(tmp_path / "log", size)  # a hole, not bytes
        running.prune()
        assert (tmp_path / "log").stat().st_size == left


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux about processes")
def test_memory_of_processes_that_threads_started_counts():
    hold = "import sys; x = bytearray(300_000_000); print('ready', flush=True); sys.stdin.read()"
    started: list[int] = []
    stop = threading.Event()

    def start():
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen([sys.executable, "-c", hold], **pipes) as process:
            assert process.stdout is not None
            process.stdout.readline()
            started.append(process.pid)
            stop.wait(60)

    before, thread = resident(os.getpid()), threading.Thread(target=start)
    thread.start()
    while not started:
        time.sleep(0.01)
    during = resident(os.getpid())
    stop.set()
    thread.join()
    assert during - before > 250_000_000
