import numpy as np
import pytest
import torch

from neurodyn import plots
from neurodyn.analysis import fixed_points


def test_points_and_eigenvalues(sound, texts, xy):
    rng = np.random.default_rng(0)
    found = fixed_points(lambda x: x - x**3, rng.uniform(-1.5, 1.5, (200, 2)), kind="flow")
    figure = found.plot(title="Two bistable units")
    sound(figure)
    assert {"starts", "stable node (4)", "saddle (4)", "unstable node (1)", "9 points"} <= set(texts(figure))
    left, right = figure.axes
    assert len(xy(left.lines[0])[0]) == 200
    stable = np.stack(xy(left.lines[1]), 1)
    # A rotation: corners of a square of side 2.
    np.testing.assert_allclose(np.sort(np.linalg.norm(stable[:, None] - stable, axis=2), 1), [[0, 2, 2, 8**0.5]] * 4)
    assert sorted(xy(right.lines[0])[0].round(6)) == [-2.0] * 8


@pytest.mark.parametrize("kind", ["map", "flow"])
def test_slow_points_outliers_and_a_single_unit(sound, texts, kind):
    def flow(x):  # slow near 0, still at 50
        return (1e-3 + x**2) * (50 - x) / 50

    starts = np.concatenate([np.random.default_rng(1).normal(size=(40, 1)), [[49.0]]])
    step = flow if kind == "flow" else lambda x: x + flow(x)
    found = fixed_points(step, starts, kind=kind, far=3.0)
    figure = plots.fixed_points(found)
    sound(figure)
    assert "2 points, 1 outliers not shown" in texts(figure) and "open: slow" in texts(figure)


def test_nothing_found(sound, texts):
    figure = fixed_points(lambda x: x + torch.ones_like(x), np.eye(3)).plot()
    sound(figure)
    assert "0 points" in texts(figure)
