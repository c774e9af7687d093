import numpy as np
import pytest

from neurodyn.analysis import gain_sweep


@pytest.fixture(scope="module")
def sweep():
    return gain_sweep([0.0, 0.5, 6.0], units=100, networks=3, steps=1000, discard=500, seed=1)


def test_rest_and_chaos(sweep):
    # At rest the network is linear: Euler's step turns a rate r into ln(1 + r dt)/dt; pairs of eigenvalues rotate.
    dt = 0.1
    np.testing.assert_allclose(sweep.largest[0], np.log(1 - dt) / dt, atol=1e-9)
    np.testing.assert_allclose(sweep.largest[1], np.log(1 + sweep.at_origin[1] * dt) / dt, atol=0.03)
    assert (sweep.largest[2] > 0.1).all() and (sweep.largest[2] < sweep.at_origin[2]).all()
    assert sweep.chaotic.tolist() == [0, 0, 1]


def test_networks_are_what_is_drawn_again(sweep):
    assert sweep.interval.networks == 3 and (sweep.interval.low <= sweep.interval.high).all()
    assert str(sweep).count("\n") == 4 and "3 random networks of 100 units" in str(sweep)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gains": [-1.0]}, "gains holds -1"),
        ({"gains": 1.0}, "gains has shape"),
        ({"networks": 1}, "networks = 1"),
        ({"units": 0}, "units = 0"),
        ({"dt": 0.6}, "dt = 0.6: at most 0.5"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(ValueError, match=message):
        gain_sweep(**{"gains": [1.0], **options})
