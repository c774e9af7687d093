"""A driven network forward and back in kept memory, against the scan and autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from neurodyn.kernels.driven_scan import DrivenScan
from neurodyn.kernels.rnn_scan import scan

STEPS, BATCH, UNITS, INPUTS, SYMBOLS = 11, 20, 30, 7, 3


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def given(dtype: torch.dtype, seed: int, bias: bool) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Weights, input and a gradient of the logits."""
    made = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=made, dtype=dtype)

    weights = {
        "recurrent_weight": normal(UNITS, UNITS) / UNITS**0.5,
        "noise_weight": normal(UNITS, INPUTS),
        "readout_weight": normal(SYMBOLS, UNITS),
    }
    if bias:
        weights["readout_bias"] = normal(SYMBOLS)
    return weights, normal(STEPS, BATCH, INPUTS), normal(STEPS * BATCH, SYMBOLS)


def plain(weights, x, to_logits) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    w = {name: value.clone().requires_grad_() for name, value in weights.items()}
    start = x.new_zeros(BATCH, UNITS)
    states = scan(w["recurrent_weight"], w["noise_weight"], x, start, activation="relu")
    logits = torch.nn.functional.linear(states, w["readout_weight"], w.get("readout_bias")).flatten(0, 1)
    logits.backward(to_logits)
    return states.detach(), logits.detach(), {name: value.grad for name, value in w.items()}  # type: ignore[misc]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [False, True])
def test_it_has_the_bits_of_autograd(dtype, bias):
    """Also in memory that an earlier pass has left full."""
    kept = DrivenScan((), STEPS, BATCH, UNITS, dtype=dtype)
    for seed in (1, 2):
        weights, x, to_logits = given(dtype, seed, bias)
        states, logits, gradients = plain(weights, x, to_logits)
        assert torch.equal(kept.forward(weights, x), logits) and torch.equal(kept.states, states)
        found = kept.backward(weights, x, to_logits)
        assert found.keys() == gradients.keys()
        assert all(torch.equal(found[name], gradients[name]) for name in found)
        assert bool((states == 0).any()) and bool((states > 0).any())


@pytest.mark.parametrize("bias", [False, True])
def test_many_models_at_once_are_each_of_them(bias):
    each: Any = [given(torch.float64, seed, bias) for seed in (1, 2, 3)]
    weights = {name: torch.stack([w[name] for w, *_ in each]) for name in each[0][0]}
    x, to_logits = (torch.stack([one[k] for one in each]) for k in (1, 2))
    kept = DrivenScan((3,), STEPS, BATCH, UNITS, dtype=torch.float64)
    logits, gradients = kept.forward(weights, x), kept.backward(weights, x, to_logits)
    for k, one in enumerate(each):
        _, wished, parts = plain(*one)
        torch.testing.assert_close(logits[k], wished)
        for name, value in parts.items():
            torch.testing.assert_close(gradients[name][k], value, rtol=1e-10, atol=1e-10)
