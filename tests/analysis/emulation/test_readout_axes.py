import numpy as np
import pytest

from neurodyn import analysis


def test_axes_in_a_plane_that_is_known(hand_made):
    # Noise reaches two units alone, which are then the plane.
    readout = np.zeros((3, 12))
    readout[0, 1], readout[1, 5], readout[2, [0, 7]] = 3.0, 2.0, 0.5
    net = hand_made.made(np.zeros((12, 12)), [1.0, 0.7] + [0.0] * 10, readout)
    found = analysis.readout_geometry(net, samples=400)
    assert found.lengths.observed == pytest.approx([1, 0, np.sqrt(0.5)], abs=1e-9)
    assert np.linalg.norm(found.axes, axis=1) == pytest.approx(found.lengths.observed)
    assert found.shares.sum() == pytest.approx(1) and found.cosines == pytest.approx(np.eye(3))
    # A single weight falls into the plane in 2 of 12 exchanges, and lies always at least at 0.
    assert found.lengths.p[0] == pytest.approx(2 / 12, abs=0.06) and found.lengths.p[1] == 1
    assert "symbol 2: 0.707" in str(found)


def test_a_readout_of_zero_has_no_axis(hand_made):
    with pytest.raises(ValueError, match="the readout of symbol 1 is zero"):
        analysis.readout_geometry(hand_made.made(np.zeros((2, 2)), 1.0, [[1.0, 0.0], [0.0, 0.0]]))
