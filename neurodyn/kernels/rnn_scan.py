"""A rate network over a whole sequence, with its gradient: products of matrices and as little else as can be.

The recurrence is r(t) = f[A r(t-1) + C x(t) + noise(t)], or r(t) = keep r(t-1) + gain f[...] with one ``keep`` and one
``gain`` for each unit. What depends on the parameters alone (a leak folded into A, signs, masks) is the caller's, made
once a sequence in ordinary torch, so that autograd goes on from A, C, keep and gain. Here are the loops: a step forward
is one product added onto the input that lies in the buffer of the states, and f in place; a step back is one product
and f' in place; the gradient of A is one product over all steps at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_aten = torch.ops.aten  # overloads are named: to look for the one that fits takes as long as a small product
SLOPE = 0.01  # of the leaky rectifier below zero

#: f in place
_APPLY: dict[str, Callable[[Tensor], Any]] = {
    "leaky_relu": lambda u: functional.leaky_relu_(u, SLOPE),
    "relu": torch.relu_,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
    "identity": lambda u: u,
}
#: the gradient d of f(u) times f'(u), in place, from the value y = f(u)
_BACK: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "leaky_relu": lambda d, y: _aten.leaky_relu_backward.grad_input(d, y, SLOPE, True, grad_input=d),
    "relu": lambda d, y: _aten.threshold_backward.grad_input(d, y, 0, grad_input=d),
    "tanh": lambda d, y: _aten.tanh_backward.grad_input(d, y, grad_input=d),
    "sigmoid": lambda d, y: _aten.sigmoid_backward.grad_input(d, y, grad_input=d),
    "identity": lambda d, y: d,
}
ACTIVATIONS = tuple(_APPLY)
_FLUSHED = 4  # steps back from one flush to the next: of the 1e-19 that are left in float32 they take 1e-8


def _flush(d: Tensor) -> None:
    """Set what is smaller than the root of the smallest normal number to zero, in place.

    Gradients of units that stay below zero fall a hundredfold a step. Where they become subnormal, a product of matrices
    takes a hundred times as long, and the processor's own switch reaches one thread only.
    """
    _aten.hardshrink.out(d, torch.finfo(d.dtype).tiny ** 0.5, out=d)


def scan(
    recurrent: Tensor,
    drive: Tensor,
    x: Tensor,
    start: Tensor,
    *,
    activation: str,
    keep: Tensor | None = None,
    gain: Tensor | None = None,
    noise: Tensor | None = None,
    last: bool = False,
) -> Tensor:
    """Return the states r(1) ... r(T), (time, batch, unit), or the last alone (batch, unit); differentiable.

    Parameters
    ----------
    recurrent, drive : (target unit, source unit), (unit, channel)
        A and C.
    x, start : (time, batch, channel), (batch, unit)
        Inputs and r(0).
    activation : str
        f, one of ``ACTIVATIONS``.
    keep, gain : (unit,), optional
        Both or none; see above.
    noise : (time, batch, unit), optional
        Added inside f.
    last : bool
        Whether only the last state is wanted.
    """
    return _Scan.apply(recurrent, drive, keep, gain, start, x, noise, activation, last)  # type: ignore[return-value]


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, recurrent, drive, keep, gain, start, x, noise, activation, last):  # type: ignore[override]
        steps, batch, channels = x.shape
        units = recurrent.shape[0]
        states = recurrent.new_empty((steps + 1, batch, units))
        states[0] = start
        inside = states[1:] if keep is None else torch.empty_like(states[1:])
        torch.mm(x.reshape(-1, channels), drive.t(), out=inside.view(-1, units))
        if noise is not None:
            inside += noise
        across, apply = recurrent.t().contiguous(), _APPLY[activation]
        rows, r = inside.unbind(0), states.unbind(0)
        if keep is None:
            for t in range(steps):
                apply(rows[t].addmm_(r[t], across))
        else:
            for t in range(steps):
                apply(rows[t].addmm_(r[t], across))
                torch.mul(r[t], keep, out=r[t + 1]).addcmul_(rows[t], gain)
        ctx.save_for_backward(recurrent, drive, keep, gain, x, states, inside if keep is not None else None)
        ctx.activation, ctx.last = activation, last
        return states[-1].clone() if last else states[1:]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad):  # type: ignore[override]
        recurrent, drive, keep, gain, x, states, inside = ctx.saved_tensors
        steps, channels, units = x.shape[0], x.shape[2], recurrent.shape[0]
        back = _BACK[ctx.activation]
        values = states[1:] if inside is None else inside
        y, flows = values.unbind(0), torch.empty_like(values)  # flows: the gradient by what stands inside f
        d = flows.unbind(0)
        given = None if ctx.last else grad.unbind(0)
        latest = grad if given is None else given[-1]
        grad_keep = grad_gain = None
        if keep is None:
            d[-1].copy_(latest)
            for t in range(steps - 1, 0, -1):
                back(d[t], y[t])
                if not t % _FLUSHED:
                    _flush(d[t])
                if given is None:
                    torch.mm(d[t], recurrent, out=d[t - 1])
                else:
                    torch.addmm(given[t - 1], d[t], recurrent, out=d[t - 1])
            back(d[0], y[0])
            start = torch.mm(d[0], recurrent) if ctx.needs_input_grad[4] else None
        else:
            totals = torch.empty_like(states)  # the gradient by r(0) ... r(T)
            total = totals.unbind(0)
            total[-1].copy_(latest)
            for t in range(steps - 1, -1, -1):
                back(torch.mul(total[t + 1], gain, out=d[t]), y[t])
                if not t % _FLUSHED:
                    _flush(d[t])
                torch.mul(total[t + 1], keep, out=total[t]).addmm_(d[t], recurrent)
                if given is not None and t:
                    total[t].add_(given[t - 1])
            # a sum over all steps in bfloat16 would stand still once it is 256 times what is added
            start, wide = total[0], torch.promote_types(keep.dtype, torch.float32)
            grad_keep = (totals[1:] * states[:-1]).sum((0, 1), dtype=wide).to(keep.dtype)
            grad_gain = (totals[1:] * values).sum((0, 1), dtype=wide).to(gain.dtype)
        flat = flows.view(-1, units).t()
        grad_recurrent = torch.mm(flat, states[:-1].view(-1, units))
        grad_drive = torch.mm(flat, x.reshape(-1, channels).to(flows.dtype))
        grad_x = flows @ drive if ctx.needs_input_grad[5] else None
        grad_noise = flows if ctx.needs_input_grad[6] else None
        return grad_recurrent, grad_drive, grad_keep, grad_gain, start, grad_x, grad_noise, None, None
