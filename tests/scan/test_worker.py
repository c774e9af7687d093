"""What a point does to itself, to others and to its worker; stops, leftovers, broken scripts, full disks."""

import errno
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

import neurodyn as nd
from neurodyn.recording.process import alive
from neurodyn.scan import Scan, ScanError
from neurodyn.scan import worker as worker_module
from neurodyn.scan.ending import End
from neurodyn.scan.journal import entries, printed
from neurodyn.scan.link import Link

SCRIPT = '''
import ctypes, os, signal, subprocess, sys, time
from pathlib import Path
import neurodyn as nd

def leave(what):
    """Write down a process, so that the test can ask whether it lives."""
    start = Path(f"/proc/{what}/stat").read_text().rpartition(")")[2].split()[19]
    Path(f"left.{what}").write_text(f"{what}-{start}")

def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            leave(os.getpid())
            time.sleep(1000)
        os._exit(0)
    time.sleep(0.3)

def helper(**options):
    leave(subprocess.Popen(["sleep", "1000"], **options).pid)

@nd.simulation
def bad(*, mode: str = "ok", seconds: float = 0.0):
    "All kinds of trouble."
    print("began", mode)
    time.sleep(seconds)
    if mode == "raise":
        raise ValueError("no such thing")
    if mode == "exit":
        sys.exit(3)
    if mode == "die":
        os._exit(139)
    if mode == "segfault":
        ctypes.string_at(0)
    if mode == "hang":
        time.sleep(1000)
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        helper()
        time.sleep(1000)
    if mode == "eat":
        helper()
        x = [bytearray(10_000_000) for _ in range(10_000)]
    if mode == "print":
        for number in range(30_000):
            print(f"{number:0100d}")
    if mode == "parent":
        os.kill(os.getppid(), 9)
        time.sleep(1000)
    if mode == "descriptors":
        os.closerange(0, 500)
    if mode == "daemon":
        daemon()
    if mode == "helper":
        helper(start_new_session=True)
    return {"length": len(mode)}
'''


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where points run
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def scan_of(script, *modes, name="scan", **more):
    return Scan(f"{script}:bad", out=script.parent / name, grid={"mode": list(modes)}, **more)


def when(condition, number):
    """Send a signal to this process once something is so."""

    def send():
        while not condition():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()


def pending(scan):
    return {point.key for point in scan.folder.points()} - scan.folder.done() - scan.folder.failed()


def nothing_is_left(scan, *, work=0):
    """No claims, no working folders but those of points that can go on, no processes of points."""
    names = [path.name for path in (scan.path / "work").iterdir()]
    assert len(names) == work and not [name for name in names if name.endswith(".claim")]
    for path in scan.path.parent.glob("left.*"):
        assert not alive(path.read_text()), path


KINDS = {
    "ok": ("done", ""),
    "raise": ("raised", "ValueError: no such thing"),
    "exit": ("raised", "SystemExit: 3"),
    "die": ("exited", "exit code 139"),
    "segfault": ("killed", "ended by SIGSEGV"),
    "hang": ("time", "still running after 1.5 s"),
    "stubborn": ("time", "still running after 1.5 s"),
    "eat": ("memory", "the limit for a point is 400 MB"),
    "print": ("done", ""),
    "parent": ("lost", "the process that starts points ended by SIGKILL, twice"),
    "descriptors": ("raised", "Bad file descriptor"),
    "daemon": ("done", ""),
    "helper": ("done", ""),
}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux about processes")
def test_trouble_costs_the_point_that_makes_it_and_nobody_else(script):
    scan, ends = scan_of(script, *KINDS), dict[str, End]()

    def report(point, end):
        ends[point.values.get("mode", "ok")] = end

    assert scan.run(workers=2, time_limit="1.5 s", memory_limit="400 MB", report=report) == ""
    assert {mode: end.kind for mode, end in ends.items()} == {mode: kind for mode, (kind, _) in KINDS.items()}
    assert all(KINDS[mode][1] in end.message for mode, end in ends.items())
    nothing_is_left(scan)
    keys = {point.values.get("mode", "ok"): point.key for point in scan.folder.points()}
    for mode in ("die", "hang", "segfault"):  # what was printed before the end is there
        failure = json.loads(scan.folder.failure(keys[mode]).read_text())
        assert f"began {mode}\n" in failure["printed"]
    assert "script.py" in json.loads(scan.folder.failure(keys["segfault"]).read_text())["printed"]
    assert "ValueError: no such thing" in json.loads(scan.folder.failure(keys["raise"]).read_text())["traceback"]
    kept = printed(scan.folder, keys["print"])
    assert len(kept) == 1_000_000 and "29999\n" in kept  # the end of 3 MB


