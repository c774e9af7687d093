"""Peaks of noisy oscillations with known spectra."""

import h5py
import numpy as np
import pytest
from scipy.signal import lfilter

from neurodyn.analysis import spectral_peak
from neurodyn.analysis.noise._red_noise import red_noise

DT = 0.1


def oscillator(f0, quality, samples, paths, seed=0):
    """AR(2) with poles at f0 and width f0 / quality, and its one-sided density as a function of frequency."""
    pole = np.exp((-np.pi * f0 / quality + 2j * np.pi * f0) * DT)
    a = [1, -2 * pole.real, abs(pole) ** 2]
    drawn = np.random.default_rng(seed).normal(size=(samples, paths))

    def density(f):
        z = np.exp(-2j * np.pi * f * DT)
        return 2 * DT / np.abs(a[0] + a[1] * z + a[2] * z * z) ** 2

    return np.asarray(lfilter([1], a, drawn, axis=0))[500:], density


@pytest.mark.parametrize("quality", [2.0, 8.0])
def test_a_noisy_oscillator(quality):
    x, density = oscillator(0.3, quality, 40500, 10)
    found = spectral_peak(x, dt=DT, segment=250.0)
    f = np.linspace(0.001, 2, 200001)
    exact = density(f)
    top = np.argmax(exact)
    half = f[exact > exact[top] / 2]
    width = half[-1] - half[0]
    assert found.frequency == pytest.approx(f[top], rel=0.1)
    assert found.height == pytest.approx(exact[top], rel=0.25)
    assert found.width == pytest.approx(width, rel=0.25)
    assert found.quality == pytest.approx(f[top] / width, rel=0.25)
    assert found.beta == pytest.approx(exact[top] * f[top] / width, rel=0.3)
    assert 0 < found.error < 0.3 * found.quality
    assert found.null.p < 0.01 and found.segments == 160
    assert "quality" in str(found) and "null" in str(found)


def test_red_noise_has_no_peak():
    p, peaks = [], 0
    for seed in range(60):
        x = red_noise(0.95, (4000, 4), np.random.default_rng(seed))
        found = spectral_peak(x, dt=DT, segment=50.0, samples=200)
        p.append(found.null.p)
        peaks += np.isfinite(found.width)
    assert np.mean(np.array(p) < 0.05) < 0.15 and peaks == 0
    assert np.isnan(found.beta) and "no peak" in str(found)


def test_narrower_than_the_resolution_is_nan():
    x, _ = oscillator(0.3, 1000.0, 40500, 4)
    found = spectral_peak(x, dt=DT, segment=50.0)
    assert found.frequency == pytest.approx(0.3, rel=0.05) and np.isnan(found.width) and np.isnan(found.beta)
    assert "longer segments" in str(found)


def test_segments_of_one_path_and_files(tmp_path):
    x, _ = oscillator(0.3, 3.0, 40500, 2)
    assert spectral_peak(x[:, 0], dt=DT, segment=100.0).segments == 40
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = x
        in_file = spectral_peak(file["x"], dt=DT, segment=100.0)
    assert in_file.beta == spectral_peak(x, dt=DT, segment=100.0).beta


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"segment": 1}, "16 samples"),
        ({"segment": 30}, "8 segments"),
        ({"segment": -1}, "segment = -1"),
        ({"x": np.ones(1000)}, "never varies"),
        ({"x": np.full(1000, np.nan)}, "NaN"),
    ],
)
def test_bad_input(changes, match):
    options = {"x": red_noise(0.5, (1000, 2), np.random.default_rng(0)), "dt": DT, "segment": 10.0} | changes
    with pytest.raises(ValueError, match=match):
        spectral_peak(options.pop("x"), **options)
