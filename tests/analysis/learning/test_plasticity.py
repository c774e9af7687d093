import numpy as np
import pytest

from neurodyn import analysis


def test_history_counts_every_synapse_and_those_at_bounds():
    weights = np.array([[0.0, 1.0, 2.0, 3.9], [0.0, 0.0, 4.0, 4.0], [4.0, 4.0, 4.0 + 1e-12, 1.0]])
    history = analysis.weight_history(weights, bins=4, bounds=(0, 4))
    assert history.edges.tolist() == [0, 1, 2, 3, 4]
    assert history.counts.tolist() == [[1, 1, 1, 1], [2, 0, 0, 2], [0, 1, 0, 3]]
    assert history.low.tolist() == [0.25, 0.5, 0.0] and history.high.tolist() == [0.0, 0.5, 0.75]
    np.testing.assert_allclose(history.mean, weights.mean(axis=1))
    np.testing.assert_allclose(history.sd, weights.std(axis=1))


def test_history_without_bounds_spans_all_weights():
    weights = np.random.default_rng(0).normal(size=(5, 300)) * np.arange(1, 6)[:, None]
    history = analysis.weight_history(weights, bins=7)
    assert history.edges[0] == weights.min() and history.edges[-1] == weights.max()
    assert (history.counts.sum(axis=1) == 300).all() and np.isnan(history.low).all() and history.bounds is None
    assert analysis.weight_history(np.ones((2, 3)), bins=3).counts.tolist() == [[0, 3, 0]] * 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: analysis.weight_history([[1.0, 2.0]], bounds=(2, 2)), "bounds = \\(2, 2\\): give \\(low, high\\)"),
        (lambda: analysis.weight_history([[1.0, 5.0]], bounds=(0, 4)), "weights run from 1 to 5, beyond bounds"),
        (lambda: analysis.weight_history([1.0, 5.0]), "weights has shape"),
        (lambda: analysis.weight_history([[np.nan]]), "NaN"),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
