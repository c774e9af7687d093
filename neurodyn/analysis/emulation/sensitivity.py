"""How fast noise spreads paths from the middle of a cluster, and from just before a switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray, number, whole
from ..statistics import BinomialInterval, binomial_interval
from ._driven_network import Activity, Weights, driven, weights_of
from .switching import switch_times

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN

_SOON = 3.0  # mean steps to the switch in a transition, as published
_BACK = 100  # steps that the middle of a dwell lies before its end, at most, as published
_WITHIN = 10  # steps in which all rollouts of a transition have to switch
PLACES = ("cluster", "transition")
_BEFORE, _AFTER = 10, 5  # steps from the switch between which spread is followed


@dataclass(frozen=True, eq=False)
class NoiseSensitivity:
    """Spread of paths from pairs of start states, one in a cluster and one in the transition that ends it.

    Attributes
    ----------
    mixing : array, shape (mixing)
        g: rollouts get (1 - g) of the noise that the path had, and g of fresh noise.
    trace : array, shape (place, pair, mixing, step)
        Trace of the covariance of the states over rollouts; place 0 is the cluster, 1 the transition.
    distance : array, shape (place, pair, mixing, step)
        Mean distance from the mean path.
    path, time : array of int, shape (place, pair)
        Where the start states lie on the noise-driven paths.
    lag : array of int, shape (lag)
        Steps from the switch that ends the dwell.
    course : array, shape (pair, lag)
        Trace after the last step, under fresh noise alone, from every state near the switch: whether the choice of the
        transition state decides.
    middle : array, shape (pair)
        The same from the middle of the dwell.
    """

    mixing: FloatArray
    trace: FloatArray
    distance: FloatArray
    path: IntArray
    time: IntArray
    lag: IntArray
    course: FloatArray
    middle: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Trace in the transition over that in the cluster after the last step, shape (pair, mixing); NaN for 0 / 0."""
        cluster, transition = self.trace[..., -1]
        return np.divide(transition, cluster, out=np.full_like(cluster, np.nan), where=cluster > 0)

    @property
    def median(self) -> FloatArray:
        """Median ratio over pairs, shape (mixing)."""
        return np.median(self.ratio, axis=0)

    @property
    def relative_course(self) -> FloatArray:
        """``course`` over ``middle``, shape (pair, lag); NaN where noise spreads nothing in the middle."""
        middle = self.middle[:, None]
        return np.divide(self.course, middle, out=np.full_like(self.course, np.nan), where=middle > 0)

    @property
    def course_ratio(self) -> FloatArray:
        """Median of ``relative_course`` over pairs, shape (lag)."""
        return np.median(self.relative_course, axis=0)

    @property
    def smaller(self) -> list[BinomialInterval]:
        """In how many pairs the transition spreads less, for each mixing; half of them if places don't matter."""
        return [binomial_interval(int(np.sum(each < 1)), len(each)) for each in self.ratio.T]

    def __str__(self) -> str:
        lines = [f"trace after {self.trace.shape[-1]} steps, transition / cluster, {self.trace.shape[1]} pairs"]
        for g, ratio, median, smaller in zip(self.mixing, self.ratio.T, self.median, self.smaller, strict=True):
            low, high = np.quantile(ratio, [0.25, 0.75])
            lines.append(
                f"  fresh noise {g:<4g} median {median:.3f} (quartiles {low:.3f} to {high:.3f}), below 1 in {smaller}"
            )
        near = self.course_ratio
        peak = int(near.argmax())
        lines.append(
            f"  fresh noise from every state near the switch: at most {near[peak]:.3f}, at lag {self.lag[peak]:+d}"
        )
        return "\n".join(lines)


