"""Networks whose orbits without noise are known, because their weights were put there."""

from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis

CYCLE = nd.tasks.FiniteState.cycle()


def network(**options):
    chosen = {"output": nd.SymbolCoding(symbols=2), "meta_prior": [0.1, 0.01], "seed": [1, 2]} | options
    return nd.PVRNN([nd.Layer(d=8, z=2, tau=2), nd.Layer(d=4, z=1, tau=4)], **chosen)


def ring(quarters=1, noise=0.0) -> Any:
    """Two units that turn by quarters of a circle each step, unless noise pushes them."""
    net: Any = nd.PVRNN([nd.Layer(d=2, z=1, tau=1)], output=nd.SymbolCoding(symbols=2), meta_prior=[0.1])
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.stack[0].recurrent[0] = 2 * torch.matrix_power(torch.tensor([[0.0, -1.0], [1.0, 0.0]]), quarters)
        net.stack[0].latent[0] = torch.tensor([[1.0], [0.0]])
        net.stack[0].prior_bias[0, 1] = np.log(noise) if noise else -12.0
        net.output_weight[0] = torch.tensor([[0.0, 0.0], [5.0, 0.0]])
    return net


@pytest.mark.parametrize(("quarters", "period"), [(1, 4), (2, 2), (4, 1)])
def test_periods(quarters, period):
    found = analysis.noise_knockout(ring(quarters), CYCLE, runs=3, steps=80, settle=50, longest=40, n=4)
    np.testing.assert_array_equal(found.period, [[period] * 3])
    np.testing.assert_array_equal(found.output_period, [[period] * 3])
    assert found.periodic == [1.0] and len({len(line) for line in str(found).splitlines()}) == 1


def test_chaos_has_no_period(chaotic):
    found = analysis.noise_knockout(chaotic, CYCLE, runs=2, steps=80, settle=50, longest=40, n=4)
    np.testing.assert_array_equal(found.period, [[0, 0]])
    assert found.periodic == [0.0] and ">40" in str(found)


def test_noise_is_what_is_switched_off():
    found: Any = analysis.noise_knockout(ring(noise=2.0), CYCLE, runs=4, steps=400, settle=50, longest=20, n=4)
    assert (found.output_period == 4).all()
    np.testing.assert_allclose(found.shares_silent, 0.5)
    # Without noise four words are left of the many with it; the cycle of period 4 is none of the machine's.
    assert (found.words_silent[0].generated > 0).sum() == 4 < (found.words[0].generated > 0).sum()
    assert found.words[0].divergence == found.divergence[0, 0] < found.divergence[1, 0]
    assert found.branches[0].visits.sum() > 0 and found.branches_silent[0] is not None
    assert "p(1|2)" in str(found)


def test_values_become_symbols_by_labels():
    net = network(output=nd.SoftmaxCoding(dims=2))
    options: Any = {"runs": 3, "steps": 60, "settle": 20, "longest": 20, "n": 2}
    found: Any = analysis.noise_knockout(net, labels=lambda v: (v[..., 0] > 0).astype(int), **options)
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
