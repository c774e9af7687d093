import numpy as np
import pytest

import neurodyn as nd
from neurodyn import analysis


def turning(hand_made, radius, angle):
    """Two units that are always active, and turn their state."""
    c, s = radius * np.cos(angle), radius * np.sin(angle)
    return hand_made.made([[c, -s], [s, c]], 1.0, np.eye(2), bias=[10.0, 10.0])


@pytest.mark.parametrize(
    ("radius", "angle", "unstable", "critical"),
    [(1.01, 0.3, 2, 1), (0.99, 0.3, 0, 1), (0.99, 0.09, 0, 0), (0.99, 0.11, 0, 1), (0.5, 0.3, 0, 0)],
)
def test_a_rotation_has_one_pair(hand_made, radius, angle, unstable, critical):
    found = analysis.local_spectra(turning(hand_made, radius, angle), np.ones((3, 2)))
    assert np.sort_complex(found.eigenvalues[0]) == pytest.approx(radius * np.exp([-1j * angle, 1j * angle]))
    assert (found.unstable == unstable).all() and (found.near_critical == critical).all() and not found.with_noise


def test_the_unit_circle_becomes_the_imaginary_axis(hand_made):
    found = analysis.local_spectra(turning(hand_made, 1.0, 0.4), np.ones((1, 2)))
    assert np.sort(np.imag(found.mapped[0])) == pytest.approx([-np.tan(0.2), np.tan(0.2)])
    assert np.real(found.mapped) == pytest.approx(0, abs=1e-12)


def test_noise_decides_which_units_are_active(hand_made):
    net = turning(hand_made, 0.9, 0.3)
    noise = np.array([[0.0, 0.0], [-100.0, 0.0], [-100.0, -100.0]])
    found = analysis.local_spectra(net, np.ones((3, 2)), noise=noise)
    assert found.with_noise and np.allclose(found.eigenvalues[1], [0.9 * np.cos(0.3), 0])
    assert not found.eigenvalues[2].any() and np.abs(found.eigenvalues[0]) == pytest.approx(0.9)


def test_with_noise_the_active_units_are_those_of_the_next_state():
    net = nd.HMMRNN(20, noise_inputs=4, seed=3)
    path = net.generate(1, 30, full=True, seed=1)
    assert path.states is not None and path.noise is not None
    states, noise = path.states[0].numpy(), path.noise[0].numpy()
    found = analysis.local_spectra(net, states[:-1], noise=noise[1:])
    w = net.recurrent_weight.detach().double().numpy()
    for eigenvalues, after in zip(found.eigenvalues, states[1:], strict=True):
        full = np.linalg.eigvals((after > 0)[:, None] * w)
        assert np.abs(eigenvalues) == pytest.approx(np.sort(np.abs(full))[::-1], abs=1e-6)


def test_the_course_through_the_switches_of_a_clock(hand_made):
    found = analysis.switch_spectra(hand_made.clock(20), window=4, switches=6, paths=2, steps=100)
    assert found.lag.tolist() == list(range(-4, 5)) and found.eigenvalues.shape == (6, 9, 20)
    winners = found.logits.argmax(axis=2)
    assert (winners[:, :4] != winners[:, 4:5]).all() and (winners[:, 4:] == winners[:, 4:5]).all()
    # The first unit, which inhibits itself twofold, becomes active in the step before symbol 0 wins again.
    expected = np.zeros((6, 9), dtype=int)
    expected[winners[:, 4] == 0, 3] = 1
    assert 0 < expected.sum() < 6
    assert np.array_equal(found.unstable, expected) and np.array_equal(found.unstable_with_noise, expected)
    assert found.elsewhere == (0, 0) and not found.near_critical.any() and "6 switches" in str(found)


def test_the_course_takes_the_noise_of_the_step(hand_made):
    net = hand_made.ring(units=6)
    found = analysis.switch_spectra(net, window=2, switches=1000, paths=1, steps=60, seed=5)
    path = net.generate(1, 60, full=True, seed=5)
    states, winners = path.states[0].numpy(), path.winners[0].numpy()
    at = next(k for k in range(2, 58) if winners[k] != winners[k - 1])
    active = [(found.eigenvalues_with_noise[0, k] != 0).sum() for k in range(5)]
    # Only the whole ring has eigenvalues other than 0.
    assert active == [6 if (states[at + lag + 1] > 0).all() else 0 for lag in range(-2, 3)]
    assert np.allclose(found.logits[0], path.logits[0, at - 2 : at + 3].numpy())


def test_wrong_input_is_named(hand_made):
    net = hand_made.ring()
    with pytest.raises(ValueError, match=r"states has shape \(3, 5\): give \(state, 8\)"):
        analysis.local_spectra(net, np.ones((3, 5)))
    with pytest.raises(ValueError, match=r"noise has shape \(2, 8\): give \(3, 8\)"):
        analysis.local_spectra(net, np.ones((3, 8)), noise=np.ones((2, 8)))
    with pytest.raises(ValueError, match="the winner changes nowhere"):
        analysis.switch_spectra(hand_made.bistable(noise=1e-6), steps=100)
