import numpy as np
import pytest

from neurodyn import analysis


@pytest.fixture(scope="module")
def trains():
    rng = np.random.default_rng(0)
    found = [np.cumsum(rng.gamma(2, scale, 2000)) for scale in rng.uniform(5, 40, 12)]
    return [train[train < 10_000] for train in found]


def test_statistics(trains, sound, texts):
    figure = analysis.spike_statistics(trains, duration_ms=10_000, samples=9).plot()
    sound(figure)
    assert "12 units" in texts(figure) and "rate (Hz)" in texts(figure)


def test_statistics_of_silent_units(sound, texts):
    figure = analysis.spike_statistics([[], []], duration_ms=1000).plot()
    sound(figure)
    assert "no unit has 10 spikes" in texts(figure)


def test_correlations(trains, sound, texts):
    found = analysis.count_correlations(trains, duration_ms=10_000, samples=19)
    figure = found.plot()
    sound(figure)
    assert f"Mean: p = {found.mean.p:.3g}" in texts(figure)


def test_cross_correlation(trains, sound, xy):
    found = analysis.cross_correlation(trains[0], trains[1], duration_ms=10_000, samples=19)
    figure = found.plot(title="Two cells")
    sound(figure)
    np.testing.assert_array_equal(xy(figure.axes[0].lines[0])[1], found.null_mean)
    sound(analysis.cross_correlation(trains[0], duration_ms=10_000, samples=19).plot())


def test_spectrum(trains, sound, xy):
    found = analysis.spike_spectrum(trains, duration_ms=10_000, samples=9)
    figure = found.plot()
    sound(figure)
    x, y = xy(figure.axes[1].lines[1])
    assert x[0] == 1 and x[-1] == 499
    np.testing.assert_array_equal(y, found.population[1:-1])


def test_coherence(trains, sound, xy):
    field = np.random.default_rng(1).normal(size=10_000)
    found = analysis.spike_field_coherence(trains[0], field, dt=1, samples=9)
    figure = found.plot()
    sound(figure)
    np.testing.assert_array_equal(xy(figure.axes[0].lines[0])[1], found.coherence[1:])
