import math

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.recording.layout import dataset_at
from neurodyn.recording.trials import clean_row, column_values, read_trials, write_trials

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
int64 = st.integers(-(2**63), 2**63 - 1)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([text, int64, st.booleans(), st.floats()]).flatmap(lambda kind: st.lists(kind, min_size=1)))
def test_columns_without_gaps_come_back_in_their_type(cells):
    with h5py.File("trials", "w", driver="core", backing_store=False) as file:
        kinds = {}
        write_trials(file, [clean_row({"x": cell}, number, kinds) for number, cell in enumerate(cells)])
        column = read_trials(file)["x"]
    assert all(a == b or (a != a and b != b) for a, b in zip(column.tolist(), cells, strict=True))
    assert type(column.tolist()[0]) is type(cells[0])


@pytest.mark.parametrize(
    ("cells", "dtype", "expected"),
    [
        ([1, None], np.float64, [1, math.nan]),
        ([True, None], np.float64, [1, math.nan]),
        ([1, 2.5], np.float64, [1, 2.5]),
        ([True, 2], np.int64, [1, 2]),
        ([None, "a"], np.dtype("U1"), ["", "a"]),
        ([None, None], np.float64, [math.nan, math.nan]),
    ],
)
def test_gaps_and_mixtures(cells, dtype, expected):
    values = column_values(cells)
    assert values.dtype == dtype
    assert values.tolist() == pytest.approx(expected, nan_ok=True) if dtype != np.dtype("U1") else expected


def test_columns_may_begin_late():
    with h5py.File("trials", "w", driver="core", backing_store=False) as file:
        kinds = {}
        write_trials(file, [clean_row(row, n, kinds) for n, row in enumerate([{"a": 1}, {"a": 2, "b": "x"}])])
        table = read_trials(file)
        assert dataset_at(file, "trials/b").dims[0][0] == file["trials/trial"]
    assert table["b"].tolist() == ["", "x"]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("text", TypeError, "trial 1, column 'a': 'text' is a text, the rows before hold number"),
        ([1], TypeError, "is a list"),
        (object(), TypeError, "column 'a'"),
        (2**63, ValueError, "64 bits"),
    ],
)
def test_bad_cells_are_named(value, error, message):
    with pytest.raises(error, match=message):
        clean_row({"a": value}, 1, {"a": "number"})


def test_text_with_nul_is_refused():
    with pytest.raises(ValueError, match="NUL"):
        clean_row({"a": "x\0"}, 0, {})


def test_the_column_trial_is_the_number_of_the_row():
    assert clean_row({"trial": 3, "a": 1}, 3, {}) == {"a": 1}
    with pytest.raises(ValueError, match="number of the row"):
        clean_row({"trial": 4}, 3, {})
