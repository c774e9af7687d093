"""`nd.Scan`: planned once, grown, and the same wherever it runs."""

import json
import os

import pytest

import neurodyn as nd
from neurodyn.scan.folder import Folder
from neurodyn.scan.journal import entries

SCRIPT = '''
"""A network of its own for each point."""
import neurodyn as nd

@nd.simulation
def cells(*, drive: float = 1.2, size: int = 5, rule: str = "none", out: str | None = None, seed: int = 1):
    """Noisy leaky cells."""
    group = nd.Population("cells", size, "dv/dt = (drive - v)/(10*ms) + 0.3*xi*(10*ms)**-0.5 : 1", threshold="v > 1",
                          reset="v = 0", method="euler", parameters={"drive": drive})
    run = nd.simulate(nd.Circuit([group], dt="0.1 ms", seed=seed), "50 ms", record=["spikes", "cells.v"], out=out)
    return {"spikes": len(run["spikes"]), "mean": float(run["cells.v"].mean())}
'''

NUMBERS = """
import numpy as np
import neurodyn as nd

@nd.simulation
def draws(*, drive: float = 1.2, size: int = 5, seed: int = 1):
    'Draws.'
    return {"mean": drive + float(np.random.default_rng(seed).normal(size=size).mean())}
"""


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """A script without a network, for what does not depend on what is simulated."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "draws.py"
    path.write_text(NUMBERS)
    return path


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cells.py"
    path.write_text(SCRIPT)
    return path


def done_entries(scan):
    return [entry["key"] for entry in entries(scan.folder) if entry["state"] == "done"]


def results(scan):
    return {point.key: nd.load(scan.folder.recording(point.key)).results for point in scan.folder.points()}


@pytest.mark.slow
def test_same_numbers_on_a_laptop_on_dask_and_by_hand(script):
    """To the last bit: recorded samples, spikes and results."""
    plan = {"grid": {"drive": [1.1, 1.4]}, "seeds": 2}
    local, dask = (nd.Scan(script, out=name, **plan) for name in ("local", "dask"))
    local.run(workers=2)
    from distributed import Client

    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        dask.run(on="dask", client=client)
    assert results(local) == results(dask)
    for point in local.folder.points():
        one, other = (nd.load(scan.folder.recording(point.key)) for scan in (local, dask))
        assert nd.compare(one, other)
        assert one.config == other.config
        assert one.config["parameters"] == local.folder.config(point)


def test_recordings_are_those_of_a_single_run(script):
    from neurodyn.scripts import simulation_of

    scan = nd.Scan(script, out="scan", grid={"drive": [1.3]}, seeds=1)
    scan.run()
    point = next(scan.folder.points())
    by_hand = simulation_of(str(script))(**scan.folder.config(point), out="by_hand.h5")
    recording = nd.load(scan.folder.recording(point.key))
    assert recording.results == by_hand.results
    assert nd.compare(recording, nd.load("by_hand.h5"))
    assert recording.complete


def test_the_same_scan_is_opened_and_another_refused(script):
    first = nd.Scan(script, out="scan", grid={"drive": [1, 2]}, seeds=2)
    again = nd.Scan(str(script), out="scan", grid={"drive": ["1", "2"]}, seeds=2)
    assert again.folder.header == first.folder.header
    assert again.folder.size == 4
    with pytest.raises(nd.ScanError, match="another plan; to add to it, use `neurodyn scan extend`"):
        nd.Scan(script, out="scan", grid={"drive": [1, 2, 3]}, seeds=2)
    (script.parent / "taken").mkdir()
    (script.parent / "taken" / "precious").touch()
    with pytest.raises(nd.ScanError, match="exists and is not empty"):
        nd.Scan(script, out="taken")
    with pytest.raises(nd.ScanError, match="no folder of a scan"):
        nd.Scan.open("taken")


def test_nothing_is_written_for_a_plan_that_does_not_fit(script):
    with pytest.raises(nd.ScanError, match="did you mean 'drive'"):
        nd.Scan(script, out="scan", grid={"driv": [1, 2]})
    assert not os.path.exists("scan")


def test_a_grown_scan_runs_what_is_new(quick):
    scan = nd.Scan(quick, out="scan", grid={"drive": [1.1, 1.4]}, seeds=1)
    scan.run(workers=2)
    before, numbers = done_entries(scan), results(scan)
    written = {key: scan.folder.recording(key).stat().st_mtime_ns for key in before}
    assert scan.extend(grid={"drive": [1.4, 1.6], "size": [7]}, seeds=2) == 3 * 2 * 2 - 2
    assert scan.extend(seeds=2) == 0
    assert [point.key for point in scan.folder.points()][:2] == list(numbers)
    scan.run()
    assert len(done_entries(scan)) == len(set(done_entries(scan))) == 12
    assert numbers.items() <= results(scan).items()
    assert written == {key: scan.folder.recording(key).stat().st_mtime_ns for key in before}
    whole = nd.Scan(quick, out="whole", grid={"size": [5, 7], "drive": [1.1, 1.4, 1.6]}, seeds=2)
    assert {p.key for p in whole.folder.points()} == {p.key for p in scan.folder.points()}
    assert repr(scan) == "<scan of draws: 12 points in scan>"  # as one types it from here


def test_a_scan_without_seeds_gets_none(script):
    scan = nd.Scan(script, out="scan", grid={"drive": [1.1]})
    with pytest.raises(nd.ScanError, match="made without seeds"):
        scan.extend(seeds=2)
    assert scan.extend(grid={"seed": [2, 3]}) == 2


def test_a_kill_between_points_and_plan_leaves_the_old_plan(script):
    """The points of an extension count from the moment that its plan is there."""
    scan = nd.Scan(script, out="scan", grid={"drive": [1, 2]})
    (scan.path / "plans" / "0002.points.jsonl").write_text(json.dumps({"key": "x" * 20, "values": {}}) + "\n")
    assert Folder(scan.path).size == len(list(Folder(scan.path).points())) == 2
    assert scan.extend(grid={"drive": [3]}) == 1
    assert len(list(Folder(scan.path).points())) == 3


def test_a_function_is_scanned_where_it_stands_in_a_file(script):
    from neurodyn.scripts import simulation_of

    scan = nd.Scan(simulation_of(str(script)), out="scan", grid={"drive": [1]})
    assert scan.folder.header.script == str(script)
    namespace = {}
    exec("import neurodyn as nd\n@nd.simulation\ndef f(*, a: int = 1):\n    'F.'\n    return {}", namespace)
    with pytest.raises(nd.ScanError, match="stands in no file"):
        nd.Scan(namespace["f"], out="other", grid={"a": [1]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on": "moon"}, "on = 'moon'; there are local, slurm, dask"),
        ({"workers": 0}, "workers = 0 has to be a whole number"),
        ({"time_limit": "soon"}, "time_limit = 'soon'"),
        ({"memory_limit": "much"}, "memory_limit = 'much'"),
        ({"threads": 1.5}, "threads = 1.5"),
        ({"which": "all"}, "which = 'all'"),
    ],
)
def test_options_that_are_refused(script, options, message):
    scan = nd.Scan(script, out="scan", grid={"drive": [1]})
    with pytest.raises(nd.ScanError, match=message):
        scan.run(options.pop("which", "missing"), **options)
    assert not scan.folder.done()


def test_options_are_those_of_the_last_run(quick):
    scan = nd.Scan(quick, out="scan", grid={"drive": [1]})
    scan.run(workers=1, time_limit="5 min")
    assert scan.run() == "nothing to do"
    assert scan.options(threads=2).time_limit == "5 min"


def test_changes_are_said_and_kept_apart(quick):
    scan = nd.Scan(quick, out="scan", grid={"drive": [1.1, 1.4]})
    scan.run()
    assert scan.changes() == []
    quick.write_text(NUMBERS.replace("drive +", "drive -"))
    assert scan.changes() == ["draws.py has changed since the scan was planned"]
    old = results(scan)
    assert scan.run() == "nothing to do"
    assert scan.outdated() == set(old)
    scan.run("outdated")
    assert not scan.outdated()
    assert all(results(scan)[key]["mean"] != old[key]["mean"] for key in old)
