"""Choice of the number of states: it finds the one that made the data, by likelihoods that are what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neurodyn.tasks import HiddenMarkov, choose_hidden_markov, hidden_markov_choice, log_likelihood_per_symbol
from neurodyn.tasks.hidden_markov_choice import _split

QUICK: Any = {"starts": 2, "tolerance": 0.01}
# Alternates, which random starts, of states that rather stay, are bad at.
TURNING = HiddenMarkov([[0, 1, 0], [0.1, 0, 0.9], [0.8, 0.2, 0]], [[1, 0], [0.95, 0.05], [0.05, 0.95]])


def data(model, count, seed=1, low=20, high=60):
    """Sequences of unequal length."""
    symbols = model.sample(count, high, seed=seed)[1].numpy()
    lengths = np.random.default_rng(seed).integers(low, high + 1, count)
    return [s[:n] for s, n in zip(symbols, lengths, strict=True)]


@pytest.fixture(scope="module")
def chosen():
    return choose_hidden_markov(data(HiddenMarkov.fully_connected(), 300), states=(4, 2, 1, 3), **QUICK)


def test_finds_the_number_of_states_that_made_the_data(chosen):
    """Held-out likelihood, AIC and BIC agree where there is plenty of data; training likelihood doesn't know."""
    table = chosen.table
    assert table.index.tolist() == [1, 2, 3, 4] and table.index.name == "states"
    assert table["BIC"].idxmin() == 3 and chosen.states in (3, 4)
    assert table["training"].idxmax() == 4 and (np.diff(table["training"]) > 0).all()
    assert table.loc[2, "behind"] > 5 * table.loc[2, "behind_error"]
    assert table.loc[3, "behind"] < 3 * table.loc[4, "behind_error"] + 1e-3 and table["converged"].all()


def test_one_standard_error_takes_the_fewest():
    """The best takes a third state where there are two more often than the rule that knows of errors."""
    best, fewest = [], []
    for k in range(6):
        sequences = data(HiddenMarkov.chain(2), 60, seed=k)
        found = choose_hidden_markov(sequences, states=(1, 2, 3), rule="one-standard-error", seed=k, **QUICK)
        table = found.table
        assert found.states == (table["behind"] <= table["behind_error"]).idxmax()
        best.append(1 + int(table["held_out"].to_numpy().argmax()))
        fewest.append(found.states)
    assert choose_hidden_markov(sequences, states=(1, 2, 3), seed=5, **QUICK).states == best[-1]
    assert all(a >= b for a, b in zip(best, fewest, strict=True))
    assert fewest.count(2) >= 4 and sum(best) > sum(fewest), (best, fewest)


def test_the_table_is_what_it_says(chosen):
    """From the sequences that it kept, by the likelihood of the model; parameters by counting."""
    assert len(chosen.held_out) == 75 and len(chosen.training) == 225
    model, row = chosen.fits[2].model, chosen.table.loc[2]
    seen, unseen = (model.log_likelihood(s) for s in (chosen.training, chosen.held_out))
    lengths = np.array([len(s) for s in chosen.held_out])
    assert row["training"] == pytest.approx(seen.sum() / sum(map(len, chosen.training)))
    assert row["held_out"] == pytest.approx(unseen.sum() / lengths.sum())
    best = chosen.fits[1 + int(chosen.table["held_out"].to_numpy().argmax())].model.log_likelihood(chosen.held_out)
    assert row["behind"] == pytest.approx((best - unseen).sum() / lengths.sum())
    assert row["parameters"] == 1 + 2 * 1 + 2 * 2  # of start, rows of transition, rows of emission
    assert row["AIC"] == pytest.approx(2 * 7 - 2 * seen.sum())
    assert row["BIC"] == pytest.approx(7 * np.log(sum(map(len, chosen.training))) - 2 * seen.sum())
    assert chosen.model is chosen.fits[chosen.states].model
    assert "225 sequences for training, 75 held out" in repr(chosen) and "behind_error" in repr(chosen)


