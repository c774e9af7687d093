import numpy as np
import pytest

from neurodyn import analysis, plots


def quartic(x):
    return x**4 / 4 - x**2 / 2


def test_response_against_noise(sound, texts, xy):
    levels = np.geomspace(0.05, 0.5, 8)
    pairs = [analysis.TwoState.of_potential(quartic, noise=d) for d in levels]
    curves = {
        "exact": [analysis.FokkerPlanck(quartic, noise=d).response(0.01) for d in levels],
        "two states": [pair.response([0.01]) for pair in pairs],
    }
    figure = plots.response_against_noise(curves)
    sound(figure)
    assert {"exact", "two states"} <= set(texts(figure))
    noise, eta = xy(figure.axes[0].lines[0])
    np.testing.assert_allclose(noise, levels)
    best, top = xy(figure.axes[0].lines[1])
    assert top[0] == eta.max() and best[0] == levels[eta.argmax()]
    with pytest.raises(ValueError, match="2 angular frequencies"):
        plots.response_against_noise({"a": [pairs[0].response([0.1, 0.2])]})


def test_kramers_rate(sound, texts, xy):
    found = analysis.kramers_rate(quartic, noise=0.1, well=-1, barrier=0)
    figure = found.plot()
    sound(figure)
    assert "D = 0.1" in texts(figure)
    ratio, rate = xy(figure.axes[0].lines[0])
    np.testing.assert_allclose(rate, np.exp(-ratio) / (np.sqrt(2) * np.pi), rtol=1e-6)


def test_two_states_and_residence_times(sound, xy):
    pair = analysis.TwoState.of_potential(quartic, noise=0.1)
    assert len(pair.plot().axes) == 4
    found = pair.residence_times(0.1, 0.1)
    figure = found.plot()
    sound(figure)
    periods, density = xy(figure.axes[0].lines[0])
    assert np.trapezoid(density, periods) == pytest.approx(1, abs=0.01)


def test_self_induced_resonance(sound, xy):
    found = analysis.self_induced_resonance(0.001, noise=[0.1, 0.2])
    figure = found.plot()
    sound(figure)
    np.testing.assert_allclose(xy(figure.axes[1].lines[0])[1], found.cv)


def test_thresholds(sound, texts, xy):
    noise = np.geomspace(0.1, 5, 30)
    found = analysis.threshold_information(noise, threshold=1.5)
    figure = found.plot()
    sound(figure)
    assert "upper input" in texts(figure)
    assert xy(figure.axes[0].lines[1])[0][0] == found.best
    response = analysis.sampled_threshold_response(noise, threshold=1.0, amplitude=0.1, interval=1.0)
    figure = response.plot()
    np.testing.assert_allclose(xy(figure.axes[2].lines[0])[1], response.snr())
