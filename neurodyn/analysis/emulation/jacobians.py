"""Local linear dynamics of a rectified network: eigenvalues of its active units, along paths and through switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, floats, number, whole
from ._driven_network import driven, eigenvalues, weights_of
from .switching import switch_times

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

BAND, LEAST = 0.1, 0.05  # of near-critical pairs, as published for the course of a training


@dataclass(frozen=True, eq=False)
class LocalSpectra:
    """Eigenvalues of the Jacobian of one step at each of many states.

    Attributes
    ----------
    eigenvalues : complex array, shape (state, unit)
        Largest modulus first. Units that are silent after the step have eigenvalue 0.
    with_noise : bool
        Whether noise takes part in deciding which units are active.
    band, least : float
        What counts as near-critical; see :func:`local_spectra`.
    """

    eigenvalues: np.ndarray
    with_noise: bool
    band: float
    least: float

    @property
    def unstable(self) -> IntArray:
        """Eigenvalues beyond the unit circle, shape (state)."""
        return (np.abs(self.eigenvalues) > 1).sum(axis=1)

    @property
    def mapped(self) -> np.ndarray:
        """(l - 1) / (l + 1) of each eigenvalue l, shape (state, unit): the unit circle becomes the imaginary axis."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (self.eigenvalues - 1) / (self.eigenvalues + 1)

    @property
    def near_critical(self) -> IntArray:
        """Complex pairs near the unit circle, shape (state)."""
        mapped = self.mapped
        return ((np.abs(np.real(mapped)) < self.band) & (np.imag(mapped) > self.least)).sum(axis=1)


@dataclass(frozen=True, eq=False)
class SwitchSpectra:
    """Eigenvalues in the steps before and after switches of the winner.

    Attributes
    ----------
    lag : array of int, shape (lag)
        Steps from the switch; at 0 the winner is the new one for the first time. A Jacobian at a lag is that of the step
        from the state there to the next.
    eigenvalues, eigenvalues_with_noise : complex array, shape (switch, lag, unit)
        Without noise in the gate, and with the noise of that step.
    unstable, unstable_with_noise : array of int, shape (switch, lag)
        Eigenvalues beyond the unit circle.
    near_critical, near_critical_with_noise : array of int, shape (switch, lag)
        Complex pairs near it; see :func:`local_spectra`.
    elsewhere, elsewhere_with_noise : (float, float)
        Mean number of unstable eigenvalues and of near-critical pairs at states of the same paths that are further from
        any switch than the window: what the numbers at the switch compare with. NaN if there are none.
    logits : array, shape (switch, lag, symbol)
    """

    lag: IntArray
    eigenvalues: np.ndarray
    eigenvalues_with_noise: np.ndarray
    unstable: IntArray
    unstable_with_noise: IntArray
    near_critical: IntArray
    near_critical_with_noise: IntArray
    elsewhere: tuple[float, float]
    elsewhere_with_noise: tuple[float, float]
    logits: FloatArray

    def __str__(self) -> str:
        lines = [f"{len(self.unstable)} switches, {self.lag[0]} to +{self.lag[-1]} steps; mean number of eigenvalues"]
        for name, unstable, pairs, far in (
            ("without noise", self.unstable, self.near_critical, self.elsewhere),
            ("with noise", self.unstable_with_noise, self.near_critical_with_noise, self.elsewhere_with_noise),
        ):
            course = unstable.mean(axis=0)
            peak = int(course.argmax())
            lines.append(
                f"  {name:<14} unstable {course[peak]:.2f} at {self.lag[peak]:+d} steps, {far[0]:.2f} far from switches; "
                f"near-critical pairs {pairs.mean():.2f} in the window, {far[1]:.2f} far from it"
            )
        return "\n".join(lines)