def test_errors_are_those_of_the_mean_over_sequences():
    """Bootstrap over sequences of unequal length."""
    sequences, model = data(HiddenMarkov.chain(2), 200, low=5), HiddenMarkov.chain(3)
    mean, error = log_likelihood_per_symbol(model, sequences)
    totals, lengths = model.log_likelihood(sequences), np.array([len(s) for s in sequences])
    assert mean == pytest.approx(totals.sum() / lengths.sum())
    at = np.random.default_rng(0).integers(0, 200, (4000, 200))
    assert error == pytest.approx(np.std(totals[at].sum(1) / lengths[at].sum(1)), rel=0.05)
    # of equal lengths it is the textbook's
    equal = [s[:5] for s in sequences]
    values = model.log_likelihood(equal) / 5
    assert log_likelihood_per_symbol(model, equal)[1] == pytest.approx(np.std(values, ddof=1) / np.sqrt(200))
    alone = log_likelihood_per_symbol(model, sequences[0])
    assert alone[0] == pytest.approx(totals[0] / lengths[0]) and np.isnan(alone[1])
    never = log_likelihood_per_symbol(HiddenMarkov(np.eye(2), np.eye(2), [0.5, 0.5]), [[0, 1], [0, 0]])
    assert never[0] == -np.inf and np.isnan(never[1])


def test_all_sequences_are_used_once_and_by_the_seed(chosen):
    sequences = data(HiddenMarkov.fully_connected(), 300)
    both = sorted(tuple(s) for s in [*chosen.training, *chosen.held_out])
    assert both == sorted(tuple(s) for s in sequences)
    few: Any = {"states": (1,), **QUICK}
    again, other = (choose_hidden_markov(sequences, seed=k, **few) for k in (0, 1))
    for one, same in zip(chosen.held_out, again.held_out, strict=True):
        np.testing.assert_array_equal(one, same)
    assert [s.tolist() for s in other.held_out] != [s.tolist() for s in again.held_out]
    assert len(choose_hidden_markov(sequences, held_out=0.1, **few).held_out) == 30
    square = choose_hidden_markov(np.array([s[:20] for s in sequences]), **few)
    assert {len(s) for s in square.training} == {20}


def test_more_states_are_never_worse_in_training():
    """Where random starts end in maxima below those of fewer states, a start from the smaller model doesn't."""
    sequences = data(TURNING, 100)
    training = choose_hidden_markov(sequences, states=(1, 2, 3, 4), starts=1, tolerance=0.01)
    assert (np.diff(training.table["training"]) >= 0).all()
    alone = HiddenMarkov.fit(training.training, states=3, symbols=2, starts=1, tolerance=0.01)
    finals = training.fits[3].starts
    assert len(finals) == 1 + 2 and finals[0] == alone.log_likelihood[-1]
    assert training.fits[3].log_likelihood[-1] == finals.max() > finals[0] + 10  # what this is there for
    model = training.fits[3].model
    assert model.log_likelihood(training.training).sum() == pytest.approx(finals.max(), rel=1e-9)


def test_a_split_state_is_the_same_model_but_for_what_is_drawn(monkeypatch):
    matrices, rng = (TURNING.start, TURNING.transition, TURNING.emission), np.random.default_rng(0)
    start, transition, emission = _split(matrices, 1, rng)
    for rows in (start, transition, emission):
        np.testing.assert_allclose(rows.sum(-1), 1)
    assert HiddenMarkov(transition, emission, start).states == 4
    monkeypatch.setattr(hidden_markov_choice, "_APART", 0.0)
    start, transition, emission = _split(matrices, 1, rng)
    sequences = data(TURNING, 20)
    same = HiddenMarkov(transition, emission, start).log_likelihood(sequences)
    np.testing.assert_allclose(same, TURNING.log_likelihood(sequences))


