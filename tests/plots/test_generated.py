from typing import Any

import numpy as np
import pytest

from neurodyn import plots
from neurodyn.tasks import Primitives

TASK = Primitives()


def test_errors_beside_persistence(sound, texts, xy):
    persistence = np.array([0.05, 0.2, 0.4])
    errors = {"w = 0.1": np.array([[0.01, 0.02, 0.04], [0.03, 0.04, 0.06]]), "VRNN": [0.02, 0.05, 0.1]}
    figure = plots.prediction_horizon(errors, persistence=persistence, free_running=[0.5, 0.7])
    sound(figure)
    left, right = figure.axes
    assert {"w = 0.1", "VRNN", "persistence", "running freely"} <= set(texts(figure))
    means = [xy(line)[1] for line in left.lines]
    np.testing.assert_allclose(means[2], [0.02, 0.03, 0.05])
    np.testing.assert_allclose(means[-2], persistence)
    np.testing.assert_allclose(means[-1], 0.6)
    np.testing.assert_allclose(xy(right.lines[3])[1], np.divide(errors["VRNN"], persistence))
    with pytest.raises(ValueError, match=r"errors\['a'\] has shape \(1, 2\)"):
        plots.prediction_horizon({"a": [0.1, 0.2]}, persistence=persistence)
    with pytest.raises(ValueError, match="errors is empty"):
        plots.prediction_horizon({}, persistence=persistence)


def test_curves_have_the_colour_of_their_primitive(sound, texts):
    sample = TASK.sample(3, 80, seed=1)
    figure = plots.generated_curves(
        {"w = 0.1": sample.values, "w = 1": 0.01 * sample.values}, sample.values, TASK.segment
    )
    sound(figure)
    assert {"training", "w = 0.1", "w = 1", "A", "B", "C", "none"} <= set(texts(figure))
    axes: Any = figure.axes
    training, same, small = axes
    assert len(training.collections) == len(same.collections) and len(small.collections) == 1
    drawn = {tuple(np.round(c.get_colors()[0], 3)): np.concatenate(c.get_segments()) for c in training.collections}
    left = [points for points in drawn.values() if points[:, 0].mean() < -0.2]
    assert len(left) == 1  # A alone lies there


def test_owners_of_steps_are_those_of_the_task():
    from neurodyn.plots.generated import _owners

    sample = TASK.sample(4, 120, seed=2)
    found = _owners(sample.values, TASK.segment(sample.values))
    known = found >= 0
    assert known.mean() > 0.85 and (found == sample.labels)[known].mean() > 0.9


def test_what_is_no_curve():
    with pytest.raises(ValueError, match=r"generated\['a'\] has shape \(1, 5, 3\)"):
        plots.generated_curves({"a": np.zeros((1, 5, 3))}, np.zeros((1, 5, 2)), TASK.segment)
    with pytest.raises(ValueError, match="generated is empty"):
        plots.generated_curves({}, np.zeros((1, 5, 2)), TASK.segment)
