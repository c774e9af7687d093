"""Free-running networks whose dynamics are known, because their weights were put there."""

from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis
from neurodyn.models.pvrnn import PVRNN


def network(**options):
    chosen = {"output": nd.SymbolCoding(symbols=2), "meta_prior": [0.1, 0.01], "seed": [1, 2]} | options
    return nd.PVRNN([nd.Layer(d=8, z=2, tau=2), nd.Layer(d=4, z=1, tau=4)], **chosen)


def test_exponents_are_the_speed_at_which_neighbours_part(chaotic):
    net = chaotic
    found = analysis.prior_lyapunov(net, runs=3, steps=400, discard=100)
    assert found.largest.shape == (1, 3) and (found.largest > 0.1).all()
    exact = nd.PVRNN(**net.config, dtype=torch.float64)
    exact.load_state_dict(net.state_dict())
    h = exact.generate(1, sequences=200, burn_in=300).h[:, :, -1]
    other = h + 1e-9 * torch.randn(h.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    eps = torch.zeros(1, 200, 1, dtype=torch.float64)
    apart = []
    for _ in range(40):
        h, other = exact.step(h, eps).h, exact.step(other, eps).h
        apart.append((other - h).norm(dim=-1).log().mean())
    slope = float((apart[-1] - apart[9]).detach()) / 30
    assert slope == pytest.approx(found.exponent[0], abs=0.03)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_written_tangent_gives_what_torch_differentiates(noise):
    class Other(PVRNN):
        def step(self, *args, **options):
            return super().step(*args, **options)

    net = network(top_down="current")
    other = Other(**net.config)
    options = {"noise": noise, "steps": 40, "discard": 5, "runs": 2, "count": 3}
    found = analysis.prior_lyapunov(net, **options)
    assert found.found.exponents.shape == (4, 3) and found.noise == noise
    np.testing.assert_allclose(found.found.rates, analysis.prior_lyapunov(other, **options).found.rates, atol=1e-7)


def test_models_are_what_they_are_alone():
    net = network()
    found = analysis.prior_lyapunov(net, noise=1.0, steps=60, discard=10, runs=2)
    alone = analysis.prior_lyapunov(net.select(1), noise=1.0, steps=60, discard=10, runs=2)
    np.testing.assert_allclose(found.largest[1], alone.largest[0], atol=0.05)  # first perturbations are others
    np.testing.assert_array_equal(found.meta_prior, [0.1, 0.01])
    assert "0.01" in str(found) and net.dtype == torch.float32


def test_a_weak_coupling_is_the_exponent():
    net = nd.PVRNN([nd.Layer(d=2, z=1, tau=1)], output=nd.SymbolCoding(symbols=2))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.stack[0].recurrent[0] = 0.002 * torch.eye(2)
    found = analysis.prior_lyapunov(net, noise=1.0, steps=40, discard=5, runs=1, count=None)
    np.testing.assert_allclose(found.found.exponents, np.log(2e-3), atol=1e-6)


def test_noise_out_of_range():
    with pytest.raises(ValueError, match="noise = -1"):
        analysis.prior_lyapunov(network(), noise=-1)


def test_other_networks():
    net: Any = nd.VRNN(output=nd.SymbolCoding(symbols=2))
    with pytest.raises(TypeError, match="net is a VRNN"):
        analysis.prior_lyapunov(net)
