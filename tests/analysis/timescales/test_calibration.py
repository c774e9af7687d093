import numpy as np
import pytest

from neurodyn.analysis import calibrated_timescales
from neurodyn.analysis.timescales import calibration
from neurodyn.analysis.timescales.ar1 import simulated_autocorrelation
from neurodyn.analysis.timescales.calibration import drawn_autocorrelation
from neurodyn.analysis.timescales.networks import fitted


def test_drawn_errors_are_those_of_simulated_units():
    phi, steps, trials = 0.6, 400, 5
    simulated = simulated_autocorrelation(np.full(2000, phi), steps, trials, 8, np.random.default_rng(0))
    drawn = drawn_autocorrelation(phi, steps, trials, 8, 4000, np.random.default_rng(1))
    # Means differ by the bias of the ratio, of order 1/N = 5e-4; standard errors of the means are 5e-4.
    assert np.allclose(simulated.mean(axis=1), drawn.mean(axis=1), atol=0.004)
    assert np.allclose(simulated.std(axis=1), drawn.std(axis=1), rtol=0.06)
    nearby = [np.corrcoef(values[2:6])[0] for values in (simulated, drawn)]
    assert np.allclose(*nearby, atol=0.06)


def populations(phi, units, steps, trials, seed):
    correlation = simulated_autocorrelation(np.full(units, phi), steps, trials, 30, np.random.default_rng(seed))
    return fitted(correlation, steps, trials, fit_lags=30, longest=100.0)


def test_doubles_among_single_units_are_as_rare_as_stated(monkeypatch):
    monkeypatch.setattr(calibration, "_GRID", (0.3, 0.5, 0.7))
    observed = populations(0.5, 200, 2000, 10, 0)
    result = calibrated_timescales(observed, samples=300)
    # 10 of 200 +- 3.1 and the error of the threshold, 1.3 %; AIC has about 40.
    assert result.is_double.sum() <= 24 < observed.is_double.sum()
    assert result.rule == "calibrated" and result.single is observed.single


@pytest.mark.slow
@pytest.mark.parametrize(("phi", "steps"), [(0.25, 1000), (0.75, 1000), (0.5, 20_000), (0.9, 20_000)])
def test_the_level_holds_over_correlations_and_lengths(phi, steps):
    share = calibrated_timescales(populations(phi, 600, steps, 10, 1)).is_double.mean()
    print(f"phi = {phi}, {steps} steps: {share:.3f} double")
    # Binomial s.d. 0.9 %, that of the threshold 0.7 %: four of their root sum of squares is 4.5 %.
    assert share < 0.095


def test_a_true_second_component_is_found(monkeypatch):
    monkeypatch.setattr(calibration, "_GRID", (0.5, 0.8))
    k = np.arange(31)[:, None]
    truth = 0.7 * np.exp(-k / 3) + 0.3 * np.exp(-k / 25)
    noise = drawn_autocorrelation(0.78, 20_000, 10, 30, 20, np.random.default_rng(2)) - 0.78**k
    observed = fitted(truth + noise, 20_000, 10, fit_lags=30, longest=100.0)
    assert calibrated_timescales(observed, samples=100).is_double.all()


def test_exact_exponentials_and_constant_units_stay_single(monkeypatch):
    monkeypatch.setattr(calibration, "_GRID", (0.5, 0.8))
    exact = np.exp(-np.arange(31)[:, None] / np.array([2.0, 9.0, np.nan]))
    result = calibrated_timescales(fitted(exact, 1000, 1, fit_lags=30, longest=100.0), samples=100)
    assert not result.is_double.any()
    assert np.allclose(result.tau, [2, 9, np.nan], equal_nan=True)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_what_is_refused(level):
    observed = fitted(np.ones((31, 1)), 100, 1, fit_lags=30, longest=100.0)
    with pytest.raises(ValueError, match="level"):
        calibrated_timescales(observed, level=level)
    with pytest.raises(ValueError, match="samples = 10"):
        calibrated_timescales(observed, samples=10)
