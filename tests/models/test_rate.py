"""Rate networks against their equations in NumPy, and the reward that one of them computes for itself."""

import itertools

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.parts import CircuitError


def matrix(run, size, name="recurrent"):
    """Weights (source, target) of a dense or sparse connection, as the runner got them."""
    net = run.network()
    indptr, targets, weights = (np.asarray(net.values[f"{name}.{f}"]) for f in ("indptr", "targets", "weights"))
    dense = np.zeros((size, size))
    for source, (start, stop) in enumerate(itertools.pairwise(indptr.tolist())):
        dense[source, targets[start:stop]] = weights[start:stop]
    return dense


def test_reservoir_follows_its_equation():
    net = nd.RateReservoir(40, connection_probability=0.3, tau="20 ms", noise=0.1, channels=("a", "b"), seed=3)
    u = np.random.default_rng(0).normal(size=(60, 2))
    session = nd.Session((nd.Trial(60, {"task": u}),), dt=1e-3, channels={"task": ("a", "b")})
    run = nd.simulate(net, session, record=["cells.x", "cells.r", "cells.I_in"], backend="interpreter")
    x, r, drive = (np.asarray(run[f"cells.{name}"]) for name in ("x", "r", "I_in"))
    weights = matrix(run, size=40)
    assert np.count_nonzero(weights) == pytest.approx(0.3 * 40 * 39, rel=0.15) and not weights.diagonal().any()
    expected = x[:-1] + (r[:-1] @ weights + drive[1:] - x[:-1]) / 20
    np.testing.assert_allclose(x[1:], expected, rtol=1e-12, atol=1e-13)
    noise = r - np.tanh(x)
    assert 0.09 < np.abs(noise).max() < 0.1 and abs(noise.mean()) < 0.01
    w_in = np.linalg.lstsq(u, drive, rcond=None)
    assert np.abs(w_in[0] @ np.eye(40)).max() < 1 and np.abs(u @ w_in[0] - drive).max() < 1e-12


def test_reservoir_is_chaotic_above_gain_1_and_dies_out_below():
    for gain, alive in ((0.8, False), (1.5, True)):
        run = nd.simulate(nd.RateReservoir(300, gain=gain, noise=0.0, seed=2), "2 s", record=["cells.r"])
        level = float(np.sqrt((np.asarray(run["cells.r"])[-200:] ** 2).mean()))
        assert (level > 0.3) if alive else (level < 0.02)


@pytest.fixture(scope="module")
def perturbed():
    """Eight trials of the task without learning, on a small network."""
    net = nd.PerturbedRateNetwork(60, perturbation_rate="30 Hz", seed=5)
    session = nd.tasks.DelayedNonmatch().session(4, warm_up=4)
    names = ("x", "r", "r_before", "I_in", "kick", "fluctuation")
    record = [f"cells.{name}" for name in names] + [f"reward.{n}" for n in ("y", "error", "surprise", "modulation")]
    return nd.simulate(net, session, record=record), session


