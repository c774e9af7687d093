"""Batches: points that run as one launch are what they are singly, and none is lost with its neighbours."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from neurodyn.scan import Scan, ScanError
from neurodyn.scan.batch import Queue, Sizes, kind_of
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries, printed
from neurodyn.scan.points import Point

# two calls of simulate, one of them in memory, and random numbers from the generators that all code shares
SCRIPT = '''
import os
import random
from pathlib import Path

import numpy as np

import neurodyn as nd


@nd.simulation
def learning(*, gain: float = 1.0, seed: int = 1, trouble: int = 0, trials: int = 2, backend: str = "numba",
             simulates: bool = True, out: Path | None = None):
    """A reservoir that learns, after a first look at it."""
    drawn = [random.random(), np.random.rand()]
    if not simulates:
        return {"gain": gain, "drawn": drawn[0]}
    net = nd.SpikingReservoir(neurons=30, excitatory_weight=0.3 * gain, seed=seed)
    alone = nd.simulate(net, "40 ms", backend=backend)
    print("looked at", seed, flush=True)
    if trouble == 1:
        raise ValueError("no such luck")
    if trouble == 2:
        os._exit(9)
    session = nd.tasks.WhatWhen().session(trials, calibration=1, tests=(1,), test_trials=1, seed=seed)
    rule = nd.WhatWhenRule(feedback=gain)
    run = nd.simulate(net, session, learn=rule, record=("spikes", "weights", "readout"), out=out, backend=backend)
    drawn += [random.random(), np.random.rand()]
    return {"first": alone["spikes"].times.size, "then": run["spikes"].times.size, "drawn": sum(drawn)}
'''

TIMES = {"started", "wall_s", "resumed", "git_revision"}  # when it was made, and by what


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A simulation that calls simulate twice."""
    path = tmp_path / "learn.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def content(path: Path) -> dict[str, Any]:
    """All that a file holds but for when it was made."""
    found: dict[str, Any] = {}

    def add(name: str, member: h5py.Group | h5py.Dataset) -> None:
        for key, value in member.attrs.items():
            if key not in TIMES and key not in ("DIMENSION_LIST", "REFERENCE_LIST"):
                found[f"{name}@{key}"] = np.asarray(value).tolist()
        if isinstance(member, h5py.Dataset):
            values = member[()]
            found[name] = member.dtype.str, member.shape, str(values) if member.dtype.hasobject else values.tobytes()

    with h5py.File(path) as file:
        add("", file)
        file.visititems(add)
    return found


def recordings(folder: Folder) -> dict[str, dict[str, Any]]:
    """The content of all recordings of a scan."""
    return {key: content(folder.recording(key)) for key in folder.done()}


def sizes_of(folder: Folder) -> dict[str, int]:
    """How many points each done point ran with."""
    return {entry["key"]: entry.get("batch", 1) for entry in entries(folder) if entry["state"] == "done"}


@pytest.mark.parametrize(
    ("backend", "trials", "seeds"), [("numba", 2, 2), pytest.param("torch", 1, 2, marks=pytest.mark.slow)]
)
def test_points_of_a_batch_are_those_of_single_runs(script, tmp_path, backend, trials, seeds):
    plan: dict[str, Any] = {"grid": {"gain": [0.8, 1.2]}, "set": {"backend": backend, "trials": trials}, "seeds": seeds}
    single = Scan(script, out=tmp_path / "single", **plan)
    batch = Scan(script, out=tmp_path / "batch", **plan)
    assert single.run(workers=1) == batch.run(batch=4, workers=1) == ""
    assert set(sizes_of(batch.folder).values()) == {4}
    assert set(sizes_of(single.folder).values()) == {1}
    assert len(recordings(single.folder)) == 4
    assert recordings(batch.folder) == recordings(single.folder)
    results = {entry["key"]: entry["results"] for entry in entries(single.folder)}
    assert {entry["key"]: entry["results"] for entry in entries(batch.folder)} == results
    for key in results:
        lines = [printed(scan.folder, key).splitlines() for scan in (single, batch)]
        kept = [[x for x in said if not x.startswith(("took", "recording"))] for said in lines]
        assert kept[0] == kept[1]
        assert sum("looked at" in line for line in kept[1]) == 1
    assert not os.listdir(batch.path / "work")


