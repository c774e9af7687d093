"""Exponents that are known in closed form, or from the literature."""

from typing import Any

import numpy as np
import pytest
import torch

from neurodyn.analysis import flow, lyapunov_exponents


def henon(state, a=1.4, b=0.3):
    x, y = state.unbind(-1)
    return torch.stack([1 - a * x**2 + y, b * x], -1)


def test_logistic_map():
    start = np.linspace(0.1, 0.4, 100)[:, None]
    found = lyapunov_exponents(lambda x: 4 * x * (1 - x), start, steps=400, discard=20)
    assert found.exponents.shape == (100, 1)
    assert abs(found.largest.mean() - np.log(2)) < 0.01  # U4
    off = np.abs(found.largest - np.log(2))
    assert (off < 5 * found.error[:, 0] + 0.002).all()
    # A cycle of two at r = 3.2: half the logarithm of the product of slopes, 4 + 2 r - r^2.
    cycle = lyapunov_exponents(lambda x: 3.2 * x * (1 - x), [0.3], steps=40, discard=200)
    np.testing.assert_allclose(cycle.largest, np.log(abs(4 + 2 * 3.2 - 3.2**2)) / 2, atol=1e-10)


def test_henon_map():
    start = np.stack([np.linspace(0, 0.2, 30), np.zeros(30)], 1)
    found = lyapunov_exponents(henon, start, steps=600, discard=100, count=None)
    assert abs(found.largest.mean() - 0.419) < 0.01  # U4
    np.testing.assert_allclose(found.exponents.sum(1), np.log(0.3), atol=1e-9)  # the map shrinks areas by b everywhere
    assert abs(found.kaplan_yorke.mean() - 1.258) < 0.005
    np.testing.assert_allclose(found.running[-1], found.exponents)
    spread = found.largest.std(ddof=1)
    assert 0.5 * spread < found.error[:, 0].mean() < 2 * spread


def test_linear_maps():
    flat = lyapunov_exponents(lambda x: 0.9 * x, np.ones((2, 3)), steps=100, discard=10, count=None)
    np.testing.assert_allclose(flat.exponents, np.log(0.9), atol=1e-12)  # U4
    np.testing.assert_allclose(flat.error, 0, atol=1e-12)
    matrix = torch.from_numpy(np.random.default_rng(3).normal(size=(5, 5))) / 5
    found = lyapunov_exponents(
        lambda x: x @ matrix.T,
        torch.zeros(1, 5),
        steps=1500,
        discard=200,
        count=None,
        tangent=lambda x, after, q: matrix @ q,
    )
    moduli = np.log(np.sort(np.abs(np.linalg.eigvals(matrix.numpy())))[::-1])
    # Pairs of complex eigenvalues turn: their rates oscillate about the mean.
    np.testing.assert_allclose(found.exponents[0], moduli, atol=3e-3)


def test_a_flow_counts_time_not_steps():
    def spiral(state):  # a limit cycle of radius 1, from which distances decay as exp(-2 t)
        x, y = state.unbind(-1)
        r = x**2 + y**2
        return torch.stack([x - 3 * y - x * r, 3 * x + y - y * r], -1)

    found = lyapunov_exponents(flow(spiral, 0.05), [0.5, 0.0], steps=60, discard=150, count=None, dt=0.05)
    np.testing.assert_allclose(found.exponents, [[0, -2]], atol=1e-3)
    assert found.kaplan_yorke[0] == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
def test_lorenz_system():
    def lorenz(state):
        x, y, z = state.unbind(-1)
        return torch.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], -1)

    start = np.random.default_rng(0).normal(size=(60, 3)) + [0, 0, 25]
    found = lyapunov_exponents(flow(lorenz, 0.02), start, steps=1000, discard=500, count=None, dt=0.02)
    mean = found.exponents.mean(0)
    np.testing.assert_allclose(mean, [0.906, 0, -14.572], atol=0.02)  # Sprott (2003), Chaos and Time-Series Analysis
    np.testing.assert_allclose(
        mean.sum(), -(10 + 1 + 8 / 3), atol=5e-3
    )  # its divergence, but for the error of the step
    assert found.kaplan_yorke.mean() == pytest.approx(2.062, abs=0.01)


def test_fewer_orthonormalisations_give_the_same_exponents():
    start = np.stack([np.linspace(0, 0.2, 4), np.zeros(4)], 1)
    often, seldom = (lyapunov_exponents(henon, start, steps=320, discard=40, count=2, every=k) for k in (1, 4))
    np.testing.assert_allclose(seldom.exponents, often.exponents, atol=1e-9)
    np.testing.assert_allclose(seldom.error, often.error, atol=1e-9)  # the same blocks
    assert seldom.rates.shape == (80, 4, 2) and seldom.every == 4 and "from 320 steps" in str(seldom)
    with pytest.raises(ValueError, match="every = 20: perturbations collapse.*smaller every"):
        lyapunov_exponents(henon, start, steps=800, discard=40, count=2, every=20)
    with pytest.raises(ValueError, match="steps = 161: give a multiple of every = 4"):
        lyapunov_exponents(henon, start, steps=161, discard=40, every=4)


def test_which_signs_can_be_told():
    matrix = torch.diag(torch.tensor([1.2, 1.0, 0.5], dtype=torch.float64))
    noise = np.exp(np.random.default_rng(0).normal(size=(200, 1, 1)))

    def step(x, given):  # the growth of the second direction is a random walk without drift
        return (x @ matrix) * torch.cat([torch.ones_like(given), given, torch.ones_like(given)], 1)

    found = lyapunov_exponents(step, np.zeros((1, 3)), steps=200, discard=0, count=3, inputs=noise)
    assert found.signs.tolist() == [[1, 0, -1]]
    assert "(0)" in str(found) and "largest above 0" in str(found)


