"""The steps of a VRNN one after the other, with their gradient: products of matrices and as little else as can be.

What can be done for all steps at once (prior, output, what the data give) is the caller's, in ordinary torch, and so is
every product for the gradient of a weight here. A step back is five products and six other operations.

Letters in shapes: m model, s sequence, t time, d unit of the state, n hidden unit, z latent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

_aten = torch.ops.aten
FLOOR = 1e-4  # of standard deviations


class Weights(NamedTuple):
    """What a step multiplies with.

    The gates are reset, keep and new; of the state before, what goes to the first two, and to new before it is reset.
    """

    state: Tensor  # (m, d, n + 3d), from the state before to the posterior and the gates
    head: Tensor  # (m, n, 2z), from the posterior's hidden units to its mean, and to what becomes sigma
    head_bias: Tensor  # (m, 2z)
    embed: Tensor  # (m, z, n), from z to phi_z
    embed_bias: Tensor  # (m, n)
    gates: Tensor  # (m, n, 3d), from phi_z to the gates


class Step(NamedTuple):
    """What is known after a step, (m, s, ...)."""

    state: Tensor
    mean: Tensor
    sigma: Tensor
    embedded: Tensor  # phi_z
    hidden: Tensor  # of the posterior
    gates: Tensor  # reset and keep
    new: Tensor
    recalled: Tensor  # what the state before gave to new, before it is reset


class Course(NamedTuple):
    """Steps one after the other, (t, m, s, ...); states (t + 1, m, s, d) begin with that before the first."""

    states: Tensor
    mean: Tensor
    sigma: Tensor
    embedded: Tensor


def scan(weights: Weights, seen: Tensor, eps: Tensor) -> Course:
    """Return the steps from a state of 0 on, differentiable by weights and ``seen``; see :func:`follow`.

    ``seen`` is (t, m, s, n + 3d), ``eps`` (t, m, s, z).
    """
    return Course(*_Scan.apply(seen, eps, *weights))


def follow(weights: Weights, state: Tensor, seen: Tensor, eps: Tensor) -> Step:
    """Take a step from ``state`` (m, s, d), with z = mean + sigma eps of the posterior.

    ``seen`` (m, s, n + 3d) is what has come in gives to posterior and gates.
    """
    gated = 3 * state.shape[-1]
    of_state = state @ weights.state
    hidden = torch.relu(of_state[..., :-gated] + seen[..., :-gated])
    mean, sigma = gaussian(torch.baddbmm(weights.head_bias[:, None], hidden, weights.head))
    embedded = torch.relu(torch.baddbmm(weights.embed_bias[:, None], torch.addcmul(mean, sigma, eps), weights.embed))
    driven = torch.baddbmm(seen[..., -gated:], embedded, weights.gates)
    after, gates, new, recalled = advance(state, of_state[..., -gated:], driven)
    return Step(after, mean, sigma, embedded, hidden, gates, new, recalled)


def advance(state: Tensor, of_state: Tensor, driven: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the state after a step, reset and keep, new, and what it recalls, of what goes to the gates (m, s, 3d)."""
    units = state.shape[-1]
    gates = torch.sigmoid(of_state[..., : 2 * units] + driven[..., : 2 * units])
    recalled = of_state[..., 2 * units :]
    new = torch.tanh(torch.addcmul(driven[..., 2 * units :], gates[..., :units], recalled))
    return torch.lerp(new, state, gates[..., units:]), gates, new, recalled


