"""A scan as a dataset over its grid: what stands where, what is absent, arrays of the recordings."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

import neurodyn as nd
from neurodyn.scan import Scan, ScanError
from neurodyn.scan.columns import Column, number_and_unit

SCRIPT = '''
import math

import numpy as np
import xarray

import neurodyn as nd


@nd.simulation
def net(
    *, gain: float = 1.0, tau: nd.Time = "10 ms", rule: str = "stdp", sizes: list[int] = [1], deep: bool = False,
    state: int = 0, seed: int = 1,
):
    """Results that tell where they come from."""
    if rule == "fails":
        raise ValueError("no such rule")
    rate = xarray.DataArray(
        np.full((2, len(sizes) + 1), gain), dims=("time", "gain"), coords={"time": [0.5, 1.0]}, attrs={"units": "Hz"}
    )
    results = {
        "product": gain * float(tau.split()[0]), "curve": [gain, 0.0, 1.0], "label": f"{rule}!", "good": gain > 1,
        "seed_was": seed, "gain": -gain, "mixed": gain if gain > 1 else "small", "limit": math.inf,
    }
    return nd.Outcome(results=results, checks=[nd.check("low", gain, "< 1")], data={"rates": rate, "seed": [seed, 2]})
'''


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(SCRIPT)
    return tmp_path / "net.py"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """Two gains, two time constants, two seeds, all done; only read."""
    folder = tmp_path_factory.mktemp("dataset")
    (folder / "net.py").write_text(SCRIPT)
    grid: dict[str, Any] = {"gain": [0.5, 1.5], "tau": ["10 ms", "0.02 s"]}
    scan = Scan(folder / "net.py", out=folder / "s", grid=grid, set={"deep": True}, seeds=2)
    scan.run(workers=2)
    return scan


def test_results_stand_at_their_parameters(finished: Scan):
    found = nd.load_scan(finished.path)
    assert dict(found["product"].sizes) == {"gain": 2, "tau": 2, "repetition": 2}
    assert found["tau"].attrs["units"] == "ms"
    np.testing.assert_array_equal(found["tau"], [10.0, 20.0])
    np.testing.assert_array_equal(found["product"].sel(gain=1.5, tau=10.0), [15.0, 15.0])
    np.testing.assert_array_equal(found["seed_was"], found["seed"])
    assert len(np.unique(found["seed"])) == 8 and found["seed"].dtype == np.int64
    for point in finished.folder.points():
        place = {"gain": point.values["gain"], "repetition": point.repetition}
        here = found.sel(place).isel(tau=["10 ms", "0.02 s"].index(point.values["tau"]))
        assert here["key"].item() == point.key and here["seed"].item() == point.values["seed"]


def test_kinds_of_results(finished: Scan):
    found = nd.load_scan(finished.path)
    assert found["good"].dtype == bool and found["good"].sel(gain=1.5).all() and not found["good"].sel(gain=0.5).any()
    assert found["curve"].dims == ("gain", "tau", "repetition", "curve_index")
    np.testing.assert_array_equal(found["curve"].isel(gain=1, tau=0, repetition=0), [1.5, 0.0, 1.0])
    assert set(found["label"].values.ravel()) == {"stdp!"}
    assert found["mixed"].values[0, 0, 0] == "small" and found["mixed"].values[1, 0, 0] == 1.5
    np.testing.assert_array_equal(found["result: gain"].isel(tau=0, repetition=0), [-0.5, -1.5])
    assert (found["limit"] == math.inf).all()
    assert found["check: low"].sel(gain=0.5).all() and not found["check: low"].sel(gain=1.5).any()
    assert (found["state"] == "done").all() and (found["seconds"] > 0).all()


def test_what_is_said_about_the_scan_can_be_stored(finished: Scan, tmp_path: Path):
    found = nd.load_scan(finished.path)
    assert found.attrs["simulation"] == "net" and found.attrs["scan"] == finished.folder.header.id
    constants = json.loads(found.attrs["constants"])
    assert constants == {"rule": "stdp", "sizes": [1], "deep": True, "state": 0}
    found.drop_vars("mixed").to_netcdf(tmp_path / "scan.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "scan.nc", engine="h5netcdf") as again:
        np.testing.assert_array_equal(again["product"], found["product"])


def test_arrays_of_the_recordings(finished: Scan):
    found = nd.load_scan(finished.path, data=["rates", "seed"])
    assert found["rates"].dims == ("gain", "tau", "repetition", "time", "gain_")
    np.testing.assert_array_equal(found["time"], [0.5, 1.0])
    assert (found["rates"].sel(gain=1.5) == 1.5).all() and found["rates"].attrs["units"] == "Hz"
    np.testing.assert_array_equal(found["seed_"].isel(dim_0=0), found["seed"])
    with pytest.raises(ScanError, match=r"has no /data/rate; it has rates, seed"):
        nd.load_scan(finished.path, data=["rate"])


def test_arrays_of_different_shapes_and_of_no_points(net: Path):
    scan = Scan(net, out="s", grid={"sizes": [[1], [1, 2]]})
    with pytest.raises(ScanError, match="data = 'rates': no point is done yet"):
        nd.load_scan("s", data=["rates"])
    scan.run(workers=1)
    with pytest.raises(ScanError, match=r"'time': 2, 'gain': 2.*'time': 2, 'gain': 3.*sizes=\[1,2\]"):
        nd.load_scan("s", data=["rates"])
    assert list(nd.load_scan("s")["sizes"].values) == ["[1]", "[1, 2]"]


def test_what_is_not_done_is_absent(net: Path):
    scan = Scan(net, out="s", grid={"rule": ["stdp", "fails"], "gain": [0.5, 1.5]})
    found = nd.load_scan("s")
    assert list(found.data_vars) == ["key", "state", "seconds"] and (found["state"] == "pending").all()
    scan.run(workers=2)
    scan.extend(grid={"gain": [2.5]})
    found = nd.load_scan("s", data=["seed"])
    np.testing.assert_array_equal(found["state"], [["done", "done", "pending"], ["failed", "failed", "pending"]])
    np.testing.assert_array_equal(found["product"], [[5.0, 15.0, np.nan], [np.nan] * 3])
    np.testing.assert_array_equal(found["good"], [[0.0, 1.0, np.nan], [np.nan] * 3])
    np.testing.assert_array_equal(found["seed"].isel(dim_0=0), [[1.0, 1.0, np.nan], [np.nan] * 3])
    assert list(found["label"].values[0]) == ["stdp!", "stdp!", ""] and found["mixed"].values[1, 0] is None
    assert np.isnan(found["curve"].values[1]).all()


def test_points_of_a_list(net: Path):
    rows = [{"gain": 0.5, "tau": "1 ms"}, {"gain": 1.5, "tau": "3 ms"}, {"gain": 2.5, "tau": "2 ms"}]
    scan = Scan(net, out="s", points=rows, grid={"deep": [False, True]})
    scan.run(workers=2)
    found = nd.load_scan("s")
    assert dict(found["product"].sizes) == {"point": 3, "deep": 2}
    assert found["gain"].dims == ("point",) and found["tau"].attrs["units"] == "ms"
    np.testing.assert_array_equal(found["product"].isel(deep=1), [0.5, 4.5, 5.0])
    assert found["deep"].dtype == bool


def test_a_grid_that_grew_by_a_list_has_places_without_points(net: Path):
    scan = Scan(net, out="s", grid={"gain": [0.5, 1.5]})
    scan.extend(points=[{"tau": "30 ms", "state": 4}])
    scan.run(workers=2)
    found = nd.load_scan("s")
    assert dict(found["product"].sizes) == {"point": 2, "gain": 2}
    np.testing.assert_array_equal(found["tau"], [10.0, 30.0])
    np.testing.assert_array_equal(found["product"], [[5.0, 15.0], [15.0, 45.0]])
    assert found["state_"].dims == ("point", "gain") and list(found["state"].values) == [0, 4]


def test_places_that_the_scan_never_had_are_absent(net: Path):
    scan = Scan(net, out="s", points=[{"gain": 1.0}], grid={"deep": [False, True]})
    scan.extend(grid={"rule": ["hebb"]})
    manifest = scan.path / "plans" / "0002.points.jsonl"
    manifest.write_text(manifest.read_text().splitlines(keepends=True)[0])  # as if one had been left out
    scan.run(workers=2)
    found = nd.load_scan("s")
    assert sorted(found["state"].values.ravel()) == ["absent", "done", "done", "done"]
    gap = found.where(found["state"] == "absent", drop=True)
    assert np.isnan(gap["product"]).all() and gap["key"].item() == ""


def test_quantities_in_several_units_and_text(net: Path):
    Scan(net, out="s", grid={"tau": ["7 ms", "0.07 s"], "rule": ["3 apples", "b"]})
    found = nd.load_scan("s")
    np.testing.assert_array_equal(found["tau"], [7.0, 70.0])
    assert list(found["rule"].values) == ["3 apples", "b"]


def test_one_point(net: Path):
    Scan(net, out="s").run(workers=1)
    found = nd.load_scan("s")
    assert found["product"].shape == () and found["product"].item() == 10.0 and found["state"].item() == "done"


def test_no_scan(tmp_path: Path):
    with pytest.raises(ScanError, match="is no folder of a scan"):
        nd.load_scan(tmp_path)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], "int", [1, 2]),
        ([1, None], "float", [1.0, math.nan]),
        ([True, 2.5], "float", [1.0, 2.5]),
        ([2**60, 1], "mixed", [2**60, 1]),
        (["10 ms", "0.02 s", None], "quantity", [10.0, 20.0, math.nan]),
        (["10 ms", "3 mV"], "text", ["10 ms", "3 mV"]),
        (["10", "20"], "text", ["10", "20"]),
        ([[1, 2], [3, 4]], "list", [[1.0, 2.0], [3.0, 4.0]]),
        ([[[1], [2]], None], "list", [[[1.0], [2.0]], [[math.nan], [math.nan]]]),
        ([[], []], "list", [[], []]),
        ([["a"], ["b"]], "mixed", [["a"], ["b"]]),
        ([[1, [2]], [1]], "mixed", [[1, [2]], [1]]),
        ([None, None], "float", [math.nan, math.nan]),
    ],
)
def test_columns(values: list[Any], kind: str, expected: list[Any]):
    column = Column("x", quantities=True)
    column.see(values[:1])
    column.see(values[1:])
    assert column.kind == kind
    found = column.array(values)
    if found.dtype == object:
        assert list(found) == expected
    else:
        np.testing.assert_array_equal(found, expected)


def test_what_is_a_quantity():
    assert number_and_unit("-60mV") == (-60.0, "mV")
    assert number_and_unit("2.5 nS/mV") == (2.5, "nS/mV")
    assert number_and_unit("3 apples") is None and number_and_unit("12") is None and number_and_unit("ms") is None
