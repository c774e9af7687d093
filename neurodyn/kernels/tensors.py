"""What the text of tensor blocks calls: draws, sums, stores under a mask, recursive least squares, for a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurodyn.kernels.emit_torch import TorchEmitter
from neurodyn.kernels.philox import fill_batch, stream_number
from neurodyn.kernels.rls import rls_gain
from neurodyn.program import Axes

if TYPE_CHECKING:
    from neurodyn.backends.layout import Layout

Mask = torch.Tensor | None
Phases = dict[tuple[str, str], list[tuple[Callable[..., Any], str | None]]]


class TensorKernels:
    """The operations that need more than one call of torch, on the tensors of a layout; ``step`` is that of draws.

    On the CPU they give the bits of the other runners: compiled draws, sums in index order, IEEE square roots.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout, self.dtype, self.step = layout, layout.dtype, 0
        self.host = layout.device.type == "cpu"

    def blocks(self) -> Phases:
        """Return the blocks of the Program as functions of a mask, with whose spikes they follow.

        The key is (phase, owner), or (phase, "") for all owners. A branch that no network takes is passed over.
        """
        program = self.layout.program
        emitter = TorchEmitter(program, skip=True)
        text = emitter.source()
        words = "draw total spread size width put both identity rls sqrt exprel arrive".split()
        names: dict[str, Any] = {"torch": torch, "F": self.dtype, **{w: getattr(self, w) for w in words}}
        names |= {emitter.names[name]: tensor for name, tensor in self.layout.arrays.items()}
        for value, name in emitter.literals:
            dtype = torch.bool if isinstance(value, bool) else self.dtype
            names[name] = torch.tensor(value, dtype=dtype, device=self.layout.device)
        # our own text: every name in it is numbered, every literal one of these tensors
        exec(compile(text, f"<blocks of {program.hash[:12]}>", "exec"), names)
        found: Phases = {}
        for number, block in enumerate(program.blocks):
            for owner in {block.owner, ""}:
                found.setdefault((block.phase, owner), []).append((names[f"block_{number}"], block.spikes_of))
        return found

    def draw(self, kind: str, stream: str, axes: Axes) -> torch.Tensor:
        """Return the draws of this step, (networks, *widths): those that each network draws alone."""
        layout, shape, number = self.layout, self.layout.shape(axes), stream_number(stream)
        sizes = layout.sizes[axes[-1]] if axes else torch.ones_like(layout.seeds)
        if not self.host:
            from neurodyn.kernels.philox_torch import draw

            return draw(kind, shape, layout.seeds, self.step, number, sizes).to(self.dtype)
        out = np.empty((shape[0], int(np.prod(shape[1:-1], dtype=int)), shape[-1] if axes else 1))
        seeds = layout.seeds.numpy().view(np.uint64)
        fill_batch(out, kind == "normal", seeds, sizes.numpy(), np.uint64(self.step), np.uint64(number))
        return torch.from_numpy(out).reshape(shape).to(self.dtype)

    def total(self, x: torch.Tensor, axis: str) -> torch.Tensor:
        """Sum over the last axis; on the CPU in index order."""
        if axis in self.layout.valid:
            valid = self.layout.valid[axis]
            x = torch.where(valid.reshape(len(valid), *[1] * (x.ndim - 2), -1), x, 0.0)
        if not self.host or not x.shape[-1]:
            return x.sum(-1)
        return x.cumsum(-1)[..., -1] + 0.0

    def spread(self, x: torch.Tensor, axes: Axes) -> torch.Tensor:
        """Return a copy with all axes in full."""
        return x.expand(self.layout.shape(axes)).clone()

    def size(self, axis: str) -> torch.Tensor:
        """Return the number of units of each network."""
        return self.layout.sizes[axis].to(self.dtype)

    def width(self, axis: str) -> int:
        """Return the number of units of the largest network."""
        return self.layout.width[axis]

    def arrive(self, connection: str, lane: torch.Tensor, unit: torch.Tensor, weights: torch.Tensor) -> None:
        """Add the weights of events to what reaches their targets, one after the other."""
        ring = self.layout.plastic[connection].ring
        ring.view(-1).index_add_(0, lane * ring.shape[2] + unit, weights)

    @staticmethod
    def put(array: torch.Tensor, value: torch.Tensor, mask: Mask, spread: Callable[[Any], Any]) -> None:
        """Store a value where the mask holds; ``spread`` lines the mask up with the array."""
        array.copy_(value if mask is None else torch.where(spread(mask), value, array))

    @staticmethod
    def both(mask: Mask, condition: torch.Tensor, axes: int) -> torch.Tensor:
        """Join the mask of a branch, which has so many axes beside that of networks, with a condition of each network."""
        condition = condition.reshape(-1, *[1] * axes)
        return condition if mask is None else mask & condition

    def identity(self, array: torch.Tensor, value: torch.Tensor, mask: Mask) -> None:
        """Set matrices to a multiple of the identity."""
        eye = torch.eye(array.shape[1], dtype=array.dtype, device=array.device) * value.reshape(-1, 1, 1)
        self.put(array, eye, mask, _square)

    def sqrt(self, x: torch.Tensor) -> torch.Tensor:
        """Return the square root as IEEE rounds it, which torch's own on the CPU does not."""
        if not self.host:
            return torch.sqrt(x)
        with np.errstate(invalid="ignore"):
            return torch.from_numpy(np.asarray(np.sqrt(x.numpy())))

    @staticmethod
    def exprel(x: torch.Tensor) -> torch.Tensor:
        """Return (exp(x) - 1)/x, 1 at 0."""
        return torch.where(x.abs() < 1e-16, 1.0, torch.expm1(x) / torch.where(x == 0, 1.0, x))

    def rls(
        self,
        p: torch.Tensor,
        x: torch.Tensor,
        mask: Mask,
        axis: str,
        forgetting: torch.Tensor,
        old_gain: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Update P in place for one sample and return the gain (see :func:`neurodyn.kernels.rls.rls_gain`).

        On the CPU by that kernel, network by network, in index order; on a GPU by matrix products.
        """
        networks = len(self.layout)
        forgetting = forgetting.double().expand(networks)
        old = torch.zeros_like(forgetting) if old_gain is None else old_gain.double().expand(networks)
        x = x.double()
        if self.host:
            gain = np.zeros(tuple(x.shape))
            for lane in range(networks) if mask is None else mask.nonzero().squeeze(1).tolist():
                n = int(self.layout.sizes[axis][lane])
                square = np.ascontiguousarray(p[lane, :n, :n].numpy())
                rls_gain(square, x[lane, :n].numpy(), float(forgetting[lane]), float(old[lane]), gain[lane, :n])
                p[lane, :n, :n] = torch.from_numpy(square)
            return torch.from_numpy(gain).to(self.dtype)
        if axis in self.layout.valid:
            x = torch.where(self.layout.valid[axis], x, 0.0)
        px = torch.bmm(p, x[:, :, None])[:, :, 0]
        scale = 1.0 / (forgetting + (x * px).sum(1))
        smaller = p - _square(scale) * px[:, :, None] * px[:, None, :]
        self.put(p, smaller / _square(forgetting), mask, _square)
        return torch.where(old[:, None] != 0, px, px * scale[:, None]).to(self.dtype)


def _square(x: torch.Tensor) -> torch.Tensor:
    return x[:, None, None]
