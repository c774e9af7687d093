"""The comparison of sequences with a hidden Markov model: floors, what deviates from them, and refusals."""

from typing import Any

import numpy as np
import pytest
import torch

from neurodyn import analysis
from neurodyn.tasks import HiddenMarkov

CHAIN = HiddenMarkov.chain(2)
WRONG: Any = "chain"


@pytest.fixture(scope="module")
def own():
    """The model's own sequences."""
    return analysis.emulation_quality(CHAIN.sample(400, 40, seed=3)[1], CHAIN, sequences=150, repeats=8)


@pytest.fixture(scope="module")
def independent():
    """Symbols with the right frequencies, and nothing else right."""
    symbols = np.random.default_rng(0).choice(3, size=(400, 40), p=CHAIN.marginal)
    return analysis.emulation_quality(symbols, CHAIN, sequences=150)


def test_own_sequences_lie_within_the_floor(own):
    # 34 correlated numbers in SD of 8 repeats: t with 7 degrees, beyond 7.5 in 1e-4 of cases.
    deviations = own.table()["deviation"].to_numpy()
    assert np.isfinite(deviations).all() and np.abs(deviations).max() < 7.5
    for metric in own.metrics.values():
        if np.isfinite(metric.expected) and metric.expected > 0:
            assert abs(metric.floor_mean - metric.expected) < 7.5 * metric.floor_sd


def test_independent_symbols_are_found_out(independent):
    assert abs(independent["marginal of 0"].deviation) < 7.5
    assert abs(independent["total variation, words of 1"].value) < 0.02
    for name in (
        "aligned distance",
        "bigrams, largest difference",
        "volatility (changes)",
        "cross-entropy excess (nats)",
    ):
        assert independent[name].deviation > 15
    assert independent["total variation, words of 4"].value > 0.5
    assert abs(independent["autocorrelation, lag 1"].value) < 0.05
    assert independent["run length (steps)"].value == pytest.approx(2, rel=0.1)


def test_the_table_has_a_row_for_each_metric(own):
    table = own.table()
    assert table.columns.tolist() == ["value", "floor", "floor_sd", "deviation", "expected"]
    assert list(table.index) == list(own.metrics)
    row = table.loc["volatility (changes)"]
    assert row["value"] == own.found.volatility and row["expected"] == pytest.approx(CHAIN.volatility(40))
    floors = [s.volatility for s in own.floor]
    assert row["floor"] == pytest.approx(np.mean(floors)) and row["floor_sd"] == pytest.approx(np.std(floors, ddof=1))
    assert own["aligned distance"].floor.tolist() == [a.mean for a in own.floor_alignments]
    assert np.isnan(table.loc["aligned distance", "expected"])


def test_plain_numbers_and_text(own):
    plain = own.as_dict()
    metric = own["run length (steps)"]
    assert [plain[f"run length (steps){end}"] for end in ("", ": floor", ": floor SD", ": expected")] == [
        metric.value,
        metric.floor_mean,
        metric.floor_sd,
        metric.expected,
    ]
    assert "aligned distance: expected" not in plain and all(type(v) is float for v in plain.values())
    lines = repr(own).splitlines()
    assert lines[0] == "400 sequences of 40 symbols beside 8 sets of the model's own; the first 150 aligned"
    assert len(lines) == len(own.metrics) + 3
    assert str(metric).startswith(f"{metric.value:.4g} (floor {metric.floor_mean:.4g} ± ")
    with pytest.raises(KeyError, match="'run length' is no metric; near are 'run length"):
        own["run length"]


def test_a_function_of_the_seed_and_of_any_kind_of_array():
    symbols = CHAIN.sample(30, 12, seed=1)[1]
    one = analysis.emulation_quality(symbols, CHAIN, repeats=2).as_dict()
    other = analysis.emulation_quality(symbols.numpy().astype(np.uint8).tolist(), CHAIN, repeats=2).as_dict()
    assert one == other
    assert analysis.emulation_quality(symbols, CHAIN, repeats=2, seed=1).as_dict() != one


def test_sequences_of_the_same_seed_are_not_their_own_floor():
    symbols = CHAIN.sample(50, 30, seed=0)[1]
    assert analysis.emulation_quality(symbols, CHAIN, repeats=2, seed=0).alignment.mean > 0.5


def test_short_sequences_and_large_alphabets_shorten_the_defaults():
    short = analysis.emulation_quality(CHAIN.sample(20, 4, seed=1)[1], CHAIN, repeats=2)
    assert len(short.found.word_distance) == 4 and len(short.found.autocorrelation) == 3
    rng = np.random.default_rng(0)
    large = HiddenMarkov(np.full((2, 2), 0.5), rng.dirichlet(np.ones(60), size=2))
    found = analysis.emulation_quality(large.sample(20, 10, seed=1)[1], large, repeats=2)
    assert len(found.found.word_distance) == 3  # 60^4 words times 2 states are too many


