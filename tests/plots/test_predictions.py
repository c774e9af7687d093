import numpy as np
import pytest

from neurodyn import plots
from neurodyn.analysis import divergence_step, persistence_error, prediction_error
from neurodyn.tasks import Primitives

ACTUAL = Primitives().sample(4, 60, seed=1).values


def predictions(size, horizons=3):
    predicted = np.stack([np.roll(ACTUAL, -h - 1, axis=1) for h in range(horizons)], axis=2) + size
    return prediction_error(predicted, ACTUAL)


def test_errors_by_horizon_beside_persistence(sound, texts, xy):
    results = {"good": [predictions(0.01), predictions(0.03)], "poor": predictions(0.2)}
    figure = plots.prediction_error(results)
    sound(figure)
    panel = figure.axes[0]
    assert {"good", "poor", "persistence"} <= set(texts(figure)) and panel.get_yscale() == "log"
    drawn = [xy(line) for line in panel.lines]
    assert all(np.array_equal(x, [1, 2, 3]) for x, _ in drawn)
    np.testing.assert_allclose(drawn[2][1], np.mean([f.error for f in results["good"]], axis=0))
    np.testing.assert_allclose(drawn[-1][1], persistence_error(ACTUAL, horizons=3).error)
    with pytest.raises(ValueError, match=r"results\['b'\] has other horizons"):
        plots.prediction_error({"a": predictions(0.1), "b": predictions(0.1, horizons=2)})


def test_share_that_still_agrees(sound, texts, xy):
    target = np.zeros((2, 4), dtype=int)
    generated = np.array([[[0, 0, 0, 0], [0, 0, 1, 0]], [[1, 0, 0, 0], [0, 0, 1, 0]]])
    found = divergence_step(generated, target)
    figure = plots.divergence_step({"network": [found, divergence_step(target, target)], "alone": found})
    sound(figure)
    mean = [1, 0.75, 0.75, 0.25, 0.25]
    drawn = [xy(line)[1] for line in figure.axes[0].lines]
    np.testing.assert_allclose(drawn[-1], mean)
    np.testing.assert_allclose(drawn[2], (np.array(mean) + 1) / 2)
    assert {"network (3.0)", "alone (2.0)", "mean divergence step"} <= set(texts(figure))
    with pytest.raises(ValueError, match=r"results\['b'\] has targets of another length"):
        plots.divergence_step({"a": found, "b": divergence_step(target[:, :3], target[:, :3])})
