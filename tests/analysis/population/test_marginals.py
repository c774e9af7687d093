import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.analysis import stack_conditions
from neurodyn.analysis.population.marginals import marginal_names, marginalise


@given(st.lists(st.integers(2, 4), min_size=2, max_size=4), st.booleans(), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_parts_sum_to_activity_and_are_orthogonal(sizes, join_time, seed):
    x = np.random.default_rng(seed).normal(size=(*sizes, 3))
    labels = "abcd"[: len(sizes)]
    parts = marginalise(x, marginal_names(labels, join_time=join_time))
    assert len(parts) == (2 ** (len(sizes) - 1) if join_time else 2 ** len(sizes) - 1)
    np.testing.assert_allclose(sum(parts.values()), x - x.reshape(-1, 3).mean(axis=0), atol=1e-12)
    flat = [p.reshape(-1, 3) for p in parts.values()]
    for i in range(len(flat)):
        for j in range(i):
            np.testing.assert_allclose(flat[i].T @ flat[j], 0, atol=1e-10)  # for every pair of units


def test_a_part_is_what_was_put_in():
    rng = np.random.default_rng(0)
    event, time = rng.normal(size=(3, 1, 5)), rng.normal(size=(1, 10, 5))
    event, time = event - event.mean(axis=0), time - time.mean(axis=1)
    parts = marginalise(7 + event + time, marginal_names(("event", "time"), join_time=False))
    assert list(parts) == ["event", "time", "event x time"]
    np.testing.assert_allclose(parts["event"], np.broadcast_to(event, (3, 10, 5)), atol=1e-12)
    np.testing.assert_allclose(parts["time"], np.broadcast_to(time, (3, 10, 5)), atol=1e-12)
    np.testing.assert_allclose(parts["event x time"], 0, atol=1e-12)
    assert list(marginal_names(("a", "b", "time"), join_time=True)) == ["a", "b", "time", "a x b"]


def test_trials_are_sorted_by_condition():
    labels = np.array(["B", "A", "A", "B", "B", "A", "A"])
    block = np.array([1, 0, 1, 0, 1, 1, 0])
    x = np.arange(7.0)[:, None, None] + np.zeros((7, 3, 2))
    stacked, kinds = stack_conditions(x, {"event": labels, "block": block})
    assert stacked.shape == (1, 2, 2, 3, 2) and kinds == {"event": ["A", "B"], "block": [0, 1]}
    for i, event in enumerate("AB"):
        for j in range(2):
            trial = int(stacked[0, i, j, 0, 0])
            assert (labels[trial], block[trial]) == (event, j)
    alone, _ = stack_conditions(x, {"event": labels.astype(object)}, seed=3)
    assert alone.shape == (3, 2, 3, 2) and len(np.unique(alone[:, :, 0, 0])) == 6
    with pytest.raises(ValueError, match="no trial has event = 'B', block = 0"):
        stack_conditions(x, {"event": labels, "block": np.where(labels == "B", 1, block)})
    with pytest.raises(ValueError, match="one label for each of 7 trials"):
        stack_conditions(x, {"event": labels[:3]})
    with pytest.raises(ValueError, match="conditions is empty"):
        stack_conditions(x, {})
