"""The factors between conventions, derived from a line and a background in a periodogram."""

import numpy as np
import pytest

from neurodyn.analysis import LinearResponse


def test_ratios_from_the_powers_they_are_made_of():
    chi, s, a = 2.0 - 1.0j, 0.4, 0.3
    found = LinearResponse(np.array(0.5), np.array(chi), np.array(s), 0.1)
    line = (a * abs(chi)) ** 2 / 2  # power of xbar cos
    # Line over background, both one-sided or both two-sided, per cycle.
    assert found.snr(a, over="cycles") == pytest.approx(line / (2 * s))
    assert found.snr(a, over="cycles") == pytest.approx(line / 2 / s)
    # Both lines over one side's density per radian.
    assert found.snr(a) == pytest.approx(line / (s / (2 * np.pi)))
    assert found.snr(a) / found.snr(a, over="cycles") == pytest.approx(4 * np.pi)
    assert found.amplification == pytest.approx(5) and found.lag == pytest.approx(np.arctan2(-1, 2))


def test_cycles_are_what_a_periodogram_gives():
    # A first-order autoregression with a sine, its periodogram averaged over paths.
    rng = np.random.default_rng(0)
    phi, n, paths, k, xbar = 0.8, 1024, 300, 40, 0.3
    x = np.empty((n, paths))
    x[0] = rng.normal(size=paths) / np.sqrt(1 - phi**2)
    for t in range(1, n):
        x[t] = phi * x[t - 1] + rng.normal(size=paths)
    w = 2 * np.pi * k / n
    power = np.abs(np.fft.rfft(x + xbar * np.cos(w * np.arange(n))[:, None], axis=0)) ** 2 / n  # two-sided per cycle
    beside = power[[k - 3, k - 2, k + 2, k + 3]]
    measured = (power[k].mean() - beside.mean()) / n / beside.mean()
    s = 1 / (1 + phi**2 - 2 * phi * np.cos(w))
    theory = LinearResponse(np.array(w), np.array(xbar + 0j), np.array(s), 1.0).snr(over="cycles")
    error = np.sqrt(power[k].var() / paths + beside.var() / beside.size) / n / s
    assert abs(measured - theory) < 4 * error and error < 0.1 * theory


def test_print_and_bad_input():
    w = np.geomspace(0.1, 1, 20)
    text = str(LinearResponse(w, 1 / (1 - 1j * w), 0.2 / (1 + w**2), 0.1))
    assert "two-sided spectra over cycles" in text and text.endswith("...") and text.count("\n") == 14
    found = LinearResponse(w, 1 / (1 - 1j * w), 0.2 / (1 + w**2), 0.1)
    np.testing.assert_allclose(found.fluctuation_dissipation, found.spectrum)
    with pytest.raises(ValueError, match="over = 'hertz'"):
        found.snr(over="hertz")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="amplitude = -1"):
        found.snr(-1)
