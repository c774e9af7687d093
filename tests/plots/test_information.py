import numpy as np

from neurodyn import analysis


def test_mutual_information(sound, texts, xy):
    rng = np.random.default_rng(0)
    s = rng.integers(0, 3, 500)
    found = analysis.mutual_information(s, rng.poisson(1 + s))
    figure = found.plot()
    sound(figure)
    assert {"500 samples", "p(response | signal)", f"{found.bits:.3g} of {found.signal_bits:.3g} bits"} <= set(
        texts(figure)
    )
    np.testing.assert_allclose(np.asarray(figure.axes[0].images[0].get_array()).sum(axis=1), 1)
    assert xy(figure.axes[1].lines[0])[0][0] == found.bits


def test_information_rate(sound, texts, xy):
    rng = np.random.default_rng(1)
    s = rng.normal(size=(4000, 2))
    found = analysis.information_rate(s, s + 2 * rng.normal(size=s.shape), dt=1.0, segment=100.0, band=(0.0, 0.3))
    figure = found.plot()
    sound(figure)
    assert {"coherence", "95 % of chance", "80 segments"} <= set(texts(figure))
    np.testing.assert_array_equal(xy(figure.axes[0].lines[0])[1], found.coherence)


def test_the_level_of_chance_is_right(xy):
    rng = np.random.default_rng(2)
    found = analysis.information_rate(
        rng.normal(size=(40000, 1)), rng.normal(size=(40000, 1)), dt=1.0, segment=1000.0, samples=2
    )
    level = xy(found.plot().axes[0].lines[1])[1][0]
    assert 0.02 < np.mean(found.coherence > level) < 0.09
