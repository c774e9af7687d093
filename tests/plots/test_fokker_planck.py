import numpy as np
import pytest

from neurodyn.analysis import FokkerPlanck


@pytest.fixture(scope="module")
def well():
    return FokkerPlanck(lambda x: x**4 / 4 - x**2 / 2, noise=0.1)


def test_solution(well, sound, texts, xy):
    figure = well.plot()
    sound(figure)
    assert {"V / D", "density (per unit of x)", "Noise in a potential, D = 0.1"} <= set(texts(figure))
    places, rates = xy(figure.axes[1].lines[0])
    np.testing.assert_allclose(rates, well.relaxation(8).rates[1:])
    w, eta = xy(figure.axes[2].lines[0])
    np.testing.assert_allclose(eta, well.response(w).amplification)


def test_modes(well, sound, texts, xy):
    figure = well.relaxation(4).plot()
    sound(figure)
    assert {"1: rate 0.0335", "3: rate 1.68"} <= set(texts(figure))
    x, mode = xy(figure.axes[0].lines[0])
    assert x.min() > -2.5 and mode[0] == pytest.approx(-mode[-1], rel=1e-6)


def test_linear_response(well, sound, xy):
    found = well.response(np.geomspace(0.01, 10, 20))
    figure = found.plot()
    sound(figure)
    np.testing.assert_allclose(xy(figure.axes[3].lines[0])[1], found.snr())
    alone = well.response(0.1).plot()
    assert xy(alone.axes[1].lines[0])[1].shape == (1,)


def test_periodic_response(well, sound, texts, xy):
    found = well.periodic_response(0.2, 0.1)
    figure = found.plot()
    sound(figure)
    assert "mean by linear response" in texts(figure)
    periods, mean = xy(figure.axes[0].lines[0])
    np.testing.assert_allclose(mean, found.course(2 * np.pi * periods))
    numbers, sizes = xy(figure.axes[1].lines[0])
    assert numbers[0] == 1 and (numbers % 2 == 1).all()  # a symmetric well has odd harmonics alone
    np.testing.assert_allclose(sizes[0], abs(found.harmonics[0]))
