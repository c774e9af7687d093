import sys
import warnings

import numpy as np
import pytest

from neurodyn.analysis import gpfa

TRIALS, UNITS, GAP = 8, 10, 500.0


def spikes(seed=0):
    """Poisson units, one of them silent, that follow two sines with phases of their own in each trial; and the sines."""
    rng = np.random.default_rng(seed)
    steps = np.arange(400)
    loadings = 0.8 * rng.normal(size=(UNITS, 2))
    times, ids, hidden = [], [], []
    for k in range(TRIALS):
        phase = rng.uniform(0, 2 * np.pi, 2)
        hidden.append(
            np.stack([np.sin(2 * np.pi * steps / 400 + phase[0]), np.sin(2 * np.pi * steps / 250 + phase[1])], 1)
        )
        fired = rng.random((400, UNITS)) < 0.08 * np.exp(hidden[-1] @ loadings.T)
        step, unit = np.nonzero(fired)
        times.append(step + GAP * k)
        ids.append(np.where(unit < 4, unit, unit + 1))  # unit 4 is silent
    return np.concatenate(times).astype(float), np.concatenate(ids), np.stack(hidden)[:, 10::20]


OPTIONS = {"n": UNITS + 1, "duration": 400, "factors": 2}
STARTS = GAP * np.arange(TRIALS)


@pytest.mark.slow
def test_what_drives_the_units_comes_back_and_it_is_what_elephant_gives():
    times, ids, hidden = spikes()
    found = gpfa(times, ids, STARTS, iterations=30, samples=4, **OPTIONS)
    assert found.trajectories.shape == (TRIALS, 20, 2) and list(found.units) == [0, 1, 2, 3, *range(5, 11)]
    np.testing.assert_allclose(found.time[[0, -1]], [10, 390])
    np.testing.assert_allclose(found.loadings.T @ found.loadings, np.eye(2), atol=1e-9)
    regressors = np.c_[found.trajectories.reshape(-1, 2), np.ones(TRIALS * 20)]
    truth = hidden.reshape(-1, 2)
    rest = truth - regressors @ np.linalg.lstsq(regressors, truth, rcond=None)[0]
    assert np.all(1 - rest.var(axis=0) / truth.var(axis=0) > 0.75)
    assert found.likelihood.p == pytest.approx(1 / 5) and found.likelihood.observed > found.likelihood.high + 0.3
    assert "null" in str(found) and "2 factors of 10 units" in str(found)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import neo
        import quantities as pq
        from elephant.gpfa import GPFA

        trains = [
            [
                neo.SpikeTrain(times[(ids == u) & (times // GAP == k)] - GAP * k, t_stop=400, units="ms")
                for u in found.units
            ]
            for k in range(TRIALS)
        ]
        model = GPFA(bin_size=20 * pq.ms, x_dim=2, em_max_iters=30)
        there = np.stack([t.T for t in model.fit_transform(trains)])
    np.testing.assert_allclose(found.trajectories, there, atol=1e-9)


def test_without_elephant_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "elephant.gpfa", None)
    monkeypatch.setitem(sys.modules, "elephant", None)
    times, ids, _ = spikes()
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'neurodyn\[elephant\]'"):
        gpfa(times, ids, STARTS, **OPTIONS)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"factors": 10}, "factors = 10: fewer than the units that fire.*10"),
        ({"duration": 501}, "overlap"),
        ({"bin": 150.0}, "at least 3 times"),
        ({"n": 3}, "ids holds"),
        ({"times": spikes()[0][::-1]}, "must not decrease"),
        ({"starts_ms": STARTS[:1]}, "at least 2"),
    ],
)
def test_errors_say_what_is_wrong(changed, message):
    times, ids, _ = spikes()
    with pytest.raises(ValueError, match=message):
        gpfa(**{"times": times, "ids": ids, "starts_ms": STARTS, **OPTIONS, **changed})
