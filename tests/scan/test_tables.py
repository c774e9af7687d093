"""Points from CSV files, and the one table of a scan."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.scan import Scan, ScanError
from neurodyn.scan.tables import collect, read_points

SCRIPT = '''
import math

import neurodyn as nd


@nd.simulation
def rich(
    *, gain: float = 1.0, count: int = 2, weights: list[float] = [1.0], tau: nd.Time = "10 ms", flag: bool = False,
    seconds: float = 0.0, seed: int = 1,
):
    """All kinds of results."""
    if gain > 5:
        raise ValueError("too much")
    results = {
        "twice": 2 * gain, "nan": math.nan, "inf": math.inf, "gain": gain, "curve": [gain, 2 * gain, math.nan],
        "label": f"at {tau}, \\"so\\"", "good": gain > 1, "count of it": count, "ragged": [1] * count, "none": None,
    }
    return nd.Outcome(results=results, checks=[nd.check("low", gain, "< 1"), nd.check("any", gain, "> 0")])
'''


@pytest.fixture
def rich(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rich.py").write_text(SCRIPT)
    return tmp_path / "rich.py"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """Two gains that work and one that fails, with two constants; tests read it, and write what collect writes."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "rich.py").write_text(SCRIPT)
    values: dict[str, Any] = {"grid": {"gain": [0.5, 1.5, 9.0]}, "set": {"tau": "20 ms", "seconds": 7.0}, "seeds": 2}
    scan = Scan(folder / "rich.py", out=folder / "s", **values)
    scan.run(workers=2)
    return scan


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "points.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_points_from_a_file(tmp_path: Path):
    path = written(tmp_path, b'\xef\xbb\xbfgain, tau,weights\r\n0.5,"10 ms","[1,2]"\r\n\r\n1.5,20 ms,3\r\n')
    assert read_points(path) == [
        {"gain": "0.5", "tau": "10 ms", "weights": "[1,2]"},
        {"gain": "1.5", "tau": "20 ms", "weights": "3"},
    ]


def test_values_in_a_file_are_typed_by_the_simulation(rich: Path, tmp_path: Path):
    path = written(tmp_path, 'gain,count,weights,tau,flag\n1,3,"[1, 2.5]",5 ms,true\n2.5,4,"7,8",0.01 s,no\n')
    found = [point.values for point in Scan(rich, out="s", points=path).folder.points()]
    assert found == [
        {"gain": 1.0, "count": 3, "weights": [1.0, 2.5], "tau": "5 ms", "flag": True},
        {"gain": 2.5, "count": 4, "weights": [7.0, 8.0], "tau": "0.01 s", "flag": False},
    ]
    assert [type(value) for value in found[0].values()] == [float, int, list, str, bool]


def test_the_same_points_from_a_file_and_from_python_have_the_same_keys(rich: Path, tmp_path: Path):
    path = written(tmp_path, "gain,count\n1,3\n2,4\n")
    rows = [{"gain": 1, "count": 3}, {"gain": 2.0, "count": 4}]
    one, other = Scan(rich, out="s", points=path, seeds=2), Scan(rich, out="t", points=rows, seeds=2)
    assert list(one.folder.points()) == list(other.folder.points())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; write names"),
        ("\n\n", "is empty; write names"),
        ("gain,count\n", "no points: there is no line below"),
        ("0.5,3\n1,2\n", "first line has to name the parameters, it has '0.5'"),
        ("gain,gain\n1,2\n", "the first line has 'gain' twice"),
        ("gain;count\n1;2\n", "it has 'gain;count'"),
        (",gain\n0,1\n", "column 1 has no name in the first line; is it the index"),
        ("gain,\n0,1\n", "column 2 has no name in the first line$"),
        ("gain,count\n1,2\n3\n", "line 3 has 1 values for 2 names"),
        ("gain,weights\n1,2,3\n", "line 2 has 3 values for 2 names.*stands in quotes"),
        ("gain,count\n1,2\n3,4\n1,2\n", "line 4 is the same as line 2; for repetitions, give seeds"),
        (b"gain\n\xff\xfe\n", "no CSV file in UTF-8"),
        ('gain\n"1\n', "no CSV file in UTF-8: unexpected end of data"),
    ],
)
def test_files_that_are_no_list_of_points(tmp_path: Path, text: str | bytes, message: str):
    with pytest.raises(ScanError, match=message):
        read_points(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ScanError, match="can't be read: No such file"):
        read_points(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gian\n1\n", "unknown parameter 'gian'; did you mean 'gain'"),
        ("gain\n1\nmuch\n", "point 2 of the list: gain='much' has to be float"),
        ("gain\n1\n \n\n3,4\n", "line 5 has 2 values"),
        ("count\n1.5\n", "count='1.5' has to be int"),
        ("out\na.h5\n", "out is not set for a point"),
    ],
)
def test_values_that_the_simulation_does_not_take(rich: Path, tmp_path: Path, text: str, message: str):
    with pytest.raises(ScanError, match=message):
        Scan(rich, out="s", points=written(tmp_path, text))
    assert not Path("s").exists()


