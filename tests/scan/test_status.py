"""What status says of a scan: counts, reasons, workers, what is next; and that it leaves no trace."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from neurodyn.scan import Scan, ScanError
from neurodyn.scan.folder import Folder, read_json, write_json
from neurodyn.scan.registry import LOST_S, Registry
from neurodyn.scan.status import listing, status

SCRIPT = '''
import os
from pathlib import Path

import neurodyn as nd


@nd.simulation
def toy(*, a: float = 1.0, mode: str = "ok", seed: int = 1):
    """Toy."""
    if mode == "raise" and not Path("mended").exists():
        raise ValueError("no such thing")
    if mode == "exit":
        os._exit(3)
    return {"y": a}
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The script, in the folder where the test goes on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.py").write_text(SCRIPT)
    return tmp_path / "toy.py"


@pytest.fixture
def planned(toy: Path) -> Scan:
    """A scan of six points, none of them run."""
    return Scan(toy, out="s", grid={"a": [1, 2], "mode": ["ok", "raise", "exit"]})


def traces(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        found[str(path)] = (about.st_size, about.st_mtime_ns)
    return found


def keys(folder: Folder, mode: str) -> list[str]:
    return [point.key for point in folder.points() if point.values["mode"] == mode]


def test_before_anything_has_run(planned: Scan):
    found = planned.status()
    assert (found.points, found.pending, found.done, found.failed) == (6, 6, 0, 0)
    assert found.measured is None and found.work_left is None and found.time_left is None
    lines = str(found).splitlines()
    assert lines[0] == "toy: 6 points in s"
    assert lines[-1].split(maxsplit=1) == ["next", "neurodyn scan run s"]


def test_after_a_run_reasons_are_grouped_and_the_next_command_works(planned: Scan, toy: Path):
    planned.run(workers=2)
    found = planned.status()
    assert (found.done, found.failed, found.pending, found.running, found.lost) == (2, 4, 0, 0, 0)
    assert {kind: each.count for kind, each in found.failures.items()} == {"raised": 2, "exited": 2}
    assert found.failures["raised"].message == "ValueError: no such thing"
    text = str(found)
    assert "2  raised: ValueError: no such thing" in text and "exit code 3" in text
    assert found.next == "neurodyn scan run s --failed"
    assert found.measured is not None and found.measured.count == 2
    assert found.work_left == 0 and found.slots == 0
    assert json.loads(json.dumps(asdict(found)))["failures"]["raised"]["count"] == 2
    (toy.parent / "mended").touch()
    planned.run(["failed"])
    again = planned.status()
    assert (again.done, again.failed) == (4, 2)
    assert list(again.failures) == ["exited"]


def test_complete(toy: Path):
    scan = Scan(toy, out="s", grid={"a": [1, 2]})
    scan.run(workers=1)
    assert scan.status().next == "neurodyn scan collect s"
    assert "100 %" in str(scan.status())


def test_nothing_is_written(planned: Scan):
    planned.run(workers=2)
    member = Registry(planned.folder).enter(executor="local", slots=1)
    elsewhere = planned.folder.path / "workers" / f"{member.name}.json"
    write_json(elsewhere, {**read_json(elsewhere), "host": "elsewhere"})
    Registry(planned.folder).claim(keys(planned.folder, "raise")[0], member)
    before = traces(planned.path)
    assert planned.status().running == 1
    list(listing(planned.folder))
    assert traces(planned.path) == before


def test_running_lost_and_time_left(planned: Scan):
    folder, registry = planned.folder, Registry(planned.folder)
    planned.run(workers=2)
    first, second = keys(folder, "raise")
    here = registry.enter(executor="local", slots=2)
    gone = registry.enter(executor="slurm", slots=1, job="7_1")
    registry.claim(first, here)
    registry.claim(second, gone)
    place = folder.path / "workers" / f"{gone.name}.json"
    write_json(place, {**read_json(place), "host": "node9"})
    now = place.stat().st_mtime
    os.utime(place, (now - LOST_S - 5, now - LOST_S - 5))
    found = planned.status()
    assert (found.running, found.lost, found.failed) == (1, 1, 2)
    assert dict(found.places) == {here.host: 1}
    assert found.slots == 2
    assert found.measured is not None and found.work_left == pytest.approx(2 * found.measured.mean)
    assert found.time_left == pytest.approx(found.measured.mean)
    assert "without a word" in found.workers[-1]
    assert found.next == "neurodyn scan status s --watch"
    by_state = {row.state: row for row in listing(folder) if row.state in ("running", "lost")}
    assert by_state["running"].point.key == first and here.name in by_state["running"].message
    assert by_state["lost"].point.key == second
    registry.leave(here, "no points left")
    found = planned.status()
    assert (found.running, found.lost, found.slots) == (0, 2, 0) and found.time_left is None
    assert found.next == "neurodyn scan run s"


def test_a_point_that_runs_says_since_when(planned: Scan):
    folder, registry = planned.folder, Registry(planned.folder)
    here = registry.enter(executor="local", slots=1, source="abc")
    key = next(folder.points()).key
    registry.claim(key, here)
    (row,) = listing(folder, ["running"])
    assert row.seconds is None
    folder.work(key, "abc").mkdir()
    old = folder.work(key, "abc") / "log"
    old.touch()
    os.utime(old, (1.0, 1.0))  # of an earlier life
    (row,) = listing(folder, ["running"])
    assert row.seconds is not None and row.seconds < 60


def test_a_stopped_point_is_pending_and_says_why(planned: Scan):
    from neurodyn.scan.journal import Journal

    folder = planned.folder
    key = next(folder.points()).key
    work = folder.work(key, "abc")
    work.mkdir()
    journal = Journal(folder, "someone")
    journal.add({"key": key, "state": "stopped", "at": 1.0, "source": "abc", "message": "told to by SIGTERM"})
    journal.close()
    found = planned.status()
    assert (found.stopped, found.pending, found.checkpoints) == (1, 5, 0)
    assert "1 stopped, 0 with a checkpoint" in str(found)
    (row,) = listing(folder, ["stopped"])
    assert row.message == "told to by SIGTERM"
    (work / f".{key}.h5.host.1-1.00000000.parts").mkdir()
    assert planned.status().checkpoints == 1


def test_versions_of_the_script_and_changes(planned: Scan, toy: Path):
    planned.run(workers=2)
    toy.write_text(SCRIPT.replace("return", "# another text\n    return"))
    (toy.parent / "mended").touch()
    planned.run(["failed"])
    found = planned.status()
    assert sorted(found.sources.values()) == [2, 2] and found.source in found.sources
    assert found.changes == ("toy.py has changed since the scan was planned",)
    assert "done with 2 versions of the script" in str(found) and f"2 with {found.source} (that of now)" in str(found)
    toy.unlink()
    assert "toy.py is gone" in planned.status().changes[0]


def test_a_failure_that_no_journal_speaks_of_is_read_from_its_record(planned: Scan):
    folder = planned.folder
    key = next(folder.points()).key
    folder.failure(key).parent.mkdir(exist_ok=True)
    write_json(folder.failure(key), {"key": key, "kind": "lost", "message": "its worker ended without a word"})
    found = planned.status()
    assert found.failed == 1 and found.failures["lost"].count == 1
    folder.failure(key).write_text("{")
    (row,) = listing(folder, ["failed"])
    assert row.message.startswith("unreadable: its record can't be read")


def test_at_most_fifteen_lines(planned: Scan):
    folder = planned.folder
    for number, point in enumerate(folder.points()):
        folder.failure(point.key).parent.mkdir(exist_ok=True)
        kind = ("raised", "time", "memory", "exited", "killed", "lost")[number]
        write_json(folder.failure(point.key), {"kind": kind, "message": "long " * 200})
    lines = str(planned.status()).splitlines()
    assert len(lines) <= 15 and max(map(len, lines)) <= 130
    assert any("others: " in line and " lost" in line for line in lines)


def test_listing(planned: Scan):
    planned.run(workers=2)
    rows = list(listing(planned.folder))
    assert [row.point.key for row in rows] == [point.key for point in planned.folder.points()]
    failed = list(listing(planned.folder, ["failed"]))
    assert [row.state for row in failed] == ["failed"] * 4
    assert failed[0].message == "raised: ValueError: no such thing"
    assert all(row.seconds is not None and row.seconds > 0 for row in rows)
    with pytest.raises(ScanError, match="state = 'broken'; there are done, failed"):
        listing(planned.folder, ["broken"])


def test_lines_of_journals_that_were_cut_short(planned: Scan):
    planned.run(workers=2)
    before = planned.status()
    (journal,) = (planned.path / "journal").glob("*.jsonl")
    with open(journal, "ab") as file:
        file.write(b'{"key": "00", "state": "done", "res\n[1, 2]\n\xff\xfe\n{"key": "00"')
    assert planned.status() == before


def test_the_queue_of_slurm_is_asked_only_where_something_was_submitted(planned: Scan, monkeypatch: pytest.MonkeyPatch):
    from neurodyn.scan.executors import slurm

    def fake(lines: list[str]) -> Callable[[Folder], list[str]]:
        return lambda folder: lines

    monkeypatch.setattr(slurm, "queue", fake(["job 12: 3 tasks pending (Resources), 1 running"]))
    assert planned.status().cluster == ()
    (planned.path / "submissions" / "0001").mkdir()
    found = status(planned.folder)
    assert found.cluster == ("job 12: 3 tasks pending (Resources), 1 running",)
    assert "slurm    job 12" in str(found) and found.next.endswith("--watch")
