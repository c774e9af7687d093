"""The step as a function: iterated it is the simulation, and its derivative is that of finite differences."""

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.parts import CircuitError


def iterated(step, steps, inputs=None):
    states, x = [], step.start[None]
    for k in range(steps):
        x = step(x) if inputs is None else step(x, torch.as_tensor(inputs[k]))
        states.append(x[0])
    return torch.stack(states)


def simulated(circuit, steps, record, inputs=None):
    channels = {part.name: part.channels for part in circuit.inputs}
    trial = nd.Trial(steps, inputs or {})
    return nd.simulate(circuit, nd.Session((trial,), circuit.timestep, channels), record=record, backend="interpreter")


def differences(step, x, h=1e-6):
    moved = x + h * torch.eye(len(x), dtype=torch.float64)
    return ((step(moved) - step(2 * x - moved)) / (2 * h)).T


def jacobian(step, x):
    return torch.func.jacrev(lambda y: step(y[None])[0])(x)


def test_a_rate_reservoir():
    net = nd.RateReservoir(40, noise=0.0, channels=("A", "B"), gain=1.8)
    step = net.step_function(inputs={"task": [0.3, -0.2]}, noise="off")
    assert step.names == ("cells.x",) and step.channels == ("task.A", "task.B")  # r = tanh(x) is not remembered
    run = simulated(net, 100, ["x"], {"task": np.tile([0.3, -0.2], (100, 1))})
    np.testing.assert_allclose(iterated(step, 100), run["x"].values, atol=1e-12)
    x = step.start + 0.1
    found = jacobian(step, x)
    np.testing.assert_allclose(found, differences(step, x), atol=1e-9)
    wiring = net.synapses("recurrent")
    weights = np.zeros((40, 40))
    weights[wiring.targets, wiring.sources] = wiring.weights
    np.testing.assert_allclose(
        found, np.eye(40) + 0.02 * (weights * (1 - np.tanh(x.numpy()) ** 2) - np.eye(40)), atol=1e-12
    )
    # Inputs that aren't held.
    drive = np.random.default_rng(0).normal(size=(50, 2))
    driven = simulated(net, 50, ["x"], {"task": drive})
    np.testing.assert_allclose(iterated(step, 50, drive), driven["x"].values, atol=1e-12)
    starts = step.join({"cells.x": driven["x"]})
    assert starts.shape == (50, 40) and torch.equal(step.split(starts)["cells.x"], starts)


@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
def test_a_leaky_network(nonlinearity):
    net = nd.LeakyRNN(12, tau="learn", nonlinearity=nonlinearity, activation="tanh", heads=1, seed=3)
    circuit = net.circuit()
    step = circuit.step_function(inputs={"digits": 1.0})
    assert step.names == ("units.r",)
    run = simulated(circuit, 60, ["units.r"], {"digits": np.ones((60, 1))})
    np.testing.assert_allclose(iterated(step, 60), run["units.r"].values, atol=1e-12)
    np.testing.assert_allclose(jacobian(step, step.start), differences(step, step.start), atol=1e-9)


def test_two_populations_a_feedback_and_a_branch():
    fast = nd.Population(
        "fast",
        6,
        "dv/dt = (-v + s + drive + back)/tau : 1\ns : 1\ndrive : 1\nback : 1\nr = 1/(1 + exp(-v)) : 1",
        method="euler",
        parameters={"tau": nd.Uniform("5 ms", "20 ms")},
        initial={"v": "randn()"},
    )
    slow = nd.Population(
        "slow",
        4,
        code="u += 0.05*(e - u**3)\nsign_ = where(u > 0, 1.0, -1.0)\nz = sqrt(abs(u) + 1)*sign_ + y_gain*u**2",
        variables=dict.fromkeys(("u", "e", "z", "sign_"), "1"),
        parameters={"y_gain": 0.1},
        initial={"u": "randn()", "z": "0.0"},
    )
    readout = nd.Readout(
        "out",
        "slow.z",
        ("a", "b"),
        state={"y": "output", "level": "network"},
        memory={"w": "output*unit"},
        per_step="y = sum(w*r)\nlevel += 0.1*(abs(sum(y)) - level)\nif level > 0.05:\n    y = y*0.5",
    )
    circuit = nd.Circuit(
        [fast, slow],
        [
            nd.Connection("slow.z", fast, "s", weight=nd.Normal(0, 0.5)),
            nd.Connection("fast.v", slow, "e", weight=nd.Normal(0, 0.5), delay="0 ms"),
            nd.Connection("out.y", fast, "back", weight=nd.Normal(0, 1), delay="0.1 ms"),
        ],
        readouts=[readout],
        values={"out.w": np.random.default_rng(1).normal(size=(2, 4))},
        seed=4,
    )
    step = circuit.step_function()
    # z starts elsewhere than where u would put it, so it is a part of the state; y is what z and level give.
    assert step.names == ("fast.v", "slow.u", "slow.z", "out.level")
    run = simulated(circuit, 80, list(step.names))
    found = step.split(iterated(step, 80))
    for name in step.names:
        np.testing.assert_allclose(found[name], run[name].values.reshape(found[name].shape), atol=1e-12, err_msg=name)
    np.testing.assert_allclose(step.join(found)[-1], iterated(step, 80)[-1])
    x = step(step.start[None])[0]
    np.testing.assert_allclose(jacobian(step, x), differences(step, x), atol=1e-8)


