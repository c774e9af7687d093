"""Probabilistic finite-state machines: D1 and its facts, sampling, grammar, bad input."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.tasks import FiniteState

CYCLE = FiniteState.cycle()
# Two states with the same symbol on two edges: a symbol doesn't tell where it goes.
HIDDEN = FiniteState([(0, 0, 0, 0.5), (0, 1, 0, 0.2), (0, 1, 1, 0.3), (1, 0, 2, 1.0)])
# A start that is never entered again.
TAIL = FiniteState([(0, 1, 0, 1), (1, 2, 1, 1), (2, 1, 1, 0.4), (2, 2, 2, 0.6)])


def test_the_cycle_of_three_states():
    """Facts of the data set D1: entropy rate H(.7)/3 = .2036 nats, 48 words of 12 symbols."""
    assert CYCLE.states == 3 and CYCLE.symbols == 2 and CYCLE.unifilar and CYCLE.start == 0
    assert CYCLE.entropy_rate == pytest.approx(-(0.7 * math.log(0.7) + 0.3 * math.log(0.3)) / 3, rel=1e-14)
    assert CYCLE.entropy_rate == pytest.approx(0.2036, abs=5e-5)
    np.testing.assert_allclose(CYCLE.stationary, 1 / 3, rtol=1e-14)
    np.testing.assert_allclose(CYCLE.emission, [[0, 1], [1, 0], [0.3, 0.7]], rtol=1e-15)
    words, probabilities = CYCLE.words(12)
    assert words.shape == (48, 12) and len(np.unique(words, axis=0)) == 48
    assert probabilities.sum() == pytest.approx(1, rel=1e-14)
    assert probabilities.min() == pytest.approx(0.3**4 / 3) and probabilities.max() == pytest.approx(0.7**4 / 3)
    assert nd.tasks.FiniteState.cycle(0.5).entropy_rate == pytest.approx(math.log(2) / 3)


def test_samples_follow_the_edges_with_their_probabilities():
    states, symbols = CYCLE.sample(20, 600, seed=3)
    assert states.dtype == symbols.dtype == torch.int64 and states.shape == symbols.shape == (20, 600)
    assert torch.equal(states, torch.arange(600).expand(20, -1) % 3)
    assert (symbols[:, ::3] == 1).all() and (symbols[:, 1::3] == 0).all()
    # 4000 draws: 4.5 standard errors, a false alarm in 1 of 150 000 seeds.
    assert abs(float(symbols[:, 2::3].double().mean()) - 0.7) < 4.5 * math.sqrt(0.21 / 4000)
    states, symbols = (x.numpy() for x in HIDDEN.sample(200, 100, seed=3))
    pairs = list(zip(states[:, :-1].ravel(), states[:, 1:].ravel(), symbols[:, :-1].ravel(), strict=True))
    for state, following, symbol, probability in HIDDEN.edges:
        visits = (states[:, :-1] == state).sum()
        count = sum(pair == (state, following, symbol) for pair in pairs)
        assert abs(count / visits - probability) <= 4.5 * math.sqrt(probability * (1 - probability) / visits)
    assert set(pairs) == {edge[:3] for edge in HIDDEN.edges}


def test_more_and_longer_samples_begin_with_the_fewer_and_shorter():
    short = CYCLE.sample(4, 25, seed=9, step=2)
    for long in (CYCLE.sample(7, 25, seed=9, step=2), CYCLE.sample(4, 90, seed=9, step=2)):
        assert torch.equal(long[1][:4, :25], short[1]) and torch.equal(long[0][:4, :25], short[0])
    for other in (CYCLE.sample(4, 25, seed=8, step=2), CYCLE.sample(4, 25, seed=9, step=3)):
        assert not torch.equal(other[1], short[1])


@pytest.mark.parametrize("machine", [CYCLE, HIDDEN, TAIL], ids=["cycle", "hidden", "tail"])
def test_agrees_with_the_hidden_markov_model_of_its_edges(machine):
    """The model has other code for everything: an oracle."""
    model = machine.hidden_markov
    words, probabilities = machine.words(5)
    table = model.ngrams(5)
    np.testing.assert_allclose(table[tuple(words.T)], probabilities, rtol=1e-12)
    assert (table > 0).sum() == len(words)
    occupied = np.zeros(machine.states)
    np.add.at(occupied, [edge[0] for edge in machine.edges], model.stationary)
    np.testing.assert_allclose(machine.stationary, occupied, atol=1e-14)
    sequences = np.random.default_rng(0).integers(0, machine.symbols, (60, 6))
    sequences[:20] = machine.sample(20, 6, seed=1)[1]
    total = machine.log_likelihood(sequences)
    assert (machine.legal(sequences).all(axis=1) == np.isfinite(total)).all() and np.isfinite(total[:20]).all()
    known = [machine.log_likelihood(word) for word in np.ndindex(*[machine.symbols] * 4)]
    assert np.exp(known).sum() == pytest.approx(1, rel=1e-12)
    if machine.unifilar:
        rate, error = model.entropy_rate(sequences=20, length=500)
        assert abs(machine.entropy_rate - rate) < 5 * error + 1e-3


def test_states_along_a_sequence():
    states, symbols = CYCLE.sample(5, 30, seed=2)
    assert (CYCLE.track(symbols) == states.numpy()).all() and CYCLE.legal(symbols).all()
    assert CYCLE.state_after(symbols[:, :29]).tolist() == [2] * 5
    # Nothing is known of the first state: a 0 may come from two states, the next symbol decides between them or doesn't.
    assert CYCLE.track([0, 0, 1, 0], from_start=False).tolist() == [-1, -1, 0, 1]
    assert CYCLE.legal([0, 1, 1], from_start=False).all() and not CYCLE.legal([0, 1, 1]).all()
    tracked = TAIL.track(np.array([[0, 1, 2, 1, 1], [0, 1, 1, 1, 1]]))
    assert tracked.tolist() == [[0, 1, 2, 2, 1], [0, 1, 2, 1, 2]]
    parts = CYCLE.track([[1, 0], [1, 0, 1, 1]])
    assert [part.tolist() for part in parts] == [[0, 1], [0, 1, 2, 0]]


def test_an_illegal_symbol_counts_once_and_then_any_state_is_possible():
    symbols = [1, 0, 0, 1, 1, 0, 1, 0, 1]  # the fifth has to be 0
    assert CYCLE.legal(symbols).tolist() == [True] * 4 + [False] + [True] * 4
    # Of the states before the rest 0 1 0 1, only the one that a single wrong symbol leaves allows all of it.
    assert CYCLE.track(symbols).tolist() == [0, 1, 2, 0, 1, -1, -1, -1, 2]
    assert CYCLE.state_after([symbols, symbols[:5]]).tolist() == [0, -1]
    assert CYCLE.legal([1, 1, 1, 1, 1]).tolist() == [True, False, True, True, False]


def test_a_recording_tells_the_machine():
    stored = json.loads(json.dumps(HIDDEN.config))
    assert stored.pop("task") == "FiniteState"
    again = FiniteState(**stored)
    assert again == HIDDEN and hash(again) == hash(HIDDEN) and again != CYCLE


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: FiniteState([]), "edges is empty"),
        (lambda: FiniteState(3), r"edges=3: give \(state, next state, symbol, probability\)"),
        (lambda: FiniteState([(0, 0, 1)]), r"edges\[0\]=\(0, 0, 1\): give \(state"),
        (lambda: FiniteState([(0, 0, 0.5, 1)]), r"symbol of edges\[0\]=0.5: give a whole number, at least 0"),
        (lambda: FiniteState([(0, -1, 0, 1)]), r"next state of edges\[0\]=-1"),
        (lambda: FiniteState([(0, 0, 0, 0.0), (0, 0, 1, 1)]), r"probability of edges\[0\]=0.0: above 0, at most 1"),
        (lambda: FiniteState([(0, 0, 0, float("nan"))]), r"probability of edges\[0\]=nan"),
        (lambda: FiniteState([(0, 0, 0, "x")]), r"probability of edges\[0\]='x'"),
        (lambda: FiniteState([(0, 0, 0, 0.5), (0, 0, 1, 0.4)]), "leave state 0 have probabilities with a sum of 0.9"),
        (
            lambda: FiniteState([(0, 0, 0, 0.5), (0, 0, 0, 0.5)]),
            r"edges\[0\] and edges\[1\] both lead from state 0 to 0",
        ),
        (lambda: FiniteState([(0, 1, 0, 1)]), "state 1 has no edge that leaves it"),
        (lambda: FiniteState([(0, 0, 0, 1), (1, 0, 0, 1)]), r"states \[1\] are not reached from start=0"),
        (lambda: FiniteState([(0, 0, 0, 1)], start=1), "start=1: the edges have states 0 to 0"),
        (lambda: FiniteState.cycle(1.0), "p=1.0: give a probability between 0 and 1"),
        (lambda: HIDDEN.entropy_rate, "state 0 has several edges with symbol 0"),
        (lambda: HIDDEN.track([0]), "track needs a machine"),
        (lambda: CYCLE.legal([[0, 2]]), r"sequences\[0\] at step 1 holds 2; the model has 2 symbols"),
        (lambda: CYCLE.sample(0, 3, seed=1), "count=0: give a whole number, at least 1"),
        (lambda: CYCLE.sample(3, 3, seed=1, step=2**31), "step=2147483648: give the number of a batch below"),
        (lambda: CYCLE.words(60), "n=60: there are more than 262144 words; shorten them"),
        (
            lambda: FiniteState([(0, 0, 0, 0.5), (0, 1, 1, 0.5), (1, 1, 1, 1)], start=0).words(0),
            "n=0: give a whole number, at least 1",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
