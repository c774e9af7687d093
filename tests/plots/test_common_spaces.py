import numpy as np

from neurodyn import analysis


def pair(seed=0):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(20, 30, 2))
    return (hidden @ rng.normal(size=(2, n)) + rng.normal(size=(20, 30, n)) for n in (6, 6))


def test_canonical_correlations(sound, texts, xy):
    found = analysis.cca(*pair(), samples=20)
    figure = found.plot()
    sound(figure)
    assert {"Fitted", "Left out", "null, 5 to 95 %"} <= set(
        texts(figure)
    ) and "trials paired anew" in figure.get_suptitle()
    np.testing.assert_allclose(xy(figure.axes[1].lines[0])[1], found.held_out.observed)


def test_misfit(sound, texts, xy):
    found = analysis.procrustes(*pair(), samples=20)
    figure = found.plot()
    sound(figure)
    assert "paired anew, 20 times" in texts(figure)
    assert xy(figure.axes[0].lines[0])[0][0] == found.misfit.observed


def test_spaces(sound, texts, xy):
    a, b = pair()
    found = analysis.shared_space({"cue": a, "event A": b, "event B": a[::-1] + b}, samples=20)
    figure = found.plot()
    sound(figure)
    assert {"event A in cue", "common component 3", "alignment"} <= set(texts(figure))
    assert xy(figure.axes[1].lines[1])[0][0] == found.alignment.observed[0, 1]
