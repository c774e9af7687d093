"""A noise-driven network under many interventions at once, all from the same states and under the same noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import IntArray

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

_CHUNK = 2**20  # numbers of states at a time: what a cache holds
_WATCHED = 4  # trajectories whose gates are kept
_FAR = 10.0  # times the largest activity of the intact network: beyond, a trajectory has left for good


@dataclass(frozen=True, eq=False)
class Masked:
    """What trajectories did, by condition.

    Attributes
    ----------
    counts : array of int, shape (condition, symbol, next symbol)
        Steps from winner to winner, of trajectories that stay bounded.
    diverged : array, shape (condition)
        Share of trajectories that don't.
    watched : dict of condition to (winners (trajectory, step + 1), gates (trajectory, step, unit))
        Of a few trajectories; gates tell which units are above zero.
    """

    counts: IntArray
    diverged: np.ndarray
    watched: dict[int, tuple[np.ndarray, np.ndarray]]


def masked_run(
    net: HMMRNN,
    conditions: Sequence[tuple[str, IntArray, float]],
    *,
    watched: Sequence[int],
    trajectories: int,
    steps: int,
    burn_in: int,
    seed: int,
) -> Masked:
    """Run conditions (what, units, factor): "kick" multiplies the recurrent input of units, "noise" their noise.

    The first condition has to be the intact network.
    """
    import torch

    from ..emulation._driven_network import driven

    free = driven(net, trajectories, steps + 1, burn_in=burn_in, seed=seed)
    with torch.no_grad():
        where = {"dtype": net.dtype, "device": net.device}
        noise = torch.as_tensor(free.noise[:, 1:], **where).transpose(0, 1) @ net.noise_weight.T
        start = torch.as_tensor(free.states[:, 0], **where)
        far = _FAR * float(np.abs(free.states).max())
        masks = {what: torch.ones(len(conditions), 1, net.units, **where) for what in ("kick", "noise")}
        for k, (what, units, factor) in enumerate(conditions):
            masks[what][k, 0, torch.as_tensor(units, device=net.device)] = factor
        across, symbols = net.recurrent_weight.T.contiguous(), net.outputs
        counts = np.zeros((len(conditions), symbols, symbols), dtype=np.int64)
        diverged, kept = np.zeros(len(conditions)), {}
        chunk = max(1, _CHUNK // (trajectories * net.units))
        for first in range(0, len(conditions), chunk):
            kick, hiss = (masks[what][first : first + chunk] for what in ("kick", "noise"))
            many = len(kick)
            states = start.expand(many, trajectories, net.units)
            look = [k - first for k in watched if first <= k < first + many]
            winners = torch.empty(steps + 1, many, trajectories, dtype=torch.int64, device=net.device)
            gates = torch.empty(steps, len(look), min(_WATCHED, trajectories), net.units, dtype=torch.bool)
            winners[0] = net.read(states).argmax(2)
            for t in range(steps):
                drive = (states @ across).mul_(kick).add_(noise[t] * hiss)
                states = torch.relu_(drive if net.bias is None else drive.add_(net.bias))
                winners[t + 1] = net.read(states).argmax(2)
                gates[t] = (states[look, :_WATCHED] > 0).cpu()
            bounded = (states.abs().amax(2) <= far).cpu().numpy()  # NaN is not
            path = winners.cpu().numpy()
            for k in range(many):
                ours = path[:, k, bounded[k]]
                pairs = np.ravel(symbols * ours[:-1] + ours[1:])
                counts[first + k] = np.bincount(pairs, minlength=symbols**2).reshape(symbols, symbols)
                diverged[first + k] = 1 - bounded[k].mean()
            for place, k in enumerate(look):
                kept[first + k] = path[:, k, :_WATCHED].T, gates[:, place].transpose(0, 1).numpy()
    return Masked(counts, diverged, kept)
