"""Recordings as xarray's datasets and tree: lazy, with units, on disk and in memory."""

import numpy as np
import pandas as pd
import pytest
import xarray

from neurodyn.recording import Recording, Writer


def test_a_group_is_a_dataset_with_units(recording):
    with recording.dataset("state/cells") as state:
        assert not state["v"]._in_memory and not state["u"]._in_memory  # nothing is read yet
        assert state["v"].dims == ("time", "unit") and state["w"].dims == ("w_time", "w_unit")
        assert state["v"].attrs == {"units": "mV"} and state["time"].attrs == {"units": "ms"}
        assert state["time"].dtype == np.float64 and state["unit"].values.tolist() == [0, 2, 4]
        assert np.array_equal(state["v"].sel(time=slice(10, 20)), recording["v"].sel(time=slice(10, 20)))


def test_trials_spikes_and_stimulus(recording):
    with recording.dataset("trials") as trials:
        assert trials["learning"].dtype == bool and trials["latency_ms"].attrs == {"units": "ms"}
        table = trials.to_dataframe()
        pd.testing.assert_frame_equal(table, recording.trials[list(table)], check_dtype=False)
    with recording.dataset("spikes/cells") as spikes:
        assert spikes["timestamps"].dims == ("spike",) and spikes.attrs["size"] == 6
        assert np.array_equal(spikes["timestamps"], recording["spikes/cells"].times)
    with recording.dataset("/stimulus/") as stimulus:
        assert stimulus["gate"].dtype == bool


def test_the_tree_holds_every_array(recording):
    with recording.datatree() as tree:
        assert tree.attrs["simulation"] == "test" and isinstance(tree.attrs["versions"], dict)
        assert "network" not in tree.children
        for key in recording:
            if not key.startswith("spikes/"):
                assert np.array_equal(tree[key].values, recording[key].values), key
        assert {node.path for node in tree.leaves} == {
            "/trials", "/spikes/cells", "/spikes/silent", "/state/cells", "/readout/when", "/stimulus", "/weights/when"
        }  # fmt: skip


def test_xarray_alone_opens_the_same_groups(recording):
    with xarray.open_datatree(recording.path, engine="h5netcdf") as whole, recording.datatree() as tree:
        for node in tree.leaves:
            assert set(whole[node.path].data_vars) == set(node.data_vars)
        assert np.array_equal(whole["state/cells/v"], tree["state/cells/v"])


def test_a_recording_in_memory(run_header, feed):
    with Writer(None, header=run_header()) as writer:
        feed(writer)
        made = writer.finish()
    with made.dataset("readout/when") as readout:
        assert np.array_equal(readout["expectation"], made["expectation"])
    with made.datatree() as tree:
        assert np.array_equal(tree["state/cells/v"], made["v"])


def test_nothing_is_masked_or_taken_for_dates(tmp_path):
    with Writer(tmp_path / "a.h5", header={"dt_ms": 1.0}) as writer:
        writer.samples("state/cells/age", np.array([[1.5], [np.nan]]), [1.0, 2.0], attrs={"units": "days"})
        writer.finish()
    with Recording(tmp_path / "a.h5").dataset("state/cells") as state:
        assert state["age"].dtype == np.float64 and state["age"].attrs["units"] == "days"


def test_groups_that_are_not_there(recording):
    with pytest.raises(KeyError, match="no group of arrays 'readout'; did you mean readout/when"):
        recording.dataset("readout")
    with pytest.raises(KeyError, match="no group of arrays 'state/cels'; did you mean state/cells"):
        recording.dataset("state/cels")
    with pytest.raises(KeyError, match="no group of arrays 'network'; there are"):
        recording.dataset("network")