def test_perturbed_network_follows_its_equation(perturbed):
    run, _ = perturbed
    x, r, before, drive, kick, delta = (
        np.asarray(run[f"cells.{n}"]).reshape(8, 1000, 60)
        for n in ("x", "r", "r_before", "I_in", "kick", "fluctuation")
    )
    free = np.setdiff1d(np.arange(60), [1, 10, 11])
    weights = matrix(run, size=60)
    np.testing.assert_allclose(before[:, 1:], r[:, :-1], rtol=0, atol=0)
    expected = x[:, :-1] + (r[:, :-1] @ weights + drive[:, 1:] + kick[:, 1:] - x[:, :-1]) / 30
    np.testing.assert_allclose(x[:, 1:, free], expected[:, :, free], rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(np.unique(x[:, :, [1, 10, 11]].reshape(-1, 3), axis=0), [[1.0, 1.0, -1.0]])
    mean = x[:, 0] - delta[:, 0]
    assert np.abs(mean).max() <= 1.0  # it starts at x itself, so that no trial begins with a false jump
    for step in range(1000):
        np.testing.assert_allclose(delta[:, step], x[:, step] - mean, rtol=0, atol=1e-14)
        mean = 0.05 * mean + 0.95 * x[:, step]


def test_kicks_come_at_their_rate_and_stand_out_of_the_fluctuations(perturbed):
    run, _ = perturbed
    kick, delta = (np.asarray(run[f"cells.{n}"]) for n in ("kick", "fluctuation"))
    assert np.count_nonzero(kick) == pytest.approx(0.03 * kick.size, rel=0.05) and 15.5 < np.abs(kick).max() < 16
    free = np.setdiff1d(np.arange(60), [1, 10, 11])
    cubes, kicked = delta[:, free] ** 3, kick[:, free] != 0
    assert (cubes[kicked] * np.sign(kick[:, free][kicked]) > 0).mean() > 0.9
    assert np.abs(cubes[kicked]).sum() > 50 * np.abs(cubes[~kicked]).sum()


def test_output_has_no_input_and_the_reward_is_that_of_the_task(perturbed):
    run, session = perturbed
    y, r = np.asarray(run["reward.y"])[:, 0], np.asarray(run["cells.r"])
    np.testing.assert_array_equal(y, r[:, 0])
    assert not np.asarray(run["cells.I_in"])[:, 0].any() and np.asarray(run["cells.I_in"])[:, 2:].any(axis=0).all()
    error, surprise, modulation = (
        np.asarray(run[f"reward.{n}"]).reshape(8, 1000)[:, -1] for n in ("error", "surprise", "modulation")
    )
    expected = dict.fromkeys(("AA", "AB", "BA", "BB"), 0.0)
    for number, trial in enumerate(session.trials):
        kind = trial.labels["kind"]
        e = np.abs(y.reshape(8, 1000)[number, -200:] - trial.inputs["target"][0]).mean()
        assert error[number] == pytest.approx(e, rel=1e-12)
        assert surprise[number] == pytest.approx(-e - expected[kind], rel=1e-12)
        assert modulation[number] == pytest.approx(-expected[kind] * (-e - expected[kind]), rel=1e-12)
        expected[kind] += 0.25 * (-e - expected[kind])
    np.testing.assert_allclose(run.network().values["reward.expected"], list(expected.values()), rtol=1e-12)


@pytest.mark.parametrize("backend", ["numba", *(pytest.param(b, marks=pytest.mark.slow) for b in ("torch", "brian2"))])
def test_runners_agree_for_some_steps(backend):
    net = nd.PerturbedRateNetwork(30, seed=4)
    task = nd.tasks.DelayedNonmatch(stimulus="4 ms", delay="4 ms", trial="20 ms", scored="4 ms")
    runs = [nd.simulate(net, task.session(4), record=["cells.x"], backend=b) for b in ("interpreter", backend)]
    np.testing.assert_allclose(*(np.asarray(run["cells.x"]) for run in runs), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "given", "words"),
    [
        (nd.RateReservoir, {"connection_probability": 0.0}, "connection_probability = 0.0, allowed is above 0"),
        (nd.RateReservoir, {"gain": -1.0}, "gain = -1.0, give 0 or a positive number"),
        (nd.RateReservoir, {"noise": float("nan")}, "noise = nan"),
        (nd.PerturbedRateNetwork, {"mean_rate": 0.0}, "mean_rate = 0.0, allowed is above 0 up to 1"),
        (nd.PerturbedRateNetwork, {"held": {0: 1.0}}, "held: unit 0; allowed are 1 to 199"),
        (nd.PerturbedRateNetwork, {"held": {200: 1.0}}, "held: unit 200"),
        (nd.PerturbedRateNetwork, {"perturbation_rate": "2 kHz"}, "at most one kick in a step"),
    ],
)
def test_numbers_out_of_range_are_named(make, given, words):
    with pytest.raises(CircuitError, match=words):
        make(**given)