def local_spectra(
    net: HMMRNN,
    states: ArrayLike,
    *,
    noise: ArrayLike | None = None,
    band: float = BAND,
    least: float = LEAST,
) -> LocalSpectra:
    """Eigenvalues of the Jacobian of one step, diag(active) W, at each state.

    A unit is active if it is above zero after the step, under its noise or, by default, without any.

    Parameters
    ----------
    net : HMMRNN
    states : array, shape (state, unit)
        Such as ``residence_map(net).states``.
    noise : array, shape (state, noise input), optional
        Input in the step that leaves each state.
    band, least : float
        A pair is near-critical if (l - 1) / (l + 1) has a real part below ``band`` in modulus and an imaginary one above
        ``least``; > 0 and >= 0. The angle of l is then above 2 atan(least): 0.1 rad, a turn in 63 steps, by default.

    Returns
    -------
    LocalSpectra

    Raises
    ------
    ValueError
        States or noise of another shape than the network has units or inputs, or bounds out of range.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674, and the published code, which has noise in the
    gate over training and at switches (``least`` 0.05 and 0.06) and none in maps of residence.
    """
    weights = weights_of(net)
    visited = floats(states, "states", axes=("state, unit",))
    if visited.shape[1] != net.units:
        raise ValueError(f"states has shape {visited.shape}: give (state, {net.units}), as the network has units")
    received = None
    if noise is not None:
        received = floats(noise, "noise", axes=("state, noise input",))
        if received.shape != (len(visited), net.noise_inputs):
            raise ValueError(
                f"noise has shape {received.shape}: give {(len(visited), net.noise_inputs)}, one row for each state"
            )
    found = np.array([eigenvalues(weights, drive) for drive in weights.drive(visited, received)])
    return LocalSpectra(
        found,
        received is not None,
        number(band, "band", unit="", low=0, strict=True),
        number(least, "least", unit="", low=0),
    )


def switch_spectra(
    net: HMMRNN,
    *,
    window: int = 15,
    switches: int = 20,
    paths: int = 4,
    steps: int = 1000,
    band: float = BAND,
    least: float = 0.06,
    seed: int = 0,
) -> SwitchSpectra:
    """Eigenvalues along noise-driven paths through switches of the winner, beside those far from any switch.

    Parameters
    ----------
    net : HMMRNN
        Driven at its own noise level.
    window : int
        Steps before and after a switch, at least 1. Windows of switches that follow soon overlap, as published.
    switches : int
        How many are followed at most, and how many states far from them, at least 1.
    paths, steps : int
        Independent paths and their length, in which switches are sought.
    band, least : float
        See :func:`local_spectra`.
    seed : int

    Returns
    -------
    SwitchSpectra

    Raises
    ------
    ValueError
        If the winner never changes far enough from the ends of the paths.
    """
    window, switches = whole(window, "window"), whole(switches, "switches")
    found = driven(net, whole(paths, "paths"), whole(steps, "steps", low=2 * window + 3), seed=seed)
    # The noise at a step is what led to the state there: the step that leaves it has the noise of the next.
    last = found.states.shape[1] - 2
    near = np.zeros(found.winners.shape, dtype=bool)
    where = []
    for path, winners in enumerate(found.winners):
        for at in switch_times(winners):
            near[path, max(0, at - window) : at + window + 1] = True
            if window <= at <= last - window:
                where.append((path, at))
    if not where:
        raise ValueError(
            f"the winner changes nowhere in {paths} paths of {steps} steps: give more steps, or another network"
        )
    lag = np.arange(-window, window + 1)
    chosen = np.array(where[:: max(1, len(where) // switches)][:switches])
    path, at = np.repeat(chosen[:, 0], len(lag)), (chosen[:, 1, None] + lag).ravel()
    far = np.argwhere(~near[:, : last + 1])
    far = far[:: max(1, len(far) // (switches * len(lag)))]

    def spectra(path: np.ndarray, at: np.ndarray) -> tuple[LocalSpectra, LocalSpectra]:
        states = found.states[path, at]
        options = {"band": band, "least": least}
        return local_spectra(net, states, **options), local_spectra(
            net, states, noise=found.noise[path, at + 1], **options
        )

    free, noisy = spectra(path, at)
    shape = (len(chosen), len(lag))
    means = [(np.nan, np.nan)] * 2
    if len(far):
        means = [(float(s.unstable.mean()), float(s.near_critical.mean())) for s in spectra(far[:, 0], far[:, 1])]
    return SwitchSpectra(
        lag=lag,
        eigenvalues=free.eigenvalues.reshape(*shape, -1),
        eigenvalues_with_noise=noisy.eigenvalues.reshape(*shape, -1),
        unstable=free.unstable.reshape(shape),
        unstable_with_noise=noisy.unstable.reshape(shape),
        near_critical=free.near_critical.reshape(shape),
        near_critical_with_noise=noisy.near_critical.reshape(shape),
        elsewhere=means[0],
        elsewhere_with_noise=means[1],
        logits=found.logits[path, at].reshape(*shape, -1),
    )
