import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest

from neurodyn.recording import Recording, Spikes, Writer, load
from neurodyn.recording.layout import group_at


def test_keys(recording):
    assert sorted(recording.keys()) == [
        "readout/when/error",
        "readout/when/expectation",
        "spikes/cells",
        "spikes/silent",
        "state/cells/u",
        "state/cells/v",
        "state/cells/w",
        "stimulus/gate",
        "weights/when/w",
    ]
    assert len(recording) == 9
    assert list(recording) == recording.keys()


def test_arrays_come_with_dimensions_coordinates_and_units(recording):
    v = recording["state/cells/v"]
    assert (v.name, v.dims, v.shape) == ("v", ("time", "unit"), (800, 3))
    assert v.attrs == {"units": "mV"}
    assert v["time"].attrs == {"units": "ms"}
    assert np.array_equal(v["time"], (np.arange(800) + 1) * 0.1)
    assert v["unit"].values.tolist() == [0, 2, 4]
    w = recording["state/cells/w"]
    assert w.dims == ("time", "unit")  # in the file they are w_time and w_unit
    assert len(w["time"]) == 80
    assert "unit" not in w.coords


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("v", "state/cells/v"),
        ("cells/v", "state/cells/v"),
        ("gate", "stimulus/gate"),
        ("stimulus", "stimulus/gate"),
        ("error", "readout/when/error"),
        ("readout", "readout/when/expectation"),
        ("readout/when", "readout/when/expectation"),
        ("weights", "weights/when/w"),
    ],
)
def test_short_names(recording, short, full):
    assert recording[short].identical(recording[full])
    assert short in recording


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("vv", "did you mean v"),
        ("expectaton", "did you mean expectation"),
        ("state", "may mean any of state/cells/v, state/cells/u, state/cells/w"),
        ("w", "may mean any of state/cells/w, weights/when/w"),
        ("xyz", "it holds readout/when/expectation"),
        ("rate", "rate/cells, rate/silent"),
        ("spikes/cell", "spikes/cells"),
    ],
)
def test_unknown_keys_name_what_is_there(recording, key, message):
    with pytest.raises(KeyError, match=message):
        recording[key]
    assert key not in recording


def test_several_readouts():
    writer = Writer(None, header={})
    for name in ("readout/when/x", "readout/what/y"):
        writer.samples(name, np.zeros((1, 2)), [1.0])
    recording = writer.finish()
    with pytest.raises(KeyError, match="readout/when/x, readout/what/y"):
        recording["readout"]
    assert recording["what"].name == "y"


def test_spikes_of_one_population_need_no_name(recording):
    assert set(recording["spikes"]) == {"cells", "silent"}
    assert isinstance(recording["spikes/cells"], Spikes)
    writer = Writer(None, header={"dt_ms": 0.1})
    writer.spikes("only", [], [], size=4)
    spikes = writer.finish()["spikes"]
    assert (spikes.population, len(spikes), spikes.size) == ("only", 0, 4)


def test_recorded_rates_come_before_filtered_ones(recording):
    rate = recording["rate/cells"]
    assert rate.dims == ("time", "unit")
    assert rate.shape == (90, 6)  # duration_ms of the header
    assert rate.attrs["units"] == "Hz"
    assert rate["time"].values[:2].tolist() == [1.0, 2.0]
    writer = Writer(None, header={"dt_ms": 0.1})
    writer.spikes("cells", [1], [0])
    assert "rate/cells" in recording
    assert "rate/nobody" not in recording
    writer.samples("state/cells/rate", np.full((1, 1), 7.0), [1.0])
    assert writer.finish()["rate"].values.tolist() == [[7.0]]


def test_trials(recording):
    trials = recording.trials
    assert list(trials.columns) == ["block", "phase", "event", "learning", "latency_ms"]
    assert trials.index.name == "trial"
    assert trials["block"].tolist() == [0, 0, 1, 1]
    assert trials["block"].dtype == np.int64
    assert trials["learning"].dtype == bool
    assert trials["event"].tolist() == ["A", "", "", ""]
    assert np.isnan(trials["latency_ms"][2])


def test_tree_and_arrays_in_it(recording, network):
    back = recording.tree("network")
    assert back["seed"] == network["seed"]
    assert back["order"] == network["order"]
    assert np.array_equal(recording["network/populations/cells/v"], network["populations"]["cells"]["v"])
    assert list(recording.weights) == ["when/w"]
    with pytest.raises(KeyError, match="it has network"):
        recording.tree("model")


