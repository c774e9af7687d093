import numpy as np
import pytest

from neurodyn.analysis.population._thin_svd import thin_svd


def test_it_goes_on_where_numpy_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(0).normal(size=(9, 2)) @ np.random.default_rng(1).normal(size=(2, 5))
    here = thin_svd(matrix)

    def fails(*_args: object, **_options: object) -> None:
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr(np.linalg, "svd", fails)
    left, values, right = thin_svd(matrix)
    assert left.shape == (9, 5) and right.shape == (5, 5)
    np.testing.assert_allclose((left * values) @ right, matrix, atol=1e-12)
    np.testing.assert_allclose(values, here[1], atol=1e-12)
