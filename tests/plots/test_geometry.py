import numpy as np
import pytest

from neurodyn import plots

P = np.repeat([0.2, 0.5, 0.8], 3)
LATENCY = ["120/270", "180/330", "240/390"] * 3
SCORES = np.random.default_rng(0).normal(size=(9, 3))
NULLS = {"shuffle": np.linspace(80, 90, 101), "Gaussian": np.linspace(84, 90, 101)}


def test_conditions_by_colour_and_marker_and_angles_beside_nulls(sound, texts):
    figure = plots.weight_geometry(
        SCORES,
        P,
        LATENCY,
        [86.0, 88.0],
        NULLS,
        explained=(0.52, 0.22),
        correlations={"r(PC1, p)": -0.5},
        note="Scaled.",
    )
    sound(figure)
    plane, angles, bar = figure.axes
    scatters = plane.collections
    assert [len(np.asarray(s.get_offsets())) for s in scatters] == [3, 3, 3]
    first = np.asarray(scatters[0].get_offsets())
    assert np.allclose(first, SCORES[[0, 3, 6], :2])
    assert np.asarray(scatters[0].get_array()).tolist() == [0.2, 0.5, 0.8]
    assert bar.get_ylabel() == "probability p"
    assert [float(np.asarray(line.get_xdata())[0]) for line in angles.lines] == [86, 88]
    found = texts(figure)
    assert {"PC1 (a.u., 52 % of variance)", "PC2 (a.u., 22 % of variance)", "density (1/°)"} <= set(found)
    assert {"smallest what/when angle (°)", "latency (ms)", *LATENCY} <= set(found)
    assert "shuffle null, 101 draws:\n31 % ≥ observed" in found  # 87 to 90 of 80 to 90
    assert "observed, 87.0° (mean of 2)" in found
    assert "r(PC1, p) = \N{MINUS SIGN}0.50. Scaled." in found


def test_numbers_as_latencies_and_a_single_angle(sound, texts):
    figure = plots.weight_geometry(SCORES, P, [150.0] * 9, 85.0, {"shuffle": [90.0, 90.0]})
    sound(figure)
    found = texts(figure)
    assert {"150", "observed, 85.0°", "PC1 (a.u.)"} <= set(found)


def test_equal_probabilities_and_angles_still_draw(sound):
    sound(plots.weight_geometry(SCORES, np.full(9, 0.5), LATENCY, 90.0, {"shuffle": [90.0]}))
    sound(plots.weight_geometry(SCORES, P, LATENCY, 0.0, {"shuffle": [0.0]}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": SCORES[:, :1]}, "scores has 1 component"),
        ({"scores": np.full((9, 2), np.nan)}, "scores is nan"),
        ({"p": P[1:]}, "p has shape"),
        ({"latency": LATENCY[1:]}, "latency: 8 given for 9 conditions"),
        ({"angles": 91.0}, "angles runs from 91 to 91"),
        ({"nulls": {}}, "nulls is empty"),
        ({"nulls": {"shuffle": []}}, r"nulls\['shuffle'\] is empty"),
        ({"nulls": {"shuffle": [-1.0]}}, r"nulls\['shuffle'\] runs from -1"),
    ],
)
def test_wrong_input_is_named(change, words):
    given = {"scores": SCORES, "p": P, "latency": LATENCY, "angles": 86.0, "nulls": NULLS, **change}
    with pytest.raises(ValueError, match=words):
        plots.weight_geometry(*given.values())
