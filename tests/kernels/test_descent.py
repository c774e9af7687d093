"""Adam for many small arrays against that of torch."""

from __future__ import annotations

import pytest
import torch
from torch.nn import Parameter

from neurodyn.kernels.adam import Adam

OPTIONS = {"lr": 0.01, "betas": (0.8, 0.95)}


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
    trained(theirs, torch.optim.Adam(theirs, **OPTIONS), 20)
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
