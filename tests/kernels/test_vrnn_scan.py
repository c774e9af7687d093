"""The steps of a VRNN: torch's own cell and gradient as oracles."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from neurodyn.kernels.vrnn_scan import Weights, follow, scan

M, S, T, D, N, Z = 2, 3, 4, 3, 5, 2


def drawn(*, dtype=torch.float64) -> tuple[list[Tensor], Tensor, Tensor]:
    made = torch.Generator().manual_seed(1)
    shapes = [(M, D, N + 3 * D), (M, N, 2 * Z), (M, 2 * Z), (M, Z, N), (M, N), (M, N, 3 * D)]
    weights, seen, eps = (
        [torch.randn(shape, generator=made, dtype=dtype) for shape in group]
        for group in (shapes, [(T, M, S, N + 3 * D)], [(T, M, S, Z)])
    )
    return weights, seen[0], eps[0]


def test_gradient_is_that_of_central_differences():
    weights, seen, eps = drawn()
    given = [each.requires_grad_() for each in (seen, *weights)]
    assert torch.autograd.gradcheck(lambda seen, *weights: tuple(scan(Weights(*weights), seen, eps)), given)


def test_steps_are_those_of_torch():
    """A posterior of two layers, and ``nn.GRUCell``, one model at a time."""
    weights, seen, eps = drawn()
    w, found = Weights(*weights), scan(Weights(*weights), seen, eps)
    for m in range(M):
        cell = nn.GRUCell(3 * D + N, D, dtype=torch.float64)
        cell.weight_ih.data = torch.cat([torch.eye(3 * D), w.gates[m].T], 1)  # what is seen goes to the gates as it is
        cell.weight_hh.data = w.state[m, :, N:].T
        cell.bias_ih.data.zero_()
        cell.bias_hh.data.zero_()
        h = torch.zeros(S, D, dtype=torch.float64)
        for t in range(T):
            hidden = torch.relu(h @ w.state[m, :, :N] + seen[t, m, :, :N])
            mean, raw = (hidden @ w.head[m] + w.head_bias[m]).chunk(2, -1)
            sigma = torch.log1p(raw.exp()) + 1e-4
            embedded = torch.relu((mean + sigma * eps[t, m]) @ w.embed[m] + w.embed_bias[m])
            h = cell(torch.cat([seen[t, m, :, N:], embedded], 1), h)
            wished = (h, mean, sigma, embedded)
            for made, wanted in zip((found.states[1:], *found[1:]), wished, strict=True):
                torch.testing.assert_close(made[t, m], wanted, rtol=1e-12, atol=1e-12)
    assert not found.states[0].any()


def test_a_step_alone_is_one_of_the_scan():
    weights, seen, eps = drawn(dtype=torch.float32)
    found = scan(Weights(*weights), seen, eps)
    for t in range(T):
        alone = follow(Weights(*weights), found.states[t], seen[t], eps[t])
        assert torch.equal(alone.state, found.states[t + 1]) and torch.equal(alone.mean, found.mean[t])


@pytest.mark.parametrize("steps", [1, 2])
def test_few_steps_have_a_gradient(steps):
    weights, seen, eps = drawn()
    weights = [each.requires_grad_() for each in weights]
    scan(Weights(*weights), seen[:steps], eps[:steps]).states.sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in weights)
