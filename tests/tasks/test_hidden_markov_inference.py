"""Inference against hmmlearn and against all paths of short sequences; forms and lengths of sequences; extremes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

import neurodyn.tasks
from neurodyn.tasks import HiddenMarkov
from neurodyn.tasks.symbol_sequences import read


def random_model(rng, states, symbols, zeros=0.3):
    """Rows with some probabilities of 0, and a start that is not the stationary distribution."""

    def some(number, size):
        p = rng.dirichlet(np.ones(size), size=number) * (rng.random((number, size)) > zeros)
        p[np.arange(number), rng.integers(size, size=number)] += 0.1
        return p / p.sum(axis=1, keepdims=True)

    return HiddenMarkov(some(states, states), some(states, symbols), start=some(1, states)[0])


def peer(model):
    other = CategoricalHMM(n_components=model.states, n_features=model.symbols)
    other.startprob_, other.transmat_, other.emissionprob_ = model.start, model.transition, model.emission
    return other


@pytest.mark.parametrize("seed", range(4))
def test_equals_hmmlearn(seed):
    rng = np.random.default_rng(seed)
    model = random_model(rng, states=2 + seed, symbols=4, zeros=0.2)
    lengths = [1, 2, 3, 17, 200]
    sequences = [model.sample(1, n, seed=seed, step=n)[1][0] for n in lengths]
    other, flat = peer(model), np.concatenate(sequences)[:, None]
    found = model.log_likelihood(sequences)
    np.testing.assert_allclose(found, [other.score(s[:, None].numpy()) for s in sequences], rtol=1e-11)
    np.testing.assert_allclose(np.concatenate(model.smooth(sequences)), other.predict_proba(flat, lengths), atol=1e-10)
    path, best = model.viterbi(sequences)
    scores = [other.decode(s[:, None].numpy())[0] for s in sequences]
    np.testing.assert_allclose(best, scores, rtol=1e-11)
    # Paths of the same transitions in another order are equally probable, so paths are compared by what they score.
    for x, states, score in zip(sequences, path, scores, strict=True):
        start, transition, emission = model.logs
        own = start[states[0]] + transition[states[:-1], states[1:]].sum() + emission[states, x.numpy()].sum()
        assert own == pytest.approx(score, rel=1e-11)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5))
def test_equals_brute_force_over_all_paths(seed, states, symbols, length):
    """Any sequence, also one that can't occur; all paths of 3 states in 5 steps are 243."""
    rng = np.random.default_rng(seed)
    model = random_model(rng, states, symbols)
    x = rng.integers(symbols, size=length)
    paths = np.array(list(product(range(states), repeat=length)))
    p = model.start[paths[:, 0]] * model.emission[paths[:, 0], x[0]]
    filtered = []
    for t in range(length):
        if t:
            p = p * model.transition[paths[:, t - 1], paths[:, t]] * model.emission[paths[:, t], x[t]]
        # Every beginning of a path stands there once for each way on.
        filtered.append(np.bincount(paths[:, t], weights=p, minlength=states))
    if p.sum() == 0:
        assert model.log_likelihood(x) == -np.inf and model.predict(x)[-1] == -np.inf
        for call in (model.filter, model.smooth, model.viterbi):
            with pytest.raises(ValueError, match=r"sequences\[0\]"):
                call(x)
        return
    assert model.log_likelihood(x) == pytest.approx(np.log(p.sum()), abs=1e-12)
    assert model.predict(x).sum() == pytest.approx(np.log(p.sum()), abs=1e-12)
    np.testing.assert_allclose(model.filter(x), [f / f.sum() for f in filtered], atol=1e-12)
    occupied = [np.bincount(paths[:, t], weights=p, minlength=states) for t in range(length)]
    np.testing.assert_allclose(model.smooth(x), np.array(occupied) / p.sum(), atol=1e-12)
    path, best = model.viterbi(x)
    assert best == pytest.approx(np.log(p.max()), abs=1e-12)
    row = np.flatnonzero((paths == path).all(axis=1))[0]
    assert p[row] == pytest.approx(p.max(), rel=1e-12)


def test_probabilities_that_underflow_keep_their_digits():
    """State 1 falls behind by 1e-200 a step, three times, and is then the only one that can emit the last symbol."""
    tiny = 1e-200
    model = HiddenMarkov(np.eye(2), [[1 - tiny, tiny, 0], [tiny, 0.5, 0.5]], start=[0.5, 0.5])
    x = [0, 0, 0, 2]
    assert model.log_likelihood(x) == pytest.approx(np.log(0.5) + 3 * np.log(tiny) + np.log(0.5), rel=1e-14)
    np.testing.assert_allclose(model.smooth(x), np.tile([0, 1], (4, 1)), atol=1e-14)
    np.testing.assert_array_equal(model.filter(x)[2], [1, 0])
    assert model.viterbi(x)[0].tolist() == [1, 1, 1, 1]


