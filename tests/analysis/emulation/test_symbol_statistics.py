"""Counts of symbol sequences against counting by hand, and closed forms against sums over all sequences."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from neurodyn.analysis.emulation.symbol_statistics import counted, expected
from neurodyn.tasks import HiddenMarkov

HAND = np.array([[0, 0, 1, 1, 1, 0], [2, 0, 0, 2, 2, 2]])
UNEVEN = HiddenMarkov([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.3, 0, 0.7]], [[0.6, 0.4], [0.1, 0.9], [1, 0]])


def words_of(model, longest):
    return [model.ngrams(n).ravel() for n in range(1, longest + 1)]


def of_all_sequences(model, length):
    """Probabilities of all sequences, stationary, and the sequences."""
    every = np.array(list(product(range(model.symbols), repeat=length)))
    return model.ngrams(length).ravel(), every


def test_counts_by_hand():
    model = HiddenMarkov.fully_connected()
    found = counted(HAND, model, words_of(model, 2), 2)
    assert np.allclose(found.symbol_transition, [[2 / 4, 1 / 4, 1 / 4], [1 / 3, 2 / 3, 0], [1 / 3, 0, 2 / 3]])
    assert np.allclose(found.marginal, [5 / 12, 1 / 4, 1 / 3])
    assert np.allclose(found.marginal_sd, [1 / 12, 1 / 4, 1 / 3])
    assert found.changes.tolist() == [0, 0, 1, 0, 0, 0] and found.volatility == 2 and found.volatility_sd == 0
    assert found.run_lengths.tolist() == [0, 0.5, 0.5, 0]  # 1 1 1 and 0 0
    assert found.run_mean == 2.5 and found.run_cv == pytest.approx(0.5 / 2.5)
    assert found.word_distance[0] == pytest.approx(np.abs(found.marginal - 1 / 3).sum() / 2)
    pairs = np.array([[2, 1, 1], [1, 2, 0], [1, 0, 2]]) / 10
    assert found.word_distance[1] == pytest.approx(np.abs(pairs - model.bigrams).sum() / 2)
    x = HAND - HAND.mean()
    assert np.allclose(
        found.autocorrelation, [1, (x[:, 1:] * x[:, :-1]).mean() / (x**2).mean()] + [found.autocorrelation[2]]
    )
    assert found.autocorrelation[2] == pytest.approx((x[:, 2:] * x[:, :-2]).mean() / (x**2).mean())
    assert found.cross_entropy == pytest.approx(-model.predict(HAND)[:, 3:].mean())


def test_what_never_occurs_is_undefined():
    model = HiddenMarkov.chain(2)
    found = counted(np.zeros((4, 7), int), model, words_of(model, 1), 3)
    assert found.symbol_transition[0].tolist() == [1, 0, 0] and np.isnan(found.symbol_transition[1:]).all()
    assert np.isnan(found.autocorrelation).all() and np.isnan(found.run_lengths).all() and np.isnan(found.run_cv)
    assert found.volatility == 0


def test_a_symbol_that_cannot_occur_has_infinite_cross_entropy():
    model = HiddenMarkov([[0.5, 0.5], [0.5, 0.5]], [[1, 0, 0], [0, 1, 0]])
    assert counted(np.full((2, 4), 2), model, words_of(model, 1), 1).cross_entropy == np.inf
    assert expected(model, 4, 1, 1).marginal_sd[2] == 0


@pytest.mark.parametrize(
    "model, length",
    [(HiddenMarkov.chain(3), 6), (UNEVEN, 8), (HiddenMarkov.cyclic(), 3)],
    ids=["chain", "uneven", "short"],
)
def test_closed_forms_are_sums_over_all_sequences(model, length):
    p, every = of_all_sequences(model, length)
    found = expected(model, length, 2, 2)
    changes = (every[:, 1:] != every[:, :-1]).sum(axis=1)
    assert np.allclose(found.changes, [p[changes == k].sum() for k in range(length)], atol=1e-14)
    assert found.volatility == pytest.approx((length - 1) * model.symbol_change)
    shares = np.array([(every == k).mean(axis=1) for k in range(model.symbols)])
    assert np.allclose(found.marginal, shares @ p)
    assert np.allclose(found.marginal_sd, np.sqrt(shares**2 @ p - (shares @ p) ** 2))
    # One sequence at a time, each joined to itself: a set of two is the least that is counted.
    runs: Any = 0
    for weight, sequence in zip(p, every, strict=True):
        edges = np.flatnonzero(np.diff(sequence))
        runs = runs + weight * np.bincount(np.diff(edges), minlength=length - 1)[1:]
    assert np.allclose(found.run_lengths, runs / runs.sum())
    assert not found.word_distance.any() and np.isnan(found.cross_entropy)


def test_counts_of_samples_come_to_the_closed_forms():
    count, length = 4000, 30
    model = HiddenMarkov.chain(3)
    symbols = model.sample(count, length, seed=1)[1].numpy()
    found, closed = counted(symbols, model, words_of(model, 3), 10), expected(model, length, 3, 10)
    # 4 standard errors, of sequences as independent units
    assert np.all(np.abs(found.marginal - closed.marginal) < 4 * closed.marginal_sd / np.sqrt(count))
    assert abs(found.volatility - closed.volatility) < 4 * closed.volatility_sd / np.sqrt(count)
    assert found.volatility_sd == pytest.approx(closed.volatility_sd, rel=4 / np.sqrt(2 * count))
    assert found.run_mean == pytest.approx(closed.run_mean, rel=0.03) and found.run_cv == pytest.approx(
        closed.run_cv, rel=0.03
    )
    assert np.abs(found.autocorrelation - closed.autocorrelation).max() < 0.03
    assert found.word_distance.max() < 0.02
    assert found.cross_entropy == pytest.approx(0.5845, abs=0.01)
