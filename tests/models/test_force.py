"""The networks that FORCE trains: their published numbers, their scheme beside a loop in the script's units, what is refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import neurodyn as nd
from neurodyn.models.force import PUBLISHED
from neurodyn.network import Network, realize


def _published() -> Any:
    path = Path(__file__).with_name("published_force.py")
    spec = importlib.util.spec_from_file_location("published_force", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["published_force"] = module
    spec.loader.exec_module(module)
    return module


published = _published()


def omega(network: Network, unit: float) -> np.ndarray:
    """Weights (target, source) in ``unit`` (SI), the area of the current of one spike."""
    w = network.wiring["recurrent"]
    matrix = np.zeros((network.sizes["cells"],) * 2)
    np.add.at(matrix, (w.targets, w.sources), w.weights)
    return matrix * 2e-3 * 20e-3 / unit


def dense(network: Network, name: str, unit: float) -> np.ndarray:
    matrix = network.wiring[name].matrix
    assert matrix is not None
    return matrix.T / unit


def trained(net: nd.Circuit, target: np.ndarray, learning: tuple[int, int], **inputs: np.ndarray) -> Any:
    """Run without reset over three trials, the second with learning."""
    borders = [0, *learning, len(target)]
    given = {"target": target, **inputs}
    trials = tuple(
        nd.Trial(b - a, {k: x[a:b] for k, x in given.items()}, learning=n == 1, reset=n == 0)
        for n, (a, b) in enumerate(zip(borders[:-1], borders[1:], strict=True))
    )
    session = nd.Session(trials, dt=net.timestep)
    return nd.simulate(net, session, record=["spikes", "output.y", "weights"], backend="interpreter")


def same(run: Any, expected: dict[str, Any], dt_ms: float) -> None:
    spikes = run["spikes"]
    assert len(spikes) > 25
    np.testing.assert_array_equal(np.rint(spikes.times / dt_ms), expected["steps"])
    np.testing.assert_array_equal(spikes.ids, expected["ids"])
    scale = np.abs(expected["y"]).max()
    y = np.asarray(run["readout/output/y"]).reshape(expected["y"].shape)
    np.testing.assert_allclose(y, expected["y"], rtol=0, atol=1e-6 * scale)
    assert scale > 0.03 and np.abs(expected["w"]).max() > 0
    w = np.asarray(run["weights/output/w"])[-1].reshape(expected["w"].shape)
    np.testing.assert_allclose(w, expected["w"], rtol=0, atol=1e-6 * np.abs(expected["w"]).max())


@pytest.mark.parametrize(("preset", "outputs"), [("sine", 1), ("songbird", 2)])
def test_the_scheme_is_that_of_the_published_script(preset: str, outputs: int) -> None:
    names = tuple(f"z{k}" for k in range(outputs))
    numbers = PUBLISHED[preset]
    clock: dict[str, Any] = {"clock": 3} if numbers.clock else {}
    net = nd.NicolaClopath(preset, neurons=30, outputs=names, seed=3, **clock)
    network, steps, learning = realize(net), 2000, (500, 1500)
    t = np.arange(steps) * 0.04e-3
    target = np.stack([np.sin(2 * np.pi * 40 * (k + 1) * t) for k in range(outputs)], axis=1)
    inputs, drive = {}, None
    if clock:
        inputs["clock"] = np.abs(np.sin(2 * np.pi * 30 * t[:, None] + np.arange(3)))
        drive = inputs["clock"] @ dense(network, "clock_in", 1e-12).T
    expected = published.izhikevich(
        omega(network, 1e-15), dense(network, "feedback_in", 1e-12), network.values["cells.v@initial"] * 1e3, target,
        dt=0.04, b=float(str(numbers.b).split()[0]), a=float(str(numbers.a).split()[0]), d=float(str(numbers.d).split()[0]),
        bias=1000.0, inverse=2.0, every=round(float(numbers.every.split()[0]) / 0.04), learning=learning, drive=drive,
    )  # fmt: skip
    same(trained(net, target, learning, **inputs), expected, 0.04)


def test_the_scheme_of_integrate_and_fire_cells_is_the_published_one() -> None:
    net = nd.NicolaClopath("lif_sine", neurons=30, seed=3)
    network, steps, learning = realize(net), 1500, (400, 1000)
    target = np.sin(2 * np.pi * 40 * np.arange(steps) * 0.05e-3)[:, None]
    expected = published.integrate_and_fire(
        omega(network, 1e-3), dense(network, "feedback_in", 1e-3), network.values["cells.v@initial"] * 1e3, target,
        dt=5e-5, every=50, learning=learning, alpha=0.1 * 5e-5,
    )  # fmt: skip
    expected["w"] = expected["w"] * 1e3  # rates count in spikes per ms here, in Hz there
    same(trained(net, target, learning), expected, 0.05)


# False-alarm budget of the statistical tests: 5 verdicts at p < 1e-5, seeds fixed.
def test_wiring_has_the_published_scales() -> None:
    network = realize(nd.NicolaClopath(neurons=300, seed=2))
    w = network.wiring["recurrent"]
    assert stats.binomtest(w.targets.size, 300 * 300, 0.1).pvalue > 1e-5 and (w.sources == w.targets).any()
    weights = omega(network, 1e-15)[w.targets, w.sources] * 0.1 * np.sqrt(300) / 5000
    assert stats.kstest(weights, stats.norm().cdf).pvalue > 1e-5
    feedback = dense(network, "feedback_in", 5000e-12)
    assert feedback.shape == (300, 1) and stats.kstest(feedback[:, 0], stats.uniform(-1, 2).cdf).pvalue > 1e-5
    start = (network.values["cells.v@initial"] * 1e3 + 60) / 90
    assert stats.kstest(start, stats.uniform().cdf).pvalue > 1e-5


def test_the_rheobase_is_the_bias_for_every_b() -> None:
    """k (v_t - v_r + b/k)^2/4 = 1000 pA: a cell stays silent just below it, and fires above it after about 50 ms."""
    for b in ("-2 nS", "0 nS"):
        net = nd.NicolaClopath(neurons=2, gain="0 pA*ms", feedback="0 pA", b=b, bias=["990 pA", "1100 pA"])
        net = net.with_values({"cells.v": np.array([-0.06, -0.06])})
        assert set(nd.simulate(net, "120 ms", backend="interpreter")["spikes"].ids) == {1}


def test_rows_of_integrate_and_fire_cells_sum_to_zero() -> None:
    matrix = omega(realize(nd.NicolaClopath("lif_sine", neurons=80, seed=5)), 1e-3)
    np.testing.assert_allclose(matrix.sum(axis=1), 0, atol=1e-12 * np.abs(matrix).max())
    assert (np.abs(matrix) > 0).any(axis=1).all()


def test_a_plane_reaches_each_cell_along_its_own_direction() -> None:
    network = realize(nd.NicolaClopath("classifier", neurons=50, seed=1))
    weights = dense(network, "clock_in", 500e-12)
    np.testing.assert_allclose(np.hypot(*weights.T), 1, rtol=1e-12)
    psi = network.values["cells.psi"]
    np.testing.assert_allclose(weights, np.stack([np.cos(psi), np.sin(psi)], axis=1), rtol=1e-12)


@pytest.mark.parametrize("preset", sorted(PUBLISHED))
def test_every_published_network_runs(preset: str) -> None:
    net = nd.NicolaClopath(preset, neurons=12, outputs=("a", "b"), seed=2)
    assert nd.simulate(net, net.dt, record=["output.y"], backend="interpreter")["output.y"].shape == (1, 2)


def test_a_frozen_network_keeps_its_weights() -> None:
    net = nd.NicolaClopath(neurons=20, seed=1)
    session = nd.tasks.sine("50 Hz").session("40 ms", learning=("0 ms", "40 ms"))
    run = nd.simulate(net, session, record=["weights"], backend="interpreter")
    learned = np.asarray(run["weights/output/w"])[-1]
    assert np.abs(learned).max() > 0
    frozen = nd.simulate(run.network().freeze(), session, record=["weights"], backend="interpreter")
    np.testing.assert_array_equal(np.asarray(frozen["weights/output/w"])[-1], learned)


@pytest.mark.parametrize(
    ("preset", "options", "message"),
    [
        ("sin", {}, "preset 'sin': did you mean 'sine'"), ("sine", {"gian": "1 pA*ms"}, "keyword 'gian': did you mean 'gain'"),
        ("sine", {"probability": 0.0}, "probability = 0.0"), ("sine", {"inverse": 0.0}, "inverse = 0.0"),
        ("sine", {"gain": "5000 pA"}, "gain"), ("sine", {"feedback": "-1 pA"}, "feedback"), ("lif_sine", {"feedback": "5 pA"}, "feedback"),
        ("sine", {"every": "0.05 ms"}, "give a whole number of steps"), ("sine", {"tau_rise": "0 ms"}, "tau_rise"), ("sine", {"cell": "hh"}, "cell = 'hh'"),
        ("classifier", {"clock": 3}, "clock = 3 and plane"), ("sine", {"variant": "old"}, "variant = 'old'"), ("songbird", {"clock": -1}, "clock = -1"),
    ],
)  # fmt: skip
def test_networks_that_can_not_be(preset: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        realize(nd.NicolaClopath(preset, **{"neurons": 10, **options}))


@pytest.mark.parametrize("backend", ["numba", *(pytest.param(b, marks=pytest.mark.slow) for b in ("torch", "brian2"))])
def test_every_runner_learns_the_same(backend: str) -> None:
    net = nd.NicolaClopath("songbird", neurons=20, outputs=("a", "b"), clock=4, every="0.4 ms", seed=4)
    signal = np.sin(np.arange(200)[:, None] * np.array([0.2, 0.3]))
    session = nd.tasks.Supervisor(signal, dt="0.04 ms", names=("a", "b"), clock=4).session(
        "24 ms", learning=("4 ms", "16 ms")
    )
    runs = [
        nd.simulate(net, session, record=["spikes", "output.y", "weights"], backend=b) for b in (backend, "interpreter")
    ]
    comparison = nd.compare(*runs)
    assert comparison.equal, str(comparison)
    assert np.abs(np.asarray(runs[0]["weights/output/w"])[-1]).max() > 0
