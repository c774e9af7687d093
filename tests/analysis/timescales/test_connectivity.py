import numpy as np
import pytest

from neurodyn.analysis import connectivity_by_tau


def test_by_hand():
    weights = np.array([[9.0, 1.0, 2.0], [-1.0, 0.0, -3.0], [4.0, 5.0, 0.0]])
    result = connectivity_by_tau(weights, [2.0, 1.0, 0.5], groups=3)
    assert result.mean == pytest.approx(8 / 6)
    assert result.quantiles[2] == pytest.approx(1.5)
    # Fastest first: unit 2 receives 4 + 5, unit 1 -1 - 3, unit 0 1 + 2 without its diagonal.
    assert result.incoming.tolist() == [9, -4, 3] and result.tau.tolist() == [0.5, 1, 2]
    assert result.units.tolist() == [1, 1, 1] and result.incoming_sd.tolist() == [0, 0, 0]


def test_radii_of_a_rotation():
    weights = np.array([[0.0, -0.5], [0.5, 0.0]])
    result = connectivity_by_tau(weights, [1.0, 1.0], groups=1)
    assert result.radius == pytest.approx(0.5) and result.leaky_radius == pytest.approx(0.5)
    # tau = 2: eigenvalues 1/2 +- i/4; below 1 it acts as 1.
    assert connectivity_by_tau(weights, [2.0, 2.0], groups=1).leaky_radius == pytest.approx(np.hypot(0.5, 0.25))
    assert connectivity_by_tau(weights, [0.2, 0.2], groups=1).leaky_radius == pytest.approx(0.5)


def test_rows_are_targets_and_their_own_tau_scales_them():
    weights = np.array([[0.0, 0.8], [0.2, 0.0]])
    a = 1 / np.array([4.0, 1.0])
    step = np.array([[0.75, 0.8 * a[0]], [0.2 * a[1], 0.0]])
    expected = np.abs(np.linalg.eigvals(step)).max()
    assert connectivity_by_tau(weights, [4.0, 1.0], groups=2).leaky_radius == pytest.approx(expected)


def test_initial_weights_of_the_reference_network():
    rng = np.random.default_rng(0)
    bound = 1 / np.sqrt(500)
    result = connectivity_by_tau(rng.uniform(-bound, bound, (500, 500)), rng.uniform(1, 2, 500))
    assert result.sd == pytest.approx(0.0258, abs=3e-4)
    assert result.radius == pytest.approx(0.58, abs=0.02)
    assert result.leaky_radius == pytest.approx(0.718, abs=0.03)
    assert (result.units == 50).all() and (np.diff(result.tau) > 0).all()


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"weights has shape \(2, 3\)"):
        connectivity_by_tau(np.ones((2, 3)), [1.0, 1.0])
    with pytest.raises(ValueError, match="groups = 3"):
        connectivity_by_tau(np.ones((2, 2)), [1.0, 1.0], groups=3)
