import numpy as np

from neurodyn import analysis, plots


def test_zones_of_a_clock(hand_made, sound, texts):
    found = analysis.residence_map(hand_made.clock(20), states=200, rollouts=1, cap=20, paths=4)
    figure = plots.residence_zones(found)
    sound(figure)
    shown = texts(figure)
    assert {"transition (RT < 2): 10.0%", "kick (2 to 8): 70.0%", "cluster (RT > 8, sure): 20.0%"} <= set(shown)
    assert {"Visited states, by residence", "By zone", "Residence, cut at 20 steps", "residence time (steps)"} <= set(
        shown
    )
    # One bar a zone: the mean of what is unstable.
    heights = [patch.get_height() for patch in figure.axes[4].patches]  # type: ignore[attr-defined]
    assert np.allclose(heights, [found.means[name]["unstable"] for name in ("transition", "kick", "cluster")])
    counts = sum(patch.get_height() for patch in figure.axes[2].patches)  # type: ignore[attr-defined]
    assert counts == 200


def test_an_empty_zone_is_said_to_be_empty(hand_made, sound, texts):
    found = analysis.residence_map(hand_made.bistable(noise=1e-3), states=30, rollouts=2, cap=12)
    figure = plots.residence_zones(found)
    sound(figure)
    assert texts(figure).count("no state") == 6
