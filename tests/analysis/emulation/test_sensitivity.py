import numpy as np
import pytest

from neurodyn import analysis


def test_start_states_of_a_clock_are_known(hand_made):
    net = hand_made.clock(30, noise=1e-3)
    found = analysis.noise_sensitivity(net, pairs=6, rollouts=20, paths=3, length=200, seed=1)
    winners = net.generate(3, 200, seed=1).winners.numpy()
    cluster, transition = found.time
    for path, middle, last in zip(found.path[0], cluster, transition, strict=True):
        # Half the dwell of 15 steps is 7, and the state before the switch is the last from which it comes.
        assert winners[path, last] != winners[path, last + 1] and middle == last + 1 - 7
        assert (winners[path, middle - 8 : last + 1] == winners[path, last]).all()
    assert found.trace.shape == (2, 6, 2, 5) and found.course.shape == (6, len(found.lag))


def test_spread_is_that_of_the_network_itself(hand_made):
    net = hand_made.clock(30, noise=1e-3)
    found = analysis.noise_sensitivity(net, mixing=(1.0,), pairs=1, rollouts=4000, paths=3, length=200, seed=2)
    states = net.generate(3, 200, full=True, seed=2).states
    for place in range(2):
        start = states[found.path[place, 0], found.time[place, 0]]
        own = net.generate(4000, 5, start=start, full=True, seed=9).states.numpy()
        # The relative error of a variance of 4000 draws in some 30 dimensions is about 1 %.
        assert found.trace[place, 0, 0] == pytest.approx(own.var(axis=0, ddof=1).sum(axis=1), rel=0.06)
        apart = np.linalg.norm(own - own.mean(axis=0), axis=2).mean(axis=0)
        assert found.distance[place, 0, 0] == pytest.approx(apart, rel=0.06)
    lag = found.time[1, 0] - (found.time[0, 0] + 7)
    assert found.course[0, found.lag == lag] == pytest.approx(found.trace[1, 0, 0, -1], rel=0.06)
    assert found.middle == pytest.approx(found.trace[0, 0, 0, -1], rel=0.06)


def test_less_fresh_noise_spreads_less(hand_made):
    net = hand_made.clock(30, noise=1e-3)
    found = analysis.noise_sensitivity(net, mixing=(0.1, 0.5, 1), pairs=4, paths=3, length=200)
    assert (np.diff(found.trace, axis=2) > 0).all()
    # Where all units with noise stay active, variance goes with the square of the share; others are rectified.
    assert (found.trace[:, :, 0, 0] < 0.05 * found.trace[:, :, 2, 0]).all()
    ratio = found.trace[1, :, :, -1] / found.trace[0, :, :, -1]
    assert np.array_equal(found.ratio, ratio) and np.array_equal(found.median, np.median(ratio, axis=0))
    assert [each.successes for each in found.smaller] == (ratio < 1).sum(axis=0).tolist()
    assert "4 pairs" in str(found)


def test_a_seed_gives_the_same_again(hand_made):
    net = hand_made.clock(30, noise=1e-3)
    first, again, other = (
        analysis.noise_sensitivity(net, pairs=2, rollouts=10, paths=2, length=100, seed=s).trace for s in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_wrong_input_is_named(hand_made):
    for mixing in ((), (0.0, 1.0), (0.5, 1.5)):
        with pytest.raises(ValueError, match="mixing = "):
            analysis.noise_sensitivity(hand_made.clock(30), mixing=mixing)
    with pytest.raises(ValueError, match="0 of 0 dwells end in a state .* pairs = 16: give fewer pairs"):
        analysis.noise_sensitivity(hand_made.bistable(noise=1e-6), length=100)
