"""A process that has imported a simulation and forks a fresh child for every point: ``python -m neurodyn.scan.server``.

It reads orders, a line of JSON each, from its standard input, and answers on the descriptor named in its first
argument. When the input ends, because the worker has ended however that came about, its children are killed. What a
child starts and leaves is killed when it ends, daemons included where the system hands them over (Linux).

::

    {"run": key, "config": {...}, "work": DIR, "cpus": [0], "resume": ...}    ->  {"started": key, "pid": 17}
                                                                               ->  {"ended": key, "status": 9, "peak": bytes}
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import io
import json
import os
import selectors
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from neurodyn.scan import warm
from neurodyn.scan.point import run_in_child

_PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> NoReturn:
    """Serve until the input ends.

    Arguments are the descriptor for answers, SCRIPT.py:NAME, a folder to work in, and one for temporary files, which is
    removed in the end.
    """
    answers, target, folder = int(arguments[0]), arguments[1], arguments[2]
    os.set_inheritable(answers, False)
    with contextlib.suppress(OSError):
        os.chdir(folder)
    # nothing that the script starts or reads may take orders away
    orders, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for printed in (sys.stdout, sys.stderr):
        if isinstance(printed, io.TextIOWrapper):
            printed.reconfigure(line_buffering=True)  # what a point printed before it was killed tells most
    faulthandler.enable()
    server = _Server(orders, answers, Path(arguments[3]))
    try:
        simulation = _imported(target)
    except BaseException as error:
        server.answer({"broken": f"{error}" if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"})
        os._exit(1)
    server.answer({"ready": True})
    server.serve(simulation)
    os._exit(0)


def _imported(target: str) -> Any:
    """Import the simulation and what every point needs, so that it need not do that again."""
    from neurodyn.recording import annotate
    from neurodyn.recording.provenance import versions
    from neurodyn.scripts import simulation_of

    simulation = simulation_of(target)
    simulation.prepare()
    versions()
    np.random.seed(0)  # noqa: NPY002  (numpy imports this when it is first used)
    with tempfile.TemporaryDirectory() as folder:  # the first file of a process takes longest
        annotate(Path(folder) / "first.h5", results={"number": 1.0}, config={"simulation": target}, checks=[])
    warm.begin()
    gc.collect()
    gc.freeze()  # what children share stays shared
    return simulation


class _Server:
    def __init__(self, orders: int, answers: int, scratch: Path) -> None:
        self.input, self.answers, self.scratch = orders, answers, scratch
        self.children: dict[int, tuple[str, Path]] = {}
        self.buffer = b""
        self.own: tuple[int, ...] = ()
        self.before = set[int]()

    def answer(self, message: dict[str, Any]) -> None:
        try:
            os.write(self.answers, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            self.stop()

    def serve(self, simulation: Any) -> None:
        """Fork and wait, until the input ends."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.set_blocking(reader, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)  # the worker decides
        selector = selectors.DefaultSelector()
        selector.register(self.input, selectors.EVENT_READ)
        selector.register(reader, selectors.EVENT_READ)
        self.own = (reader, writer)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self.before = _children()
        while True:
            for key, _ in selector.select():
                if key.fd == reader:
                    with contextlib.suppress(BlockingIOError):
                        os.read(reader, 4096)
                    self.reap()
                elif not self.orders(simulation):
                    self.stop()

    def orders(self, simulation: Any) -> bool:
        """Carry out what the worker sent; False at the end."""
        received = os.read(self.input, 2**20)
        self.buffer += received
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            self.fork(simulation, json.loads(line))
        return bool(received)

    def fork(self, simulation: Any, order: dict[str, Any]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            for own in (self.input, self.answers, *self.own):
                os.close(own)
            run_in_child(simulation, {**order, "server": server})
        self.children[pid] = order["run"], Path(f"{order['scratch']}.loaded")
        self.answer({"started": order["run"], "pid": pid})

    def reap(self) -> None:
        """Report children that have ended."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self.children:  # what a point had left, or the script had started
                continue
            key, loaded = self.children.pop(pid)
            self.sweep(pid)
            peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            cpu = usage.ru_utime + usage.ru_stime
            self.answer({"ended": key, "status": status, "peak": peak, "cpu": cpu})
            warm.load(loaded)

    def sweep(self, ended: int) -> None:
        """Kill what a child that has ended leaves: its group, and what has made groups of its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(ended, signal.SIGKILL)
        # a point takes over the daemons it starts (see `point._alone`), and at its end they come to us
        seen: set[int] = set()
        while left := _children() - self.before - self.children.keys() - seen:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            seen |= left

    def stop(self) -> NoReturn:
        for pid in self.children:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)
        while self.children or _children():  # zombies are ours to bury, and what they leave is ours to end
            for pid in _children():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                break
            if self.children.pop(pid, None):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(self.scratch, ignore_errors=True)  # the worker may have been killed
        os._exit(0)


def _children() -> set[int]:
    """Direct children of this process, where the system tells."""
    try:
        return set(map(int, Path("/proc/self/task").joinpath(str(os.getpid()), "children").read_text("ascii").split()))
    except OSError:
        return set()


if __name__ == "__main__":
    main(sys.argv[1:])
