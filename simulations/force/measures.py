"""Numbers about an output beside its target: error, spectrum, amplitude, phase and lag over time."""

from __future__ import annotations

import numpy as np


def rms(output: np.ndarray, target: np.ndarray) -> float:
    """Root of the mean squared difference over time and outputs."""
    return float(np.sqrt(np.mean((output - target) ** 2)))


def correlation(output: np.ndarray, target: np.ndarray) -> float:
    """Pearson correlation over time, mean over outputs, 0 where an output is constant (to 1e-9, as a silent network's is); arrays (time, output)."""
    pairs = zip(output.T, target.T, strict=True)
    return float(np.mean([np.corrcoef(y, f)[0, 1] if np.ptp(y) > 1e-9 else 0.0 for y, f in pairs]))


def amplitude(output: np.ndarray, target: np.ndarray) -> float:
    """Standard deviation of the output over that of the target, over all outputs; 1 for the same amplitude."""
    return float(np.sqrt(output.var(axis=0).sum() / target.var(axis=0).sum()))


def spectral_peak(output: np.ndarray, dt: float) -> float:
    """Frequency in Hz of the highest peak of the spectrum of one output (time,): Hann window, padded to a grid of 0.01 Hz or finer."""
    windowed = (output - output.mean()) * np.hanning(len(output))
    size = 2 ** int(np.ceil(np.log2(max(len(output), 100 / dt))))
    return float(np.fft.rfftfreq(size, dt)[np.argmax(np.abs(np.fft.rfft(windowed, size)))])


def phases(output: np.ndarray, target: np.ndarray, dt: float, frequency: float) -> np.ndarray:
    """Phase in rad of the output before that of the target, in each whole second; arrays (time,), one ``frequency`` in Hz.

    Unwrapped from second to second, so that a slip of more than half a period counts in full.
    """
    seconds = round(1 / dt)
    wave = np.exp(-2j * np.pi * frequency * np.arange(seconds) * dt)
    cut = len(output) // seconds * seconds
    first, second = (x[:cut].reshape(-1, seconds) @ wave for x in (output, target))
    return np.unwrap(np.angle(first / second))


def lag(output: np.ndarray, target: np.ndarray, most: int) -> tuple[int, float]:
    """Samples by which the output comes late, at most ``most``, and the correlation there; arrays (time, output)."""
    found = []
    for late in range(-most, most + 1):
        shifted = output[most + late : len(output) - most + late]
        found.append((correlation(shifted, target[most : len(target) - most]), late))
    best, late = max(found)
    return late, best
