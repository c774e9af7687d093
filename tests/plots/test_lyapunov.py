import numpy as np
import pytest

import neurodyn as nd
from neurodyn import analysis, plots
from neurodyn.analysis import LyapunovExponents


def found(count, level):
    rates = level - np.arange(count) + 0.1 * np.random.default_rng(0).normal(size=(200, 3, count))
    return LyapunovExponents(rates, count, 0.5)


def test_spectra_and_convergence(sound, texts, xy):
    results = {"chaotic": found(5, 0.3), "stable": found(50, -0.2)}
    results["stable"].rates[:, :, -1] = -np.inf
    figure = plots.lyapunov_exponents(results, time_units="ms")
    sound(figure)
    left, right = figure.axes
    assert {"chaotic", "stable", "nats per ms"} <= set(texts(figure))
    spectrum = xy(left.lines[0])
    np.testing.assert_allclose(spectrum[1], results["chaotic"].exponents[0])
    times, running = xy(right.lines[0])
    assert times[-1] == 100 and running[-1] == pytest.approx(results["chaotic"].largest[0])
    with pytest.raises(ValueError, match="results is empty"):
        plots.lyapunov_exponents({})


def knockout(**options):
    net = nd.PVRNN(
        [nd.Layer(d=4, z=1, tau=2)], output=nd.SymbolCoding(symbols=2), meta_prior=[0.1, 0.1, 0.01], seed=[1, 2, 3]
    )
    return analysis.noise_knockout(net, runs=2, steps=60, settle=20, longest=20, n=4, **options)


def test_without_noise(sound, texts, xy):
    made = knockout(machine=nd.tasks.FiniteState.cycle())
    figure = plots.noise_knockout(made)
    sound(figure)
    assert {"with noise", "without noise", "machine", "p(1|2)"} <= set(texts(figure))
    assert len(figure.axes) == 3
    w, share = xy(figure.axes[0].lines[0])
    np.testing.assert_array_equal(w, [0.1, 0.1, 0.01])
    np.testing.assert_allclose(share, made.periodic)


def test_without_a_machine_there_are_no_choices(sound, texts):
    figure = plots.noise_knockout(knockout())
    sound(figure)
    assert len(figure.axes) == 2 and "with noise" not in texts(figure)


def test_a_single_result_needs_no_name(sound, xy):
    made = found(2, 0.1)
    figure = LyapunovExponents(made.rates, 2, 0.5, every=4).plot(time_units="tau")
    sound(figure)
    assert not figure.legends and xy(figure.axes[1].lines[0])[0][-1] == 400


def test_gain_sweep(sound, texts, xy):
    gains, rng = np.array([0.5, 1.0, 2.0]), np.random.default_rng(0)
    largest = (gains - 1)[:, None] + 0.1 * rng.normal(size=(3, 4))
    sweep = analysis.GainSweep(gains, largest, 0.01 + 0 * largest, largest + 0.1, 100)
    figure = sweep.plot()
    sound(figure)
    assert "100 units" in texts(figure) and "largest exponent, mean of 4 networks" in texts(figure)
    lines = {line.get_label(): xy(line) for line in figure.axes[0].lines}
    np.testing.assert_allclose(lines["largest exponent, mean of 4 networks"][1], largest.mean(1))
