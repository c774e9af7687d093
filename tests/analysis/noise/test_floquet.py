"""Finite forces: closed forms, linear response, slow forces, and stepping in time."""

import numpy as np
import pytest
from scipy.linalg import solve_banded

from neurodyn.analysis import FokkerPlanck


def quartic(x):
    return x**4 / 4 - x**2 / 2


def test_a_linear_system_answers_linearly_to_any_force():
    k, w, a = 1.5, 0.7, 0.8
    found = FokkerPlanck(lambda x: k * x**2 / 2, noise=0.1).periodic_response(a, w)
    assert found.harmonics[0] == pytest.approx(a / (k - 1j * w), rel=1e-4)
    assert np.abs(found.harmonics[1:]).max() < 1e-6 and abs(found.mean) < 1e-9
    np.testing.assert_allclose(found.density(np.array([0.3])).sum() * (found.x[1] - found.x[0]), 1, rtol=1e-9)


def test_a_weak_force_gives_linear_response():
    well = FokkerPlanck(quartic, noise=0.1)
    found = well.periodic_response(1e-3, 0.1)
    assert found.amplification == pytest.approx(float(well.response(0.1).amplification), rel=1e-4)
    assert found.lag == pytest.approx(float(well.response(0.1).lag), rel=1e-4)
    assert found.linear == pytest.approx(1e-3 * complex(well.response(0.1).susceptibility))


def test_a_slow_force_is_followed():
    a, d = 0.1, 0.2
    found = FokkerPlanck(quartic, noise=d).periodic_response(a, 1e-4)
    phase = np.linspace(0, np.pi, 5)
    still = [FokkerPlanck(lambda x, f=f: quartic(x) - f * x, noise=d).mean() for f in a * np.cos(phase)]
    np.testing.assert_allclose(found.course(phase), still, atol=2e-3)


@pytest.mark.parametrize("tilt", [0.0, 0.08])
def test_the_same_as_stepping_in_time(tilt):
    d, a, w, n, steps = 0.15, 0.3, 0.6, 301, 400
    well = FokkerPlanck(lambda x: quartic(x) - tilt * x, noise=d, points=n, domain=(-2.5, 2.5))
    found = well.periodic_response(a, w)
    x, h, dt = well.x, well.spacing, 2 * np.pi / w / steps

    def generator(t):
        force = a * np.cos(w * t) * h / (2 * d)
        up, down = well._chain.up * np.exp(force), well._chain.down * np.exp(-force)
        rows = np.zeros((3, n))
        rows[0, 1:], rows[2, :-1] = down, up
        rows[1, :-1] -= up
        rows[1, 1:] -= down
        return rows

    p = well.density * h
    periods = 14  # the slowest rate is 0.08
    means = np.empty(periods * steps)
    for k in range(periods * steps):
        means[k] = x @ p
        rows = generator((k + 0.5) * dt)  # Crank-Nicolson
        right = p + dt / 2 * rows[1] * p
        right[:-1] += dt / 2 * rows[0, 1:] * p[1:]
        right[1:] += dt / 2 * rows[2, :-1] * p[:-1]
        left = -dt / 2 * rows
        left[1] += 1
        p = solve_banded((1, 1), left, right)
    phase = w * dt * np.arange(steps)
    np.testing.assert_allclose(found.course(phase), means[-steps:], atol=5e-4)
    np.testing.assert_allclose(found.density(np.zeros(1))[:, 0] * h, p, atol=1e-5)
    first = 2 * (means[-steps:] * np.exp(1j * phase)).mean()
    assert found.harmonics[0] == pytest.approx(first, rel=1e-3)
    assert (abs(found.mean) < 1e-9) == (tilt == 0)


def test_bad_input_and_print():
    well = FokkerPlanck(quartic, noise=0.1)
    assert "linear response 7.907" in str(well.periodic_response(0.1, 0.1))
    with pytest.raises(ValueError, match="amplitude = 0"):
        well.periodic_response(0, 0.1)
    with pytest.raises(TypeError, match="angular_frequency"):
        well.periodic_response(0.1, [0.1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ends of domain"):
        FokkerPlanck(quartic, noise=0.1, domain=(-2, 2), points=301).periodic_response(2.0, 0.5)


@pytest.mark.slow
def test_a_force_too_strong_for_64_harmonics():
    with pytest.raises(ValueError, match="more than 64 harmonics"):
        FokkerPlanck(quartic, noise=0.03, points=601).periodic_response(0.6, 0.001)
