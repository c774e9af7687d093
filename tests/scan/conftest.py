"""A Slurm of one node for the tests of scans, started once and stopped at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel", "slurmctld", "slurmd", "munged")
ARRAY_SIZE = 2


@dataclass(frozen=True)
class Slurm:
    """A private Slurm whose arrays have two tasks at most and whose node has two processors and a made-up GPU."""

    folder: Path

    def script(self, command: str, *lines: str) -> None:
        """Have `slurm_single_node.sh` start, stop or bring back what `folder` holds."""
        script = Path(__file__).with_name("slurm_single_node.sh")
        # not into pipes: the daemons would keep them open
        with open(self.folder / "script.log", "ab") as log:
            words = ["bash", str(script), command, str(self.folder), *lines]
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=120)
        assert done.returncode == 0, (self.folder / "script.log").read_text()

    def command(self, *words: str) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def controller(self) -> int:
        """The process of the controller."""
        return int((self.folder / "run" / "slurmctld.pid").read_text())

    def wait_until_empty(self) -> None:
        """Wait until no job is left but those that Slurm will never start."""
        for _ in range(600):
            reasons = self.command("squeue", "--noheader", "--format=%r").splitlines()
            if all(reason == "launch failed requeued held" for reason in reasons):
                return
            time.sleep(0.1)
        raise AssertionError(self.command("squeue"))


@pytest.fixture(scope="session")
def slurm_node() -> Iterator[Slurm]:
    """The Slurm itself; tests take `slurm`."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    missing = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)}: the tests on Slurm need slurmctld, slurmd, slurm-client and munge")
    # sockets have short names only, and munged wants folders that all may enter
    folder = Path(tempfile.mkdtemp(prefix="nd-slurm-"))
    folder.chmod(0o755)
    slurm = Slurm(folder)
    try:
        slurm.script("start", f"MaxArraySize={ARRAY_SIZE}")
        yield slurm
    finally:
        slurm.script("stop")
        shutil.rmtree(folder)


@pytest.fixture
def slurm(slurm_node: Slurm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    """A real Slurm with an empty queue, found by its commands in this test; jobs that are left are cancelled."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_node.folder / "slurm.conf"))
    yield slurm_node
    slurm_node.command("scancel", f"--user={os.getuid()}")
    slurm_node.wait_until_empty()
