"""Who works, who still lives, and who runs which point."""

import json
import multiprocessing
import os
import time
from dataclasses import asdict, replace

import pytest

from neurodyn.recording.process import NOBODY
from neurodyn.scan.folder import Folder, Header, write_json
from neurodyn.scan.points import Plan, Point
from neurodyn.scan.registry import LOST_S, Registry
from neurodyn.scan.selection import bury, kind_of_failure, selected, tidy


@pytest.fixture
def folder(tmp_path):
    header = Header("00000000", "/nowhere/script.py", "f", "/nowhere", {"a": 0}, {}, {}, "2026-01-01T00:00:00+00:00")
    folder = Folder.create(tmp_path / "scan", header)
    points = [Point(f"{number:020x}", {"a": number}) for number in range(4)]
    folder.add_plan(Plan(grid={"a": [0, 1, 2, 3]}), iter(points), asked={})
    return folder


KEY = f"{1:020x}"


def enter(folder, **about):
    return Registry(folder).enter(executor="local", slots=1, **about)


def killed(folder, **about):
    """A worker that has ended without a word."""
    member = replace(enter(folder, **about), process=NOBODY)
    write_json(folder.path / "workers" / f"{member.name}.json", asdict(member))
    return member


def age(path, seconds):
    """Have a file be last touched so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def elsewhere(folder, *, silent):
    """A worker on another machine, last heard of so many seconds ago."""
    member = replace(enter(folder), host="node7")
    path = folder.path / "workers" / f"{member.name}.json"
    write_json(path, asdict(member))
    age(path, silent)
    return member


def test_a_point_is_claimed_once(folder):
    first, second = enter(folder), enter(folder)
    assert Registry(folder).claim(KEY, first)
    assert Registry(folder).claim(KEY, first)  # it has it
    assert not Registry(folder).claim(KEY, second)
    assert Registry(folder).claimed() == {KEY: first.name}
    Registry(folder).release(KEY, second)  # not its own
    assert Registry(folder).owner(KEY) == first.name
    Registry(folder).release(KEY, first)
    assert Registry(folder).claim(KEY, second)


def test_the_dead_lose_their_claims(folder):
    registry, mine = Registry(folder), enter(folder)
    gone, left = killed(folder), enter(folder)
    away, silent = elsewhere(folder, silent=0), elsewhere(folder, silent=LOST_S + 60)
    assert [registry.claim(f"{n:020x}", member) for n, member in enumerate((gone, left, away, silent))] == [True] * 4
    registry.leave(left, "no points left")
    assert [registry.alive(member.name) for member in (mine, gone, left, away, silent)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert [Registry(folder).claim(f"{n:020x}", mine) for n in range(4)] == [True, True, False, True]
    assert 170 < registry.silence(silent.name) < 200


def test_a_job_that_begins_anew_takes_over_from_its_earlier_life(folder):
    before = enter(folder, job="77.3")
    other = enter(folder, job="77.30")
    assert Registry(folder).claim(KEY, before)
    after = enter(folder, job="77.3")
    assert Registry(folder).claim(KEY, after)
    assert {m.name: m.ended for m in Registry(folder).members()} == {
        before.name: "its job began anew",
        other.name: None,
        after.name: None,
    }


def test_a_worker_that_beats_is_heard(folder):
    member = elsewhere(folder, silent=LOST_S + 60)
    registry = Registry(folder)
    assert not registry.alive(member.name)
    registry.beat(member)
    assert not registry.alive(member.name)  # as it was found
    registry.forget()
    assert registry.alive(member.name)


def test_without_hard_links(folder, monkeypatch):
    def refused(source, target):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refused)
    gone, mine, other = killed(folder), enter(folder), enter(folder)
    assert Registry(folder).claim(KEY, gone)
    assert Registry(folder).claim(KEY, mine)
    assert not Registry(folder).claim(KEY, other)
    # another one has made the file, and has not written into it yet; or never will
    claim = folder.claim(f"{2:020x}")
    claim.touch()
    assert not Registry(folder).claim(f"{2:020x}", mine)
    age(claim, 60)
    assert Registry(folder).claim(f"{2:020x}", mine)


def test_a_kill_while_a_claim_was_taken_away_blocks_nobody_for_long(folder):
    gone, mine = killed(folder), enter(folder)
    assert Registry(folder).claim(KEY, gone)
    taking = folder.path / "work" / f".{KEY}.claim.taking"
    taking.touch()
    assert not Registry(folder).claim(KEY, mine)
    age(taking, 60)
    assert Registry(folder).claim(KEY, mine)
    assert not taking.exists()


def _take(folder, keys, start, won):
    member, registry = enter(folder), Registry(folder)
    start.wait()
    won.put([key for key in keys if registry.claim(key, member)])


def test_of_many_that_take_over_one_gets_it(folder):
    gone, keys = killed(folder), [f"{number:020x}" for number in range(300)]
    assert all(Registry(folder).claim(key, gone) for key in keys)
    context = multiprocessing.get_context("spawn")
    start, won = context.Barrier(4), context.Queue()
    members = [context.Process(target=_take, args=(folder, keys, start, won)) for _ in range(4)]
    for member in members:
        member.start()
    taken = [key for _ in members for key in won.get(timeout=60)]
    for member in members:
        member.join()
    assert sorted(taken) == keys


def test_points_of_dead_workers_get_a_record_that_says_so(folder):
    gone, silent, lives = killed(folder, job="12"), elsewhere(folder, silent=LOST_S + 60), enter(folder)
    keys = [point.key for point in folder.points()]
    for key, member in zip(keys, (gone, silent, lives), strict=False):
        assert Registry(folder).claim(key, member)
    assert bury(folder) == keys[:2]
    assert folder.failed() == set(keys[:2]) and Registry(folder).claimed() == {keys[2]: lives.name}
    records = [json.loads(folder.failure(key).read_text()) for key in keys[:2]]
    assert [record["kind"] for record in records] == ["lost", "lost"]
    assert records[0]["message"].startswith(f"its worker {gone.name} ended without a word on {gone.host}, job 12")
    assert "node7; last heard of 3.0 min before" in records[1]["message"]
    assert bury(folder) == []
    assert [point.key for point in selected(folder, ["missing"], source="")] == keys  # lost ones run again


def test_a_point_whose_worker_was_killed_right_after_it_was_done_is_done(folder):
    gone = killed(folder)
    assert Registry(folder).claim(KEY, gone)
    for path in (folder.recording(KEY), folder.failure(KEY), folder.work(KEY, "abc") / "log"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert KEY not in {point.key for point in selected(folder, ["missing", "failed"], source="")}
    assert folder.failed() == set() and kind_of_failure(folder, KEY) == ""
    assert list((folder.path / "work").iterdir()) == []


def test_tidying_leaves_what_lives(folder):
    mine = enter(folder)
    assert Registry(folder).claim(KEY, mine)
    folder.work(KEY, "abc").mkdir()
    folder.work(f"{2:020x}", "abc").mkdir()  # stopped, to be resumed
    folder.recording(KEY).parent.mkdir()
    folder.recording(KEY).touch()
    before = sorted((folder.path / "work").iterdir())
    tidy(folder)
    assert sorted((folder.path / "work").iterdir()) == before and len(before) == 4
