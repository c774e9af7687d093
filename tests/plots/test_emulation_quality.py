from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from neurodyn import analysis, plots
from neurodyn.tasks import HiddenMarkov

CHAIN = HiddenMarkov.chain(2)
WRONG: Any = {}


@pytest.fixture(scope="module")
def found():
    return analysis.emulation_quality(HiddenMarkov.chain(3).sample(80, 20, seed=1)[1], CHAIN, repeats=3)


@pytest.fixture(scope="module")
def figure(found):
    """Drawn once for all questions."""
    return plots.emulation(found)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def test_says_what_it_shows_and_covers_nothing(figure, sound):
    sound(figure)
    seen = set(words(figure))
    assert "80 sequences of 20 symbols beside a hidden Markov model of 2 states" in seen
    assert {"network", "model, closed form", "range of 3 sets of the model", "Aligned sequences (80)"} <= seen
    assert f"{CHAIN.symbol_transition[0, 0]:.3f}" in seen


def test_each_panel_shows_its_numbers(figure, found, xy):
    matrices = [np.asarray(ax.images[0].get_array()) for ax in figure.axes[:3]]
    assert np.array_equal(matrices[0], CHAIN.symbol_transition)
    assert np.array_equal(matrices[1], found.found.symbol_transition)
    assert np.allclose(matrices[2], matrices[1] - matrices[0])
    marginals = [np.asarray(points.lines[0].get_ydata()) for points in figure.axes[3].containers[:2]]
    assert np.array_equal(marginals, [CHAIN.marginal, found.found.marginal])
    changes = [xy(line)[1] for line in figure.axes[4].lines]
    shown = len(changes[0])
    assert np.array_equal(changes, [found.found.changes[:shown], found.expected.changes[:shown]])
    assert found.found.changes[shown:].sum() == 0
    distances, correlations = figure.axes[5], figure.axes[6]
    assert np.array_equal(xy(distances.lines[0])[1], found.found.word_distance) and distances.get_yscale() == "log"
    drawn = [xy(line)[1] for line in correlations.lines]
    assert np.array_equal(drawn[1], found.found.autocorrelation)
    assert np.array_equal(drawn[2], found.expected.autocorrelation)
    runs = xy(figure.axes[7].lines[0])[1]
    assert runs[:2] == pytest.approx([1, 1 - found.found.run_lengths[0]])
    shares, means = xy(figure.axes[8].lines[0])[1], [xy(line)[0][0] for line in figure.axes[8].lines[1:]]
    assert shares[-1] == 1 and (np.diff(shares) >= 0).all()
    assert means == [found["aligned distance"].floor_mean, found.alignment.mean]


def test_bands_span_the_floor(figure, found):
    band = np.asarray(figure.axes[6].collections[0].get_paths()[0].vertices)
    floor = np.array([s.autocorrelation[5] for s in found.floor])
    at_5 = band[band[:, 0] == 5][:, 1]
    assert at_5.min() == floor.min() and at_5.max() == floor.max()


def test_names_and_title_are_the_users(found):
    seen = words(plots.emulation(found, name="chain of 3", title="Wrong chain"))
    assert {"chain of 3", "Wrong chain"} <= set(seen)


def test_many_symbols_have_bars_of_colour():
    rng = np.random.default_rng(0)
    model = HiddenMarkov(rng.dirichlet(np.ones(4), size=4), rng.dirichlet(np.ones(12), size=4))
    figure = plots.emulation(analysis.emulation_quality(model.sample(20, 9, seed=1)[1], model, repeats=2))
    assert [ax.get_xlabel() for ax in figure.axes[9:]] == ["probability", "probability", "difference"]


def test_what_is_undefined_is_said():
    seen = words(plots.emulation(analysis.emulation_quality(np.zeros((20, 9), int), CHAIN, repeats=2)))
    assert seen.count("undefined for\nthese sequences") == 2
    assert seen.count("–") == 12  # after 1 and 2, of the sequences and of the difference


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="found is a dict: give what analysis.emulation_quality"):
        plots.emulation(WRONG)
