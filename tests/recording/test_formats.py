"""The file as others read it: xarray through h5netcdf, plain h5py, and SONATA's own library."""

import math

import h5py
import numpy as np
import pytest
import xarray

from neurodyn.recording import Writer, annotate
from neurodyn.recording.layout import dataset_at, group_at


@pytest.fixture
def path(recording):
    annotate(recording.path, results={"extra": 1.0}, data={"curve": np.arange(4.0), "square": np.eye(3)})
    return recording.path


def groups(path):
    found = ["/"]
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Group) else None)
    return found


def test_every_group_opens_in_xarray_with_named_dimensions(path):
    found = groups(path)
    assert {
        "spikes/cells",
        "state/cells",
        "readout/when",
        "weights/when",
        "stimulus",
        "trials",
        "data",
    } < set(found)
    assert "network/connections/cells -> cells" in found
    for group in found:
        with xarray.open_dataset(path, engine="h5netcdf", group=group) as dataset:
            dataset.load()
            assert not any(str(dim).startswith("phony") for dim in dataset.dims), group
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        assert tree["state/cells"].sizes["time"] == 800


def test_xarray_sees_units_coordinates_and_types(path):
    with xarray.open_dataset(path, engine="h5netcdf", group="state/cells") as state:
        assert state["v"].dims == state["u"].dims == ("time", "unit")  # sampled alike: one time for both
        assert state["w"].dims == ("w_time", "w_unit")
        assert state["v"].attrs["units"] == "mV"
        assert state["time"].attrs["units"] == "ms"
        assert state["time"].dtype == np.float64  # milliseconds stay numbers
        assert state["unit"].values.tolist() == [0, 2, 4]
        assert state["u"].dtype == np.float32
    with xarray.open_dataset(path, engine="h5netcdf", group="readout/when") as readout:
        assert readout["output"].values.tolist() == ["A", "B"]
    with xarray.open_dataset(path, engine="h5netcdf", group="trials") as trials:
        assert trials["learning"].dtype == bool
        assert trials["phase"].values.tolist() == ["train"] * 4
        assert trials["latency_ms"].attrs["units"] == "ms"


def test_sonata_reads_the_spikes(path, recording):
    libsonata = pytest.importorskip("libsonata")
    reader = libsonata.SpikeReader(str(path))
    assert sorted(reader.get_population_names()) == ["cells", "silent"]
    cells, spikes = reader["cells"], recording["spikes/cells"]
    assert cells.sorting == "by_time"
    assert cells.get() == list(zip(spikes.ids.tolist(), spikes.times.tolist(), strict=True))
    assert cells.get(tstart=10.0, tstop=20.0) == [pair for pair in cells.get() if 10.0 <= pair[1] <= 20.0]
    assert reader["silent"].get() == []


def test_spikes_are_stored_as_sonata_says(path):
    with h5py.File(path) as file:
        group = group_at(file, "spikes/cells")
        assert dataset_at(group, "timestamps").dtype == np.float64
        assert dataset_at(group, "timestamps").attrs["units"] == "ms"
        assert dataset_at(group, "node_ids").dtype == np.uint64
        kinds = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
        assert kinds == {"none": 0, "by_id": 1, "by_time": 2}
        assert group.attrs["sorting"] == kinds["by_time"]
        assert (np.diff(dataset_at(group, "timestamps")[()]) >= 0).all()


def test_chunks_and_filters(tmp_path):
    with Writer(tmp_path / "run.h5", header={"dt_ms": 0.1}) as writer:
        writer.spikes("cells", np.arange(300_000), np.arange(300_000) % 100)
        writer.samples("state/cells/v", np.zeros((3000, 100)), np.arange(3000.0))
        writer.samples("state/cells/flag", np.zeros((12_000, 100), bool), np.arange(12_000.0))
        writer.samples("weights/all/w", np.zeros((2, 600, 500)), [1.0, 2.0], dims=("time", "post", "pre"))
        writer.finish()
    with h5py.File(tmp_path / "run.h5") as file:
        for name in ("spikes/cells/timestamps", "spikes/cells/node_ids", "state/cells/flag"):
            dataset = dataset_at(file, name)
            assert (dataset.compression, dataset.compression_opts, dataset.shuffle) == ("gzip", 1, True)
        for name in ("state/cells/v", "weights/all/w"):
            assert dataset_at(file, name).chunks is None  # in one piece
        for name in ("spikes/cells/timestamps", "state/cells/flag"):
            dataset = dataset_at(file, name)
            assert 2**19 <= math.prod(dataset.chunks or ()) * dataset.dtype.itemsize <= 2**20
        assert (dataset_at(file, "state/cells/flag").chunks or ())[1:] == (100,)
