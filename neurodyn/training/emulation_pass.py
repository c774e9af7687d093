"""An update of networks that emulate: draws, sequences and gradients without autograd, in memory that is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from neurodyn.kernels.driven_scan import DrivenScan
from neurodyn.kernels.threads import share
from neurodyn.models.hmm_rnn import HMMRNN, fill_draws
from neurodyn.training.sinkhorn import Wanted

#: what says how sequences are made; a network with one of its own is left to autograd
_WRITTEN = ("draws", "run", "read", "codes")

_PARTS = 4  # of the draws for each thread, since one may be held up
Divergence = Callable[[Tensor, Wanted], Tensor]


def closed_form(net: HMMRNN) -> bool:
    """Whether sequences are made as :class:`HMMRNN` makes them, so that their gradient is the one written here."""
    return all(getattr(type(net), name) is getattr(HMMRNN, name) for name in _WRITTEN)


class Updates:
    """The gradients of updates, with the numbers that :meth:`HMMRNN.codes` and autograd give.

    They are the same bits, also for each model of many, which is then computed on one thread; but for ``batched``, where
    products of all models are taken at once.

    Parameters
    ----------
    net : HMMRNN
    steps, sequences : int
        Of a batch.
    seeds : sequence of int
        Key of the draws of each model.
    batched : bool
    """

    def __init__(self, net: HMMRNN, steps: int, sequences: int, seeds: Sequence[int], *, batched: bool) -> None:
        where: dict[str, Any] = {"dtype": net.dtype, "device": net.device}
        self._net, self._seeds, self._steps, self._batched = net, seeds, steps, batched
        self._once = len({*zip(seeds, net.levels, strict=True)}) == 1  # all see the same noise
        self._threads = 1 if batched else min(torch.get_num_threads(), net.models)
        count = 1 if self._once else net.models if batched else self._threads
        self._x = torch.ones(count, steps, sequences, net.noise_inputs + (net.bias is not None), **where)
        self._gumbel = torch.empty(count, steps, sequences, net.outputs, **where)
        lead = (net.models,) if batched else ()
        self._passes = [_Pass(net, lead, steps, sequences, **where) for _ in range(self._threads)]

    def descend(
        self, update: int, wanted: Mapping[int, Wanted], divergence: Divergence, at_work: Sequence[int]
    ) -> Tensor:
        """Leave the gradients of an update in the parameters; return the losses (model,).

        ``wanted`` are the sequences that the models with a key are to come near to. Those not ``at_work`` have loss and gradient 0.
        """
        net = self._net
        for p in net.parameters():
            p.grad = torch.zeros_like(p)
        losses = torch.zeros(net.models, dtype=net.dtype, device=net.device)
        if self._once:
            self._draw_once(update)
        if self._batched:
            self._together(update, wanted, divergence, losses, at_work)
            return losses

        def work(worker: int, number: int) -> None:
            k = at_work[number]
            into, made = 0 if self._once else worker, self._passes[worker]
            if not self._once:
                self._draw(into, k, update)
            weights = {name: p.detach()[k] if net.many else p.detach() for name, p in net.named_parameters()}
            codes = made.codes(weights, self._x[into], self._gumbel[into])
            losses[k], to_codes = _matched(codes, wanted[self._seeds[k]], divergence)
            self._give(made.gradient(to_codes), k if net.many else ...)

        if net.many:
            in_threads(work, len(at_work), self._threads)
        else:
            work(0, 0)  # on all the threads that torch has
        return losses

    def _together(
        self,
        update: int,
        wanted: Mapping[int, Wanted],
        divergence: Divergence,
        losses: Tensor,
        at_work: Sequence[int],
    ) -> None:
        if not self._once:
            for k in range(self._net.models):
                self._draw(k, k, update)
        x, gumbel = (drawn.expand(self._net.models, -1, -1, -1) for drawn in (self._x, self._gumbel))
        (made,) = self._passes
        codes = made.codes({name: p.detach() for name, p in self._net.named_parameters()}, x, gumbel)
        to_codes = torch.zeros_like(codes)
        for k in at_work:
            losses[k], to_codes[k] = _matched(codes[k], wanted[self._seeds[k]], divergence)
        self._give(made.gradient(to_codes), ...)

    def _give(self, gradients: Mapping[str, Tensor], at: Any) -> None:
        for name, p in self._net.named_parameters():
            assert p.grad is not None
            p.grad[at] = gradients[name]

    def _draw_once(self, update: int) -> None:
        """Draw what all models see, threads taking steps in turn."""
        threads = torch.get_num_threads() if self._x.device.type == "cpu" else 1
        part = -(-self._steps // (threads * _PARTS))
        in_threads(lambda worker, k: self._draw(0, 0, update, k * part, part), -(-self._steps // part), threads)

    def _draw(self, into: int, model: int, update: int, first: int = 0, steps: int | None = None) -> None:
        at = slice(first, self._steps if steps is None else first + steps)
        noise = self._x[into, at, :, : self._net.noise_inputs]
        level, seed = self._net.levels[model], self._seeds[model]
        fill_draws(noise, self._gumbel[into, at], level, seed=seed, step=update, first=first)


class _Pass:
    """The codes of a batch of sequences, and the gradient of the weights that made them."""

    def __init__(self, net: HMMRNN, lead: tuple[int, ...], steps: int, sequences: int, **where: Any) -> None:
        self._scan = DrivenScan(lead, steps, sequences, net.units, **where)
        self._steps, self._inputs = steps, net.noise_inputs

    def codes(self, weights: Mapping[str, Tensor], x: Tensor, gumbel: Tensor) -> Tensor:
        """Return codes (..., sequence, time, symbol), for draws (..., time, sequence, input or symbol)."""
        self._x, self._weights = x, _joined(weights)
        logits = self._scan.forward(self._weights, x)
        self._soft = torch.softmax(logits.add_(gumbel.flatten(-3, -2)), -1)
        hard = functional.one_hot(self._soft.argmax(-1), self._soft.shape[-1]).to(self._soft.dtype)
        return hard.sub_(self._soft).add_(self._soft).unflatten(-2, (self._steps, -1)).transpose(-3, -2)

    def gradient(self, to_codes: Tensor) -> dict[str, Tensor]:
        """Return the gradients of the weights, given that by the codes of this pass."""
        given = to_codes.transpose(-3, -2).flatten(-3, -2)
        to_logits = torch.ops.aten._softmax_backward_data(given, self._soft, -1, given.dtype)
        found = self._scan.backward(self._weights, self._x, to_logits)
        if found["noise_weight"].shape[-1] > self._inputs:
            found["bias"] = found["noise_weight"][..., -1]
            found["noise_weight"] = found["noise_weight"][..., :-1]
        return found


def _joined(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights with the bias of the units as a last column of the noise's, in memory of their own.

    Where an array begins in memory may change the last bits of a product, and a model of many is to have those it has alone.
    """
    made = {name: value.clone() for name, value in weights.items()}
    if "bias" in made:
        made["noise_weight"] = torch.cat([made["noise_weight"], made.pop("bias").unsqueeze(-1)], -1)
    return made


def _matched(codes: Tensor, wanted: Wanted, divergence: Divergence) -> tuple[Tensor, Tensor]:
    """Return how far codes are from those that are wanted, and the gradient of it by them."""
    codes = codes.detach().requires_grad_()
    loss = divergence(codes, wanted)
    (gradient,) = torch.autograd.grad(loss, codes)
    return loss.detach(), gradient


def in_threads(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call ``work(worker, k)`` for each k below ``count``, see :func:`neurodyn.kernels.threads.share`.

    Torch has one thread in each.
    """
    before = torch.get_num_threads()

    def alone(worker: int, k: int) -> None:
        torch.set_num_threads(1)  # of the thread that calls it
        work(worker, k)

    try:
        share(alone, count, threads)
    finally:
        torch.set_num_threads(before)
