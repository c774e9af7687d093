"""Time constants that are trained: what is stored, and what share of the new a unit takes in a step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from neurodyn.models.naming import one_of

PARAMETRISATIONS = ("raw", "alpha", "sigmoid", "decay")


class TimeConstants(nn.Module):
    """Time constants tau of leaky units, in steps (of digits where digits are held), and alpha, the share of the new.

    ==========  ================================================  ===========================================
    name        what is stored                                    alpha
    ==========  ================================================  ===========================================
    "raw"       tau, unbounded                                    1 / max(tau, 1); no gradient below tau = 1
    "alpha"     alpha = 1 / tau, unbounded                        as stored
    "sigmoid"   g; tau = low + (high - low) sigmoid(g)            1 / max(tau, 1)
    "decay"     exp(-1/tau), held within the bounds in place      1 - exp(-1/tau)
    ==========  ================================================  ===========================================

    Sources, in this order: Khajehabdollahi et al. 2024; nn4n; Kim, Li & Sejnowski 2019; Perez-Nieves et al. 2021.
    Only "raw" has units that get stuck just below tau = 1.

    Parameters
    ----------
    initial : (units,) or (1,) tensor
        tau to begin with; one number is shared by all units.
    parametrisation : "raw", "alpha", "sigmoid" or "decay"
    bounds : (low, high)
        Of tau, for "sigmoid" and "decay".
    learn : bool
        Whether they are trained.

    Raises
    ------
    ValueError
        For bounds out of order, and time constants outside them.
    """

    value: Tensor

    def __init__(
        self, initial: Tensor, *, parametrisation: str = "raw", bounds: tuple[float, float], learn: bool
    ) -> None:
        super().__init__()
        self.parametrisation = one_of("parametrisation", parametrisation, PARAMETRISATIONS)
        low, high = self.bounds = bounds
        if not 0 < low < high < math.inf:
            raise ValueError(f"tau_bounds = {bounds!r}; give (low, high) with 0 < low < high")
        bounded = parametrisation in ("sigmoid", "decay")
        floor = low if parametrisation == "decay" else max(low, 1.0) if bounded else 1.0
        smallest, largest = float(initial.min()), float(initial.max())
        if not (math.isfinite(largest) and smallest >= floor):
            raise ValueError(
                f"tau starts at {smallest:g}; {parametrisation!r} allows {floor:g} and more, in steps: a unit can't be "
                "faster than a step. Raise tau or tau_initial"
            )
        if bounded and not largest <= high:
            raise ValueError(f"tau starts at up to {largest:g}, above tau_bounds = {bounds!r}; raise the upper bound")
        stored = self._stored(initial)
        if learn:
            self.value = nn.Parameter(stored)
        else:
            self.register_buffer("value", stored)

    def _stored(self, tau: Tensor) -> Tensor:
        low, high = self.bounds
        if self.parametrisation == "alpha":
            return 1 / tau
        if self.parametrisation == "sigmoid":
            return torch.logit((tau - low) / (high - low), eps=1e-6)
        return torch.exp(-1 / tau) if self.parametrisation == "decay" else tau.clone()

    @property
    def tau(self) -> Tensor:
        """Time constants as they are, for "raw" also below 1, where alpha stays 1."""
        low, high = self.bounds
        if self.parametrisation == "alpha":
            return 1 / self.value
        if self.parametrisation == "sigmoid":
            return low + (high - low) * torch.sigmoid(self.value)
        return -1 / torch.log(self.value) if self.parametrisation == "decay" else self.value

    def set(self, tau: Any) -> None:
        """Set tau, (units,) or one number."""
        with torch.no_grad():
            given = torch.as_tensor(tau, dtype=self.value.dtype, device=self.value.device)
            self.value.copy_(self._stored(given.expand_as(self.value)))

    def alpha(self, substeps: int = 1) -> Tensor:
        """Return the share of the new in a step of 1/substeps; in place, "decay" is put within its bounds first."""
        if self.parametrisation == "alpha":
            return self.value / substeps
        if self.parametrisation == "decay":
            # .data: a pass before this one, not yet gone back through, must not take it for a change of its own
            self.value.data.clamp_(*(math.exp(-1 / bound) for bound in self.bounds))
            return 1 - self.value ** (1 / substeps)
        return 1 / torch.clamp(substeps * self.tau, min=1.0)

    def slope(self, substeps: int = 1) -> Tensor:
        """Return the derivative of :meth:`alpha` by what is stored, in the shape of the latter."""
        if self.parametrisation == "alpha":
            return torch.full_like(self.value, 1 / substeps)
        if self.parametrisation == "decay":
            return -(self.value ** (1 / substeps - 1)) / substeps
        tau = self.tau
        slope = torch.where(substeps * tau >= 1, -1 / (substeps * tau * tau), 0.0)
        if self.parametrisation == "sigmoid":
            low, high = self.bounds
            share = torch.sigmoid(self.value)
            slope = slope * ((high - low) * share * (1 - share))
        return slope
