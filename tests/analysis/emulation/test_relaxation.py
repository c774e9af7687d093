import numpy as np
import pytest

from neurodyn import analysis


def test_a_ring_without_biases_falls_silent_at_its_gain(hand_made):
    found = analysis.noise_free(hand_made.ring(gain=0.9), steps=400)
    assert found.relative == pytest.approx(0.9 ** np.arange(401)[:, None] * np.ones(100), rel=1e-9)
    assert found.settled.all() and found.reached.tolist() == [100]
    # The origin, where there is no Jacobian.
    assert np.abs(found.fixed_points).max() < 1e-15 and np.isnan(found.radius).all()
    assert "100 of 100 starts settle, in 1 fixed point\n" in str(found)


def test_two_wells_are_found_with_their_stability(hand_made):
    found = analysis.noise_free(hand_made.bistable(), starts=60, steps=300, seed=1)
    assert found.settled.all() and found.reached.sum() == 60 and (found.reached > 5).all()
    assert np.sort(found.fixed_points, axis=0) == pytest.approx(np.array([[0, 0], [2, 2]]), abs=1e-9)
    assert found.radius == pytest.approx([0.5, 0.5])
    assert np.allclose(found.fixed_points[found.which], found.ends)
    assert found.reached[0] >= found.reached[1] and "spectral radius 0.5" in str(found)


def test_a_clock_settles_nowhere(hand_made):
    found = analysis.noise_free(hand_made.clock(10), starts=7, steps=50)
    assert not found.settled.any() and found.fixed_points.shape == (0, 10) and (found.which == -1).all()
    assert (found.ratio == 1).all() and "0 of 7 starts settle, in 0 fixed points" in str(found)


def test_what_grows_is_told(hand_made):
    found = analysis.noise_free(hand_made.ring(gain=2.0), starts=5, steps=900)
    assert np.isinf(found.ratio).all() and not found.settled.any()


def test_starts_are_driven_states(hand_made):
    net = hand_made.ring()
    found = analysis.noise_free(net, starts=10, steps=1, burn_in=30, apart=4, seed=3)
    states = net.generate(5, 5, burn_in=30, full=True, seed=3).states[:, ::4].reshape(10, 8)
    assert np.allclose(found.norm[0], states.norm(dim=1).numpy())
    assert np.allclose(found.ends, net.step(states).detach().numpy())


def test_wrong_input_is_named(hand_made):
    with pytest.raises(ValueError, match="tolerance = 0: give a finite number above 0"):
        analysis.noise_free(hand_made.ring(), tolerance=0)
    with pytest.raises(ValueError, match="noise drives no unit"):
        analysis.noise_free(hand_made.ring(noise=0.0))
