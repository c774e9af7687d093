"""Rows of probabilities, stationary distributions, edges of draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.tasks.stochastic_matrices import closed_sets, edges, entropy, rows, stationary


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_stationary_distribution_is_kept(states, seed):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(states, 0.3), size=states)
    transition[:, 0] += 1e-3  # every state leads to state 0: one closed set
    transition /= transition.sum(axis=1, keepdims=True)
    pi = stationary(transition)
    assert pi.min() >= 0 and pi.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(pi @ transition, pi, atol=1e-14)


def test_stationary_distribution_of_states_hardly_ever_left():
    """Rates of 1e-18 and 3e-18: a linear solve of 1 - T would see nothing but rounding."""
    transition = np.array([[1 - 1e-18, 1e-18], [3e-18, 1 - 3e-18]])
    np.testing.assert_allclose(stationary(transition), [0.75, 0.25], rtol=1e-14)


def test_transient_states_and_closed_sets():
    transition = np.array([[0.5, 0.25, 0.25, 0], [0, 0.5, 0, 0.5], [0, 0, 1, 0], [0, 1, 0, 0.0]])
    assert closed_sets(transition) == [[1, 3], [2]]
    with pytest.raises(ValueError, match=r"states \[1, 3\] and \[2\] are sets that are never left.* give a start"):
        stationary(transition)
    assert closed_sets(transition[np.ix_([1, 3], [1, 3])]) == [[0, 1]]
    np.testing.assert_allclose(stationary(np.array([[0.9, 0.1], [0, 1.0]])), [0, 1])
    path = np.eye(9, k=1)
    path[8, 8] = 1
    assert closed_sets(path) == [[8]]  # 8 steps away from state 0


def test_edges_never_draw_what_has_no_probability():
    tenths = np.full(10, 0.1)
    assert np.cumsum(tenths)[-1] < 1  # what the edges have to mend
    p = np.array([[*tenths, 0, 0], [0, 0.5, 0, *np.zeros(8), 0.5], [0, 1, *np.zeros(10)]])
    found = edges(p)
    for u in (2.0**-53, 0.3, 0.5, 1 - 2.0**-53):
        drawn = (u >= found).sum(axis=1)
        assert (p[np.arange(3), drawn] > 0).all()
    np.testing.assert_array_equal((found <= 0.55).sum(axis=1), [5, 11, 1])


def test_entropy():
    assert entropy(np.array([[0.5, 0.5, 0], [1, 0, 0]])) == pytest.approx([np.log(2), 0])


@pytest.mark.parametrize(
    "given, message",
    [
        ([[0.5, 0.4], [0.5, 0.5]], r"p: row 0 sums to 0\.9; it has to be 1"),
        ([[0.5, 0.5], [0.5, 0.6]], r"p: row 1 sums to 1\.1;"),
        (np.array([[0.1, 0.2, 0.7]], dtype=np.float32), r"row 0 sums to 0\.99999999\d*; .*in float64"),
        ([[1.5, -0.5]], "row 0 holds 1.5 in column 0; probabilities lie between 0 and 1"),
        ([[0.5, 0.5], [np.nan, 1]], "row 1 holds nan in column 0"),
        ([[0.5, 0.5], [1.0]], "give rows of numbers, all of one length"),
        ("none", "p = 'none': give rows of numbers"),
        ([0.5, 0.5], r"p has shape \(2,\): give \(row, column\)"),
        (np.zeros((0, 2)), r"p has shape \(0, 2\): give \(row, column\), with no empty axis"),
    ],
)
def test_errors_of_rows(given, message):
    with pytest.raises(ValueError, match=message):
        rows(given, "p")


def test_rows_are_a_copy_that_cannot_be_written():
    given = np.eye(2)
    made = rows(given, "p")
    given[0, 0] = 0
    assert made[0, 0] == 1 and not made.flags.writeable
    with pytest.raises(ValueError, match=r"p has shape \(2, 2\): give \(state,\)"):
        rows(np.eye(2), "p", ndim=1)
    with pytest.raises(ValueError, match=r"^p sums to 0\.8"):
        rows([0.4, 0.4], "p", ndim=1)
