"""NWB files: valid by the schema, nothing critical by the inspector, and every number where it belongs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

import neurodyn as nd
from neurodyn.recording import Recording, Writer

pynwb = pytest.importorskip("pynwb")


@pytest.fixture(scope="module")
def path(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nd.export(recording, tmp_path_factory.mktemp("nwb") / "run.nwb")


@pytest.fixture(scope="module")
def file(path: Path):
    with pynwb.NWBHDF5IO(path, "r") as io:
        yield io.read()


def test_it_is_valid(path: Path) -> None:
    assert not pynwb.validate(path=str(path))


def test_the_inspector_finds_nothing_critical_but_the_missing_animal(path: Path) -> None:
    inspector = pytest.importorskip("nwbinspector")
    found = inspector.inspect_nwbfile(nwbfile_path=path, importance_threshold=inspector.Importance.CRITICAL)
    # the weights have fewer snapshots than units, which the inspector takes for a transposed array
    critical = {(message.check_function_name, message.object_name) for message in found}
    assert critical <= {("check_subject_exists", "root"), ("check_data_orientation", "when.w")}


def test_spikes_are_rows_of_one_table(file, recording: Recording) -> None:
    table = file.units
    assert list(table["population"][:]) == ["cells"] * 8 + ["silent"] * 3
    assert table["unit"][:].tolist() == [*range(8), *range(3)]
    for unit, times in enumerate(recording["spikes/cells"].trains()):
        assert np.array_equal(table["spike_times"][unit], times / 1000)
    assert all(len(table["spike_times"][row]) == 0 for row in range(6, 11))
    assert np.allclose(table["obs_intervals"][10], [[0.0, 0.08]])
    assert table.resolution == pytest.approx(1e-4)


def test_states_have_their_unit_clock_and_labels(file, recording: Recording) -> None:
    v = file.acquisition["cells.v"]
    assert (v.unit, v.conversion) == ("volts", 1e-3)
    assert np.array_equal(v.data[:], recording["v"].values)
    assert v.starting_time == pytest.approx(1e-4) and v.rate == pytest.approx(1e4)
    assert file.processing["labels"]["cells.v.unit"]["unit"][:].tolist() == [0, 2, 4]
    assert "labels/cells.v.unit" in v.description
    pseudo = file.acquisition["cells.u"]
    assert (pseudo.unit, pseudo.conversion, pseudo.data.dtype) == ("mV (2003 form)", 1.0, np.float32)
    assert "cells.u.unit" not in file.processing["labels"].data_interfaces  # 0, 1, ... needs no table


def test_readouts_stimuli_and_weights(file, recording: Recording) -> None:
    y = file.processing["readout"]["when.y"]
    assert y.unit == "n.a." and np.array_equal(y.data[:], recording["when/y"].values)
    assert list(file.processing["labels"]["when.y.output"]["output"][:]) == ["A", "B"]
    assert np.array_equal(file.stimulus["gate"].data[:], recording["gate"].values)
    w = file.processing["weights"]["when.w"]
    assert np.allclose(w.timestamps[:], [0.0, 0.03, 0.07, 0.08]) and w.rate is None
    assert w.data.shape == (4, 2, 3) and np.array_equal(w.data[:], recording["weights/when/w"].values)
    assert (w.unit, w.conversion) == ("m^-4 kg^-2 s^6 A^3", pytest.approx(1e-6))
    assert "plastic.w" in file.acquisition  # synapses


def test_trials_are_intervals(file) -> None:
    table = file.trials.to_dataframe()
    assert np.allclose(table["start_time"], [0.0, 0.02, 0.04, 0.06]) and np.allclose(table["stop_time"][3], 0.08)
    assert table["event"].tolist() == ["A", "B", "A", "B"] and table["learning"].tolist() == [True, True, False, False]
    assert table["cue_ms"].tolist() == [10.0] * 4 and "milliseconds" in file.trials["cue_ms"].description


def test_nothing_else_is_lost(file, recording: Recording) -> None:
    about = json.loads(file.notes)
    assert about["configuration"] == recording.config and about["results"] == recording.results
    assert about["checks"] == recording.checks and about["attributes"]["dt_ms"] == 0.1
    assert file.session_start_time == datetime.fromisoformat(recording.attrs["started"])
    assert np.array_equal(file.scratch["data.curve"].data[:], np.arange(4.0))
    assert [str(name) for name in file.scratch["data.names"].data[:]] == ["a", "b"]
    assert file.scratch["data.scalar"].data[()] == 2.5


def test_the_identifier_is_that_of_the_recording(path: Path, recording: Recording, tmp_path: Path) -> None:
    with h5py.File(path) as one, h5py.File(nd.export(recording, tmp_path / "other.nwb")) as other:
        assert one["identifier"][()] == other["identifier"][()]  # type: ignore[index]


def test_large_arrays_are_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(3000, 70))
    with Writer(tmp_path / "run.h5", header={"dt_ms": 1.0}) as writer:
        writer.samples("state/cells/v", values, np.arange(3000.0) + 1)
        recording = writer.finish()
    monkeypatch.setattr("neurodyn.doors.nwb._BUFFER_BYTES", 2**18)
    read = []
    real = nd.recording.LazyArray.__getitem__
    monkeypatch.setattr(nd.recording.LazyArray, "__getitem__", lambda self, at: (read.append(at), real(self, at))[1])
    with h5py.File(nd.export(recording, tmp_path / "run.nwb")) as file:
        data = file["acquisition/cells.v/data"]
        assert isinstance(data, h5py.Dataset) and data.compression == "gzip" and np.array_equal(data[()], values)
    assert len(read) == 2  # 1872 rows are a chunk of 1 MiB


def test_a_recording_without_a_start_is_refused(recording: Recording, tmp_path: Path) -> None:
    recording.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file.attrs["started"]
    with pytest.raises(ValueError, match="does not say when it was started, which NWB demands"):
        nd.export(tmp_path / "a.h5", to="nwb")
    assert not (tmp_path / "a.nwb").exists()


def test_names_that_nwb_uses_itself(tmp_path: Path) -> None:
    """Columns of trials keep their values under a name with "_" behind it; ":" is none of NWB's letters."""
    names = sorted({"id", "data", "description", "colnames", "start_time", "stop_time", "timeseries", "name", "a:b"})
    with Writer(tmp_path / "a.h5", header={"dt_ms": 1.0}) as writer:
        writer.spikes("cells", [], [], size=0)
        writer.samples("readout/when/y:1", np.ones((3, 2)), [1.0, 2.0, 3.0])
        for start in (0.0, 5.0):
            writer.trial({"start_ms": start, "duration_ms": 5.0, **dict.fromkeys(names, f"x {start:g}")})
        made = writer.finish()
    path = nd.export(made, tmp_path / "a.nwb")
    assert not pynwb.validate(path=str(path))
    with pynwb.NWBHDF5IO(path, "r") as io:
        file = io.read()
        assert file.processing["readout"]["when.y_1"].data.shape == (3, 2) and file.units is None
        trials = file.trials.to_dataframe()
    assert trials["id_"].tolist() == trials["name_"].tolist() == trials["a_b"].tolist() == ["x 0", "x 5"]
    assert trials["start_time"].tolist() == [0.0, 0.005]
