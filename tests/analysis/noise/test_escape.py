"""Kramers' rate and two states: closed forms, the sheet's numbers, and the exact solution within the stated validity."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from neurodyn.analysis import FokkerPlanck, TwoState, bistable_response, kramers_rate


def quartic(x):
    return x**4 / 4 - x**2 / 2


def rate(d):
    return kramers_rate(quartic, noise=d, well=-1, barrier=0).rate


def test_kramers_rate_of_the_quartic_well():
    for d in (0.05, 0.1, 0.5):
        assert rate(d) == pytest.approx(np.exp(-0.25 / d) / (np.sqrt(2) * np.pi), rel=1e-7)
    assert 2 * rate(0.07) == pytest.approx(1.266e-2, rel=1e-3)
    rough = kramers_rate(quartic, noise=0.1, well=-0.9, barrier=0.1)
    assert float(rough) == pytest.approx(rate(0.1), rel=1e-7)
    assert rough.well == pytest.approx(-1) and rough.top == pytest.approx(0, abs=1e-9)
    given = kramers_rate(quartic, noise=0.1, well=-1, barrier=0, curvatures=(8.0, -1.0))
    assert given.rate == pytest.approx(2 * rate(0.1))


def test_kramers_rate_within_its_validity():
    ratio = {d: 2 * rate(d) / FokkerPlanck(quartic, noise=d).relaxation(2).rates[1] for d in (0.04, 0.05, 0.1, 0.15)}
    assert all(1.03 < value < 1.12 for value in ratio.values()), ratio
    # An asymmetric potential, a barrier of 6 D from the shallow side: the rates of both ways and the times of passage.
    d, tilt = 0.03, 0.03

    def potential(x):
        return quartic(x) - tilt * x

    exact = FokkerPlanck(potential, noise=d)
    up = kramers_rate(potential, noise=d, well=-1, barrier=0)
    down = kramers_rate(potential, noise=d, well=1, barrier=0)
    assert up.barrier < down.barrier and up.valid
    assert 1 / up.rate == pytest.approx(exact.mean_first_passage(up.well, down.well), rel=0.12)
    assert 1 / down.rate == pytest.approx(exact.mean_first_passage(down.well, up.well), rel=0.12)
    assert TwoState(d, up.rate, down.rate, (up.well, down.well)).variance == pytest.approx(exact.variance(), rel=0.1)
    low = kramers_rate(quartic, noise=0.3, well=-1, barrier=0)
    assert not low.valid and "too low" in str(low) and "too low" not in str(up)


def test_kramers_rate_refuses():
    refused: list[tuple[dict[str, Any], str]] = [
        ({"well": 0.0, "barrier": 1.0}, "no minimum"),
        ({"well": -1.0, "barrier": 0.9}, "no maximum"),
        ({"well": 1.0, "barrier": 1.0}, "well = barrier"),
        ({"well": -1.0, "barrier": 0.0, "curvatures": (1.0, 1.0)}, "curvatures"),
    ]
    for options, message in refused:
        with pytest.raises(ValueError, match=message):
            kramers_rate(quartic, noise=0.1, **options)
    with pytest.raises(ValueError, match="sign of V"):
        kramers_rate(lambda x: np.sin(x) - x / 2, noise=0.1, well=5 * np.pi / 3 - 4 * np.pi, barrier=np.pi / 3)


def test_two_states_in_closed_form():
    d, r = 0.1, 0.02
    pair = TwoState(d, r)
    w = np.array([0.003, 0.04, 1.0])
    found = pair.response(w)
    np.testing.assert_allclose(np.abs(found.susceptibility), 2 * r / d / np.sqrt(4 * r**2 + w**2))
    np.testing.assert_allclose(found.lag, np.arctan(w / (2 * r)))
    np.testing.assert_allclose(found.snr(0.1), np.pi * (0.1 / d) ** 2 * r)
    np.testing.assert_allclose(found.fluctuation_dissipation, found.spectrum)
    assert pair.matched_frequency == pytest.approx(np.pi * r) and "rates up 0.02" in str(pair)
    uneven = TwoState(d, 0.01, 0.03, (0, 2))
    assert uneven.variance == pytest.approx(4 * 0.25 * 0.75) and uneven.rate == pytest.approx(0.04)
    # Half a period is the mean of the two residence times.
    assert np.pi / uneven.matched_frequency == pytest.approx((1 / 0.01 + 1 / 0.03) / 2)
    with pytest.raises(ValueError, match="symmetric"):
        uneven.residence_times(0.1, 0.1)
    with pytest.raises(ValueError, match="positions"):
        TwoState(d, r, positions=(1, -1))
    with pytest.raises(ValueError, match="down = 0"):
        TwoState(d, r, 0.0)


def test_tabulated_numbers_of_two_states():
    def eta(d, w):
        return float(TwoState(d, rate(d)).response(w).amplification)

    for w, highest, place in ((0.01, 128, 0.0745), (0.1, 18.7, 0.149)):
        best: Any = minimize_scalar(lambda d, w=w: -eta(d, w), bounds=(0.03, 0.4), method="bounded")
        assert -best.fun == pytest.approx(highest, rel=0.005) and best.x == pytest.approx(place, rel=0.01)
        condition = brentq(lambda d, w=w: 4 * rate(d) ** 2 - w**2 * (0.25 / d - 1), 0.03, 0.24)
        assert best.x == pytest.approx(condition, rel=1e-3)
    table = {0.05: 0.607, 0.1: 1.848, 0.125: 1.950, 0.15: 1.889, 0.2: 1.612, 0.3: 1.087, 0.5: 0.546}
    ratios = {d: float(TwoState(d, rate(d)).response(0.01).snr()) / np.pi for d in table}
    assert ratios == pytest.approx(table, rel=1e-3)
    best: Any = minimize_scalar(lambda d: -rate(d) / d**2, bounds=(0.05, 0.3), method="bounded")
    assert best.x == pytest.approx(0.125, abs=1e-4)


def test_hopping_and_motion_in_the_wells():
    for d in (0.05, 0.07, 0.1, 0.125, 0.15):
        for w in (0.001, 0.01, 0.1):
            exact = FokkerPlanck(quartic, noise=d).response(w)
            found = bistable_response(quartic, noise=d, angular_frequency=w)
            assert found.amplification == pytest.approx(exact.amplification, rel=0.2)
            assert found.snr() == pytest.approx(exact.snr(), rel=0.2)
            np.testing.assert_allclose(found.fluctuation_dissipation, found.spectrum)
    # Weak noise, fast force: two states miss the motion in the wells by far.
    exact = float(FokkerPlanck(quartic, noise=0.05).response(1.0).amplification)
    assert float(bistable_response(quartic, noise=0.05, angular_frequency=1.0).amplification) > 0.75 * exact
    assert float(TwoState.of_potential(quartic, noise=0.05).response(1.0).amplification) < 0.02 * exact
    with pytest.raises(ValueError, match="take FokkerPlanck"):
        bistable_response(quartic, noise=0.3, angular_frequency=0.1)
