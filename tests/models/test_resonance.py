"""Double well, excitable cells and threshold detectors: the scheme, their statistics, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.kernels.philox import draw
from neurodyn.parts import CircuitError
from neurodyn.program import operations


def test_double_well_is_euler_maruyama() -> None:
    well = nd.DoubleWell(5, noise=0.2, amplitude=0.3, frequency=0.1, seed=7)
    run = nd.simulate(well, "2 ms", record=["well.x"])
    x, expected = np.full(5, -1.0), []
    for k in range(200):
        xi = draw("normal", 5, seed=7, step=k, stream=_stream(well))
        x = x + 0.01 * (x - x**3 + 0.3 * np.cos(2 * np.pi * 0.1 * k * 0.01)) + np.sqrt(2 * 0.2 * 0.01) * xi
        expected.append(x)
    np.testing.assert_allclose(run["well.x"], expected, rtol=0, atol=1e-12)


def _stream(circuit: nd.Circuit) -> str:
    """The name of the stream of the one draw in a step."""
    found = [op.args[0] for b in circuit.program.blocks for op in operations(b.body) if op.op == "normal"]
    assert len(found) == 1 and isinstance(found[0], str)
    return found[0]


@pytest.mark.parametrize("noise", [0.1, 0.25])
def test_double_well_has_the_moment_of_its_stationary_density(noise: float) -> None:
    well = nd.DoubleWell(1000, noise=noise, seed=3)
    x = nd.simulate(well, "120 ms", record=[nd.Sample("well.x", every="1 ms")])["well.x"].values[40:]
    grid = np.linspace(-4, 4, 4001)
    density = np.exp((grid**2 / 2 - grid**4 / 4) / noise)
    exact = (grid**2 * density).sum() / density.sum()
    per_path = (x**2).mean(axis=0)
    assert abs(per_path.mean() - exact) < 4 * per_path.std() / math.sqrt(len(per_path)) + 0.01 * exact


def test_switches_alternate_and_are_where_the_path_crosses() -> None:
    run = nd.simulate(nd.DoubleWell(20, noise=0.3, switch_at=0.5), "100 ms", record=["spikes", "well.x"])
    x = run["well.x"].values
    for path, times in enumerate(run["spikes"].trains()):
        side, expected = -1, []
        for k, value in enumerate(x[:, path]):
            if side * value < -0.5:
                expected.append(k)
                side = -side
        np.testing.assert_allclose(times, np.array(expected) * 0.01, atol=1e-9)
        assert len(times) > 0


def test_common_noise_at_other_levels() -> None:
    """The noise of a seed is the same at all levels: without a force, a tiny step is proportional to its root."""
    small, large = (
        nd.simulate(nd.DoubleWell(50, noise=d, start=1.0), "0.01 ms", record=["well.x"])["well.x"].values - 1
        for d in (0.01, 0.04)
    )
    np.testing.assert_allclose(2 * small, large, rtol=1e-12, atol=1e-12)


def test_cells_rest_without_noise_and_oscillate_beyond_the_bifurcation() -> None:
    cells = nd.FitzHughNagumo(2, noise=1e-6, a=np.array([1.05, 0.95]))
    run = nd.simulate(cells, "60 ms", record=["spikes", "cells.x"])
    trains = run["spikes"].trains()
    assert len(trains[0]) == 0 and len(trains[1]) > 10
    np.testing.assert_allclose(run["cells.x"][:, 0], -1.05, atol=1e-4)


def test_a_spike_is_armed_again_below() -> None:
    run = nd.simulate(nd.FitzHughNagumo(4, noise=0.3), "30 ms", record=["spikes", "cells.x"])
    x = run["cells.x"].values
    for cell, times in enumerate(run["spikes"].trains()):
        steps = np.rint(times / 5e-4).astype(int)
        assert (x[steps, cell] > 1).all()
        for first, second in zip(steps[:-1], steps[1:], strict=True):
            assert x[first:second, cell].min() < -0.5


@pytest.mark.parametrize("noise_in", ["slow", "fast"])
def test_noise_enters_where_it_is_said(noise_in: str) -> None:
    """One step from rest: the variance of what was moved, and none of the other."""
    cells = nd.FitzHughNagumo(4000, noise=0.1, noise_in=noise_in, epsilon=0.01, dt=1e-4)  # type: ignore[arg-type]
    run = nd.simulate(cells, "0.0001 ms", record=["cells.x", "cells.y"])
    sd = {name: float(run[f"cells.{name}"].values[0].std()) for name in "xy"}
    moved, still = ("x", "y") if noise_in == "fast" else ("y", "x")
    expected = 0.1 * np.sqrt(1e-4 / 0.01) if noise_in == "fast" else 0.1 * np.sqrt(1e-4)
    assert sd[moved] == pytest.approx(expected, rel=0.05) and sd[still] < 1e-12


def test_detector_of_white_noise_is_a_coin_of_known_bias() -> None:
    run = nd.simulate(nd.ThresholdDetector(400, noise=0.5), "200 ms", record=["spikes", "detector.above"])
    p = 0.5 * math.erfc(1.0 / 0.5 / math.sqrt(2))
    n = 400 * 200
    assert abs(float(run["detector.above"].mean()) - p) < 4 * math.sqrt(p * (1 - p) / n)
    crossings = len(run["spikes"]) / n
    assert abs(crossings - p * (1 - p)) < 4 * math.sqrt(p * (1 - p) / n)


def test_detector_of_filtered_noise() -> None:
    detector = nd.ThresholdDetector(300, noise=0.7, correlation_time=5.0, dt=0.5)
    z = nd.simulate(detector, "100 ms", record=["detector.z"])["detector.z"].values
    assert z.std() == pytest.approx(0.7, rel=0.03)
    lagged = (z[10:] * z[:-10]).mean() / z.var()  # ten steps are one correlation time
    assert lagged == pytest.approx(math.exp(-1), abs=0.03)


def test_a_signal_below_the_level_is_not_seen_without_noise() -> None:
    silent = nd.ThresholdDetector(3, noise=0.0, amplitude=0.9, frequency=0.02)
    assert len(nd.simulate(silent, "500 ms")["spikes"]) == 0
    loud = nd.ThresholdDetector(3, noise=0.0, amplitude=1.1, frequency=0.02)
    assert len(nd.simulate(loud, "500 ms")["spikes"]) == 3 * 10  # it begins above, and rises at the end


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nd.DoubleWell(noise=-0.1), "noise = -0.1"),
        (lambda: nd.DoubleWell(noise=[0.1, np.nan], paths=2), "noise = .*finite"),
        (lambda: nd.DoubleWell(dt=0.0), "dt = 0.0"),
        (lambda: nd.DoubleWell(amplitude=0.1, frequency=-1.0), "frequency = -1.0"),
        (lambda: nd.FitzHughNagumo(noise_in="both"), "noise_in = 'both'"),  # type: ignore[arg-type]
        (lambda: nd.FitzHughNagumo(epsilon=0.0), "epsilon = 0.0"),
        (lambda: nd.FitzHughNagumo(spike_at=-1.0), "spike_at = -1.0"),
        (lambda: nd.ThresholdDetector(correlation_time=-1.0), "correlation_time = -1.0"),
    ],
)
def test_refused(make, text: str) -> None:
    with pytest.raises(CircuitError, match=text):
        make()


def test_runners_agree() -> None:
    cells = nd.FitzHughNagumo(6, noise=0.3, dt=0.002)
    for circuit in (nd.DoubleWell(6, noise=0.5), cells, nd.ThresholdDetector(6, dt=0.05)):
        assert circuit.program.exactness == "exact"
        runs = [nd.simulate(circuit, "5 ms", backend=b) for b in ("numba", "torch", "interpreter")]
        assert len(runs[0]["spikes"]) > 0
        for run in runs[1:]:
            np.testing.assert_array_equal(run["spikes"].times, runs[0]["spikes"].times)
            np.testing.assert_array_equal(run["spikes"].ids, runs[0]["spikes"].ids)
