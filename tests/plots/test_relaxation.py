import numpy as np

from neurodyn import analysis, plots


def test_every_start_is_a_line(hand_made, sound, texts, xy):
    found = analysis.noise_free(hand_made.bistable(), starts=12, steps=100)
    figure = plots.noise_free(found)
    sound(figure)
    ax = figure.axes[0]
    assert all(np.allclose(xy(line)[1], found.norm[:, k]) for k, line in enumerate(ax.lines))
    assert len({line.get_color() for line in ax.lines}) == 2 and ax.get_yscale() == "log"
    assert any("12 of 12 starts settle in 2 fixed points" in text for text in texts(figure))


def test_what_does_not_settle_is_grey(hand_made, sound, texts):
    figure = plots.noise_free(analysis.noise_free(hand_made.clock(10), starts=3, steps=20))
    sound(figure)
    assert {line.get_color() for line in figure.axes[0].lines} == {"#707070"}
    assert any("0 of 3 starts settle in 0 fixed points" in text for text in texts(figure))


def test_size_and_its_ratio(hand_made, sound, texts, xy):
    for net, words in ((hand_made.ring(), "constant by construction"), (hand_made.bistable(), "a finding")):
        found = analysis.size_against_noise(net, (2, 0.5, 1), paths=3, steps=100)
        figure = plots.size_against_noise(found)
        sound(figure)
        assert any(words in text for text in texts(figure))
        levels, ratio = xy(figure.axes[1].lines[0])
        assert levels.tolist() == [0.5, 1, 2] and np.allclose(ratio, found.ratio[[1, 2, 0]])
