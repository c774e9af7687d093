"""A PV-RNN as a circuit: step by step the module in float64, on every backend, in all variants of prior and output."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.kernels.philox import draw

BACKENDS = ("interpreter", "torch", "numba", "brian2")
LAYERS = [nd.Layer(d=5, z=2, tau=2), nd.Layer(d=4, z=1, tau=5.5), nd.Layer(d=3, z=2, tau=1)]
BETA = {"top_down": "current", "bottom_up": False}
NETWORKS = {  # (layers, switches, output)
    "original": (2, {}, nd.SoftmaxCoding(dims=2, bins=4)),
    "beta, one dimension": (3, BETA, nd.SoftmaxCoding(bins=5)),
    "both ways, current, symbols": (3, {"top_down": "current"}, nd.SymbolCoding(symbols=3)),
    "unit prior, tanh": (2, {"prior": "unit"}, nd.AnalogCoding()),
    "learned first step, linear": (2, {"first_step_prior": "learned"}, nd.AnalogCoding(dims=3, activation="linear")),
    "previous, no bottom up": (3, {"bottom_up": False, "posterior": "reduced"}, nd.SymbolCoding(symbols=2)),
    "one layer": (1, {}, nd.SoftmaxCoding(dims=2, bins=3)),
}
QUICK = {  # each compiled one takes seconds
    "interpreter": ("original", "beta, one dimension", "learned first step, linear"),
    "torch": ("both ways, current, symbols", "unit prior, tanh"),
    "numba": ("one layer",),
    "brian2": ("original",),
}


def network(layers=2, output=None, **switches):
    """A network whose weights and biases are all far from 0."""
    net = nd.PVRNN(
        LAYERS[:layers], output=output or nd.SymbolCoding(symbols=2), seed=7, dtype=torch.float64, **switches
    )
    draws = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in net.parameters():
            value += 0.4 * torch.randn(value.shape, generator=draws, dtype=torch.float64)
    return net


STATES = {"eps": "latents", "z": "latents", "log_sigma": "latents", "h": "layer"}


def names(net):
    return [f"{part}_{k}.{name}" for name, part in STATES.items() for k in range(1, net.depth + 1)] + ["readout"]


def recorded(net, run):
    """What was recorded of all layers, (step, unit or latent), by name."""
    at = range(1, net.depth + 1)
    return {name: np.hstack([run[f"{part}_{k}.{name}"].values for k in at]) for name, part in STATES.items()}


@torch.no_grad()
def of_module(net, eps, h=None):
    """What ``net.step`` gives under noise (step, latent), from the start of a sequence or from a state, as arrays."""
    rows, first = [], h is None
    h = torch.zeros(net.units, dtype=torch.float64) if h is None else torch.as_tensor(h)
    h = h[None, None]
    for row in torch.from_numpy(eps):
        taken = net.step(h, row[None, None], first=first)
        first, h = False, taken.h
        inputs = net.read(h)
        values = net.output.decode(net.output.activate(inputs))
        found = {"z": taken.z, "log_sigma": taken.prior_log_sigma, "h": h}
        rows.append({**found, "inputs": inputs, "values": values})
    return {name: np.stack([row[name][0, 0].numpy() for row in rows]) for name in rows[0]}


def agree(found, expected):
    for name in ("z", "log_sigma", "h"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        pytest.param(b, n, marks=[pytest.mark.slow] if n not in QUICK[b] else [], id=f"{b}-{n}")
        for b in BACKENDS
        for n in NETWORKS
    ],
)
def test_the_circuit_is_the_module_step_by_step(backend, name):
    layers, switches, output = NETWORKS[name]
    net = network(layers, output, **switches)
    run = nd.simulate(net.circuit(), "30 ms", backend=backend, record=names(net))
    found = recorded(net, run)
    for k, at in enumerate(net.of_z):
        eps = [
            draw("normal", at.stop - at.start, seed=7, step=t, stream=f"latents_{k + 1}.update.eps") for t in range(30)
        ]
        np.testing.assert_array_equal(found["eps"][:, at], eps)
    expected = of_module(net, found["eps"])
    agree(found, expected)
    inputs = run["readout.inputs"].values.reshape(expected["inputs"].shape)
    np.testing.assert_allclose(inputs, expected["inputs"], rtol=1e-12, atol=1e-12)
    if isinstance(output, nd.SymbolCoding):
        values = inputs.argmax(1)
    else:
        of = "decoded" if isinstance(output, nd.SoftmaxCoding) else "readout"
        values = run[f"{of}.values"].values.reshape(expected["values"].shape)
    np.testing.assert_allclose(values, expected["values"], rtol=0, atol=1e-12)
    assert np.ptp(expected["values"]) > 0


def test_a_reset_begins_a_sequence_and_a_trial_without_goes_on():
    net = network()
    session = nd.Session((nd.Trial(12), nd.Trial(1), nd.Trial(9), nd.Trial(8, reset=False)), dt=1e-3)
    found = recorded(net, nd.simulate(net.circuit(), session, backend="torch", record=names(net)))
    for low, high in ((0, 12), (12, 13), (13, 30)):
        agree({k: v[low:high] for k, v in found.items()}, of_module(net, found["eps"][low:high]))
    assert (found["log_sigma"][[0, 12, 13]] == 0).all() and (found["log_sigma"][22] != 0).all()


def test_it_goes_on_from_a_state():
    net = network()
    h = np.linspace(-1, 2, net.units)
    start = {f"layer_{k + 1}.h": h[at] for k, at in enumerate(net.of_d)}
    start |= {f"latents_{k + 1}.started": np.ones(layer.z) for k, layer in enumerate(net.layers)}
    run = nd.simulate(net.circuit().with_values(start), "10 ms", backend="torch", record=names(net))
    found = recorded(net, run)
    agree(found, of_module(net, found["eps"], h))
    again = net.generate(10, start=torch.from_numpy(h)[None], noise=0.0)
    quiet = start | {f"latents_{k}.level": 0.0 for k in (1, 2)}
    run = nd.simulate(net.circuit().with_values(quiet), "10 ms", backend="torch", record=names(net))
    np.testing.assert_allclose(recorded(net, run)["h"], again.h[0, 0], rtol=1e-12, atol=1e-12)


def test_without_noise_it_is_what_the_network_generates():
    net = network(3, nd.SoftmaxCoding(dims=2))
    quiet = net.circuit().with_values({f"latents_{k}.level": 0.0 for k in (1, 2, 3)})
    run = nd.simulate(quiet, "100 ms", backend="torch", record=names(net))
    expected = net.generate(100, noise=0.0)
    np.testing.assert_allclose(run["decoded.values"], expected.values[0, 0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(recorded(net, run)["z"], expected.z[0, 0], rtol=0, atol=1e-9)


def test_noise_has_the_distribution_of_what_the_network_generates():
    net, trials, steps = network(*NETWORKS["one layer"][::2]), 400, 20
    session = nd.Session((nd.Trial(steps),) * trials, dt=1e-3)
    run = nd.simulate(net.circuit(), session, backend="numba", record=names(net))
    found = run["decoded.values"].values.reshape(trials, steps, 2)[:, 5:]
    expected = net.generate(steps, sequences=2000).values[0, :, 5:].numpy()
    for what in (lambda x: x, np.square, lambda x: x[:, 1:] * x[:, :-1]):
        a, b = (what(values).mean(1) for values in (found, expected))  # of each sequence, so that these are independent
        assert (abs(a.mean(0) - b.mean(0)) < 4.5 * a.std(0) / np.sqrt(trials) + 4.5 * b.std(0) / np.sqrt(2000)).all()


@pytest.mark.parametrize("high", [False, True])
def test_log_sigma_is_cut_off(high):
    net = network()
    with torch.no_grad():
        net.get_parameter("stack.0.prior_bias")[:, 1] = 40.0 if high else -40.0
    run = nd.simulate(net.circuit(), "4 ms", backend="torch", record=["latents_1.log_sigma", "latents_1.sigma", "latents_1.mu", "latents_1.eps", "latents_1.z"])  # fmt: skip
    log_sigma, sigma, mu, eps, z = (run[f"latents_1.{n}"].values for n in ("log_sigma", "sigma", "mu", "eps", "z"))
    assert (log_sigma[1:] == (4.0 if high else -12.0)).all() and (log_sigma[0] == 0).all()
    np.testing.assert_allclose(sigma, np.exp(log_sigma), rtol=1e-15)
    np.testing.assert_allclose(z, mu + sigma * eps, rtol=1e-15)


def test_each_model_is_a_circuit_of_its_own_seed():
    net = nd.PVRNN(LAYERS[:2], output=nd.SymbolCoding(symbols=2), meta_prior=[0.1, 0.01], seed=[3, 9])
    run = nd.simulate(net.circuit(model=1), "5 ms", backend="torch", record=["latents_1.eps"])
    eps = [draw("normal", 2, seed=9, step=k, stream="latents_1.update.eps") for k in range(5)]
    np.testing.assert_array_equal(run["latents_1.eps"], eps)
    circuit = net.circuit(model=1)
    np.testing.assert_array_equal(circuit.values["readout.w"], net.output_weight[1].detach().double().numpy())


def test_outputs_and_time_are_named():
    net = network(output=nd.SoftmaxCoding(dims=2, bins=3))
    run = nd.simulate(net.circuit(dt="0.5 ms"), "5 ms", backend="torch", record=["readout"])
    labels = [f"dimension {k} point {j}" for k in range(2) for j in range(3)]
    assert list(run["readout.inputs"].output.values) == labels
    assert list(run["decoded.values"].output.values) == ["dimension 0", "dimension 1"]
    np.testing.assert_allclose(run["decoded.values"].time, np.arange(1, 11) * 0.5)


def test_it_comes_back_from_its_file(tmp_path):
    net, out = network(output=nd.SoftmaxCoding()), tmp_path / "run.h5"
    run = nd.simulate(net.circuit(), "200 ms", backend="torch", record=["readout"], out=out)
    again = nd.simulate(nd.load(out).network(), "200 ms", backend="torch", record=["readout"])
    np.testing.assert_array_equal(run["decoded.values"], again["decoded.values"])


def test_several_models_and_diverged_ones_are_refused():
    from neurodyn.models.pvrnn_circuit import pvrnn_circuit

    net = nd.PVRNN(LAYERS[:1], output=nd.AnalogCoding(), seed=[1, 2])
    with pytest.raises(ValueError, match=r"net has 2 models; choose one"):
        pvrnn_circuit(net, "1 ms")
    with torch.no_grad():
        net.get_parameter("stack.0.prior_bias")[0, 1] = float("nan")
    net.circuit(model=1)  # the other one is whole
    with pytest.raises(ValueError, match=r"^stack\.0\.prior_bias holds numbers that are not finite"):
        net.circuit(model=0)
    with pytest.raises(ValueError, match="models = 2"):
        net.circuit(model=2)
