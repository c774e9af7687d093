"""Backpropagation through time for the network of local.network, written anew in torch: the gradient that e-prop approximates."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch

THRESHOLD, DAMPENING, TAU_MS = 0.03, 0.3, 30.0


class Spike(torch.autograd.Function):
    """The spikes that were recorded, with psi(v) as their derivative by v."""

    @staticmethod
    def forward(ctx: Any, v: torch.Tensor, spikes: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(v)
        return spikes.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        (v,) = ctx.saved_tensors
        psi = DAMPENING / THRESHOLD * torch.clamp(1 - (v - THRESHOLD).abs() / THRESHOLD, min=0)
        return grads[0] * psi, None


def recurrent_gradient(
    w_in: np.ndarray,
    w_rec: np.ndarray,
    w_out: np.ndarray,
    spikes_in: np.ndarray,
    spikes: np.ndarray,
    target: np.ndarray,
    *,
    signals: np.ndarray | None = None,
    paths: Literal["all", "own"] = "all",
    reset: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient by w_rec (source, target) and the membrane potentials (step, cell).

    The loss is 1/2 sum_t (y - y*)^2 over all steps but the last, whose learning signal comes too late for e-prop. Given
    spikes keep rounding from moving one of them; that they are those of the equations shows in the potentials.

    Parameters
    ----------
    w_in, w_rec : arrays, shape (source, target)
    w_out : array, shape (cell,)
    spikes_in, spikes : arrays of 0 and 1, shape (step, cell)
    target : array, shape (step,)
    signals : array, shape (cell,), optional
        B, by which the error reaches the cells, in place of w_out.
    paths : "all" or "own"
        Whether spikes act on other cells backwards in time too, or only on the output.
    reset : bool
        Whether the reset is differentiated; e-prop leaves it out.
    """
    inputs, given, goal, weights_in = (torch.tensor(x) for x in (spikes_in, spikes, target, w_in))
    out, back = torch.tensor(w_out), None if signals is None else torch.tensor(signals)
    weights = torch.tensor(w_rec, requires_grad=True)
    decay = float(np.exp(-1 / TAU_MS))
    v = z = x = torch.zeros(len(w_out), dtype=torch.float64)
    loss, potentials = torch.zeros((), dtype=torch.float64), []
    for step in range(len(goal)):
        if step:
            sent = z if paths == "all" else z.detach()
            current = inputs[step - 1] @ weights_in + sent @ weights
        else:
            current = torch.zeros_like(v)
        v = decay * v + (1 - decay) * current - THRESHOLD * (z if reset else z.detach())
        potentials.append(v.detach())
        z = Spike.apply(v, given[step])
        x = decay * x + (1 - decay) * z  # type: ignore[operator]
        if step < len(goal) - 1:
            error = out @ x - goal[step]
            # with other signals, what is descended is no loss, but has the derivative error*B by x
            loss = loss + (0.5 * error**2 if back is None else error.detach() * (back @ x))
    loss.backward()
    assert weights.grad is not None
    gradient = weights.grad.numpy().copy()
    np.fill_diagonal(gradient, 0.0)  # no autapses
    return gradient, torch.stack(potentials).numpy()
