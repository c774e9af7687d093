"""What generative networks that are trained by variational inference have in common: many models at once, a free energy."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurodyn.kernels.draws import normals
from neurodyn.models.codings import Coding, Encoded, coding_of
from neurodyn.models.seeded import SeededModule

STEPS = 2**32  # of a pass, at most


@dataclass(frozen=True, eq=False)
class FreeEnergy:
    """What a training makes small, and its parts.

    Attributes
    ----------
    loss : Tensor (model,)
        Summed over sequences and steps, with all normalisations and meta-priors.
    reconstruction : Tensor (model,)
        Error for each observed step, the mean over dimensions.
    divergence, first_divergence : Tensor (model, layer)
        Divergence of the posterior from the prior, nats: for each step after the first, and at the first.
    """

    loss: Tensor
    reconstruction: Tensor
    divergence: Tensor
    first_divergence: Tensor


@dataclass(frozen=True, eq=False)
class Rollout:
    """What a network generated, or how it explains sequences.

    Attributes
    ----------
    values : Tensor (model, sequence, time, dim) or (model, sequence, time)
        Decoded outputs.
    outputs : Tensor (model, sequence, time, output unit)
    d, h : Tensor (model, sequence, time, unit)
        Activity and inner state of all layers, the lowest first.
    z : Tensor (model, sequence, time, latent)
    prior_mean, prior_sigma : Tensor (model, sequence, time, latent)
    posterior_mean, posterior_sigma : Tensor (model, sequence, time, latent)
        NaN where z came from the prior.
    """

    values: Tensor
    outputs: Tensor
    d: Tensor
    h: Tensor
    z: Tensor
    prior_mean: Tensor
    prior_sigma: Tensor
    posterior_mean: Tensor
    posterior_sigma: Tensor


class GenerativeNetwork(SeededModule, ABC):
    """Networks of one configuration, with a leading axis of models, that generate sequences from latent noise.

    Parameters
    ----------
    output : Coding
    meta_prior : float or sequence of float
        Weight of the divergence in the loss, above 0; one for all models, or one for each.
    seed : int or sequence of int
        Key of the start weights and of the noise in training; one for all models, or one for each.
    dtype, device, sizes
        See :class:`neurodyn.models.seeded.SeededModule`.

    Attributes
    ----------
    models : int
        As many as there are meta-priors or seeds. A model of many trains and generates as it does alone.
    latents, depth : int
        Size of z, and number of layers that have one.
    """

    many: bool = True
    latents: int
    depth: int

    def __init__(
        self,
        *,
        output: Coding | Mapping[str, Any],
        meta_prior: float | Sequence[float],
        seed: int | Sequence[int],
        dtype: torch.dtype,
        device: Any,
        **sizes: int,
    ) -> None:
        weights = numbers("meta_prior", meta_prior)
        each: Any = [seed] if np.ndim(seed) == 0 else seed
        seeds = [int(s) if isinstance(s, np.integer) else s for s in each]
        count = max(len(weights), len(seeds))
        if not {len(weights), len(seeds)} <= {1, count} or not seeds:
            raise ValueError(
                f"meta_prior has {len(weights)} numbers, seed {len(seeds)}; give one for all models, or one for each"
            )
        super().__init__(seed=seeds * (count // len(seeds)), dtype=dtype, device=device, **sizes)
        self.models = count
        self.output = coding_of(output)
        self.meta_prior = tuple(weights * (count // len(weights)))
        self.config |= {"output": self.output.config, "meta_prior": list(self.meta_prior)}

    @abstractmethod
    def adaptive(self, sequences: int, steps: int) -> dict[str, torch.nn.Parameter]:
        """Return what is learnt for each sequence, by name; nothing for a network that infers its latents."""

    @abstractmethod
    def free_energy(self, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
        """Return the free energy of sequences under ``noise`` (model, sequence, time, latent)."""

    def descend(self, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
        """Return the free energy; its gradient, summed over models, becomes ``grad`` of all that is learnt, which has none."""
        found = self.free_energy(encoded, adaptive, noise)
        found.loss.sum().backward()
        return replace(found, loss=found.loss.detach())

    @abstractmethod
    def log_likelihood(self, sequences: Any, *, particles: int = 1000, seed: int = 1) -> Tensor:
        """Return a bound on the log-likelihood of each sequence, (model, sequence), nats; of values or an ``Encoded``."""

    def _encoded(self, sequences: Any) -> Encoded:
        if isinstance(sequences, Encoded):
            return sequences
        return self.output.encode(sequences, dtype=self.dtype, device=self.device)

    def _start(self, start: Tensor, sequences: int) -> Tensor:
        if start.shape == (self.models, self.units):
            return start[:, None]
        if start.shape != (self.models, sequences, self.units):
            wanted = f"(model, unit), {(self.models, self.units)}, or {(self.models, sequences, self.units)}"
            raise ValueError(f"start has shape {tuple(start.shape)}; needed is {wanted}")
        return start

    def select(self, models: int | Sequence[int]) -> Any:
        """Return a network of its own that holds these models alone; their numbers are the same."""
        chosen = np.atleast_1d(models).tolist()
        if not chosen or not all(isinstance(k, int) and -self.models <= k < self.models for k in chosen):
            raise ValueError(f"models = {models!r}; the network has models 0 to {self.models - 1}")
        config: dict[str, Any] = dict(self.config)
        config |= {name: [self.config[name][k] for k in chosen] for name in ("meta_prior", "seed")}
        made = type(self)(**config, dtype=self.dtype, device=self.device)
        made.load_state_dict({name: value[chosen] for name, value in self.state_dict().items()})
        return made

    def noise(self, stream: str, sequences: int, steps: int, *, step: int, key: int) -> Tensor:
        """Return standard normals (model, sequence, time, latent) of one pass, a function of ``key`` and ``step`` alone.

        More sequences begin with the fewer. Models have streams of their own, by their seeds.
        """
        shape, made = (sequences, steps, self.latents), {}
        for seed in dict.fromkeys(self.seed):
            drawn = normals(f"{stream}.{seed}", shape, seed=key, step=step, device=self.device)
            made[seed] = drawn.to(self.dtype)
        return torch.stack([made[seed] for seed in self.seed])

    def noise_at(self, stream: str, sequences: int, *, step: int, time: int, key: int) -> Tensor:
        """Return the draws (model, sequence, latent) of one time step: a longer run begins with the shorter."""
        return self.noise(stream, sequences, 1, step=step * STEPS + time, key=key)[:, :, 0]


def check_pass(noise: float, **whole: tuple[Any, int]) -> None:
    """Raise ValueError for a negative factor of the noise, and whole numbers below what stands beside them."""
    for name, (value, least) in whole.items():
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
            raise ValueError(f"{name} = {value!r}; give a whole number, at least {least}")
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise = {noise!r}; give a factor of at least 0")


def numbers(name: str, given: float | Sequence[float]) -> list[float]:
    """One positive number or several, as a list; ValueError for anything else."""
    found: list[Any]
    try:
        found = np.atleast_1d(np.asarray(given, dtype=float)).tolist()
    except ValueError:
        found = [given]
    for value in found:
        if not isinstance(value, float):
            raise ValueError(f"{name} = {given!r}; give a number above 0, or one for each model")
        if not 0 < value < math.inf:
            raise ValueError(f"{name} = {value!r}; give a number above 0, such as 0.05")
    if not found:
        raise ValueError(f"{name} is empty; give a number, or one for each model")
    return found
