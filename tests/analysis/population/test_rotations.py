import numpy as np
import pytest

from neurodyn.analysis import jpca, tensor_surrogates
from neurodyn.analysis.population.rotations import _fit


def rotating(frequencies=(2.0, 0.7), dt=10.0, steps=50, conditions=6, units=30, noise=0.0, seed=0):
    """Rotations in orthogonal planes from random states, the planes, and what is common to all conditions."""
    rng = np.random.default_rng(seed)
    planes = np.linalg.qr(rng.normal(size=(units, 2 * len(frequencies))))[0].T.reshape(-1, 2, units)
    time = np.arange(steps) * dt * 1e-3
    x = np.zeros((conditions, steps, units))
    for f, plane in zip(frequencies, planes, strict=True):
        phase = 2 * np.pi * f * time + rng.uniform(0, 2 * np.pi, (conditions, 1))
        x += rng.uniform(1, 2, (conditions, 1, 1)) * (np.stack([np.cos(phase), np.sin(phase)], -1) @ plane)
    common = np.sin(2 * np.pi * time)[:, None] * rng.normal(size=units)
    return x + 3 * common + noise * rng.normal(size=x.shape), planes


def test_frequencies_and_planes_of_rotations_come_back():
    x, planes = rotating()
    found = jpca(x, dt=10, components=4, samples=19)
    np.testing.assert_allclose(found.frequencies, [2.0, 0.7], rtol=1e-8)
    for mine, true in zip(found.planes, planes, strict=True):
        np.testing.assert_allclose(mine @ mine.T, np.eye(2), atol=1e-8)
        np.testing.assert_allclose(mine.T @ mine, true.T @ true, atol=1e-7)
    # |2 tan(pi f dt) / dt|: exact on samples half-way, so R2 is 1.
    assert found.r2.observed == pytest.approx(1) and found.r2_ratio.observed == pytest.approx(1)
    assert found.captured == pytest.approx(1) and found.variance.sum() == pytest.approx(1)
    assert found.r2.p == 0.05 and found.r2.high < 0.9
    text = str(found)
    assert "plane 1: 2 Hz" in text and "null" in text and "tensor control" in text


def test_planes_turn_from_their_first_to_their_second_direction():
    x, _ = rotating(frequencies=(2.0,))
    found = jpca(x, dt=10, components=2, samples=2)
    first, second = found.projections[0, :, :, 0], found.projections[0, :, :, 1]
    angle = np.unwrap(np.arctan2(second, first), axis=1)
    np.testing.assert_allclose(np.diff(angle, axis=1), 2 * np.pi * 2 * 0.01, rtol=1e-6)


def test_skew_matrix_is_the_best_of_its_kind():
    """Least squares over a basis of the skew-symmetric matrices, entry by entry."""
    rng = np.random.default_rng(1)
    scores = np.cumsum(rng.normal(size=(5, 30, 4)), axis=1)
    matrix, r2, r2_any = _fit(scores, 0.01)
    change = (np.diff(scores, axis=1) / 0.01).reshape(-1, 4)
    state = (0.5 * (scores[:, 1:] + scores[:, :-1])).reshape(-1, 4)
    pairs = [(i, j) for i in range(4) for j in range(i)]
    columns = []
    for i, j in pairs:
        basis = np.zeros((4, 4))
        basis[i, j], basis[j, i] = 1, -1
        columns.append((state @ basis.T).ravel())
    weights = np.linalg.lstsq(np.array(columns).T, change.ravel(), rcond=None)[0]
    np.testing.assert_allclose([matrix[i, j] for i, j in pairs], weights, rtol=1e-9)
    np.testing.assert_allclose(matrix, -matrix.T)
    assert r2 < r2_any


def test_noise_does_not_look_like_decay():
    x, _ = rotating(frequencies=(2.0,), noise=0.3, steps=200, conditions=30)
    scores = x @ np.linalg.svd((x - x.mean(axis=0)).reshape(-1, 30), full_matrices=False)[2][:2].T
    change = (np.diff(scores, axis=1) / 0.01).reshape(-1, 2)
    state = (0.5 * (scores[:, 1:] + scores[:, :-1])).reshape(-1, 2)
    before = scores[:, :-1].reshape(-1, 2)
    halfway, published = (np.linalg.lstsq(s - s.mean(axis=0), change, rcond=None)[0] for s in (state, before))
    assert np.trace(published) < -5 < np.trace(halfway) < 5
    assert jpca(x, dt=10, components=2, samples=2).frequencies[0] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("control", ["tensor", "shuffle"])
