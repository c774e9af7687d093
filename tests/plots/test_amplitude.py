import numpy as np
import pytest

from neurodyn import plots

P = np.linspace(0, 1, 11)
NOISE = np.random.default_rng(0).normal(0, 0.02, (3, 11))


def test_points_means_identity_and_correlations(sound, texts, xy):
    figure = plots.amplitude_against_probability(P, P + NOISE, 0.856 * P + NOISE, 0.856 * (1 - P) + NOISE, ideal=0.856)
    sound(figure)
    left, right = figure.axes
    assert len(left.lines) == 1 + 3 + 1
    assert len(right.lines) == 2 + 2 * (3 + 1)
    identity = xy(left.lines[0])
    assert (identity[0] == identity[1]).all()
    assert xy(right.lines[0])[1].tolist() == [0, 0.856]
    r = np.mean([np.corrcoef(P, row)[0, 1] for row in P + NOISE])
    found = texts(figure)
    assert f"q of A: r = {r:.3f}" in found
    assert any(text.startswith("B: r = \N{MINUS SIGN}0.99") for text in found)
    assert {"probability p of A", "Learned probability", "Amplitude around the latency", "a", "b"} <= set(found)
    assert "Points: seeds; lines: mean of 3 seeds." in found


def test_published_values_stand_in_the_caption(sound, texts):
    figure = plots.amplitude_against_probability(
        P,
        P,
        P,
        1 - P,
        names=("tone", "light"),
        reference={"tone": 0.978, "light": -0.989},
        source="Yamada and Chao 2026",
    )
    sound(figure)
    caption = next(text for text in texts(figure) if "Published" in text).replace("\n", " ")
    assert "tone 0.978, light \N{MINUS SIGN}0.989 (Yamada and Chao 2026)." in caption
    assert "one seed" in caption


def test_constant_amplitude_has_no_correlation(texts):
    figure = plots.amplitude_against_probability(P, P, np.zeros(11), 1 - P)
    assert "A: r undefined (constant)" in texts(figure)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"p": P * 2}, "p runs from 0 to 2"),
        ({"p": []}, "p is empty"),
        ({"q": P[:-1]}, "q has shape"),
        ({"a": P[:-1]}, "amplitude_a has shape"),
        ({"b": P[:-1]}, "amplitude_b has shape"),
        ({"reference": {"C": 1.0}}, r"reference names \['C'\]"),
    ],
)
def test_wrong_input_is_named(change, words):
    given = {"p": P, "q": P, "a": P, "b": 1 - P, **change}
    with pytest.raises(ValueError, match=words):
        plots.amplitude_against_probability(*[given.pop(k) for k in "pqab"], **given)
