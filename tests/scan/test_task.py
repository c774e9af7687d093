"""What a task of an array does, without Slurm around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurodyn.scan import Scan, task
from neurodyn.scan.executors.submissions import Submission
from neurodyn.scan.journal import entries
from neurodyn.scan.registry import Registry
from neurodyn.scan.status import status

MODEL = '''
import time
import neurodyn as nd

@nd.simulation
def model(*, a: float = 1.0, wait: float = 0.0):
    """A number, late."""
    time.sleep(wait)
    if a < 0:
        raise ValueError("negative")
    return {"y": a}
'''


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "7")
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return path


def submission(scan: Scan) -> Submission:
    options = scan.options(on="slurm").to_json()
    return Submission.create(scan.folder, [[], list(scan.folder.points())], {"wall": 300, "options": options})


def words(scan: Scan, passed: float = 0.0) -> list[str]:
    return [str(scan.path), "1", "1", f"{passed}"]


def test_failing_points_are_no_failure_of_the_task(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = Scan(model, out=tmp_path / "s", grid={"a": [1, -1, 2]})
    submission(scan)
    assert task.main(words(scan)) == 0
    assert len(scan.folder.done()) == 2 and len(scan.folder.failed()) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 done; 1 failed; nothing is left"
    (member,) = Registry(scan.folder).members()
    assert (member.executor, member.job, member.submission) == ("slurm", "7_1", 1)

    assert task.main(words(scan)) == 0  # requeued
    assert capsys.readouterr().out.splitlines()[-1] == "2 there; nothing is left"
    assert len(list(entries(scan.folder))) == 3


def test_it_stops_in_time(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of its five minutes, all but the fifty seconds before the end and a bit have passed."""
    scan = Scan(model, out=tmp_path / "s", grid={"a": list(range(20)), "wait": [0.4]})
    submission(scan)
    assert task.main(words(scan, passed=248.0)) == 0
    done = len(scan.folder.done())
    assert 0 < done < 20 and not scan.folder.failed()
    said = capsys.readouterr().out.splitlines()[-1]
    assert "its time was up" in said or "a point takes" in said
    model.write_text(MODEL.replace("time.sleep(wait)", ""))
    scan.run(on="local", workers=2)
    assert len(scan.folder.done()) == 20


def test_a_task_that_can_run_nothing(model: Path, tmp_path: Path) -> None:
    scan = Scan(model, out=tmp_path / "s", grid={"a": [1, 2]})
    array = submission(scan)
    model.write_text(MODEL + "\n1 / 0\n")
    assert task.main(words(scan)) == 1
    assert "ZeroDivisionError" in array.troubles()[1] and not scan.folder.failed()
    model.unlink()
    assert task.main(words(scan)) == 1
    assert "model.py" in array.troubles()[1]
    model.write_text(MODEL)
    assert task.main(words(scan)) == 0 and array.troubles() == {}


TOLD_TWICE = '''
import os, signal, threading, time
import neurodyn as nd

def tell():
    while signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        time.sleep(0.01)
    time.sleep(0.1)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        os.kill(os.getpid(), number)
        time.sleep(0.02)

@nd.simulation
def wandering(*, tell_it: bool = False, out: str | None = None):
    """Noise with a memory."""
    part = nd.Population("cells", 1000, code="v = 0.9*v + randn()", variables={"v": "1"})
    if tell_it:
        threading.Thread(target=tell).start()
    nd.simulate(nd.Circuit([part], dt="1 ms", seed=1), "20 s", record=["cells.v"], out=out, backend="interpreter")
'''


def test_a_point_that_is_told_twice_leaves_its_checkpoint(model: Path, tmp_path: Path) -> None:
    """Slurm ends all processes of a task at once: a point hears of it from Slurm, and then from its worker."""
    model.write_text(TOLD_TWICE)
    scan = Scan(model, out=tmp_path / "s", set={"tell_it": True})
    submission(scan)
    assert task.main(words(scan)) == 0
    found = status(scan.folder)
    assert (found.stopped, found.checkpoints, found.failed) == (1, 1, 0)
