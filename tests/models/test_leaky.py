"""Leaky networks with learnt time constants: equations, gradients, start values, constraints; U2, U3, U5, U9."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import neurodyn as nd
from neurodyn.models.time_constants import PARAMETRISATIONS

DOUBLE = torch.float64


def small(units=5, **options) -> Any:
    options = {"heads": 3, "inputs": 2, "dtype": DOUBLE, "seed": 4, **options}
    return nd.LeakyRNN(units, **options)


def digits(steps=6, batch=4, inputs=2, dtype=DOUBLE):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(steps, batch, inputs, generator=generator, dtype=dtype)


def written_out(net, x, draws, hold=1):
    """Equations 1 and 2 as they stand, unit by unit in numpy: states (time, batch, unit)."""
    f = {"leaky_relu": lambda u: np.where(u > 0, u, 0.01 * u), "tanh": np.tanh, "relu": lambda u: np.maximum(u, 0)}
    w, w_in = net.recurrent_weight.detach().numpy(), net.input_weight.detach().numpy()
    bias = net.input_bias.detach().numpy(), net.recurrent_bias.detach().numpy()
    tau = np.broadcast_to(net.tau.numpy(), (net.units,))
    alpha = 1 / np.maximum(tau * (hold if net.continuous else 1), 1)
    r, states = draws["state"].numpy(), []
    noise = draws["noise"].numpy() if "noise" in draws else np.zeros((len(x), len(r), net.units))
    for t in range(len(x)):
        new = np.empty_like(r)
        for i in range(net.units):
            total = sum(w[i, j] * r[:, j] for j in range(net.units) if j != i)
            u = total + x[t].numpy() @ w_in[i] + bias[0][i] + bias[1][i] + noise[t, :, i]
            if net.nonlinearity == "outer":
                new[:, i] = f[net.activation]((1 - alpha[i]) * r[:, i] + alpha[i] * u)
            else:
                new[:, i] = (1 - alpha[i]) * r[:, i] + alpha[i] * f[net.activation](u)
        r = new
        states.append(r)
    return np.stack(states)


@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
@pytest.mark.parametrize("activation", ["leaky_relu", "tanh", "relu"])
@pytest.mark.parametrize(("continuous", "noise", "hold"), [(False, 0.0, 1), (False, 0.4, 3), (True, 0.0, 3), (True, 0.4, 3)])  # fmt: skip
def test_equations(nonlinearity, activation, continuous, noise, hold):
    net = small(
        nonlinearity=nonlinearity, activation=activation, continuous=continuous, noise=noise, tau_initial=(1, 9)
    )
    net.time_constants.value.data[0] = 0.4  # below 1, or below a step of a digit held for three
    x = digits()
    draws = net.draws(len(x), x.shape[1], seed=2, step=7)
    states = net.run(x, hold=hold, draws=draws)
    expected = written_out(net, x, draws, hold)
    np.testing.assert_allclose(states.detach(), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(net.run(x, hold=hold, draws=draws, last=True).detach(), states[-1].detach())
    logits = net(x, hold=hold, draws=draws, every=True).detach()
    assert logits.shape == (6, 3, 4, 2)
    read = (
        np.einsum("tbn,hon->thbo", expected, net.readout_weight.detach()) + net.readout_bias.detach().numpy()[:, None]
    )
    np.testing.assert_allclose(logits, read, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(net(x, hold=hold, draws=draws).detach(), logits[-1], rtol=1e-12, atol=1e-14)


def test_clamp_of_tau():
    """U2: forward identical for tau = 0.2 and 1; no gradient below 1, one at 1 and above."""
    x, found, gradients = digits(), [], []
    for tau in (0.2, 1.0, 1.7):
        net = small(tau_initial=np.full(5, 1.5))
        net.time_constants.value.data.fill_(tau)
        logits = net(x, draws=net.draws(6, 4, seed=1, step=0))
        logits.square().sum().backward()
        found.append(logits.detach())
        gradients.append(net.time_constants.value.grad)
    assert torch.equal(found[0], found[1])
    assert not torch.allclose(found[1], found[2])
    assert (gradients[0] == 0).all() and (gradients[1] != 0).all() and (gradients[2] != 0).all()


@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
def test_no_self_connections(nonlinearity):
    """U3: the diagonal is zero after a pass, and whatever it was before has no effect."""
    found = []
    for value in (0.0, 5.0, -3.0):
        net = small(nonlinearity=nonlinearity)
        net.recurrent_weight.data.fill_diagonal_(value)
        found.append(net(digits(), draws=net.draws(6, 4, seed=1, step=0)).detach())
        assert (net.recurrent_weight.diagonal() == 0).all()
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    net = small(nonlinearity=nonlinearity, self_connections=True)
    before = net.recurrent_weight.diagonal().clone()
    net(digits())
    assert torch.equal(net.recurrent_weight.diagonal(), before) and (before != 0).all()


def loss_of(net, x, labels, draws, hold):
    logits = net(x, heads=2, draws=draws, hold=hold)
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / labels.shape[1]


VARIANTS = [
    {},
    {"nonlinearity": "inner", "activation": "tanh"},
    {"noise": 0.3},
    {"nonlinearity": "inner", "noise": 0.3, "continuous": True},
    {"continuous": True, "tau": "shared"},
    {"dale": 0.6, "connection_probability": 0.7, "activation": "sigmoid", "tau": 2.5},
    {"self_connections": True, "weight_initial": "normal", "gain": 1.2},
]


@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(map(str, o)) or "default")
@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_gradients_by_finite_differences(options, parametrisation):
    """U5: every entry of every parameter, through the loss; relative error below 1e-4 (here 1e-6)."""
    net = small(4, parametrisation=parametrisation, tau_initial=(1.2, 4.0), **options)
    x, labels, hold = digits(), torch.tensor([[0, 1, 1, 0], [1, 1, 0, 0]]), 2
    draws = net.draws(len(x), 4, seed=2, step=0)
    loss_of(net, x, labels, draws, hold).backward()
    learnt = dict(net.named_parameters())
    assert ("time_constants.value" in learnt) == (options.get("tau", "learn") in ("learn", "shared"))
    for name, parameter in learnt.items():
        numeric = torch.zeros_like(parameter)
        for index in np.ndindex(*parameter.shape):
            kept, around = float(parameter.data[index]), []
            for step in (1e-5, -1e-5):
                parameter.data[index] = kept + step
                around.append(float(loss_of(net, x, labels, draws, hold).detach()))
                parameter.data[index] = kept
            numeric[index] = (around[0] - around[1]) / 2e-5
        found = parameter.grad.clone()
        if name == "recurrent_weight" and not net.self_connections:
            found.fill_diagonal_(0.0)  # what a pass would clear has a gradient that comes to nothing
        assert float((found - numeric).norm()) <= 1e-6 * float(numeric.norm()) + 1e-9, name
        assert float(numeric.norm()) > 0, name


@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
def test_two_passes_before_one_step_back(nonlinearity):
    net, x = small(nonlinearity=nonlinearity), digits()
    draws = net.draws(6, 4, seed=1, step=0)
    (net(x, draws=draws).sum() + net(2 * x, draws=draws).sum()).backward()
    together = net.recurrent_weight.grad.clone()
    net.zero_grad()
    for factor in (1, 2):
        net(factor * x, draws=draws).sum().backward()
    torch.testing.assert_close(together, net.recurrent_weight.grad)


def test_start_values_are_those_of_the_published_networks():
    """U9, and 1.5 of the sheet: statistics of 500 units; its thresholds are about three standard deviations."""
    net = nd.LeakyRNN()
    net.requires_grad_(False)
    w = net.recurrent_weight
    assert abs(float(net.tau.mean()) - 1.5) < 0.04
    assert abs(float(net.tau.std()) - 12**-0.5) < 0.02
    assert float(net.tau.min()) >= 1 and float(net.tau.max()) <= 2
    assert abs(float(w.std()) - 0.0258) < 0.0003
    assert abs(float(torch.linalg.eigvals(w).abs().max()) - 0.58) < 0.02
    assert float(w.abs().max()) <= 500**-0.5
    assert abs(float(net.input_weight.abs().mean()) - 0.5) < 0.05
    assert float(net.input_bias.abs().max()) > 0.9
    assert 0.9 * 500**-0.5 < float(net.recurrent_bias.abs().max()) <= 500**-0.5
    assert 0.9 * 500**-0.5 < float(net.readout_weight.abs().max()) <= 500**-0.5
    assert net.readout_weight.shape == (100, 2, 500)
    state = net.draws(1, 256, seed=1, step=0)["state"]
    assert 0 < float(state.min()) and float(state.max()) < 0.1 and abs(float(state.mean()) - 0.05) < 1e-3  # noqa: SIM300


def test_one_seed_one_network():
    first, again, other = small(), small(), small(seed=5)
    for (name, a), b, c in zip(first.state_dict().items(), again.state_dict().values(), other.state_dict().values(), strict=True):  # fmt: skip
        assert torch.equal(a, b), name
        assert not torch.equal(a, c), name
    before = torch.get_rng_state()
    small()
    assert torch.equal(before, torch.get_rng_state())


def test_a_configuration_makes_the_network_again():
    options = {
        "tau_initial": [2.0, 3.0, 1.5, 1.0, 9.0],
        "parametrisation": "decay",
        "dale": 0.4,
        "connection_probability": 0.5,
        "initial_state": (-1, 1),
        "weight_initial": "orthogonal",
        "noise": 0.1,
    }
    net = small(**options)
    again = nd.LeakyRNN(**json.loads(json.dumps(net.config)), dtype=DOUBLE)
    for (name, a), b in zip(net.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    draws = net.draws(6, 4, seed=1, step=0)
    assert torch.equal(net(digits(), draws=draws), again(digits(), draws=draws))


@pytest.mark.parametrize("kind", ["uniform", "normal", "orthogonal"])
def test_start_weights(kind):
    """Spectral radius: 1/sqrt(3) for uniform ones in +-1/sqrt(n), 1 for the others, times the gain."""
    for gain in (1.0, 0.5):
        w = nd.LeakyRNN(300, heads=1, weight_initial=kind, gain=gain, seed=2, dtype=DOUBLE).recurrent_weight.detach()
        radius = float(torch.linalg.eigvals(w).abs().max())
        assert radius == pytest.approx(gain * (3**-0.5 if kind == "uniform" else 1), rel=0.1)
        if kind == "orthogonal":
            torch.testing.assert_close(w @ w.T, gain**2 * torch.eye(300, dtype=DOUBLE), rtol=0, atol=1e-12)


def test_dale_and_sparseness():
    net = nd.LeakyRNN(100, heads=1, dale=0.8, connection_probability=0.3)
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    absent = net.weights() == 0
    assert 0.25 < 1 - float(absent.double().mean()) < 0.35
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.ones(5, 8, 1), heads=1).square().mean().backward()
        optimizer.step()
        w = net.weights().detach()
        assert (w[:, :80] >= 0).all() and (w[:, 80:] <= 0).all()
        assert (w[absent] == 0).all()
    assert not torch.equal(net.weights(), nd.LeakyRNN(100, heads=1, dale=0.8, connection_probability=0.3).weights())


def test_tau_shared_fixed_and_given():
    assert [n for n, _ in small(tau=2.0).named_parameters() if "time" in n] == []
    assert small(tau=2.0).tau.tolist() == [2.0] * 5
    assert small(tau=[1, 2, 3, 4, 5]).tau.tolist() == [1, 2, 3, 4, 5]
    assert small(tau_initial=[1, 2, 3, 4, 5]).tau.tolist() == [1, 2, 3, 4, 5]
    for units in (1, 2, 5):
        shared = small(units, tau="shared", tau_initial=(2, 4))
        assert shared.time_constants.value.numel() == 1
        assert shared.tau.tolist() == [3.0] * units
    assert small(tau="shared", tau_initial=2.5).tau.tolist() == [2.5] * 5
    assert small(2, tau_initial=(2, 4)).tau.tolist() == [2.0, 4.0]


def test_draws_are_a_function_of_seed_and_step():
    net = small(noise=0.2)
    first, again, next_, other = (net.draws(6, 4, seed=s, step=k) for s, k in ((1, 0), (1, 0), (1, 1), (2, 0)))
    for name in ("state", "noise"):
        assert torch.equal(first[name], again[name])
        assert not (first[name] == next_[name]).any() and not (first[name] == other[name]).any()
    assert abs(float(net.draws(100, 100, seed=1, step=0)["noise"].std()) - 0.2) < 0.002
    torch.manual_seed(0)
    a, b = net(digits()), net(digits())
    torch.manual_seed(0)
    assert torch.equal(a, net(digits())) and not torch.equal(a, b)  # without draws: torch's generator, anew each time


def test_heads():
    net, x = small(heads=6), digits()
    draws = net.draws(6, 4, seed=1, step=0)
    whole = net(x, draws=draws)
    assert whole.shape == (6, 4, 2)
    for heads, rows in ((2, [0, 1]), ([0], [0]), ((4, 1), [4, 1]), (range(2, 5), [2, 3, 4]), ([3, 3], [3, 3])):
        torch.testing.assert_close(net(x, heads=heads, draws=draws), whole[rows])
    net(x, heads=[1, 4], draws=draws).sum().backward()
    assert [bool(g.any()) for g in net.readout_weight.grad] == [False, True, False, False, True, False]


def test_the_input_may_be_learnt_too():
    """An encoder before the network gets its gradient."""
    net, x = small(), digits().requires_grad_()
    draws = net.draws(6, 4, seed=1, step=0)
    assert torch.autograd.gradcheck(lambda x: net(x, draws=draws), [x])


@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
def test_bfloat16_is_near_float32(nonlinearity):
    """After 50 digits; the gradient of tau is what is left of terms that cancel, and was 8 and 10 % off, others 3 %."""
    nets: list[Any] = [
        nd.LeakyRNN(100, heads=4, precision=p, nonlinearity=nonlinearity) for p in ("float32", "bfloat16")
    ]
    x = nd.tasks.Parity().batch(12, 64, seed=1, length=50).inputs
    draws, found, gradients = nets[0].draws(50, 64, seed=1, step=0), [], []
    for net in nets:
        logits = net(x, draws=draws)
        assert logits.dtype == torch.float32
        logits.square().mean().backward()
        found.append(logits.detach())
        gradients.append({n: p.grad for n, p in net.named_parameters()})
    assert float((found[0] - found[1]).abs().max()) < 0.01
    for name, exact in gradients[0].items():
        off = float((gradients[1][name] - exact).norm() / exact.norm())
        assert gradients[1][name].dtype == torch.float32 and off < (0.15 if "time" in name else 0.05), (name, off)


def test_nothing_assumes_the_cpu():
    """Tensors without values of the "meta" device don't mix with others."""
    for options, kind in zip(VARIANTS, itertools.cycle(PARAMETRISATIONS), strict=False):
        net = small(parametrisation=kind, tau_bounds=(1, 9), **options).to("meta")
        draws = net.draws(6, 4, seed=1, step=0)
        for given in (draws, None):
            net(digits().to("meta"), heads=2, hold=2, draws=given).sum().backward()
        assert all(p.grad.device.type == "meta" for p in net.parameters())
        net.time_constants.set(np.full(1, 2.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "units = 0; give a whole number, at least 1"),
        ({"units": 2.5}, "units = 2.5"),
        ({"heads": True}, "heads = True"),
        ({"outputs": -1}, "outputs = -1"),
        ({"seed": -1}, "seed = -1; give a whole number from 0"),
        ({"seed": 2**63}, "seed = 9223372036854775808"),
        ({"tau": 0.5}, "tau starts at 0.5; 'raw' allows 1 and more"),
        ({"tau": None}, "tau starts at nan"),
        ({"tau": "learnt"}, "tau = 'learnt'; did you mean 'learn'"),
        ({"tau": [1, 2, 3]}, r"tau has shape \(3,\); give one number or an array \(5,\)"),
        ({"tau_initial": [1, 2, 3]}, r"tau_initial has shape \(3,\)"),
        ({"tau_initial": (2, 1)}, r"tau_initial = \(2, 1\); give \(low, high\)"),
        ({"tau_initial": (0.1, 0.2)}, "Raise tau or tau_initial"),
        ({"tau": "shared", "tau_initial": [1, 2, 3, 4, 5]}, "one shared tau needs"),
        ({"parametrisation": "log"}, "parametrisation = 'log'.*allowed are 'raw', 'alpha', 'sigmoid', 'decay'"),
        ({"nonlinearity": "out"}, "nonlinearity = 'out'; did you mean 'outer'"),
        ({"activation": "leakyrelu"}, "activation = 'leakyrelu'; did you mean 'leaky_relu'"),
        ({"precision": "float16"}, "precision = 'float16'; did you mean 'bfloat16'"),
        ({"weight_initial": "xavier"}, "weight_initial = 'xavier'"),
        ({"noise": -0.1}, "noise = -0.1; give 0 or a positive number"),
        ({"noise": float("nan")}, "noise = nan"),
        ({"gain": float("inf")}, "gain = inf"),
        ({"connection_probability": 0}, "connection_probability = 0; allowed is above 0 up to 1"),
        ({"dale": 1.5}, "dale = 1.5; give the share of excitatory units"),
        ({"initial_state": (1, 0)}, r"initial_state = \(1, 0\); give \(low, high\)"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        nd.LeakyRNN(options.pop("units", 5), **options)


def test_errors_of_a_pass():
    net = small()
    for shape in ((6, 4), (6, 4, 1), (0, 4, 2)):
        with pytest.raises(ValueError, match=r"needed is \(time, batch, 2\) with time >= 1"):
            net(torch.zeros(shape))
    for heads in (0, 4, -1):
        with pytest.raises(ValueError, match=f"heads = {heads}; the network has 3"):
            net(digits(), heads=heads)
    for heads in ([], [3], [-1, 0]):
        with pytest.raises(ValueError, match="the network has heads 0 to 2"):
            net(digits(), heads=heads)


# -- several in one ------------------------------------------------------------------------------------------------


def several() -> Any:
    return nd.LeakyRNN(5, heads=2, seed=[1, 2, 7], gain=[0.5, 1.0, 2.0], tau_initial=[(1, 2), (2, 3), (4, 4)],
                       dale=0.6, connection_probability=0.5)  # fmt: skip


def test_each_of_several_is_the_network_alone():
    nets = several()
    assert nets.many and nets.models == 3 and nets.tau.shape == (3, 5)
    for k, (seed, gain, tau) in enumerate(zip([1, 2, 7], [0.5, 1.0, 2.0], [(1, 2), (2, 3), (4, 4)], strict=True)):
        alone = nd.LeakyRNN(5, heads=2, seed=seed, gain=gain, tau_initial=tau, dale=0.6, connection_probability=0.5)
        one = nets.select(k)
        assert one.config == alone.config and not one.many
        for (name, a), (other, b) in zip(one.state_dict().items(), alone.state_dict().items(), strict=True):
            assert name == other and torch.equal(a, b)
    two = nets.select([2, 0])
    assert two.config["seed"] == [7, 1] and torch.equal(two.recurrent_weight[0], nets.recurrent_weight[2])
    assert nd.LeakyRNN(**two.config).config == two.config
    fixed = nd.LeakyRNN(2, heads=1, seed=[1, 2], tau=[[1.0, 2.0], [3.0, 4.0]])
    assert fixed.select(1).tau.tolist() == [3.0, 4.0]


def test_a_view_shares_its_parameters_and_a_selection_does_not():
    nets = several()
    nets.select(1).recurrent_weight.data.fill_(7.0)
    assert not (nets.recurrent_weight == 7).any()
    nets.view(1).recurrent_weight.data.fill_(7.0)
    assert (nets.recurrent_weight[1] == 7).all() and not (nets.recurrent_weight[[0, 2]] == 7).any()


@pytest.mark.parametrize(
    "call",
    [
        lambda nets: nets(torch.zeros(3, 2, 1)),
        lambda nets: nets.step(torch.zeros(5)),
        lambda nets: nets.weights(),
        lambda nets: nets.circuit(),
        lambda nets: nd.analysis.fixed_points(nets.step, torch.zeros(2, 5)),
    ],
)
def test_what_is_for_one_refuses_several(call):
    with pytest.raises(ValueError, match=r"holds 3 networks; take one: net.select\(0\)"):
        call(several())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": []}, "seed is empty"),
        ({"seed": [1, -1]}, "seed = -1"),
        ({"seed": [1, 2], "gain": [1.0]}, r"gain has shape \(1,\)"),
        ({"gain": [1.0, 2.0]}, r"gain has shape \(2,\)"),
        ({"seed": [1, 2], "gain": [1.0, -2.0]}, r"gain = -2.0"),
        ({"seed": [1, 2], "tau_initial": [(1, 2)]}, r"tau_initial has shape \(1, 2\)"),
        ({"seed": [1, 2], "tau": [[1.0], [2.0]]}, r"tau has shape \(1,\)"),
    ],
)
def test_several_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        nd.LeakyRNN(5, heads=1, **options)
    with pytest.raises(ValueError, match="models = 3"):
        several().select(3)
