import tracemalloc

import numpy as np
import pytest

from neurodyn.analysis import autocorrelation, population_autocorrelation
from neurodyn.analysis.timescales import correlation


def by_definition(x, lags):
    x = x - x.mean(axis=1, keepdims=True)
    length = x.shape[1]
    products = [(x[:, : length - k] * x[:, k:]).sum(axis=1).mean(axis=0) / (length - k) for k in range(lags + 1)]
    return np.array(products) / products[0]


@pytest.mark.parametrize("length", [49, 50])
@pytest.mark.parametrize("lags", [0, 7, 48])
def test_equals_the_definition(length, lags):
    x = np.random.default_rng(length).normal(size=(3, length, 4)).cumsum(axis=1)
    assert np.allclose(autocorrelation(x, lags=lags), by_definition(x, lags), atol=1e-12)
    assert np.allclose(autocorrelation(x[0], lags=lags), by_definition(x[:1], lags), atol=1e-12)


def test_blocks_and_dtype_change_nothing(monkeypatch):
    x = np.random.default_rng(0).normal(size=(2, 60, 7)).astype(np.float32)
    whole = autocorrelation(x, lags=20)
    monkeypatch.setattr(correlation, "_SAMPLES", 120)
    assert np.allclose(autocorrelation(x, lags=20), whole, atol=1e-14)
    assert np.allclose(whole, autocorrelation(x.astype(np.float64), lags=20), atol=1e-14)


def test_a_large_recording_needs_little_beyond_itself(monkeypatch):
    monkeypatch.setattr(correlation, "_SAMPLES", 1 << 15)
    x = np.random.default_rng(0).normal(size=(2, 4096, 128)).astype(np.float32)
    autocorrelation(x[:, :64], lags=4)  # imports
    tracemalloc.start()
    autocorrelation(x, lags=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 2


def test_constant_units_are_nan_without_a_warning():
    x = np.random.default_rng(0).normal(size=(2, 40, 3))
    x[:, :, 1] = 0.1  # whose mean over 40 steps is rounded
    result = autocorrelation(x, lags=5)
    assert np.isnan(result[:, 1]).all() and np.isfinite(result[:, [0, 2]]).all()
    x[0, :, 1] = x[0, :, 0]
    assert np.allclose(autocorrelation(x, lags=5)[:, 1], autocorrelation(x[:1], lags=5)[:, 0])


def test_the_population_is_the_sum():
    x = np.random.default_rng(1).normal(size=(2, 80, 3)).cumsum(axis=1)
    assert np.allclose(population_autocorrelation(x, lags=9), by_definition(x.sum(axis=2, keepdims=True), 9)[:, 0])


def test_integers_and_booleans_are_welcome():
    x = np.random.default_rng(1).integers(0, 2, (50, 2))
    assert np.array_equal(autocorrelation(x, lags=3), autocorrelation(x.astype(bool), lags=3))


@pytest.mark.parametrize(
    ("x", "lags", "message"),
    [
        (np.zeros(9), 2, r"shape \(9,\).*\(time, unit\)"),
        (np.zeros((9, 0)), 2, "no empty axis"),
        (np.eye(9), 9, "lags = 9.*at most 8"),
        (np.where(np.eye(9) > 0, np.nan, 1.0), 2, "trial 0 at step 0, unit 0"),
    ],
)
def test_what_is_refused(x, lags, message):
    with pytest.raises(ValueError, match=message):
        autocorrelation(x, lags=lags)


def test_text_is_refused():
    with pytest.raises(TypeError, match="real numbers"):
        autocorrelation(np.full((5, 2), "a"))
