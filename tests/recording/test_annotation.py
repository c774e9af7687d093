import h5py
import numpy as np
import pytest
import xarray

from neurodyn.recording import annotate, load
from neurodyn.recording.layout import dataset_at


def test_results_checks_config_and_data_are_added(recording):
    curve = xarray.DataArray(
        [[1.0, 2.0]],
        dims=("gain (1)", "delay"),
        coords={"delay": ("delay", [5.0, 10.0], {"units": "ms"}), "gain (1)": ["low"], "seed": 3},
        attrs={"units": "Hz", "range": np.arange(2)},
        name="x",
    )
    other = xarray.DataArray([1, 2, 3], dims="delay", coords={"delay": [1.0, 2.0, 3.0]})
    check = {
        "name": "a",
        "value": float("nan"),
        "threshold": "<= 1",
        "reference": None,
        "source": "",
        "passed": False,
    }
    before = recording["v"]
    path = annotate(
        recording.path,
        results={"mean": np.float32(0.5), "spikes/s": 2},
        checks=[check],
        config={"seed": 3},
        data={
            "curve": curve,
            "other": other,
            "plain": np.eye(2),
            "words": np.array(["a", "b"]),
            "scalar": 4.0,
        },
    )
    assert path == recording.path
    assert recording.results == {"accuracy": 0.9, "mean": 0.5, "spikes/s": 2}
    assert [entry["name"] for entry in recording.checks] == ["a"]
    assert np.isnan(recording.checks[0]["value"])
    assert recording.config == {"neurons": 6, "gain": [1, 2.5], "seed": 3}
    assert recording.complete
    assert recording["v"].identical(before)
    back = recording["data/curve"]
    assert back.dims == ("gain (1)", "delay")
    assert back["delay"].attrs == {"units": "ms"}
    assert back["gain (1)"].values.tolist() == ["low"]
    assert back.attrs == {"units": "Hz", "range": [0, 1], "seed": 3}
    assert recording["other"]["delay"].values.tolist() == [1.0, 2.0, 3.0]
    assert recording["plain"].dims == ("dim_0", "dim_1")
    assert recording["words"].values.tolist() == ["a", "b"]
    assert recording["scalar"].item() == 4.0


def test_data_are_added_by_name_and_replaced_by_name(recording):
    grid = xarray.DataArray([1.0, 2.0], dims="x", coords={"x": [0.1, 0.2]}, attrs={"units": "mV"})
    annotate(recording.path, data={"a": grid, "b": grid, "delay": xarray.DataArray([1.0], dims="delay")})
    annotate(recording.path, data={"b": np.zeros(5)})
    assert recording["a"].identical(grid.rename("a"))
    assert recording["b"].shape == (5,)
    assert recording["data/delay"].dims == ("delay",)
    with h5py.File(recording.path) as file:
        assert dataset_at(file, "data/a").dims[0][0].name == "/data/x"


def test_annotating_twice_adds_up(recording):
    annotate(recording.path, results={"a": 1})
    annotate(recording.path, results={"a": 2, "b": 3})
    assert recording.results == {"accuracy": 0.9, "a": 2, "b": 3}
    assert recording.checks[0]["name"] == "accuracy"  # none given: those of before stay


def test_a_file_of_results_alone(tmp_path):
    path = annotate(tmp_path / "new" / "results.h5", results={"a": 1}, data={"x": np.arange(3)})
    recording = load(path)
    assert recording.complete
    assert recording.results == {"a": 1}
    assert recording["x"].values.tolist() == [0, 1, 2]
    assert "python" in recording.attrs["versions"]


@pytest.mark.parametrize("place", ["_write_data", "_verify", "publish"])
def test_a_failure_midway_leaves_the_original_whole(recording, monkeypatch, place):
    def fail(*args, **kwargs):
        raise OSError("the disk is full")

    before = recording.path.read_bytes()
    monkeypatch.setattr(f"neurodyn.recording.annotation.{place}", fail)
    with pytest.raises(OSError, match="disk is full"):
        annotate(recording.path, results={"a": 1}, data={"x": np.zeros(3)})
    assert recording.path.read_bytes() == before
    assert [item.name for item in recording.path.parent.iterdir()] == ["run.h5"]


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({"a/b": [1]}, ValueError, "key 'a/b'"),
        ({"a": [object()]}, TypeError, r"data\['a'\]"),
        ({"a": xarray.DataArray([1], dims="x", coords={"y": ("x", [2])})}, ValueError, "drop_vars"),
        ({"a": xarray.DataArray([1], attrs={"scale_factor": 2})}, ValueError, "scale_factor"),
    ],
)
def test_data_that_cannot_be_stored_are_named_before_any_file_is_touched(tmp_path, data, error, message):
    with pytest.raises(error, match=message):
        annotate(tmp_path / "x.h5", data=data)
    assert not list(tmp_path.iterdir())


def test_other_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["mine"] = 1
    before = (tmp_path / "x.h5").read_bytes()
    with pytest.raises(ValueError, match="no recording of neurodyn"):
        annotate(tmp_path / "x.h5", results={"a": 1})
    assert (tmp_path / "x.h5").read_bytes() == before