def test_members_of_a_batch_and_fixed_points():
    net = nd.RateReservoir(30, gain=0.5, noise=0.1, seed=2)
    step = net.step_function(noise="off")
    states = torch.from_numpy(np.random.default_rng(0).normal(size=(7, 30)))
    torch.testing.assert_close(step(states)[3], step(states[3:4])[0], rtol=1e-12, atol=1e-14)
    found = nd.analysis.fixed_points(step, states)
    assert found.stability in (["stable node"], ["stable spiral"]) and found.visits[0] == 7
    np.testing.assert_allclose(found.points, 0, atol=1e-7)


def test_what_is_refused():
    pair = nd.Population("p", 2, code="x = 0.5*x + u", variables={"x": "1", "u": "1"})
    late = nd.Circuit([pair], [nd.Connection("p.x", pair, "u", delay="0.5 ms", weight=1.0)])
    late_input = nd.Circuit(
        [pair], [nd.Connection("drive", pair, "u", delay="0.1 ms", weight=1.0)], inputs=[nd.Input("drive", ("a",))]
    )
    pulse = nd.Circuit([pair], inputs=[nd.Input("drive", ("a",), pulses=(("0 ms", "1 ms", 1.0),))])
    clock = nd.Circuit([nd.Population("p", 2, code="x = 0.5*x + sin(t/second)", variables={"x": "1"})])
    empty = nd.Circuit([nd.Population("p", 2, code="x = 1.0", variables={"x": "1"})])
    learner = nd.Readout(
        "y", "p.x", ("a",), memory={"w": "unit"}, rule=nd.Rule("grow", per_step="w += r", parameters={"eta": 1.0})
    )
    for circuit, message in (
        (nd.SpikingReservoir(20), "has spikes \\(cells\\)"),
        (nd.RateReservoir(20), "draws noise .*noise='off'"),
        (late, "delay of 5 step"),
        (late_input, "delay of 1 step"),
        (pulse, "input 'drive' changes by itself"),
        (clock, "depends on the time"),
        (empty, "remembers anything"),
        (nd.Circuit([pair], readouts=[learner]), "weights .* change; give circuit.freeze"),
    ):
        with pytest.raises(CircuitError, match=message):
            circuit.step_function()
    assert pulse.step_function(inputs={"drive": 1.0}).inputs.tolist() == [1.0]
    net = nd.RateReservoir(20, channels=("A", "B"))
    with pytest.raises(CircuitError, match="no input 'tasks'"):
        net.step_function(inputs={"tasks": 1.0}, noise="off")
    with pytest.raises(CircuitError, match="'task' has shape \\(3,\\)"):
        net.step_function(inputs={"task": [1.0, 2.0, 3.0]}, noise="off")
    with pytest.raises(CircuitError, match="noise = 'on'"):
        net.step_function(noise="on")  # type: ignore[arg-type]
    step = net.step_function(noise="off")
    with pytest.raises(ValueError, match="state has shape \\(1, 3\\); needed is \\(batch, 20\\)"):
        step(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="values lack cells.x"):
        step.join({})
