import numpy as np
import pytest

from neurodyn.analysis import cca


def pair(strength, samples=600, units=(8, 6), seed=0, smooth=1):
    """Two recordings that share one smooth signal."""
    rng = np.random.default_rng(seed)
    kernel = np.ones(smooth) / np.sqrt(smooth)
    hidden = np.convolve(rng.normal(size=samples + smooth - 1), kernel, mode="valid")
    noise = [
        np.apply_along_axis(np.convolve, 0, rng.normal(size=(samples + smooth - 1, n)), kernel, mode="valid")
        for n in units
    ]
    return tuple(n + strength * hidden[:, None] * rng.normal(size=n.shape[1]) for n in noise)


def test_correlations_are_those_of_the_covariances():
    """Square roots of the eigenvalues of Caa^-1 Cab Cbb^-1 Cba, and of scikit-learn's iteration."""
    from sklearn.cross_decomposition import CCA

    a, b = pair(1.0)
    found = cca(a, b, reduce=None, samples=1)
    joint = np.cov(np.c_[a, b].T)
    aa, ab, bb = joint[:8, :8], joint[:8, 8:], joint[8:, 8:]
    eigenvalues = np.linalg.eigvals(np.linalg.solve(aa, ab) @ np.linalg.solve(bb, ab.T)).real
    np.testing.assert_allclose(found.correlations.observed, np.sqrt(np.sort(eigenvalues)[::-1][:3]), rtol=1e-9)
    model = CCA(n_components=3, tol=1e-10, max_iter=5000).fit(a, b)
    there = [np.corrcoef(u, v)[0, 1] for u, v in zip(*(s.T for s in model.transform(a, b)), strict=True)]
    np.testing.assert_allclose(found.correlations.observed, there, rtol=1e-4)
    for left, right, r in zip(found.a_scores.T, found.b_scores.T, found.correlations.observed, strict=True):
        assert np.corrcoef(left, right)[0, 1] == pytest.approx(r)
        assert left.var(ddof=1) == pytest.approx(1) and right.var(ddof=1) == pytest.approx(1)


def test_what_is_shared_is_found_in_data_left_out():
    found = cca(*pair(1.0), samples=39)
    assert found.held_out.p[0] == pytest.approx(1 / 40) and found.held_out.observed[0] > 0.8
    assert found.correlations.observed[2] > 0.1  # of the fit, by chance
    assert abs(found.held_out.observed[2]) < 0.15
    assert "left out" in str(found) and "null" in str(found)


@pytest.mark.parametrize("trials", [False, True])
def test_unrelated_recordings_keep_the_level(trials):
    p = []
    for seed in range(30):
        a, b = pair(0.0, samples=240, units=(4, 4), seed=seed, smooth=6)
        if trials:
            a, b = a.reshape(20, 12, 4), b.reshape(20, 12, 4)
        p.append(cca(a, b, components=1, reduce=None, samples=19, seed=seed).held_out.p[0])
    assert sum(value <= 0.05 for value in p) <= 6  # nominal 1.5 of 30, standard deviation 1.2


def test_reduction_takes_no_more_than_there_is():
    rng = np.random.default_rng(3)
    low = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 30))
    found = cca(low, low[:, ::-1], components=2, samples=2)
    np.testing.assert_allclose(found.correlations.observed, 1)
    np.testing.assert_allclose(found.held_out.observed, 1)
    with pytest.raises(ValueError, match="components = 3: a and b have 2 and 2 dimensions"):
        cca(low, low, components=3, samples=2)


STOPPED = np.r_[np.random.default_rng(0).normal(size=(60, 3)), np.zeros((30, 3))]


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        (np.eye(9), np.eye(8), {}, "the same samples"),
        (np.ones((90, 3)), np.eye(90)[:, :3], {}, "a never varies"),
        (np.eye(20), np.eye(20), {}, "at least two for each of 10 dimensions"),
        (np.eye(90)[:, :3], np.eye(90)[:, :3], {"reduce": 2}, "reduce = 2 is less than components = 3"),
        (np.full((90, 3), np.nan), np.eye(90)[:, :3], {}, "a holds .* NaN"),
        (STOPPED, STOPPED, {}, "never varies in fold 4 of 5"),
    ],
)
def test_errors_say_what_is_wrong(a, b, options, message):
    with pytest.raises(ValueError, match=message):
        cca(a, b, **options)