def test_long_sequences_keep_their_digits():
    """10^5 steps of two independent halves: posteriors sum to 1, and ends forget each other."""
    model = HiddenMarkov.cyclic()
    x = np.concatenate(model.sample(100, 1000, seed=2)[1].numpy())
    whole = model.smooth(x)
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(whole[:100], model.smooth(x[:2000])[:100], atol=1e-12)
    np.testing.assert_allclose(model.filter(x)[-1], whole[-1], atol=1e-12)
    assert model.predict(x).sum() == pytest.approx(model.log_likelihood(x), rel=1e-12)


def test_posteriors_are_calibrated():
    """Over 60 000 steps the state that has probability p is there in a share p of them: within .02 in each fifth."""
    model = HiddenMarkov.chain(3)
    states, symbols = model.sample(2000, 30, seed=8)
    p = model.smooth(symbols)
    there = np.eye(3)[states.numpy()]
    for low in np.arange(0, 1, 0.2):
        within = (p >= low) & (p < low + 0.2)
        assert within.sum() > 1000 and abs(there[within].mean() - p[within].mean()) < 0.02


def test_forms_of_sequences():
    model = HiddenMarkov.chain(2)
    x = model.sample(3, 7, seed=1)[1]
    batch = x.numpy()
    assert model.smooth(x).shape == (3, 7, 2) and model.predict(x).shape == (3, 7)
    assert model.viterbi(x)[0].shape == (3, 7) and model.viterbi(x)[1].shape == model.log_likelihood(x).shape == (3,)
    as_list = model.smooth(list(batch))
    assert isinstance(as_list, list) and [p.shape for p in as_list] == [(7, 2)] * 3
    np.testing.assert_array_equal(np.stack(as_list), model.smooth(x))
    for one in (x[0], batch[0], batch[0].tolist(), tuple(batch[0].tolist()), batch[0].astype(np.uint8)):
        np.testing.assert_array_equal(model.smooth(one), model.smooth(x)[0])
        assert isinstance(model.log_likelihood(one), float) and model.log_likelihood(one) == model.log_likelihood(x)[0]
        assert isinstance(model.viterbi(one)[1], float)
    ragged = model.smooth([x[0], batch[1, :2].tolist(), batch[2, :1]])
    assert [p.shape for p in ragged] == [(7, 2), (2, 2), (1, 2)]
    np.testing.assert_array_equal(ragged[1], model.smooth(batch[1, :2]))
    chosen = read([[0, 1], [2], [1, 1, 0]]).chosen(np.array([True, False, True]))
    assert chosen.symbols.tolist() == [0, 1, 1, 1, 0] and chosen.ends.tolist() == [2, 5]


@pytest.mark.parametrize(
    "sequences, message",
    [
        ([[0, 1], [2, 3]], r"sequences\[1\] at step 1 holds 3; the model has 3 symbols, 0 to 2"),
        ([[0, 1], [2, -1, 0]], r"sequences\[1\] at step 1 holds -1;"),
        ([[0, 1], []], r"sequences\[1\] is empty: leave it out"),
        ([], "sequences is empty: give at least one"),
        (np.zeros((0, 5), dtype=int), "sequences is empty"),
        (np.zeros((2, 5, 3), dtype=int), r"sequences has shape \(2, 5, 3\).*of one-hot codes, take argmax"),
        (np.array(3), r"sequences has shape \(\)"),
        ([[[0, 1]], [0, 1]], r"sequences\[0\] has shape \(1, 2\): each of a list has shape \(time,\)"),
        ([0.5, 1.0], r"sequences\[0\] has dtype float64: give symbols as whole numbers"),
        (torch.zeros(2, 5), "sequences has dtype float32: give symbols as whole numbers"),
        (np.array([True, False]), "sequences has dtype bool"),
    ],
)
def test_errors_of_sequences(sequences, message):
    model = HiddenMarkov.chain(2)
    for call in (model.log_likelihood, model.predict, model.filter, model.smooth, model.viterbi):
        with pytest.raises(ValueError, match=message):
            call(sequences)


def test_what_cannot_occur_is_named():
    model = HiddenMarkov(np.eye(2), [[1.0, 0], [0, 1.0]], start=[0.5, 0.5])
    sequences = [[0, 0], [1, 1, 0, 1]]
    assert model.log_likelihood(sequences).tolist() == [2 * np.log(0.5) / 2, -np.inf]
    assert model.predict(sequences)[1].tolist() == [np.log(0.5), 0, -np.inf, -np.inf]
    for call in (model.filter, model.smooth):
        with pytest.raises(ValueError, match=r"sequences\[1\] at step 2 holds 0, which has probability 0"):
            call(sequences)
    with pytest.raises(ValueError, match=r"sequences\[1\] can't occur in this model"):
        model.viterbi(sequences)


def test_public_name():
    assert neurodyn.tasks.HiddenMarkov is HiddenMarkov and "HiddenMarkov" in neurodyn.tasks.__all__
