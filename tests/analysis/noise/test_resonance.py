"""Curves with a resonance and without one, and how often chance makes one."""

from typing import Any

import numpy as np
import pytest

from neurodyn.analysis import Conventions, resonance_curve

NOISE = np.geomspace(0.05, 0.5, 9)


def curve(shape, networks=12, height=3.0, seed: Any = 0, skew=False):
    rng = np.random.default_rng(seed)
    drawn = rng.exponential(size=(9, networks)) if skew else rng.normal(size=(9, networks))
    base = {
        "peak": np.exp(-(np.log(NOISE / 0.16) ** 2) / (2 * 0.5**2)),
        "flat": np.zeros(9),
        "rising": np.linspace(0, 1, 9),
        "falling": np.linspace(1, 0, 9),
        # All levels as good as the last and better than the first: the hardest case without a resonance.
        "plateau": np.r_[-10, np.zeros(8)],
    }[shape]
    return height * base[:, None] + drawn + rng.normal(size=networks)  # networks differ at all levels alike


def test_a_resonance():
    found = resonance_curve(NOISE, curve("peak"), name="SNR (1/ms)")
    assert found.resonance and found.margin > 0.5 and found.share == 1
    assert found.optimum_low < 0.16 < found.optimum_high and found.optimum == pytest.approx(0.16, rel=0.25)
    assert (found.low <= found.mean).all() and (found.mean <= found.high).all()
    assert str(found).startswith("a resonance in SNR (1/ms): maximum") and "noise as D" in str(found)


def test_a_minimum_is_a_maximum_upside_down():
    up = resonance_curve(NOISE, curve("peak"))
    down = resonance_curve(NOISE, -curve("peak"), best="min", conventions=Conventions(noise="sigma"))
    assert (down.margin, down.optimum, down.optimum_low) == (up.margin, up.optimum, up.optimum_low)
    assert "minimum" in str(down) and "noise as sigma" in str(down)


@pytest.mark.parametrize("shape", ["flat", "rising", "falling", "plateau"])
def test_no_resonance(shape):
    found = resonance_curve(NOISE, curve(shape, seed=3))
    assert not found.resonance and "no resonance shown" in str(found) and "perhaps by chance" in str(found)
    if shape == "rising":
        assert found.optimum == NOISE[-1] and found.share < 0.1
    if shape == "flat":
        assert found.share > 0.5  # why that share is no test


def test_place_of_the_optimum_is_exact_for_a_parabola():
    height = -(np.log(NOISE / 0.137) ** 2)
    found = resonance_curve(NOISE, height[:, None] + np.zeros(5))
    assert found.optimum == pytest.approx(0.137) and found.optimum_low == found.optimum_high
    assert found.margin == pytest.approx(height.max() - max(height[0], height[-1]))
    uneven = np.array([0.05, 0.07, 0.12, 0.3, 0.5])
    found = resonance_curve(uneven, -(np.log(uneven / 0.13) ** 2)[:, None] + np.zeros(5))
    assert found.optimum == pytest.approx(0.13)


def test_the_interval_of_the_optimum_covers():
    covered = [
        found.optimum_low <= 0.16 <= found.optimum_high
        for found in (resonance_curve(NOISE, curve("peak", 20, seed=k), samples=300) for k in range(60))
    ]
    assert np.mean(covered) > 0.8


def test_control():
    with_control = resonance_curve(NOISE, curve("peak"), control=curve("flat", networks=7, seed=1))
    assert with_control.resonance and with_control.control_margin < 0 and "it shows none" in str(with_control)
    same = resonance_curve(NOISE, curve("peak"), control=curve("peak", seed=1))
    assert same.control_margin > 0 and "has an optimum of its own" in str(same)
    assert np.isnan(resonance_curve(NOISE, curve("peak")).control_margin)


@pytest.mark.slow
@pytest.mark.parametrize("skew", [False, True])
@pytest.mark.parametrize("networks", [5, 8, 20])
@pytest.mark.parametrize("shape", ["flat", "rising", "plateau"])
def test_false_alarms(shape, networks, skew):
    """Nominally at most 5 %; of 400 curves at that rate 99.9 % have fewer than 35 alarms."""
    found = [
        resonance_curve(NOISE, curve(shape, networks, seed=[7, k], skew=skew), samples=400).resonance
        for k in range(400)
    ]
    assert sum(found) < 35


@pytest.mark.slow
def test_power():
    """A peak of two standard deviations between networks."""
    share = {
        n: np.mean([resonance_curve(NOISE, curve("peak", n, 2.0, [8, k]), samples=400).resonance for k in range(200)])
        for n in (5, 8, 20)
    }
    assert share[20] > 0.95 and 0.3 < share[8] < 0.8 and share[5] < share[8]


@pytest.mark.parametrize(
    "noise, values, match",
    [
        (NOISE[:4], curve("flat")[:4], "at least 5"),
        (NOISE[::-1], curve("flat"), "each above the one before"),
        (NOISE - 0.05, curve("flat"), "above 0"),
        (NOISE, curve("flat").T, "12, 9"),
        (NOISE, curve("flat", 3), "at least 4 networks"),
        (NOISE, np.ones((9, 5)), "same at all levels"),
        (NOISE, np.full((9, 5), np.nan), "NaN"),
    ],
)
def test_bad_input(noise, values, match):
    with pytest.raises(ValueError, match=match):
        resonance_curve(noise, values)


@pytest.mark.parametrize(
    "options, match", [({"best": "most"}, "best"), ({"confidence": 1.0}, "confidence"), ({"samples": 9}, "samples")]
)
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        resonance_curve(NOISE, curve("flat"), **options)
