"""The product with the Jacobian of a step is what torch finds by differentiating it."""

import itertools
import warnings
from typing import Any

import pytest
import torch

import neurodyn as nd
from neurodyn.models.pvrnn_tangent import prior_tangent

LAYERS = [nd.Layer(d=5, z=2, tau=1.0), nd.Layer(d=4, z=1, tau=3.0), nd.Layer(d=3, z=1, tau=8.0)]


@pytest.mark.parametrize(
    ("top_down", "bottom_up", "prior"),
    list(itertools.product(("previous", "current"), (True, False), ("learned", "unit"))),
)
def test_forward_differentiation(top_down, bottom_up, prior):
    net: Any = nd.PVRNN(
        LAYERS,
        output=nd.AnalogCoding(),
        meta_prior=[0.1, 0.2],
        top_down=top_down,
        bottom_up=bottom_up,
        prior=prior,
        dtype=torch.float64,
    ).requires_grad_(False)
    made = torch.Generator().manual_seed(1)
    h, noise, v = (
        torch.randn(2, 3, *shape, generator=made, dtype=torch.float64)
        for shape in ((net.units,), (net.latents,), (net.units, 4))
    )
    if prior == "learned":
        net.stack[1].prior_bias[:, 1] = 5.0  # log sigma beyond what is cut off, where it has no gradient
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)  # torch's own, at the first use
        pairs = [torch.func.jvp(lambda x: net.step(x, noise).h, (h,), (v[..., k].contiguous(),)) for k in range(4)]
    found = prior_tangent(net, h, pairs[0][0], noise, v)
    torch.testing.assert_close(found, torch.stack([pair[1] for pair in pairs], -1), rtol=1e-12, atol=1e-13)