def test_the_table_has_a_row_for_each_point_and_all_that_is_known(finished: Scan):
    text, _ = finished.collect()
    rows = table(text)
    assert [row["key"] for row in rows] == [point.key for point in finished.folder.points()]
    assert list(rows[0])[:7] == ["key", "state", "repetition", "tau", "parameter: seconds", "gain", "seed"]
    first, last = rows[0], rows[-1]
    assert (first["state"], first["repetition"], first["gain"], first["tau"]) == ("done", "0", "0.5", "20 ms")
    assert (first["twice"], first["nan"], first["inf"], first["none"]) == ("1.0", "nan", "inf", "")
    assert first["result: gain"] == "0.5" and first["parameter: seconds"] == "7.0"
    assert math.isnan(json.loads(first["curve"])[2]) and json.loads(first["ragged"]) == [1, 1]
    assert first["label"] == 'at 20 ms, "so"'
    assert (first["good"], rows[2]["good"]) == ("False", "True")
    assert (first["checks_passed"], first["check: low"], rows[2]["check: low"]) == ("2", "True", "False")
    assert 0 < float(first["seconds"]) < 60 and int(first["peak_bytes"]) > 1e6 and first["worker"] and first["host"]
    assert int(first["seed"]) == next(finished.folder.points()).values["seed"]
    assert last["state"] == "failed" and last["message"] == "raised: ValueError: too much" and last["twice"] == ""
    assert finished.status().sources == {first["source"]: 4}


def test_the_table_in_hdf5(finished: Scan):
    import xarray

    _, place = finished.collect()
    with xarray.open_dataset(place, engine="h5netcdf") as found:
        found.load()
    assert found.sizes["point"] == 6 and found.attrs["simulation"] == "rich"
    np.testing.assert_array_equal(found["gain"], [0.5, 0.5, 1.5, 1.5, 9, 9])
    np.testing.assert_array_equal(found["twice"], [1, 1, 3, 3, np.nan, np.nan])
    assert found["tau"].attrs["units"] == "ms" and set(found["tau"].values) == {20.0}
    assert found["curve"].shape == (6, 3)
    np.testing.assert_array_equal(found["curve"][2], [1.5, 3.0, np.nan])
    assert np.isnan(found["curve"][5]).all()
    assert found["inf"][0] == np.inf and np.isnan(found["nan"]).all()
    assert found["seed"].dtype == np.int64
    assert list(found["state"].values) == ["done"] * 4 + ["failed"] * 2
    assert found["label"].values[0] == 'at 20 ms, "so"' and found["label"].values[5] == ""


def test_an_older_table_is_replaced_and_nothing_else_is_left(finished: Scan):
    places = finished.collect()
    for place in places:
        place.write_text("old")
    before = {path.name for path in finished.path.iterdir()}
    assert collect(finished.folder) == places
    assert all(place.read_bytes() != b"old" for place in places)
    assert {path.name for path in finished.path.iterdir()} == before


def test_without_any_result(rich: Path):
    text, _ = Scan(rich, out="s", grid={"gain": [1, 2]}).collect()
    assert [(row["state"], row["gain"]) for row in table(text)] == [("pending", "1.0"), ("pending", "2.0")]


def test_the_recording_is_read_where_no_journal_fits_it(rich: Path):
    scan = Scan(rich, out="s", grid={"gain": [0.5, 1.5]})
    scan.run(workers=1)
    expected = table(scan.collect()[0])
    keys = [point.key for point in scan.folder.points()]
    nd.recording.annotate(scan.folder.recording(keys[0]), results={"twice": -1.0})  # what the journal says is old
    assert table(scan.collect()[0])[0]["twice"] == "-1.0"
    (journal,) = (scan.path / "journal").glob("*.jsonl")
    journal.unlink()
    rows = table(scan.collect()[0])
    for name in ("state", "twice", "inf", "nan", "curve", "label", "check: low", "gain"):
        assert rows[1][name] == expected[1][name]
    assert rows[1]["seconds"] == rows[1]["worker"] == ""


def test_an_entry_without_a_recording_does_not_count(rich: Path):
    scan = Scan(rich, out="s", grid={"gain": [0.5, 1.5]})
    scan.run(workers=1)
    first = next(scan.folder.points())
    scan.folder.recording(first.key).unlink()
    rows = table(scan.collect()[0])
    assert [row["state"] for row in rows] == ["pending", "done"] and rows[0]["twice"] == ""
    assert scan.status().pending == 1


def test_a_recording_that_cannot_be_read_costs_one_row(rich: Path):
    scan = Scan(rich, out="s", grid={"gain": [0.5, 1.5]})
    scan.run(workers=1)
    first = next(scan.folder.points())
    scan.folder.recording(first.key).write_bytes(b"no HDF5")
    rows = table(scan.collect()[0])
    assert [row["state"] for row in rows] == ["unreadable", "done"]
    assert "cannot be read as HDF5" in rows[0]["message"]


def test_old_points_have_the_value_that_a_new_axis_had_before(rich: Path):
    scan = Scan(rich, out="s", grid={"gain": [0.5]})
    assert scan.extend(grid={"count": [7]}) == 1
    rows = table(scan.collect()[0])
    assert [(row["gain"], row["count"]) for row in rows] == [("0.5", "2"), ("0.5", "7")]


def test_names_that_hdf5_does_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import h5py

    monkeypatch.chdir(tmp_path)
    Path("named.py").write_text(
        "import neurodyn as nd\n@nd.simulation\ndef named(*, a: float = 1.0):\n"
        '    """Names."""\n    return {"spikes/s": a, "spikes_per_s": 2 * a, "point": 3.0, ".": 4.0}\n'
    )
    scan = Scan("named.py", out="s", grid={"a": [1, 2]})
    scan.run(workers=1)
    with h5py.File(scan.collect()[1]) as file:
        found = {str(item.attrs["long_name"]): item[0] for item in file.values() if "long_name" in item.attrs}
    assert (found["spikes/s"], found["spikes_per_s"], found["point"], found["."]) == (1.0, 2.0, 3.0, 4.0)


def test_a_full_disk_leaves_the_old_table(finished: Scan, monkeypatch: pytest.MonkeyPatch):
    places = finished.collect()
    before = [place.read_bytes() for place in places]
    names = {path.name for path in finished.path.iterdir()}

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        finished.collect()
    assert [place.read_bytes() for place in places] == before
    assert {path.name for path in finished.path.iterdir()} == names
