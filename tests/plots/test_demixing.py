import numpy as np
import pytest

from neurodyn import analysis, plots


def trials(shape, seed=0):
    rng = np.random.default_rng(seed)
    level = np.linspace(-2, 2, shape[0]).reshape(-1, *[1] * (len(shape) - 1), 1)
    time = 3 * np.sin(np.linspace(0, 6, shape[-1]))[:, None]
    return level * rng.normal(size=8) + time * rng.normal(size=8) + rng.normal(size=(6, *shape, 8))


def test_parts_over_time(sound, texts, xy):
    found = analysis.demixed_pca(trials((3, 30)), ("event", "time"), components=2, samples=5, splits=3)
    figure = found.plot(time=np.arange(30) * 10.0)
    sound(figure)
    assert {"Decoding event", "null, 5 to 95 %", "from part time", "time (ms)"} <= set(texts(figure))
    times, line = xy(figure.axes[0].lines[0])
    np.testing.assert_allclose(line, found.projections["event"][0, :, 0])
    assert times[-1] == 290
    with pytest.raises(ValueError, match=r"time has shape \(3,\): the components have 30 times"):
        plots.demixed_pca(found, time=np.arange(3))


def test_averages_of_two_conditions_have_no_decoding(sound, texts):
    found = analysis.demixed_pca(trials((3, 2, 30)).mean(axis=0), ("event", "cue", "time"), components=1, strength=0.01)
    figure = found.plot()
    sound(figure)
    assert "dashes: cue" in figure.get_suptitle() and "null, 5 to 95 %" not in texts(figure)
    assert any("event x cue" in text for text in texts(figure)) and "sample" in texts(figure)
