import numpy as np
import pytest

from neurodyn.analysis.emulation.switching import dwell_of, dwell_of_states, dwell_of_symbols, intervals, switch_times
from neurodyn.tasks import HiddenMarkov


def test_intervals_are_complete_ones_only():
    sequences = np.array([[0, 0, 1, 1, 1, 0, 2, 2], [1, 1, 1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1, 1, 1]])
    assert switch_times(sequences[0]).tolist() == [2, 5, 6]
    assert intervals(sequences).tolist() == [3, 1]
    found = dwell_of(intervals(sequences))
    assert (found.mean, found.cv, found.count) == (2, 0.5, 2) and "2 intervals" in str(found)
    nothing = dwell_of(intervals(sequences[1:]))
    assert np.isnan(nothing.mean) and nothing.count == 0


@pytest.mark.parametrize("target", [HiddenMarkov.chain(2), HiddenMarkov.chain(3), HiddenMarkov.cyclic()])
def test_closed_forms_are_those_of_long_samples(target):
    states, symbols = (found.numpy() for found in target.sample(100, 2000, seed=1))
    for closed, sampled in ((dwell_of_states(target), states), (dwell_of_symbols(target), symbols)):
        measured = dwell_of(intervals(sampled))
        # Some 10 000 intervals or more: 1 % of the mean is one standard error, and long ones are cut off at the ends.
        assert measured.mean == pytest.approx(closed.mean, rel=0.03)
        assert measured.cv == pytest.approx(closed.cv, rel=0.03)
    assert dwell_of_symbols(target).mean == pytest.approx(1 / target.symbol_change)


def test_two_states_have_the_published_dwell():
    found = dwell_of_states(HiddenMarkov.chain(2))
    assert found.mean == pytest.approx(20) and found.cv == pytest.approx(np.sqrt(0.95)) and "closed form" in str(found)


def test_a_chain_that_never_leaves():
    found = dwell_of_states(HiddenMarkov([[1.0]], [[1.0]]))
    assert found.mean == np.inf and np.isnan(found.cv)
