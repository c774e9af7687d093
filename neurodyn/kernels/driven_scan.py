"""A rectified network driven by noise, forward and back, in memory that is kept from one update to the next.

What :func:`neurodyn.kernels.rnn_scan.scan` computes, with the same bits, together with the gradient through a linear readout
of every state. Two things are saved: memory that is new each time, whose first touch takes as long as a fifth of all
arithmetic; and the gradient by all states, which is never written out, since its rows are made where they are added.
Arrays may have a leading axis of models; then products are batched, for devices that need many at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from neurodyn.kernels.rnn_scan import _BACK, _FLUSHED, _flush


class DrivenScan:
    """h(t) = relu[W h(t-1) + U x(t) + b], logits(t) = A h(t) + c, from h(0) = 0.

    Parameters
    ----------
    lead : tuple of int
        () for one network, (models,) for many.
    steps, sequences, units : int
    dtype, device : torch.dtype, torch.device
    """

    def __init__(self, lead: tuple[int, ...], steps: int, sequences: int, units: int, **where: Any) -> None:
        self._kept = torch.zeros(*lead, steps + 1, sequences, units, **where)  # states, and the start before the first
        self._flows = torch.empty(*lead, steps, sequences, units, **where)  # the gradient by what stands inside relu
        self._many = bool(lead)
        self._multiply = torch.bmm if lead else torch.mm

    @property
    def states(self) -> Tensor:
        """The states of the last pass (..., time, sequence, unit), overwritten by the next."""
        return self._kept[..., 1:, :, :]

    def forward(self, weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the logits (..., time * sequence, symbol) under ``x`` (..., time, sequence, input).

        ``weights`` are named as the parameters of :class:`neurodyn.models.hmm_rnn.HMMRNN`; a bias of the units is a last
        column of ``noise_weight``, for an input that is 1.
        """
        states, multiply = self.states, self._multiply
        multiply(_flat(x), weights["noise_weight"].mT, out=_flat(states))
        across = weights["recurrent_weight"].mT.contiguous()
        r = self._kept.unbind(-3)
        for t in range(1, len(r)):
            torch.relu_(self._accumulate(r[t], r[t - 1], across))
        readout = weights["readout_weight"].mT
        if "readout_bias" not in weights:
            return multiply(_flat(states), readout)
        add = torch.baddbmm if self._many else torch.addmm
        return add(weights["readout_bias"].unsqueeze(-2), _flat(states), readout)

    def backward(self, weights: Mapping[str, Tensor], x: Tensor, to_logits: Tensor) -> dict[str, Tensor]:
        """Return the gradients of ``weights``, by their names, after a pass forward.

        ``to_logits`` (..., time * sequence, symbol) is the gradient by what that returned.
        """
        states, multiply, back = self.states, self._multiply, _BACK["relu"]
        readout, recurrent = weights["readout_weight"], weights["recurrent_weight"]
        y, d = states.unbind(-3), self._flows.unbind(-3)
        given = to_logits.unflatten(-2, (len(d), -1)).unbind(-3)
        multiply(given[-1], readout, out=d[-1])
        for t in range(len(d) - 1, 0, -1):
            back(d[t], y[t])
            if not t % _FLUSHED:
                _flush(d[t])
            multiply(given[t - 1], readout, out=d[t - 1])
            self._accumulate(d[t - 1], d[t], recurrent)
        back(d[0], y[0])
        flows = _flat(self._flows).mT
        found = {
            "recurrent_weight": multiply(flows, _flat(self._kept[..., :-1, :, :])),
            "noise_weight": multiply(flows, _flat(x)),
            "readout_weight": multiply(to_logits.mT, _flat(states)),
        }
        if "readout_bias" in weights:
            found["readout_bias"] = to_logits.sum(-2)
        return found

    def _accumulate(self, into: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return into.baddbmm_(a, b) if self._many else into.addmm_(a, b)


def _flat(rows: Tensor) -> Tensor:
    """(..., time, sequence, n) as (..., time * sequence, n), without a copy."""
    return rows.flatten(-3, -2)