def test_smooth_random_activity_is_not_taken_for_rotation(control):
    """Smooth activity without dynamics has a large R2, which the control tells from an effect."""
    p, r2 = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        kernel = np.exp(-0.5 * (np.arange(-15, 16) / 5) ** 2)
        white = rng.normal(size=(6, 70, 12))
        x = np.apply_along_axis(lambda v, k=kernel: np.convolve(v, k, mode="valid"), 1, white)
        found = jpca(x, dt=10, components=4, control=control, samples=19, seed=seed)
        p.append(found.r2.p)
        r2.append(found.r2.observed)
    assert np.mean(r2) > 0.1
    assert sum(value <= 0.05 for value in p) <= 7  # nominal 2 of 40, standard deviation 1.4


def test_tensor_surrogates_keep_means_and_covariances_of_each_axis():
    rng = np.random.default_rng(2)
    x = np.cumsum(rng.normal(size=(5, 20, 3)), axis=1) @ rng.normal(size=(3, 8)) + 0.3 * rng.normal(size=(5, 20, 8)) + 2
    drawn = np.stack(list(tensor_surrogates(x, samples=3000, seed=1)))
    for axis in range(3):
        other = tuple(a for a in range(3) if a != axis)
        mean = x.mean(axis=other)
        spread = x.mean(axis=other).std() + x.std()
        np.testing.assert_allclose(drawn.mean(axis=0).mean(axis=other), mean, atol=0.05 * spread)
        centre = sum(
            (x.mean(axis=tuple(a for a in range(3) if a != k), keepdims=True) for k in range(3)), -2 * x.mean()
        )
        away = np.moveaxis(x - centre, axis, 0).reshape(x.shape[axis], -1)
        wanted = away @ away.T
        found = np.mean(
            [(v := np.moveaxis(d - centre, axis, 0).reshape(x.shape[axis], -1)) @ v.T for d in drawn], axis=0
        )
        np.testing.assert_allclose(found, wanted, atol=0.05 * np.abs(wanted).max())
    # And not the tensor itself: a draw is another one.
    assert abs(np.corrcoef((drawn[0] - centre).ravel(), (x - centre).ravel())[0, 1]) < 0.5
    np.testing.assert_array_equal(next(tensor_surrogates(x, samples=1, seed=1)), drawn[0])


def test_shuffles_keep_the_time_courses_of_each_unit():
    from neurodyn.analysis.population.rotations import _surrogates

    x, _ = rotating(conditions=4)
    (shuffled,) = _surrogates(x, "shuffle", 1, 0)
    np.testing.assert_allclose(shuffled.mean(axis=0), x.mean(axis=0))
    for unit in range(x.shape[-1]):
        assert {tuple(c) for c in shuffled[:, :, unit]} == {tuple(c) for c in x[:, :, unit]}
    assert not np.array_equal(shuffled, x)


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (rotating()[0], {"components": 3}, "an even number"),
        (rotating()[0], {"components": 6}, "has 4 dimensions"),
        (rotating()[0][0], {}, r"\(condition, time, unit\)"),
        (rotating()[0][:1], {}, "at least 2 conditions"),
        (rotating()[0], {"dt": 0.0}, "dt = 0"),
        (rotating()[0], {"control": "none", "components": 4}, "control = 'none'"),
        (np.full((3, 10, 8), np.inf), {}, "infinite"),
        (np.ones((3, 10, 8)), {}, "has 0 dimensions"),
    ],
)
def test_errors_say_what_is_wrong(x, options, message):
    with pytest.raises(ValueError, match=message):
        jpca(x, **{"dt": 10.0, **options})


def test_a_sum_of_single_axes_leaves_nothing_to_draw():
    x = np.arange(3.0)[:, None, None] + np.arange(5.0)[:, None] ** 2 + np.arange(4.0)
    with pytest.raises(ValueError, match="nothing is left to be drawn"):
        tensor_surrogates(x, samples=1)
