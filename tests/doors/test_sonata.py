"""SONATA folders, read back by libsonata."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.recording import Recording, Writer

libsonata = pytest.importorskip("libsonata")


@pytest.fixture(scope="module")
def folder(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nd.export(recording, tmp_path_factory.mktemp("sonata") / "run.sonata")


def test_spikes(folder: Path, recording: Recording) -> None:
    reader = libsonata.SpikeReader(str(folder / "spikes.h5"))
    assert sorted(reader.get_population_names()) == ["cells", "silent"]
    spikes = recording["spikes/cells"]
    assert reader["cells"].sorting == "by_time" and reader["silent"].get() == []
    assert reader["cells"].get() == list(zip(spikes.ids.tolist(), spikes.times.tolist(), strict=True))


def test_many_spikes_are_read_too(tmp_path: Path) -> None:
    """The library from PyPI has no gzip, with which a recording's own spikes are stored."""
    with Writer(tmp_path / "a.h5", header={"dt_ms": 1.0}) as writer:
        writer.spikes("cells", np.arange(20_000), np.arange(20_000) % 7)
        writer.finish()
    reader = libsonata.SpikeReader(str(nd.export(tmp_path / "a.h5", to="sonata") / "spikes.h5"))
    assert len(reader["cells"].get()) == 20_000


@pytest.mark.parametrize("kind", ["SomaReportReader", "ElementReportReader"])
def test_frames(folder: Path, recording: Recording, kind: str) -> None:
    report = getattr(libsonata, kind)(str(folder / "cells.v.h5"))["cells"]
    assert report.get_node_ids() == [0, 2, 4] and report.sorted
    assert (report.time_units, report.data_units) == ("ms", "mV")
    assert np.allclose(report.times, (0.1, 80.1, 0.1))
    frames = report.get()
    assert np.allclose(frames.times, recording["v"]["time"]) and frames.data.shape == (800, 3)
    assert np.array_equal(frames.data, recording["v"].values.astype(np.float32))
    part = report.get(node_ids=libsonata.Selection([2]), tstart=1.0, tstop=2.0)
    inside = recording["v"].sel(time=part.times, unit=2, method="nearest")
    assert np.array_equal(part.data[:, 0], inside.values.astype(np.float32))


def test_configurations_find_the_files(folder: Path) -> None:
    circuit = libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))
    assert {name: circuit.node_population(name).size for name in circuit.node_populations} == {"cells": 8, "silent": 3}
    run = libsonata.SimulationConfig.from_file(str(folder / "simulation_config.json"))
    assert run.run.dt == 0.1 and run.run.tstop >= 80 and run.run.random_seed == 2**31 - 1
    assert Path(run.output.spikes_file) == folder / "spikes.h5"
    assert run.list_report_names == {"cells.v", "cells.u"}
    assert Path(run.report("cells.v").file_name) == folder / "cells.v.h5" and run.report("cells.v").unit == "mV"
    assert "cells" in libsonata.NodeSets.from_file(str(folder / "node_sets.json")).names


def test_the_index_says_what_is_where_and_what_is_not(folder: Path, recording: Recording) -> None:
    with open(folder / "index.csv", newline="") as file:
        rows = {row["entry"]: row for row in csv.DictReader(file)}
    assert set(recording) <= set(rows)
    assert rows["state/cells/v"]["file"] == "cells.v.h5" and rows["state/cells/v"]["units"] == "mV"
    assert rows["readout/when/y"]["file"] == "" and "not in SONATA" in rows["readout/when/y"]["contents"]
    assert "this is by time and synapse" in rows["state/plastic/w"]["contents"]


def test_a_filter_s_report_is_of_the_population_that_it_filters(tmp_path: Path) -> None:
    cells = nd.poisson("cells", 5, "200 Hz")
    net = nd.Circuit([cells], filters=[nd.Filter("rate", cells, "20 ms")], dt="1 ms", seed=1)
    run = nd.simulate(net, "30 ms", record=["rate.r"], backend="interpreter")
    folder = nd.export(run, tmp_path / "a.sonata")
    report = libsonata.SomaReportReader(str(folder / "rate.r.h5"))["cells"]
    assert report.data_units == "Hz" and np.array_equal(report.get().data, run["rate.r"].values.astype(np.float32))
    circuit = libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))
    assert circuit.node_population("cells").size == 5
    assert not (folder / "spikes.h5").exists()


def test_a_recording_without_spikes_and_states_is_refused(tmp_path: Path) -> None:
    with Writer(None, header={"dt_ms": 1.0}) as writer:
        writer.samples("weights/when/w", np.zeros((3, 2)), [1.0, 2.0, 4.0])
        made = writer.finish()
    with pytest.raises(ValueError, match="neither spikes nor states of units sampled evenly.*it holds weights/when/w"):
        nd.export(made, tmp_path / "a.sonata")
    assert not list(tmp_path.iterdir())
