"""Transitions between primitives."""

from __future__ import annotations

import numpy as np
import pytest

from neurodyn.analysis import binomial_interval, transition_table
from neurodyn.tasks import Primitives


def test_by_hand():
    found = transition_table([np.array([0, 1, 0, 2, 0]), np.array([], dtype=int), np.array([1, 1, 0])], primitives=4)
    assert found.counts.tolist() == [[0, 1, 1, 0], [2, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]] and found.total == 6
    np.testing.assert_allclose(found.probability[:3], [[0, 0.5, 0.5, 0], [2 / 3, 1 / 3, 0, 0], [1, 0, 0, 0]])
    assert np.isnan(found.probability[3]).all() and np.isnan(found.illegal) and found.allowed is None
    interval = binomial_interval(2, 3)
    assert (found.low[1, 0], found.high[1, 0]) == (interval.low, interval.high)
    assert (found.low[3] == 0).all() and (found.high[3] == 1).all()
    np.testing.assert_array_equal(found.among_allowed, found.probability)
    assert "6 transitions; 95% intervals" in str(found)


def test_what_is_not_allowed():
    allowed = [[0, 0.7, 0.3], [1, 0, 0], [1, 0, 0]]
    found = transition_table([[0, 1, 2, 0, 0, 1]], allowed=allowed)
    assert found.illegal == pytest.approx(2 / 5) and "40.00% not allowed" in str(found)
    assert found.probability[0].tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert found.among_allowed[0].tolist() == [0, 1, 0] and np.isnan(found.among_allowed[1]).all()


def test_primitives_that_a_task_drew_and_that_were_found_again():
    """P(B|A) = .7 within an interval of 99.99 %; nothing illegal."""
    task = Primitives()
    drawn = task.sample(60, 240, seed=1)
    for labels in (drawn.order, task.segment(drawn.values).labels):
        found = transition_table(labels, allowed=task.transition, confidence=0.9999)
        assert found.illegal == 0 and found.low[0, 1] < 0.7 < found.high[0, 1] and found.total > 1000
        assert found.probability[1, 0] == found.probability[2, 0] == 1


def test_nothing_at_all():
    found = transition_table([np.array([], dtype=int)], allowed=np.ones((2, 2)))
    assert found.total == 0 and np.isnan(found.illegal) and found.counts.shape == (2, 2)
    assert transition_table([[]]).counts.shape == (1, 1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: transition_table([[0.5, 1]]), r"labels\[0\] has shape \(2,\) and dtype float64"),
        (lambda: transition_table([0, 1]), r"labels\[0\] has shape \(\)"),
        (lambda: transition_table([[0, 3]], primitives=2), "labels holds 3: there are primitives 0 to 1"),
        (lambda: transition_table([[0, -1]]), "labels holds -1"),
        (lambda: transition_table([[0]], allowed=[1, 0]), r"allowed has shape \(2,\)"),
        (lambda: transition_table([[0]], allowed=np.eye(2), primitives=3), "allowed has 2 rows for 3 primitives"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
