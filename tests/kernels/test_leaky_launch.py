"""The compiled training step of leaky networks against autograd over the network as it is written."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch.nn import functional

import neurodyn as nd
from neurodyn.kernels.leaky_launch import LeakyStep
from neurodyn.kernels.rnn_scan import ACTIVATIONS

VARIANTS: dict[str, dict[str, Any]] = {
    "as by default": {},
    "signed and sparse": {"dale": 0.8, "connection_probability": 0.4},
    "self-connections, several inputs and outputs": {"self_connections": True, "inputs": 3, "outputs": 4},
    "one shared tau": {"tau": "shared"},
    "fixed taus": {"tau": 2.5},
    "tau as alpha": {"parametrisation": "alpha"},
    "tau as sigmoid": {"parametrisation": "sigmoid", "continuous": True},
    "tau as decay": {"parametrisation": "decay", "continuous": True},
    "tau of a digit": {"continuous": True},
}


def given(net, steps, batch, heads):
    made = torch.Generator().manual_seed(1)
    x = torch.randn(steps, batch, net.inputs, generator=made)
    labels = torch.randint(0, net.outputs, (heads, batch), generator=made)
    return x, labels, net.draws(steps, batch, seed=1, step=4)


def compared(units, batch, steps, *, heads=3, hold=1, tolerance=1e-12, threads=1, **options):
    """Check loss, logits and gradients; return the gradients."""
    net = nd.LeakyRNN(units, heads=5, seed=3, **{"dtype": torch.float64, "tau_initial": (1.0, 4.0), **options})
    x, labels, draws = given(net, steps, batch, heads)
    logits = net(x, heads=heads, hold=hold, draws=draws)
    loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / batch
    loss.backward()
    wanted: dict[str, Any] = {name: p.grad for name, p in net.named_parameters()}
    net.zero_grad()
    step = LeakyStep(net, threads=threads)
    found = step.logits(x, heads=heads, hold=hold, draws=draws)
    torch.testing.assert_close(found, logits.detach(), rtol=tolerance, atol=tolerance)
    alone = step.descend(x, labels, draws, hold=hold, per=1 / batch)
    torch.testing.assert_close(alone, loss.detach().double(), rtol=tolerance, atol=tolerance)
    for name, p in net.named_parameters():
        size = float(wanted[name].abs().max())
        assert p.grad is not None and (size > 0 or units == 1), name
        torch.testing.assert_close(p.grad, wanted[name], rtol=tolerance, atol=tolerance * size, msg=name)
    return {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
def test_gradient_of_each_recurrence(nonlinearity, activation):
    for noise, (units, batch, steps) in itertools.product((0.0, 0.3), ((21, 13, 7), (1, 1, 1), (5, 70, 4))):
        compared(units, batch, steps, nonlinearity=nonlinearity, activation=activation, noise=noise)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
def test_gradient_of_each_variant(nonlinearity, variant):
    options = VARIANTS[variant]
    compared(20, 70, 6, hold=3 if options.get("continuous") else 1, nonlinearity=nonlinearity, **options)


def test_float32_and_many_units():
    compared(150, 130, 9, dtype=torch.float32, tolerance=2e-5)
    compared(260, 70, 9)  # whose products are put together before


def test_threads_and_what_was_before_change_nothing():
    alone, shared = (compared(140, 200, 5, threads=threads) for threads in (1, 3))
    assert all(torch.equal(alone[name], shared[name]) for name in alone)
    net = nd.LeakyRNN(9, heads=5)
    step, others = LeakyStep(net), [given(net, *sizes) for sizes in ((20, 70, 5), (3, 4, 2))]
    for x, labels, draws in others:  # longer and shorter, with more heads and with fewer
        step.descend(x, labels, draws, hold=1, per=0.1)
    after = {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
    fresh = LeakyStep(net)
    fresh.descend(*others[1], hold=1, per=0.1)
    for name, p in net.named_parameters():
        assert p.grad is not None and torch.equal(p.grad, after[name]), name
    assert not after["readout_weight"][2:].any() and after["readout_weight"][:2].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", [5, 1300])
def test_draws_are_those_of_the_network(dtype, batch):
    net = nd.LeakyRNN(7, heads=1, noise=0.3, initial_state=(-0.2, 0.5), dtype=dtype)
    step = LeakyStep(net)
    for number in (0, 2**63 + 5):
        found, wanted = (of.draws(4, batch, seed=3, step=number) for of in (step, net))
        assert found.keys() == wanted.keys() == {"state", "noise"}
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_frozen_parameters_have_no_gradient():
    net = nd.LeakyRNN(6, heads=2)
    net.recurrent_weight.requires_grad_(False)
    LeakyStep(net).descend(*given(net, 3, 4, 2), hold=1, per=0.25)
    assert net.recurrent_weight.grad is None and net.input_weight.grad is not None


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("labels of shape", {"labels": torch.full((2, 4), 2)}),
        ("labels of shape", {"labels": torch.zeros(2, 5, dtype=torch.long)}),
        ("x has shape", {"x": torch.zeros(3, 4, 2)}),
        ("state has shape", {"draws": {"state": torch.zeros(4, 7)}}),
        ("noise has shape", {"draws": {"state": torch.zeros(4, 6), "noise": torch.zeros(2, 4, 6)}}),
    ],
)
def test_what_would_be_read_beyond_its_end_is_refused(what, changed):
    net = nd.LeakyRNN(6, heads=2)
    x, labels, draws = given(net, 3, 4, 2)
    call = {"x": x, "labels": labels, "draws": draws, **changed}
    with pytest.raises(ValueError, match=what):
        LeakyStep(net).descend(**call, hold=1, per=0.25)


class Doubled(nd.LeakyRNN):
    def weights(self):
        return 2 * super().weights()


def test_only_a_network_as_written_has_a_step_of_its_own():
    assert nd.LeakyRNN(4, heads=1).own_step() is not None
    assert nd.LeakyRNN(4, heads=1, precision="bfloat16").own_step() is None
    assert Doubled(4, heads=1).own_step() is None
    assert nd.GRU(4, heads=1).own_step() is None
    watched = nd.LeakyRNN(4, heads=1)
    watched.register_forward_hook(lambda *_: None)
    assert watched.own_step() is None
