import numpy as np
import pytest

from neurodyn.analysis import shared_space


def recording(axes, samples=400, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, len(axes))) @ axes + noise * rng.normal(size=(samples, axes.shape[1]))


AXES = np.linalg.qr(np.random.default_rng(9).normal(size=(30, 4)))[0].T


def test_the_same_space_is_aligned_and_an_orthogonal_one_is_not():
    groups = {
        "one": recording(AXES[:2], seed=1),
        "same": recording(AXES[:2], seed=2) * 10 + 3,
        "other": recording(AXES[2:], seed=3),
    }
    found = shared_space(groups, components=2, samples=99)
    index = found.alignment.observed
    assert index[0, 1] > 0.98 and index[1, 0] > 0.98 and index[0, 2] < 0.05
    np.testing.assert_allclose(np.diag(index), 1)
    assert np.all(found.within > 0.98)
    assert found.alignment.p[0, 2] <= 0.02 and found.alignment.p[0, 1] <= 0.02
    assert found.angles[0, 1].max() < 5 and found.angles[0, 2].min() > 80
    # Both planes together: all is captured by four components, whatever the scale of a group.
    four = shared_space(groups, components=4, samples=2)
    assert np.all(four.captured.sum(axis=1) > 0.8)
    assert four.projections["same"].shape == (400, 4)
    assert "other in the space of one" in str(found) and "null" in str(found)


def test_the_index_is_its_definition():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 60, 5)) @ (rng.normal(size=(2, 5, 5)))
    found = shared_space({"a": a, "b": b}, components=2, samples=2)
    ca, cb = np.cov(a.T), np.cov(b.T)
    leading = np.linalg.eigh(cb)[1][:, -2:]
    wanted = np.trace(leading.T @ ca @ leading) / np.linalg.eigvalsh(ca)[-2:].sum()
    assert found.alignment.observed[0, 1] == pytest.approx(wanted)
    joint = np.linalg.eigh(ca / np.trace(ca) + cb / np.trace(cb))[1][:, ::-1][:, 0]
    assert abs(joint @ found.components[0]) == pytest.approx(1)
    np.testing.assert_allclose(found.captured[0, 0], joint @ ca @ joint / np.trace(ca))
    np.testing.assert_allclose(found.projections["a"], (a - a.mean(axis=0)) @ found.components.T)


def test_groups_of_one_covariance_lie_high_in_their_null_and_within_tells_why():
    rng = np.random.default_rng(5)
    mix = rng.normal(size=(20, 20)) * np.geomspace(3, 0.1, 20)[:, None]
    groups = {name: (rng.normal(size=(6, 100, 20)) @ mix) for name in "ab"}
    found = shared_space(groups, components=3)
    assert found.alignment.p[0, 1] < 0.05
    assert found.alignment.observed[0, 1] == pytest.approx(found.within.mean(), abs=0.1)


@pytest.mark.parametrize(
    ("groups", "components", "message"),
    [
        ({"a": np.eye(9)}, 2, "at least two recordings"),
        ({"a": np.eye(9), "b": np.eye(8)}, 2, "8 and 9 units"),
        ({"a": np.eye(9), "b": np.ones((4, 9))}, 2, r"groups\['b'\] never varies"),
        ({"a": np.eye(9), "b": np.eye(9)}, 4, "components = 4.*at most 3"),
        ({"a": np.eye(9), "b": np.full((9, 9), np.nan)}, 2, "NaN"),
    ],
)
def test_errors_say_what_is_wrong(groups, components, message):
    with pytest.raises(ValueError, match=message):
        shared_space(groups, components=components)
