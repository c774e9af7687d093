"""Whatever is killed, and whenever: the next run completes the scan, nothing is half-written, nothing counts twice."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest

import neurodyn as nd
from neurodyn.scan import Scan, ScanError
from neurodyn.scan.journal import entries

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux about processes")

SCRIPT = """
import time
import numpy as np
import neurodyn as nd

@nd.simulation
def draw(*, number: int = 0, seed: int = 1):
    "Work for a while and draw a number."
    until = time.perf_counter() + 0.03
    while time.perf_counter() < until:
        pass
    return nd.Outcome(results={"draw": np.random.default_rng(seed).normal()}, data={"all": np.arange(1000) + number})
"""
RUN = "import sys; from neurodyn.scan import Scan; sys.exit(Scan.open(sys.argv[1]).run(workers=2) or 0)"


@pytest.fixture
def scan(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    return Scan(script, out=tmp_path / "scan", grid={"number": list(range(30))}, seeds=1)


def submit(scan):
    """A process that runs the scan."""
    scratch = scan.path.parent / "temporary"
    scratch.mkdir(exist_ok=True)
    command, environment = [sys.executable, "-c", RUN, str(scan.path)], {**os.environ, "TMPDIR": str(scratch)}
    return subprocess.Popen(command, env=environment, start_new_session=True)


def processes(scan):
    """Processes of the scan: number -> command line. Those of points bear that of their server."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(scan.path.parent) in command and state != "Z" and int(place.name) != os.getpid():
            found[int(place.name)] = command
    return found


def wait(condition, what):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.005)


def wait_for_points(scan, process):
    wait(lambda: process.poll() is not None or list((scan.path / "work").glob("*.claim")), "no point began")


def victim(scan, kind, submitter):
    """The process to kill; None if there is none now."""
    servers = {number for number, command in processes(scan).items() if "neurodyn.scan.server" in command}
    parents = {number: parent(number) for number in servers}
    if kind == "submitter":
        return submitter
    among = [number for number in servers if (parents[number] in servers) == (kind == "point")]
    return random.choice(among) if among else None


def parent(number):
    try:
        return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def assert_complete(scan):
    """Every point has one whole recording, is counted once, and nothing else is left."""
    keys = {point.key for point in scan.folder.points()}
    assert scan.folder.done() == keys and scan.folder.failed() == set()
    assert {path.name for path in (scan.path / "points").glob("*/*")} == {f"{key}.h5" for key in keys}
    for point in scan.folder.points():
        recording = nd.load(scan.folder.recording(point.key))
        assert recording.complete and recording.results.keys() == {"draw"}
        with h5py.File(scan.folder.recording(point.key)) as file:
            values = file["data/all"]
            assert isinstance(values, h5py.Dataset) and len(values) == 1000
            assert (values[()] == np.arange(1000) + point.values.get("number", 0)).all()
    counts = Counter(entry["key"] for entry in entries(scan.folder) if entry["state"] == "done")
    assert set(counts.values()) == {1} and set(counts) <= keys
    status = scan.status()
    assert (status.done, status.failed, status.running, status.pending) == (len(keys), 0, 0, 0)
    assert list((scan.path / "work").iterdir()) == []
    wait(lambda: not processes(scan), processes(scan))
    assert list((scan.path.parent / "temporary").iterdir()) == []


def kill_rounds(scan, rounds, kinds, seed):
    """Run the scan and kill something in the middle, again and again, then let it come to its end."""
    random.seed(seed)
    for _ in range(rounds):
        kind, before = random.choice(kinds), len(scan.folder.done())
        process = submit(scan)
        wait_for_points(scan, process)
        time.sleep(random.uniform(0, 0.25))
        number = victim(scan, kind, process.pid)
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        process.wait(60)
        wait(lambda: not processes(scan), processes(scan))
        assert kind != "server" or len(scan.folder.done()) > before or len(scan.folder.done()) == 30
    said = scan.run(("missing", "failed"), workers=2)
    assert said in ("", "nothing to do")
    assert_complete(scan)


@pytest.mark.parametrize("kind", ["submitter", "server", "point"])
def test_a_kill_at_a_random_moment(scan, kind):
    kill_rounds(scan, 1, [kind], seed=len(kind))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_many_kills_at_random_moments(scan, seed):
    kill_rounds(scan, 6, ["submitter", "server", "point"], seed)


def test_two_runs_at_the_same_time_share_the_points(scan):
    both = [submit(scan), submit(scan)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert_complete(scan)
    assert len({entry["worker"] for entry in entries(scan.folder)}) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_of_two_runs_at_the_same_time_one_is_killed(scan, seed):
    random.seed(seed)
    both = [submit(scan), submit(scan)]
    wait_for_points(scan, both[0])
    time.sleep(random.uniform(0, 0.4))
    both[0].kill()
    assert [process.wait(60) for process in both][1] == 0
    scan.run()
    assert_complete(scan)


@pytest.mark.parametrize("name", ["write_json", "Folder.add_plan"])
def test_a_kill_while_a_scan_is_planned(tmp_path, monkeypatch, name):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    class Killed(BaseException):
        pass

    def cut_short(*arguments, **options):
        raise Killed

    def plan():
        return Scan(script, out=tmp_path / "scan", grid={"number": list(range(30))}, seeds=1)

    with monkeypatch.context() as patch:
        patch.setattr(f"neurodyn.scan.folder.{name}", cut_short)
        with pytest.raises(Killed):
            plan()
    with pytest.raises(ScanError, match=r"plan it again|has no scan\.json"):
        Scan.open(tmp_path / "scan")
    plan()
    assert Scan.open(tmp_path / "scan").folder.size == 30
