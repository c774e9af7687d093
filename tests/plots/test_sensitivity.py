import numpy as np

from neurodyn import analysis, plots


def test_spread_from_both_places(hand_made, sound, texts, xy):
    found = analysis.noise_sensitivity(hand_made.clock(30, noise=1e-3), pairs=5, rollouts=20, paths=3, length=200)
    figure = plots.noise_sensitivity(found)
    sound(figure)
    left, middle, right = figure.axes
    for place in range(2):
        assert np.allclose(xy(left.lines[place])[1], np.median(found.trace[place, :, 1], axis=0))
    points = np.concatenate([c.get_offsets() for c in middle.collections if len(c.get_offsets()) == 5])  # type: ignore
    assert np.allclose(np.asarray(points)[:, 1], found.ratio.T.ravel())
    assert np.allclose(xy(right.lines[0])[1], found.course_ratio)
    assert {"from a cluster", "from a transition", "trace, transition / cluster"} <= set(texts(figure))
