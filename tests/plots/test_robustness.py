from typing import Any

import numpy as np
import pytest

from neurodyn import plots
from neurodyn.training.robustness import Ablation, Perturbation

NUMBER: Any = 1.0
SIZES = np.array([0.0, 0.01, 0.1, 1.0, 10.0])


def silenced(fast, slow, noise=0.02, seed=1):
    """Three fast and three slow units, of the given mean accuracies; the intact network is right in 0.98."""
    rng = np.random.default_rng(seed)
    accuracy = np.repeat([fast, slow], 3)[:, None] + rng.normal(0, noise, (6, 4))
    return Ablation(np.arange(6), np.linspace(1, 5, 6), accuracy, np.array([0.97, 0.98]), 3)


def perturbed(levels, what="recurrent", directions=6, sizes=SIZES):
    spread = np.linspace(-0.02, 0.02, directions)
    return Perturbation(what, sizes, np.array([0.98, *levels])[:, None] + spread)


def test_units_are_points_of_one_network(sound, texts, xy):
    results = {"single-head": silenced(0.9, 0.7), "multi-head": silenced(0.85, 0.98)}
    figure = plots.ablated_units(results, published={"multi-head": (0.786, 0.992)})
    sound(figure)
    ax = figure.axes[0]
    means = [value for a in results.values() for value in (a.relative_fast, a.relative_slow)]
    assert np.allclose([patch.get_height() for patch in ax.patches], means)  # type: ignore[attr-defined]
    points = [xy(line)[1] for line in ax.lines if line.get_marker() == "o"]
    assert np.allclose(np.concatenate(points), np.concatenate([a.relative for a in results.values()]))
    place, published = next(xy(line) for line in ax.lines if line.get_marker() == "D")
    assert published.tolist() == [0.786, 0.992] and np.allclose(place, [2.38, 3.38])
    found = texts(figure)
    assert {"One unit silenced\n(mean ± SD, 3 units)", "relative accuracy", "published", "intact network = 1"} <= set(
        found
    )
    assert {"single-head,\nfast", "multi-head,\nslow"} <= set(found)


def test_networks_are_points_of_several(sound, texts, xy):
    several = [silenced(0.9, 0.7, seed=s) for s in range(3)]
    figure = plots.ablated_units({"single-head": several, "multi-head": silenced(0.85, 0.98)})
    sound(figure)
    points = [xy(line)[1].tolist() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert points[1] == [a.relative_slow for a in several] and [len(row) for row in points] == [3, 3, 1, 1]
    assert "One unit silenced\n(mean ± SD, 1 to 3 networks)" in texts(figure)


def test_accuracy_falls_with_the_size_of_the_perturbation(sound, texts, xy):
    one, other = perturbed([0.98, 0.9, 0.52, 0.5]), perturbed([0.98, 0.97, 0.8, 0.5])
    figure = plots.perturbation({"single-head": one, "multi-head": other})
    sound(figure)
    ax = figure.axes[0]
    lines = [xy(line) for line in ax.lines if line.get_marker() == "o" and len(xy(line)[0])]
    for (x, y), result in zip(lines, (one, other), strict=True):
        assert np.array_equal(x, SIZES[1:]) and np.allclose(y, result.relative[1:])
    halves = [xy(line) for line in ax.lines if line.get_marker() == "D"]
    assert [x[0] for x, _ in halves] == [one.half, other.half] and ax.get_xscale() == "log"
    found = texts(figure)
    assert f"single-head\nhalf at {one.half:.2g}" in found
    assert {"mean ± SD over 6 directions", "Random perturbation of the weights", "relative accuracy"} <= set(found)


def test_several_networks_and_one_that_never_halves(sound, texts):
    robust = perturbed([0.98, 0.98, 0.97, 0.95], "tau")
    weak = perturbed([0.98, 0.8, 0.5, 0.5], "tau")
    figure = plots.perturbation({"a": [weak, robust], "b": [robust] * 2})
    sound(figure)
    found = texts(figure)
    assert {f"a\nhalf at {weak.half:.2g} (median, 1 of 2)", "b\nhalf lies outside these sizes"} <= set(found)
    assert "mean ± SD over 6 directions\nof 2 networks" in found
    # Half may also be lost before the smallest size.
    assert "c\nhalf lies outside these sizes" in texts(plots.perturbation({"c": perturbed([0.6, 0.5, 0.5, 0.5])}))
    assert "norm of the perturbation / norm of the time constants" in found


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plots.ablated_units({}), "results is empty"),
        (lambda: plots.ablated_units({"a": []}), r"results\['a'\] is empty"),
        (lambda: plots.ablated_units({"a": [NUMBER]}), r"results\['a'\] holds 1.0; give Ablation"),
        (lambda: plots.ablated_units({"a": silenced(0.9, 0.7)}, published={"b": (1, 1)}), "published has 'b'; the"),
        (lambda: plots.perturbation({}), "results is empty"),
        (lambda: plots.perturbation({"a": NUMBER}), r"results\['a'\] holds 1.0; give Perturbation"),
        (
            lambda: plots.perturbation({"a": perturbed([0.9] * 4), "b": perturbed([0.9] * 4, "tau")}),
            "perturb recurrent and tau",
        ),
        (
            lambda: plots.perturbation({"a": [perturbed([0.9] * 4), perturbed([0.9] * 3, sizes=SIZES[:4])]}),
            r"results\['a'\] have different sizes",
        ),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
