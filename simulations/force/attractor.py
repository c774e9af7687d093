"""The Lorenz attractor as a network runs on it: maxima of z, the map between them, changes of the lobe."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from neurodyn.plots.base import CYCLE, GREY, dress, new_figure, panel_letters, style

#: samples (ms) of the smoothing that keeps ripples of the readout from being maxima
SMOOTH = 15.0
_SHUFFLES = 1000


def peaks(z: np.ndarray) -> np.ndarray:
    """Heights of the maxima of z (time,) at 1 ms, smoothed with a Gaussian of 15 ms."""
    smooth = gaussian_filter1d(z, SMOOTH)
    at = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
    return smooth[at]


def switches(x: np.ndarray) -> int:
    """Number of changes of the sign of x, smoothed alike."""
    return int(np.sum(np.diff(np.sign(gaussian_filter1d(x, SMOOTH))) != 0))


def map_error(z: np.ndarray, reference: np.ndarray, *, seed: int) -> tuple[float, float, float]:
    """Distance of successive maxima from Lorenz's map, its mean over shuffled successors, and the share of shuffles below it.

    The map is read from the successive maxima of a long trajectory of the attractor, interpolated.
    """
    known, found = peaks(reference), peaks(z)
    if len(found) < 3:
        return float("nan"), float("nan"), float("nan")
    order = np.argsort(known[:-1])
    expected = np.interp(found[:-1], known[:-1][order], known[1:][order])
    rng = np.random.default_rng(seed)
    shuffled = np.array([_rms(rng.permutation(found[1:]) - expected) for _ in range(_SHUFFLES)])
    error = _rms(found[1:] - expected)
    return error, float(shuffled.mean()), float(np.mean(shuffled <= error))


def horizon(output: np.ndarray, target: np.ndarray) -> float:
    """Time in s until the error over all outputs, smoothed, first exceeds 0.4 of the target's standard deviation; arrays at 1 ms."""
    distance = gaussian_filter1d(np.sqrt(((output - target) ** 2).sum(axis=1)), SMOOTH)
    beyond = distance > 0.4 * np.sqrt(target.var(axis=0).sum())
    return float(np.argmax(beyond)) * 1e-3 if beyond.any() else len(output) * 1e-3


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))


@style()
def attractor_figure(free: tuple[np.ndarray, np.ndarray], reference: np.ndarray, title: str) -> Any:
    """The free run in the plane of x and z beside the target's, and the map of successive maxima of z."""
    output, target = free
    figure = new_figure(7.2, 2.9)
    axes = figure.subplots(1, 3)
    for ax, values, colour, text in zip(
        axes, (target, output), ("black", CYCLE[0]), ("target, same 25 s", title), strict=False
    ):
        dress(ax).plot(values[:, 0], values[:, 2], color=colour, linewidth=0.5)
        ax.set_xlabel("x/20")
        ax.set_ylabel("(z - 25)/25")
        ax.set_title(text)
        ax.set_xlim(-1.1, 1.1)
        ax.set_ylim(-1.1, 1.1)
    ax, known, found = dress(axes[2]), peaks(reference[:, 2]), peaks(output[:, 2])
    ax.plot(known[:-1], known[1:], ".", color=GREY, markersize=2, label="attractor, 300 s")
    ax.plot(found[:-1], found[1:], "o", color=CYCLE[0], markersize=3, label="free run")
    ax.set_xlabel("maximum of z, n")
    ax.set_ylabel("maximum of z, n + 1")
    ax.set_title("Lorenz's map")
    figure.legend(loc="outside lower center", ncols=2)
    panel_letters(axes)
    return figure