def test_processes_of_points_are_pinned_and_have_a_folder_for_temporary_files(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, tempfile\nimport neurodyn as nd\n@nd.simulation\ndef f(*, a: int = 0):\n"
        "    'Tell.'\n    with tempfile.NamedTemporaryFile() as file: name = file.name\n"
        "    assert os.path.dirname(name) == os.environ['TMPDIR']\n"
        "    threads = int(os.environ['OMP_NUM_THREADS'])\n"
        "    return {'name': name, 'cpus': len(os.sched_getaffinity(0)), 'threads': threads}\n"
    )
    scan = Scan(script, out=tmp_path / "scan", grid={"a": [1, 2]})
    scan.run(workers=len(os.sched_getaffinity(0)))
    found = [nd.load(scan.folder.recording(point.key)).results for point in scan.folder.points()]
    assert all((r["cpus"], r["threads"]) == (1, 1) for r in found)
    assert len({r["name"] for r in found}) == 2 and not any(Path(r["name"]).parent.exists() for r in found)


def test_files_beside_a_recording_are_kept_with_it(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\nimport neurodyn as nd\n@nd.simulation\ndef f(*, out: str = 'f.h5'):\n"
        "    'Write.'\n    Path(out).with_suffix('.csv').write_text('1')\n"
        "    Path(out).with_suffix('.more.h5').write_text('2')\n"
        "    (Path(out).parent / 'weights').mkdir()\n    (Path(out).parent / 'weights' / 'w.txt').write_text('3')\n"
        "    return {}\n"
    )
    scan = Scan(script, out=tmp_path / "scan")
    assert scan.run() == ""
    [key] = scan.folder.done()
    place = scan.folder.recording(key)
    assert place.with_suffix(".csv").read_text() == "1" and place.with_suffix(".more.h5").read_text() == "2"
    assert (place.with_suffix(".files") / "weights" / "w.txt").read_text() == "3"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_stop_leaves_what_runs_pending(script, number):
    scan = scan_of(script, "ok", "hang", "stubborn", "raise")
    when(lambda: scan.folder.done() and list((scan.path / "work").glob("*/log")), number)
    assert scan.run(workers=1, grace="0.3 s") == f"stopped: told to by {number.name}"
    assert len(scan.folder.done()) == 1 and scan.folder.failed() == set() and len(pending(scan)) == 3
    nothing_is_left(scan, work=1)


def test_a_second_stop_does_not_wait(script):
    scan = scan_of(script, "stubborn")
    when(lambda: list((scan.path.parent).glob("left.*")), signal.SIGINT)  # it is deaf by then
    when(lambda: list((scan.path.parent).glob("left.*")) and time.sleep(0.3) is None, signal.SIGINT)
    assert scan.run(grace="1 h") == "stopped: told to by SIGINT"
    assert len(pending(scan)) == 1
    nothing_is_left(scan, work=1)


def test_a_stop_while_the_script_is_imported(script):
    scan = scan_of(script, "ok", "hang")
    script.write_text("import time; open('importing', 'w'); time.sleep(1000)\n" + SCRIPT)
    when(lambda: (scan.path.parent / "importing").exists(), signal.SIGTERM)
    assert scan.run(workers=1) == "stopped: told to by SIGTERM"
    assert len(pending(scan)) == 2
    nothing_is_left(scan)


def test_an_import_that_does_not_end_is_said(script, monkeypatch):
    scan = scan_of(script, "ok")
    script.write_text("import time; time.sleep(1000)\n" + SCRIPT)
    monkeypatch.setattr(worker_module, "_IMPORT_S", 0.5)
    with pytest.raises(ScanError, match=r"importing .*script.py has not ended after 500 ms"):
        scan.run()
    assert len(pending(scan)) == 1
    assert not list((scan.path / "work").glob("*.claim"))


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("import there_is_no_such_module", "there_is_no_such_module"),
        ("import sys; sys.exit('not today')", "SystemExit: not today"),
        (
            "import os; os._exit(3)",
            "the process that imports .*script.py ended with exit code 3, 3 times; see .*server",
        ),
        ("import ctypes; ctypes.string_at(0)", "ended by SIGSEGV, 3 times"),
        ("def broken(:", "script.py"),
    ],
)
def test_a_script_that_cannot_be_imported_is_said_and_no_point_pays_for_it(script, first, message):
    scan = scan_of(script, "ok", "raise")
    script.write_text(f"{first}\n{SCRIPT}")
    with pytest.raises(ScanError, match=message):
        scan.run()
    assert len(pending(scan)) == 2
    assert not list((scan.path / "work").glob("*.claim"))


