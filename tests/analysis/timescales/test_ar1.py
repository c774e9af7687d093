import numpy as np
import pytest
from scipy.signal import lfilter

from neurodyn.analysis import ar1_null, autocorrelation, calibrated_timescales, network_timescales
from neurodyn.analysis.timescales import calibration
from neurodyn.analysis.timescales.ar1 import TimescalesNull, simulated_autocorrelation


def units(phi, shape, seed):
    noise = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(lfilter([1], [1, -phi], noise, axis=0))[100:]


def test_simulated_units_have_the_correlations_of_ar1():
    phi = np.array([-0.6, 0.0, 0.5, 0.9])
    result = simulated_autocorrelation(phi, 20_000, 4, 6, np.random.default_rng(0))
    assert np.allclose(result, phi ** np.arange(7)[:, None], atol=0.06)


def test_trials_in_parts_are_the_same_trials(monkeypatch):
    phi = np.array([0.4])
    whole = simulated_autocorrelation(phi, 1 << 19, 2, 3, np.random.default_rng(1))
    halves = simulated_autocorrelation(phi, (1 << 19) + 2, 2, 3, np.random.default_rng(1))
    assert whole[0] == halves[0] == 1 and np.allclose(whole, halves, atol=0.01)


def test_ar1_units_are_like_their_null():
    result = ar1_null(network_timescales(units(0.7, (5100, 20), 2)), samples=9, seed=3)
    test = result.test("median")
    assert test.samples == 9 and test.p > 0.05
    assert test.observed == pytest.approx(-1 / np.log(0.7), rel=0.15)
    assert np.median(test.null) == pytest.approx(-1 / np.log(0.7), rel=0.1)
    assert np.array_equal(result.null["units"], np.full(9, 20))


def test_a_slow_component_stands_out_by_its_median():
    x = units(0.3, (4100, 15), 4) * 0.8 + units(0.97, (4100, 15), 5) * 0.15
    test = ar1_null(network_timescales(x), samples=19, seed=0).test("median")
    assert test.p == pytest.approx(0.05)
    assert test.observed > 3 * test.high


def test_seeds_reproduce_and_differ():
    observed = network_timescales(units(0.5, (1100, 5), 6))
    one, same, other = (ar1_null(observed, samples=2, seed=seed).null["median"] for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_constant_negative_and_trending_units_do_no_harm():
    x = units(-0.5, (1100, 4), 7)
    x[:, 1], x[:, 2] = 3.0, np.arange(1000)
    result = ar1_null(network_timescales(x), samples=3)
    assert result.observed["units"] == 3 and (result.null["units"] == 3).all()
    assert "median_all" in str(result)


def test_samples_without_a_kept_unit_count_as_zero():
    nan = float("nan")
    table = TimescalesNull({"median": 2.0, "mean": nan}, {"median": np.array([nan, 1.0]), "mean": np.array([nan, nan])})
    assert table.test("median").p == pytest.approx(1 / 3)
    assert "nan" in str(table)
    with pytest.raises(ValueError, match="did you mean 'median'"):
        table.test("medan")


def test_the_null_goes_by_the_rule_of_the_data(monkeypatch):
    monkeypatch.setattr(calibration, "_GRID", (0.3, 0.7))
    observed = calibrated_timescales(network_timescales(units(0.5, (2100, 60), 8)), samples=100)
    by_aic = ar1_null(network_timescales(units(0.5, (2100, 60), 8)), samples=2).null["double"]
    calibrated = calibrated_timescales(observed, samples=100)
    assert observed.rule == calibrated.rule == "calibrated"
    assert by_aic.mean() > observed.summary()["double"]


def test_autocorrelation_of_the_simulation_is_that_of_the_protocol():
    rng = np.random.default_rng(9)
    result = simulated_autocorrelation(np.array([0.8]), 50, 3, 10, rng)
    noise = np.random.default_rng(9).standard_normal((3, 50))
    noise[:, 1:] *= 0.6
    series = np.asarray(lfilter([1], [1, -0.8], noise, axis=1))[:, :, None]
    assert np.allclose(result, autocorrelation(series, lags=10), atol=1e-12)
