import numpy as np

from neurodyn import analysis, plots


def test_unit_timescales(sound, texts):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 8))
    for k in range(1, len(x)):
        x[k] += 0.9 * x[k - 1]
    x[:, 7] = 1.0  # constant: no timescale
    found = analysis.network_timescales(x)
    figure = plots.unit_timescales(found, analysis.ar1_null(found, samples=5), dt=2.0, time_units="ms")
    sound(figure)
    assert "7 units" in texts(figure) and "timescale (ms)" in texts(figure)
    assert figure.axes[2].lines[0].get_xdata()[0] == 2 * found.summary()["median"]  # type: ignore[index]
