"""Scans on a real Dask cluster of processes: what fails, what is lost, and that numbers are those of a laptop."""

import json
import os
import signal
import sys
from typing import Any

import pytest

import neurodyn as nd
from neurodyn.scan import RunOptions, Scan, ScanError
from neurodyn.scan.executors import dask
from neurodyn.scan.journal import entries

distributed = pytest.importorskip("distributed")
config = pytest.importorskip("dask.config")

SCRIPT = """
import os, sys, time
from pathlib import Path
import numpy as np
import neurodyn as nd

@nd.simulation
def toy(*, gain: float = 1.0, mode: str = "ok", seed: int = 1, mended: str = ""):
    "A draw, or trouble until a file says that the cause is gone."
    if not Path(mended).exists():
        if mode == "raise":
            raise ValueError("no such thing")
        if mode == "die":
            os._exit(139)
        if mode == "hang":
            time.sleep(1000)
        if mode == "eat":
            x = [bytearray(10_000_000) for _ in range(10_000)]
    return {"draw": gain * np.random.default_rng(seed).normal()}

@nd.simulation
def slow(*, number: int = 0, fatal: int = -1, seconds: float = 0.2):
    "Wait; one number kills the dask worker, which is what started what started this process."
    if number == fatal:
        parent = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1]
        os.kill(int(parent), 9)
    time.sleep(seconds)
    return {"number": number}
"""


