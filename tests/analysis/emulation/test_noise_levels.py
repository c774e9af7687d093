import numpy as np
import pytest

from neurodyn import analysis


def test_without_biases_size_is_proportional_to_noise(hand_made):
    found = analysis.size_against_noise(hand_made.ring(), (0.25, 1, 4), paths=3, steps=200)
    # Powers of two scale without rounding.
    assert np.array_equal(found.radius[0] * 4, found.radius[1]) and np.array_equal(found.radius[1] * 4, found.radius[2])
    assert found.extent[0] * 16 == pytest.approx(found.extent[2], rel=1e-9)
    assert found.departure < 1e-12 and not found.biased and "an identity" in str(found)


def test_size_is_that_of_rectified_noise(hand_made):
    net = hand_made.made(np.zeros((3, 3)), 1.0, np.ones((2, 3)))
    found = analysis.size_against_noise(net, (2.0,), paths=20, steps=1000)
    # A rectified normal number has the variance (1 - 1/pi)/2.
    assert found.radius.mean() == pytest.approx(2 * np.sqrt(3 * (1 - 1 / np.pi) / 2), rel=0.02)


def test_with_biases_it_is_not(hand_made):
    found = analysis.size_against_noise(hand_made.bistable(), (0.01, 0.5, 5), paths=3, steps=500)
    assert found.biased and found.departure > 0.5 and "a finding" in str(found)


def test_wrong_levels_are_named(hand_made):
    with pytest.raises(ValueError, match="levels is empty"):
        analysis.size_against_noise(hand_made.ring(), ())
    with pytest.raises(ValueError, match="levels = -1"):
        analysis.size_against_noise(hand_made.ring(), (1, -1))
