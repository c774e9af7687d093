"""Blocks of neo: the whole run in one segment, or a segment for each trial."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.doors.neo import _units
from neurodyn.recording import Recording, Writer

neo = pytest.importorskip("neo")
pq = pytest.importorskip("quantities")


@pytest.fixture(scope="module")
def block(recording: Recording):
    return nd.doors.to_neo(recording)


def test_spike_trains(block, recording: Recording) -> None:
    (segment,) = block.segments
    trains = segment.spiketrains
    assert [train.annotations["population"] for train in trains] == ["cells"] * 8 + ["silent"] * 3
    for train, times in zip(trains, recording["spikes/cells"].trains(), strict=False):
        assert np.array_equal(train.rescale("ms").magnitude, times)
        assert train.t_start == 0 * pq.ms and train.t_stop == 80 * pq.ms and train.sampling_rate == 10 * pq.kHz


def test_signals(block, recording: Recording) -> None:
    signals = {signal.name: signal for signal in block.segments[0].analogsignals}
    v = signals["state/cells/v"]
    assert v.units == pq.mV and np.array_equal(v.magnitude, recording["v"])
    assert np.isclose(float(v.t_start.rescale("ms")), 0.1) and np.isclose(float(v.sampling_rate.rescale("kHz")), 10)
    assert v.array_annotations["unit"].tolist() == [0, 2, 4]
    u = signals["state/cells/u"]
    assert u.units == pq.dimensionless and u.annotations["recorded_units"] == "mV (2003 form)"
    assert set(signals["stimulus/gate"].magnitude.ravel()) == {0.0, 1.0}
    (w,) = block.segments[0].irregularlysampledsignals
    assert w.array_annotations["output"].tolist() == ["A"] * 3 + ["B"] * 3
    assert w.array_annotations["unit"].tolist() == [0, 1, 2] * 2
    assert np.allclose(w.rescale("nS/mV").magnitude.reshape(4, 2, 3), recording["weights/when/w"])


def test_trials_and_annotations(block, recording: Recording) -> None:
    (epoch,) = block.segments[0].epochs
    assert epoch.times.rescale("ms").tolist() == [0, 20, 40, 60] and epoch.durations.rescale("ms").tolist() == [20] * 4
    assert epoch.array_annotations["event"].tolist() == ["A", "B", "A", "B"]
    assert block.annotations["configuration"] == recording.config and block.annotations["results"] == recording.results
    assert block.rec_datetime == datetime.fromisoformat(recording.attrs["started"]) and block.name == "test"


def test_a_segment_for_each_trial(block, recording: Recording) -> None:
    whole = block.segments[0]
    parts = nd.doors.to_neo(recording, trials=True).segments
    assert [part.annotations["event"] for part in parts] == ["A", "B", "A", "B"]
    for unit, train in enumerate(whole.spiketrains):
        joined = [part.spiketrains[unit].magnitude + 20 * number for number, part in enumerate(parts)]
        assert np.allclose(np.concatenate(joined), train.magnitude)
    for number, signal in enumerate(whole.analogsignals):
        found = [part.analogsignals[number] for part in parts]
        assert np.array_equal(np.concatenate([one.magnitude for one in found]), signal.magnitude)
        assert all(abs(float(one.t_start) - float(found[0].t_start)) < 1e-9 for one in found)
    snapshots = [len(part.irregularlysampledsignals) for part in parts]
    assert snapshots == [0, 1, 0, 1]  # at 30 ms, and at 70 and 80; that at 0 is before the first trial


def test_it_survives_neo_s_own_files(block, tmp_path: Path) -> None:
    neo.io.PickleIO(str(tmp_path / "a.pkl")).write_block(block)
    (again,) = neo.io.PickleIO(str(tmp_path / "a.pkl")).read()
    assert np.array_equal(again.segments[0].analogsignals[0].magnitude, block.segments[0].analogsignals[0].magnitude)


@pytest.mark.parametrize("unit", ["ms", "mV", "pA", "nS", "Hz", "Mohm", "pF", "um^2", "pC", "mM", "1/(ms*mV)", "pW"])
def test_units_keep_their_size(unit: str) -> None:
    made, scale = _units(unit)
    known = nd.quantity(f"1 {unit}" if not unit.startswith("1") else unit)
    assert np.isclose(float((scale * made).simplified), known.value, rtol=1e-12)


def test_trials_without_a_table(tmp_path: Path) -> None:
    with Writer(None, header={"dt_ms": 1.0}) as writer:
        writer.spikes("cells", [1], [0])
        made = writer.finish()
    assert not nd.doors.to_neo(made).segments[0].epochs
    with pytest.raises(ValueError, match="no table of trials with their times; leave trials=False"):
        nd.doors.to_neo(made, trials=True)


def test_columns_of_trials_may_have_any_name() -> None:
    with Writer(None, header={"dt_ms": 1.0}) as writer:
        writer.spikes("cells", [1], [0])
        writer.trial({"start_ms": 0.0, "duration_ms": 5.0, "name": "x", "description": "y"})
        made = writer.finish()
    (segment,) = nd.doors.to_neo(made, trials=True).segments
    assert segment.name == "trial 0" and segment.annotations["name"] == "x"
