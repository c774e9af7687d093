"""A process that has imported a simulation and forks a fresh child for every point: ``python -m neurodyn.scan.server``.

It reads orders, a line of JSON each, from its standard input, and answers on the descriptor named in its first
argument. When the input ends, because the worker has ended however that came about, its children are killed.

::

    {"run": key, "config": {...}, "work": DIR, "cpus": [0], "resume": ...}    ->  {"started": key, "pid": 17}
                                                                               ->  {"ended": key, "status": 9, "peak": bytes}
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from neurodyn.scan.point import run_in_child


def main(arguments: list[str]) -> NoReturn:
    """Serve until the input ends: arguments are the descriptor for answers, SCRIPT.py:NAME and a folder to work in."""
    answers, target, folder = int(arguments[0]), arguments[1], arguments[2]
    os.set_inheritable(answers, False)
    with contextlib.suppress(OSError):
        os.chdir(folder)
    server = _Server(answers)
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
    with tempfile.TemporaryDirectory() as folder:  # the first file of a process takes longest
        annotate(Path(folder) / "first.h5", results={"number": 1.0}, config={"simulation": target}, checks=[])
    gc.collect()
    gc.freeze()  # what children share stays shared
    return simulation


class _Server:
    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.children: dict[int, str] = {}
        self.buffer = b""
        self.own: tuple[int, ...] = ()

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
        selector.register(0, selectors.EVENT_READ)
        selector.register(reader, selectors.EVENT_READ)
        self.own = (reader, writer)
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
        received = os.read(0, 2**20)
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
            for own in (self.answers, *self.own):
                os.close(own)
            run_in_child(simulation, {**order, "server": server})
        self.children[pid] = order["run"]
        self.answer({"started": order["run"], "pid": pid})

    def reap(self) -> None:
        """Report children that have ended."""
        while self.children:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            key = self.children.pop(pid)
            peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            cpu = usage.ru_utime + usage.ru_stime
            self.answer({"ended": key, "status": status, "peak": peak, "cpu": cpu})

    def stop(self) -> NoReturn:
        for pid in self.children:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
