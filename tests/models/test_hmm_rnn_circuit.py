"""A network driven by noise as a circuit: step by step the module in float64, on every backend; and its symbols."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.conformance.harness import engine
from neurodyn.kernels.philox import draw
from neurodyn.network import realize

BACKENDS = ("interpreter", "torch", "numba", "brian2")
NETWORKS = {
    "plain": {},
    "biases": {"bias": True, "noise": 1.5},
    "one output": {"outputs": 1},
    "one output, biases": {"outputs": 1, "bias": True},
    "one unit, one noise input": {"units": 1, "noise_inputs": 1, "outputs": 2},
}
QUICK = {"numba": "biases", "brian2": "biases"}  # each takes seconds to compile
RECORD = ["noise.x", "units.u", "units.h", "units.I_rec", "readout.logits", "readout.scores"]


def network(**options):
    return nd.HMMRNN(**{"units": 14, "noise_inputs": 5, "seed": 5, "dtype": torch.float64, **options})


def of_module(net, noise, start=None):
    """States (step, unit) and logits (step, symbol) of the module under the noise (step, noise input)."""
    with torch.no_grad():
        states = net.run(
            torch.from_numpy(noise)[:, None], start=None if start is None else torch.as_tensor(start)[None]
        )
        return states[:, 0].numpy(), net.read(states)[:, 0].numpy()


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        pytest.param(b, n, marks=[pytest.mark.slow] if QUICK.get(b, n) != n else [], id=f"{b}-{n}")
        for b in BACKENDS
        for n in NETWORKS
    ],
)
def test_the_circuit_is_the_module_step_by_step(backend, name):
    net = network(**NETWORKS[name])
    run = nd.simulate(net.circuit(), "60 ms", backend=backend, record=RECORD)
    noise = net.noise * np.array([draw("normal", net.noise_inputs, seed=net.seed, step=k, stream="noise.update.x") for k in range(60)])  # fmt: skip
    np.testing.assert_array_equal(run["noise.x"], noise)
    states, logits = of_module(net, noise)
    assert 0.05 < (states == 0).mean() < 0.95
    np.testing.assert_allclose(run["units.h"], states, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.maximum(run["units.u"], 0), states, rtol=0, atol=1e-12)
    recurrent = states[:-1] @ net.recurrent_weight.detach().numpy().T
    np.testing.assert_allclose(run["units.I_rec"], np.vstack([0 * states[:1], recurrent]), rtol=0, atol=1e-12)
    np.testing.assert_allclose(run["readout.logits"].values.reshape(logits.shape), logits, rtol=0, atol=1e-12)
    u = np.array(
        [draw("uniform", net.outputs, seed=net.seed, step=k, stream="readout.observe.scores") for k in range(60)]
    )
    scores = logits - np.log(-np.log1p(-u))
    np.testing.assert_allclose(run["readout.scores"].values.reshape(logits.shape), scores, rtol=0, atol=1e-12)


def test_outputs_and_time_are_named():
    run = nd.simulate(network(outputs=2).circuit(dt="0.5 ms"), "5 ms", backend="torch", record=["readout"])
    assert list(run["readout.logits"].output.values) == ["symbol 0", "symbol 1"]
    np.testing.assert_allclose(run["readout.scores"].time, np.arange(1, 11) * 0.5)


def test_trials_start_at_rest_or_go_on():
    net = network(bias=True)
    session = nd.Session((nd.Trial(20), nd.Trial(15), nd.Trial(10, reset=False)), dt="1 ms")
    run = nd.simulate(net.circuit(), session, backend="torch", record=RECORD)
    noise, h = run["noise.x"].values, run["units.h"].values
    for low, high in ((0, 20), (20, 45)):
        np.testing.assert_allclose(h[low:high], of_module(net, noise[low:high])[0], rtol=0, atol=1e-12)
    start = np.linspace(0, 3, 14)
    run = nd.simulate(net.circuit().with_values({"units.h": start}), "20 ms", backend="torch", record=RECORD)
    np.testing.assert_allclose(run["units.h"], of_module(net, run["noise.x"].values, start)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend", ["torch", "interpreter"])
def test_the_level_can_be_set_and_scales_all_but_the_symbols(backend):
    circuit = network().circuit()
    one = nd.simulate(circuit, "300 ms", backend=backend, record=RECORD)
    two = nd.simulate(circuit.with_values({"noise.level": 2.0}), "300 ms", backend=backend, record=RECORD)
    for name in ("noise.x", "units.h", "readout.logits"):
        np.testing.assert_array_equal(two[name], 2 * one[name])
    symbols = [run["readout.scores"].values.argmax(1) for run in (one, two)]
    assert (symbols[0] != symbols[1]).any()
    three = nd.simulate(circuit.with_(seed=6), "300 ms", backend=backend, record=RECORD)
    assert (three["noise.x"].values != one["noise.x"].values).all()


def test_symbols_are_drawn_from_the_softmax():
    net = network(bias=True)
    net.readout_weight.data.zero_()
    net.get_parameter("readout_bias").data.copy_(torch.tensor([0.0, 1.5, -1.0]))
    steps = 10_000
    run = nd.simulate(net.circuit(), f"{steps} ms", backend="numba", record=["readout.logits", "readout.scores"])
    assert (run["readout.logits"] == [0.0, 1.5, -1.0]).all()
    symbols = run["readout.scores"].values.argmax(1)
    p = np.exp([0.0, 1.5, -1.0]) / np.exp([0.0, 1.5, -1.0]).sum()
    share = np.bincount(symbols, minlength=3) / steps
    assert (abs(share - p) < 4 * np.sqrt(p * (1 - p) / steps)).all()
    again = (symbols[1:] == symbols[:-1]).mean()  # independent from step to step
    assert abs(again - (p**2).sum()) < 4 * np.sqrt(1 / (4 * steps))


def test_winners_of_an_autoregressive_process_switch_as_often_as_its_sign(by_hand):
    a, seeds = 0.7, 12
    circuit = by_hand(a, gain=2.0).circuit()
    runs = nd.simulate([circuit.with_(seed=s) for s in range(seeds)], "2 s", backend="torch", record=["readout.logits"])
    winners = np.array([run["readout.logits"].values.argmax(1) for run in runs])
    rates = (winners[:, 1:] != winners[:, :-1]).mean(1)
    assert abs(rates.mean() - math.acos(a) / math.pi) < 4 * rates.std(ddof=1) / math.sqrt(seeds)


def test_a_trained_network_decides_alike_and_comes_back_from_its_file(emulator, tmp_path):
    before = {k: v.clone() for k, v in emulator.state_dict().items()}
    circuit, out = emulator.circuit(), tmp_path / "run.h5"
    assert all(torch.equal(v, before[k]) and v.dtype == torch.float32 for k, v in emulator.state_dict().items())
    run = nd.simulate(circuit, "2 s", backend="torch", record=["noise.x", "readout"], out=out)
    double = nd.HMMRNN(**emulator.config, dtype=torch.float64)
    double.load_state_dict(before)
    logits = of_module(double, run["noise.x"].values)[1]
    winners = run["readout.logits"].values.argmax(1)
    np.testing.assert_array_equal(winners, logits.argmax(1))
    assert 5 < (winners[1:] != winners[:-1]).sum() < 1000
    again = nd.simulate(nd.load(out).network(), "2 s", backend="torch", record=["readout"])
    np.testing.assert_array_equal(run["readout.scores"], again["readout.scores"])


@pytest.mark.parametrize("backend", ["interpreter", "torch", "numba"])
def test_activity_that_grows_without_end_is_noticed(backend):
    """Where numbers overflow, infinities of both signs meet, and a rectifier must not make rest of that."""
    net = network(bias=True)
    net.recurrent_weight.data *= 1e6
    with pytest.raises(nd.BlowUpError, match="units"):
        nd.simulate(net.circuit(), "1 s", backend=backend, record=["readout.logits"])


def test_scores_are_finite_in_single_precision():
    """The largest uniform rounds to 1 in float32."""
    machine = engine(realize(network().circuit()), "interpreter", "float32")
    assert isinstance(machine, InterpreterEngine)
    machine.evaluator.draw = lambda kind, stream, size: np.full(size, 1 - 2.0**-53)
    machine.start_trial(learning=False, calibration=False, reset=True, inputs={})
    assert np.isfinite(machine.advance(3, {}).samples["readout.scores"]).all()


def test_a_diverged_network_is_refused():
    for name in ("recurrent_weight", "noise_weight", "readout_weight", "bias", "readout_bias"):
        net = network(bias=True)
        net.get_parameter(name).data.flatten()[1] = float("nan")  # in a matrix of weights this means: no synapse
        with pytest.raises(ValueError, match=f"^{name} holds numbers that are not finite: the training has diverged"):
            net.circuit()


def test_a_step_takes_a_time():
    with pytest.raises(ValueError, match="dt"):
        network().circuit(dt="3 mV")
