import numpy as np
import pytest

from neurodyn.analysis.nulls import NullTest, grouped_permutations, surrogate


def test_p_counts_the_data_among_the_surrogates():
    null = np.array([1.0, 2.0, 3.0, 4.0])
    assert NullTest(3.0, null, "greater").p == pytest.approx(3 / 5)
    assert NullTest(3.0, null, "less").p == pytest.approx(4 / 5)
    assert NullTest(9.0, null, "greater").p == pytest.approx(1 / 5)
    assert NullTest(9.0, null, "two-sided").p == pytest.approx(2 / 5)
    assert NullTest(2.5, null, "two-sided").p == 1.0


def test_a_surrogate_equal_to_the_data_but_for_rounding_is_a_tie():
    assert NullTest(0.3, np.array([0.1 + 0.2 - 1e-15]), "greater").p == 1.0
    assert NullTest(3e-15, np.array([1e-15]), "greater").p == 0.5


def test_p_is_uniform_if_the_data_follow_the_null():
    rng = np.random.default_rng(5)
    p = np.array([NullTest(float(v[0]), v[1:], "two-sided").p for v in rng.normal(size=(2000, 100))])
    # 2000 draws of a probability 0.05: five standard deviations are 0.024.
    assert abs((p <= 0.05).mean() - 0.05) < 0.025


def test_arrays_of_estimates_are_judged_one_by_one():
    test = NullTest(np.array([0.0, 10.0]), np.arange(18.0).reshape(9, 2))
    assert np.allclose(test.p, [1.0, 0.5])
    assert np.allclose(test.low, np.percentile(test.null, 5, axis=0))
    assert np.allclose(test.high, np.percentile(test.null, 95, axis=0))
    assert test.samples == 9
    assert "p" in str(test) and "p" in str(NullTest(1.0, np.zeros(3)))


@pytest.mark.parametrize("kind", ["shift", "shuffle"])
def test_surrogates_keep_each_unit_and_break_what_units_share(kind):
    walk = np.cumsum(np.random.default_rng(1).normal(size=400))
    x = np.stack([walk, walk, walk], axis=1)
    y = surrogate(x, kind=kind, seed=3)
    assert np.array_equal(np.sort(y, axis=0), np.sort(x, axis=0))
    assert not np.array_equal(y[:, 0], y[:, 1])
    assert np.array_equal(y, surrogate(x, kind=kind, seed=3))
    steps = np.abs(np.diff(np.vstack([y, y[:1]]), axis=0)).sum(axis=0)
    circle = np.abs(np.diff(np.append(walk, walk[0]))).sum()
    if kind == "shift":
        assert np.allclose(steps, circle)
    else:
        assert (steps > 3 * circle).all()


def test_whole_groups_swap_labels_that_each_group_has_one_of():
    groups = np.array([0, 0, 1, 1, 1, 2])
    labels = np.array([5, 5, 6, 6, 6, 7])
    orders = grouped_permutations(labels, groups, 200, np.random.default_rng(0))
    seen = {tuple(labels[order]) for order in orders}
    assert len(seen) == 6
    assert all(len({row[i] for i in np.flatnonzero(groups == g)}) == 1 for row in seen for g in range(3))


def test_mixed_labels_stay_in_their_group():
    groups = np.array(["a", "b", "a", "b", "a"])
    labels = np.array([0, 2, 1, 3, 0])
    for order in grouped_permutations(labels, groups, 50, np.random.default_rng(0)):
        assert sorted(labels[order][groups == "a"]) == [0, 0, 1]
        assert sorted(labels[order][groups == "b"]) == [2, 3]


def test_unknown_kind_gets_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'shuffle'"):
        surrogate(np.zeros((4, 2)), kind="shufle")  # type: ignore[arg-type]
