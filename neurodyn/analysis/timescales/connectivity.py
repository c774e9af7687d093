"""How weights and time constants of a rate network go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, floats, whole


@dataclass(frozen=True, eq=False)
class ConnectivityByTau:
    """Recurrent weights of a network, as a whole and by the time constants of their targets.

    Attributes
    ----------
    mean, sd : float
        Over all weights off the diagonal.
    quantiles : array, shape (5)
        Their 5th, 25th, 50th, 75th and 95th percentile.
    tau : array, shape (group)
        Mean time constant of the units in each group, fastest first, in steps.
    units : array of int, shape (group)
    incoming, incoming_sd : array, shape (group)
        Mean and standard deviation over the units of a group of the weights that a unit receives, summed.
    radius : float
        Spectral radius of the weights, diagonal included.
    leaky_radius : float
        Spectral radius of one linear step, diag(1 - a) + diag(a) W with a = 1 / max(tau, 1); above 1 only a
        nonlinearity keeps activity bounded.
    """

    mean: float
    sd: float
    quantiles: FloatArray
    tau: FloatArray
    units: IntArray
    incoming: FloatArray
    incoming_sd: FloatArray
    radius: float
    leaky_radius: float


def connectivity_by_tau(weights: ArrayLike, tau: ArrayLike, *, groups: int = 10) -> ConnectivityByTau:
    """Distribution of recurrent weights, summed input by time constant, and spectral radii.

    Parameters
    ----------
    weights : array, shape (target, source)
        W_ij is the weight from unit j to unit i.
    tau : array, shape (unit)
        Time constants in steps; below 1 they act as 1.
    groups : int
        Quantile groups of tau, of sizes that differ by one at most; ties go by unit.

    Returns
    -------
    ConnectivityByTau

    Raises
    ------
    ValueError
        Not one time constant for each unit, or more groups than units.

    References
    ----------
    Khajehabdollahi et al. 2024, ICLR, arXiv 2309.12927, Eq. 1.
    """
    w = floats(weights, "weights", axes=("target, source",), shortest=2)
    time_constants = floats(tau, "tau", axes=("unit",), shortest=2)
    if w.shape != (len(time_constants),) * 2:
        raise ValueError(
            f"weights has shape {w.shape}, tau {time_constants.shape}: give one tau a unit, weights (unit, unit)"
        )
    members = np.array_split(np.argsort(time_constants, kind="stable"), whole(groups, "groups", high=len(w)))
    off = w[~np.eye(len(w), dtype=bool)]
    received = w.sum(axis=1) - w.diagonal()
    a = 1 / np.maximum(time_constants, 1.0)
    step = np.diag(1 - a) + a[:, None] * w
    return ConnectivityByTau(
        float(off.mean()),
        float(off.std()),
        np.percentile(off, [5, 25, 50, 75, 95]),
        np.array([time_constants[m].mean() for m in members]),
        np.array([len(m) for m in members]),
        np.array([received[m].mean() for m in members]),
        np.array([received[m].std() for m in members]),
        float(np.abs(np.linalg.eigvals(w)).max()),
        float(np.abs(np.linalg.eigvals(step)).max()),
    )
