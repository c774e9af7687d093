"""A hidden Markov model fitted to sequences of symbols, beside the one that they are to emulate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import IntArray

if TYPE_CHECKING:
    from neurodyn.tasks.hidden_markov import HiddenMarkov

_STARTS = 2  # random starts of a fit


@dataclass(frozen=True, eq=False)
class SymbolRefit:
    """The model that fits sequences best, with as many states as the target.

    Attributes
    ----------
    model : HiddenMarkov
        With its states in the order in which it is nearest to the target.
    converged : bool
        Whether the fit converged.
    transition_error, emission_error : float
        Largest absolute difference to the matrices of the target.
    rate : float
        Distance of Juang & Rabiner, symmetric, in nats per symbol: the mean of (log p - log q)/T over sequences of p,
        where p is the target and q the fit, and the same with both exchanged. Infinite if one of them can't make a
        sequence of the other.
    """

    model: HiddenMarkov
    converged: bool
    transition_error: float
    emission_error: float
    rate: float


def refitted(symbols: IntArray, target: HiddenMarkov, reference: IntArray, *, seed: int, step: int) -> SymbolRefit:
    """Fit `symbols` (sequence, time); `reference` are sequences of the target, `step` numbers a batch of the fit."""
    fit = type(target).fit(symbols, states=target.states, symbols=target.symbols, starts=_STARTS, seed=seed)
    model = fit.model.aligned_to(target)
    own = model.sample(*symbols.shape, seed=seed, step=step)[1]
    forth = target.log_likelihood(reference) - model.log_likelihood(reference)
    back = model.log_likelihood(own) - target.log_likelihood(own)
    return SymbolRefit(
        model,
        fit.converged,
        float(np.abs(model.transition - target.transition).max()),
        float(np.abs(model.emission - target.emission).max()),
        float(forth.mean() + back.mean()) / (2 * symbols.shape[1]),
    )
