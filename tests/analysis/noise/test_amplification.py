"""Amplification and lag of known responses, and what noise does to them."""

from typing import Any

import h5py
import numpy as np
import pytest

from neurodyn.analysis import spectral_amplification
from neurodyn.analysis.noise._red_noise import red_noise

DT, F = 0.1, 0.05
W = 2 * np.pi * F


def sine(samples, amplitude, lag, start=0.0):
    return amplitude * np.cos(W * (start + DT * np.arange(samples)) - lag)[:, None]


@pytest.mark.parametrize("lag", [-2.0, 0.0, 0.7, 3.0])
@pytest.mark.parametrize("f, start, discard", [(F, 0.0, 0.0), (0.0713, 3.3, 12.34)])
def test_without_noise_amplitude_and_lag_are_exact(lag, f, start, discard):
    x = 5 + 0.3 * np.cos(2 * np.pi * f * (start + DT * np.arange(3001)) - lag)
    found = spectral_amplification(x, dt=DT, frequency=f, amplitude=0.1, start=start, discard=discard)
    assert found.eta == pytest.approx(9) and found.response == pytest.approx(0.3)
    assert found.lag == pytest.approx(lag) and found.offset == pytest.approx(5)
    assert found.periods == int((3001 - np.ceil(discard / DT)) * DT * f)


def test_a_linear_filter_has_its_susceptibility():
    """dx = -x dt / tau + A cos(W t) dt + noise: chi = 1 / (1/tau - i W), sampled without error of integration."""
    tau, amplitude, paths = 2.0, 0.5, 200
    noise = red_noise(np.exp(-DT / tau), (8000, paths), np.random.default_rng(1))
    chi = 1 / np.hypot(1 / tau, W)
    x = noise + sine(8000, amplitude * chi, np.arctan(W * tau))
    found = spectral_amplification(x, dt=DT, frequency=F, amplitude=amplitude)
    assert abs(found.eta - chi**2) < 4 * found.error and found.error < 0.05 * chi**2
    assert abs(found.lag - np.arctan(W * tau)) < 4 * found.lag_error
    assert found.null.p < 0.03 and "behind a drive" in str(found) and "null" in str(found)


@pytest.mark.parametrize("paths", [1, 5])
def test_noise_adds_nothing_on_average_and_errors_are_right(paths):
    rng = np.random.default_rng(2)
    found = [
        spectral_amplification(
            sine(800, 0.3, 0.4) + rng.normal(size=(800, paths)), dt=DT, frequency=F, amplitude=1.0, samples=200
        )
        for _ in range(150)
    ]
    eta = np.array([each.eta for each in found])
    assert abs(eta.mean() - 0.09) < 4 * eta.std() / np.sqrt(len(eta))
    # What a plain square adds is 4 / samples / paths, told apart from nothing at this precision for one path.
    assert np.median([each.error for each in found]) == pytest.approx(eta.std(), rel=0.25)
    lags = np.array([each.lag for each in found])
    assert np.median([each.lag_error for each in found]) == pytest.approx(lags.std(), rel=0.35)


def test_without_a_drive_p_is_uniform():
    rng = np.random.default_rng(3)
    p = [
        spectral_amplification(rng.normal(size=(800, 4)), dt=DT, frequency=F, amplitude=1.0, samples=2).null.p
        for _ in range(120)
    ]
    assert 0.01 < np.mean(np.array(p) <= 0.1) < 0.2
    assert min(p) > 0 and abs(np.mean(p) - 0.5) < 0.11


def test_read_from_a_file_in_pieces(tmp_path, monkeypatch):
    x = sine(3000, 0.3, 0.4) + np.random.default_rng(4).normal(size=(3000, 3))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = x
        monkeypatch.setattr("neurodyn.analysis._streams._BLOCK_BYTES", 8 * 3 * 700)
        options: dict[str, Any] = {"dt": DT, "frequency": F, "amplitude": 0.1, "discard": 33.3}
        whole = spectral_amplification(x, **options)
        pieces = spectral_amplification(file["x"], **options)
    np.testing.assert_allclose(pieces.phasors, whole.phasors, rtol=1e-10)
    np.testing.assert_allclose(pieces.null.null, whole.null.null, rtol=1e-8)


def good(**changes):
    options: dict[str, Any] = {"dt": DT, "frequency": F, "amplitude": 1.0} | changes
    x = options.pop("x", np.random.default_rng(5).normal(size=(2000, 2)))
    return spectral_amplification(x, **options)


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"frequency": 5.0}, "alias"),
        ({"frequency": 0.01}, "2 periods .* at least 3"),
        ({"discard": 199.0}, "periods"),
        ({"discard": 500.0}, "discard = 500"),
        ({"amplitude": 0.0}, "amplitude = 0.0.*above 0"),
        ({"dt": -1.0}, "dt = -1.0"),
        ({"x": np.ones((2000, 2))}, "never varies"),
        ({"x": np.full((2000, 2), np.nan)}, "NaN"),
        ({"x": np.zeros((3, 2000, 2))}, "shape"),
        ({"x": np.random.default_rng(0).normal(size=7), "frequency": 4.5}, "neighbouring frequencies"),
    ],
)
def test_bad_input(changes, match):
    with pytest.raises(ValueError, match=match):
        good(**changes)
