"""The bank beside published exponents, and what follows from the equations."""

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.analysis import lyapunov_exponents
from neurodyn.models import chaotic

#: orbits and steps that tell an exponent to about the tolerance asked for
QUICK = {"logistic": (100, 200), "henon": (50, 600), "ikeda": (50, 400), "standard": (50, 400)}
SLOW = {"lorenz63": (60, 2000), "roessler": (40, 6000), "lorenz96": (4, 1000), "mackey_glass": (30, 5000)}
#: of the largest exponent; U4 of the reference sheet asks for 0.01 of the first two
TOLERANCE = {"logistic": 0.01, "henon": 0.01, "ikeda": 0.02, "standard": 0.05}
TOLERANCE |= {"lorenz63": 0.02, "roessler": 0.01, "lorenz96": 0.1, "mackey_glass": 0.0015}


def measured(name, orbits, steps, **options):
    system = chaotic.system(name)
    every = 1 if system.kind == "map" and name != "mackey_glass" else 5
    start = system.start(orbits)
    return system, lyapunov_exponents(system.step, start, steps=steps, every=every, dt=system.dt, **options)


def close(system, found):
    published = system.published
    assert published is not None
    exponents = found.exponents.mean(axis=0)
    assert abs(exponents[0] - published.exponents[0]) < TOLERANCE[system.name]
    if published.total is not None and found.exponents.shape[1] == system.units:
        # Volumes shrink alike everywhere, but for the error of the integration.
        assert exponents.sum() == pytest.approx(published.total, abs=1e-8 if system.kind == "map" else 0.01)
    return exponents


@pytest.mark.parametrize("name", QUICK)
def test_maps(name):
    system, found = measured(name, *QUICK[name], count=None, discard=20)
    close(system, found)
    if system.units > 1:
        assert system.published is not None
        assert found.kaplan_yorke.mean() == pytest.approx(system.published.dimension, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_flows(name):
    system, found = measured(name, *SLOW[name], count=None if name != "mackey_glass" else 6, discard=500)
    exponents = close(system, found)
    assert system.published is not None
    if name == "lorenz96":
        assert 12 <= (exponents > 0.02).sum() <= 14  # 13 above 0
    else:
        shown = system.published.exponents
        np.testing.assert_allclose(exponents[: len(shown)], shown, atol=0.03 if name != "mackey_glass" else 0.002)
    assert found.kaplan_yorke.mean() == pytest.approx(system.published.dimension, abs=0.3 if system.units > 3 else 0.01)


def test_entries_agree_with_themselves():
    for name in chaotic.SYSTEMS:
        published = chaotic.system(name).published
        assert (
            published is not None
            and published.source
            and list(published.exponents) == sorted(published.exponents)[::-1]
        )
        if len(published.exponents) == chaotic.system(name).units and published.total is not None:
            assert sum(published.exponents) == pytest.approx(published.total, abs=2 * published.tolerance + 1e-3)
        # Kaplan and Yorke's formula gives the published dimension back.
        sums = np.cumsum(published.exponents)
        inside = int((sums >= 0).sum())
        if published.dimension is not None and inside < len(sums):
            assert inside + sums[inside - 1] / -published.exponents[inside] == pytest.approx(
                published.dimension, abs=5e-3
            )


@pytest.mark.parametrize("name", chaotic.SYSTEMS)
def test_numpy_and_torch_agree(name):
    system = chaotic.system(name)
    x = system._near(np.random.default_rng(0), 5)
    both = system.step(x), system.step(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(*both, rtol=1e-12, atol=1e-14)
    assert (system.derivative is None) == (system.kind == "map") and name in str(system)


def test_the_delay_is_that_of_the_equation():
    # Without feedback from the past x decays; with a linear one the map follows x' = beta x(t - tau) - gamma x.
    system = chaotic.system("mackey_glass", beta=0.0, tau=10.0)
    assert system.dt == pytest.approx(0.1) and system.published is None
    x = np.ones((1, 101))
    for _ in range(100):
        x = system.step(x)
    assert x[0, 0] == pytest.approx(np.exp(-0.1 * 10), rel=1e-5) and x[0, -1] == 1
    linear = chaotic.system("mackey_glass", n=0.0, tau=10.0)  # beta/2 x(t - tau)
    x = np.ones((1, 101))
    for _ in range(100):
        x = linear.step(x)
    assert x[0, 0] == pytest.approx(1.0, rel=1e-12)  # 0.1 in, 0.1 out


def test_trajectories():
    henon = nd.models.chaotic.system("henon")
    orbit = henon.trajectory(50, seed=3)
    assert orbit.shape == (50, 2)
    np.testing.assert_allclose(orbit[1:, 1], 0.3 * orbit[:-1, 0])
    several = henon.trajectory(25, count=3, every=2, seed=3)
    assert several.shape == (3, 25, 2)
    np.testing.assert_array_equal(several[0, 0], henon.start(3, seed=3)[0])
    np.testing.assert_allclose(several[:, 1], henon.step(henon.step(several[:, 0])))
    assert np.abs(chaotic.system("standard").trajectory(200)).max() < 2 * np.pi


def test_mistakes():
    for call, message in (
        (lambda: chaotic.system("lorenz"), "name = 'lorenz'.*did you mean 'lorenz"),
        (lambda: chaotic.system("?"), "there are logistic, henon"),
        (lambda: chaotic.system("henon", c=1.0), "henon has no parameter 'c'; there are a, b"),
        (lambda: chaotic.system("henon", a=np.inf), "a = inf"),
        (lambda: chaotic.system("mackey_glass", tau=0.0), "tau = 0: give a positive time"),
        (lambda: chaotic.system("henon").start(0), "count = 0"),
        (lambda: chaotic.system("henon").trajectory(0), "steps = 0"),
        (lambda: chaotic.system("henon").trajectory(5, every=0), "every = 0"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
