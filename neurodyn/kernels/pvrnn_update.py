"""The compiled free energy of a PV-RNN for torch: all models, on as many threads as torch has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neurodyn.kernels.lanes import WIDTH
from neurodyn.kernels.pvrnn import LINEAR, SOFTMAX, TANH, Structure, gradient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from neurodyn.models.codings import Encoded
    from neurodyn.models.generative import FreeEnergy
    from neurodyn.models.pvrnn import PVRNN

_WIDEST = 32  # lanes of a tile: what a core's second cache holds for hundreds of steps


def fused_free_energy(net: PVRNN, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
    """Return the free energy of sequences under adaptive vectors and noise; see :meth:`PVRNN.free_energy`."""
    found, gradients = _computed(net, encoded, adaptive, noise)
    inputs = (adaptive["mean"], adaptive["log_sigma"], *parameters_of(net))
    return replace(found, loss=_Known.apply(found.loss, gradients, *inputs))  # type: ignore[arg-type]


def descend(net: PVRNN, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
    """Return the free energy; its gradient, summed over models, becomes ``grad`` of parameters and adaptive vectors.

    For small networks the way of a known gradient through autograd takes as long as computing it.
    """
    found, (g, adaptive["mean"].grad, adaptive["log_sigma"].grad) = _computed(net, encoded, adaptive, noise)
    parameters = parameters_of(net)
    for p, part in zip(parameters, _parted(g, [p.shape for p in parameters]), strict=True):
        p.grad = part
    return found


def _computed(
    net: PVRNN, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor
) -> tuple[FreeEnergy, tuple[Tensor, ...]]:
    """The free energy, and its gradients by all parameters, (model, parameter), and by both adaptive vectors."""
    structure, (targets, observed, valid, negentropy) = structure_of(net), encoded.tiles
    parameters, vectors = parameters_of(net), (adaptive["mean"], adaptive["log_sigma"])
    shape, kind = (net.models, *encoded.targets.shape[:2], net.latents), net.output_weight.dtype
    for name, value in (("mean", vectors[0]), ("log_sigma", vectors[1]), ("noise", noise)):
        if (
            value.shape != shape or value.dtype != kind or encoded.targets.dtype != kind
        ):  # or it would read beyond the end
            kinds = f"{value.dtype}, targets {encoded.targets.dtype}; needed is {kind} for both"
            raise ValueError(f"{name} has shape {tuple(value.shape)}, needed is {shape}; it is {kinds}")
    p = np.concatenate([v.detach().numpy().reshape(net.models, -1) for v in parameters], 1)
    a, b, eps = (v.detach().contiguous().numpy() for v in (*vectors, noise))
    total = np.empty((net.models, 1 + 2 * net.depth), p.dtype)
    g, g_a, g_b = (np.empty_like(v) for v in (p, a, b))
    per_x, weights, weights_first = net.weights_of_loss
    per, w, w_first = p.dtype.type(per_x), weights.numpy(), weights_first.numpy()

    def one(m: int) -> None:
        given = (a[m], b[m], eps[m], targets, observed, valid, per, w[m], w_first[m])
        gradient(p[m], structure, *given, g[m], g_a[m], g_b[m], total[m])

    each(one, net.models)
    if structure.head == SOFTMAX:
        total[:, 0] += negentropy
    sums = torch.from_numpy(total)
    error, first, later = sums[:, 0], sums[:, 1 : 1 + net.depth], sums[:, 1 + net.depth :]
    found = net.free_energy_of(encoded, error, later, first)
    return found, tuple(torch.from_numpy(v) for v in (g, g_a, g_b))


class _Known(torch.autograd.Function):
    """A loss of each model whose gradients are known: by parameters, in a row for each model, and two others."""

    @staticmethod
    def forward(ctx: Any, loss, gradients, *inputs):  # type: ignore[override]
        ctx.gradients, ctx.shapes = gradients, [v.shape for v in inputs[2:]]
        return loss

    @staticmethod
    def backward(ctx: Any, scale):  # type: ignore[override]
        g, *others = (v * scale.view(-1, *(1,) * (v.ndim - 1)) for v in ctx.gradients)
        return None, None, *others, *_parted(g, ctx.shapes)


def _parted(g: Tensor, shapes: Sequence[torch.Size]) -> list[Tensor]:
    parts = g.split([shape[1:].numel() for shape in shapes], 1)
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def parameters_of(net: PVRNN) -> list[Tensor]:
    """Return what ``net.parameters()`` gives, in a tenth of the time."""
    found = list(net._parameters.values())
    for layer in net.stack:
        found += layer._parameters.values()
    return [v for v in found if v is not None]


def structure_of(net: PVRNN) -> Structure:
    """Return what the kernels need to know of a network: where its parameters lie in a row, and its switches."""
    found = vars(net).get("_structure")
    if found is not None and found.keep.dtype == net.output_weight.detach().numpy().dtype:
        return found
    at, begin = 0, {}
    for name, value in net.named_parameters():
        begin[name] = at
        at += value[0].numel()
    names = ("recurrent", "latent", "bias", "top_down", "bottom_up")
    names += ("prior_weight", "prior_bias", "posterior_weight", "posterior_bias")
    table = [
        [*(v for of in (net.of_d[k], net.of_z[k]) for v in (of.start, of.stop))]
        + [begin.get(f"stack.{k}.{name}", -1) for name in names]
        for k in range(net.depth)
    ]
    kind = np.dtype(str(net.dtype).removeprefix("torch."))
    keep = np.array([1 - 1 / layer.tau for layer in net.layers], dtype=kind)
    activation = getattr(net.output, "activation", "softmax")
    vars(net)["_structure"] = made = Structure(
        table=np.array(table),
        keep=keep,
        gain=np.array([1 / layer.tau for layer in net.layers], dtype=kind),
        output=begin["output_weight"],
        output_bias=begin["output_bias"],
        head={"softmax": SOFTMAX, "tanh": TANH, "linear": LINEAR}[activation],
        groups=net.output.dims,
        fixed_first=net.first_step_prior == "unit",
        fixed=net.prior == "unit",
        above_now=net.top_down == "current",
    )
    return made


def tiles(targets: Tensor, observed: Tensor, valid: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return targets, what was observed, and steps that count as the kernels read them, and sum p log p of the targets.

    They are (tile, row, step * lane), the last without rows; lanes are so many that vectors are full.
    """
    sequences, steps = valid.shape
    count = -(-sequences // _WIDEST)
    lanes = -(-sequences // (count * WIDTH)) * WIDTH

    def tiled(values: Tensor) -> np.ndarray:
        rows = values.shape[2]
        made = values.new_zeros(count * lanes, steps, rows)
        made[:sequences] = values
        made = made.view(count, lanes, steps, rows).permute(0, 3, 2, 1)
        return made.reshape(count, rows, steps * lanes).contiguous().numpy()

    negentropy = float(torch.xlogy(targets, targets).sum())
    return tiled(targets), tiled(observed), tiled(valid[..., None])[:, 0].copy(), negentropy


def each(work: Callable[[int], None], count: int) -> None:
    """Call ``work`` for each model, on as many threads as torch has."""
    threads = min(count, torch.get_num_threads())
    if threads == 1:
        for m in range(count):
            work(m)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(count)))
