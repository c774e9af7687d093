"""A leaky network as a circuit: step by step the module in float64, on every backend; and what was trained decides alike."""

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.kernels.philox import draw

BACKENDS = ("interpreter", "torch", "numba", "brian2")
NETWORKS = {
    "outer leaky_relu": {},
    "inner leaky_relu": {"nonlinearity": "inner", "self_connections": True},
    "outer relu": {"activation": "relu", "parametrisation": "sigmoid", "tau_initial": (2.0, 9.0)},
    "inner relu, mask": {"nonlinearity": "inner", "activation": "relu", "connection_probability": 0.4},
    "outer tanh": {"activation": "tanh", "tau": "shared", "weight_initial": "normal", "gain": 1.2},
    "inner tanh, mask, Dale": {"nonlinearity": "inner", "activation": "tanh", "dale": 0.8, "connection_probability": 0.5},
    "outer sigmoid": {"activation": "sigmoid", "parametrisation": "alpha", "gain": 3.0},
    "inner sigmoid": {"nonlinearity": "inner", "activation": "sigmoid", "inputs": 3, "gain": 8.0},
    "inner identity, one output": {"nonlinearity": "inner", "activation": "identity", "outputs": 1, "heads": 1},
    "outer identity, mask with self-connections": {"activation": "identity", "connection_probability": 0.3,
                                                   "self_connections": True},
    "outer, mask, Dale": {"dale": 0.7, "connection_probability": 0.6, "tau": np.linspace(1, 12, 14)},
    "continuous outer": {"continuous": True, "hold": 3, "parametrisation": "decay", "tau_initial": (1.5, 4.0)},
    "continuous inner": {"continuous": True, "hold": 4, "nonlinearity": "inner", "activation": "tanh"},
    "noise outer": {"noise": 0.3},
    "noise inner": {"noise": 0.3, "nonlinearity": "inner", "activation": "tanh"},
}  # fmt: skip
#: on numba and brian2 each takes more than a second to compile
QUICK = {"numba": ("inner tanh, mask, Dale",), "brian2": ("inner tanh, mask, Dale",)}


def network(*, hold=1, **options):
    """A network in float64, with time constants below 1 among its "raw" ones, and the steps for which digits are held."""
    net = nd.LeakyRNN(14, **{"heads": 3, "seed": 5, "dtype": torch.float64, **options})
    if not options:
        net.time_constants.set(np.linspace(0.5, 6, 14))
    return net, hold


def stepped(net, digits, start, *, hold=1):
    """States (step, unit) and logits (step, head * output) of the module, with the noise that the circuit draws."""
    draws = {"state": torch.from_numpy(start)[None]}
    if net.noise:
        steps = range(len(digits))
        noise = [draw("normal", net.units, seed=net.seed, step=k, stream="units.update.x") for k in steps]
        draws["noise"] = net.noise * torch.from_numpy(np.array(noise))[:, None]
    x = torch.from_numpy(digits)[:, None]
    with torch.no_grad():
        r = net.run(x, hold=hold, draws=draws)[:, 0]
        logits = net(x, hold=hold, draws=draws, every=True)
    return r.numpy(), logits.reshape(len(digits), -1).numpy()


def session_of(digits):
    return nd.Session((nd.Trial(len(digits), {"digits": digits}),), dt="1 ms")


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        pytest.param(b, n, marks=[pytest.mark.slow] if b in QUICK and n not in QUICK[b] else [])
        for b in BACKENDS
        for n in NETWORKS
    ],
)
def test_the_circuit_is_the_module_step_by_step(backend, name):
    net, hold = network(**NETWORKS[name])
    rng = np.random.default_rng(3)
    digits = rng.integers(0, 2, (10, net.inputs)).astype(float).repeat(4, axis=0)
    start = rng.uniform(-0.1, 0.3, net.units)
    circuit = net.circuit(hold=hold).with_values({"units.r": start})
    run = nd.simulate(circuit, session_of(digits), backend=backend, record=["units.r", "readout.logits"])
    r, logits = stepped(net, digits, start, hold=hold)
    assert np.ptp(r, axis=0).max() > 0.05
    np.testing.assert_allclose(run["units.r"], r, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run["readout.logits"].values.reshape(logits.shape), logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["continuous outer", "continuous inner"])
def test_hold_matters_to_continuous_networks_only(name):
    alphas = [np.asarray(network(**NETWORKS[name])[0].circuit(hold=k)["units"].parameters["alpha"]) for k in (1, 4)]
    assert (alphas[1] < 0.5 * alphas[0]).all()
    plain = [nd.LeakyRNN(5).circuit(hold=k)["units"].parameters["alpha"] for k in (1, 4)]
    np.testing.assert_array_equal(*plain)


def test_a_float32_network_becomes_its_double_and_is_left_as_it_is():
    net = nd.LeakyRNN(14, heads=2, dale=0.5, parametrisation="decay", precision="bfloat16")
    with torch.no_grad():
        net.time_constants.value[0] = 0.9999  # beyond its bounds: a pass would put it back
    before = {k: v.clone() for k, v in net.state_dict().items()}
    circuit = net.circuit()
    assert all(torch.equal(v, before[k]) and v.dtype == before[k].dtype for k, v in net.state_dict().items())
    net.precision = "float32"
    digits, start = np.ones((30, 1)), np.full(14, 0.05)
    r, logits = stepped(net.double(), digits, start)
    run = nd.simulate(
        circuit.with_values({"units.r": start}), session_of(digits), backend="torch", record=["r", "readout"]
    )
    np.testing.assert_allclose(run["r"], r, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run["logits"], logits, rtol=0, atol=1e-12)


