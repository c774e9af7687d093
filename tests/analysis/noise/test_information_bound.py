"""Information rate of the Gaussian channel, and coherence beside scipy's."""

import h5py
import numpy as np
import pytest
from scipy.signal import coherence

from neurodyn.analysis import information_rate
from neurodyn.analysis.noise._red_noise import red_noise

DT = 0.5


def channel(samples, paths, snr, seed=0):
    rng = np.random.default_rng(seed)
    s = rng.normal(size=(samples, paths))
    return s, s + rng.normal(size=(samples, paths)) / np.sqrt(snr)


@pytest.mark.parametrize("snr", [0.1, 1.0, 20.0])
def test_gaussian_channel(snr):
    """1/2 log2(1 + SNR) bits a sample."""
    found = information_rate(*channel(12800, 20, snr), dt=DT, segment=32)
    exact = np.log2(1 + snr) / 2 / DT
    assert abs(found.rate - exact) < 4 * found.error < 0.1 * exact
    assert found.null.p < 0.01 and abs(found.null.null.mean()) < 3 * found.null.null.std()
    assert found.segments == 4000 and "null" in str(found)


@pytest.mark.parametrize("snr", [0.0001, 1.0])
def test_no_bias_from_few_segments(snr):
    """Ten segments; without correction the rate would be 1 / 9 nats a pair of samples too high."""
    found = [information_rate(*channel(640, 1, snr, seed=k), dt=DT, segment=32, samples=20) for k in range(150)]
    rates = np.array([each.rate for each in found])
    assert abs(rates.mean() - np.log2(1 + snr) / 2 / DT) < 4 * rates.std() / np.sqrt(150)
    assert 1 / 9 / np.log(2) / 2 / DT > 8 * rates.std() / np.sqrt(150)
    if snr == 1:
        assert np.median([each.error for each in found]) == pytest.approx(rates.std(), rel=0.35)


def test_red_signal_in_white_noise_and_a_band():
    """rate = integral of log2(1 + S(f) / N)."""
    rho = 0.8
    s = red_noise(rho, (12800, 20), np.random.default_rng(1))
    r = 3 * np.roll(s, 1, axis=0) + np.random.default_rng(2).normal(size=s.shape)
    f = np.linspace(0, 1, 20001)
    spectrum = (1 - rho**2) / (1 - 2 * rho * np.cos(2 * np.pi * f * DT) + rho**2)
    for band in (None, (0.1, 0.4)):
        inside = (f >= 0.1) & (f <= 0.4) if band else f <= 1
        exact = np.trapezoid(np.log2(1 + 9 * spectrum[inside]), f[inside])
        found = information_rate(s, r, dt=DT, segment=64, band=band, samples=20)
        assert found.rate == pytest.approx(exact, rel=0.04)
        assert found.band == (band or (0, 1))


def test_coherence_is_that_of_scipy():
    s, r = channel(2560, 1, 0.5)
    found = information_rate(s[:, 0], r[:, 0], dt=DT, segment=32)
    f, c = coherence(s[:, 0], r[:, 0], 1 / DT, window="hann", nperseg=64, noverlap=0)
    np.testing.assert_allclose(found.frequencies, f[1:-1])
    np.testing.assert_allclose(found.coherence, c[1:-1], rtol=1e-9)


def test_one_signal_for_all_paths_and_files(tmp_path):
    s, _ = channel(6400, 1, 1)
    r = s + np.random.default_rng(3).normal(size=(6400, 30))
    found = information_rate(s, r, dt=DT, segment=32)
    assert found.rate == pytest.approx(0.5 / DT, rel=0.05)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"] = r
        assert information_rate(s[:, 0], file["r"], dt=DT, segment=32).rate == found.rate


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"segment": 200}, "8 segments"),
        ({"segment": 3}, "8 samples"),
        ({"band": (0.2, 3)}, "band ="),
        ({"signal": np.zeros(1000)}, "signal never varies"),
        ({"signal": np.arange(999.0)}, "as many samples"),
        ({"response": np.full((1000, 2), np.inf)}, "infinite"),
    ],
)
def test_bad_input(changes, match):
    s, r = channel(1000, 2, 1)
    options = {"signal": s, "response": r, "dt": DT, "segment": 20} | changes
    with pytest.raises(ValueError, match=match):
        information_rate(options.pop("signal"), options.pop("response"), **options)