def test_added_noise_leaves_a_linear_network_its_exponents():
    matrix = torch.from_numpy(np.random.default_rng(5).normal(size=(6, 6))) / 4
    noise = np.random.default_rng(6).normal(size=(2100, 1, 6))
    options: dict[str, Any] = {"steps": 2000, "discard": 100, "count": 3}
    driven = lyapunov_exponents(lambda x, e: x @ matrix.T + e, np.zeros((1, 6)), inputs=noise, **options)
    moduli = np.log(np.sort(np.abs(np.linalg.eigvals(matrix.numpy())))[::-1])
    np.testing.assert_allclose(driven.exponents[0], moduli[:3], atol=5e-3)
    assert driven.largest[0] < 0 and (driven.signs[:, 0] == -1).all()


def test_a_member_of_a_batch_is_what_it_is_alone():
    start = np.array([[0.1, 0.1], [0.2, 0.0]])
    together = lyapunov_exponents(henon, start, steps=60, discard=20, count=2)
    alone = lyapunov_exponents(henon, start[0], steps=60, discard=20, count=2)
    np.testing.assert_allclose(together.rates[:, :1], alone.rates, rtol=1e-6)


def test_frozen_noise():
    # x' = a(k) x + noise: the same factors for state and perturbation, and noise that is added has no part in it.
    factors = np.random.default_rng(1).uniform(0.2, 1.5, size=(150, 1, 1))

    def step(x, given):
        return given[..., :1] * x + given[..., 1:]

    inputs = np.concatenate([factors, np.ones_like(factors)], axis=2)
    found = lyapunov_exponents(step, [1.0], steps=100, discard=50, inputs=inputs)
    np.testing.assert_allclose(found.rates[:, 0, 0], np.log(factors[50:, 0, 0]), atol=1e-12)
    called = lyapunov_exponents(step, [1.0], steps=100, discard=50, inputs=lambda k: torch.from_numpy(inputs[k]))
    np.testing.assert_array_equal(called.rates, found.rates)
    with pytest.raises(ValueError, match="inputs has shape .*150 steps"):
        lyapunov_exponents(step, [1.0], steps=100, discard=50, inputs=inputs[:-1])


def test_noise_can_make_a_chaotic_network_forget():
    # Sompolinsky's network is chaotic alone; strong common noise saturates its units and synchronises it.
    weights = 2.5 * torch.from_numpy(np.random.default_rng(2).normal(size=(40, 40))) / 40**0.5
    noise = torch.from_numpy(np.random.default_rng(3).normal(size=(300, 1, 40)))

    def step(x, given=0.0):
        return torch.tanh(x @ weights.T + given)

    start = np.random.default_rng(4).normal(size=(2, 40))
    alone = lyapunov_exponents(step, start, steps=200, discard=100, count=3)
    driven = lyapunov_exponents(step, start, steps=200, discard=100, count=3, inputs=5 * noise)
    assert (alone.largest > 0.1).all() and (driven.largest < -0.1).all()
    given = lyapunov_exponents(
        step,
        start,
        steps=200,
        discard=100,
        count=3,
        inputs=5 * noise,
        tangent=lambda x, after, q, u: (1 - after**2)[..., None] * (weights @ q),
    )
    np.testing.assert_allclose(given.exponents, driven.exponents, atol=1e-9)


def test_what_is_mapped_to_nothing():
    found = lyapunov_exponents(lambda x: x * torch.tensor([0.5, 0.0]), [1.0, 1.0], steps=40, discard=5, count=None)
    np.testing.assert_allclose(found.exponents, [[np.log(0.5), -np.inf]])
    assert np.isnan(found.error[0, 1]) and found.kaplan_yorke[0] == 0


def test_dimension_needs_enough_exponents():
    alone = lyapunov_exponents(henon, [0.1, 0.1], steps=100, discard=10)
    assert np.isnan(alone.kaplan_yorke[0]) and "Kaplan-Yorke dimension takes more exponents" in str(alone)
    growing = lyapunov_exponents(lambda x: 1.01 * x, [0.1, 0.1], steps=100, discard=0, count=2)
    assert growing.kaplan_yorke[0] == 2
    assert "2 of 2 exponents from 100 steps" in str(growing)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 39}, "steps = 39"),
        ({"discard": -1}, "discard = -1"),
        ({"count": 3}, "count = 3: at least 1, at most 2"),
        ({"every": 0}, "every = 0"),
        ({"every": 5, "steps": 199}, "steps = 199: at least 200"),
        ({"dt": 0.0}, "dt = 0.0"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        lyapunov_exponents(henon, [0.1, 0.1], **options)


def test_other_mistakes():
    with pytest.raises(ValueError, match="start has shape"):
        lyapunov_exponents(henon, np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="start of member 1 is NaN"):
        lyapunov_exponents(henon, [[0.1, 0.1], [np.nan, 0]])
    with pytest.raises(ValueError, match="give the same shapes back"):
        lyapunov_exponents(lambda x: x[:, :1], [0.1, 0.1])
    with pytest.raises(ValueError, match="the state after step .* of member 1 is NaN or infinite"):
        lyapunov_exponents(henon, [[0.1, 0.1], [5.0, 5.0]])
