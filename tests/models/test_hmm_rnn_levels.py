"""The level of the noise: it scales a network without biases, and leaves its winners as they are; A4, A15."""

from __future__ import annotations

import copy
import math

import pytest
import torch

import neurodyn as nd

LEVELS = (0.5, 2.0, 4.0)


def changes(symbols):
    """Share of steps at which a symbol changes, in each sequence."""
    return (symbols[:, 1:] != symbols[:, :-1]).double().mean(1)


def levels_of(net):
    """Sequences at levels 1, 1/2, 2 and 4 under the same draws."""
    return {c: net.generate(20, 400, noise=c * net.noise, full=True, seed=7) for c in (1.0, *LEVELS)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("which", ["random", "trained"])
def test_without_biases_states_scale_with_the_noise_to_the_bit(which, dtype, emulator):
    net = copy.deepcopy(emulator) if which == "trained" else nd.HMMRNN(30, noise_inputs=8, noise=0.75, seed=2)
    net.to(dtype)
    found = levels_of(net)
    one = found.pop(1.0)
    assert one.states is not None and one.logits is not None and one.noise is not None
    assert one.states.isfinite().all() and 0.002 < changes(one.winners).mean() < 0.9
    for c, other in found.items():
        assert torch.equal(other.noise, c * one.noise)  # type: ignore[arg-type]
        assert torch.equal(other.states, c * one.states)  # type: ignore[arg-type]
        assert torch.equal(other.logits, c * one.logits)  # type: ignore[arg-type]
        assert torch.equal(other.winners, one.winners)
        assert not torch.equal(other.symbols, one.symbols)


@pytest.mark.parametrize("which", ["by hand", "trained"])
def test_winners_switch_alike_at_all_levels_and_symbols_less_and_less(which, emulator, by_hand):
    net = emulator if which == "trained" else by_hand(0.7, gain=2.0)
    rates = [changes(net.generate(100, 300, noise=c, seed=8).symbols) for c in (0.25, 0.5, 1.0, 2.0, 4.0)]
    for more, less in zip(rates, rates[1:], strict=False):
        fall = more - less  # the same draws at all levels, so sequences are compared one by one
        assert fall.mean() > 4 * fall.std() / math.sqrt(len(fall))
    winners = {tuple(net.generate(100, 300, noise=c, seed=8).winners.flatten().tolist()) for c in (0.25, 1.0, 4.0)}
    assert len(winners) == 1


def test_winners_of_an_autoregressive_process_switch_as_often_as_its_sign(by_hand):
    a = 0.7
    winners = by_hand(a, gain=2.0).generate(300, 1000, seed=9).winners
    rate = changes(winners)
    assert abs(rate.mean() - math.acos(a) / math.pi) < 4 * rate.std() / math.sqrt(len(rate))
    assert set(winners.flatten().tolist()) == {0, 2}


def test_with_biases_the_level_matters(by_hand):
    """Symbol 1 wins while |y| is below its bias, which the noise passes the more often the stronger it is."""
    a, gain, bias = 0.7, 2.0, 1.5
    net = by_hand(a, gain=gain, bias=bias)
    rates = []
    for c in (0.5, 1.0, 2.0):
        found = net.generate(300, 1000, noise=c, seed=9)
        share = (found.winners == 1).double().mean(1)
        expected = math.erf(bias / gain / (c / math.sqrt(1 - a**2)) / math.sqrt(2))
        assert abs(share.mean() - expected) < 4 * share.std() / math.sqrt(len(share))
        rates.append(changes(found.winners))
    assert (rates[2] - rates[0]).abs().mean() > 0.05
    drawn = nd.HMMRNN(7, noise_inputs=3, bias=True, seed=4)
    one, two = (drawn.generate(20, 100, noise=c, full=True) for c in (1.0, 2.0))
    assert one.states is not None and two.states is not None
    assert (two.states - 2 * one.states).abs().max() > 0.1 and not torch.equal(one.winners, two.winners)


def test_the_level_of_a_network_is_that_of_its_noise():
    loud, plain = nd.HMMRNN(7, noise=2.0), nd.HMMRNN(7)
    for a, b in ((loud.generate(3, 20), plain.generate(3, 20, noise=2.0)), (loud.generate(3, 20, noise=1.0), plain.generate(3, 20))):  # fmt: skip
        assert torch.equal(a.symbols, b.symbols)


def test_without_noise_rest_stays_rest():
    found = nd.HMMRNN(7).generate(2, 10, noise=0, full=True)
    assert found.states is not None and (found.states == 0).all() and (found.winners == 0).all()
    assert len(found.symbols.unique()) == 3