def test_synapses_are_those_of_the_mask():
    net = nd.LeakyRNN(40, connection_probability=0.3, dale=0.5)
    with torch.no_grad():
        net.recurrent_weight[:, 3] = 0.0  # weights of 0 are synapses all the same
    wiring = net.circuit().synapses("recurrent")
    there = np.asarray(net.mask) != 0
    np.fill_diagonal(there, False)
    assert wiring.targets.size == there.sum() and there[wiring.targets, wiring.sources].all()
    weights = net.weights().detach().numpy()
    np.testing.assert_array_equal(wiring.weights, weights[wiring.targets, wiring.sources].astype(float))
    assert (wiring.weights[wiring.sources < 20] >= 0).all() and (wiring.weights[wiring.sources >= 20] <= 0).all()


def test_heads_are_chosen_and_named():
    net, _ = network(heads=6)
    digits, start = np.ones((5, 1)), np.zeros(14)
    circuit = net.circuit(heads=[4, 1], dt="0.5 ms").with_values({"units.r": start})
    session = nd.Session((nd.Trial(5, {"digits": digits}),), dt="0.5 ms")
    found = nd.simulate(circuit, session, backend="torch", record=["readout"])["readout"]
    assert list(found.output.values) == ["head 4 output 0", "head 4 output 1", "head 1 output 0", "head 1 output 1"]
    np.testing.assert_allclose(found.time, np.arange(1, 6) * 0.5)
    np.testing.assert_allclose(found, stepped(net, digits, start)[1][:, [8, 9, 2, 3]], rtol=0, atol=1e-12)


def test_each_trial_starts_at_an_own_uniform_draw():
    net = nd.LeakyRNN(400, heads=1, activation="identity", tau=1e12, initial_state=(-0.5, 2.0))  # nothing ever changes
    session = nd.Session((nd.Trial(3),) * 2 + (nd.Trial(3, reset=False),), dt="1 ms")
    r = nd.simulate(net.circuit(), session, backend="torch", record=["units.r"])["units.r"].values[::3]
    assert -0.5 <= r.min() < -0.45 and 1.95 < r.max() <= 2.0
    np.testing.assert_allclose(r.mean(axis=1), 0.75, atol=5 * 2.5 / np.sqrt(12 * 400))
    assert abs(np.corrcoef(r[0], r[1])[0, 1]) < 5 / np.sqrt(400)
    np.testing.assert_allclose(r[1], r[2], rtol=0, atol=1e-9)
    other = nd.simulate(net.circuit().with_(seed=2), session, backend="torch", record=["units.r"])["units.r"].values[0]
    assert abs(np.corrcoef(r[0], other)[0, 1]) < 5 / np.sqrt(400)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"hold": 0}, "hold = 0; give the whole number"), ({"hold": 2.0}, "hold = 2.0"), ({"heads": 9}, "heads = 9; the network has 3"),
     ({"heads": [1, 1]}, "one or more different labels"), ({"dt": "3 mV"}, "dt")],
)  # fmt: skip
def test_errors_name_the_parameter(options, words):
    with pytest.raises(ValueError, match=words):
        nd.LeakyRNN(4, heads=3).circuit(**options)


def test_a_diverged_network_is_refused():
    net = nd.LeakyRNN(4, heads=3)
    with torch.no_grad():
        net.recurrent_weight[1, 2] = float("nan")  # in a matrix of weights this means: no synapse
    with pytest.raises(ValueError, match="recurrent_weight holds numbers that are not finite"):
        net.circuit()


@pytest.fixture(scope="module")
def trained():
    """Two small networks that solve 2-parity, in float32."""
    nets = []
    for units, seed in ((24, 1), (32, 2)):
        net = nd.LeakyRNN(units, heads=2, seed=seed)
        nd.train(net, nd.tasks.Parity(), until=2, epochs=20, batch=32, steps=25, tests=4, optimizer="adam",
                 learning_rate=0.03, seed=seed, progress=False)  # fmt: skip
        nets.append(net)
    return nets


def decided(run, session, *, head):
    """Decisions of a head at the end of each trial."""
    ends = np.cumsum([trial.steps for trial in session.trials]) - 1
    return run["readout.logits"].values[ends, 2 * head : 2 * head + 2].argmax(axis=1)


def test_trained_networks_decide_alike_in_one_batch(trained):
    session = nd.tasks.Parity().session(trials=100, n=2, seed=7)
    targets = np.array([trial.labels["target"] for trial in session.trials])
    starts = [np.full(net.units, 0.05) for net in trained]
    circuits = [net.circuit().with_values({"units.r": r}) for net, r in zip(trained, starts, strict=True)]
    runs = nd.simulate(circuits, session, backend="torch", record=["readout"])
    for net, start, circuit, run in zip(trained, starts, circuits, runs, strict=True):
        found = decided(run, session, head=0)
        of_module = [
            stepped(net, t.inputs["digits"].astype(np.float32), start.astype(np.float32))[1][-1] for t in session.trials
        ]
        np.testing.assert_array_equal(found, [logits[:2].argmax() for logits in of_module])
        assert (found == targets).mean() > 0.9 and 0.2 < targets.mean() < 0.8
        alone = nd.simulate(circuit, session, backend="torch", record=["readout"])
        np.testing.assert_allclose(run["readout"], alone["readout"], rtol=0, atol=1e-12)


def test_a_trained_network_comes_back_from_its_file(trained, tmp_path):
    task, out = nd.tasks.Parity(), tmp_path / "run.h5"
    run = nd.simulate(
        trained[0].circuit(), task.session(trials=10, n=2, seed=1), backend="torch", record=["readout"], out=out
    )
    again = nd.simulate(
        nd.load(out).network(), task.session(trials=10, n=2, seed=1), backend="torch", record=["readout"]
    )
    np.testing.assert_array_equal(run["readout"], again["readout"])
