"""Errors of predictions by horizon."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodyn.analysis import persistence_error, prediction_error
from neurodyn.tasks import Primitives


def test_by_hand():
    actual = np.array([[[0.0, 0], [1, 1], [2, 0], [4, 0]]])
    predicted = np.full((1, 4, 2, 2), np.nan)
    predicted[0, 1] = [[2, 1], [4, 2]]  # of steps 2 and 3
    predicted[0, 2, 0] = [1, 0]  # of step 3
    predicted[0, 0] = 99  # before the first step that counts
    found = prediction_error(predicted, actual, first=1)
    assert found.error.tolist() == [(1 + 9) / 2, 4] and found.count.tolist() == [2, 1]
    assert found.persistence.tolist() == [(2 + 4) / 2, 10]
    assert found.ratio.tolist() == [5 / 3, 0.4] and found.by_sequence.tolist() == [[5, 4]]
    assert prediction_error(predicted, actual, first=2).error[0] == 9
    assert np.isnan(prediction_error(predicted, actual, first=2).error[1])
    assert "1.667" in str(found)


def test_a_perfect_predictor_and_one_that_is_late():
    actual = np.random.default_rng(0).normal(size=(3, 40, 2))
    perfect = np.full((3, 40, 3, 2), np.nan)
    for h in range(3):
        perfect[:, : 39 - h, h] = actual[:, h + 1 :]
    found = prediction_error(torch.tensor(perfect), torch.tensor(actual))
    assert (found.error == 0).all() and found.count.tolist() == [3 * 19, 3 * 18, 3 * 17]
    late = prediction_error(np.roll(perfect, 1, axis=1), actual)
    np.testing.assert_allclose(late.error[1], np.square(actual[:, 21:38] - actual[:, 22:39]).sum(2).mean(), rtol=0.2)


def test_persistence_of_the_pilot():
    """Unseen D2 sequences after step 20: .054, .189, .361 and .686 at 1, 2, 3 and 5 steps; the pilot had three of them."""
    actual = Primitives().sample(300, 120, seed=3).values
    found = persistence_error(actual)
    np.testing.assert_allclose(found.error[[0, 1, 2, 4]], [0.054, 0.189, 0.361, 0.686], rtol=0.06)
    np.testing.assert_array_equal(found.error, found.persistence)
    np.testing.assert_allclose(found.by_sequence.mean(axis=0), found.error)
    three = persistence_error(actual[:3]).by_sequence.mean(axis=0)
    np.testing.assert_allclose(three[[0, 1, 2, 4]], [0.054, 0.189, 0.361, 0.686], rtol=0.2)


def test_what_is_missing_does_not_count():
    actual = np.random.default_rng(1).normal(size=(2, 30, 2))
    whole = persistence_error(actual, horizons=1, first=0)
    actual[0, 10, 1] = np.nan
    holed = persistence_error(actual, horizons=1, first=0)
    assert whole.count.tolist() == [58] and holed.count.tolist() == [56]
    # A prediction from step 10 can be made; its persistence can't.
    predicted = np.zeros((2, 30, 1, 2))
    found = prediction_error(predicted, actual, first=0)
    assert found.count.tolist() == [57]
    assert found.persistence[0] == pytest.approx(holed.error[0])
    none = prediction_error(np.full_like(predicted, np.nan), actual)
    assert none.count.tolist() == [0] and np.isnan(none.error).all() and np.isnan(none.by_sequence).all()
    assert np.isinf(prediction_error(predicted + np.inf, actual).error).all()


def test_horizons_beyond_the_end():
    found = persistence_error(np.zeros((1, 5, 1)), horizons=6, first=2)
    assert found.count.tolist() == [2, 1, 0, 0, 0, 0] and np.isnan(found.error[2:]).all()


ACTUAL = np.zeros((2, 30, 3))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: prediction_error(ACTUAL, ACTUAL), r"predicted has shape \(2, 30, 3\), actual \(2, 30, 3\): give"),
        (lambda: prediction_error(np.zeros((2, 30, 4, 1)), ACTUAL), "with the same sequences, steps and dimensions"),
        (lambda: prediction_error(np.zeros((2, 30, 0, 3)), ACTUAL), "give at least one of everything"),
        (lambda: prediction_error(np.zeros((2, 30, 1, 3)), ACTUAL, first=29), "first = 29: at least 0, at most 28"),
        (lambda: persistence_error(ACTUAL[0]), r"actual has shape \(30, 3\)"),
        (lambda: persistence_error(ACTUAL, horizons=0), "horizons = 0: at least 1"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
