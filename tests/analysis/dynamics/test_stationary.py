"""Fixed points that are known in closed form, or from a scalar equation."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from neurodyn.analysis import fixed_points


def rotation(units, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(units, units)))[0]


def test_three_bistable_units_under_a_rotation():
    # Each unit u' = u - u^3 stands still at -1, 0 and 1, with slopes -2, 1 and -2. Three that don't touch each other do
    # at all 3^3 = 27 combinations; 2^3 = 8 have no 0 and are stable; k zeros make k directions unstable: the 12
    # with one 0 and the 6 with two are saddles, the one with three repels in all directions.
    turn = torch.from_numpy(rotation(3))

    def flow(x):
        u = x @ turn
        return (u - u**3) @ turn.T

    found = fixed_points(flow, np.random.default_rng(1).uniform(-1.5, 1.5, (400, 3)), kind="flow")
    expected = np.array(list(itertools.product([-1, 0, 1], repeat=3)))
    at = found.points @ turn.numpy()
    assert len(at) == 27 and found.fixed.all() and not found.outlier.any()
    np.testing.assert_array_equal(np.unique(at.round(6) + 0.0, axis=0), np.unique(expected, axis=0))
    zeros = (np.abs(at) < 0.5).sum(axis=1)
    np.testing.assert_array_equal(found.index, zeros)
    assert [found.stability.count(s) for s in ("stable node", "saddle", "unstable node")] == [8, 18, 1]
    np.testing.assert_allclose(np.sort(found.eigenvalues.real), np.sort(np.where(np.abs(at) < 0.5, 1, -2)), atol=1e-6)
    # All starts are accounted for.
    assert found.visits.sum() + found.quick + found.unfinished == 400
    # The map of an Euler step has the same points, and the same classes.
    mapped = fixed_points(lambda x: x + 0.1 * flow(x), found.starts)
    assert len(mapped.points) == 27 and mapped.stability.count("stable node") == 8
    np.testing.assert_allclose(np.sort(mapped.eigenvalues.real, None), np.sort(1 + 0.1 * found.eigenvalues.real, None))


def test_a_rank_one_network():
    # x = m tanh(n.x / N) + held: with k = n.x / N a scalar equation, k = (n.m / N) tanh(k) + n.held / N.
    rng = np.random.default_rng(2)
    units = 60
    m = rng.normal(size=units)
    n = 2.0 * m + rng.normal(size=units)
    overlap = n @ m / units
    held = 0.1 * m
    roots = [
        float(brentq(lambda k: overlap * np.tanh(k) + n @ held / units - k, *bracket))  # type: ignore[arg-type]
        for bracket in ((-9, -0.9), (-0.9, 0.0), (0.0, 9))
    ]
    known = np.array([m * np.tanh(k) + held for k in roots])
    m_, n_ = torch.from_numpy(m), torch.from_numpy(n)

    def flow(x, given):
        return -x + torch.tanh(x @ n_ / units)[:, None] * m_ + given

    starts = rng.uniform(-2, 2, (60, 1)) * m + 0.3 * rng.normal(size=(60, units))
    found = fixed_points(flow, starts, inputs=held, kind="flow")
    np.testing.assert_allclose(found.points[np.argsort(found.points @ n)], known, atol=1e-7)
    # The Jacobian is -1 and a matrix of rank one, whose eigenvalue is overlap (1 - tanh^2 k).
    slopes = overlap * (1 - np.tanh(np.array(roots)) ** 2) - 1
    np.testing.assert_allclose(found.growth[np.argsort(found.points @ n), 0], np.maximum(slopes, -1), atol=1e-6)
    assert sorted(found.stability) == ["saddle", "stable node", "stable node"]


def test_a_linear_map_has_one_point():
    matrix = torch.from_numpy(np.array([[0.5, 0.2, 0.0], [0.0, 1.3, 0.1], [0.0, 0.0, -0.7]]))
    shift = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    found = fixed_points(lambda x: x @ matrix.T + shift, np.random.default_rng(3).normal(size=(20, 3)))
    np.testing.assert_allclose(
        found.points, np.linalg.solve(np.eye(3) - matrix.numpy(), shift.numpy())[None], atol=1e-8
    )
    np.testing.assert_allclose(found.jacobians[0], matrix.numpy(), atol=1e-12)
    np.testing.assert_allclose(found.eigenvalues[0], [1.3, -0.7, 0.5], atol=1e-9)
    assert found.stability == ["saddle"] and found.index[0] == 1 and found.visits[0] == 20


def test_the_ghost_of_a_saddle_node_is_slow():
    # x' = a + x^2, y' = -y has two fixed points for a < 0 and for a > 0 none, but the slowest place at 0, of speed a.
    def flow(x, given):
        return torch.stack([given[0] + x[:, 0] ** 2, -x[:, 1]], 1)

    starts = np.random.default_rng(4).normal(size=(50, 2))
    ghost = fixed_points(flow, starts, inputs=[1e-3], kind="flow")
    assert len(ghost.points) == 1 and not ghost.fixed[0] and ghost.visits[0] == 50
    np.testing.assert_allclose(ghost.points, 0, atol=1e-4)
    assert ghost.speed[0] == pytest.approx(1e-3, rel=1e-4)
    assert "1 slow points" in str(ghost) and "slow, " in str(ghost)
    pair = fixed_points(flow, starts, inputs=[-1e-3], kind="flow")
    np.testing.assert_allclose(np.sort(pair.points[:, 0]), [-(1e-3**0.5), 1e-3**0.5], atol=1e-8)
    assert sorted(pair.stability) == ["saddle", "stable node"]
    # A minimum that isn't slow beside the starts is counted, and is no point.
    quick = fixed_points(flow, starts, inputs=[1.0], kind="flow")
    assert len(quick.points) == 0 and quick.quick == 50 and "50 starts ended in quick minima" in str(quick)


def test_a_line_attractor_is_marginal():
    turn = torch.from_numpy(rotation(4, 5))
    decay = torch.tensor([0.0, -1.0, -2.0, -0.5], dtype=torch.float64)
    starts = np.random.default_rng(6).normal(size=(40, 4))
    found = fixed_points(lambda x: ((x @ turn) * decay) @ turn.T, starts, kind="flow")
    assert len(found.points) == 40 and set(found.stability) == {"marginal"} and (found.visits == 1).all()
    at = found.points[found.ended] @ turn.numpy()
    np.testing.assert_allclose(at[:, 1:], 0, atol=1e-8)
    np.testing.assert_allclose(at[:, 0], starts @ turn.numpy()[:, 0], atol=1e-6)  # by the shortest way


@pytest.mark.parametrize(("radius", "form"), [(0.9, "stable spiral"), (1.1, "unstable spiral"), (1.0, "marginal")])
def test_spirals(radius, form):
    c, s = radius * np.cos(0.4), radius * np.sin(0.4)
    matrix = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    found = fixed_points(lambda x: x @ matrix.T, np.random.default_rng(7).normal(size=(5, 2)))
    assert found.stability == [form]
    np.testing.assert_allclose(np.abs(np.angle(found.eigenvalues[0])), 0.4, atol=1e-9)


def test_against_an_independent_solver():
    # Every point of a random network is a root for scipy too, from where it was found and from nearby.
    from scipy.optimize import root

    rng = np.random.default_rng(8)
    weights = 3.0 * rng.normal(size=(20, 20)) / 20**0.5
    w = torch.from_numpy(weights)
    starts = 2 * rng.normal(size=(50, 20))
    found = fixed_points(lambda x: -x + torch.tanh(x) @ w.T, np.concatenate([starts, -starts]), kind="flow")
    assert found.fixed.sum() >= 3
    for point, jacobian in zip(found.points[found.fixed], found.jacobians[found.fixed], strict=True):
        solved = root(lambda x: -x + weights @ np.tanh(x), point + 1e-5 * rng.normal(size=20), tol=1e-12)
        np.testing.assert_allclose(point, solved.x, atol=1e-6)
        np.testing.assert_allclose(jacobian, -np.eye(20) + weights * (1 - np.tanh(point) ** 2), atol=1e-12)
    # Points come in pairs about the origin, as the starts do.
    fixed = found.points[found.fixed]
    assert np.linalg.norm(fixed[:, None] + fixed, axis=2).min(axis=1).max() < 1e-6


def test_points_far_from_the_starts_are_marked():
    def flow(x):  # at 0.3 and at 50
        return (x - 0.3) * (50 - x) / 50

    starts = np.concatenate([np.random.default_rng(9).normal(size=(30, 1)), [[49.0]]])
    close, wide = (fixed_points(flow, starts[:-1], kind="flow", far=f) for f in (10.0, 1000.0))
    both = fixed_points(flow, starts, kind="flow", far=3.0)
    assert not close.outlier.any() and not wide.outlier.any()
    np.testing.assert_array_equal(both.outlier, both.points[:, 0] > 10)
    assert both.outlier.sum() == 1 and "OUTLIER" in str(both)


def test_what_has_no_rest_and_what_leaves():
    away = fixed_points(lambda x: x + 1, np.zeros((3, 2)))
    assert len(away.points) == 0 and away.quick == 3
    assert away.jacobians.shape == (0, 2, 2) and away.stability == []
    short = fixed_points(lambda x: torch.exp(-x), np.full((3, 1), -5.0), kind="flow", iterations=2)
    assert short.unfinished == 3 and (short.ended == -2).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "maps"}, "kind = 'maps'.*did you mean 'map'"),
        ({"tolerance": 0}, "tolerance = 0"),
        ({"slow": -1}, "slow = -1"),
        ({"separation": 0.0}, "separation = 0.0"),
        ({"far": -1.0}, "far = -1.0"),
        ({"margin": -1e-3}, "margin = -0.001"),
        ({"iterations": 0}, "iterations = 0"),
        ({"inputs": [[1.0]]}, "inputs has shape"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        fixed_points(lambda x, given=None: x / 2, np.ones((2, 2)), **options)


def test_other_mistakes():
    with pytest.raises(ValueError, match="starts has shape"):
        fixed_points(lambda x: x, np.ones(3))
    with pytest.raises(ValueError, match="start 1 is NaN"):
        fixed_points(lambda x: x, [[1.0], [np.nan]])
    with pytest.raises(ValueError, match="give the same shape back"):
        fixed_points(lambda x: x[:, :1], np.ones((3, 2)))
    with pytest.raises(ValueError, match="compute in float64"):
        fixed_points(lambda x: x.float(), np.ones((3, 2)))
    with pytest.raises(ValueError, match="switch off its noise"):
        fixed_points(lambda x: x + torch.randn_like(x), np.ones((3, 2)))
    with pytest.raises(ValueError, match="touch each other"):
        fixed_points(lambda x: x - x.mean(0), np.arange(6.0).reshape(3, 2))
