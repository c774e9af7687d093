import numpy as np

from neurodyn import analysis


def test_planes_and_control(sound, texts, xy):
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.normal(size=(5, 40, 12)), axis=1)
    found = analysis.jpca(x, dt=10, components=4, samples=20)
    figure = found.plot()
    sound(figure)
    assert "tensor control" in texts(figure) and f"p = {found.r2.p:.2g}" in texts(figure)
    np.testing.assert_allclose(xy(figure.axes[1].lines[0])[1], found.projections[1, 0, :, 1])
