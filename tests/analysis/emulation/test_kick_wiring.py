import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis


def test_weights_that_were_put_there(two):
    found = analysis.kick_connectivity(two.net, two.found, samples=99)
    tests = found.tests
    assert found.directions == tuple(two.directions)
    assert tests["within kick groups"].values == pytest.approx([0.3] * 12)
    assert tests["between kick groups"].values == pytest.approx([-0.3] * 18)
    # Holder and integrator of a source drive its kick neurons, only the integrator inhibits those of the other direction.
    assert [p.tolist() for p in found.populations] == [[i] for i in two.integrators]
    assert tests["own population to kick"].values == pytest.approx([0.6] * 6)
    assert tests["other population to kick"].values == pytest.approx([-0.05] * 6)
    within = tests["within kick groups"]
    assert within.share is not None and (within.share.successes, within.share.trials) == (12, 12)
    assert within.p == pytest.approx(2.0**-12)
    assert within.mean is not None and within.mean.p == pytest.approx(0.01)
    # A population of one unit has no weights within.
    assert tests["within populations"].share is None and np.isnan(tests["within populations"].p)
    w = two.net.recurrent_weight.detach().numpy()
    assert np.array_equal(found.order, np.concatenate([*two.found.groups, two.integrators]))
    assert np.array_equal(found.matrix, w[np.ix_(found.order, found.order)])
    assert found.drive[0] == pytest.approx(w[two.kicks[0]].mean(axis=0))
    assert "within populations        " in str(found) and "12/12" in str(found)


def test_each_direction_has_its_own_population(three):
    found = analysis.kick_connectivity(three.net, three.found, samples=5)
    assert [p.tolist() for p in found.populations] == [[i] for i in three.integrators]
    assert found.tests["other population to kick"].values == pytest.approx([-0.05] * 18)


def test_populations_are_those_of_the_most_negative_products(chosen):
    """Two directions: the choice of the published code, and random weights have no sign where it was not looked at."""
    net = nd.HMMRNN(90, noise_inputs=3, outputs=2, seed=7)
    kicks = chosen(90, {(0, 1): list(range(8)), (1, 0): list(range(8, 16))})
    found = analysis.kick_connectivity(net, kicks, population=0.2, samples=60, seed=2)
    g1, g2 = found.drive
    product = g1 * g2
    product[:16] = np.inf
    assert sorted(np.concatenate(found.populations)) == sorted(np.argsort(product)[:18])
    assert (g1[found.populations[0]] > 0).all() and (g2[found.populations[1]] > 0).all()
    for name in ("own population to kick", "other population to kick"):
        test = found.tests[name]
        # The weights are uniform in +-0.105: 16 means of some nine of them.
        assert test.mean is not None and abs(test.mean.observed) < 4 * 0.061 / np.sqrt(16 * 8)
        assert test.p > 0.01 and 0.05 < test.mean.p < 0.95
    naive = np.mean([g1[found.populations[0]].mean(), g2[found.populations[1]].mean()])
    assert naive > 3 * abs(found.tests["own population to kick"].values.mean())


def test_groups_larger_than_the_network_may_overlap_in_the_null(chosen):
    net = nd.HMMRNN(6, noise_inputs=2, seed=1)
    found = analysis.kick_connectivity(net, chosen(6, {(0, 1): [0, 1, 2, 3], (1, 0): [2, 3, 4]}), samples=9)
    # Every unit but one is a kick neuron: that one drives a direction, or none.
    assert sum(len(p) for p in found.populations) <= 1
    within = found.tests["within kick groups"]
    assert within.mean is not None and len(within.values) == 12 + 6


def test_what_is_refused(two, chosen):
    with pytest.raises(ValueError, match="neurons for 1 of 2 directions"):
        analysis.kick_connectivity(two.net, chosen(two.net.units, {(0, 1): [4], (1, 0): []}))
    with pytest.raises(ValueError, match="population = 0: give a share"):
        analysis.kick_connectivity(two.net, two.found, population=0)
    with pytest.raises(ValueError, match="kicks are of a network of 5 units"):
        analysis.kick_connectivity(two.net, chosen(5, {(0, 1): [0], (1, 0): [1]}))
    with pytest.raises(TypeError, match="give an HMMRNN"):
        analysis.kick_connectivity(torch.nn.Linear(2, 2), two.found)  # type: ignore[arg-type]
