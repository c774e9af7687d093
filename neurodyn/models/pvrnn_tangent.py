"""How small perturbations of a PV-RNN that generates from its prior change in a step: the product with its Jacobian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neurodyn.models.pvrnn_layer import LOG_SIGMA

if TYPE_CHECKING:
    from neurodyn.models.pvrnn import PVRNN


def prior_tangent(net: PVRNN, h: Tensor, after: Tensor, noise: Tensor, perturbations: Tensor) -> Tensor:
    """Return perturbations of the inner state after a step of ``net.step(h, noise)``, not the first of a sequence.

    What forward differentiation gives, some ten times as fast. With v = (1 - d^2) times the perturbation of h, ::

        of z        (1 - mu^2) W_mu v + eps sigma W_sigma v
        of h(t)     (1 - 1/tau) of h(t-1) + 1/tau [W v + W of z + W v_above + W v_below].

    Parameters
    ----------
    h, after : Tensor (model, sequence, unit)
        Inner states before and after the step.
    noise : Tensor (model, sequence, latent)
        The eps of the step, which perturbations don't change.
    perturbations : Tensor (model, sequence, unit, direction)
    """
    models, sequences, units, directions = perturbations.shape
    d = torch.tanh(h)
    # Rows are directions of all sequences of a model, so that one product of matrices serves them.
    of_h = perturbations.transpose(2, 3)
    of_d = (1 - d.square())[:, :, None] * of_h
    now = [of_d[..., at] for at in net.of_d]
    slope_after = 1 - torch.tanh(after).square()
    result = torch.empty_like(of_h)

    def through(weight: Tensor, v: Tensor) -> Tensor:
        return (v.flatten(1, 2) @ weight.mT).unflatten(1, (sequences, directions))

    for k in reversed(range(net.depth)):
        weights: Any = net.stack[k]
        at, tau = net.of_d[k], net.layers[k].tau
        v = of_d[..., at]
        u = through(weights.recurrent, v)
        if weights.prior_weight is not None:
            before = d[..., at]
            mean, log_sigma = (
                before @ weights.prior_weight.flatten(1, 2).mT + weights.prior_bias.flatten(1)[:, None]
            ).chunk(2, -1)
            inside = (log_sigma > LOG_SIGMA[0]) & (log_sigma < LOG_SIGMA[1])
            of_mean, of_log_sigma = through(weights.prior_weight.flatten(1, 2), v).chunk(2, -1)
            spread = noise[..., net.of_z[k]] * log_sigma.exp() * inside
            of_z = (1 - torch.tanh(mean).square())[:, :, None] * of_mean + spread[:, :, None] * of_log_sigma
            u = u + through(weights.latent, of_z)
        if weights.top_down is not None:
            u = u + through(weights.top_down, of_d[..., net.of_d[k + 1]] if net.top_down == "previous" else now[k + 1])
        if weights.bottom_up is not None:
            u = u + through(weights.bottom_up, of_d[..., net.of_d[k - 1]])
        result[..., at] = of_h[..., at] * (1 - 1 / tau) + u / tau
        now[k] = slope_after[:, :, None, at] * result[..., at]
    return result.transpose(2, 3)
