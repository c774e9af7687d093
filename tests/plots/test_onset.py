import numpy as np

from neurodyn import plots
from neurodyn.analysis.emulation.onset import TrainingOnset


def onset(finite):
    up, down = np.linspace(0, 1, 5), np.linspace(10, 2, 5)
    return TrainingOnset(
        np.arange(1, 6) * 25, down, np.full(5, 2.0), np.ones(5), up / 2, up / 4, down / 20, down / 40, down / 10, finite
    )


def test_the_stages_of_a_training(sound, texts, xy):
    found = onset(np.array([1, 1, 0.5, 1, 1]))
    assert found.drop == 75 and found.first_unstable == 50
    figure = plots.training_onset(found, target_change=0.25)
    sound(figure)
    expected = (found.loss, found.unstable, found.mean_inverse, found.symbol_change)
    for ax, values in zip(figure.axes, expected, strict=True):
        x, y = xy(ax.lines[0])
        assert np.array_equal(x, found.update) and np.array_equal(y, values)
        assert [75, 75] in [list(xy(line)[0]) for line in ax.lines]
    shown = texts(figure)
    assert {
        "validation loss",
        "loss drops",
        "any |λ| > 1",
        "mean of 1/interval",
        "target",
        "activity not finite",
    } <= set(shown)
    assert "activity not finite" not in texts(plots.training_onset(onset(np.ones(5))))
