"""Information of channels with known capacity."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from neurodyn.analysis import mutual_information
from neurodyn.analysis.nulls import Surrogate


def entropy(p):
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


@pytest.mark.parametrize("flip", [0.0, 0.05, 0.3])
def test_binary_symmetric_channel(flip):
    rng = np.random.default_rng(0)
    sent = rng.random(20000) < 0.5
    found = mutual_information(sent, sent ^ (rng.random(20000) < flip), samples=20)
    exact = 1 - entropy(flip) if flip else 1.0
    assert abs(found.bits - exact) < 4 * found.error + 1e-3
    assert found.signal_bits == pytest.approx(1, abs=1e-3) and found.null.p < 0.05
    assert "bits" in str(found) and "null" in str(found)


def test_plugin_is_that_of_scikit_learn_and_words_are_values():
    rng = np.random.default_rng(1)
    s = rng.integers(0, 3, 300)
    words = rng.poisson(1 + s[:, None], (300, 2))
    found = mutual_information(s, words, samples=5)
    assert found.plugin == pytest.approx(mutual_info_score(s, words[:, 0] * 1000 + words[:, 1]) / np.log(2))
    text = mutual_information(np.array(["a", "b", "c"])[s], words.astype(float), samples=5)
    assert text.bits == found.bits


def test_bias_and_error_over_many_samples():
    """Noisy channel with 2 signals and 4 responses: Miller-Madow leaves little of the bias, and the error is right."""
    rng = np.random.default_rng(2)
    p = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
    exact = np.sum(p / 2 * np.log2(p / p.mean(axis=0)))
    found = []
    for _ in range(400):
        s = rng.integers(0, 2, 150)
        r = (rng.random(150)[:, None] > p[s].cumsum(axis=1)).sum(axis=1)
        found.append(mutual_information(s, r, samples=1))
    bits = np.array([each.bits for each in found])
    assert abs(bits.mean() - exact) < 4 * bits.std() / 20
    assert np.mean([each.plugin for each in found]) - exact > 4 * bits.std() / 20
    assert np.median([each.error for each in found]) == pytest.approx(bits.std(), rel=0.25)


def test_slow_signals_need_the_shift():
    """Independent, but each stays for long: a shuffle would find them related in half of cases."""
    rng = np.random.default_rng(3)
    p: dict[Surrogate, list[float]] = {"shuffle": [], "shift": []}
    for _ in range(40):
        s, r = (np.repeat(rng.integers(0, 2, 50), 40) for _ in range(2))
        s = np.roll(s, 17)
        for kind, values in p.items():
            values.append(mutual_information(s, r, kind=kind, samples=99).null.p)
    assert np.mean(np.array(p["shuffle"]) < 0.05) > 0.4
    assert np.mean(np.array(p["shift"]) < 0.05) < 0.2


@pytest.mark.parametrize(
    "signal, response, error, match",
    [
        ([0.5, 1, 0, 1], [0, 1, 0, 1], ValueError, "fractions"),
        ([0, 1, 0, 1], [0, np.nan, 0, 1], ValueError, "fractions, NaN"),
        ([0, 1, 0, 1], [0, 1, 0], ValueError, "at least 4"),
        ([0, 1, 0, 1, 0], [0, 1, 0, 1], ValueError, "one response for each"),
        ([0, 0, 0, 0], [0, 1, 0, 1], ValueError, "always 0"),
        (np.zeros((2, 4), int), [0, 1, 0, 1], ValueError, "shape"),
        ([0, 1, 0, 1], np.array([0, 1, 0, 1j]), TypeError, "dtype"),
    ],
)
def test_bad_input(signal, response, error, match):
    with pytest.raises(error, match=match):
        mutual_information(signal, response)
