import numpy as np
import pytest

from neurodyn import analysis


def trains(count=5, intervals=300):
    rng = np.random.default_rng(0)
    return [np.cumsum(rng.gamma(16, 0.5, intervals)) for _ in range(count)]


def test_events(sound, texts, xy):
    found = analysis.event_regularity(trains())
    figure = found.plot()
    sound(figure)
    assert {"1495 intervals of 5 trains", "Poisson", "interval (ms)"} <= set(texts(figure))
    assert xy(figure.axes[1].lines[0])[0][0] == found.cv
    with pytest.raises(ValueError, match="at least 10"):
        analysis.event_regularity([1.0, 2.0]).plot()


def test_phases(sound, texts):
    rng = np.random.default_rng(1)
    locked = [np.sort(10.0 * np.arange(100) + rng.normal(0, 1, 100)) for _ in range(5)]
    found = analysis.phase_locking(locked, frequency=0.1)
    figure = found.plot()
    sound(figure)
    assert {"uniform", "phase difference", f"1:1 index {found.index:.3g}"} <= set(texts(figure))


def oscillation(pole):
    rng = np.random.default_rng(2)
    x = np.zeros((8000, 4), complex)
    drawn = rng.normal(size=(8000, 4, 2)) @ [1, 1j]
    for k in range(1, len(x)):
        x[k] = pole * x[k - 1] + drawn[k]
    return np.real(x)


def test_correlation_time(sound, texts, xy):
    found = analysis.correlation_time(oscillation(np.exp(-0.02 + 0.2j)), dt=0.1, longest=30.0)
    figure = found.plot()
    sound(figure)
    assert {"autocorrelation", "its square", f"{found.value:.3g} ms"} <= set(texts(figure))
    np.testing.assert_array_equal(xy(figure.axes[0].lines[0])[1], found.correlation)


def test_peaks(sound, texts, xy):
    found = analysis.spectral_peak(oscillation(np.exp(-0.02 + 0.2j)), dt=0.1, segment=100.0)
    figure = found.plot()
    sound(figure)
    assert {"red noise", "width at half height"} <= set(texts(figure))
    ends = xy(figure.axes[0].lines[2])
    assert np.ptp(ends[0]) == pytest.approx(found.width) and ends[1][0] == found.height / 2
    none = analysis.spectral_peak(oscillation(0.95), dt=0.1, segment=100.0).plot()
    sound(none)
    assert "no width" in texts(none)
