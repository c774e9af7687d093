import numpy as np

from neurodyn import analysis, plots
from neurodyn.tasks import HiddenMarkov


def test_orbits_beside_a_target(hand_made, sound, texts, xy):
    found = analysis.driven_orbits(hand_made.ring(), target=HiddenMarkov.chain(2), paths=5, steps=100)
    figure = plots.driven_orbits(found)
    sound(figure)
    shown = texts(figure)
    assert {"Noise-driven path, 100 steps", "symbol 0 wins", "symbol 1 wins", "net turns in 100 steps"} <= set(shown)
    assert any("target's hidden state: mean 20, CV 0.97" in text for text in shown)
    path = figure.axes[0].lines[0]
    assert np.array_equal(np.stack(xy(path), axis=1), found.projected[0, :, :2])
    bars = [patch.get_height() for patch in figure.axes[1].patches]  # type: ignore[attr-defined]
    assert bars == sorted(found.turns)
    lengths, share = xy(figure.axes[2].lines[0])
    for k in (0, len(lengths) // 2):
        first = np.flatnonzero(lengths == lengths[k])[0]
        assert share[first] == np.mean(found.lengths >= lengths[k])


def test_a_network_that_never_switches(hand_made, sound, texts):
    figure = plots.driven_orbits(
        analysis.driven_orbits(hand_made.bistable(noise=1e-3), paths=2, steps=50, components=2)
    )
    sound(figure)
    assert any("network: mean nan" in text for text in texts(figure))


def test_readout_axes_in_their_plane(hand_made, sound, texts):
    found = analysis.readout_geometry(hand_made.ring(), samples=50)
    figure = plots.readout_geometry(found)
    sound(figure)
    bars = [patch.get_height() for patch in figure.axes[1].patches]  # type: ignore[attr-defined]
    assert np.allclose(bars, found.lengths.observed)
    assert {"along PC1", "along PC2", "length in the plane", "0", "1"} <= set(texts(figure))