@pytest.fixture(scope="module")
def client():
    # a task is given up with the first worker that is lost with it
    with (
        config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def results(scan):
    return {p.key: dict(nd.load(scan.folder.recording(p.key)).results) for p in scan.folder.points()}


def done(scan):
    return [entry["key"] for entry in entries(scan.folder) if entry["state"] == "done"]


def test_a_scan_with_trouble_is_completed_and_has_the_numbers_of_a_laptop(script, tmp_path, client):
    mended, ends = tmp_path / "mended", []
    words = {"grid": {"mode": ["ok", "raise", "die", "hang", "eat"]}, "set": {"gain": 2, "mended": str(mended)}}
    scan = Scan(f"{script}:toy", out=tmp_path / "dask", seeds=1, **words)
    limits: dict[str, Any] = {"time_limit": "4 s", "memory_limit": "400 MB"}  # a busy machine is slow
    said = scan.run(on="dask", workers=2, report=lambda point, end: ends.append((point, end)), **limits)
    assert said == ""
    kinds = {"ok": "done", "raise": "raised", "die": "exited", "hang": "time", "eat": "memory"}
    assert len(ends) == 5 and all(end.kind == kinds[point.values["mode"]] for point, end in ends)
    first = done(scan)
    assert len(first) == 1 and len(scan.folder.failed()) == 4
    mended.touch()
    scan.run("failed", client=client)
    assert sorted(done(scan)) == sorted(point.key for point in scan.folder.points()) and scan.folder.failed() == set()
    assert scan.run() == "nothing to do"
    local = Scan(f"{script}:toy", out=tmp_path / "local", seeds=1, **words)
    local.run(on="local")
    assert results(scan) == results(local)


def test_a_dask_worker_that_is_killed_costs_no_point(script, tmp_path, client):
    with config.set({"distributed.scheduler.allowed-failures": 3}):
        scan = Scan(f"{script}:slow", out=tmp_path / "scan", grid={"number": list(range(10))})
        seen = []

        def report(point, end):
            seen.append((point.key, end.kind))
            if len(seen) == 1:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

        assert scan.run(on="dask", client=client, report=report) == ""
    assert sorted(seen) == sorted((point.key, "done") for point in scan.folder.points())
    assert len(results(scan)) == 10
    assert len(set(done(scan))) == len(done(scan))


@pytest.mark.slow
def test_a_point_that_always_kills_its_dask_worker_is_lost_alone(script, tmp_path, client):
    words = {"grid": {"number": list(range(4))}, "set": {"fatal": 1, "seconds": 0.01}}
    scan = Scan(f"{script}:slow", out=tmp_path / "scan", **words)
    fatal = next(point for point in scan.folder.points() if point.values["number"] == 1)
    said = scan.run(on="dask", client=client)
    assert fatal.key[:8] in said and "lost with the dask workers" in said
    assert scan.folder.failed() == {fatal.key}
    assert scan.folder.done() == {point.key for point in scan.folder.points()} - {fatal.key}
    failure = json.loads(scan.folder.failure(fatal.key).read_text())
    assert failure["kind"] == "lost" and "ended without a word" in failure["message"]


def test_ctrl_c_leaves_the_rest_pending(script, tmp_path, client):
    scan = Scan(f"{script}:slow", out=tmp_path / "scan", grid={"number": list(range(12))})

    def interrupt(point, end):
        if not scan.folder.failed() and len(scan.folder.done()) < 8:
            signal.raise_signal(signal.SIGINT)

    assert scan.run(on="dask", client=client, report=interrupt) == "stopped: told to by SIGINT"
    count = len(scan.folder.done())
    assert 0 < count < 12 and scan.folder.failed() == set()
    assert not list((scan.folder.path / "work").glob("*.claim"))
    assert scan.run(client=client) == ""
    assert len(scan.folder.done()) == 12


def test_workers_that_see_another_file_system_are_told_apart(script, tmp_path, client, monkeypatch):
    scan = Scan(f"{script}:slow", out=tmp_path / "scan", grid={"number": [1, 2]})
    points, _ = list(scan.folder.points()), scan.folder.header
    (tmp_path / "scan" / "scan.json").rename(tmp_path / "away.json")
    client.run(lambda: setattr(sys.modules["neurodyn.scan.executors.dask_chunk"], "_PATIENCE_S", 0.1))
    with pytest.raises(ScanError, match="does not see the scan in .*file system that the workers share"):
        dask.run(scan.folder, points, RunOptions(on="dask"), lambda point, end: None, client=client)


def test_a_script_that_no_longer_works_is_said_at_once(script, tmp_path, client):
    scan = Scan(f"{script}:slow", out=tmp_path / "scan", grid={"number": [1, 2]})
    script.write_text("import there_is_no_such_module\n" + SCRIPT)
    with pytest.raises(ScanError, match="there_is_no_such_module"):
        scan.run(on="dask", client=client)
    assert scan.folder.failed() == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"client": "tcp://here"}, r"client = 'tcp://here' has to be a dask.distributed.Client"),
        ({"scheduler": "nowhere.json"}, "no such file; start the scheduler first"),
        ({"scheduler": "tcp://127.0.0.1:1"}, r"scheduler = 'tcp://127.0.0.1:1': no Dask scheduler answers there"),
    ],
)
def test_where_there_is_no_cluster(script, tmp_path, options, message):
    scan = Scan(f"{script}:slow", out=tmp_path / "scan", grid={"number": [1]})
    with (
        config.set({"distributed.comm.timeouts.connect": "0.5s"}),
        pytest.raises(ScanError, match=message),
    ):
        scan.run(on="dask", **options)


def test_without_distributed(script, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    scan = Scan(f"{script}:slow", out=tmp_path / "scan", grid={"number": [1]})
    with pytest.raises(ScanError, match=r"pip install neurodyn\[dask\]"):
        scan.run(on="dask")


def test_chunks(script, tmp_path):
    scan = Scan(f"{script}:slow", out=tmp_path / "scan", grid={"number": [1]})
    sizes = [dask.chunk_size(scan.folder, n, RunOptions(on="dask"), threads) for n, threads in ((100, 5), (3, 8))]
    assert sizes == [5, 1]
    known = RunOptions(on="dask", point_time="1 min", task_time="3 min")
    assert dask.chunk_size(scan.folder, 1000, known, 2) == 3
    tiny = RunOptions(on="dask", point_time="100 ms")
    assert [dask.chunk_size(scan.folder, count, tiny, 4) for count in (20, 400)] == [5, 50]
