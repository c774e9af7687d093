"""What a generative network does when it runs freely: is it chaotic, or driven by its noise?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, number, whole
from ..dynamics.lyapunov import LyapunovExponents, lyapunov_exponents

if TYPE_CHECKING:
    from torch import Tensor

    from neurodyn.models.pvrnn import PVRNN

BURN_IN = 100  # steps under full noise, from rest: where runs begin


@dataclass(frozen=True, eq=False)
class PriorLyapunov:
    """Lyapunov exponents of networks that generate from their prior; ``print`` shows a table.

    Attributes
    ----------
    found : LyapunovExponents
        All of them; a batch is the runs of the first model, then those of the second, ...
    models : int
    meta_prior : array, shape (model)
    noise : float
        Factor of the noise: 0 without.
    """

    found: LyapunovExponents
    models: int
    meta_prior: FloatArray
    noise: float

    @property
    def largest(self) -> FloatArray:
        """Largest exponent, (model, run); nats per step."""
        return self.found.largest.reshape(self.models, -1)

    @property
    def error(self) -> FloatArray:
        """Its standard error, (model, run)."""
        return self.found.error[:, 0].reshape(self.models, -1)

    @property
    def exponent(self) -> FloatArray:
        """Mean over runs, (model,)."""
        return self.largest.mean(axis=1)

    def __str__(self) -> str:
        lines = [f"largest exponent, nats per step, noise times {self.noise:g}, {self.largest.shape[1]} runs"]
        lines.append(f"{'model':>5}{'w':>10}{'mean':>10}{'least':>10}{'greatest':>10}{'SE':>10}")
        for k, row in enumerate(self.largest):
            numbers = (row.mean(), row.min(), row.max(), np.sqrt(np.mean(self.error[k] ** 2)))
            lines.append(f"{k:>5}{self.meta_prior[k]:>10.4g}" + "".join(f"{value:>+10.4f}" for value in numbers))
        return "\n".join(lines)


def prior_lyapunov(
    net: PVRNN,
    *,
    noise: float = 0.0,
    steps: int = 2500,
    discard: int = 500,
    runs: int = 5,
    count: int | None = 1,
    seed: int = 1,
) -> PriorLyapunov:
    """Find the Lyapunov exponents of networks that run freely, of all models at once.

    The state is the inner state h of all layers. Runs begin in states that full noise had led to, so that those of several
    attractors are found. Under noise, state and perturbation get the same: the exponent is that of a random dynamical
    system, below 0 where noise alone decides what is generated. Computed in float64.

    Parameters
    ----------
    net : PVRNN
    noise : float
        Factor of the noise, at least 0.
    steps, discard : int
        Steps that are averaged over, at least 40, and before them, under the same noise.
    runs : int
        Of each model, at least 1.
    count : int or None
        Exponents, the largest ones; all of them if None.
    seed : int
        Key of the noise; models of one seed get the same.

    Notes
    -----
    Above 0 while the output is aperiodic: deterministic chaos; about 0: periodic or quasiperiodic; below 0: periodic or a
    fixed point without noise, an echo of the noise with it. Both are needed: they can differ in sign.

    References
    ----------
    Ahmadi & Tani (2019) Neural Computation 31(11):2025-2074.
    """
    from neurodyn.models.pvrnn import PVRNN
    from neurodyn.models.pvrnn_tangent import prior_tangent

    runs, seed = whole(runs, "runs"), whole(seed, "seed", low=0)
    noise, discard = number(noise, "noise", unit="", low=0), whole(discard, "discard", low=0)
    exact = in_float64(net)
    start = exact.generate(1, sequences=runs, burn_in=BURN_IN, seed=seed).h[:, :, -1]
    silent = start.new_zeros(exact.models, runs, exact.latents)

    def by_model(state: Tensor) -> Tensor:
        return state.unflatten(0, (exact.models, runs))

    def step(state: Tensor, eps: Tensor) -> Tensor:
        return exact.step(by_model(state), eps).h.flatten(0, 1)

    def tangent(state: Tensor, after: Tensor, perturbations: Tensor, eps: Tensor) -> Tensor:
        moved = prior_tangent(exact, by_model(state), by_model(after), eps, by_model(perturbations))
        return moved.flatten(0, 1)

    def drawn(k: int) -> Tensor:
        if not noise:
            return silent
        return noise * exact.noise_at("lyapunov", runs, step=0, time=k, key=seed)

    found = lyapunov_exponents(
        step,
        start.flatten(0, 1),
        steps=steps,
        discard=discard,
        count=count,
        inputs=drawn,
        tangent=tangent if type(net).step is PVRNN.step else None,
        seed=seed,
    )
    return PriorLyapunov(found, exact.models, np.array(exact.meta_prior), noise)


def in_float64(net: PVRNN) -> PVRNN:
    """A copy of a network that computes in float64, and has no gradients; TypeError for any that is no PV-RNN."""
    import torch

    from neurodyn.models.pvrnn import PVRNN

    if not isinstance(net, PVRNN):
        raise TypeError(
            f"net is a {type(net).__name__}; give a network whose latents come from its own state: nd.PVRNN"
        )
    made = type(net)(**net.config, dtype=torch.float64, device=net.device)
    made.load_state_dict(net.state_dict())
    return made.requires_grad_(False)
