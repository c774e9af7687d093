"""Words of symbols beside those of a machine, and the numbers of the pilot."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neurodyn.analysis import word_divergence
from neurodyn.tasks import FiniteState

CYCLE = FiniteState.cycle()


def test_floors_of_the_pilot():
    """A perfect sampler .002 (runs of about 12 000 steps), the training set of 20 x 48 .032 and the small one .40 nats."""
    run = word_divergence(CYCLE.sample(1, 12_000, seed=1)[1], CYCLE, repeats=60)
    assert run.sampled.mean() == pytest.approx(0.002, abs=4e-4)
    assert run.sampled.min() < run.divergence < run.sampled.max() and run.missing == run.strange == 0
    training = word_divergence(CYCLE.sample(20, 48, seed=1)[1], CYCLE, repeats=200)
    assert training.windows == 20 * 37
    low, middle, high = np.percentile(training.sampled, [5, 50, 95])
    assert middle == pytest.approx(0.032, abs=0.005) and low < 0.032 < high and low < training.divergence < high
    small = word_divergence(CYCLE.sample(10, 24, seed=1)[1], CYCLE, repeats=200).sampled
    assert np.percentile(small, 5) < 0.40 < np.percentile(small, 95) and 0.3 < small.mean() < 0.5


def test_one_orbit_scores_3_72():
    """What networks without noise came down to in the pilot: all ones at the branch."""
    found = word_divergence(np.tile([1, 0, 1], 4000), CYCLE, repeats=1)
    assert found.divergence == pytest.approx(3.72, abs=0.005)
    ones = 0.7**4  # of words in the same phase, three words in all
    assert found.missing == pytest.approx(1 - ones) and found.strange == 0
    assert found.reverse == pytest.approx(math.log(1 / ones), abs=1e-6)
    assert found.entropy == pytest.approx(math.log2(3), abs=1e-6)
    assert found.sampled_reverse[0] < 0.01


def test_by_hand():
    """Words of two symbols, 01 11 11 10 00 of one and 00 01 of the other."""
    found = word_divergence([0, 1, 1, 1, 0, 0], [0, 0, 1], n=2, floor=0.1)
    assert found.words.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert found.reference.tolist() == [0.5, 0.5, 0, 0] and found.generated.tolist() == [0.2, 0.2, 0.2, 0.4]
    assert found.divergence == pytest.approx(math.log(0.5 / 0.2))
    assert found.reverse == pytest.approx(
        0.4 * math.log(0.2 / 0.5) + 0.2 * math.log(0.2 / 0.1) + 0.4 * math.log(0.4 / 0.1)
    )
    assert found.strange == pytest.approx(0.6) and found.missing == 0 and found.windows == 5
    assert found.reference_entropy == 1 and found.entropy == pytest.approx(-0.6 * math.log2(0.2) - 0.4 * math.log2(0.4))
    assert found.sampled.size == 0 and "perfect" not in str(found)
    # No word reaches over the end of a sequence; ones too short have none.
    apart = word_divergence([np.array([0, 1]), np.array([1]), np.array([1, 0])], [0, 1], n=2)
    assert apart.windows == 2 and apart.words.tolist() == [[0, 1], [1, 0]] and apart.generated.tolist() == [0.5, 0.5]


def test_rules_that_are_broken_show_in_the_reverse():
    symbols = CYCLE.sample(1, 6000, seed=2)[1].numpy()
    broken = np.where(np.random.default_rng(0).random(symbols.shape) < 0.02, 1 - symbols, symbols)
    found, whole = (word_divergence(x, CYCLE, repeats=5) for x in (broken, symbols))
    # A flip at the branch is legal, elsewhere it isn't: 8 of 12 positions.
    assert found.strange == pytest.approx(1 - 0.98**8, abs=0.03) and whole.strange == 0
    assert found.reverse > 20 * whole.reverse and found.divergence > 5 * whole.divergence
    assert "not in the reference: 1" in str(found) and "perfect samples 0.00" in str(found)


def test_the_floor_of_a_list_has_its_lengths():
    parts = [x[:length] for x, length in zip(CYCLE.sample(3, 90, seed=4)[1].numpy(), (90, 40, 20), strict=True)]
    listed = word_divergence(parts, CYCLE, repeats=3, seed=7)
    again = word_divergence(parts, CYCLE, repeats=2, seed=7)
    np.testing.assert_array_equal(listed.sampled[:2], again.sampled)
    assert listed.windows == 79 + 29 + 9
    assert word_divergence(parts, CYCLE, repeats=2, seed=8).sampled[0] != listed.sampled[0]


def test_other_sequences_as_reference_agree_with_the_machine():
    symbols = CYCLE.sample(1, 5000, seed=5)[1]
    long = word_divergence(symbols, CYCLE.sample(1, 300_000, seed=6)[1])
    assert long.divergence == pytest.approx(word_divergence(symbols, CYCLE, repeats=1).divergence, rel=0.15)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: word_divergence([0, 1], CYCLE), "n = 12: symbols has no sequence as long"),
        (lambda: word_divergence([0, 1, 2] * 9, CYCLE), "holds 2; the model has 2 symbols"),
        (lambda: word_divergence([0, 1] * 9, [0, 1]), "n = 12: reference has no sequence as long"),
        (
            lambda: word_divergence([0, 9] * 40, [0, 1] * 40, n=30),
            "n = 30: words of 10 symbols can't be longer than 18",
        ),
        (lambda: word_divergence([0, 1] * 9, CYCLE, floor=0), "floor = 0: give a finite number above 0"),
        (lambda: word_divergence([0, 1] * 9, CYCLE, repeats=0), "repeats = 0: at least 1"),
        (lambda: word_divergence([0.5, 1] * 9, CYCLE), "dtype float64: give symbols as whole numbers"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
