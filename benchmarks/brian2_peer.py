"""Our networks on Brian2: the same equations, wiring, weights and start values, its own default preferences.

Fair play: `-O3 -ffast-math -march=native` and loop-invariant optimisations are Brian2's defaults and stay on; one thread.
`python benchmarks/brian2_peer.py FOLDER NUMBERS.npz SECONDS` builds the C++ standalone program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from brian2_networks import brian2, network
from measure import cpu_seconds


class Runtime:
    """A network on a runtime target ("numpy" or "cython"), compiled at once, run again and again from its start."""

    def __init__(
        self,
        numbers: Mapping[str, Any],
        *,
        target: str,
        seconds: float,
        cache: Path | None = None,
        exact: bool = False,
    ) -> None:
        b = self.b = brian2()
        self.target, self.seconds = target, seconds
        b.prefs.codegen.target = target
        b.prefs.codegen.loop_invariant_optimisations = not exact
        if cache is not None:
            b.prefs.codegen.runtime.cython.cache_dir = str(cache)
        start = cpu_seconds()
        self.network, self.monitor, self.namespace = network(numbers, accumulate=exact)
        self.network.store()
        self.network.run(2 * float(numbers["dt_ms"]) * b.ms, namespace=self.namespace)
        self.build_s = cpu_seconds() - start
        b.prefs.codegen.loop_invariant_optimisations = True

    def run(self) -> float:
        """Run once; return Brian2's own time of the step loop (code generation and compilation left out).

        Brian2's module asks time.time() at the two ends of its loop; here it gets the CPU clock instead, which its
        C++ program uses as well, so that all contenders are timed by the same clock.
        """
        from brian2.core import network as module

        self.b.prefs.codegen.target = self.target
        self.network.restore()
        module.time = SimpleNamespace(time=time.process_time)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            self.network.run(self.seconds * self.b.second, namespace=self.namespace)
        finally:
            module.time = time
        return float(self.b.device._last_run_time)

    def spikes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (steps, units) of the last run."""
        return np.asarray(self.monitor.t / self.b.defaultclock.dt).round().astype(np.int64), np.asarray(self.monitor.i)


class Standalone:
    """The C++ program, built in a process of its own and run again and again."""

    def __init__(self, numbers: Mapping[str, Any], *, folder: Path, seconds: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        given = folder / "numbers.npz"
        arrays: dict[str, Any] = {name: np.asarray(value) for name, value in numbers.items()}
        np.savez(given, **arrays)
        self.folder = folder / "build"
        command = [sys.executable, str(Path(__file__)), str(self.folder), str(given), str(seconds)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise RuntimeError(f"Brian2 could not build its C++ program:\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
        self.build_s = float(json.loads(made.stdout.splitlines()[-1])["build_s"])

    def run(self) -> float:
        """Run the binary; return its own time of the step loop (CPU clock, without loading and saving its arrays)."""
        subprocess.run([str(self.folder / "main")], cwd=self.folder, check=True, capture_output=True)
        return float((self.folder / "results" / "last_run_info.txt").read_text().split()[0])

    def spikes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (times in seconds, units) of the last run."""
        (times,) = self.folder.glob("results/_dynamic_array_spikes_t_*")
        (units,) = self.folder.glob("results/_dynamic_array_spikes_i_*")
        return np.fromfile(times, dtype=np.float64), np.fromfile(units, dtype=np.int32)


def _build(folder: str, given: str, seconds: float) -> None:
    b = brian2()
    with np.load(given) as file:
        numbers = dict(file)
    start = cpu_seconds()
    b.set_device("cpp_standalone", build_on_run=False, directory=folder)
    net, _, namespace = network(numbers)
    net.run(seconds * b.second, namespace=namespace)
    b.device.build(directory=folder, compile=True, run=False, with_output=False)
    print(json.dumps({"build_s": cpu_seconds() - start}))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _build(sys.argv[1], sys.argv[2], float(sys.argv[3]))
