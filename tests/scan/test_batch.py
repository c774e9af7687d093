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

import neurodyn as nd
from neurodyn.scan import Scan, ScanError
from neurodyn.scan.batch import Queue, Sizes, kind_of
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries, printed
from neurodyn.scan.points import Point

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

TIMES = {"started", "wall_s", "git_revision"}  # others may commit meanwhile


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


@pytest.mark.parametrize("backend", ["numba", "torch"])
def test_points_of_a_batch_are_those_of_single_runs(script, tmp_path, backend):
    plan: dict[str, Any] = {"grid": {"gain": [0.8, 1.2]}, "set": {"backend": backend}, "seeds": 2}
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
    scan = Scan(script, out=tmp_path / "scan", grid={"trouble": [0, 2], "seed": [1, 2, 3]})
    single = Scan(script, out=tmp_path / "single", grid={"seed": [1, 2, 3]})
    said = scan.run(batch=6, workers=1)
    single.run(workers=1)
    assert said == ""
    assert sizes_of(scan.folder) == dict.fromkeys(scan.folder.done(), 1)
    assert recordings(scan.folder) == recordings(single.folder)
    assert all(path.read_text().count('"kind": "exited"') == 1 for path in scan.path.glob("failures/*/*.json"))
    assert not os.listdir(scan.path / "work")


def test_points_that_never_simulate_and_groups_that_differ_in_more_than_numbers(script, tmp_path):
    scan = Scan(script, out=tmp_path / "scan", grid={"simulates": [False, True], "gain": [1.0, 1.1, 1.2]})
    assert scan.run(batch=8, workers=1) == ""
    assert sizes_of(scan.folder) == dict.fromkeys(scan.folder.done(), 3)
    assert len(scan.folder.done()) == 6


def test_a_batch_that_is_told_to_stop_leaves_points_to_go_on(script, tmp_path):
    grid = {"seed": [1, 2, 3]}
    scan = Scan(script, out=tmp_path / "scan", grid=grid, set={"trials": 6000})
    single = Scan(script, out=tmp_path / "single", grid=grid, set={"trials": 6000})
    ended = threading.Event()

    def stop() -> None:
        while not ended.is_set():
            if len(list(scan.path.glob("work/*/.*.h5.*"))) + len(list(scan.path.glob("work/*/*.h5*"))) > 0:
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
