"""CSV folders, read back by pandas to the last bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas
import pytest

import neurodyn as nd
from neurodyn.recording import Recording, Writer


@pytest.fixture(scope="module")
def folder(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nd.export(recording, tmp_path_factory.mktemp("csv") / "run.csv")


def test_spikes(folder: Path, recording: Recording) -> None:
    table = pandas.read_csv(folder / "spikes.csv")
    spikes = recording["spikes/cells"]
    assert list(table) == ["population", "unit", "time_ms"] and set(table["population"]) == {"cells"}
    assert np.array_equal(table["time_ms"], spikes.times) and np.array_equal(table["unit"], spikes.ids)


def test_arrays_are_wide(folder: Path, recording: Recording) -> None:
    v = pandas.read_csv(folder / "state.cells.v.csv", index_col="time_ms")
    assert list(v) == ["unit 0", "unit 2", "unit 4"]
    assert np.array_equal(v, recording["v"]) and np.array_equal(v.index, recording["v"]["time"])
    w = pandas.read_csv(folder / "weights.when.w.csv", index_col="time_ms")
    assert list(w)[:4] == ["output A, unit 0", "output A, unit 1", "output A, unit 2", "output B, unit 0"]
    assert np.array_equal(w.to_numpy().reshape(4, 2, 3), recording["weights/when/w"])
    gate = pandas.read_csv(folder / "stimulus.gate.csv")["value"]
    assert gate.dtype == bool and np.array_equal(gate, recording["gate"])
    curve = pandas.read_csv(folder / "data.curve.csv")
    assert curve["dim_0"].tolist() == [0, 1, 2, 3] and curve["value"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert pandas.read_csv(folder / "data.names.csv")["value"].tolist() == ["a", "b"]
    assert pandas.read_csv(folder / "data.scalar.csv")["value"].tolist() == [2.5]


def test_tables_and_configuration(folder: Path, recording: Recording) -> None:
    trials = pandas.read_csv(folder / "trials.csv", index_col="trial")
    assert trials.equals(recording.trials.astype(trials.dtypes.to_dict()))
    results = dict(pandas.read_csv(folder / "results.csv").to_numpy().tolist())
    assert float(results["accuracy"]) == 0.9 and json.loads(str(results["by block"])) == [1.0, 2.0]
    assert pandas.read_csv(folder / "checks.csv").to_dict("records") == recording.checks
    about = json.loads((folder / "configuration.json").read_text())
    assert about["configuration"] == recording.config and about["attributes"]["dt_ms"] == 0.1


def test_the_index_lists_every_file_with_its_units(folder: Path, recording: Recording) -> None:
    index = pandas.read_csv(folder / "index.csv")
    assert set(index["file"]) | {"index.csv"} == {item.name for item in folder.iterdir()}
    assert set(recording) <= set(index["entry"])
    units = dict(zip(index["entry"], index["units"], strict=True))
    assert units["state/cells/v"] == "mV" and units["spikes/silent"] == "ms"


def test_names_that_differ_in_what_a_file_system_refuses_have_a_file_each(tmp_path: Path) -> None:
    with Writer(None, header={"dt_ms": 1.0}) as writer:
        for value, name in enumerate(("a > b", "a < b", "A < B", "ä")):
            writer.samples(f"state/{name}/w", np.full((1, 1), float(value)), [1.0])
        made = writer.finish()
    folder = nd.export(made, tmp_path / "a.csv")
    index = pandas.read_csv(folder / "index.csv").set_index("entry")["file"]
    for value, name in enumerate(("a > b", "a < b", "A < B", "ä")):
        table = pandas.read_csv(folder / str(index[f"state/{name}/w"]))
        assert table["unit 0"].tolist() == [value]


def test_empty_arrays_keep_their_heads(tmp_path: Path) -> None:
    with Writer(None, header={"dt_ms": 1.0}) as writer:
        writer.spikes("cells", [], [], size=2)
        writer.samples("state/cells/v", np.zeros((0, 2)), [])
        made = writer.finish()
    folder = nd.export(made, tmp_path / "a.csv")
    assert (folder / "spikes.csv").read_text() == "population,unit,time_ms\n"
    assert (folder / "state.cells.v.csv").read_text() == "time_ms,unit 0,unit 1\n"


def test_too_much_is_refused_before_anything_is_written(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neurodyn.doors.tables.MOST_NUMBERS", 10_000)
    with pytest.raises(
        ValueError, match=r"state/cells/u alone 0\.0; CSV is written up to 0\.01 million.*NWB or SONATA"
    ):
        nd.export(recording, tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())
