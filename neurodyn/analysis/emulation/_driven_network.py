"""What the analyses of noise-driven networks share: weights as arrays, active-set Jacobians, activity as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import FloatArray, IntArray

if TYPE_CHECKING:
    from torch import Tensor

    from neurodyn.models.hmm_rnn import HMMRNN

CHUNK = 2**24  # numbers held at a time


@dataclass(frozen=True, eq=False)
class Weights:
    """h(t) = relu[recurrent h(t-1) + noise x(t) + bias], logits = readout h + readout_bias, as float64 arrays."""

    recurrent: FloatArray
    noise: FloatArray
    bias: FloatArray
    readout: FloatArray
    readout_bias: FloatArray

    def drive(self, states: FloatArray, noise: FloatArray | None = None) -> FloatArray:
        """What the rectifier gets in the step after ``states`` (..., unit), under noise (..., noise input) if given."""
        u = states @ self.recurrent.T + self.bias
        return u if noise is None else u + noise @ self.noise.T


def weights_of(net: HMMRNN) -> Weights:
    """The weights of a network; those of a network without biases have zeros in their place."""
    from neurodyn.models.hmm_rnn import HMMRNN

    if not isinstance(net, HMMRNN):
        raise TypeError(f"net is a {type(net).__name__}: give an HMMRNN, such as run.network('best') of a training")
    net.check_one()
    zeros = (np.zeros(net.units), np.zeros(net.outputs))
    return Weights(
        array(net.recurrent_weight),
        array(net.noise_weight),
        zeros[0] if net.bias is None else array(net.bias),
        array(net.readout_weight),
        zeros[1] if net.readout_bias is None else array(net.readout_bias),
    )


def array(tensor: Tensor | None) -> FloatArray:
    """A tensor as a float64 array."""
    assert tensor is not None
    return tensor.detach().cpu().double().numpy()


@dataclass(frozen=True, eq=False)
class Activity:
    """Noise-driven activity: states, noise, logits (path, time, ...), winners and sampled symbols (path, time)."""

    states: FloatArray
    noise: FloatArray
    logits: FloatArray
    winners: IntArray
    symbols: IntArray


def driven(net: HMMRNN, paths: int, steps: int, **options: Any) -> Activity:
    """Independent paths of a network as ``net.generate(paths, steps, full=True, ...)`` gives them.

    Raises ValueError if activity is not finite.
    """
    found = net.generate(paths, steps, full=True, **options)
    states = array(found.states)
    if not np.isfinite(states).all():
        raise ValueError(
            f"the activity of the network grows beyond all numbers within {steps} steps: it is not bounded, take another "
            "snapshot, such as run.network('best')"
        )
    winners, symbols = found.winners.cpu().numpy(), found.symbols.cpu().numpy()
    return Activity(states, array(found.noise), array(found.logits), winners, symbols)


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities of the symbols, along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def eigenvalues(weights: Weights, drive: FloatArray) -> np.ndarray:
    """Eigenvalues of the Jacobian diag(drive > 0) W of one step, shape (unit), largest modulus first.

    Those beyond the active units are exactly zero, and the others belong to the active units alone.
    """
    active = np.flatnonzero(drive > 0)
    result = np.zeros(len(drive), dtype=complex)
    found = np.linalg.eigvals(weights.recurrent[np.ix_(active, active)])
    result[: len(active)] = found[np.argsort(-np.abs(found), kind="stable")]
    return result
