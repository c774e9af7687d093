"""Draws for sequences that neither more sequences nor longer ones change."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neurodyn.tasks.fields import whole
from neurodyn.tasks.stochastic_matrices import FloatArray

_SEQUENCES = 2**32  # in one batch: the counter of a draw holds batch and sequence


def sequence_draws(
    kind: Literal["uniform", "normal"], stream: str, count: int, size: int, *, seed: int, step: int
) -> FloatArray:
    """Draws (sequence, index), of a named stream: a function of seed, step, sequence and index alone.

    Raises
    ------
    ValueError
        For a step outside 0 to 2^31 - 1.
    """
    from neurodyn.kernels import philox

    if whole(step, "step", 0) >= 2**31:
        raise ValueError(f"step={step}: give the number of a batch below 2^31")
    first = step * _SEQUENCES
    result = np.empty((count, size))
    for k in range(count):
        result[k] = philox.draw(kind, size, seed=seed, step=first + k, stream=stream)
    return result
