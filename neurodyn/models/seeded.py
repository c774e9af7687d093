"""A torch module whose start weights are a function of a seed, and which tells its configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from neurodyn.kernels.draws import normals, uniforms


class SeededModule(nn.Module):
    """A network that is trained by gradient: seeded parameters, sizes that are checked, a configuration.

    Parameters
    ----------
    sizes : int
        By name, each a whole number, at least 1; they begin ``config`` and are attributes.
    seed : int
        Key of the start weights: one seed, one network, on every device. A class of which there may be ``several`` takes a
        sequence of seeds: then all parameters have a leading axis of models.
    dtype, device : torch.dtype, torch.device

    Attributes
    ----------
    many : bool
        Whether parameters have a leading axis of models.
    models : int
        Their number, 1 without that axis.

    Raises
    ------
    ValueError
        For sizes below 1, and seeds out of range.
    """

    several: ClassVar[bool] = False
    references: ClassVar[tuple[str, ...]] = ()  # keys of what to cite
    many: bool = False
    models: int
    seed: Any

    def __init__(self, *, seed: int | Sequence[int], dtype: torch.dtype, device: Any, **sizes: int) -> None:
        super().__init__()
        for name, value in sizes.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} = {value!r}; give a whole number, at least 1")
        one_each = (self.several or self.many) and np.ndim(seed) == 1
        seeds = tuple(int(s) if isinstance(s, np.integer) else s for s in seed) if one_each else (seed,)  # type: ignore[union-attr]
        if not seeds:
            raise ValueError("seed is empty; give a whole number, or one for each model")
        for one in seeds:
            if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one < 2**63:
                raise ValueError(f"seed = {one!r}; give a whole number from 0 to 2^63 - 1")
        for name, value in sizes.items():
            setattr(self, name, value)
        self._seeds: tuple[Any, ...] = seeds
        self.models = len(seeds)
        self.many = self.many or one_each
        self.seed = seeds if self.many else seeds[0]
        self.config: dict[str, Any] = {**sizes, "seed": list(seeds) if self.many else seeds[0]}
        self._where = {"dtype": dtype, "device": device}

    def _uniform(self, name: str, shape: tuple[int, ...], high: float, low: float | None = None) -> nn.Parameter:
        """A parameter uniform in [low, high], [-high, high] if ``low`` is None, drawn from the stream of its name."""
        low = -high if low is None else low
        return self._parameter(uniforms, name, shape, lambda u: low + (high - low) * u)

    def _normal(self, name: str, shape: tuple[int, ...], deviation: float) -> nn.Parameter:
        """A parameter with a normal distribution about 0, drawn from the stream of its name."""
        return self._parameter(normals, name, shape, lambda u: deviation * u)

    def _parameter(
        self, draw: Callable[..., Tensor], name: str, shape: tuple[int, ...], made: Callable[[Tensor], Tensor]
    ) -> nn.Parameter:
        each = [made(draw(f"initial.{name}", shape, seed=seed, step=0)) for seed in self._seeds]
        return nn.Parameter((torch.stack(each) if self.many else each[0]).to(**self._where))

    def check_one(self) -> None:
        """Raise ValueError if there is an axis of models: what is for one network has no use for several."""
        if self.many:
            raise ValueError(f"the {type(self).__name__} holds {self.models} networks; take one: net.select(0)")

    @property
    def device(self) -> torch.device:
        """Where the parameters lie."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the parameters."""
        return next(self.parameters()).dtype
