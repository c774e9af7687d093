"""Symbols that break the rules of a machine, and branches."""

from __future__ import annotations

import numpy as np
import pytest

from neurodyn.analysis import branch_probabilities, legality
from neurodyn.tasks import FiniteState

CYCLE = FiniteState.cycle()
THREE = FiniteState([(0, 1, 0, 0.5), (0, 0, 1, 0.2), (0, 1, 2, 0.3), (1, 0, 0, 0.6), (1, 0, 1, 0.4)])


def test_a_machine_keeps_to_its_own_rules():
    symbols = CYCLE.sample(20, 60, seed=1)[1]
    found = legality(symbols, CYCLE, from_start=True)
    assert found.steps == found.words == found.illegal == 0 and found.symbols == 1200
    assert found.first.tolist() == [60] * 20
    # Another phase is legal, but not from the start.
    later = legality(symbols[:, 1:], CYCLE)
    assert later.illegal == 0 and legality(symbols[:, 1:], CYCLE, from_start=True).first.max() < 2


def test_one_wrong_symbol_counts_once_and_spoils_every_word_that_holds_it():
    symbols = np.tile([1, 0, 0], 20)
    symbols[31] = 1  # instead of the 0 of s2
    found = legality(symbols, CYCLE, from_start=True)
    assert found.illegal == 1 and found.steps == 1 / 60 and found.first.tolist() == [31]
    # 1 0 0 1 1 0 1 0 0: words are legal in another phase while they hold but a few symbols on one side.
    words = CYCLE.words(12)[0].tolist()
    illegal = [symbols[k : k + 12].tolist() not in words for k in range(49)]
    assert found.words == np.mean(illegal) and 5 < sum(illegal) <= 12
    assert "1 of 60 symbols illegal (1.67%)" in str(found)
    assert legality(symbols, CYCLE, n=1).words == 0


def test_a_lost_phase_is_not_held_against_what_follows():
    first, second = CYCLE.sample(2, 300, seed=3)[1].numpy()
    joined = np.concatenate([first[:298], second])  # the next sequence begins one step too early or two
    found = legality(joined, CYCLE, from_start=True)
    assert 1 <= found.illegal <= 3
    branch = branch_probabilities(joined, CYCLE, from_start=True)
    assert branch.unknown < 0.02 and branch[2, 1] == pytest.approx(0.7, abs=0.12)


@pytest.mark.parametrize("machine", [CYCLE, THREE], ids=["cycle", "three symbols"])
def test_branches_of_the_machine_itself(machine):
    """Six edges or fewer at 99.99 %: a false alarm in 1 of 1700 seeds."""
    symbols = machine.sample(10, 900, seed=5)[1]
    found = branch_probabilities(symbols, machine, from_start=True, confidence=0.9999)
    assert ((found.low < found.expected) & (found.expected < found.high)).all() and found.unknown == 0
    for state, symbol, probability in zip(found.state, found.symbol, found.expected, strict=True):
        assert machine.emission[state, symbol] == probability
    if machine is CYCLE:
        assert list(zip(found.state, found.symbol, strict=True)) == [(2, 0), (2, 1)]
        assert found[2, 1] == pytest.approx(float(symbols[:, 2::3].double().mean())) and (found.visits == 3000).all()
    else:
        assert len(found.state) == 5 and found.visits[[0, 3]].sum() == symbols.numel()
    # Without the start the phase is found within a few symbols.
    free = branch_probabilities(symbols, machine)
    assert 0 < free.unknown < 0.02 and np.abs(free.share - found.share).max() < 0.01


def test_illegal_symbols_count_as_visits():
    symbols = [0, 2, 1, 0, 1, 2]
    # A 2 is illegal in state 1; the 1 after it leads to state 0 from either.
    assert THREE.track(symbols).tolist() == [0, 1, -1, 0, 1, 0]
    found = branch_probabilities(symbols, THREE, from_start=True)
    assert found.visits.tolist() == [3, 3, 3, 2, 2] and found.count.tolist() == [2, 0, 1, 0, 1]
    assert found[1, 1] == 0.5 and found.unknown == 1 / 6


def test_states_that_are_never_visited():
    found = branch_probabilities([1, 1, 1], THREE, from_start=True)
    assert np.isnan(found[1, 0]) and found.low[-1] == 0 and found.high[-1] == 1 and found[0, 1] == 1
    assert "nan" in str(found) and "state not known at 0.00%" in str(found)


def test_lists_of_any_lengths():
    parts = [CYCLE.sample(1, length, seed=length)[1][0] for length in (40, 25, 90)]
    assert legality(parts, CYCLE, from_start=True).first.tolist() == [40, 25, 90]
    assert branch_probabilities(parts, CYCLE, from_start=True).visits[0] == 13 + 8 + 30


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: legality([0, 1], CYCLE), ValueError, "n = 12: symbols has no sequence as long"),
        (lambda: legality([0, 3], CYCLE, n=1), ValueError, "holds 3; the model has 2 symbols"),
        (lambda: branch_probabilities([0, 0], FiniteState([(0, 0, 0, 1)])), ValueError, "there is no choice to count"),
        (
            lambda: branch_probabilities([0], FiniteState([(0, 0, 0, 0.5), (0, 1, 0, 0.5), (1, 0, 1, 1)])),
            ValueError,
            "track needs a machine",
        ),
        (
            lambda: branch_probabilities([1, 0, 1], CYCLE)[0, 1],
            KeyError,
            r"no choice of symbol 1 in state 0; .*\(2, 0\)",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
