"""Closed forms: the reference table of the published targets, brute force over words, limits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.tasks import HiddenMarkov
from neurodyn.tasks.stochastic_matrices import entropy

# length, P(change), volatility, second eigenvalue, correlation time, entropies: marginal, one-step, rate
TABLE = {
    "two": (HiddenMarkov.chain(2), 100, 0.06881, 6.812, 0.900, 9.49, 0.7422, 0.2574, 0.2537),
    "three": (HiddenMarkov.chain(3), 30, 0.25620, 7.430, 0.7764, 3.95, 0.7422, 0.6043, 0.5856),
    "four": (HiddenMarkov.chain(4), 30, 0.29778, 8.636, 0.7842, 4.11, 0.7422, 0.6473, 0.6258),
    "five": (HiddenMarkov.chain(5), 40, 0.31117, 12.136, 0.8194, 5.02, 0.7422, 0.6593, 0.6322),
    "fully": (HiddenMarkov.fully_connected(), 30, 0.08645, 2.507, 0.925, 12.83, 1.0986, 0.3542, 0.3312),
    "cyclic": (HiddenMarkov.cyclic(), 40, 0.21425, 8.356, 0.95, 19.50, 1.0397, 0.6039, 0.5105),
}
BIGRAMS = {  # first rows; all targets are symmetric under reversal of the symbols
    "two": [[0.9405, 0.01, 0.0495], [0.495, 0.01, 0.495]],
    "three": [[0.7512, 0.01, 0.2388], [0.495, 0.01, 0.495]],
    "four": [[0.7092, 0.01, 0.2808], [0.495, 0.01, 0.495]],
    "five": [[0.6957, 0.01, 0.2943], [0.495, 0.01, 0.495]],
    "fully": [[0.91356, 0.04322, 0.04322], [0.04322, 0.91356, 0.04322]],
    "cyclic": [[0.7835, 0.2120, 0.0045], [0.1060, 0.7880, 0.1060]],
}


@pytest.mark.parametrize("name", TABLE)
def test_reference_table(name):
    model, length, change, volatility, second, time, marginal, one_step, _ = TABLE[name]
    assert model.symbol_change == pytest.approx(change, abs=6e-6)
    assert model.volatility(length) == pytest.approx(volatility, abs=6e-4)
    assert model.volatility(length) == pytest.approx((length - 1) * (1 - np.trace(model.bigrams)), rel=1e-12)
    assert model.second_eigenvalue == pytest.approx(second, abs=6e-5)
    assert model.correlation_time == pytest.approx(time, abs=6e-3)
    assert model.marginal_entropy == pytest.approx(marginal, abs=6e-5)
    assert model.markov_entropy == pytest.approx(one_step, abs=6e-5)
    np.testing.assert_allclose(model.symbol_transition[:2], BIGRAMS[name], atol=6e-5)
    np.testing.assert_allclose(model.symbol_transition, model.symbol_transition[::-1, ::-1], rtol=1e-12)


@pytest.mark.parametrize("states", [2, 3, 4, 5])
def test_linear_chain_by_formula(states):
    """To 1e-12: eigenvalues 1 - 2q (1 - cos(pi k / M)), and the change of symbols of two states by hand."""
    model, step = HiddenMarkov.chain(states), 0.05 ** (1 / (states - 1))
    modes = 1 - 2 * step * (1 - np.cos(np.pi * np.arange(states) / states))
    np.testing.assert_allclose(np.sort(model.eigenvalues), np.sort(modes), atol=1e-12)
    np.testing.assert_allclose(model.marginal, [0.495, 0.01, 0.495], atol=1e-12)
    if states == 2:
        assert model.symbol_change == pytest.approx(1 - (0.99**2 * 0.95 + 0.01**2), abs=1e-12)
        np.testing.assert_allclose(model.autocorrelation(40)[1:], 0.99 * 0.9 ** np.arange(1, 41), atol=1e-12)
        mean, variation = model.dwell_moments()
        np.testing.assert_allclose(mean, 20, atol=1e-12)
        np.testing.assert_allclose(variation, 0.95**0.5, atol=1e-12)


def joint_with_first_state(model, n):
    """Probability of the first state and each word of n symbols, (state, word)."""
    words = np.diag(model.stationary)[:, None]
    for position in range(n):
        words = words @ model.transition if position else words
        words = (words[:, :, None] * model.emission.T).reshape(model.states, -1, model.states)
    return words.sum(axis=-1)


@pytest.mark.parametrize("name", TABLE)
def test_entropy_rate(name):
    """Between H(next | n symbols, first state) and H(next | n symbols), which close in on it; 18 verdicts at 4.5 s.e."""
    model, rate = TABLE[name][0], TABLE[name][-1]
    estimate, error = model.entropy_rate(length=500, seed=5)
    upper = entropy(model.ngrams(9).ravel()) - entropy(model.ngrams(8).ravel())
    lower = entropy(joint_with_first_state(model, 9).ravel()) - entropy(joint_with_first_state(model, 8).ravel())
    assert lower < upper + 1e-12 and upper < model.markov_entropy < model.marginal_entropy
    assert lower - 4.5 * error < estimate < upper + 4.5 * error
    assert 0 < error < 1e-3 and abs(estimate - rate) < 4.5 * error + 5e-5
    assert model.entropy_rate(length=500, seed=5) == (estimate, error)


def test_entropy_rate_of_a_chain_that_is_seen():
    """The entropy of the rows of the transition matrix; every prediction after a state has the same entropy."""
    transition = np.array([[0.9, 0.1], [0.4, 0.6]])
    estimate, error = HiddenMarkov(transition, np.eye(2)).entropy_rate(length=400, burn_in=10)
    assert abs(estimate - np.array([0.8, 0.2]) @ entropy(transition)) < 4 * error
    symmetric = HiddenMarkov([[0.9, 0.1], [0.1, 0.9]], np.eye(2)).entropy_rate(sequences=2, length=1, burn_in=1)
    assert symmetric == pytest.approx((entropy(np.array([0.9, 0.1])), 0), abs=1e-12)


def random_model(seed, states, symbols, concentration=0.5):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(states, concentration), size=states) * 0.9 + 0.1 / states
    return HiddenMarkov(transition, rng.dirichlet(np.full(symbols, concentration), size=states))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.integers(1, 4))
def test_words_by_brute_force(seed, states, symbols, n):
    model = random_model(seed, states, symbols)
    expected = np.zeros((symbols,) * n)
    for path in product(range(states), repeat=n):
        p = model.stationary[path[0]] * np.prod([model.transition[a, b] for a, b in zip(path, path[1:], strict=False)])
        for word in product(range(symbols), repeat=n):
            expected[word] += p * np.prod([model.emission[s, x] for s, x in zip(path, word, strict=True)])
    np.testing.assert_allclose(model.ngrams(n), expected, atol=1e-14)
    np.testing.assert_allclose(model.ngrams(1), model.marginal, atol=1e-14)
    np.testing.assert_allclose(model.ngrams(2), model.bigrams, atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(2, 3))
def test_runs_and_correlations_from_words(seed, states, symbols):
    model = random_model(seed, states, symbols)
    words, lengths = model.ngrams(6), model.run_lengths(4)
    for k in range(symbols):
        others = [j for j in range(symbols) if j != k]
        begun = words[others].sum(axis=0)[k].sum()
        assert model.run_starts[k] == pytest.approx(begun, abs=1e-13)
        for duration in range(1, 5):
            run = words[others].sum(axis=0)[(k,) * duration][others].sum()
            assert lengths[k, duration - 1] * begun == pytest.approx(run, abs=1e-13)
    assert model.run_starts.sum() == pytest.approx(model.symbol_change, abs=1e-13)
    values = np.array([2.0, -1.0, 0.5])[:symbols]
    mean, square = model.marginal @ values, model.marginal @ values**2
    for lag, found in enumerate(model.autocorrelation(5, values)):
        ends = words.sum(axis=tuple(range(1, lag))).reshape(symbols, symbols, -1).sum(axis=-1) if lag else None
        product_mean = square if ends is None else values @ ends @ values
        assert found * (square - mean**2) == pytest.approx(product_mean - mean**2, abs=1e-12)


@pytest.mark.parametrize("name", TABLE)
def test_moments_of_durations_from_their_distributions(name):
    model = TABLE[name][0]
    time = np.arange(1, 4001)
    for distribution, (mean, variation) in (
        (model.dwell_times(4000), model.dwell_moments()),
        (model.run_lengths(4000), model.run_moments()),
    ):
        np.testing.assert_allclose(distribution.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(distribution @ time, mean, rtol=1e-10)
        spread = np.sqrt(distribution @ time**2 - mean**2)
        np.testing.assert_allclose(spread / mean, variation, rtol=1e-8)
    assert model.run_starts @ model.run_moments()[0] == pytest.approx(1, rel=1e-12)  # runs fill the time


def test_volatility_begins_at_the_start():
    """From a state that is left for good, with a change of symbol in the first step only."""
    model = HiddenMarkov([[0, 1.0], [0, 1.0]], np.eye(2), start=[1, 0])
    assert [model.volatility(n) for n in (1, 2, 50)] == [0, 1, 1]
    assert model.symbol_change == 0


def test_limits_are_infinite_or_not_a_number():
    still = HiddenMarkov([[1.0]], [[1.0, 0.0]])
    assert still.dwell_moments()[0].tolist() == [np.inf] and np.isnan(still.dwell_moments()[1]).all()
    assert np.isnan(still.run_lengths(3)).all() and np.isnan(still.run_moments()).all()
    assert np.isnan(still.autocorrelation(2)).all()
    assert np.isnan(still.symbol_transition[1]).all() and still.symbol_transition[0].tolist() == [1, 0]
    assert still.second_eigenvalue == still.correlation_time == still.marginal_entropy == still.markov_entropy == 0
    alternating = HiddenMarkov([[0, 1.0], [1.0, 0]], np.eye(2))
    assert alternating.correlation_time == np.inf
    np.testing.assert_allclose(alternating.autocorrelation(3), [1, -1, 1, -1])
    np.testing.assert_allclose(alternating.autocorrelation(3, np.array([True, False])), [1, -1, 1, -1])
    ring = HiddenMarkov(np.roll(np.eye(3), 1, axis=1) * 0.9 + 0.1 / 3, np.eye(3))
    assert np.iscomplexobj(ring.eigenvalues) and ring.second_eigenvalue == pytest.approx(0.9)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: m.ngrams(0), "n=0: give a whole number, at least 1"),
        (lambda m: m.ngrams(30), r"n=30: 3\^30 words times 2 states are more than 16777216 numbers; shorten it"),
        (lambda m: m.autocorrelation(-1), "lags=-1: give a whole number, at least 0"),
        (lambda m: m.autocorrelation(2, [0, 1]), "give one finite number for each of the 3 symbols"),
        (lambda m: m.autocorrelation(2, [0, 1, np.inf]), "give one finite number for each of the 3 symbols"),
        (lambda m: m.volatility(0), "length=0: give a whole number, at least 1"),
        (lambda m: m.dwell_times(0), "longest=0: give a whole number, at least 1"),
        (lambda m: m.run_lengths(0), "longest=0: give a whole number, at least 1"),
        (lambda m: m.entropy_rate(sequences=1), "sequences=1: give a whole number, at least 2"),
        (lambda m: m.entropy_rate(burn_in=0), "burn_in=0: give a whole number, at least 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(HiddenMarkov.chain(2))
