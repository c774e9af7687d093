from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import hypergeom, norm

import neurodyn as nd
from neurodyn import analysis
from neurodyn.analysis.emulation.kicks import next_winner


def test_the_kick_neurons_that_were_put_there_are_found(two, three):
    for known in (two, three):
        found = known.found
        assert list(found.directions) == known.directions and not found.skipped
        assert [sorted(group.tolist()) for group in found.groups] == known.kicks
        assert found.passes.sum() == 3 * len(known.directions)
        # The holder of the target opens on the way, too, and stays open.
        assert found.arriving.tolist() == [1] * len(known.directions)
        assert (found.passing.p <= 2 / 41).all() and (found.passing.observed == 3).all()
        assert np.array_equal(found.overlap, 3 * np.eye(len(known.directions)))


def test_profile_and_opening_by_hand(two):
    found, r = two.found, two.map
    w = two.net.recurrent_weight.detach().numpy()
    drive = r.states @ w.T + two.net.bias.detach().numpy()
    coming = next_winner(r.path, r.winner)
    # The integrator of direction 0 -> 1, before this switch: a unit with noise of standard deviation 0.5.
    unit, rows = two.integrators[0], (r.winner == 0) & (coming == 1) & (r.zone == 0)
    assert found.states[0, 2] == rows.sum() >= 5
    assert found.profile[0, 2, unit] == pytest.approx(drive[rows, unit].mean())
    assert found.opening[0, 2, unit] == pytest.approx(norm.cdf(drive[rows, unit] / 0.5).mean())
    # A kick neuron has no noise of its own.
    kick = two.kicks[0][0]
    assert found.opening[0, 2, kick] == pytest.approx((drive[rows, kick] > 0).mean())
    assert found.profile[0, 3, kick] == pytest.approx(drive[(r.winner == 1) & (r.zone == 2), kick].mean())
    assert found.sd[unit] == pytest.approx(np.hypot(drive[:, unit].std(), 0.5))
    rise = (found.profile[0, 2] - found.profile[0, 0]) / found.sd
    assert found.score[0] == pytest.approx(rise * (found.opening[0, 2] - found.opening[0, 0]))
    assert found.activity == pytest.approx(r.states.mean(axis=0))


def test_groups_are_the_best_of_those_that_pass(two):
    found = analysis.kick_neurons(two.net, two.map, top=2, shifts=1)
    for d, group in enumerate(found.groups):
        ranked = found.ranked(d)
        assert np.array_equal(group, ranked[:2]) and (np.diff(found.score[d][ranked]) <= 0).all()
    assert "0 -> 1" in str(found)


def test_whoever_holds_the_target_may_pass(two):
    found = analysis.kick_neurons(two.net, two.map, target="any", top=10, shifts=1)
    for d, (_, t) in enumerate(two.directions):
        assert sorted(found.groups[d].tolist()) == [two.holders[t], *two.kicks[d]]
    assert np.array_equal(found.arriving, two.found.arriving) and np.array_equal(found.score, two.found.score)


def test_zones_dealt_out_at_random_find_nothing(two):
    rng = np.random.default_rng(1)
    dealt = replace(two.map, zone=rng.permutation(two.map.zone))
    found = analysis.kick_neurons(two.net, dealt, shifts=20)
    assert found.passes.sum() <= 1 and (found.passing.p > 0.05).all()


def test_a_direction_with_few_states_is_skipped_and_said(two):
    rare = two.map.zone.copy()
    before = (two.map.winner == 1) & (rare == 0)
    rare[np.flatnonzero(before)[2:]] = -1
    found = analysis.kick_neurons(two.net, replace(two.map, zone=rare), shifts=1)
    assert found.directions == ((0, 1),) and found.skipped == ((1, 0),)
    assert "1 -> 0: too few states" in str(found)


def test_overlap_is_hypergeometric(two, chosen):
    from neurodyn.analysis.emulation.kicks import _as_few

    overlap = np.array([[4, 1], [1, 3]])
    assert _as_few(overlap, 20)[0, 1] == pytest.approx(hypergeom.cdf(1, 20, 4, 3))
    assert two.found.overlap_p[0, 1] == pytest.approx(hypergeom.pmf(0, two.net.units, 3, 3))


def test_next_winner_stays_on_its_path():
    path = np.array([0, 0, 0, 0, 1, 1, 1])
    winner = np.array([2, 2, 0, 0, 0, 1, 2])
    assert next_winner(path, winner).tolist() == [0, 0, -1, -1, 1, 2, -1]


def test_what_is_refused(two, three):
    with pytest.raises(ValueError, match="has 500 states in each of source cluster, .* \\(0 -> 1: "):
        analysis.kick_neurons(two.net, two.map, least=500)
    with pytest.raises(ValueError, match="give the residence map of this network"):
        analysis.kick_neurons(two.net, three.map)
    with pytest.raises(ValueError, match="top = 0"):
        analysis.kick_neurons(two.net, two.map, top=0)
    with pytest.raises(ValueError, match="target = 'open'"):
        analysis.kick_neurons(two.net, two.map, target="open")  # type: ignore[arg-type]
    # An untrained network changes its symbol all the time, and stays nowhere.
    net = nd.HMMRNN(20, noise_inputs=5)
    with pytest.raises(ValueError, match="no transition between symbols"):
        analysis.kick_neurons(net, analysis.residence_map(net, states=200, rollouts=3, cap=9))
