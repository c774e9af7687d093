"""Hidden Markov models: the published targets, sampling, alignment, bad input (A1)."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.tasks import HiddenMarkov

FAMILIES = {
    "two": HiddenMarkov.chain(2),
    "three": HiddenMarkov.chain(3),
    "four": HiddenMarkov.chain(4),
    "five": HiddenMarkov.chain(5),
    "fully": HiddenMarkov.fully_connected(),
    "cyclic": HiddenMarkov.cyclic(),
}


@pytest.mark.parametrize("states, step", [(2, 0.05), (3, 0.22361), (4, 0.36840), (5, 0.47287)])
def test_linear_chain(states, step):
    model = HiddenMarkov.chain(states)
    inside = np.diag(np.full(states - 1, step), 1) + np.diag(np.full(states - 1, step), -1)
    np.testing.assert_allclose(model.transition - np.diag(np.diag(model.transition)), inside, atol=5e-6)
    np.testing.assert_allclose(model.transition.sum(axis=1), 1, atol=1e-15)
    assert np.prod(np.diag(model.transition, 1)) == pytest.approx(0.05, rel=1e-14)
    np.testing.assert_allclose(model.start, 1 / states, rtol=1e-14)  # symmetric matrices
    np.testing.assert_allclose(model.emission[[0, -1]], [[0.99, 0.01, 0], [0, 0.01, 0.99]])
    np.testing.assert_allclose(model.emission.mean(axis=0), [0.495, 0.01, 0.495], rtol=1e-14)


def test_other_presets():
    fully, ring = HiddenMarkov.fully_connected(), HiddenMarkov.cyclic()
    np.testing.assert_allclose(fully.transition, [[0.95, 0.025, 0.025], [0.025, 0.95, 0.025], [0.025, 0.025, 0.95]])
    np.testing.assert_allclose(fully.emission, [[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]])
    np.testing.assert_allclose(ring.transition[0], [0.95, 0.025, 0, 0.025])
    np.testing.assert_allclose(ring.transition, ring.transition.T)
    np.testing.assert_allclose(ring.emission.argmax(axis=1), [0, 1, 2, 1])
    assert HiddenMarkov.chain(2, crossing=0.15).transition[0, 1] == pytest.approx(0.15)
    assert HiddenMarkov.chain(6, crossing=0.03).states == 6


def test_a_start_of_ones_own_and_the_stationary_one():
    transition, emission = [[0.9, 0.1], [0.3, 0.7]], np.eye(2)
    assert HiddenMarkov(transition, emission).start == pytest.approx([0.75, 0.25])
    model = nd.tasks.HiddenMarkov(transition, emission, start=[0, 1])
    assert model.start.tolist() == [0, 1] and model.stationary == pytest.approx([0.75, 0.25])
    assert HiddenMarkov(np.eye(2), np.eye(2), start=[0.5, 0.5]).states == 2
    stored = json.loads(json.dumps(model.config))
    assert stored.pop("task") == "HiddenMarkov"
    assert HiddenMarkov(**stored).config == model.config


def z_scores(per_sequence, expected):
    """(sequence, ...) against what is expected, in standard errors over independent sequences."""
    error = per_sequence.std(axis=0, ddof=1) / np.sqrt(len(per_sequence))
    return (per_sequence.mean(axis=0) - expected) / np.where(error > 0, error, np.inf)


@pytest.mark.parametrize("name", FAMILIES)
def test_samples_have_the_statistics_of_the_model(name):
    """10^5 steps. At most 33 verdicts a family at 4.5 standard errors (7e-6): a false alarm in 1 of 700 seeds."""
    model = FAMILIES[name]
    states, symbols = (x.numpy() for x in model.sample(1000, 100, seed=11))
    marginal = np.stack([(symbols == k).mean(axis=1) for k in range(3)], axis=1)
    pairs = np.array([[(symbols[:, :-1] == i) & (symbols[:, 1:] == j) for j in range(3)] for i in range(3)])
    assert np.abs(z_scores(marginal, model.marginal)).max() < 4.5
    assert np.abs(z_scores(np.moveaxis(pairs.mean(axis=-1), -1, 0), model.bigrams)).max() < 4.5
    assert abs(z_scores((np.diff(symbols) != 0).sum(axis=1), model.volatility(100))) < 4.5
    moved = np.array([(states[:, :-1] == i).mean(axis=1) for i in range(model.states)])
    stayed = np.array([((states[:, :-1] == i) & (states[:, 1:] == i)).mean(axis=1) for i in range(model.states)])
    excess = (stayed - np.diag(model.transition)[:, None] * moved).T
    assert np.abs(z_scores(excess, 0)).max() < 4.5
    # What has no probability never occurs.
    assert not (model.emission[states, symbols] == 0).any()
    assert not (model.transition[states[:, :-1], states[:, 1:]] == 0).any()
    first = np.stack([states[:, 0] == i for i in range(model.states)], axis=1)
    assert np.abs(z_scores(first, model.start)).max() < 4.5


def test_sampling_is_a_function_of_seed_and_step():
    model = HiddenMarkov.cyclic()
    states, symbols = model.sample(6, 40, seed=3, step=2)
    assert states.dtype == symbols.dtype == torch.int64 and states.shape == symbols.shape == (6, 40)
    for more in (model.sample(6, 40, seed=3, step=2), model.sample(9, 40, seed=3, step=2)):
        assert torch.equal(more[0][:6], states) and torch.equal(more[1][:6], symbols)
    for other in (model.sample(6, 40, seed=4, step=2), model.sample(6, 40, seed=3, step=3)):
        assert not torch.equal(other[0], states) and not torch.equal(other[1], symbols)
    assert model.sample(2, 1, seed=0)[1].shape == (2, 1)
    begun = HiddenMarkov(model.transition, model.emission, start=[0, 0, 0, 1]).sample(50, 2, seed=0)[0]
    assert (begun[:, 0] == 3).all()


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_samples_are_the_same_on_a_gpu():
    model = HiddenMarkov.chain(5)
    for here, there in zip(model.sample(300, 50, seed=3), model.sample(300, 50, seed=3, device="cuda"), strict=True):
        assert torch.equal(here, there.cpu())


def test_alignment_undoes_any_order_of_the_states():
    rng = np.random.default_rng(0)
    model = HiddenMarkov(rng.dirichlet(np.ones(5), 5), rng.dirichlet(np.ones(4), 5), rng.dirichlet(np.ones(5)))
    order = [3, 0, 4, 1, 2]
    shuffled = HiddenMarkov(model.transition[np.ix_(order, order)], model.emission[order], model.start[order])
    back = shuffled.aligned_to(model)
    for name in ("transition", "emission", "start"):
        np.testing.assert_array_equal(getattr(back, name), getattr(model, name))
    sequence = model.sample(1, 50, seed=1)[1]
    assert shuffled.log_likelihood(sequence) == pytest.approx(model.log_likelihood(sequence), rel=1e-13)
    # States with equal emissions are told apart by their transitions.
    ring = HiddenMarkov(HiddenMarkov.chain(4).transition, np.array([[1, 0], [0, 1], [0, 1], [0, 1.0]]))
    order = [0, 3, 2, 1]
    mixed = HiddenMarkov(ring.transition[np.ix_(order, order)], ring.emission[order])
    np.testing.assert_array_equal(mixed.aligned_to(ring).transition, ring.transition)


def test_alignment_of_what_cannot_be_aligned():
    with pytest.raises(ValueError, match="this model has 3 states and 3 symbols, the other 2 states and 3 symbols"):
        HiddenMarkov.chain(3).aligned_to(HiddenMarkov.chain(2))
    large = HiddenMarkov(np.full((10, 10), 0.1), np.full((10, 2), 0.5))
    with pytest.raises(ValueError, match="10 states have too many orders to try; at most 8"):
        large.aligned_to(large)


EYE = np.eye(2)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: HiddenMarkov([[0.9, 0.2], [0.1, 0.9]], EYE), r"transition: row 0 sums to 1\.1; it has to be 1"),
        (lambda: HiddenMarkov(EYE, [[1, 0], [0.3, 0.3]], [1, 0]), r"emission: row 1 sums to 0\.6"),
        (lambda: HiddenMarkov(EYE, EYE, [0.5, 0.6]), r"start sums to 1\.1"),
        (lambda: HiddenMarkov(EYE, EYE, [1.0]), "start has 1 numbers, transition 2 rows"),
        (lambda: HiddenMarkov(EYE, EYE), r"states \[0\] and \[1\] are sets that are never left"),
        (lambda: HiddenMarkov([[0.5, 0.5]], EYE), r"transition has shape \(1, 2\): give one row and one column"),
        (lambda: HiddenMarkov(EYE, np.eye(3)), "emission has 3 rows, transition 2"),
        (lambda: HiddenMarkov.chain(1), "states=1: give a whole number, at least 2"),
        (lambda: HiddenMarkov.chain(6), r"probability of 0\.549 to each neighbour, .* give at most 5 states"),
        (lambda: HiddenMarkov.chain(3, crossing=0.3), "give at most 2 states, or a smaller crossing"),
        (lambda: HiddenMarkov.chain(2, crossing=1.0), "crossing=1.0: give a probability between 0 and 1"),
        (lambda: HiddenMarkov.chain().sample(0, 5, seed=1), "sequences=0: give a whole number, at least 1"),
        (lambda: HiddenMarkov.chain().sample(5, 0, seed=1), "length=0: give a whole number, at least 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