def gaussian(head: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation."""
    mean, sigma = head.chunk(2, -1)
    return mean, functional.softplus(sigma) + FLOOR


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, seen: Tensor, eps: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        weights = Weights(*given)
        units = weights.state.shape[1]
        state, steps = seen.new_zeros(*seen.shape[1:3], units), []
        start = state
        for seen_now, eps_now in zip(seen.unbind(0), eps.unbind(0), strict=True):
            steps.append(follow(weights, state, seen_now, eps_now))
            state = steps[-1].state
        columns = Step(*(torch.stack(column) for column in zip(*steps, strict=True)))
        states = torch.cat([start[None], columns.state])
        ctx.save_for_backward(eps, states, *columns[1:], *given)
        return states, *columns[1:4]

    @staticmethod
    def backward(ctx: Any, d_states: Tensor, d_mean: Tensor, d_sigma: Tensor, d_embedded: Tensor) -> Any:  # type: ignore[override]
        eps, states, mean, sigma, embedded, hidden, gates, new, recalled, *given = ctx.saved_tensors
        weights, before = Weights(*given), states[:-1]
        units = states.shape[-1]
        reset, keep = gates.split(units, -1)
        # From the gradient of a state to those of what went into reset, keep, what is recalled, and new: its multiples.
        of_new = (1 - keep) * (1 - new.square())
        of_reset = of_new * recalled * reset * (1 - reset)
        multiples = torch.stack([of_reset, (before - new) * keep * (1 - keep), of_new * reset, of_new], -2)
        # From that of z to those of the head.
        slope = -torch.expm1(FLOOR - sigma)
        of_head = torch.cat([d_mean, d_sigma * slope], -1)
        of_z = torch.cat([torch.ones_like(slope), eps * slope], -1)
        to_gates, to_state = _padded(weights.gates, units, 2), _padded(weights.state[..., -3 * units :], units, 3)
        back = (to_gates.mT, torch.cat([weights.embed] * 2, 1).mT, weights.head.mT, to_state.mT)
        back_gates, back_embed, back_head, back_state = (w.contiguous() for w in back)
        back_hidden = weights.state[..., : -3 * units].mT.contiguous()

        d, kept = d_states[-1], []
        every = (d_states[:-1], d_embedded, embedded, hidden, multiples, of_head, of_z, keep)
        for further, d_phi, phi, h, times, d_head, by_z, stays in zip(
            *(x.flip(0).unbind(0) for x in every), strict=True
        ):
            gated = (d[:, :, None] * times).flatten(2)
            d_phi = _aten.threshold_backward.default(torch.baddbmm(d_phi, gated, back_gates), phi, 0)
            d_head = torch.addcmul(d_head, d_phi @ back_embed, by_z)
            d_hidden = _aten.threshold_backward.default(d_head @ back_head, h, 0)
            d = torch.addcmul(torch.baddbmm(further + d_hidden @ back_hidden, gated, back_state), d, stays)
            kept.append((gated, d_phi, d_head, d_hidden))
        gated, d_phi, d_head, d_hidden = (torch.stack(column[::-1]) for column in zip(*kept, strict=True))

        reset_keep, of_recalled, of_driven = gated.split([2 * units, units, units], -1)
        d_driven = torch.cat([reset_keep, of_driven], -1)
        d_of_state = torch.cat([d_hidden, reset_keep, of_recalled], -1)
        z = torch.addcmul(mean, sigma, eps)
        return (
            torch.cat([d_hidden, d_driven], -1),
            None,
            _summed(before, d_of_state),
            _summed(hidden, d_head),
            d_head.sum((0, 2)),
            _summed(z, d_phi),
            d_phi.sum((0, 2)),
            _summed(embedded, d_driven),
        )


def _padded(weight: Tensor, units: int, block: int) -> Tensor:
    """Weights (m, source, 3d) with a block of zeros, so that they meet reset, keep, recalled and new: (m, source, 4d)."""
    parts = list(weight.split(units, -1))
    parts.insert(block, torch.zeros_like(parts[0]))
    return torch.cat(parts, -1)


def _summed(source: Tensor, d: Tensor) -> Tensor:
    """The gradient of a weight (m, source, target): the product over all steps and sequences."""
    return source.transpose(0, 1).flatten(1, 2).mT @ d.transpose(0, 1).flatten(1, 2)