def test_a_point_that_raises_or_dies_costs_its_neighbours_nothing(script, tmp_path):
    scan = Scan(script, out=tmp_path / "scan", grid={"trouble": [0, 1], "seed": [1, 2]})
    scan.run(batch=4, workers=1)
    assert sorted(sizes_of(scan.folder).values()) == [4, 4]
    scan.extend(grid={"trouble": [2]})
    ends: list[tuple[Any, str]] = []
    scan.run(("missing", "failed"), batch=4, workers=1, report=lambda p, e: ends.append((p.values["trouble"], e.kind)))
    # the batch of the two that die was ended by the first of them; singly, each has its own end
    assert sorted(ends) == [(1, "raised"), (1, "raised"), (2, "exited"), (2, "exited")]
    assert len(scan.folder.done()) == 2
    assert not os.listdir(scan.path / "work")


def test_what_a_dying_point_takes_with_it_runs_again_singly(script, tmp_path):
    scan = Scan(script, out=tmp_path / "scan", grid={"trouble": [0, 2], "seed": [1, 2]})
    single = Scan(script, out=tmp_path / "single", grid={"seed": [1, 2]})
    said = scan.run(batch=4, workers=1)
    single.run(workers=1)
    assert said == ""
    assert sizes_of(scan.folder) == dict.fromkeys(scan.folder.done(), 1)
    assert recordings(scan.folder) == recordings(single.folder)
    assert all(path.read_text().count('"kind": "exited"') == 1 for path in scan.path.glob("failures/*/*.json"))
    assert not os.listdir(scan.path / "work")


def test_points_that_never_simulate_and_groups_that_differ_in_more_than_numbers(script, tmp_path):
    scan = Scan(script, out=tmp_path / "scan", grid={"simulates": [False, True], "gain": [1.0, 1.1, 1.2]})
    assert scan.run(batch=8, workers=1) == ""  # text and switches are the same within a batch
    assert sizes_of(scan.folder) == dict.fromkeys(scan.folder.done(), 3)
    assert len(scan.folder.done()) == 6


@pytest.mark.slow
def test_a_batch_that_is_told_to_stop_leaves_points_to_go_on(script, tmp_path):
    grid = {"seed": [1, 2, 3]}
    scan = Scan(script, out=tmp_path / "scan", grid=grid, set={"trials": 300})
    single = Scan(script, out=tmp_path / "single", grid=grid, set={"trials": 300})
    ended = threading.Event()

    def stop() -> None:
        while not ended.is_set():
            if len(list(scan.path.glob("work/*/.*.parts"))) == 3:  # the recordings have begun
                os.kill(os.getpid(), signal.SIGTERM)
                return
            time.sleep(0.05)

    watch = threading.Thread(target=stop)
    watch.start()
    try:
        said = scan.run(batch=3, workers=1)
    finally:
        ended.set()
        watch.join()
    assert said.startswith("stopped: told to by SIGTERM")
    assert not scan.folder.failed()
    assert len(scan.folder.done()) < 3
    scan.run(batch=3, workers=1)
    single.run(workers=1)
    assert recordings(scan.folder) == recordings(single.folder)
    assert len(scan.folder.done()) == 3


def test_what_may_stand_in_one_batch():
    base = {"gain": 1.0, "tau": "10 ms", "rule": "delta", "fast": True, "when": ["1 ms", "2 ms"], "names": ["A"]}
    numbers = {"gain": 3, "tau": "0.2 s", "when": ["3 ms"]}
    assert kind_of(base) == kind_of({**base, **numbers})
    for name, value in [("rule", "hebb"), ("fast", False), ("names", ["B"]), ("tau", "10 mV"), ("gain", None)]:
        assert kind_of(base) != kind_of({**base, name: value})


