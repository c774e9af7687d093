"""Optimisers for many small arrays against those of torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from neurodyn.kernels.descent import SGD, Adam, clip

OPTIONS = {"rates": [0.01], "betas": (0.8, 0.95)}


def parameters(dtype=torch.float64, seed: int = 1) -> list[Parameter]:
    made = torch.Generator().manual_seed(seed)
    return [Parameter(torch.randn(shape, dtype=dtype, generator=made)) for shape in ((3, 5), (4,), (1, 1, 1), (0,))]


def trained(values, optimizer, steps: int) -> list[Parameter]:
    for _ in range(steps):
        optimizer.zero_grad()
        torch.stack([(v.sin() * v.detach().square()).sum() for v in values]).sum().backward()
        optimizer.step()
    return values


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
def test_it_is_that_of_torch(dtype, tolerance):
    ours, theirs = parameters(dtype), parameters(dtype)
    trained(ours, Adam(ours, **OPTIONS), 20)
    trained(theirs, torch.optim.Adam(theirs, lr=0.01, betas=(0.8, 0.95)), 20)
    for one, other, start in zip(ours, theirs, parameters(dtype), strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
        assert one.numel() == 0 or not torch.equal(one, start)


def test_a_number_has_the_same_bits_wherever_it_stands():
    whole = Parameter(torch.randn(3, 37, generator=torch.Generator().manual_seed(1)))
    parts = [Parameter(row.clone()) for row in whole.detach().flatten().split([1, 7, 40, 63])]
    trained([whole], Adam([whole], **OPTIONS), 5)
    trained(parts, Adam(parts, **OPTIONS), 5)
    assert torch.equal(whole.detach().flatten(), torch.cat([part.detach() for part in parts]))


def test_it_goes_on_from_its_state():
    once, twice = parameters(), parameters()
    trained(once, Adam(once, **OPTIONS), 7)
    begun = Adam(twice, **OPTIONS)
    trained(twice, begun, 4)
    again = Adam(twice, **OPTIONS)
    for p in twice:
        again.state[p].update({name: value.clone() for name, value in begun.state[p].items()})
    trained(twice, again, 3)
    assert all(torch.equal(one, other) for one, other in zip(once, twice, strict=True))


def test_a_parameter_without_a_gradient_stays():
    values = parameters()
    optimizer, before = Adam(values, **OPTIONS), values[0].detach().clone()
    values[1].grad = torch.ones_like(values[1])
    optimizer.step()
    assert torch.equal(values[0].detach(), before)
    assert optimizer.state[values[0]]["step"] == 0 and optimizer.state[values[1]]["step"] == 1
    optimizer.zero_grad()
    assert values[1].grad is None


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
def test_sgd_is_that_of_torch(dtype, tolerance, momentum):
    ours, theirs = parameters(dtype), parameters(dtype)
    trained(ours, SGD(ours, [0.01], momentum=momentum), 20)
    trained(theirs, torch.optim.SGD(theirs, lr=0.01, momentum=momentum, nesterov=momentum > 0), 20)
    for one, other, start in zip(ours, theirs, parameters(dtype), strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
        assert one.numel() == 0 or not torch.equal(one, start)


@pytest.mark.parametrize("made", [lambda p, r: Adam(p, r, betas=(0.8, 0.95)), lambda p, r: SGD(p, r, momentum=0.5)])
def test_models_have_rates_of_their_own_and_stay_when_they_are_done(made):
    start = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(2))
    rates, gradients = [0.1, 0.01, 0.3], torch.randn(6, 3, 4, 5, generator=torch.Generator().manual_seed(3))
    many = Parameter(start.clone())
    together = made([many], rates)
    for k, g in enumerate(gradients):
        many.grad = g.clone()
        together.step(np.array([True, k < 4, True]))
    for m, steps in enumerate((6, 4, 6)):
        alone = Parameter(start[m].clone())
        optimizer = made([alone], rates[m : m + 1])
        for g in gradients[:steps, m]:
            alone.grad = g.clone()
            optimizer.step()
        assert torch.equal(many.detach()[m], alone.detach())


def test_clip_is_that_of_torch_for_each_model():
    made = torch.Generator().manual_seed(4)
    gradients = [torch.randn(3, *shape, generator=made, dtype=torch.float64) for shape in ((7,), (2, 5))]
    gradients[0][1] *= 100

    def with_gradients(parts):
        values = [Parameter(torch.zeros_like(g)) for g in parts]
        for p, g in zip(values, parts, strict=True):
            p.grad = g.clone()
        return values

    together = with_gradients(gradients)
    norms = clip(together, 5.0, models=3)
    for m in range(3):
        alone = with_gradients([g[m] for g in gradients])
        norm = torch.nn.utils.clip_grad_norm_(alone, 5.0)
        assert norms[m] == pytest.approx(float(norm), rel=1e-14)
        for p, q in zip(together, alone, strict=True):
            assert p.grad is not None and q.grad is not None
            torch.testing.assert_close(p.grad[m], q.grad, rtol=1e-14, atol=0)
    assert norms[1] > 5 > norms[0]
    huge = with_gradients([torch.full((4,), 1e30)])
    assert clip(huge, None)[0] == pytest.approx(2e30) and huge[0].grad is not None and huge[0].grad[0] == 1e30
