import numpy as np
import pytest

from neurodyn.analysis import factor_analysis


def made(factors, samples=1500, units=15, seed=0, noise=1.0):
    """Activity of a factor model, its loadings (factor, unit), and its private variances."""
    rng = np.random.default_rng(seed)
    loadings, private = rng.normal(size=(factors, units)), noise * rng.uniform(0.5, 2, units)
    hidden = rng.normal(size=(samples, factors))
    return 5 + hidden @ loadings + rng.normal(size=(samples, units)) * np.sqrt(private), loadings, private


def test_one_factor_of_three_units_has_the_closed_form_of_the_triad():
    """Three covariances tell three loadings: L_1^2 = S_12 S_13 / S_23."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 1)) @ [[1.0, -2.0, 1.5]] + rng.normal(size=(4000, 3))
    found = factor_analysis(x, 1, samples=1)
    s = np.cov(x.T, bias=True)
    squared = np.array([s[0, 1] * s[0, 2] / s[1, 2], s[0, 1] * s[1, 2] / s[0, 2], s[0, 2] * s[1, 2] / s[0, 1]])
    np.testing.assert_allclose(found.loadings[0] ** 2, squared, rtol=1e-5)
    np.testing.assert_allclose(found.private, np.diag(s) - squared, rtol=1e-5)
    np.testing.assert_allclose(found.shared_variance, squared / np.diag(s), rtol=1e-5)


def test_the_model_comes_back_and_the_number_of_factors_is_found():
    x, loadings, private = made(3, samples=4000)
    found = factor_analysis(x, range(6), samples=19, kind="shuffle")
    assert found.factors == 3 and found.d_shared == 3
    truth = loadings.T @ loadings
    assert np.abs(found.loadings.T @ found.loadings - truth).max() < 0.1 * np.abs(truth).max()
    np.testing.assert_allclose(found.private, private, rtol=0.15)
    expected = np.mean(np.diag(truth) / (np.diag(truth) + private))
    assert found.shared.observed == pytest.approx(expected, abs=0.02)
    assert found.shared.p == found.gain.p == 0.05
    # Orthogonal over units, and the scores are the posterior mean (I + L P^-1 L')^-1 L P^-1 (x - mean).
    gram = found.loadings @ found.loadings.T
    np.testing.assert_allclose(gram, np.diag(found.spectrum), atol=1e-8)
    weighted = found.loadings / found.private
    scores = np.linalg.solve(np.eye(3) + weighted @ found.loadings.T, weighted @ (x - found.mean).T).T
    np.testing.assert_allclose(found.scores, scores, atol=1e-8)
    assert "d_shared 3" in str(found) and "null" in str(found)


def test_likelihood_of_data_left_out_is_that_of_the_normal_distribution():
    from scipy.stats import multivariate_normal

    x = made(2, samples=300, units=6)[0].reshape(30, 10, 6)
    found = factor_analysis(x, [0, 2], folds=3, samples=1)
    train, test = x[10:].reshape(-1, 6), x[:10].reshape(-1, 6)  # whole trials
    alone = multivariate_normal(train.mean(axis=0), np.diag(train.var(axis=0)).tolist())
    assert found.likelihoods[0, 0] == pytest.approx(np.mean(alone.logpdf(test)))
    inside = factor_analysis(train, 2, samples=1)
    covariance = inside.loadings.T @ inside.loadings + np.diag(inside.private)
    model = multivariate_normal(inside.mean, covariance.tolist())  # type: ignore[arg-type]
    assert found.likelihoods[0, 1] == pytest.approx(np.mean(model.logpdf(test)))
    assert found.gain.observed == pytest.approx(np.diff(found.likelihoods.mean(axis=0))[0])


def test_no_fit_of_scikit_learn_is_likelier():
    from sklearn.decomposition import FactorAnalysis as Model

    for seed in range(4):
        x = made(3, samples=200, units=10, seed=seed)[0]
        mine = factor_analysis(x, 3, samples=1)
        model = Model(3, svd_method="lapack", max_iter=20_000, tol=1e-6).fit(x)
        covariance = mine.loadings.T @ mine.loadings + np.diag(mine.private)
        likelihood = _likelihood(covariance, x)
        assert likelihood >= _likelihood(model.get_covariance(), x) - 1e-6
        np.testing.assert_allclose(covariance, model.get_covariance(), atol=0.02 * np.abs(covariance).max())


def _likelihood(covariance, x):
    s = np.cov(x.T, bias=True)
    return -0.5 * (np.linalg.slogdet(2 * np.pi * covariance)[1] + np.trace(np.linalg.solve(covariance, s)))


def test_d_shared_counts_to_95_percent():
    rng = np.random.default_rng(1)
    directions = np.linalg.qr(rng.normal(size=(20, 3)))[0].T * np.sqrt([[60.0], [37.0], [3.0]])
    x = rng.normal(size=(20_000, 3)) @ directions + 0.1 * rng.normal(size=(20_000, 20))
    found = factor_analysis(x, 3, samples=1)
    np.testing.assert_allclose(found.spectrum, [60, 37, 3], rtol=0.05)
    assert found.d_shared == 2


def test_independent_units_share_nothing():
    x = np.random.default_rng(2).normal(size=(400, 10))
    chosen = factor_analysis(x, samples=1)
    assert chosen.factors == 0 and chosen.d_shared == 0 and chosen.loadings.shape == (0, 10)
    forced = factor_analysis(x, 2, samples=19, kind="shuffle")
    assert forced.shared.observed > 0.05  # what chance makes of nothing
    assert forced.shared.p > 0.05 and forced.gain.p > 0.05


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.ones((50, 2)), {}, "2 units: at least 3"),
        (np.c_[np.random.default_rng(0).normal(size=(50, 4)), np.ones(50)], {}, "unit 4 never varies"),
        (np.random.default_rng(0).normal(size=(50, 4)), {"factors": 2}, "factors = 2.*at most 1"),
        (np.random.default_rng(0).normal(size=(50, 4)), {"factors": []}, "factors is empty"),
        (np.random.default_rng(0).normal(size=(12, 20)), {}, "more samples than units"),
        (np.full((50, 4), np.nan), {}, "NaN"),
    ],
)
def test_errors_say_what_is_wrong(x, options, message):
    with pytest.raises(ValueError, match=message):
        factor_analysis(x, **options)
