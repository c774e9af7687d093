"""The free energy of a PV-RNN with its gradient in one launch on a GPU; the kernel: :mod:`neurodyn.kernels.triton_pvrnn`.

For each model the kernel reads a row of numbers: matrices over all units and latents of the network, padded to powers of
two. The parameters of the network are gathered into such rows, and gradients out of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from neurodyn.models.codings import Encoded
    from neurodyn.models.generative import FreeEnergy
    from neurodyn.models.pvrnn import PVRNN

OPTIONS = {"num_stages": 1, "enable_fp_fusion": True}  # of the compiler
LANES = 16  # sequences of a program: the smallest tile that a product takes, so that programs are many
LARGEST = 64  # units, outputs or latents: beyond, the gradients of weights no longer fit into registers


class Rows(NamedTuple):
    """How the parameters of a network lie in the rows of the kernel."""

    constants: dict[str, int]  # sizes, where matrices begin, and switches, as the kernel names them
    place: Tensor  # (parameter,), of a model's parameters one after the other: position in the row
    leak: Tensor  # (2, unit): 1 - 1/tau and 1/tau
    layer: Tensor  # (latent,): that of a latent
    warps: int


def launchable(net: PVRNN) -> bool:
    """Return whether the kernel takes a network: triton is there, and it isn't too large."""
    return find_spec("triton") is not None and max(_padded(net)) <= LARGEST


