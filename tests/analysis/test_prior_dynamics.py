"""Free-running networks whose dynamics are known, because their weights were put there."""

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis
from neurodyn.models.pvrnn import PVRNN

CYCLE = nd.tasks.FiniteState.cycle()


def network(**options):
    chosen = {"output": nd.SymbolCoding(symbols=2), "meta_prior": [0.1, 0.01], "seed": [1, 2]} | options
    return nd.PVRNN([nd.Layer(d=8, z=2, tau=2), nd.Layer(d=4, z=1, tau=4)], **chosen)


def ring(quarters=1, noise=0.0):
    """Two units that turn by quarters of a circle each step, unless noise pushes them."""
    net = nd.PVRNN([nd.Layer(d=2, z=1, tau=1)], output=nd.SymbolCoding(symbols=2), meta_prior=[0.1])
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.stack[0].recurrent[0] = 2 * torch.matrix_power(torch.tensor([[0.0, -1.0], [1.0, 0.0]]), quarters)
        net.stack[0].latent[0] = torch.tensor([[1.0], [0.0]])
        net.stack[0].prior_bias[0, 1] = np.log(noise) if noise else -12.0
        net.output_weight[0] = torch.tensor([[0.0, 0.0], [5.0, 0.0]])
    return net


def chaotic(many=1):
    """A strongly coupled random network without any noise worth the name."""
    net = nd.PVRNN([nd.Layer(d=30, z=1, tau=1)], output=nd.SymbolCoding(symbols=2), seed=list(range(3, 3 + many)))
    with torch.no_grad():
        net.stack[0].recurrent.mul_(3.0)
        net.stack[0].prior_bias[:, 1] = -12.0
    return net


def test_exponents_are_the_speed_at_which_neighbours_part():
    net = chaotic()
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
    net = ring()
    with torch.no_grad():
        net.stack[0].recurrent.mul_(1e-3)
    found = analysis.prior_lyapunov(net, noise=1.0, steps=40, discard=5, runs=1, count=None)
    np.testing.assert_allclose(found.found.exponents, np.log(2e-3), atol=1e-3)


@pytest.mark.parametrize(("quarters", "period"), [(1, 4), (2, 2), (4, 1)])
def test_periods(quarters, period):
    found = analysis.noise_knockout(ring(quarters), CYCLE, runs=3, steps=80, settle=50, longest=40, n=4)
    np.testing.assert_array_equal(found.period, [[period] * 3])
    np.testing.assert_array_equal(found.output_period, [[period] * 3])
    assert found.periodic == [1.0]


def test_chaos_has_no_period():
    found = analysis.noise_knockout(chaotic(), CYCLE, runs=2, steps=80, settle=50, longest=40, n=4)
    np.testing.assert_array_equal(found.period, [[0, 0]])
    assert found.periodic == [0.0] and ">40" in str(found)


def test_noise_is_what_is_switched_off():
    found = analysis.noise_knockout(ring(noise=2.0), CYCLE, runs=4, steps=400, settle=50, longest=20, n=4)
    assert (found.output_period == 4).all()
    np.testing.assert_allclose(found.shares_silent, 0.5)
    # Without noise four words are left of the many with it; the cycle of period 4 is none of the machine's.
    assert (found.words_silent[0].generated > 0).sum() == 4 < (found.words[0].generated > 0).sum()
    assert found.words[0].divergence == found.divergence[0, 0] < found.divergence[1, 0]
    assert found.branches[0].visits.sum() > 0 and found.branches_silent[0] is not None
    assert "p(1|2)" in str(found)


def test_values_become_symbols_by_labels():
    net = network(output=nd.SoftmaxCoding(dims=2))
    options = {"runs": 3, "steps": 60, "settle": 20, "longest": 20, "n": 2}
    found = analysis.noise_knockout(net, labels=lambda v: (v[..., 0] > 0).astype(int), **options)
    assert found.words == (None, None) and found.words_silent[0].reference.sum() == pytest.approx(1)
    assert found.branches == (None, None) and np.isnan(found.divergence[0]).all()
    assert "w" in str(found)
    nothing = analysis.noise_knockout(net, labels=lambda v: [[] for _ in v], **options)
    assert nothing.words_silent == (None, None) and np.isnan(nothing.shares).all()
    with pytest.raises(ValueError, match="labels is missing"):
        analysis.noise_knockout(net, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "runs = 0"),
        ({"steps": 399}, "steps = 399: at least 400"),
        ({"tolerance": 0.0}, "tolerance = 0.0"),
        ({"settle": -1}, "settle = -1"),
        ({"n": 0}, "n = 0"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        analysis.noise_knockout(network(), CYCLE, **options)


def test_noise_out_of_range():
    with pytest.raises(ValueError, match="noise = -1"):
        analysis.prior_lyapunov(network(), noise=-1)


def test_other_networks():
    net = nd.VRNN(output=nd.SymbolCoding(symbols=2))
    with pytest.raises(TypeError, match="net is a VRNN"):
        analysis.prior_lyapunov(net)
