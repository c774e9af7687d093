"""The particle filter against the forward algorithm of a hidden Markov model, whose likelihood is known."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.training.particles import particle_filter

MOVES = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]])  # from, to
EMITS = np.array([[0.9, 0.1], [0.4, 0.6], [0.02, 0.98]])
FIRST = np.array([0.6, 0.2, 0.2])
CODING = nd.SymbolCoding(symbols=2)
DATA = [[0, 1, 1, 0, 1, 1, 1, 0], [0, 0, np.nan, np.nan, 1], [1]]


def likelihood(sequence):
    """By the forward algorithm, nats."""
    alpha, total = FIRST, 0.0
    for t, symbol in enumerate(sequence):
        alpha = alpha if t == 0 else alpha @ MOVES
        alpha = alpha if math.isnan(symbol) else alpha * EMITS[:, int(symbol)]
        total += math.log(alpha.sum())
        alpha = alpha / alpha.sum()
    return total


def filtered(data, particles, *, seed=1, models=1, uniform=False):
    """The bound by particles that are states of the model, drawn by its moves or uniformly."""
    encoded = CODING.encode(data)
    net: Any = SimpleNamespace(models=models, output=CODING)
    count = len(encoded.lengths) * particles
    draws = torch.Generator().manual_seed(seed)
    moves, emits, first = (torch.from_numpy(v) for v in (MOVES, EMITS, FIRST))

    def move(state, t):
        p = first.expand(models, count, 3) if t == 0 else moves[state[..., 0].long()]
        q = torch.full_like(p, 1 / 3) if uniform else p
        drawn = torch.multinomial(q.reshape(-1, 3), 1, generator=draws).view(models, count, 1)
        inputs = emits[drawn[..., 0]].log()
        weight = (p.gather(2, drawn) / q.gather(2, drawn))[..., 0].log()
        return (drawn.double(), inputs, weight) if uniform else (drawn.double(), inputs)

    start = torch.zeros(models, count, 1, dtype=torch.float64)
    return particle_filter(net, encoded, move, start, particles=particles, seed=seed)


def test_with_many_particles_it_is_the_likelihood():
    found = torch.cat([filtered(DATA, 20_000, seed=s) for s in range(5)])
    expected = torch.tensor([likelihood(v) for v in DATA], dtype=torch.float64)
    torch.testing.assert_close(found.mean(0), expected, rtol=0, atol=0.04)  # of one, the error is some 0.02
    assert float(found.std(0).max()) < 0.05


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("particles", [1, 3, 20])
def test_the_mean_of_the_estimated_likelihood_is_the_likelihood(particles, uniform):
    """However few there are, and however latents are drawn; so that the mean of the logarithm lies below."""
    copies = 4000
    data = [DATA[0][:5]] * copies
    found = filtered(data, particles, uniform=uniform)[0]
    expected = likelihood(DATA[0][:5])
    each = (found - expected).exp()
    assert abs(float(each.mean()) - 1) < 4.5 * float(each.std()) / math.sqrt(copies)
    below = found[torch.isfinite(found)].mean() if uniform else found.mean()
    assert float(below) < expected


def test_missing_values_are_summed_over():
    found = filtered([[0, np.nan, np.nan, 1]], 20_000)
    torch.testing.assert_close(float(found), likelihood([0, math.nan, math.nan, 1]), rtol=0, atol=0.02)
    nothing = filtered([[np.nan, np.nan], [0, 1]], 7)
    assert float(nothing[0, 0]) == pytest.approx(0, abs=1e-12)


def test_a_sequence_that_is_over_counts_no_more():
    alone = filtered([[1]], 5)
    beside = filtered([[1], [0] * 30], 5)
    assert float(beside[0, 0]) == pytest.approx(float(alone), abs=1e-12)  # of the same draws


def test_particles_that_explain_go_on_and_the_others_do_not():
    """A state that never changes: after the first symbol, all particles but those that explain it are gone."""
    coding, particles = nd.SymbolCoding(symbols=2), 1000
    encoded = coding.encode([[0, 0, 0]])
    net: Any = SimpleNamespace(models=1, output=coding)
    states = []

    def move(state, t):
        states.append(state)
        return state, torch.where(state == 0, torch.tensor([0.0, -1e4]), torch.tensor([-1e4, 0.0]))

    start = (torch.arange(particles) % 4 > 0).double()[None, :, None]  # one in four is in state 0
    found = particle_filter(net, encoded, move, start, particles=particles, seed=1)
    assert float(found) == pytest.approx(math.log(0.25)) and (states[1] == 0).all() and (states[2] == 0).all()


def test_draws_are_systematic():
    """Each particle has as many successors as its weight wants, but for less than one."""
    coding, particles = nd.SymbolCoding(symbols=2), 64
    encoded = coding.encode([[0, 0]])
    net: Any = SimpleNamespace(models=1, output=coding)
    weights = torch.rand(particles, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    after = []

    def move(state, t):
        after.append(state[0, :, 0].long())
        p = weights[state[0, :, 0].long()]
        return state, torch.stack([p, 1 - p], -1).log()[None]

    start = torch.arange(particles, dtype=torch.float64)[None, :, None]
    particle_filter(net, encoded, move, start, particles=particles, seed=3)
    found = torch.bincount(after[1], minlength=particles)
    wanted = weights / weights.sum() * particles
    assert ((found - wanted).abs() < 1).all()


def test_models_do_not_touch_each_other():
    """Two models that move alike, and by the same numbers for drawing anew, have the same bound."""
    net: Any = SimpleNamespace(models=2, output=CODING)
    encoded = CODING.encode(DATA)
    count = 3 * 50
    draws = torch.randn(8, 1, count, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def move(state, t):
        state = 0.5 * state + draws[t]
        return state, torch.cat([state, -state], -1)

    both = particle_filter(net, encoded, move, torch.zeros(2, count, 1, dtype=torch.float64), particles=50, seed=1)
    net.models = 1
    one = particle_filter(net, encoded, move, torch.zeros(1, count, 1, dtype=torch.float64), particles=50, seed=1)
    assert torch.equal(both, one.expand(2, -1))