def launched_free_energy(net: PVRNN, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
    """Return the free energy of sequences under adaptive vectors and noise; see :meth:`PVRNN.free_energy`."""
    parameters = torch.cat([value.flatten(1) for value in net.parameters()], 1)
    loss, sums = _Launched.apply(parameters, adaptive["mean"], adaptive["log_sigma"], noise, net, encoded)  # type: ignore[misc]
    error, first, later = sums.split([1, net.depth, net.depth], 1)
    return replace(net.free_energy_of(encoded, error[:, 0], later, first), loss=loss)


class _Launched(torch.autograd.Function):
    """The loss of each model, differentiable, and the sums it is made of."""

    @staticmethod
    def forward(ctx: Any, parameters, mean, log_sigma, noise, net, encoded):  # type: ignore[override]
        sums, ctx.grads = launch(net, encoded, *(v.detach() for v in (parameters, mean, log_sigma, noise)))
        ctx.mark_non_differentiable(sums)
        error, first, later = sums.split([1, net.depth, net.depth], 1)
        per_x, weights, weights_first = net.weights_of_loss
        return error[:, 0] * per_x + (weights * later + weights_first * first).sum(1), sums

    @staticmethod
    def backward(ctx: Any, scale, _):  # type: ignore[override]
        return (*(v * scale.view(-1, *(1,) * (v.ndim - 1)) for v in ctx.grads), None, None, None)


def launch(
    net: PVRNN, encoded: Encoded, parameters: Tensor, mean: Tensor, log_sigma: Tensor, noise: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Return sums (model, 1 + 2 layers) as the compiled kernel has them, and the gradients of the first three tensors."""
    from neurodyn.kernels.triton_pvrnn import free_energy

    rows = rows_of(net)
    given = arguments(net, rows, encoded, parameters, mean, log_sigma, noise)
    where = torch.cuda.device(net.device) if net.device.type == "cuda" else nullcontext()
    with where, np.errstate(all="ignore"):  # errors: where the kernel runs in NumPy
        kernel: Any = free_energy
        kernel[(net.models, given["g_weights"].shape[1])](**given, **rows.constants, num_warps=rows.warps, **OPTIONS)
    # tiles are added up here, in order: added by the programs, they would come in any
    sums, latents = given["sums"].sum(1), rows.constants["Z"]
    divergences = sums[:, 1:].view(-1, 2, latents)[:, :, : net.latents]
    by_layer = sums.new_zeros(net.models, 2, net.depth).index_add_(2, rows.layer, divergences)
    of_weights = given["g_weights"].sum(1)[:, rows.place]
    return torch.cat([sums[:, :1], by_layer.flatten(1)], 1), (of_weights, given["g_mean"], given["g_sigma"])


def arguments(
    net: PVRNN, rows: Rows, encoded: Encoded, parameters: Tensor, mean: Tensor, log_sigma: Tensor, noise: Tensor
) -> dict[str, Any]:
    """Return the tensors and sizes that the kernel is called with; ValueError for what it would read beyond its end."""
    models, (sequences, steps) = net.models, encoded.targets.shape[:2]
    shape = (models, sequences, steps, net.latents)
    for name, value in (("adaptive['mean']", mean), ("adaptive['log_sigma']", log_sigma), ("noise", noise)):
        if value.shape != shape or value.dtype != net.dtype:
            raise ValueError(
                f"{name} is {value.dtype} of shape {tuple(value.shape)}; needed is {net.dtype} of shape "
                f"(model, sequence, time, latent), {shape}"
            )
    units, latents, size = (rows.constants[name] for name in ("U", "Z", "WEIGHTS"))
    tiles = -(-sequences // LANES)
    per_x, later, first = net.weights_of_loss
    of_loss = parameters.new_zeros(models, 2 * latents + 1)
    of_loss[:, : net.latents] = first[:, rows.layer]
    of_loss[:, latents : latents + net.latents] = later[:, rows.layer]
    of_loss[:, -1] = per_x
    return {
        "weights": parameters.new_zeros(models, size).index_copy_(1, rows.place, parameters),
        "leak": rows.leak,
        "of_loss": of_loss,
        "mean_a": mean.contiguous(),
        "sigma_a": log_sigma.contiguous(),
        "noise": noise.contiguous(),
        "targets": encoded.targets.contiguous(),
        "observed": encoded.observed.contiguous(),
        "lengths": encoded.lengths.contiguous(),
        "states": parameters.new_empty(models * tiles, steps + 1, LANES, units),
        "g_weights": parameters.new_empty(models, tiles, size),
        "g_mean": torch.empty_like(mean, memory_format=torch.contiguous_format),
        "g_sigma": torch.empty_like(log_sigma, memory_format=torch.contiguous_format),
        "sums": parameters.new_empty(models, tiles, 1 + 2 * latents),
        "sequences": sequences,
        "steps": steps,
        "latents": net.latents,
        "dims": net.output.dims,
        "bins": net.output.units // net.output.dims,
    }


def _padded(net: PVRNN) -> tuple[int, int, int, int]:
    """Return units, latents, outputs, and groups of outputs, each a power of two; products need 16."""
    groups = _power(net.output.dims)
    units, latents = (max(LANES, _power(n)) for n in (net.units, net.latents))
    return units, latents, max(LANES, groups * _power(net.output.units // net.output.dims)), groups


def _power(n: int) -> int:
    return 1 << (n - 1).bit_length()


def rows_of(net: PVRNN) -> Rows:
    """Return how the parameters of a network lie in the rows of the kernel."""
    from neurodyn.models.pvrnn_layer import LOG_SIGMA

    found = vars(net).get("_rows")
    if found is not None and (found.leak.dtype, found.leak.device) == (net.dtype, net.device):
        return found
    units, latents, outputs, groups = _padded(net)
    sizes = {
        "RECURRENT": units * units,
        "LATENT": units * latents,
        "BIAS": units,
        "DOWN": units * units,
        "PRIOR": 2 * latents * units,
        "PRIOR_BIAS": 2 * latents,
        "POSTERIOR": 2 * latents * units,
        "POSTERIOR_BIAS": 2 * latents,
        "OUTPUT": outputs * units,
        "OUTPUT_BIAS": outputs,
    }
    begin = {name: sum(list(sizes.values())[:k]) for k, name in enumerate(sizes)}
    bins = net.output.units // net.output.dims
    output = np.arange(net.output.units)
    output = output // bins * (outputs // groups) + output % bins
    places = {
        "output_weight": begin["OUTPUT"] + np.add.outer(output * units, np.arange(net.layers[0].d)),
        "output_bias": begin["OUTPUT_BIAS"] + output,
    }
    for k in range(net.depth):
        places |= {f"stack.{k}.{name}": at for name, at in _places_of_layer(net, k, begin, units, latents).items()}
    of_model = np.concatenate([places[name].ravel() for name, _ in net.named_parameters()])
    tau = np.ones(units)
    for at, layer in zip(net.of_d, net.layers, strict=True):
        tau[at] = layer.tau
    made = Rows(
        constants=begin
        | {"LANES": LANES, "U": units, "Z": latents, "OUT": outputs, "GROUPS": groups, "DEPTH": net.depth}
        | {
            "WEIGHTS": sum(sizes.values()),
            "HEAD": {"softmax": 0, "tanh": 1, "linear": 2}[getattr(net.output, "activation", "softmax")],
            "ABOVE_NOW": int(net.top_down == "current" and net.depth > 1),
            "FULL": int(net.posterior == "full"),
            "LEARNT": int(net.prior == "learned"),
            "UNIT_FIRST": int(net.first_step_prior == "unit"),
            "LOW": LOG_SIGMA[0],
            "HIGH": LOG_SIGMA[1],
            # of three passes over parts of each number on tensor cores, as exact as float32: many products unrolled in
            # float32 itself are more than the compiler has registers for
            "DOT": "ieee" if max(units, latents, outputs) <= 32 else "tf32x3",
        },
        place=torch.from_numpy(of_model).to(net.device),
        leak=torch.from_numpy(np.stack([1 - 1 / tau, 1 / tau])).to(net.output_weight.detach()),
        layer=torch.tensor([k for k, layer in enumerate(net.layers) for _ in range(layer.z)], device=net.device),
        warps=4
        if max(units, latents, outputs) == LANES
        else 8,  # as the compiler's report of spilled registers wants it
    )
    vars(net)["_rows"] = made
    return made


def _places_of_layer(net: PVRNN, k: int, begin: Mapping[str, int], units: int, latents: int) -> dict[str, np.ndarray]:
    """Return where the parameters of a layer lie in a row, by name, each in the shape of its parameter."""
    every = np.arange(net.units)
    d, z = every[net.of_d[k]], np.arange(net.latents)[net.of_z[k]]
    found = {
        "recurrent": begin["RECURRENT"] + np.add.outer(d * units, d),
        "latent": begin["LATENT"] + np.add.outer(d * latents, z),
        "bias": begin["BIAS"] + d,
    }
    if k + 1 < net.depth:
        at = begin["DOWN" if net.top_down == "current" else "RECURRENT"]
        found["top_down"] = at + np.add.outer(d * units, every[net.of_d[k + 1]])
    if k > 0:
        found["bottom_up"] = begin["RECURRENT"] + np.add.outer(d * units, every[net.of_d[k - 1]])
    for name, at, bias in (("prior", "PRIOR", "PRIOR_BIAS"), ("posterior", "POSTERIOR", "POSTERIOR_BIAS")):
        both = np.stack([z, latents + z])  # mean, log sigma
        found[f"{name}_weight"] = begin[at] + np.add.outer(both * units, d)
        found[f"{name}_bias"] = begin[bias] + both
    return found
