import numpy as np
import pytest

from neurodyn.analysis import procrustes


def test_a_turned_and_scaled_copy_comes_back():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(6, 20, 4))
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    b = 3 * (a - 5) @ turn + 7
    found = procrustes(a, b, samples=19)
    assert found.misfit.observed == pytest.approx(0, abs=1e-12) and found.misfit.p == 0.05
    assert found.scale == pytest.approx(1 / 3)
    np.testing.assert_allclose(found.rotation, turn.T, atol=1e-9)
    np.testing.assert_allclose(found.aligned, a, atol=1e-9)
    rigid = procrustes(a, b, scaling=False, samples=1)
    assert rigid.misfit.observed == pytest.approx((3 - 1) ** 2)  # |a - 3 a|^2 / |a|^2
    assert "misfit" in str(found) and "null" in str(found)


def test_misfit_is_that_of_scipy():
    from scipy.spatial import procrustes as of_scipy

    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 50, 3))
    assert procrustes(a, b, samples=1).misfit.observed == pytest.approx(of_scipy(a, b)[2])
    assert procrustes(b, a, samples=1).misfit.observed == pytest.approx(of_scipy(a, b)[2])


def test_unequal_numbers_of_units_are_padded():
    rng = np.random.default_rng(2)
    a = rng.normal(size=(50, 3))
    b = np.c_[a, np.zeros((50, 2))] @ np.linalg.qr(rng.normal(size=(5, 5)))[0]
    narrow, wide = procrustes(a, b, samples=1), procrustes(b, a, samples=1)
    assert narrow.misfit.observed == pytest.approx(0, abs=1e-12) and wide.misfit.observed == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(narrow.aligned, a, atol=1e-9)
    np.testing.assert_allclose(wide.aligned, b, atol=1e-9)


def test_unrelated_recordings_keep_the_level_and_many_units_fit_anything():
    rng = np.random.default_rng(3)
    p = [procrustes(*rng.normal(size=(2, 10, 8, 3)), samples=19, seed=s).misfit.p for s in range(100)]
    assert sum(value <= 0.05 for value in p) <= 12  # nominal 5 of 100, standard deviation 2.2
    assert procrustes(*rng.normal(size=(2, 20, 200)), samples=1).misfit.observed < 0.25


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.eye(5), np.eye(4), "the same samples"),
        (np.eye(5), np.zeros((5, 3)), "b never varies"),
        (np.zeros((1, 5, 2)), np.zeros((1, 5, 2)), "at least 2 along the first axis"),
    ],
)
def test_errors_say_what_is_wrong(a, b, message):
    with pytest.raises(ValueError, match=message):
        procrustes(a, b)
