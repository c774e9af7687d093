import numpy as np
import pytest

from neurodyn.analysis import condition_pca, transfer_null, transfer_projection

P = np.repeat([0.2, 0.5, 0.8], 3)
LATENCY = np.tile([120.0, 180, 240], 3)


def weights(seed=0, size=(1.0, 10.0), noise=0.02):
    """A "what" part along p; a "when" part along latency with a little of p, and much larger."""
    rng = np.random.default_rng(seed)
    parts = []
    for variable, scale in zip((P, LATENCY / 100), size, strict=True):
        part = np.outer(variable, rng.normal(size=50)) + np.outer(0.5 * P, rng.normal(size=50))
        part += noise * rng.normal(size=(9, 50)) + rng.normal(size=50)
        parts.append(scale * part)
    return parts


def test_part_normalised_components_order_both_variables():
    result = condition_pca(weights(), {"p": P, "latency": LATENCY}, samples=999)
    assert result.distinct and set(result.best.values()) == {0, 1}
    for name, best in result.best.items():
        assert abs(result.correlations[name][best]) > 0.95
        assert result.tests[name].p <= 0.01
    assert result.explained_ratio[:2].sum() > 0.9


def test_raw_components_follow_the_larger_part():
    result = condition_pca(weights(), {"p": P, "latency": LATENCY}, normalise="raw")
    assert result.best["latency"] == 0
    assert result.explained_ratio[0] > 0.9


def test_decomposition_and_correlations_are_those_of_the_definition():
    parts = weights(1)
    result = condition_pca(parts, {"p": P}, components=8)
    joined = np.concatenate([(w - w.mean(0)) / np.linalg.norm(w - w.mean(0)) for w in parts], axis=1)
    assert np.allclose(result.scores @ result.components, joined, atol=1e-10)
    assert np.allclose(result.components @ result.components.T, np.eye(8), atol=1e-10)
    assert result.explained_ratio.sum() == pytest.approx(1)
    expected = [np.corrcoef(P, score)[0, 1] for score in result.scores.T]
    assert np.allclose(result.correlations["p"], expected)
    assert result.tests["p"].observed == pytest.approx(np.abs(expected).max())


def test_chance_reaches_a_large_correlation_and_the_null_says_so():
    rng = np.random.default_rng(2)
    results = [condition_pca(rng.normal(size=(9, 30)), {"p": P}, samples=99, seed=k).tests["p"] for k in range(200)]
    assert np.mean([r.observed > 0.6 for r in results]) > 0.15
    assert sum(r.p <= 0.05 for r in results) <= 24  # nominal 10 of 200, standard deviation 3.1


def test_rank_limits_the_components():
    assert condition_pca(np.outer(P, np.ones(4)), {"p": P}, components=5).scores.shape == (9, 1)


def test_transfer_runs_from_zero_to_one():
    rng = np.random.default_rng(3)
    start, target, aside = rng.normal(size=(3, 40))
    way = target - start
    aside -= way * (aside @ way) / (way @ way)
    path = start + np.linspace(0, 1.5, 4)[:, None] * way + 3 * aside
    assert np.allclose(transfer_projection(path, start, target), [0, 0.5, 1, 1.5])
    assert transfer_projection(target, start, target) == pytest.approx(1)
    assert isinstance(transfer_projection(target, start, target), float)


def test_transfer_null_is_centred_on_zero_and_left_by_real_movement():
    rng = np.random.default_rng(4)
    start, target, elsewhere = rng.normal(size=(3, 200))
    test = transfer_null(np.stack([(start + target) / 2, elsewhere]), start, target, samples=199)
    assert test.null.shape == (199, 2)
    assert abs(test.null[:, 0].mean()) < 0.05
    assert test.p[0] == pytest.approx(1 / 200)
    assert isinstance(transfer_null(target, start, target, samples=19).p, float)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: condition_pca(np.ones((9, 3)), {"p": P}), "the same in all conditions"),
        (lambda: condition_pca([np.eye(9), np.eye(8)], {"p": P}), "parts\\[1\\] has 8 conditions"),
        (lambda: condition_pca(np.eye(9), {"p": P[:4]}), "4 values for 9 conditions"),
        (lambda: condition_pca(np.eye(9), {"p": np.ones(9)}), "every condition"),
        (lambda: condition_pca(np.eye(9), {}), "at least one part and one variable"),
        (lambda: condition_pca(np.eye(9), {"p": P}, normalise="parts"), "mean 'part'"),  # type: ignore
        (lambda: condition_pca(np.eye(2), {"p": P[:2]}), "at least 3"),
        (lambda: transfer_projection(np.ones(3), np.ones(2), np.zeros(2)), "give all the same"),
        (lambda: transfer_projection(np.ones(3), np.ones(3), np.ones(3)), "the same point"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
