"""Layers of a PV-RNN: their configuration, their parameters, and what happens to a layer in a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

LOG_SIGMA = (-12.0, 4.0)  # beyond, the logarithm of a standard deviation is cut off, and has no gradient


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of a PV-RNN.

    Parameters
    ----------
    d, z : int
        Deterministic units and latent variables, at least 1; some ten units for each latent do well.
    tau : float
        Time constant in steps, at least 1; growing from layer to layer, some fourfold.
    meta_prior_factor : float
        Times the meta-prior of the network, above 0.

    Raises
    ------
    ValueError
        Sizes below 1, a time constant below 1, or a factor that is not positive.
    """

    d: int
    z: int
    tau: float
    meta_prior_factor: float = 1.0

    def __post_init__(self) -> None:
        for name in ("d", "z"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} = {value!r} of a layer; give a whole number, at least 1")
        if not 1 <= self.tau < math.inf:
            raise ValueError(f"tau = {self.tau!r} of a layer; give a number of steps, at least 1")
        if not 0 < self.meta_prior_factor < math.inf:
            raise ValueError(f"meta_prior_factor = {self.meta_prior_factor!r} of a layer; give a number above 0")


@dataclass(frozen=True, eq=False)
class Step:
    """One step: the inner state h (model, sequence, unit), and all about z (model, sequence, latent)."""

    h: Tensor
    z: Tensor
    prior_mean: Tensor
    prior_log_sigma: Tensor
    posterior_mean: Tensor | None
    posterior_log_sigma: Tensor | None


class LayerWeights(nn.Module):
    """Parameters of a layer, (model, target, source); prior and posterior have one map for the mean and one for log sigma."""

    recurrent: nn.Parameter
    latent: nn.Parameter
    bias: nn.Parameter
    top_down: nn.Parameter | None
    bottom_up: nn.Parameter | None
    prior_weight: nn.Parameter | None
    prior_bias: nn.Parameter | None
    posterior_weight: nn.Parameter | None
    posterior_bias: nn.Parameter | None

    def prior(self, d: Tensor, *, fixed: bool) -> tuple[Tensor, Tensor]:
        """Return mean and log sigma (model, sequence, latent) after d (model, sequence, unit); those of N(0, 1) if fixed."""
        if self.prior_weight is None or self.prior_bias is None or fixed:
            zero = d.new_zeros((*d.shape[:-1], self.latent.shape[2]))
            return zero, zero
        mean, log_sigma = maps(self.prior_weight, d, self.prior_bias)
        return torch.tanh(mean), log_sigma.clamp(*LOG_SIGMA)

    def posterior(self, d: Tensor, mean: Tensor, log_sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log sigma (model, sequence, latent) under adaptive vectors of that shape."""
        if self.posterior_weight is not None and self.posterior_bias is not None:
            of_mean, of_sigma = maps(self.posterior_weight, d, self.posterior_bias)
            mean, log_sigma = mean + of_mean, log_sigma + of_sigma
        return torch.tanh(mean), log_sigma.clamp(*LOG_SIGMA)


def divergence(step: Step) -> Tensor:
    """Return KL[posterior || prior] of each latent, (model, sequence, latent), nats, from a step with a posterior."""
    assert step.posterior_mean is not None and step.posterior_log_sigma is not None
    apart = step.posterior_mean - step.prior_mean
    ratio = (2 * step.posterior_log_sigma).exp() + apart.square()
    return step.prior_log_sigma - step.posterior_log_sigma + ratio * (-2 * step.prior_log_sigma).exp() / 2 - 0.5


def factors(layers: Sequence[Layer], normalisation: str) -> list[float]:
    """Return the factor of each layer by which w becomes w/N_z; ``normalisation`` is "layer", "total" or "sum"."""
    total = sum(layer.z for layer in layers)
    return [layer.meta_prior_factor / {"layer": layer.z, "total": total, "sum": 1}[normalisation] for layer in layers]


def gathered(steps: Sequence[Step]) -> list[Tensor]:
    """Return the fields of a step with an axis of time before the last, in order; NaN for what has no posterior."""
    none = torch.full_like(steps[0].z, math.nan)

    def each(name: str) -> Tensor:
        return torch.stack([none if (value := getattr(s, name)) is None else value for s in steps], 2)

    return [each(field.name) for field in fields(Step)]


def adaptive_of(given: Mapping[str, Any], like: Tensor, latents: int) -> dict[str, Tensor]:
    """Adaptive vectors by name, of type and place of a parameter ``like``; ValueError for other names and shapes."""
    names = ("mean", "log_sigma")
    if not isinstance(given, Mapping) or set(given) != set(names):
        found = f"a mapping of {sorted(given)}" if isinstance(given, Mapping) else f"a {type(given).__name__}"
        raise ValueError(f"adaptive is {found}; give adaptive vectors by name, {' and '.join(map(repr, names))}")
    found = {name: torch.as_tensor(given[name]).detach().to(like) for name in names}
    shape, other = (tuple(value.shape) for value in found.values())
    if len(shape) != 4 or shape != other or (shape[0], shape[3]) != (len(like), latents) or 0 in shape:
        wanted = f"(model, sequence, time, latent), ({len(like)}, ..., ..., {latents})"
        raise ValueError(f"adaptive vectors have shapes {shape} and {other}; needed is {wanted} for both")
    return found


def layer_of(given: Layer | Mapping[str, Any]) -> Layer:
    if isinstance(given, Layer):
        return given
    if isinstance(given, Mapping):
        return Layer(**given)
    raise TypeError(f"layers holds {given!r}; give layers, such as nd.Layer(d=10, z=1, tau=2)")


def slices(sizes: Sequence[int]) -> list[slice]:
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def affine(weight: Tensor, x: Tensor, bias: Tensor | None = None) -> Tensor:
    """W x + b of all models: (model, target, source) and (model, sequence, source); of each the bits that it has alone."""
    if 1 not in weight.shape[1:]:
        return x @ weight.mT if bias is None else torch.baddbmm(bias[:, None], x, weight.mT)
    # a product with a vector would have other bits where there are several models
    product = x * weight.mT if weight.shape[2] == 1 else (x * weight).sum(-1, keepdim=True)
    return product if bias is None else product + bias[:, None]


def maps(weight: Tensor, d: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The two maps of a prior or posterior, each (model, sequence, latent)."""
    mean, log_sigma = affine(weight.flatten(1, 2), d, bias.flatten(1)).chunk(2, -1)
    return mean, log_sigma
