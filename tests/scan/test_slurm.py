"""Scans on a real Slurm of one node."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from neurodyn.recording.process import alive
from neurodyn.scan import Scan, ScanError
from neurodyn.scan.executors.slurm import queue, troubles
from neurodyn.scan.executors.slurm_commands import queued
from neurodyn.scan.executors.submissions import job_prefix
from neurodyn.scan.folder import read_json
from neurodyn.scan.journal import entries
from neurodyn.scan.registry import Registry
from neurodyn.scan.status import status

from .conftest import Slurm

MODEL = '''
"""A model that fails in several ways for as long as there is a file "broken" beside it."""
import os, random, signal, tempfile, time
from pathlib import Path
import neurodyn as nd

@nd.simulation
def model(*, a: float = 1.0, mode: str = "ok", wait: float = 0.0, seed: int = 1):
    """A number that depends on the seed, late or never."""
    if Path(__file__).with_name("broken").exists():
        if mode == "raise":
            raise ValueError("no such thing")
        if mode == "exit":
            os._exit(3)
        if mode == "die":  # as the system does where memory runs out: the likeliest of all processes of a task
            assert Path("/proc/self/oom_score_adj").read_text() == "1000\\n"
            os.kill(os.getpid(), signal.SIGKILL)
        if mode == "hang":
            time.sleep(1000)
        if mode == "eat":
            eaten = []
            while True:
                eaten.append(bytearray(20_000_000))
                time.sleep(0.02)
    time.sleep(wait)
    print("on", os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("ND_TEST"), tempfile.gettempdir())
    return {"y": a * random.Random(seed).random()}
'''
SMALL: dict[str, Any] = {"memory_limit": "200 MB", "point_time": "10 min", "task_time": "1 h"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return path


def wait_until(what: Callable[[], Any]) -> None:
    for _ in range(600):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("not within a minute")


def begin_again(slurm: Slurm, task: str) -> None:
    """Have a requeued task begin, which would otherwise wait for two minutes."""
    time.sleep(2)  # nodes refuse it within the second of its end: "Job credential revoked"
    slurm.command("scontrol", "update", f"JobId={task}", "StartTime=now")


def results(scan: Scan) -> dict[str, Any]:
    """What all points came to, from their recordings: each one opens."""
    found = {}
    for key in scan.folder.done():
        with h5py.File(scan.folder.recording(key)) as file:
            found[key] = json.loads(str(file.attrs["results_json"]))
    return found


def stamps(scan: Scan) -> dict[str, int]:
    return {key: scan.folder.recording(key).stat().st_mtime_ns for key in scan.folder.done()}


def check_complete(scan: Scan) -> None:
    """Every point has one recording, was done once, and nothing half-done is left."""
    assert len(results(scan)) == scan.folder.size and not scan.folder.failed()
    assert set(Counter(e["key"] for e in entries(scan.folder) if e["state"] == "done").values()) == {1}
    assert [path.name for path in (scan.path / "work").iterdir() if path.name[0] != "."] == []


def test_points_that_fail_cost_themselves_only_and_run_again(slurm: Slurm, model: Path, tmp_path: Path) -> None:
    modes = ["ok", "raise", "exit", "die", "hang", "eat"]
    model.with_name("broken").touch()
    scan = Scan(model, out=tmp_path / "cluster", grid={"a": [1, 2], "mode": modes})
    said = scan.run(on="slurm", time_limit="2 s", **SMALL)
    assert said.startswith("submitted job ") and "2 tasks of 6 points, about 1.0 h each" in said
    slurm.wait_until_empty()

    by_mode: dict[str, set[str]] = {}
    for point in scan.folder.points():
        record = scan.folder.failure(point.key)
        by_mode.setdefault(point.values.get("mode", "ok"), set()).add(
            read_json(record)["kind"] if record.exists() else "done"
        )
    expected = {"ok": "done", "raise": "raised", "exit": "exited", "die": "killed", "hang": "time", "eat": "memory"}
    assert by_mode == {mode: {kind} for mode, kind in expected.items()}
    record = read_json(scan.folder.failure(next(iter(scan.folder.failed()))))
    assert record["job"] and record["host"] and record["worker"].startswith("slurm-")
    assert troubles(scan.folder) == [] and scan.run(["missing"]) == "nothing to do"

    model.with_name("broken").unlink()
    before = stamps(scan)
    assert "1 task of 10 points" in scan.run(["failed"]), "by now it is known how short they are"
    slurm.wait_until_empty()
    check_complete(scan)
    assert {key: stamp for key, stamp in stamps(scan).items() if key in before} == before

    local = Scan(model, out=tmp_path / "laptop", grid={"a": [1, 2], "mode": modes})
    local.run(on="local", workers=2)
    assert results(local) == results(scan)


def test_more_tasks_than_an_array_may_have(slurm: Slurm, model: Path, tmp_path: Path) -> None:
    scan = Scan(model, out=tmp_path / "s", grid={"a": [1, 2, 3]})
    said = scan.run(on="slurm", **{**SMALL, "task_time": "10 min"}).splitlines()
    assert [line.partition(": ")[2].partition(" of")[0] for line in said] == ["2 tasks", "1 task"]
    slurm.wait_until_empty()
    check_complete(scan)
    assert {member.submission for member in Registry(scan.folder).members()} == {1, 2}


def test_what_waits_is_not_submitted_again(slurm: Slurm, model: Path, tmp_path: Path) -> None:
    scan = Scan(model, out=tmp_path / "s", grid={"a": [1, 2, 3]})
    theirs = {"hold": True, "gres": "gpu:1", "export": f"ALL,SLURM_TMPDIR={tmp_path}", "mem": "300M", "array": "%1"}
    said = scan.run(on="slurm", directives=theirs, setup=["export ND_TEST=prepared"], **SMALL)
    job = said.split()[2].rstrip(":")
    text = (scan.path / "submissions" / "0001" / "array.sh").read_text()
    assert "#SBATCH --hold\n" in text and "#SBATCH --mem=300M\n" in text and "829" not in text
    assert queue(scan.folder) == [f"job {job}: 1 task pending (JobHeldUser)"] and troubles(scan.folder) == []

    # as if the process that submitted it had been killed before it could note the number of the job
    (scan.path / "submissions" / "0001" / "job").unlink()
    scan.extend(grid={"a": [4]})
    said = scan.run(directives={"partition": "debug"}, setup=[])
    assert "1 task of 1 point" in said
    assert f"not submitted again, because they wait or run already: 3 in job {job}" in said
    slurm.command("scontrol", "release", job)
    slurm.wait_until_empty()
    check_complete(scan)
    printed = "".join(path.read_text() for path in (scan.path / "logs").glob("*.log"))
    assert printed.count("on 0 prepared ") == 3  # what Slurm and the line of setup set is seen by points
    assert printed.count(f"prepared {tmp_path}/neurodyn-scan-") == 3


def test_a_refused_submission_leaves_nothing(
    slurm: Slurm, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = Scan(model, out=tmp_path / "s", grid={"a": [1, 2]})
    with pytest.raises(ScanError, match="sbatch failed: .*invalid partition specified: nosuch"):
        scan.run(on="slurm", directives={"partition": "nosuch"})
    with pytest.raises(ScanError, match=r"'time' is set by the scan; give wall_time"):
        scan.run(on="slurm", directives={"time": "10:00"})
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(ScanError, match="there is no squeue here: run this on a machine of the cluster"):
            scan.run(on="slurm", directives={})
        assert queue(scan.folder) == []
    assert list((scan.path / "submissions").iterdir()) == []


def test_a_script_that_can_not_be_imported(slurm: Slurm, model: Path, tmp_path: Path) -> None:
    scan = Scan(model, out=tmp_path / "s", grid={"a": [1, 2]})
    model.write_text("import no_such_module")
    scan.run(on="slurm", **SMALL)
    slurm.wait_until_empty()
    (said,) = troubles(scan.folder)
    assert "1 task could not run anything" in said and "No module named 'no_such_module'" in said
    assert not scan.folder.failed() and f"trouble  {said}" in str(status(scan.folder))

    model.write_text(MODEL)
    scan.run(setup=["exit 3"])
    slurm.wait_until_empty()
    (said,) = troubles(scan.folder)
    assert "1 task gone from the queue that never began" in said
    scan.run(setup=[])
    slurm.wait_until_empty()
    assert troubles(scan.folder) == []
    check_complete(scan)


def test_a_task_that_is_requeued_goes_on(slurm: Slurm, model: Path, tmp_path: Path) -> None:
    model.with_name("broken").touch()
    points = [{"mode": "raise", "wait": 0.0}, {"mode": "ok", "wait": 0.1}, {"mode": "ok", "wait": 2.0}]
    scan = Scan(model, out=tmp_path / "s", points=points)
    job = scan.run(on="slurm", **SMALL).split()[2].rstrip(":")
    wait_until(lambda: scan.folder.done() and list((scan.path / "work").glob("*.claim")))
    before = stamps(scan)
    slurm.command("scontrol", "requeue", f"{job}_0")
    wait_until(lambda: [task.state for task in queued(job_prefix(scan.folder))] == ["PENDING"])
    assert len(scan.folder.failed()) == 1, "the point that ran when its job was ended has not failed"
    assert "1 in job" in scan.run(["missing"])  # it waits for a time that Slurm sets, two minutes from now
    begin_again(slurm, f"{job}_0")
    slurm.wait_until_empty()

    assert len(scan.folder.done()) == 2 and before.items() <= stamps(scan).items()
    states = Counter(entry["state"] for entry in entries(scan.folder))
    assert states == {"raised": 1, "done": 2, "stopped": 1}, "what had failed was not tried again by the same task"
    (log,) = (scan.path / "submissions" / "0001").glob("*.out")
    assert log.read_text().count("nothing is left") == 1 and "told to by SIGTERM" in log.read_text()


WANDERING = '''
import neurodyn as nd

@nd.simulation
def wandering(*, seed: int = 1, steps: int = 60000, out: str | None = None):
    """Noise with a memory."""
    part = nd.Population("cells", 20, code="v = 0.9*v + randn()", variables={"v": "1"})
    circuit = nd.Circuit([part], dt="1 ms", seed=seed)
    v = nd.simulate(circuit, f"{steps} ms", record=["cells.v"], out=out, backend="interpreter")["v"]
    return {"mean square": float((v**2).mean())}
'''


@pytest.mark.slow
def test_a_requeued_task_goes_on_from_a_checkpoint(slurm: Slurm, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(WANDERING)
    scan = Scan(tmp_path / "model.py", out=tmp_path / "s", set={"seed": 3})
    job = scan.run(on="slurm", **{**SMALL, "memory_limit": "800 MB"}).split()[2].rstrip(":")
    wait_until(lambda: list((scan.path / "work").glob("*/.*.parts")))
    time.sleep(1)
    slurm.command("scontrol", "requeue", f"{job}_0")
    wait_until(lambda: [task.state for task in queued(job_prefix(scan.folder))] == ["PENDING"])
    found = status(scan.folder)
    assert (found.stopped, found.checkpoints) == (1, 1)
    begin_again(slurm, f"{job}_0")
    slurm.wait_until_empty()
    check_complete(scan)
    local = Scan(tmp_path / "model.py", out=tmp_path / "whole", set={"seed": 3})
    local.run(on="local")
    assert results(local) == results(scan)


def test_a_task_that_is_told_of_its_end_leaves_the_rest(slurm: Slurm, model: Path, tmp_path: Path) -> None:
    scan = Scan(model, out=tmp_path / "s", grid={"a": [1, 2, 3], "wait": [0.0, 30.0]})
    job = scan.run(on="slurm", **SMALL).split()[2].rstrip(":")
    wait_until(lambda: scan.folder.done() and list((scan.path / "work").glob("*.claim")))
    slurm.command("scancel", "--batch", "--signal=USR1", f"{job}_0")
    slurm.wait_until_empty()
    assert scan.folder.done() and not scan.folder.failed() and troubles(scan.folder) == []
    assert len(scan.folder.done()) < 6
    model.write_text(MODEL.replace("time.sleep(wait)", "pass"))
    scan.run()
    slurm.wait_until_empty()
    check_complete(scan)


def test_a_worker_that_is_killed(slurm: Slurm, model: Path, tmp_path: Path) -> None:
    scan = Scan(model, out=tmp_path / "s", points=[{"a": 1.0, "wait": 0.0}, {"a": 2.0, "wait": 1.0}])
    scan.run(on="slurm", **SMALL)
    wait_until(lambda: scan.folder.done() and list((scan.path / "work").glob("*.claim")))
    (worker,) = (scan.path / "workers").glob("slurm-*.json")
    process = read_json(worker)["process"]
    os.kill(int(process.partition("-")[0]), signal.SIGKILL)
    wait_until(lambda: not alive(process))
    assert "1 task of 1 point" in scan.run(["missing"])
    slurm.wait_until_empty()
    check_complete(scan)
