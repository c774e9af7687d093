"""GRU and LSTM under heads: torch's equations, chrono initialisation, and how long it lets a state live."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd

GATED = [nd.GRU, nd.LSTM]


def inputs(steps=9, batch=4):
    return nd.tasks.Parity(probability=0.5).batch(2, batch, seed=3, length=steps).inputs


@pytest.mark.parametrize("kind", GATED)
def test_it_is_torchs_layer_from_zero_under_heads(kind):
    net, x = kind(6, heads=3, seed=2), inputs()
    states = net.layer(x)[0]
    assert torch.equal(net.run(x), states) and torch.equal(net.run(x, last=True), states[-1])
    expected = torch.einsum("bn,hon->hbo", states[-1], net.readout_weight) + net.readout_bias[:, None]
    torch.testing.assert_close(net(x), expected)
    assert net(x, heads=[2], every=True).shape == (9, 1, 4, 2)
    assert net.draws(9, 4, seed=1, step=0) == {}
    net(x, heads=2).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("kind", GATED)
def test_one_seed_one_network_and_its_configuration_makes_it_again(kind):
    net: Any = kind(6, heads=3, chrono=20, seed=2)
    again = kind(**json.loads(json.dumps(net.config)))
    other = kind(6, heads=3, chrono=20, seed=3)
    for (name, a), b, c in zip(net.state_dict().items(), again.state_dict().values(), other.state_dict().values(), strict=True):  # fmt: skip
        assert torch.equal(a, b), name
        assert not torch.equal(a, c), name
    bound = 6**-0.5
    plain = kind(6, heads=3, seed=2)
    assert all(float(p.detach().abs().max()) <= bound for p in plain.parameters())
    assert torch.equal(plain.layer.weight_hh_l0, net.layer.weight_hh_l0)  # chrono changes biases alone


def gate(net, number):
    rows = slice(number * net.units, (number + 1) * net.units)
    return (net.layer.bias_ih_l0 + net.layer.bias_hh_l0).detach()[rows].double()


@pytest.mark.parametrize(("kind", "number"), [(nd.GRU, 1), (nd.LSTM, 1)])
@pytest.mark.parametrize("longest", [5, 100])
def test_chrono_biases(kind, number, longest):
    """ln u, u uniform in (1, T - 1): what a gate keeps lies in [1/2, (T - 1)/T], and 1/(1 - that) - 1 is uniform."""
    count = 400
    keep = torch.sigmoid(gate(kind(count, heads=1, chrono=longest, dtype=torch.float64), number))
    assert float(keep.min()) >= 0.5 and float(keep.max()) <= (longest - 1) / longest
    spans = 1 / (1 - keep) - 1
    low, high = 1, longest - 1
    standard_error = (high - low) / (12 * count) ** 0.5
    assert abs(float(spans.mean()) - (low + high) / 2) < 5 * standard_error
    quartiles = np.quantile(spans, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, low + (high - low) * np.array([0.25, 0.5, 0.75]), atol=5 * 2 * standard_error)


def test_chrono_of_the_lstm_closes_the_input_gate_as_far():
    net = nd.LSTM(50, heads=1, chrono=30)
    torch.testing.assert_close(gate(net, 0), -gate(net, 1))
    plain = nd.LSTM(50, heads=1)
    for number in (2, 3):  # candidate and output
        assert torch.equal(gate(net, number), gate(plain, number))


def test_the_update_gate_of_torchs_gru_is_what_is_kept():
    """Open at 1, it leaves the state as it was; Tallec & Ollivier write the gate of what is new."""
    net: Any = nd.GRU(4, heads=1)
    h = torch.full((1, 2, 4), 0.7)
    x = torch.ones(1, 2, 1)
    for bias, expected in ((40.0, h), (-40.0, None)):
        with torch.no_grad():
            net.layer.bias_ih_l0[4:8] = bias
        after = net.layer(x, h)[1]
        if expected is not None:
            torch.testing.assert_close(after, expected)
        else:
            assert (after - h).abs().min() > 0.01


def survival(net, steps):
    """Steps until a small change of each unit's own state is below 1/e of what it was, (unit,)."""
    x = torch.zeros(steps, net.units + 1, 1)
    change = 1e-4 * torch.cat([torch.zeros(1, net.units), torch.eye(net.units)])[None]
    start = change if isinstance(net, nd.GRU) else (torch.zeros_like(change), change)
    with torch.no_grad():
        left, state = [], start
        for t in range(steps):
            state = net.layer(x[t : t + 1], state)[1]
            memory = state if isinstance(net, nd.GRU) else state[1]
            left.append((memory[0, 1:] - memory[0, :1]).diagonal())
    alive = torch.stack(left).abs() > 1e-4 / np.e
    return alive.int().cumprod(0).sum(0)


@pytest.mark.parametrize("kind", GATED)
def test_chrono_makes_long_memory(kind):
    """Measured on the network: median survival of a change, in steps, without chrono and for T = 100."""
    units, steps = 100, 200
    plain, chrono = (
        survival(kind(units, heads=1, chrono=longest, dtype=torch.float32), steps) for longest in (None, 100)
    )
    assert float(plain.float().median()) <= 2
    assert 25 < float(chrono.float().median()) < 75
    net = kind(units, heads=1, chrono=100)
    expected = torch.exp(gate(net, 1))  # a unit that keeps u/(1+u) of its state: about u steps
    assert float(torch.corrcoef(torch.stack([chrono.double(), expected]))[0, 1]) > 0.9


def test_forget_times_are_those_of_a_loop_over_a_cell():
    net, x = nd.LSTM(7, heads=1, chrono=20, seed=5, dtype=torch.float64), inputs(30, 6).double()
    cell = torch.nn.LSTMCell(1, 7, dtype=torch.float64)
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).copy_(getattr(net.layer, f"{name}_l0"))
        h, c, gates = torch.zeros(6, 7).double(), torch.zeros(6, 7).double(), []
        for t in range(30):
            four = x[t] @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias_ih + cell.bias_hh
            kept = torch.sigmoid(four[:, 7:14])
            new = torch.sigmoid(four[:, :7]) * torch.tanh(four[:, 14:21])
            after = cell(x[t], (h, c))
            torch.testing.assert_close(after[1], kept * c + new)  # the rows are those of the forget gate
            gates.append(kept)
            h, c = after
    expected = 1 / (1 - torch.stack(gates).mean((0, 1)))
    torch.testing.assert_close(net.forget_times(x), expected)
    assert float(expected.min()) > 1.5


@pytest.mark.parametrize("kind", GATED)
@pytest.mark.parametrize("chrono", [2, 0, -3, True, float("nan")])
def test_errors(kind, chrono):
    with pytest.raises(ValueError, match=rf"chrono = {chrono}; give the longest dependency in steps, above 2"):
        kind(4, chrono=chrono)


@pytest.mark.parametrize("kind", GATED)
def test_nothing_assumes_the_cpu(kind):
    net = kind(4, heads=2, chrono=9).to("meta")
    net(torch.zeros(5, 3, 1, device="meta"), draws=net.draws(5, 3, seed=1, step=0)).sum().backward()
    if kind is nd.LSTM:
        assert net.forget_times(torch.zeros(5, 3, 1, device="meta")).device.type == "meta"
