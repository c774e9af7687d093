import numpy as np
import pytest

from neurodyn import analysis
from neurodyn.tasks import HiddenMarkov


def test_a_wave_round_a_ring_turns_one_way(hand_made):
    net = hand_made.ring(units=12, gain=1.2, reach=2, inhibition=0.5)
    found = analysis.driven_orbits(net, paths=16, steps=400, seed=1)
    assert found.agreement.successes == 16 and found.p == pytest.approx(2 * 0.5**16)
    # Activity moves by 1.5 of 12 units a step.
    assert np.abs(found.turns) == pytest.approx(400 * 1.5 / 12, rel=0.15)
    assert found.shares[:2].sum() > 0.4 and found.projected.shape == (16, 400, 3)
    assert "16/16" in str(found)


def test_turns_are_counted_with_their_sign():
    from neurodyn.analysis.emulation.orbits import _turns

    angle = np.linspace(0, 6 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert _turns(np.stack([circle, circle * [1, -1], circle[::-1]])) == pytest.approx([3, -3, -3])


def test_two_symmetric_wells_turn_neither_way(hand_made):
    found = analysis.driven_orbits(hand_made.bistable(), paths=20, steps=300, components=2, seed=2)
    assert found.p > 0.05 and found.agreement.successes < 16
    assert np.abs(found.turns).max() < 10


def test_dwell_times_of_a_clock_beside_those_of_a_target(hand_made):
    found = analysis.driven_orbits(hand_made.clock(20), target=HiddenMarkov.chain(2), paths=3, steps=100)
    assert (found.lengths == 10).all() and len(found.lengths) == 3 * 8
    assert (found.dwell.mean, found.dwell.cv) == (10, 0)
    assert found.target_dwell is not None and found.target_dwell.mean == pytest.approx(20)
    assert found.target_runs is not None and found.target_runs.mean == pytest.approx(
        1 / HiddenMarkov.chain(2).symbol_change
    )
    # The softmax is so sharp that a sampled symbol is the winner.
    assert found.runs.mean == pytest.approx(10) and "hidden states" in str(found)


def test_projections_are_of_the_states(hand_made):
    net = hand_made.ring()
    found = analysis.driven_orbits(net, paths=2, steps=30, seed=4)
    states = net.generate(2, 30, burn_in=100, full=True, seed=4).states.numpy()
    assert np.allclose((states - found.mean) @ found.components.T, found.projected)


def test_wrong_input_is_named(hand_made):
    with pytest.raises(ValueError, match="components = 9: at least 2, at most 8"):
        analysis.driven_orbits(hand_made.ring(), components=9)
    with pytest.raises(ValueError, match="steps = 1"):
        analysis.driven_orbits(hand_made.ring(), steps=1)
