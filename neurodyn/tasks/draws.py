"""Random choices of a task: which event in which trial, and how late.

Uniform numbers come from the raw 64-bit output of NumPy's Philox, keyed by (seed, block, stream): NumPy keeps
that output fixed over its versions, which it doesn't promise for ``Generator``. Normals by the inverse
distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

MINI_BLOCK = 10
_EVENTS, _JITTER = 0, 1  # streams: switching jitter on leaves the order of events as it was


def uniforms(seed: int, block: int, stream: int, size: int) -> np.ndarray:
    """`size` numbers in the open interval (0, 1); a longer draw begins with the shorter one."""
    raw = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(block, stream))).random_raw(size)
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def event_order(
    probabilities: Sequence[float], trials: int, *, seed: int, block: int = 0, iid: bool = False
) -> np.ndarray:
    """Index of the event of every trial, shape (trials,).

    Parameters
    ----------
    probabilities : sequence of float
        One per event, summing to 1.
    trials : int
    seed, block : int
        Key of the draws. A longer order begins with the shorter one, up to its last whole mini-block.
    iid : bool
        Independent draws. Otherwise shuffled mini-blocks of 10 (the last may be shorter): what 10 p leaves
        over goes to the largest remainders and is carried to the next mini-block, so that any p is met. At
        the end of each mini-block the count of an event is less than n p + 1, n being the trials so far.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    u = uniforms(seed, block, _EVENTS, trials)
    if iid:
        edges = np.cumsum(p)
        edges[np.flatnonzero(p)[-1] :] = 1.0  # a sum of 1 - 1e-16 must not let u fall off the end
        return np.searchsorted(edges, u, side="right")
    order = np.empty(trials, dtype=np.int64)
    counts = np.zeros(p.size, dtype=np.int64)
    for start in range(0, trials, MINI_BLOCK):
        stop = min(start + MINI_BLOCK, trials)
        events = []
        for _ in range(start, stop):
            # Rounded, so that a tie of remainders goes to the first event and isn't left to the last bit.
            event = int(np.argmax(np.round(stop * p - counts, 9)))
            counts[event] += 1
            events.append(event)
        order[start:stop] = np.array(events)[np.argsort(u[start:stop], kind="stable")]
    return order


def jittered(means: np.ndarray, sd: float, low: float, high: float, *, seed: int, block: int = 0) -> np.ndarray:
    """Normal numbers about `means` (n,) with standard deviation `sd`, truncated to [low, high].

    By the inverse distribution, one uniform number each: no rejection, so that trial k always uses draw k.
    """
    u = uniforms(seed, block, _JITTER, len(means))
    normal = NormalDist()
    values = np.empty(len(means))
    for k, (mean, share) in enumerate(zip(means, u, strict=True)):
        below, above = normal.cdf((low - mean) / sd), normal.cdf((high - mean) / sd)
        values[k] = mean + sd * normal.inv_cdf(below + (above - below) * float(share))
    return values
