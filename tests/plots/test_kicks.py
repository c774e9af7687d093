from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from neurodyn import plots
from neurodyn.analysis import KickConnectivity, KickInterventions, KickNeurons, NullTest, SignTest, binomial_interval

RNG = np.random.default_rng(0)


def kicks(pairs=((0, 2), (2, 0)), units=12, each=3):
    """Units that open between clusters, ``each`` for a direction, among others that stay as they are."""
    count = len(pairs)
    profile = np.repeat(RNG.normal(size=(count, 1, units)), 4, axis=1)
    passes = np.zeros((count, units), dtype=bool)
    for d in range(count):
        passes[d, d * each : (d + 1) * each] = True
        profile[d, :, passes[d]] = [-1, 0, 1, -0.5]
    overlap = passes.astype(int) @ passes.T
    null = np.zeros((19, count))
    return KickNeurons(
        directions=tuple(pairs),
        states=np.full((count, 4), 20),
        profile=profile,
        opening=1 / (1 + np.exp(-profile)),
        sd=np.r_[0.0, np.full(units - 1, 2.0)],
        score=np.ones((count, units)),
        passes=passes,
        arriving=np.ones(count, dtype=int),
        groups=tuple(np.flatnonzero(row)[:2] for row in passes),
        passing=NullTest(passes.sum(axis=1).astype(float), null),
        overlap=overlap,
        overlap_p=np.ones((count, count)),
        skipped=(),
        activity=np.ones(units),
    )


def test_course_of_the_kick_neurons(sound, texts, xy):
    found = kicks()
    figure = plots.kick_neurons(found)
    sound(figure)
    upper, _, lower, _ = figure.axes
    orange = [line for line in upper.lines if line.get_marker() in ("o", "s")]
    # Unit 0 has no spread to measure its input by.
    assert np.isnan(xy(orange[0])[1]).all() and xy(orange[1])[1].tolist() == [-0.5, 0, 0.5, -0.25]
    opened = [line for line in lower.lines if line.get_marker() in ("o", "s")]
    assert np.allclose(xy(opened[0])[1], found.opening[0, :, 0])
    # All 12 units once, and the line at zero.
    assert len(upper.lines) == 13 and len(lower.lines) == 12
    shown = texts(figure)
    assert "0 → 2: 3 pass\n(chance gives 0, p = 0.05)" in shown and "units 0, 1" in shown
    assert "mean input (SD)" in shown and "source\ncluster" in shown


def test_six_directions_stand_in_two_rows(sound, texts):
    pairs = tuple((s, t) for s in range(3) for t in range(3) if s != t)
    figure = plots.kick_neurons(kicks(pairs, units=20))
    sound(figure)
    assert sum(" → " in text for text in texts(figure)) == 6


def connectivity(p_first=0.01):
    def test(expected, mean, low, high):
        values = np.full(8, mean)
        null = NullTest(mean, np.linspace(low, high, 99), "greater" if expected > 0 else "less")
        return SignTest(expected, values, binomial_interval(6, 8), p_first, null)

    kinds: dict[str, SignTest] = {
        "within kick groups": test(1, 0.3, -0.1, 0.1),
        "between kick groups": test(-1, 0.05, -0.1, 0.1),
        "own population to kick": SignTest(1, np.zeros(0), None, np.nan, None),
        "other population to kick": test(-1, -0.2, -0.1, 0.1),
    }
    groups = (np.arange(3), np.arange(3, 6))
    populations = (np.arange(6, 11), np.zeros(0, dtype=int))
    order = np.arange(11)
    return KickConnectivity(
        ((0, 2), (2, 0)), groups, populations, np.zeros((2, 20)), order, RNG.normal(size=(11, 11)), kinds
    )


def test_weights_sorted_by_group_and_their_means(sound, texts, xy):
    found = connectivity()
    figure = plots.kick_connectivity(found)
    sound(figure)
    left, right = figure.axes[:2]
    drawn: Any = left.images[0].get_array()
    assert np.array_equal(drawn, found.matrix)
    assert [t.get_text() for t in left.get_yticklabels()] == ["K 0→2", "K 2→0", "P 0→2"]
    assert left.get_yticks().tolist() == [1, 4, 8]
    boxes = [t.get_window_extent() for t in right.get_xticklabels() if t.get_text() and t.get_visible()]
    assert len(boxes) >= 3 and all(a.x1 < b.x0 for a, b in zip(boxes, boxes[1:], strict=False))
    dots = [line for line in right.lines if line.get_marker() == "o"]
    assert [(float(xy(d)[0][0]), float(xy(d)[1][0])) for d in dots] == [(0.3, 0), (0.05, 1), (-0.2, 3)]
    colours = [to_rgba(d.get_color()) for d in dots]
    green, black = to_rgba(plots.OKABE_ITO["green"]), to_rgba("black")
    assert colours == [green, black, green]
    shown = texts(figure)
    assert "within kick groups (+)\n6/8, p = 0.01" in shown and "own population to kick (+)\nnone" in shown


def interventions(directions=((0, 2), (2, 0)), measured=True):
    count = len(directions)
    mu, sizes = np.array([1.0, 0.0, 2.0]), (3, 6)
    rates = np.full((2, count, 2, 3, 11, count), 0.02)
    rates[:, :, :, 1, 0] = 0.01
    rates[:, :, :, 1, 1:] = np.linspace(0.015, 0.025, 10)[:, None]
    rates[:, 1:, 1] = np.nan
    pairs = np.full(rates.shape[:-1], np.nan)
    if measured:
        pairs[:, :, 0, 1] = np.linspace(0.1, 0.2, 11)
    members = tuple((np.arange(3), np.arange(6) if d == 0 else np.zeros(0, dtype=int)) for d in range(count))
    return KickInterventions(
        directions,
        sizes,
        mu,
        members,
        np.full(count, 0.02),
        rates,
        0.2,
        pairs,
        np.zeros(pairs.shape),
        np.ones((2, count, 2, 11)),
    )


def test_leave_rates_beside_random_sets(sound, texts, xy):
    figure = plots.kick_interventions(interventions())
    sound(figure)
    first = figure.axes[0]
    lines = [xy(line) for line in first.lines if line.get_marker() in ("o", "s")]
    assert len(lines) == 2 and lines[0][0].tolist() == [0, 1, 2] and lines[0][1].tolist() == [0.5, 1, 1]
    band: Any = first.collections[0].get_paths()[0].vertices
    at_zero = band[band[:, 0] == 0, 1]
    assert at_zero.min() == pytest.approx(0.775, abs=0.01) and at_zero.max() == pytest.approx(1.225, abs=0.01)
    # The other direction has no six kick neurons.
    assert len([1 for line in figure.axes[3].lines if line.get_marker() in ("o", "s")]) == 1
    dots = [xy(line)[1][0] for line in figure.axes[2].lines if line.get_marker() == "o"]
    assert dots == pytest.approx([0.5, 0.5])
    shown = texts(figure)
    assert "Kick neurons, 0 → 2" in shown and "factor μ on noise" in shown and "6 kick neurons" in shown
    assert any("0 → 2: 0.02, 2 → 0: 0.02" in text.replace("\n", " ") for text in shown)


def test_pairs_that_were_not_measured_are_said(texts):
    assert "not measured" in texts(plots.kick_interventions(interventions(((0, 1),), measured=False)))
