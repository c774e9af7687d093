import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurodyn.plots.numbers import (
    centre_and_spread,
    checked,
    complete,
    decimals,
    mean_correlation,
    seeds_of,
    spread_text,
    thinned,
)


@pytest.mark.parametrize(
    ("values", "shape", "words"),
    [
        ([[1.0]], (None,), r"x has shape \(1, 1\); expected \(any,\)"),
        ([1.0, 2.0], (3,), r"expected \(3,\)"),
        ([], (None,), "x is empty"),
        ([1.0, np.nan], (None,), r"x is nan at \(1,\)"),
        (["a"], (None,), "x: expected an array of numbers"),
    ],
)
def test_wrong_arrays_are_named(values, shape, words):
    with pytest.raises(ValueError, match=words):
        checked("x", values, shape, finite=True)


def test_one_row_is_one_seed():
    assert seeds_of("x", [1.0, 2.0], 2).shape == (1, 2)


@given(arrays(float, (4, 3), elements=st.floats(-1e6, 1e6)))
def test_mean_and_spread_are_numpys(values):
    mean, low, high = centre_and_spread(values, "sd")
    assert np.allclose(mean, values.mean(0))
    assert np.allclose(high - mean, values.std(0, ddof=1), atol=1e-6)
    assert np.allclose(mean - low, high - mean)
    sem = centre_and_spread(values, "sem")
    assert np.allclose(sem[2] - sem[0], values.std(0, ddof=1) / 2, atol=1e-6)
    _, low, high = centre_and_spread(values, "range")
    assert (low == values.min(0)).all()
    assert (high == values.max(0)).all()


def test_missing_values_are_left_out():
    values = np.array([[1.0, np.nan, np.inf], [3.0, np.nan, 5.0]])
    mean, low, high = centre_and_spread(values, "range")
    assert mean.tolist()[::2] == [2.0, 5.0]
    assert np.isnan([mean[1], low[1], high[1]]).all()
    assert complete("RLS", values) == "RLS (0 of 2 seeds complete)"
    assert complete("RLS", np.ones((2, 2))) == "RLS"


def test_unknown_spread():
    with pytest.raises(ValueError, match="spread = 'iqr'.*'sd'"):
        centre_and_spread(np.ones((2, 2)), "iqr")  # type: ignore[arg-type]


def test_texts():
    assert spread_text("sd", [[1, 2, 3], [1, 2]]) == "mean ± SD, 2 to 3 seeds"
    assert spread_text("sem", [[1, 2]]) == "mean ± SEM, 2 seeds"
    assert spread_text("sd", [[1]]) == "one seed"
    assert spread_text("sd", [[]]) == "no seeds"
    assert decimals(-0.5) == "\N{MINUS SIGN}0.500"
    assert decimals(float("nan")) == "undefined"


def test_correlation_is_the_mean_over_seeds():
    x = np.array([0.0, 0.5, 1.0])
    rows = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0], [5.0, 5.0, 5.0]])
    assert mean_correlation(x, rows[:1]) == pytest.approx(1.0)
    assert mean_correlation(x, rows) == pytest.approx(0.0)  # the constant row has none
    assert np.isnan(mean_correlation(x, rows[2:]))
    assert mean_correlation(x, np.array([[0.0, np.nan, 3.0]])) == pytest.approx(1.0)


@given(arrays(float, st.integers(1, 400), elements=st.floats(-1e3, 1e3)), st.integers(4, 100))
def test_thinning_keeps_order_and_extremes(values, points):
    time = np.arange(len(values), dtype=float)
    t, v = thinned(time, values, points)
    assert (np.diff(t) >= 0).all()
    assert (values[t.astype(int)] == v).all()
    assert v.min() == values.min()
    assert v.max() == values.max()


def test_thinning_thins_and_keeps_gaps():
    values = np.sin(np.arange(100_000.0))
    assert len(thinned(values, values, 1000)[0]) <= 1100
    values[50_000] = np.nan
    assert np.isnan(thinned(values, values, 1000)[1]).any()