def test_results_and_checks(recording):
    assert recording.results == {"accuracy": 0.9}
    assert recording.checks[0]["reference"] == 0.93


def test_network_is_built_from_its_tree(recording, monkeypatch):
    class Circuit:
        from_tree = staticmethod(lambda tree: ("circuit", tree["name"]))

    monkeypatch.setitem(sys.modules, "neurodyn.circuit", type(sys)("neurodyn.circuit"))
    monkeypatch.setattr(sys.modules["neurodyn.circuit"], "Circuit", Circuit, raising=False)
    assert recording.network() == ("circuit", "two populations")


def test_the_file_is_closed_and_unlocked_after_reading(recording):
    assert len(recording["v"]) and len(recording.trials) and repr(recording)
    with h5py.File(recording.path, "r+") as file:
        file.attrs["touched"] = 1
    with h5py.File(recording.path, "r"):
        assert recording["v"].shape == (800, 3)  # while somebody else reads


def test_a_locked_file_can_be_read(recording):
    script = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('locked', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(recording.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == "locked\n"
        assert recording["v"].shape == (800, 3)
        holder.stdin.close()


def test_recordings_can_be_pickled_and_saved(recording, tmp_path, run_header, feed):
    writer = Writer(None, header=run_header())
    feed(writer)
    memory = writer.finish()
    assert memory.path is None
    for copy in (pickle.loads(pickle.dumps(memory)), memory.save(tmp_path / "saved.h5"), recording):
        assert copy["v"].identical(memory["v"])
    assert load(tmp_path / "saved.h5").save(tmp_path / "again.h5")["v"].identical(memory["v"])
    with pytest.raises(FileExistsError, match="overwrite=True"):
        memory.save(tmp_path / "saved.h5")


def test_repr_and_info(recording):
    text = repr(recording)
    assert "run.h5" in text
    assert "complete" in text
    assert "(time: 800, unit: 3) float64 mV" in text
    assert "200 spikes, 6 units" in text
    assert "accuracy = 0.9" in text
    info = recording.info()
    for part in (
        "network/",
        "4 rows",
        "seed  3",
        "neurons = 6",
        "passed  accuracy = 0.9, to be >= 0.8 (reference 0.93)",
    ):
        assert part in info


def test_load_names_what_is_there(tmp_path, recording):
    with pytest.raises(FileNotFoundError, match="run.h5"):
        load(tmp_path / "rum.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(OSError, match="cannot be read as HDF5"):
        load(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(ValueError, match="no recording of neurodyn"):
        load(tmp_path / "other.h5")
    with h5py.File(tmp_path / "newer.h5", "w") as file:
        file.attrs["neurodyn_format"] = "2"
    with pytest.raises(ValueError, match="update neurodyn"):
        load(tmp_path / "newer.h5")


def test_load_points_to_the_partial_file(tmp_path):
    writer = Writer(tmp_path / "run.h5", header={})
    writer.trial({"a": 1})
    writer.abort("x")
    with pytest.raises(FileNotFoundError, match=r"there is run\.partial\.h5"):
        load(tmp_path / "run.h5")


def test_hostile_files_run_nothing_and_show_nothing_from_elsewhere(tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = [1.0]
        file["x"].attrs["dims"] = "json:[]"
    (tmp_path / "raw").write_bytes(np.arange(4.0).tobytes())
    path = tmp_path / "hostile.h5"
    with h5py.File(path, "w") as file:
        file.attrs["neurodyn_format"] = "1"
        file.attrs["config_json"] = "{}"
        file.attrs["call"] = "json:__import__('os').abort()"
        file.attrs["pickle"] = np.void(pickle.dumps(print))
        file["state/link"] = h5py.ExternalLink(str(secret), "/x")
        file["state/soft"] = h5py.SoftLink("/nowhere")
        file["state/loop"] = file["state"]
        stored = group_at(file, "state").create_dataset("stored", (4,), "f8", external=[(str(tmp_path / "raw"), 0, 32)])
        stored.attrs["dims"] = 'json:["x"]'
        layout = h5py.VirtualLayout((1,), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "x", (1,))
        group_at(file, "state").create_virtual_dataset("virtual", layout).attrs["dims"] = 'json:["x"]'
    recording = Recording(path)
    assert recording.keys() == []
    assert recording.attrs["call"].startswith("json:")
    for key in ("state/link", "state/stored", "state/virtual", "link", "state/soft"):
        with pytest.raises(KeyError):
            recording[key]
    assert "hostile" in recording.info()
