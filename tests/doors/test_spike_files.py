"""Spikes read from files drive a circuit as the population did that emitted them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

import neurodyn as nd
from neurodyn.parts import CircuitError
from neurodyn.recording import Recording


def relay(source: nd.Population | nd.SpikeTimes, dt: str = "0.5 ms") -> nd.Circuit:
    """Cells that count the spikes of `source`: one for each of its units, and a spike of its own for each spike."""
    cells = nd.Population("cells", source.size, code="v = v", variables={"v": "1"}, threshold="v > 0.5", reset="v = 0")
    return nd.Circuit([source, cells], [nd.Connection(source, cells, "v", pattern="one-to-one")], dt=dt, seed=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    path = tmp_path_factory.mktemp("relay") / "run.h5"
    return nd.simulate(relay(nd.poisson("source", 6, "150 Hz")), "200 ms", backend="interpreter", out=path)


@pytest.mark.parametrize("form", ["recording", "sonata", "nwb"])
def test_round_trip(run: Recording, tmp_path: Path, form: str) -> None:
    path = run.path if form == "recording" else nd.export(run, tmp_path / f"a.{form}")
    assert path is not None
    source = nd.read_spikes(path, population="source")
    assert (source.name, source.size) == ("source", 6)
    again = nd.simulate(relay(source), "200 ms", backend="interpreter")["spikes/cells"]
    first = run["spikes/cells"]
    assert len(first) > 100 and np.array_equal(first.times, again.times) and np.array_equal(first.ids, again.ids)


def test_a_window_starts_at_0(run: Recording) -> None:
    assert run.path is not None
    source = nd.read_spikes(run.path, population="source", window=("50 ms", "100 ms"), name="replayed")
    part = run["spikes/source"].between(50, 100)
    assert source.name == "replayed" and source.size == 6
    assert np.allclose(source.times.to("ms"), part.times) and np.array_equal(source.units, part.ids)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (("1 s", "1 s"), "start has to be before stop"),
        (3, r"window = 3; give \(start, stop\)"),
        (("1 s", "5 mV"), "window='5 mV' is a voltage"),
        ("1 s", r"window = '1 s'; give \(start, stop\)"),
    ],
)
def test_windows_that_are_none(run: Recording, window: object, message: str) -> None:
    assert run.path is not None
    with pytest.raises(ValueError, match=message):
        nd.read_spikes(run.path, population="source", window=window)  # type: ignore[arg-type]


def test_a_recording_in_memory() -> None:
    made = nd.simulate(relay(nd.poisson("source", 6, "150 Hz")), "20 ms", backend="interpreter")
    source = nd.read_spikes(made, population="source")
    assert source.size == 6 and np.allclose(source.times.to("ms"), made["spikes/source"].times)


@pytest.mark.parametrize("form", ["recording", "sonata", "nwb"])
def test_the_population_has_to_be_chosen(run: Recording, tmp_path: Path, form: str) -> None:
    path = run.path if form == "recording" else nd.export(run, tmp_path / f"a.{form}")
    assert path is not None
    with pytest.raises(ValueError, match="has spikes of (source, cells|cells, source); choose one: population="):
        nd.read_spikes(path)
    with pytest.raises(KeyError, match="did you mean 'source'"):
        nd.read_spikes(path, population="sources")


def test_two_spikes_in_a_step_are_refused_with_what_to_do(run: Recording) -> None:
    assert run.path is not None
    source = nd.read_spikes(run.path, population="source")
    with pytest.raises(CircuitError, match="spikes twice in the step.*give the circuit a shorter one than 20 ms"):
        nd.simulate(relay(source, dt="20 ms"), "200 ms", backend="interpreter")


def test_nwb_of_an_experiment(tmp_path: Path) -> None:
    """Units without our columns: all of them, numbered by their rows; times before 0 need a window."""
    pynwb = pytest.importorskip("pynwb")
    file = pynwb.NWBFile(session_description="a", identifier="b", session_start_time=datetime(2026, 1, 1, tzinfo=UTC))
    for times in ([-0.5, 0.1, 0.2], [], [0.15]):
        file.add_unit(spike_times=np.array(times))
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", "w") as io:
        io.write(file)
    with pytest.raises(ValueError, match=r"spikes before 0 \(the first at -0.5 s\); give window"):
        nd.read_spikes(tmp_path / "a.nwb")
    source = nd.read_spikes(tmp_path / "a.nwb", window=("0 s", "1 s"))
    assert (source.name, source.size, source.units.tolist()) == ("units", 3, [0, 2, 0])
    with pytest.raises(KeyError, match="no column 'population'; leave it out"):
        nd.read_spikes(tmp_path / "a.nwb", population="V1")


def test_sonata_of_others(tmp_path: Path) -> None:
    """Unsorted, in seconds, with a name that is no identifier."""
    with h5py.File(tmp_path / "spikes.h5", "w") as file:
        group = file.create_group("spikes/layer 4")
        group.create_dataset("timestamps", data=[0.3, 0.1, 0.2]).attrs["units"] = "s"
        group["node_ids"] = np.array([5, 7, 5], np.uint64)
    source = nd.read_spikes(tmp_path / "spikes.h5")
    assert (source.name, source.size) == ("layer_4", 8)
    assert source.units.tolist() == [7, 5, 5] and np.allclose(source.times.to("s"), [0.1, 0.2, 0.3])


def test_files_that_hold_no_spikes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    with pytest.raises(ValueError, match=r"cannot be read as HDF5.*nd\.SpikeTimes"):
        nd.read_spikes(tmp_path / "a.csv")
    with pytest.raises(FileNotFoundError, match="missing.h5 does not exist"):
        nd.read_spikes(tmp_path / "missing.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1.0
    with pytest.raises(ValueError, match="has no spikes: neither"):
        nd.read_spikes(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["spikes/cells/timestamps"] = [1.0, 2.0]
        file["spikes/cells/node_ids"] = [1]
    with pytest.raises(ValueError, match="doesn't hold spikes as SONATA has them"):
        nd.read_spikes(tmp_path / "b.h5")
    for ends, populations in (([1, 3], []), ([5, 2], []), ([1, 2], ["a"])):
        with h5py.File(tmp_path / "c.h5", "w") as file:
            file["units/spike_times"] = [0.1, 0.2]
            file["units/spike_times_index"] = ends
            if populations:
                file["units/population"] = populations
        with pytest.raises(ValueError, match="doesn't hold spikes as NWB has them"):
            nd.read_spikes(tmp_path / "c.h5")
