import numpy as np
import pytest

from neurodyn import analysis, plots

DT, F = 0.1, 0.05


def driven(paths=20, samples=6400):
    noise = np.random.default_rng(0).normal(size=(samples, paths)).cumsum(axis=0)
    noise[50:] -= noise[:-50].copy()
    return noise / 7 + 0.7 * np.cos(2 * np.pi * F * DT * np.arange(samples) - 0.8)[:, None]


def test_amplification(sound, texts, xy):
    found = analysis.spectral_amplification(driven(), dt=DT, frequency=F, amplitude=0.5)
    figure = found.plot()
    sound(figure)
    left, right = figure.axes
    assert f"{found.lag:.2f} rad behind the drive" in texts(figure)
    x, y = xy(left.lines[2])
    np.testing.assert_allclose(x + 1j * y, found.phasors)
    assert xy(right.lines[0])[0][0] == found.eta


def test_snr(sound, texts, xy):
    found = analysis.output_snr(driven(), dt=DT, frequency=F)
    figure = found.plot()
    sound(figure)
    left, right = figure.axes
    assert {"line", "neighbours", "floor at the line"} <= set(texts(figure))
    line = xy(right.lines[2])
    assert line[0][0] == pytest.approx(F) and line[1][0] == found.density[32]
    assert set(xy(right.lines[3])[1]) == {found.floor}


def telegraph(up, down, paths=10, samples=20000):
    rng = np.random.default_rng(1)
    up, down = np.broadcast_to(up, samples), np.broadcast_to(down, samples)
    x = np.zeros((samples, paths), int)
    for k in range(1, samples):
        x[k] = x[k - 1] ^ (rng.random(paths) < DT * np.where(x[k - 1], down[k], up[k]))
    return x


def test_residence_times(sound, texts, xy):
    turn = np.exp(2.0 * np.cos(2 * np.pi * DT * np.arange(20000) / 40))
    x = telegraph(0.02 * turn, 0.02 / turn)
    found = analysis.residence_times(x, dt=DT, low=0.2, high=0.8, frequency=1 / 40)
    figure = found.plot()
    sound(figure)
    assert f"{found.peaks[0]:.2f}" in texts(figure)
    low, high = (xy(figure.axes[0].lines[k]) for k in (0, 2))
    assert np.trapezoid(low[1] + high[1], low[0]) == pytest.approx(1, abs=0.05)


def test_residence_times_without_any():
    found = analysis.residence_times(np.repeat([0.0, 1.0], 50), dt=DT, low=0.2, high=0.8)
    with pytest.raises(ValueError, match="no complete residence"):
        found.plot()


NOISE = np.geomspace(0.05, 0.5, 9)
PEAK = 10 * np.exp(-(np.log(NOISE / 0.15) ** 2) / 0.5)


def curve(height, **options):
    values = height * PEAK[:, None] + np.random.default_rng(2).normal(size=(9, 12))
    return analysis.resonance_curve(NOISE, values, name="SNR (1/ms)", **options)


def test_curves_say_whether_there_is_a_resonance(sound, texts, xy):
    results = {
        "driven": curve(1, control=np.random.default_rng(3).normal(size=(9, 12))),
        "undriven": curve(0),
    }
    figure = plots.resonance_curve(results, theory={"two states": (NOISE, PEAK), "exact": (NOISE, 0.9 * PEAK)})
    sound(figure)
    shown = set(texts(figure))
    assert {"driven, resonance", "undriven, no resonance shown", "control", "two states", "exact"} <= shown
    assert {"noise D", "SNR (1/ms)", "Mean of 12 networks, 95% band"} <= shown
    mean = xy(figure.axes[0].lines[12])
    np.testing.assert_array_equal(mean[1], results["driven"].mean)


def test_one_curve_with_one_theory(sound, texts):
    figure = curve(1).plot(theory=(NOISE, PEAK), units="mV²/ms", ylabel="output SNR (1/ms)", title="A resonance")
    sound(figure)
    assert {"noise D (mV²/ms)", "output SNR (1/ms)", "mean, resonance", "theory", "A resonance"} <= set(texts(figure))


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="results is empty"):
        plots.resonance_curve({})
    with pytest.raises(ValueError, match="theory"):
        curve(1).plot(theory=(NOISE, PEAK[:3]))
