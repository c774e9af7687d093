"""Networks whose choices come from their latents, or don't."""

from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis
from neurodyn.analysis.generation.shuffled_latents import replayed

CYCLE = nd.tasks.FiniteState.cycle()


def network() -> Any:
    net: Any = nd.PVRNN(
        [nd.Layer(d=6, z=2, tau=2)], output=nd.SymbolCoding(symbols=2), meta_prior=[0.1, 0.2], seed=[1, 2]
    )
    with torch.no_grad():
        net.stack[0].prior_bias[:, 1] = -0.5
        net.output_weight.mul_(3)
    return net


@pytest.mark.parametrize("around_mean", [True, False])
def test_latents_in_their_own_order_give_the_same(around_mean):
    net: Any = nd.PVRNN(**network().config, dtype=torch.float64).requires_grad_(False)
    start = torch.zeros(2, 3, 6, dtype=torch.float64)
    drawn = net.generate(60, sequences=3, start=start)
    z = drawn.z - drawn.prior_mean if around_mean else drawn.z
    assert torch.equal(replayed(net, start, z, around_mean=around_mean), drawn.values)


def test_before_is_what_the_network_generates():
    found = analysis.shuffled_prior(network(), CYCLE, steps=300, runs=4)
    assert len(found.before) == len(found.after) == 2
    assert (found.illegal != found.illegal_after).any()
    alone = analysis.shuffled_prior(network().select(1), CYCLE, steps=300, runs=4)
    np.testing.assert_array_equal(alone.after[0].count, found.after[1].count)
    np.testing.assert_array_equal(alone.before[0].count, found.before[1].count)
    assert "p(1|2)" in str(found) and "0.2" in str(found)


def every_other(driven=1.0):
    """A unit that alternates opens the noise every other step, and another one shows what it was."""
    net: Any = nd.PVRNN([nd.Layer(d=2, z=1, tau=1)], output=nd.SymbolCoding(symbols=2), meta_prior=0.1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.stack[0].recurrent[0, 0, 0] = -2.0
        net.stack[0].latent[0] = torch.tensor([[1e-3], [3 * driven]])
        net.stack[0].prior_weight[0, 1, 0, 0] = 4.0
        net.stack[0].prior_bias[0, 1, 0] = -4.0
        net.output_weight[0, 1, 1], net.output_bias[0, 1] = 6.0, -3.0
    return net


@pytest.mark.parametrize("part", ["latents", "noise"])
def test_noise_at_the_wrong_time_breaks_the_rules(part):
    machine = nd.tasks.FiniteState(((0, 1, 0, 1.0), (1, 0, 0, 0.6), (1, 0, 1, 0.4)))
    found = analysis.shuffled_prior(every_other(), machine, steps=400, runs=3, part=part)
    assert found.illegal[0] == 0 and found.illegal_after[0] > 0.05
    assert found.after[0][1, 1] < found.before[0][1, 1] - 0.1
    # Latents that drive nothing may come whenever they like.
    still = analysis.shuffled_prior(every_other(driven=0.0), machine, steps=400, runs=3, part=part)
    np.testing.assert_array_equal(still.before[0].count, still.after[0].count)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="net generates values"):
        analysis.shuffled_prior(nd.PVRNN([nd.Layer(d=2, z=1, tau=1)], output=nd.AnalogCoding()), CYCLE)
    with pytest.raises(ValueError, match="did you mean 'latents'"):
        analysis.shuffled_prior(network(), CYCLE, part="latent")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="steps = 1"):
        analysis.shuffled_prior(network(), CYCLE, steps=1)