def test_a_script_without_the_simulation(script):
    scan = scan_of(script, "ok")
    script.write_text(SCRIPT.replace("def bad", "def good"))
    with pytest.raises(ScanError, match="bad.*good"):
        scan.run()
    script.unlink()
    with pytest.raises(ScanError, match=r"script.py is gone; bring it back"):
        scan.run()


def test_a_script_that_prints_and_reads_when_it_is_imported(script):
    scan = scan_of(script, "ok", "raise")
    script.write_text("import sys; print('loud', repr(sys.stdin.read()))\n" + SCRIPT)
    assert scan.run() == ""
    assert len(scan.folder.done()) == 1 and len(scan.folder.failed()) == 1
    [log] = (scan.path / "logs").glob("*.server")
    assert log.read_text() == "loud ''\n"


def test_points_of_another_text_of_the_script_are_told_apart(script):
    scan = scan_of(script, "ok", "raise")
    scan.run()
    assert scan.changes() == [] and scan.outdated() == set()
    script.write_text(SCRIPT.replace("len(mode)", "10 * len(mode)"))
    [key] = scan.folder.done()
    assert scan.changes() == ["script.py has changed since the scan was planned"] and scan.outdated() == {key}
    scan.run("outdated")
    assert nd.load(scan.folder.recording(key)).results == {"length": 20}
    assert scan.outdated() == set()


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_when_a_point_is_published(script, monkeypatch):
    scan = scan_of(script, "ok", "raise")
    replace = os.replace
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda a, b: full() if Path(b).suffix == ".h5" else replace(a, b))
        with pytest.raises(
            ScanError, match=r"can't go on: .*No space left on device.*run it again when this is mended"
        ):
            scan.run(workers=1)
    assert scan.folder.done() == set() and not list((scan.path / "points").glob("*/*"))
    nothing_is_left(scan, work=1)
    ran = []
    monkeypatch.setattr(Link, "order", lambda link, order: ran.append(order["config"]["mode"]) or send(link, order))
    assert scan.run() == ""
    assert len(scan.folder.done()) == 1 and len(scan.folder.failed()) == 1
    assert ran == ["raise"]  # the other one had come to its end
    nothing_is_left(scan)


send = Link.order


def test_a_disk_that_is_full_when_a_journal_is_written(script, monkeypatch):
    scan = scan_of(script, "ok", "raise")
    with monkeypatch.context() as patch:
        patch.setattr("neurodyn.scan.journal._append", full)
        with pytest.raises(ScanError, match="No space left on device"):
            scan.run(workers=1)
    assert scan.run() == ""
    assert len(scan.folder.done()) == 1 and len(scan.folder.failed()) == 1
    nothing_is_left(scan)
    assert all(len(nd.load(scan.folder.recording(key)).results) == 1 for key in scan.folder.done())


def test_a_point_without_room_is_pending_and_the_others_are_not_begun(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import neurodyn as nd\n@nd.simulation\ndef f(*, a: int = 0):\n"
        "    'Fill the disk.'\n    raise OSError(28, 'No space left on device')\n"
    )
    scan = Scan(script, out=tmp_path / "scan", grid={"a": [1, 2, 3]})
    assert "is full; make room and run the scan again" in scan.run(workers=1)
    assert len(pending(scan)) == 3
    nothing_is_left(scan, work=1)


def test_a_folder_that_cannot_be_written(script, monkeypatch):
    scan = scan_of(script, "ok")

    def refused(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied", "run.json")

    monkeypatch.setattr("neurodyn.scan.scan.write_json", refused)
    with pytest.raises(ScanError, match=r"the scan in .* can't go on: .*Permission denied: 'run.json'"):
        scan.run()


def test_an_error_of_who_is_told_ends_the_run_and_leaves_the_rest_pending(script):
    scan = scan_of(script, "ok", "hang", "stubborn")

    def report(point, end):
        raise RuntimeError("no screen")

    with pytest.raises(RuntimeError, match="no screen"):
        scan.run(workers=2, report=report)
    assert len(scan.folder.done()) == 1 and len(pending(scan)) == 2
    nothing_is_left(scan, work=1)


def test_many_open_files_do_not_stop_a_worker(script):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("this process may not open so many files")
    scan = scan_of(script, "ok")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert scan.run() == ""
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(scan.folder.done()) == 1


def test_a_worker_leaves_no_open_files_behind(script):
    scan = scan_of(script, "ok", "raise", "parent")
    before = len(os.listdir("/dev/fd"))
    scan.run(workers=1)
    assert len(os.listdir("/dev/fd")) == before
    assert all(entry["state"] in ("done", "raised", "lost") for entry in entries(scan.folder))
