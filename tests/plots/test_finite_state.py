import numpy as np
import pytest

from neurodyn import plots
from neurodyn.analysis import branch_probabilities, word_divergence
from neurodyn.tasks import FiniteState

CYCLE = FiniteState.cycle()
SURE = FiniteState.cycle(0.98)


def words(machine, seed, n=9):
    return word_divergence(machine.sample(2, 400, seed=seed)[1], CYCLE, n=n, repeats=3)


def test_divergence_of_words(sound, texts, xy):
    results = {"faithful": [words(CYCLE, 1), words(CYCLE, 2)], "too sure of the likelier symbol": words(SURE, 1)}
    figure = plots.word_divergence(results)
    sound(figure)
    left, right = figure.axes
    shown = texts(figure)
    assert {"KL(reference || generated)", "never generated", "Words of 9 symbols", "faithful"} <= set(shown)
    found = results["faithful"]
    points = [xy(line)[1] for line in left.lines]
    assert any(np.array_equal(y, [f.divergence for f in found]) for y in points)
    assert any(np.allclose(y, np.sqrt(found[0].reverse * found[1].reverse)) for y in points)
    # The words of the second condition: some shares, and crosses for those that never came.
    sure = results["too sure of the likelier symbol"]
    crosses = [xy(line)[0] for line in right.lines if line.get_marker() == "x"]
    assert len(crosses[-1]) == ((sure.generated == 0) & (sure.reference > 0)).sum() > 0
    shares = [xy(line)[1] for line in right.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(
        np.sort(shares[-1]), np.sort(sure.generated[(sure.reference > 0) & (sure.generated > 0)])
    )


def test_divergence_from_other_sequences_has_no_floor(sound):
    found = word_divergence([0, 1, 0, 0, 1, 1], [0, 1, 1, 0], n=2)
    figure = plots.word_divergence({"one": found})
    sound(figure)
    assert not figure.axes[0].collections
    with pytest.raises(ValueError, match=r"results have words of \[2, 9\] symbols"):
        plots.word_divergence({"one": found, "other": words(CYCLE, 1)})


def test_choices_with_their_intervals(sound, texts, xy):
    results = {
        "faithful": [branch_probabilities(CYCLE.sample(1, 300, seed=s)[1], CYCLE) for s in (1, 2)],
        "too sure": branch_probabilities(SURE.sample(1, 300, seed=1)[1], CYCLE),
    }
    figure = plots.branch_probabilities(results)
    sound(figure)
    assert {"state 2:\nsymbol 1", "machine", "faithful", "95% intervals"} <= set(texts(figure))
    drawn = [xy(line)[1] for line in figure.axes[0].lines]
    for found in (*results["faithful"], results["too sure"]):
        assert any(np.array_equal(y, found.share) for y in drawn)
    assert any(np.array_equal(y, [0.7, 0.7]) for y in drawn)
    other = branch_probabilities([0, 1, 0], FiniteState([(0, 0, 0, 0.5), (0, 0, 1, 0.5)]))
    with pytest.raises(ValueError, match=r"results\['b'\] has other choices"):
        plots.branch_probabilities({"a": results["too sure"], "b": other})
