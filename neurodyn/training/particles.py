"""How likely sequences are that a generative network has not seen: a particle filter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neurodyn.kernels.draws import uniforms

if TYPE_CHECKING:
    from neurodyn.models.codings import Encoded
    from neurodyn.models.generative import GenerativeNetwork

# States (model, sequence * particle, unit), inputs to the output units and, of latents that aren't drawn from the prior,
# the logarithm of their density under the prior over that which they are drawn from, (model, sequence * particle).
Moved = tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor]


def particle_filter(
    net: GenerativeNetwork,
    encoded: Encoded,
    move: Callable[[Tensor, int], Moved],
    start: Tensor,
    *,
    particles: int,
    seed: int,
) -> Tensor:
    """Return a bound on the log-likelihood of each sequence, (model, sequence), nats: a particle filter.

    The mean of the estimated likelihood is the likelihood, so that of its logarithm lies below; it rises with the number
    of particles. Particles are drawn anew, systematically, after every step.

    Parameters
    ----------
    move : callable
        Of states (model, sequence * particle, unit) and step: those after the step and the inputs to the output units; with
        a third array, latents were drawn otherwise than by the prior, and that is how they count.
    start : Tensor (model, sequence * particle, unit)
    """
    models, sequences = net.models, len(encoded.lengths)
    state, total = start, start.new_zeros(models, sequences, dtype=torch.float64)
    even = torch.arange(particles, dtype=torch.float64, device=state.device)
    for t in range(encoded.targets.shape[1]):
        state, inputs, *instead = move(state, t)
        parts = inputs.unflatten(1, (sequences, particles))
        found = net.output.log_likelihood(parts, encoded.targets[:, None, t].expand_as(parts))
        log_weight = (found * encoded.observed[:, None, t]).sum(-1).double()
        if instead:
            log_weight += instead[0].unflatten(1, (sequences, particles)) * encoded.valid[:, None, t]
        total += log_weight.logsumexp(2) - math.log(particles)
        up_to = torch.softmax(log_weight, 2).cumsum(2)
        at = uniforms("resampling", (1, sequences, 1), seed=seed, step=t, device=state.device)
        wanted = ((even + at) / particles).expand(models, -1, -1).contiguous() * up_to[..., -1:]
        chosen = torch.searchsorted(up_to, wanted).clamp(max=particles - 1)
        each = state.unflatten(1, (sequences, particles))
        state = each.gather(2, chosen[..., None].expand(-1, -1, -1, each.shape[-1])).flatten(1, 2)
    return total
