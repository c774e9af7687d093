import h5py
import numpy as np
import pytest

from neurodyn import analysis, plots
from neurodyn.analysis import GPFAResult, NullTest


def activity(trials=12, steps=60, units=10, seed=0):
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 2 * np.pi, steps)
    hidden = np.stack([np.sin(phase), np.cos(phase), np.sin(2 * phase)], 1) * [3, 2, 1]
    return hidden @ rng.normal(size=(3, units)) + rng.normal(size=(trials, steps, units))


def test_principal_components(sound, texts, xy, tmp_path):
    x = activity()
    found, null = analysis.pca(x, 5), analysis.pca_null(x, 5, samples=10)
    figure = found.plot(null=null)
    sound(figure)
    left, right = figure.axes
    np.testing.assert_allclose(xy(left.lines[0])[1], 100 * found.explained_ratio)
    np.testing.assert_allclose(xy(left.lines[1])[1], 50 * (null.low + null.high))
    np.testing.assert_allclose(xy(right.lines[0])[0], found.scores[0, :, 0])
    assert "independent units, 5 to 95 %" in texts(figure)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kept = analysis.pca(file.create_dataset("x", data=x), 2)
    alone = plots.pca(kept)
    sound(alone)
    assert "scores stay in their file" in texts(alone) and not right.texts[1:]
    sound(analysis.pca(x, 1).plot())


def test_factors(sound, texts, xy):
    found = analysis.factor_analysis(activity(), range(5), samples=5)
    figure = found.plot()
    sound(figure)
    assert f"chosen: {found.factors}" in texts(figure) and f"d_shared = {found.d_shared}" in texts(figure)
    gain = found.likelihoods - found.likelihoods.mean(axis=0)[0]
    np.testing.assert_allclose(xy(figure.axes[0].lines[5])[1], gain.mean(axis=0))
    sound(analysis.factor_analysis(np.random.default_rng(0).normal(size=(300, 6)), [0], samples=3).plot())


def test_smooth_trajectories(sound, texts, xy):
    rng = np.random.default_rng(0)
    time = np.arange(10.0, 400, 20)
    made = GPFAResult(
        rng.normal(size=(6, 20, 3)),
        np.eye(8)[:, :3],
        np.arange(8),
        time,
        np.array([50.0, 90, 20]),
        NullTest(-9.0, -9.5 - np.arange(3)),
    )
    figure = made.plot()
    sound(figure)
    assert len(figure.axes) == 3 and "Factor 3" in texts(figure)
    np.testing.assert_allclose(xy(figure.axes[1].lines[-1])[1], made.trajectories[:, :, 1].mean(axis=0))


@pytest.mark.parametrize("log", [False, True])
def test_courses(sound, texts, xy, log):
    found = analysis.dimension_course(activity(), 10, dt=2, samples=10)
    figure = found.plot(log=log)
    sound(figure)
    assert "95 %, bootstrap over trials" in texts(figure) and "time (ms)" in texts(figure)
    np.testing.assert_allclose(xy(figure.axes[0].lines[-1])[1], found.ratio)
    stages = [[activity(seed=s)[0] * k for s in range(3)] for k in (1, 2)]
    trained = analysis.training_dimension(stages, [0, 50], place="trials", samples=5)
    figure = trained.plot(log=log)
    sound(figure)
    assert "95 %, bootstrap over networks" in texts(figure) and len(figure.axes[0].lines) == 4
