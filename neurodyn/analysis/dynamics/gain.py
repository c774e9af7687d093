"""Random rate networks against their gain: where chaos begins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, floats, number, whole
from .._result import Result
from ..statistics import BootstrapInterval, bootstrap_mean
from .lyapunov import lyapunov_exponents

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class GainSweep(Result, figure="gain_sweep"):
    """Largest Lyapunov exponents of random rate networks; ``print`` shows a table.

    Attributes
    ----------
    gains : array, shape (gain)
    largest, error : array, shape (gain, network)
        Largest exponent and its standard error, nats per time constant.
    at_origin : array, shape (gain, network)
        Rate at which perturbations of the fixed point x = 0 grow, max Re(eigenvalue of g J) - 1: the exponent as long as
        this point is where the network goes, and the control for what is chaos.
    units : int
    """

    gains: FloatArray
    largest: FloatArray
    error: FloatArray
    at_origin: FloatArray
    units: int

    @cached_property
    def interval(self) -> BootstrapInterval:
        """Mean over networks with its bootstrap interval, (gain)."""
        return bootstrap_mean(self.largest.T)

    @property
    def chaotic(self) -> FloatArray:
        """Share of networks with an exponent above 0 by more than two standard errors, (gain)."""
        return (self.largest > 2 * self.error).mean(axis=1)

    def __str__(self) -> str:
        mean = self.interval
        lines = [
            f"largest exponent of {mean.networks} random networks of {self.units} units, nats per time constant",
            f"{'gain':>7}{'mean':>10}{'95 % interval':>20}{'at origin':>11}{'chaotic':>9}",
        ]
        for k, gain in enumerate(self.gains):
            interval = f"{mean.low[k]:+.4f} to {mean.high[k]:+.4f}"
            lines.append(
                f"{gain:>7.3g}{mean.mean[k]:>+10.4f}{interval:>20}{self.at_origin[k].mean():>+11.4f}"
                f"{self.chaotic[k]:>9.2f}"
            )
        return "\n".join(lines)


def gain_sweep(
    gains: ArrayLike,
    *,
    units: int = 200,
    networks: int = 10,
    steps: int = 4000,
    discard: int = 2000,
    every: int = 10,
    dt: float = 0.1,
    seed: int = 0,
) -> GainSweep:
    """Largest Lyapunov exponent of random rate networks x' = -x + g J tanh(x) against their gain g.

    J is normal with standard deviation 1/sqrt(units). For infinitely many units the network is at rest for g < 1, with
    exponent g - 1, and chaotic for g > 1, where the exponent begins as (g - 1)^2 / 2. Finite networks are blurred: just above
    g = 1 many have a fixed point or a cycle.

    Parameters
    ----------
    gains : array, shape (gain)
        Each at least 0. A network has the same J at all of them.
    units, networks : int
        At least 1; at least 2.
    steps, discard, every : int
        See :func:`lyapunov_exponents`.
    dt : float
        Step of Euler's scheme in time constants, above 0 and at most 0.5. Exponents are those of this map, over dt.
    seed : int
        Of J and of start states.

    Raises
    ------
    ValueError
        For numbers out of range.

    Notes
    -----
    Don't trust single networks near g = 1: transients last long there (give more ``discard``), and a limit cycle, whose
    exponent is 0, is taken for chaos or rest by its standard error alone. Euler's scheme alone moves the exponent at the
    origin from r to ln(1 + r dt)/dt.

    References
    ----------
    Sompolinsky, Crisanti & Sommers (1988) PRL 61:259.
    """
    import torch

    values = floats(gains, "gains", axes=("gain",))
    if values.min() < 0:
        raise ValueError(f"gains holds {values.min():g}: at least 0")
    units, networks = whole(units, "units"), whole(networks, "networks", low=2)
    dt = number(dt, "dt", unit="time constants", low=0, strict=True)
    if dt > 0.5:
        raise ValueError(f"dt = {dt:g}: at most 0.5 time constants")
    rng = np.random.default_rng(whole(seed, "seed", low=0))
    drawn = rng.normal(size=(networks, units, units)) / units**0.5
    start = torch.from_numpy(np.tile(rng.normal(size=(networks, units)), (len(values), 1)))
    weights = torch.from_numpy((values[:, None, None, None] * drawn).reshape(-1, units, units))

    def step(x: Tensor) -> Tensor:
        return x + dt * (-x + (weights @ torch.tanh(x)[..., None])[..., 0])

    def tangent(x: Tensor, _: Tensor, q: Tensor) -> Tensor:
        return (1 - dt) * q + dt * (weights @ ((1 - torch.tanh(x) ** 2)[..., None] * q))

    found = lyapunov_exponents(step, start, steps=steps, discard=discard, every=every, tangent=tangent, dt=dt)
    shape = (len(values), networks)
    spectral = np.array([np.linalg.eigvals(each).real.max() for each in drawn])
    return GainSweep(
        values, found.largest.reshape(shape), found.error[:, 0].reshape(shape), np.outer(values, spectral) - 1, units
    )
