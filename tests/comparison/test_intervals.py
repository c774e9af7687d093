"""How often intervals cover the truth."""

import numpy as np
import pytest

from neurodyn.comparison.intervals import Method, difference_interval, mean_interval


@pytest.mark.parametrize(("method", "size", "low", "high"), [("t", 5, 0.93, 0.97), ("bootstrap", 5, 0.79, 0.88)])
def test_coverage_of_a_mean(method: Method, size: int, low: float, high: float) -> None:
    """Of 1500 samples: three standard errors are 0.017 for t (false alarm 0.3 %), 0.029 for the bootstrap."""
    samples = np.random.default_rng(3).normal(2.0, 1.0, (1500 if method == "t" else 300, size))
    found = np.array([mean_interval(one, method, 0.95) for one in samples])
    share = ((found[:, 1] < 2.0) & (found[:, 2] > 2.0)).mean()
    assert low < share < high


def test_coverage_of_a_difference_of_unequal_groups() -> None:
    random = np.random.default_rng(4)
    pairs = [(random.normal(1.0, 3.0, 5), random.normal(0.0, 1.0, 12)) for _ in range(1500)]
    found = np.array([difference_interval(*pair, "t", 0.95) for pair in pairs])
    assert 0.93 < ((found[:, 1] < 1.0) & (found[:, 2] > 1.0)).mean() < 0.97


def test_a_bootstrap_of_many_values_is_that_of_the_normal() -> None:
    values = np.random.default_rng(5).normal(0.0, 1.0, 200)
    mean, low, high = mean_interval(values, "bootstrap", 0.95)
    assert mean == values.mean()
    assert np.allclose([mean - low, high - mean], 1.96 * values.std() / np.sqrt(200), rtol=0.05)
    _, low, high = difference_interval(values, -values, "bootstrap", 0.95)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2) * values.std() / np.sqrt(200), rel=0.05)


def test_few_values_tell_no_interval() -> None:
    assert np.isnan(mean_interval(np.array([]), "t", 0.95)).all()
    assert mean_interval(np.array([3.0]), "t", 0.95)[0] == 3.0
    assert np.isnan(mean_interval(np.array([3.0]), "bootstrap", 0.95)[1:]).all()
    assert np.isnan(difference_interval(np.array([3.0]), np.array([1.0, 2.0]), "t", 0.95)[1:]).all()
    assert difference_interval(np.ones(3), np.zeros(3), "t", 0.95) == (1.0, 1.0, 1.0)
