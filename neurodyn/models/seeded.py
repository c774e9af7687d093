"""A torch module whose start weights are a function of a seed, and which tells its configuration."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from neurodyn.kernels.draws import uniforms


class SeededModule(nn.Module):
    """A network that is trained by gradient: seeded parameters, sizes that are checked, a configuration.

    Parameters
    ----------
    sizes : int
        By name, each a whole number, at least 1; they begin ``config`` and are attributes.
    seed : int
        Key of the start weights: one seed, one network, on every device.
    dtype, device : torch.dtype, torch.device

    Raises
    ------
    ValueError
        For sizes below 1, and seeds out of range.
    """

    def __init__(self, *, seed: int, dtype: torch.dtype, device: Any, **sizes: int) -> None:
        super().__init__()
        for name, value in sizes.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} = {value!r}; give a whole number, at least 1")
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise ValueError(f"seed = {seed!r}; give a whole number from 0 to 2^63 - 1")
        for name, value in sizes.items():
            setattr(self, name, value)
        self.seed = seed
        self.config: dict[str, Any] = {**sizes, "seed": seed}
        self._where = {"dtype": dtype, "device": device}

    def _uniform(self, name: str, shape: tuple[int, ...], high: float, low: float | None = None) -> nn.Parameter:
        """A parameter uniform in [low, high], [-high, high] if ``low`` is None, drawn from the stream of its name."""
        low = -high if low is None else low
        u = uniforms(f"initial.{name}", shape, seed=self.seed, step=0)
        return nn.Parameter((low + (high - low) * u).to(**self._where))

    @property
    def device(self) -> torch.device:
        """Where the parameters lie."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the parameters."""
        return next(self.parameters()).dtype
