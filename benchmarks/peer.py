"""Peers that live in an environment of their own (`benchmarks/peers.sh` makes it): one process for each network.

PyGeNN is on no package index; it takes part where a user has built it into .venv-peers/genn. Cases say which peers are not
installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from measure import ROOT

#: the script of each peer, the environment it runs in, and a package that is there when it is whole
PEERS = {
    "NEST": ("peer_nest.py", "nest", "nest"),
    "GeNN": ("peer_genn.py", "genn", "pygenn"),
    "ANNarchy": ("peer_annarchy.py", "annarchy", "ANNarchy"),
    "brainevent": ("peer_brainevent.py", "brainevent", "brainevent"),
}
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
ENVIRONMENTS = ROOT / ".venv-peers"


def environment(name: str) -> Path | None:
    """Return the Python of a peer, or None where it is not installed (its environment may have been left half-made)."""
    folder, package = ENVIRONMENTS / PEERS[name][1], PEERS[name][2]
    there = any(folder.glob(f"lib/python*/site-packages/{package}"))
    return folder / "bin" / "python" if there else None


def installed(
    names: Iterable[str], numbers: Mapping[str, Any], seconds: float, *, folder: Path
) -> tuple[dict[str, Peer], list[str]]:
    """Return the network on each of these peers that is installed, and lines on those that aren't."""
    given = tuple(names)
    there = [name for name in given if environment(name) is not None]
    absent = [name for name in given if name not in there]
    lines = [f"Not installed, so not measured (docs/benchmarks.md says how): {', '.join(absent)}"] if absent else []
    return {name: Peer(name, numbers, seconds, folder=folder / name) for name in there}, lines


class Peer:
    """A network on a peer: built at once, run again and again from its start, one thread.

    ``numbers`` are handed over in a file; those that are text or numbers are settings.
    """

    def __init__(self, name: str, numbers: Mapping[str, Any], seconds: float, *, folder: Path) -> None:
        python = environment(name)
        if python is None:
            raise RuntimeError(f"{name} is not installed; docs/benchmarks.md says how")
        folder.mkdir(parents=True, exist_ok=True)
        given = folder / "numbers.npz"
        arrays: dict[str, Any] = {key: np.asarray(value) for key, value in numbers.items()}
        np.savez(given, **arrays)
        self.name, self.spikes = name, 0
        self._said = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - the process writes into it until closed
        script = Path(__file__).parent / PEERS[name][0]
        path = [str(python.parent), os.environ.get("PATH", "")]  # their compilers call tools of their environment
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            [str(python), str(script), str(given), str(seconds), str(writing)],
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            text=True,
            cwd=folder,
            pass_fds=[writing],
            env={**os.environ, "PATH": os.pathsep.join(path), **_ONE_THREAD},
        )
        os.close(writing)
        self._answers = os.fdopen(reading)
        built = self._answer()
        self.build_s, self.version = float(built["build_s"]), str(built["version"])

    def run(self) -> float:
        """Run once; return the CPU seconds of the peer's step loop."""
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.spikes = int(answer["spikes"])
        return float(answer["seconds"])

    def close(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.communicate()
        self._answers.close()
        self._said.close()

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            self._process.communicate()
            self._said.seek(0)
            said = self._said.read()[-2000:]
            self.close()
            raise RuntimeError(f"{self.name} gave no answer:\n{said}")
        return json.loads(line)