def test_a_model_that_rules_something_out_is_not_chosen(monkeypatch):
    """It stays in the table, at -inf; where all do, it is an error."""
    sequences = data(HiddenMarkov.chain(2), 40)
    fit, hard = HiddenMarkov.fit, HiddenMarkov(np.eye(3)[[1, 2, 0]], np.eye(3), np.full(3, 1 / 3))

    def strict(numbers):
        def fitted(*arguments, states, **options):
            found = fit(*arguments, states=states, **options)
            if states in numbers:
                object.__setattr__(found, "model", hard)
            return found

        monkeypatch.setattr(HiddenMarkov, "fit", fitted)
        return choose_hidden_markov(sequences, states=(1, 2), seed=1, **QUICK)

    found = strict([1])
    assert found.table.loc[1, "held_out"] == -np.inf and found.table.loc[1, "behind"] == np.inf and found.states == 2
    assert found.table.loc[2, "behind"] == 0 and np.isnan(found.table.loc[1, "held_out_error"])
    monkeypatch.setattr(hidden_markov_choice, "_grown", lambda smaller, known, number, fit, **how: fit)
    with pytest.raises(ValueError, match=r"every model rules out a sequence that is held out, such as \[.*merge symbols"):  # fmt: skip
        strict([1, 2])


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([0, 1] * 50, {}, r"sequences holds one sequence, of 100 symbols.*cut it into pieces.*np.array_split\(sequence, 20\)"),
        ([[0, 1] * 50], {}, "sequences holds one sequence"),
        ([[0, 1]] * 4, {}, "held_out=0.25 of 4 sequences are 1; at least 2 have to be held out and 2 to be left"),
        ([[0, 1]] * 4, {"held_out": 0.75}, "held_out=0.75 of 4 sequences are 3"),
        ([[0, 1]] * 9, {"held_out": 1.0}, "held_out=1.0: give a share of the sequences between 0 and 1"),
        ([[0, 1]] * 9, {"held_out": 2}, "held_out=2"),
        ([[0, 1]] * 9, {"states": (1, 5)}, "states=5: 2 symbols make 29 free parameters, and 14 symbols are left"),
        ([[0, 1]] * 9, {"states": ()}, "give at least one number of states"),
        ([[0, 1]] * 9, {"states": 0}, "states=0: give a whole number, at least 1"),
        ([[0, 1]] * 9, {"states": (1, 2.5)}, "states=2.5"),
        ([[0, 1]] * 9, {"rule": "bets"}, "rule = 'bets'; did you mean 'best'"),
        ([[0, 1]] * 9, {"symbols": 1}, "holds 1; the model has 1 symbols"),
        ([[0, 1]] * 9, {"seed": -1}, "seed=-1"),
        ([[0, 1]] * 9, {"states": 1, "starts": 0}, "starts=0"),
        ([[0.5, 1]] * 9, {}, "has dtype float64: give symbols as whole numbers"),
        ([[0, -1]] * 9, {}, "holds -1; symbols count from 0"),
        ([[0, 1]] * 8 + [[]], {}, r"sequences\[8\] is empty"),
    ],
)  # fmt: skip
def test_errors(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        choose_hidden_markov(sequences, **options)


def test_symbols_that_are_held_out_only():
    """Wherever the one sequence with another symbol comes to lie, it is either known or named."""
    sequences = [[0, 1, 0, 1, 1, 0]] * 7 + [[0, 1, 2, 1, 0, 0]]
    told = []
    for seed in range(8):
        try:
            choose_hidden_markov(sequences, states=1, seed=seed)
            told.append("")
        except ValueError as error:
            told.append(str(error))
    wanted = (
        "sequences[7] at step 2 holds 2, which occurs in held-out sequences only, so that no fit can know it; merge"
    )
    assert {t[: len(wanted)] for t in told} == {"", wanted}
