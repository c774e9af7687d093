import numpy as np
import pytest

import neurodyn as nd
from neurodyn import analysis
from neurodyn.analysis.emulation.reuse import _allowed, _critical_width, _long, _main_symbols, _split

HMM = nd.tasks.HiddenMarkov


def test_a_network_of_parts(three):
    found = analysis.modular_reuse(
        three.net,
        HMM.fully_connected(),
        residence=three.map,
        kicks=three.found,
        steps=4000,
        shortest=30,
        samples=40,
    )
    assert found.symbols == (0, 1, 2) and found.cluster_share.sum() == pytest.approx(1)
    assert (found.cluster_share > 0.2).all() and found.marginal == pytest.approx([1 / 3] * 3)
    assert found.allowed == tuple(three.directions) == found.beyond_chance
    assert found.sizes == dict.fromkeys(three.directions, 3) and found.disjoint
    assert list(found.planes) == [(0, 1), (0, 2), (1, 2)] and len(found.angles) == 3
    for pair, plane in found.planes.items():
        assert plane @ plane.T == pytest.approx(np.eye(2)) and plane.shape == (2, 4)
        assert 0.5 < found.plane_share[pair] <= 1 and found.plane_steps[pair] >= 30
    text = str(found)
    assert "slow clusters for 3 of 3 symbols" in text and "6 of 6 allowed transitions, for 0 others; disjoint" in text
    # Beside a ring, in which 0 and 2 are no neighbours, two groups are too many.
    ring = analysis.modular_reuse(
        three.net, HMM.cyclic(), residence=three.map, kicks=three.found, steps=100, shortest=90, samples=2
    )
    assert "for 4 of 4 allowed transitions, for 2 others" in str(ring)


def test_two_symbols_have_one_orbit(two):
    found = analysis.modular_reuse(
        two.net, two_symbols(), residence=two.map, kicks=two.found, steps=500, shortest=20, samples=2
    )
    assert list(found.planes) == [(0, 1)] and not found.angles and "no two pairs" in str(found)
    assert found.plane_steps == {(0, 1): 500}


def two_symbols():
    return HMM([[0.95, 0.05], [0.05, 0.95]], np.eye(2))


@pytest.mark.parametrize(
    ("model", "symbols", "allowed"),
    [
        (HMM.chain(2), {0, 2}, ((0, 2), (2, 0))),
        (HMM.chain(3), {0, 2}, ((0, 2), (2, 0))),
        (HMM.chain(5), {0, 2}, ((0, 2), (2, 0))),
        (HMM.cyclic(), {0, 1, 2}, ((0, 1), (1, 0), (1, 2), (2, 1))),
        (HMM.fully_connected(), {0, 1, 2}, ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))),
    ],
)
def test_transitions_that_a_model_allows(model, symbols, allowed):
    main = _main_symbols(model)
    assert {int(s) for each in main for s in each} == symbols and _allowed(model, main) == allowed


def test_two_kinds_of_visits_are_told_from_one():
    rng = np.random.default_rng(3)
    one = np.concatenate([rng.normal(size=(40, 1)), 0.1 * rng.normal(size=(40, 4))], axis=1)
    both = one * 0.2 + (np.arange(40) % 2)[:, None] * [1, 0, 0, 0, 0]
    single, double = _split(one, 60, rng), _split(both, 60, rng)
    assert single is not None and double is not None
    assert single.p > 0.1 and double.p < 0.05
    assert _split(one[:9], 60, rng) is None and _split(np.ones((20, 3)), 60, rng) is None


def test_the_kernel_that_joins_two_points_is_half_their_distance_wide():
    # Two normal densities of equal weight have one peak as soon as their centres are two standard deviations apart.
    assert _critical_width(np.array([0.0] * 5 + [2.0] * 5)) == pytest.approx(1.0, abs=0.02)


def test_only_long_stays_count():
    inside = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1], dtype=bool)
    assert np.flatnonzero(_long(inside, 3)).tolist() == [3, 4, 5, 8, 9, 10, 11]
    assert not _long(inside, 5).any()


def test_what_is_refused(two):
    with pytest.raises(ValueError, match="model has 3 symbols, net 2"):
        analysis.modular_reuse(two.net, HMM.chain(2))
    with pytest.raises(ValueError, match="shortest = 2"):
        analysis.modular_reuse(two.net, two_symbols(), shortest=2)
