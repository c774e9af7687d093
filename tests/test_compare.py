"""Where two recordings part."""

from __future__ import annotations

import doctest
import sys

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.recording import Writer

V = np.arange(12.0).reshape(4, 3)


def recording(*, steps=(0, 2, 2), ids=(1, 0, 2), v=V, dt=0.5, size=3, weights=None, extra=False, every=1):
    """Four steps of three units: spikes, v at the end of each step, snapshots of weights."""
    writer = Writer(None, header={"dt_ms": dt})
    writer.spikes("cells", np.array(steps, dtype=np.int64), np.array(ids, dtype=np.int64), size=size)
    times = (np.arange(len(v)) + 1) * dt * every
    writer.samples(
        "state/cells/v",
        np.asarray(v, dtype=float),
        times,
        dims=("time", "unit"),
        coords={"unit": np.arange(v.shape[1]) * 10},
    )
    if weights is not None:
        coords = {"output": ["A", "B"], "unit": np.arange(3)}
        writer.samples("weights/when/w", weights, np.array([0.0, 2.0]), dims=("time", "output", "unit"), coords=coords)
    if extra:
        writer.samples("state/cells/u", V, times, dims=("time", "unit"), coords={"unit": np.arange(3)})
    return writer.finish()


def first(found):
    assert found.difference is not None
    return found.difference


def changed(*index, by=1.0, of: np.ndarray = V):
    values = np.array(of)
    values[index] += by
    return values


def test_identical():
    found = nd.compare(recording(), recording())
    assert found and found.equal and found.difference is None and found.deviation == 0.0
    assert str(found) == "identical: 3 spikes of cells, 4 samples of cells/v"


def test_the_first_missing_spike():
    found = nd.compare(recording(), recording(steps=(0, 2), ids=(1, 2)))
    assert not found
    d = first(found)
    assert (d.step, d.time_ms, d.population, d.variable, d.unit, d.values) == (
        2,
        1.0,
        "cells",
        "spikes",
        0,
        (True, False),
    )
    assert "step 2 (t = 1 ms), spikes/cells, unit 0: a spike in the first run only" in str(found)
    other = nd.compare(recording(steps=(0, 2), ids=(1, 2)), recording())
    assert first(other).values == (False, True)
    assert "in the second run only" in str(other)


def test_the_order_within_a_step_does_not_matter():
    assert nd.compare(recording(), recording(ids=(1, 2, 0)))


def test_the_first_sample_that_differs():
    found = nd.compare(recording(), recording(v=changed(1, 2, by=1e-9)))
    d = first(found)
    assert (d.step, d.time_ms, d.path, d.population, d.variable, d.unit) == (1, 1.0, "state/cells/v", "cells", "v", 20)
    assert d.values == (5.0, 5.0 + 1e-9)
    assert found.deviation == pytest.approx(1e-9 / 11)
    assert found.deviation_path == "state/cells/v"
    assert "5.0 in the first run, 5.000000001 in the second" in str(found)


def test_tolerance_is_relative_to_the_largest_magnitude():
    other = recording(v=changed(0, 0, by=1e-9))  # where v is 0: relative to itself, nothing would be small enough
    assert not nd.compare(recording(), other, tolerance=0.9e-10)
    found = nd.compare(recording(), other, tolerance=1e-10)
    assert found
    assert str(found).startswith("equal within 1e-10: ")
    assert found.deviation == pytest.approx(1e-9 / 11)


@pytest.mark.parametrize("v_step, spike_step, expected", [(1, 2, "v"), (2, 2, "spikes"), (3, 2, "spikes")])
def test_the_earlier_of_several_and_spikes_before_samples(v_step, spike_step, expected):
    other = recording(v=changed(v_step, 0), steps=(0, spike_step, 3), ids=(1, 0, 2))
    assert first(nd.compare(recording(), other)).variable == expected


def test_nan_equals_nan_and_nothing_else():
    holes = changed(2, 1, by=np.nan)
    assert nd.compare(recording(v=holes), recording(v=holes))
    found = nd.compare(recording(), recording(v=holes), tolerance=1e3)
    assert first(found).unit == 10 and np.isnan(first(found).values[1])
    assert found.deviation == np.inf


def test_weights_by_output_and_unit():
    weights = np.zeros((2, 2, 3))
    found = nd.compare(recording(weights=weights), recording(weights=changed(0, 1, 2, of=weights)))
    assert first(found).unit == ("B", 2)
    assert first(found).step == -1
    assert "before the first step, weights/when/w, unit ('B', 2): 0.0" in str(found)


@pytest.mark.parametrize("swap", [False, True])
def test_a_run_that_has_ended(swap):
    pair = [recording(), recording(v=V[:3])]
    found = nd.compare(*(pair[::-1] if swap else pair))
    assert first(found).step == 3
    assert first(found).values == ((None, 9.0) if swap else (9.0, None))
    ended = "nothing (the run has ended) in the "
    assert ended + ("first run, 9.0" if swap else "second") in str(found)


def test_what_only_one_has_is_named():
    found = nd.compare(recording(extra=True), recording())
    assert found
    assert found.skipped == ("state/cells/u",)
    assert str(found).endswith("only in one of the two: state/cells/u")


@pytest.mark.parametrize(
    "other, named",
    [
        ({"dt": 0.25}, "steps of 0.5 ms and 0.25 ms"),
        ({"size": 4}, "spikes/cells: 3 units in the first recording, 4"),
        ({"v": V[:, :2]}, "state/cells/v: .*with the same units recorded"),
        ({"every": 2}, "state/cells/v was recorded at other times"),
    ],
)
def test_recordings_that_cannot_be_compared(other, named):
    with pytest.raises(ValueError, match=named):
        nd.compare(recording(), recording(**other))


def test_nothing_in_common():
    writer = Writer(None, header={"dt_ms": 0.5})
    writer.samples("state/other/x", V, np.arange(4.0), dims=("time", "unit"))
    with pytest.raises(ValueError, match="nothing in common.*spikes/cells.*state/other/x"):
        nd.compare(recording(), writer.finish())


def test_a_negative_tolerance():
    with pytest.raises(ValueError, match="tolerance = -1"):
        nd.compare(recording(), recording(), tolerance=-1)


def test_large_numbers_are_readable():
    steps, ids = np.divmod(np.arange(12345), 3)
    assert "12 345 spikes of cells" in str(nd.compare(recording(steps=steps, ids=ids), recording(steps=steps, ids=ids)))


def test_the_example():
    """The one in the docstring."""
    assert doctest.testmod(sys.modules["neurodyn.compare"]).attempted >= 3
    assert doctest.testmod(sys.modules["neurodyn.compare"]).failed == 0


def test_runs_of_other_backends_and_seeds():
    cells = nd.izhikevich_2003("cells", 6, parameters={"bias": nd.Uniform(2, 9)})
    circuit = nd.Circuit([cells], seed=1)
    record = ["spikes", "cells.v"]
    a = nd.simulate(circuit, "100 ms", record=record)
    assert nd.compare(a, nd.simulate(circuit, "100 ms", record=record, backend="interpreter"))
    found = nd.compare(a, nd.simulate(circuit.with_(seed=2), "100 ms", record=record))
    assert first(found).step == 0 and first(found).path == "state/cells/v"
