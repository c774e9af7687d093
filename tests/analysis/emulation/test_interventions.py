from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis
from neurodyn.analysis.emulation.interventions import _matched, _nested, _partners


@pytest.fixture(scope="module")
def found(two):
    return analysis.kick_interventions(
        two.net, two.found, mu=(0, 1, 1.5), sizes=(2, 3, 5), draws=9, partners=0.05, trajectories=15, steps=200, seed=3
    )


def test_without_its_kick_neurons_the_network_stays(two, found):
    ratio = found.ratio("kick")
    assert (ratio[:, 1, 0, 0] < 0.05).all()
    # Two of three are missed less, three that shout are missed more.
    assert (ratio[:, 0, 0, 0] >= ratio[:, 1, 0, 0]).all() and (ratio[:, 1, 2, 0] > 1.3).all()
    # Idle units reach nobody, but the random sets may hold integrators and holders.
    idle = np.isclose(ratio[:, 1, 0, 1:], 1)
    assert idle.mean() > 0.5
    test = found.test("kick", 0, 3, 0.0)
    assert test is not None and test.p == pytest.approx(0.1) and test.alternative == "less"
    assert found.test("kick", 0, 3, 1.5).alternative == "greater"
    # The other direction goes on.
    assert found.rates[0, 0, 1, 0, 0, 1] > 0 or np.isnan(found.rates[0, 0, 1, 0, 0, 1])


def test_without_the_noise_of_its_partners_the_network_stays(two, found):
    # Three kick neurons, one integrator; 5 % of 28 units is one.
    assert (found.ratio("noise")[:, :2, 0, 0] < 0.2).all()
    w = two.net.recurrent_weight.detach().numpy()
    # The integrator by 3 * 0.6, then the holder of the source and the kick neurons of the other direction by 3 * 0.3 each.
    assert _partners(w, np.array(two.kicks[0]), 5).tolist() == [two.integrators[0], two.holders[0], *two.kicks[1]]


def test_factor_one_is_the_intact_network(two, found):
    for kind in range(2):
        for d in range(2):
            np.testing.assert_array_equal(found.rates[kind, d, :2, 1], np.broadcast_to(found.intact, (2, 10, 2)))
    free = two.net.generate(15, 201, burn_in=100, seed=3).winners.numpy()
    for k, (s, t) in enumerate(two.directions):
        leaves = (free[:, :-1] == s) & (free[:, 1:] == t)
        assert found.intact[k] == pytest.approx(leaves.sum() / (free[:, :-1] == s).sum())
    # A random set may hold a holder, which half as much again of its own excitation drives beyond all bounds.
    assert np.nanmax(found.diverged[:, :, :, :2]) == 0 == np.nanmax(found.diverged[..., 0])


def test_sizes_beyond_what_passes_are_empty(found):
    assert [[len(ids) for ids in each] for each in found.members] == [[2, 3, 0]] * 2
    assert np.isnan(found.rates[:, :, 2]).all() and found.test("kick", 0, 5, 0.0) is None
    ranked = np.array([7, 3, 5, 1])
    assert [n.tolist() for n in _nested(ranked, (3, 6, 10))] == [[7, 3, 5], [7, 3, 5, 1], []]
    assert "2 -> 0" not in str(found) and "0 -> 1" in str(found)


def test_random_sets_are_of_like_activity():
    activity = np.concatenate([np.linspace(0, 1, 30), np.linspace(10, 11, 30)])
    sets = _matched(activity, np.array([0, 1, 40]), np.array([0, 1, 40, 50]), 50, np.random.default_rng(0))
    for each in sets:
        assert len(set(each.tolist())) == 3 and not {0, 1, 40, 50} & set(each.tolist())
        assert (activity[each] < 5).sum() == 2
    assert len({tuple(sorted(each)) for each in sets}) > 20
    with pytest.raises(ValueError, match="only 1 units are left for random sets of 2"):
        _matched(activity[:3], np.array([0, 1]), np.array([0, 1]), 1, np.random.default_rng(0))


def test_critical_pairs_are_those_of_the_jacobians_around_switches(chosen):
    net = nd.HMMRNN(24, noise_inputs=6, outputs=2, seed=4, dtype=torch.float64)
    net.recurrent_weight.data.mul_(2.2)
    kicks = chosen(24, {(0, 1): [0, 1], (1, 0): [2]}, np.arange(24.0))
    steps = 8  # shorter than the window: all of it, of four trajectories
    found = analysis.kick_interventions(
        net, kicks, mu=(0.5,), sizes=(2,), draws=2, trajectories=4, steps=steps, burn_in=20, seed=1
    )
    free = net.generate(4, steps + 1, burn_in=20, full=True, seed=1)
    assert free.states is not None
    w = net.recurrent_weight.detach().numpy()
    counts = []
    for path in range(4):
        if (free.winners[path, 1:] != free.winners[path, :-1]).any():
            for h in free.states[path, 1:].numpy():
                values = np.linalg.eigvals((h > 0)[:, None] * w).astype(complex)
                values = values[values.imag > 1e-12]
                z = (values - 1) / (values + 1)
                counts.append(np.sum((np.abs(z.real) < 0.1) & (z.imag > 0.06)))
    assert found.intact_pairs == pytest.approx(np.mean(counts)) and np.sum(counts) > 0
    assert found.pairs.shape == (2, 2, 1, 1, 3) and np.isfinite(found.pairs).all()
    test = found.test("kick", 1, 2, 0.5, of="pairs")
    assert test is not None and test.observed == pytest.approx(found.pairs[0, 1, 0, 0, 0] / found.intact_pairs)


def test_trajectories_that_leave_for_good_are_counted_apart(two):
    net = two.net
    found = analysis.kick_interventions(
        net, two.found, mu=(0, 50), sizes=(3,), draws=2, trajectories=6, steps=150, seed=1
    )
    assert (found.diverged[0, :, 0, 1, 0] > 0.5).all() and (found.diverged[0, :, 0, 0, 0] == 0).all()


def test_what_is_refused(two, chosen, found):
    cases: list[tuple[dict[str, Any], str]] = [
        ({"mu": (-1.0,)}, "mu = -1.0"),
        ({"mu": ()}, "mu or sizes is empty"),
        ({"sizes": (0,)}, "sizes = 0"),
        ({"partners": 1.0}, "partners = 1.0: give a share"),
        ({"steps": 1}, "steps = 1"),
    ]
    for options, words in cases:
        with pytest.raises(ValueError, match=words):
            analysis.kick_interventions(two.net, two.found, **options)
    with pytest.raises(ValueError, match="kicks has no neuron"):
        analysis.kick_interventions(two.net, chosen(two.net.units, {(0, 1): []}))
    with pytest.raises(ValueError, match="kicks are of a network of 5 units"):
        analysis.kick_interventions(two.net, chosen(5, {(0, 1): [0]}))
    with pytest.raises(ValueError, match="size = 4, mu = 0.3: tried were"):
        found.test("kick", 0, 4, 0.3)
