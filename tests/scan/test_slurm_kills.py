"""Whatever is killed while a scan runs on Slurm, another `run` completes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neurodyn.scan import Scan
from neurodyn.scan.registry import Registry

from .conftest import Slurm
from .test_slurm import MODEL, SMALL, check_complete, results, stamps, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    (tmp_path / "model.py").write_text(MODEL)
    return Scan(tmp_path / "model.py", out=tmp_path / "s", grid={"a": list(range(6)), "wait": [0.5, 1.0]})


def finish(scan: Scan, slurm: Slurm) -> None:
    """Run what is missing, as often as that takes, and look whether all is as if nothing had happened."""
    before = stamps(scan)
    for _ in range(5):
        if scan.run(["missing"]) == "nothing to do":
            break
        slurm.wait_until_empty()
    assert before.items() <= stamps(scan).items()
    check_complete(scan)
    once = random.Random(1).random()
    assert results(scan) == {p.key: {"y": p.values.get("a", 1.0) * once} for p in scan.folder.points()}


@pytest.mark.parametrize("seed", range(3))
def test_workers_and_tasks_at_random_moments(slurm: Slurm, scan: Scan, seed: int) -> None:
    choice = random.Random(seed)
    scan.run(on="slurm", **{**SMALL, "workers": 2})
    for _ in range(3):
        wait_until(lambda: list((scan.path / "work").glob("*.claim")))
        time.sleep(choice.uniform(0, 1))
        registry = Registry(scan.folder)
        living = [member for member in registry.members() if registry.alive(member.name)]
        for member in living[:1]:
            number = int(member.process.partition("-")[0])
            if choice.random() < 0.5:
                os.kill(number, signal.SIGKILL)
            else:
                slurm.command("scancel", str(member.job))
        slurm.wait_until_empty()
        if scan.run(["missing"]) == "nothing to do":
            break
    finish(scan, slurm)


@pytest.mark.parametrize("seed", range(3))
def test_the_controller_at_random_moments(slurm: Slurm, scan: Scan, seed: int) -> None:
    scan.run(on="slurm", **{**SMALL, "task_time": "30 min"})
    time.sleep(random.Random(seed).uniform(0, 4))
    os.kill(slurm.controller(), signal.SIGKILL)
    time.sleep(random.Random(seed).uniform(0, 2))
    slurm.script("controller")
    finish(scan, slurm)


@pytest.mark.parametrize("seed", range(4))
def test_the_submitting_process_at_random_moments(slurm: Slurm, scan: Scan, seed: int) -> None:
    code = f"from neurodyn.scan import Scan; Scan.open({str(scan.path)!r}).run(on='slurm', **{SMALL!r})"
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: list((scan.path / "submissions").iterdir()) or process.poll() is not None)
    time.sleep(random.Random(seed).uniform(0, 0.03))
    process.kill()
    process.wait()
    scan.run(["missing"], on="slurm", **SMALL)
    slurm.wait_until_empty()
    finish(scan, slurm)


def test_two_that_submit_at_the_same_time(slurm: Slurm, scan: Scan) -> None:
    code = f"from neurodyn.scan import Scan; Scan.open({str(scan.path)!r}).run(on='slurm', **{SMALL!r})"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    slurm.wait_until_empty()
    check_complete(scan)