def taken(values: list[Any], sizes: Sizes, alone: tuple[str, ...] = ()) -> list[list[Any]]:
    """The batches that a queue makes of points with one parameter."""
    points = [Point(f"{number}", {"x": value}) for number, value in enumerate(values)]
    queue = Queue(points, lambda point: point.values, sizes, alone)
    found = []
    while queue:
        found.append([point.values["x"] for point in queue.take(lambda point: point.values["x"] != 5)])
    return found


def test_the_queue_puts_together_what_is_alike_and_leaves_out_what_is_done():
    mixed = [1, "a", 2, "b", 3, "a"]
    assert taken(mixed, Sizes(3, slots=1, memory=None)) == [[1, 2, 3], ["a", "a"], ["b"]]
    assert taken(mixed, Sizes(1, slots=1, memory=None)) == [[value] for value in mixed]
    assert taken([1, 2, 3, 4], Sizes(3, slots=1, memory=None), alone=("1",)) == [[1, 3, 4], [2]]
    assert taken([4, 5, 6], Sizes(3, slots=1, memory=None)) == [[4, 6]]
    # the last points are shared out among the slots
    assert taken([1, 2, 3, 4], Sizes(64, slots=2, memory=None)) == [[1, 2], [3], [4]]


def sizes_taken(sizes: Sizes, cost: Mapping[int, float], *, points: int = 1000, peak: int = 10) -> list[int]:
    """The sizes that "auto" takes, one slot's batches after the other's, with these seconds for each point."""
    found = []
    while points > 0:
        count = sizes.next(points)
        points -= count
        sizes.ended(count, count, cost[count] * count, peak)
        found.append(count)
    return found


def test_auto_doubles_while_a_point_gets_cheaper():
    sizes = Sizes("auto", slots=1, memory=None)
    found = sizes_taken(sizes, {**dict.fromkeys(range(1, 64), 0.29), 1: 1.0, 8: 0.5, 16: 0.3})
    assert found[:10] == [1, 1, 1, 8, 8, 16, 16, 32, 32, 16]
    assert set(found[9:-1]) == {16}
    assert sizes.note.startswith("batch: batches of 16 (a point takes 1.0 s singly, 500 ms in batches of 8")


def test_auto_runs_points_singly_where_batches_are_no_faster():
    sizes = Sizes("auto", slots=2, memory=None)
    found = sizes_taken(sizes, {1: 1.0, 8: 0.95}, points=70)
    assert found == [*[1] * 6, *[8] * 4, *[1] * 32]
    assert sizes.note.startswith("batch: single points")


def test_auto_keeps_to_the_memory_of_a_point_and_to_what_is_left():
    sizes = Sizes("auto", slots=1, memory=70)
    assert set(sizes_taken(sizes, dict.fromkeys(range(1, 65), 0.1) | {7: 0.05}, points=31)[3:]) == {7}
    few = Sizes("auto", slots=2, memory=None)
    assert sizes_taken(few, {1: 1.0}, points=8) == [1] * 8
    assert "too few points" in few.note


def test_batches_without_results_are_given_up():
    sizes = Sizes(4, slots=1, memory=None)
    for _ in range(2):
        assert sizes.next(100) == 4
        sizes.ended(4, 0, 1.0, 0)
    assert sizes.next(100) == 1
    assert "ran singly" in sizes.note


@pytest.mark.parametrize("batch", [0, -1, 1.5, True, "many"])
def test_a_batch_is_a_number_or_auto(script, tmp_path, batch):
    scan = Scan(script, out=tmp_path / "scan", grid={"seed": [1]})
    with pytest.raises(ScanError, match="batch = "):
        scan.run(batch=batch)
