import warnings

import numpy as np
import pytest
from scipy.optimize import OptimizeWarning, curve_fit

from neurodyn.analysis import fit_exponentials

K = np.arange(31)


def single(k, a, tau):
    return a * np.exp(-k / tau)


def double(k, a, c, fast, slow):
    return a * (c * np.exp(-k / fast) + (1 - c) * np.exp(-k / slow))


def curves(n, seed):
    """Autocorrelations as networks have them, and worse: noise, oscillation, A below 1, tau beyond the bound."""
    rng = np.random.default_rng(seed)
    y = np.empty((31, n))
    for unit in range(n):
        scale = 1.0 if unit % 2 else rng.uniform(0.5, 1)
        y[:, unit] = double(K, scale, rng.uniform(), *10 ** rng.uniform(-0.5, 2.3, 2))
        y[:, unit] += rng.normal(size=31) * 10 ** rng.uniform(-4, -0.5)
        if unit % 5 == 0:
            y[:, unit] *= np.cos(rng.uniform() * K)
    y[0] = 1
    return y


def best_of_curve_fit(model, y, rng, starts):
    """Least RSS of scipy's bounded least squares from random starts, and its parameters."""
    count = 2 if model is single else 4
    top = [1.0] * (count // 2) + [100.0] * (count // 2)
    low = [0.0] * (count // 2) + [1e-3] * (count // 2)
    best = np.inf, np.zeros(count)
    for _ in range(starts):
        start = np.concatenate([rng.uniform(size=count // 2), 10 ** rng.uniform(-1, 2, count // 2)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            try:
                found, _ = curve_fit(model, K, y, p0=start, bounds=(low, top), ftol=1e-13, xtol=1e-13, gtol=1e-13)
            except RuntimeError:  # too many evaluations: scipy's failure, not a better optimum
                continue
        rss = ((y - model(K, *found)) ** 2).sum()
        if rss < best[0]:
            best = rss, found
    return best


def check_against_curve_fit(n, starts, seed):
    y, rng = curves(n, seed), np.random.default_rng(seed)
    compared = 0
    for components, model in ((1, single), (2, double)):
        fit = fit_exponentials(y, components=components)
        for unit in range(n):
            rss, found = best_of_curve_fit(model, y[:, unit], rng, starts)
            assert fit.rss[unit] <= rss + 1e-9
            tau = np.sort(found[components:])
            apart = components == 1 or tau[-1] > 1.5 * tau[0]
            interior = apart and fit.weight[unit].min() > 0.05 and tau[0] > 0.3 and tau[-1] < 95
            if interior and abs(fit.rss[unit] - rss) < 1e-13 * max(1, rss):
                assert np.allclose(fit.tau[unit], tau, rtol=1e-3)
                compared += 1
    assert compared > n / 4


def test_no_worse_than_curve_fit_and_equal_where_it_finds_the_optimum():
    check_against_curve_fit(8, 2, seed=0)


@pytest.mark.slow
def test_no_worse_than_curve_fit_from_many_starts():
    check_against_curve_fit(60, 10, seed=1)


@pytest.mark.parametrize("tau", [0.5, 1.44, 20.0, 99.0])
def test_an_exact_exponential_is_recovered_and_stays_single(tau):
    y = single(K, 0.8, np.array([[tau]]).T)[0][:, None]
    one, two = fit_exponentials(y), fit_exponentials(y, components=2)
    assert one.tau[0, 0] == pytest.approx(tau, rel=1e-9) and one.weight[0, 0] == pytest.approx(0.8, rel=1e-9)
    assert two.rss[0] <= one.rss[0] < 1e-18
    assert one.aic[0] < two.aic[0]


def test_an_exact_sum_of_two_is_recovered():
    y = np.stack([double(K, 1, 0.7, 3, 25), double(K, 0.9, 0.2, 0.4, 60)], axis=1)
    fit = fit_exponentials(y, components=2)
    assert np.allclose(fit.tau, [[3, 25], [0.4, 60]], rtol=1e-4)
    assert np.allclose(fit.weight, [[0.7, 0.3], [0.18, 0.72]], rtol=1e-4)


def test_bounds_hold():
    y = np.stack([1 + 0.01 * K, np.full(31, -0.2), (-0.7) ** K, np.ones(31)], axis=1)
    y[0] = 1
    for components in (1, 2):
        fit = fit_exponentials(y, components=components, longest=40)
        assert ((fit.weight >= 0) & (fit.weight <= 1)).all() and (fit.weight.sum(axis=1) <= 1 + 1e-12).all()
        assert ((fit.tau > 0) & (fit.tau <= 40 * (1 + 1e-12))).all()
        assert (np.diff(fit.tau, axis=1) >= 0).all()
    slowest = fit_exponentials(y, longest=40).tau[:, 0]
    assert np.allclose(slowest[[0, 3]], 40) and (slowest[[1, 2]] < 0.3).all()


def test_units_are_fitted_alone_and_nan_stays_nan():
    y = curves(130, 3)
    y[4, 7] = np.nan
    both = fit_exponentials(y, components=2)
    assert np.isnan(both.tau[7]).all() and np.isnan(both.rss[7]) and np.isnan(both.aic[7])
    alone = fit_exponentials(y[:, 100:101], components=2)
    assert np.allclose(both.rss[100], alone.rss[0], rtol=1e-9)


def test_aic_is_that_of_the_protocol():
    fit = fit_exponentials(curves(3, 0), components=2)
    assert np.allclose(fit.aic, 2 * 4 + 31 * np.log(fit.rss / 31))


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 2), {}, "5 lags or more"),
        ((9,), {}, r"\(lag, unit\)"),
        ((9, 1), {"components": 3}, "components = 3"),
        ((9, 1), {"longest": 1.0}, "longest = 1.0"),
    ],
)
def test_what_is_refused(shape, options, message):
    with pytest.raises(ValueError, match=message):
        fit_exponentials(np.ones(shape), **options)
