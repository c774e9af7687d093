import numpy as np
import pytest

from neurodyn import analysis, plots


def test_a_switch_and_the_means_around_it(hand_made, sound, texts, xy):
    found = analysis.switch_spectra(hand_made.ring(units=6, gain=1.1), window=4, switches=8, paths=2, steps=60)
    figure = plots.switch_spectra(found, switch=3)
    sound(figure)
    logits, _, _, unstable, critical, radius = figure.axes[:6]
    assert np.array_equal(xy(logits.lines[1])[1], found.logits[3, :, 1])
    for ax, rows in ((unstable, found.unstable), (critical, found.near_critical)):
        assert np.allclose(xy(ax.lines[0])[1], rows.mean(axis=0))
    assert np.allclose(xy(radius.lines[0])[1], np.abs(found.eigenvalues[..., 0]).mean(axis=0))
    assert {"One switch: logits", "without noise in the gate", "Unstable, |λ| > 1, 8 switches"} <= set(texts(figure))


def test_a_switch_that_is_not_there(hand_made):
    found = analysis.switch_spectra(hand_made.ring(), window=2, switches=2, paths=1, steps=60)
    with pytest.raises(ValueError, match="switch = 2: there are 2, counted from 0"):
        plots.switch_spectra(found, switch=2)
