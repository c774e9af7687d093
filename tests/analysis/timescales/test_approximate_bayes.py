import numpy as np
import pytest

from neurodyn.analysis import autocorrelation, compare_timescale_models, fit_exponentials, fit_timescales_abc
from neurodyn.analysis.timescales.approximate_bayes import _accept, _distances, _importance, _processes


def processes(tau, shape, seed):
    trials, steps = shape
    return _processes(np.array([tau]), steps, trials, np.random.default_rng(seed))[0].astype(np.float64)


def direct(x, lags):
    return fit_exponentials(autocorrelation(x[:, :, None], lags=lags)).tau[0, 0]


@pytest.fixture(scope="module")
def short_trials():
    x = processes(10.0, (60, 100), seed=0)
    return x, fit_timescales_abc(x, lags=40, longest=50.0, particles=40, minimum_acceptance=0.15, seed=1)


def test_short_trials_are_biased_for_a_fit_and_not_for_simulation(short_trials):
    x, posterior = short_trials
    assert direct(x, 40) < 8.5
    assert abs(posterior.mean[0] - 10) < 2.5
    assert posterior.sd[0] < 3
    assert abs(posterior.most_probable()[0] - posterior.mean[0]) < 2 * posterior.sd[0]
    assert str(posterior).startswith("tau = ")


def test_populations_close_in(short_trials):
    _, posterior = short_trials
    assert posterior.thresholds[0] == 1 and (np.diff(posterior.thresholds) < 0).all()
    assert (posterior.distances <= posterior.thresholds[-1]).all()
    assert posterior.acceptance[-1] < 0.15 <= posterior.acceptance[:-1].min()
    assert posterior.weights.sum() == pytest.approx(1)
    assert ((posterior.samples > 0) & (posterior.samples < 50)).all()


def test_mean_and_scale_of_the_data_do_not_matter(short_trials):
    x, posterior = short_trials
    again = fit_timescales_abc(7 * x - 40, lags=40, longest=50.0, particles=40, minimum_acceptance=0.15, seed=1)
    assert np.allclose(again.mean, posterior.mean)


def test_processes_are_stationary_with_their_timescale():
    x = _processes(np.array([0.3, 4.0]), 400, 400, np.random.default_rng(2)).astype(np.float64)
    assert np.allclose(x.var(axis=1).mean(axis=1), 1, atol=0.02)
    assert np.allclose(x[:, :, 0].var(axis=1), 1, atol=0.3)
    lag = (x[:, :, 3:] * x[:, :, :-3]).mean(axis=(1, 2))
    assert np.allclose(lag, np.exp(-3 / np.array([0.3, 4.0])), atol=0.03)


def test_distances_are_least_at_the_truth():
    truth = np.exp(-np.arange(31) / 8.0) * 0.5 + 0.5 * np.exp(-np.arange(31) / 1.5)
    theta = np.array([[1.5, 8.0, 0.5], [1.5, 8.0, 0.9], [8.0, 30.0, 0.5]])
    away = _distances(theta, truth, 2000, 40, np.random.default_rng(3))
    assert away[0] < 1e-3 < away[1:].min()


def test_weights_make_a_narrow_proposal_flat():
    # Particles from a normal density, under a flat prior: weights undo it, so the spread becomes that of the box.
    rng = np.random.default_rng(4)
    old, weights = np.zeros((1, 1)), np.ones(1)
    new = rng.normal(size=(200_000, 1))
    new = new[np.abs(new[:, 0]) < 1]
    result = _importance(new, old, weights, np.eye(1))
    assert result.sum() == pytest.approx(1)
    assert result @ new[:, 0] ** 2 == pytest.approx(1 / 3, rel=0.02)


def test_tried_counts_proposals_up_to_the_last_one_taken():
    theta, near, tried = _accept(
        lambda n: np.arange(n, dtype=float)[:, None],
        lambda theta: theta[:, 0] >= 2,
        1.0,
        3,
        lambda theta: (theta[:, 0] % 2) * 2,
    )
    assert theta[:, 0].tolist() == [2, 4, 6] and near.tolist() == [0, 0, 0]
    assert tried == 5  # 2, 3, 4, 5, 6: those outside the prior aren't tried


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_timescale_of_20_from_100_trials_of_1000_steps(seed):
    x = processes(20.0, (100, 1000), seed=100 + seed)
    posterior = fit_timescales_abc(x, minimum_acceptance=0.05, seed=seed)
    assert direct(x, 100) < 18.5
    # The recordings themselves scatter by 0.8, so a seed in five may miss by more than 1: four errors of both.
    assert abs(posterior.mean[0] - 20) < 4 * np.hypot(0.8, posterior.sd[0])


@pytest.mark.slow
def test_two_timescales_and_the_choice_between_models():
    fast, slow = (processes(tau, (100, 1000), seed=seed) for tau, seed in ((5.0, 10), (80.0, 11)))
    x = np.sqrt(0.4) * fast + np.sqrt(0.6) * slow
    one, two = (
        fit_timescales_abc(x, model, lags=150, longest=200.0, minimum_acceptance=0.1, seed=0)
        for model in ("one", "two")
    )
    assert (np.abs(two.mean - [5, 80, 0.4]) < 3 * two.sd + [1, 15, 0.05]).all()
    assert one.mean[0] < 70
    assert compare_timescale_models(one, two, samples=200).preferred == "second"


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.ones((3, 200)), {}, "constant in every trial"),
        (np.eye(5), {}, "5 steps"),
        (np.eye(50), {"lags": 50}, "lags = 50.*at most 49"),
        (np.eye(200), {"particles": 5}, "particles = 5"),
        (np.eye(200), {"minimum_acceptance": 1.0}, "minimum_acceptance"),
        (np.eye(200), {"model": "too"}, "model = 'too'"),
    ],
)
def test_what_is_refused(x, options, message):
    with pytest.raises(ValueError, match=message):
        fit_timescales_abc(x, **options)
