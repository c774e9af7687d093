"""Lines of known power over noise of known density."""

import h5py
import numpy as np
import pytest
from scipy.signal import periodogram

from neurodyn.analysis import output_snr
from neurodyn.analysis.noise._red_noise import red_noise

DT, F = 0.1, 0.05


def density(rho, f=F):
    """One-sided, of AR(1) of variance 1."""
    return 2 * DT * (1 - rho**2) / (1 - 2 * rho * np.cos(2 * np.pi * f * DT) + rho**2)


def made(tau, amplitude, paths, samples=12800, seed=0):
    noise = red_noise(np.exp(-DT / tau), (samples, paths), np.random.default_rng(seed))
    return noise + amplitude * np.cos(2 * np.pi * F * DT * np.arange(samples) - 0.3)[:, None]


@pytest.mark.parametrize("window", ["boxcar", "hann"])
@pytest.mark.parametrize("tau", [0.01, 2.0, 30.0])
def test_sine_in_red_noise(window, tau):
    """Also where the spectrum falls as 1/f^2 (tau = 30)."""
    exact = density(np.exp(-DT / tau))
    found = output_snr(made(tau, 0.6, 100), dt=DT, frequency=F, window=window)
    assert found.floor == pytest.approx(exact, rel=0.04)
    assert found.line == pytest.approx(0.18, rel=0.05)
    assert abs(found.ratio - 0.18 / exact) < 4 * found.error < 0.3 * found.ratio
    assert found.angular == pytest.approx(np.pi * 0.36 / (exact / 2), rel=0.08)
    assert found.decibels == pytest.approx(10 * np.log10(found.ratio))
    assert found.null.p < 0.03 and found.null.null.max() < found.ratio / 3
    assert found.null.samples == 40
    assert found.segments == 200 and found.conventions.sided == "one"
    assert "SNR" in str(found) and "null" in str(found) and "one-sided" in str(found)


def test_the_angular_convention_by_numbers():
    """pi r^2 / S_N with the two-sided S_N, the transform of the autocovariance, of white noise: variance dt."""
    x = np.random.default_rng(3).normal(size=(12800, 200))
    x += 0.5 * np.cos(2 * np.pi * F * DT * np.arange(12800))[:, None]
    assert output_snr(x, dt=DT, frequency=F).angular == pytest.approx(np.pi * 0.25 / DT, rel=0.03)


@pytest.mark.parametrize("periods", [8, 32])
def test_few_segments_leave_no_bias(periods):
    """A floor from logarithms of single periodograms is too low by exp(0.577) unless that is mended."""
    rng = np.random.default_rng(4)
    floors, ratios = [], []
    for _ in range(150):
        found = output_snr(rng.normal(size=200 * 64), dt=DT, frequency=F, periods=periods, neighbours=7, samples=2)
        floors.append(found.floor)
        ratios.append(found.ratio)
    error = np.std(floors) / np.sqrt(150)
    assert abs(np.mean(floors) - 2 * DT) < 4 * error < 0.25 * DT
    assert abs(np.mean(ratios)) < 4 * np.std(ratios) / np.sqrt(150)


def test_p_is_uniform_without_a_line_and_blind_to_harmonics():
    rng = np.random.default_rng(6)
    p = [output_snr(rng.normal(size=(3200, 3)), dt=DT, frequency=F, samples=2).null.p for _ in range(120)]
    assert np.mean(np.array(p) <= 0.1) < 0.2 and abs(np.mean(p) - 0.5) < 0.11
    t = DT * np.arange(12800)
    square = np.sign(np.cos(2 * np.pi * F * t + 1e-9))[:, None] + rng.normal(size=(12800, 10))
    found = output_snr(square, dt=DT, frequency=F)
    assert found.line == pytest.approx((4 / np.pi) ** 2 / 2, rel=0.02) and found.null.null.max() < found.ratio / 20


def test_spectrum_is_that_of_scipy():
    x = made(2.0, 0.6, 1, samples=6400)[:, 0]
    found = output_snr(x, dt=DT, frequency=F)
    f, p = periodogram(x, 1 / DT)
    np.testing.assert_allclose(found.frequencies, f)
    np.testing.assert_allclose(found.density, p, atol=1e-20, rtol=1e-9)
    assert np.isnan(found.error)  # a single segment
    assert found.density.sum() * (f[1] - f[0]) == pytest.approx(x.var())


def test_segments_of_a_single_path_tell_its_error():
    found = [output_snr(made(2.0, 0.6, 1, seed=k)[:, 0], dt=DT, frequency=F, periods=8, samples=200) for k in range(60)]
    ratios = [each.ratio for each in found]
    assert np.median([each.error for each in found]) == pytest.approx(np.std(ratios), rel=0.35)


def test_periods_that_are_no_whole_numbers_of_samples():
    f = 1 / 20.17  # 201.7 samples
    x = np.cos(2 * np.pi * f * DT * np.arange(20000))[:, None] + 0.1 * np.random.default_rng(5).normal(size=(20000, 20))
    found = output_snr(x, dt=DT, frequency=f)
    assert found.line == pytest.approx(0.5, rel=1e-3)
    assert found.floor == pytest.approx(2 * DT * 1e-2, rel=0.1)
    with pytest.raises(ValueError, match="whole number of samples"):
        output_snr(x, dt=DT, frequency=0.71317, periods=8)


def test_read_from_a_file_segment_by_segment(tmp_path):
    x = made(2.0, 0.6, 3)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = x
        assert (
            output_snr(file["x"], dt=DT, frequency=F, discard=50).ratio
            == output_snr(x, dt=DT, frequency=F, discard=50).ratio
        )


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"frequency": 5.0}, "alias"),
        ({"frequency": 0.005}, "6.4 periods"),
        ({"periods": 7}, "periods = 7"),
        ({"periods": 100}, "at most 64"),
        ({"window": "flat"}, "window = 'flat'"),
        ({"frequency": 2.5, "neighbours": 31}, "never"),
        ({"frequency": 4.9}, "on a side of the line"),
    ],
)
def test_bad_input(changes, match):
    x = made(2.0, 0.1, 2) if "neighbours" not in changes else np.ones((12800, 2))
    with pytest.raises(ValueError, match=match):
        output_snr(x, **({"dt": DT, "frequency": F} | changes))