def test_refits_of_own_sequences_come_back():
    model = HiddenMarkov.fully_connected()
    found = analysis.emulation_quality(model.sample(300, 30, seed=2)[1], model, sequences=50, repeats=2, refit=True)
    assert found.refit is not None and found.refit.converged and len(found.floor_refits) == 2
    for name in ("refit, largest transition error", "refit, largest emission error"):
        assert found[name].value < 0.02
    # 2 (log p - log q) is chi-squared with as many degrees as free numbers, 14, over all 9000 symbols.
    assert 0 < found["Juang-Rabiner distance (nats)"].floor_mean < 5e-3


def test_a_refit_of_other_sequences_says_how_far_they_are():
    other = HiddenMarkov(0.7 * np.eye(3) + 0.1, HiddenMarkov.fully_connected().emission)
    found = analysis.emulation_quality(
        other.sample(300, 30, seed=2)[1], HiddenMarkov.fully_connected(), sequences=50, repeats=2, refit=True
    )
    assert found["refit, largest transition error"].value == pytest.approx(0.15, abs=0.03)
    assert found["Juang-Rabiner distance (nats)"].value > 0.05


def test_what_cannot_occur_is_infinitely_far_without_a_warning():
    model = HiddenMarkov([[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5, 0], [0.2, 0.8, 0]])
    found = analysis.emulation_quality(np.full((4, 6), 2), model, repeats=2, lags=1, longest_word=2)
    assert found["cross-entropy excess (nats)"].value == np.inf
    assert found["total variation, words of 1"].value == 1
    assert np.isnan(found["bigrams, largest difference"].value)
    assert " inf " in repr(found)


SYMBOLS = CHAIN.sample(10, 8, seed=1)[1]


@pytest.mark.parametrize(
    "symbols, options, message",
    [
        (SYMBOLS, {"longest_word": 9}, "longest_word = 9: sequences of 8 symbols allow at most 8; shorten it"),
        (SYMBOLS, {"lags": 8}, "lags = 8: sequences of 8 symbols allow at most 7"),
        (SYMBOLS, {"sequences": 11}, "sequences = 11: at least 2, at most 10"),
        (SYMBOLS, {"repeats": 1}, "repeats = 1: at least 2"),
        (SYMBOLS, {"seed": -1}, "seed = -1: at least 0"),
        (SYMBOLS + 2, {}, r"symbols\[0\] holds . at step .; the model has 3 symbols, 0 to 2. In all .* of 80 .*: [34]"),
        (SYMBOLS.double(), {}, "symbols has dtype float64: give whole numbers"),
        (SYMBOLS / 0, {}, r"symbols\[0\] holds (nan|inf) at step 0"),
        (SYMBOLS[:1], {}, r"symbols has shape \(1, 8\): give at least 2 sequences.*may be cut"),
        (SYMBOLS[0], {}, r"symbols has shape \(8,\)"),
        (SYMBOLS[:0], {}, r"symbols has shape \(0, 8\)"),
        (SYMBOLS[:, :2], {}, "give sequences of at least 3 symbols"),
        (torch.nn.functional.one_hot(SYMBOLS), {}, r"argmax\(-1\)"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(symbols, options, message):
    with pytest.raises(ValueError, match=message):
        analysis.emulation_quality(symbols, CHAIN, **options)


def test_other_refusals():
    with pytest.raises(TypeError, match="model is a str: give a HiddenMarkov"):
        analysis.emulation_quality(SYMBOLS, WRONG)
    with pytest.raises(TypeError, match="lags = 1.5: give a whole number"):
        analysis.emulation_quality(SYMBOLS, CHAIN, lags=1.5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"model has no closed forms.*states \[0\] and \[1\] are sets"):
        analysis.emulation_quality(SYMBOLS % 2, HiddenMarkov(np.eye(2), np.eye(2), [0.5, 0.5]))
    many = HiddenMarkov(np.full((9, 9), 1 / 9), np.full((9, 2), 0.5))
    with pytest.raises(ValueError, match="refit = True with 9 states"):
        analysis.emulation_quality(SYMBOLS % 2, many, refit=True)
    large = HiddenMarkov(np.full((2, 2), 0.5), np.full((2, 300), 1 / 300))
    with pytest.raises(ValueError, match="longest_word = 3: 300.3 words times 2 states.*at most 2"):
        analysis.emulation_quality(SYMBOLS, large, longest_word=3)


def test_the_answer_of_a_network_is_taken_by_its_symbols():
    from neurodyn.models.hmm_rnn import Generated

    with pytest.raises(ValueError, match="symbols is a Generated: give its symbols, symbols.symbols"):
        analysis.emulation_quality(Generated(SYMBOLS, SYMBOLS), CHAIN)
