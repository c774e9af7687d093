"""The worker's end of the line to its server: orders go out, news come in, and what hangs is killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from neurodyn.scan.errors import ScanError

# what would otherwise start a thread for every processor, in every one of many processes
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")
_THREADS += ("VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS")


class ServerLost(Exception):
    """The server has ended, and its children with it."""


class Link:
    """A server and the pipes to it."""

    def __init__(self, target: str, folder: str, *, scratch: Path, threads: int, log: Path) -> None:
        reading, writing = os.pipe()
        environment = {**os.environ, **dict.fromkeys(_THREADS, str(threads)), "MPLBACKEND": "Agg"}
        command = [sys.executable, "-m", "neurodyn.scan.server", str(writing), target, folder, str(scratch)]
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=[writing],
                env=environment,
                start_new_session=True,  # Ctrl-C is for the worker, which then stops its points
            )
        os.close(writing)
        self._reading = reading
        self._buffer = b""
        self.log, self.began, self.ready = log, time.monotonic(), False

    def order(self, message: Mapping[str, Any]) -> None:
        """Have a point run."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise ServerLost from None

    def news(self, timeout: float) -> Iterator[dict[str, Any]]:
        """What the server says, waiting so many seconds for it at most."""
        poll = select.poll()  # unlike select, for any number of open files
        poll.register(self._reading, select.POLLIN)
        if not poll.poll(1000 * timeout):
            if self.process.poll() is not None:  # and something that the script has started holds the pipe open
                raise ServerLost
            return
        received = os.read(self._reading, 2**20)
        if not received:
            raise ServerLost
        self._buffer += received
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "broken" in message:
                raise ScanError(message["broken"])
            self.ready = True
            yield message

    def kill(self) -> None:
        """End the server at once; the system ends its children with it, as far as they have no group of their own."""
        send(self.process.pid, signal.SIGKILL)

    def close(self, patience: float = 10.0) -> str:
        """End the server, which kills the children that are left, within so many seconds; returns how it ended."""
        if not self.ready:  # still importing, deaf to all else
            self.kill()
        with contextlib.suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
        os.close(self._reading)
        code = self.process.returncode
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a point and all it has started."""
    for kill in (os.killpg, os.kill):  # the group is there once the child has made it
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, number)
            return


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children hold, 0 where the system does not tell."""
    total = 0
    waiting = [pid]
    while waiting:
        number = waiting.pop()
        try:
            pages = Path(f"/proc/{number}/statm").read_text(encoding="ascii").split()
            total += int(pages[1]) * os.sysconf("SC_PAGE_SIZE")
            for thread in Path(f"/proc/{number}/task").iterdir():  # each has children of its own
                waiting += map(int, (thread / "children").read_text(encoding="ascii").split())
        except (OSError, IndexError):
            continue
    return total


def ended_for_memory(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int:
    """How many processes the system has ended for lack of memory in the control group of this one, if it tells."""
    with contextlib.suppress(OSError):
        for line in groups.read_text(encoding="ascii").splitlines():
            _, controllers, place = line.split(":", 2)
            if controllers == "memory":
                events = root / "memory" / place.lstrip("/") / "memory.oom_control"  # version 1
            elif controllers == "":
                events = root / place.lstrip("/") / "memory.events"
            else:
                continue
            if events.exists():
                counts = (line.split() for line in events.read_text(encoding="ascii").splitlines())
                return sum(int(count) for name, count in counts if name == "oom_kill")
    return 0
