from dataclasses import replace

import numpy as np
import pytest

from neurodyn.analysis import ModelComparison, TimescalePosterior, compare_timescale_models


def posterior(samples, seed=0, lags=20):
    """Particles around given parameters, for data with timescales 2 and 20."""
    model = "one" if len(samples) == 1 else "two"
    rng = np.random.default_rng(seed)
    particles = np.asarray(samples) * (1 + 0.02 * rng.normal(size=(50, len(samples))))
    truth = 0.5 * np.exp(-np.arange(lags + 1) / 2) + 0.5 * np.exp(-np.arange(lags + 1) / 20)
    flat, none = np.full(50, 1 / 50), np.empty(0)
    return TimescalePosterior(model, ("tau",) * len(samples), particles, flat, none, none, none, truth, 500, 20)


def test_the_model_that_comes_closer_is_preferred():
    right, wrong = posterior([2.0, 20.0, 0.5]), posterior([8.0])
    result = compare_timescale_models(wrong, right, samples=100)
    assert result.preferred == "second" and (result.bayes_factor > 1).all()
    assert compare_timescale_models(right, wrong, samples=100).preferred == "first"


def test_the_factor_is_a_ratio_of_shares():
    result = ModelComparison(np.array([1.0, 3.0, 5.0, 7.0]), np.array([2.0, 3.5, 3.6, 9.0]))
    assert result.thresholds.tolist() == [1, 2, 3, 3.5]
    assert result.bayes_factor.tolist() == [0, 1, 0.5, 1]
    assert result.preferred == "neither"


def test_no_first_distance_within_the_threshold_is_an_infinite_factor():
    result = ModelComparison(np.array([5.0, 6.0]), np.array([1.0, 2.0]))
    assert np.isinf(result.bayes_factor).all() and result.preferred == "second"


def test_posteriors_of_different_data_are_refused():
    one = posterior([8.0])
    for other in (
        posterior([8.0], lags=30),
        replace(one, steps=400),
        replace(one, autocorrelation=0.5 * one.autocorrelation),
    ):
        with pytest.raises(ValueError, match="different data or lags"):
            compare_timescale_models(one, other)