def noise_sensitivity(
    net: HMMRNN,
    *,
    mixing: Sequence[float] = (0.5, 1.0),
    steps: int = 5,
    pairs: int = 16,
    rollouts: int = 100,
    paths: int = 10,
    length: int = 1000,
    seed: int = 0,
) -> NoiseSensitivity:
    """Spread rollouts from states in the middle of long dwells, and from the last state before they end.

    Start states are chosen by rule from noise-driven paths: of the longest dwells, the state half way (at most 100 steps
    before the switch), and the last one before the switch from which every rollout switches within 10 steps and, on
    average, in fewer than 3. Dwells without such a state are passed over.

    Parameters
    ----------
    net : HMMRNN
        Driven at its own noise level.
    mixing : sequence of float
        Shares of fresh noise, above 0 up to 1; the rest is the noise that the path had.
    steps : int
        Steps of a rollout, at least 1.
    pairs : int
        Dwells, at least 1.
    rollouts : int
        From each state, at least 2.
    paths, length : int
        Independent paths, and the steps of each, in which dwells are sought.
    seed : int

    Returns
    -------
    NoiseSensitivity

    Raises
    ------
    ValueError
        Shares outside (0, 1], numbers out of range, or fewer dwells with such states than ``pairs``.

    Notes
    -----
    Noise is added alike in all states, so that one step spreads paths nearly alike; what differs is how many units it
    lets through, and what the steps after make of it.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674, whose code takes one pair chosen by hand.
    """
    weights = weights_of(net)
    shares = [number(g, "mixing", unit="", low=0, strict=True) for g in mixing]
    if not shares or max(shares) > 1:
        raise ValueError(f"mixing = {mixing!r}: give shares of fresh noise above 0, up to 1, such as (0.5, 1)")
    steps, pairs = whole(steps, "steps"), whole(pairs, "pairs")
    rollouts = whole(rollouts, "rollouts", low=2)
    found = driven(net, whole(paths, "paths"), whole(length, "length", low=steps + 2), seed=seed)
    rng = np.random.default_rng(seed)
    path, time, ends = _starts(weights, found, net.noise, rng, pairs=pairs, rollouts=rollouts, steps=steps)

    def spread(p: int, t: int, g: float) -> tuple[FloatArray, FloatArray]:
        """Trace of the covariance and mean distance from the mean path, (step) each."""
        fresh = net.noise * rng.standard_normal((rollouts, steps, net.noise_inputs))
        nominal = 0.0 if g == 1 else (1 - g) * found.noise[p, t + 1 : t + 1 + steps]
        states = _follow(weights, found.states[p, t], nominal + g * fresh)
        apart = states - states.mean(axis=0)
        return (apart**2).sum(axis=(0, 2)) / (rollouts - 1), np.linalg.norm(apart, axis=2).mean(axis=0)

    trace, distance = np.empty((2, 2, pairs, len(shares), steps))
    for place in range(2):
        for k, (p, t) in enumerate(zip(path[place], time[place], strict=True)):
            for m, g in enumerate(shares):
                trace[place, k, m], distance[place, k, m] = spread(p, t, g)
    lag = np.arange(-_BEFORE, _AFTER + 1)
    course = np.array([[spread(p, end + k, 1.0)[0][-1] for k in lag] for p, end in zip(path[0], ends, strict=True)])
    middle = np.array([spread(p, t, 1.0)[0][-1] for p, t in zip(path[0], time[0], strict=True)])
    return NoiseSensitivity(np.array(shares), trace, distance, path, time, lag, course, middle)


def _follow(weights: Weights, start: FloatArray, noise: FloatArray) -> FloatArray:
    """States (rollout, step, unit) from one state under noise (rollout, step, noise input)."""
    state = np.broadcast_to(start, (len(noise), len(start)))
    states = []
    for k in range(noise.shape[1]):
        state = np.maximum(weights.drive(state, noise[:, k]), 0)
        states.append(state)
    return np.stack(states, axis=1)


def _starts(
    weights: Weights,
    found: Activity,
    level: float,
    rng: np.random.Generator,
    *,
    pairs: int,
    rollouts: int,
    steps: int,
) -> tuple[IntArray, IntArray, IntArray]:
    """Path and time, (place, pair) each, of states in clusters and in the transitions that end them; (pair) the ends."""
    dwells = []
    for path, winners in enumerate(found.winners):
        times = switch_times(winners)
        dwells += [(begin - end, path, end) for begin, end in zip(times[:-1], times[1:], strict=True)]
    # The course before a switch has to lie in one dwell.
    dwells = [
        (minus_length, path, end)
        for minus_length, path, end in sorted(dwells)
        if end + _AFTER + steps < found.winners.shape[1] and -minus_length > _BEFORE
    ]
    chosen = []
    for minus_length, path, end in dwells:
        middle = end - min(-minus_length // 2, _BACK)
        for time in range(end - 1, middle, -1):
            noise = level * rng.standard_normal((rollouts, _WITHIN, found.noise.shape[2]))
            states = _follow(weights, found.states[path, time], noise)
            logits = states @ weights.readout.T + weights.readout_bias
            left = logits.argmax(axis=2) != found.winners[path, time]
            if left.any(axis=1).all() and (left.argmax(axis=1) + 1).mean() < _SOON:
                chosen.append((path, middle, time, end))
                break
            if left.any(axis=1).mean() < 0.5:
                break  # earlier states switch later still
        if len(chosen) == pairs:
            where = np.array(chosen).T
            return np.stack([where[0], where[0]]), where[1:3], where[3]
    raise ValueError(
        f"{len(chosen)} of {len(dwells)} dwells end in a state from which all rollouts switch at once, pairs = {pairs}: "
        "give fewer pairs, or more or longer paths (paths, length)"
    )
