"""How eligibility and other signals lie around rewards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, floats, number, whole
from ..nulls import NullTest


@dataclass(frozen=True, eq=False)
class EligibilityAtReward:
    """Eligibility of one synapse at the times of reward, against other times and against other synapses.

    Attributes
    ----------
    at_reward : array, shape (reward)
        Eligibility of the synapse.
    others : array, shape (reward)
        Mean over all other synapses.
    timing : NullTest
        Mean of `at_reward`; null: the same with all rewards moved together by a random time, in a circle.
    specificity : NullTest
        Mean of `at_reward`; null: that mean for each of the other synapses.
    """

    at_reward: FloatArray
    others: FloatArray
    timing: NullTest[float]
    specificity: NullTest[float]


def eligibility_at_reward(
    time_ms: ArrayLike,
    eligibility: ArrayLike,
    rewards_ms: ArrayLike,
    synapse: int,
    *,
    samples: int = 999,
    seed: int = 0,
) -> EligibilityAtReward:
    """Whether a synapse is eligible when reward comes: more than at other times, and more than other synapses.

    Parameters
    ----------
    time_ms : array, shape (time), ms
        Evenly spaced.
    eligibility : array, shape (time, synapse), at least two synapses
    rewards_ms : array, shape (reward), ms
        Within the recording; the last sample not later than a reward counts.
    synapse : int
        Which one was to be rewarded.
    samples, seed : int
        Number of surrogates of `timing`, and the seed of their draws.

    Returns
    -------
    EligibilityAtReward

    Raises
    ------
    ValueError
        Fewer than two synapses, rewards outside the recording, uneven times, or numbers out of range.

    Notes
    -----
    Rewards that keep their intervals test the timing alone: a synapse that is often eligible doesn't pass. Moves shorter
    than the memory of eligibility leave the effect, so the smallest p of `timing` is about twice that memory over the
    length of the recording. With n other synapses the smallest p of `specificity` is 1/(1 + n).
    """
    time, values = _even(time_ms), floats(eligibility, "eligibility", axes=("time, synapse",))
    if len(values) != len(time) or values.shape[1] < 2:
        raise ValueError(f"eligibility has shape {values.shape}: give ({len(time)}, synapse) with two synapses or more")
    synapse, samples = whole(synapse, "synapse", low=0, high=values.shape[1] - 1), whole(samples, "samples")
    index = _samples_at(rewards_ms, time)
    at_reward = values[index]
    means = at_reward.mean(axis=0)
    turns = np.random.default_rng(seed).integers(0, len(time), samples)
    moved = values[(index + turns[:, None]) % len(time), synapse].mean(axis=1)
    rest = np.delete(np.arange(values.shape[1]), synapse)
    observed = float(means[synapse])
    return EligibilityAtReward(
        at_reward[:, synapse],
        at_reward[:, rest].mean(axis=1),
        NullTest(observed, moved),
        NullTest(observed, means[rest]),
    )


@dataclass(frozen=True, eq=False)
class RewardTriggered:
    """A signal around rewards. With several channels the arrays gain a last axis.

    Attributes
    ----------
    time : array, shape (lag), ms
        Relative to the reward.
    mean, sem : array, shape (lag[, channel])
        Mean over rewards, and its standard error (NaN with a single reward).
    null_mean, null_low, null_high : array, shape (lag[, channel])
        Mean and 5th and 95th percentile, lag by lag, with the rewards moved together by a random time.
    test : NullTest, of a number or an array (channel)
        Largest deviation over lags from the null's mean; one p-value for the whole window.
    rewards : int
        How many there were.
    """

    time: FloatArray
    mean: FloatArray
    sem: FloatArray
    null_mean: FloatArray
    null_low: FloatArray
    null_high: FloatArray
    test: NullTest[Any]
    rewards: int


def reward_triggered_average(
    time_ms: ArrayLike,
    values: ArrayLike,
    rewards_ms: ArrayLike,
    *,
    window: tuple[float, float],
    samples: int = 200,
    seed: int = 0,
) -> RewardTriggered:
    """Mean of a signal around rewards, with a null that moves all rewards together.

    Parameters
    ----------
    time_ms : array, shape (time), ms
        Evenly spaced.
    values : array, shape (time) or (time, channel)
        A weight, an eligibility trace, a rate, a concentration.
    rewards_ms : array, shape (reward), ms
        Each with its whole window within the recording.
    window : (float, float), ms
        From where to where around each reward, such as (-500, 2000).
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    RewardTriggered

    Raises
    ------
    ValueError
        A window that holds no sample or leaves the recording.

    Notes
    -----
    The null keeps the intervals of the rewards and the course of the signal, and turns one against the other in a
    circle, so that a slow drift is in the null as well; the end of the recording is joined to its start. Moves shorter
    than the window leave an effect in it: the smallest p is about twice the window over the length of the recording.
    """
    time = _even(time_ms)
    signal = floats(values, "values", axes=("time", "time, channel"))
    if len(signal) != len(time):
        raise ValueError(f"values has {len(signal)} samples, time_ms {len(time)}: give one value for each time")
    step = float(time[1] - time[0])
    first, last = (round(number(window[k], f"window[{k}]") / step) for k in (0, 1))
    if not first < last:
        raise ValueError(f"window = {window!r}: give (from, to) with more than one sample of {step:g} ms between them")
    lags = np.arange(first, last + 1)
    index = _samples_at(rewards_ms, time)
    if index.min() + first < 0 or index.max() + last >= len(time):
        raise ValueError(
            f"window = {window!r} around rewards from {time[index.min()]:g} to {time[index.max()]:g} ms leaves the recording, "
            f"{time[0]:g} to {time[-1]:g} ms: leave those rewards out"
        )
    samples, rng = whole(samples, "samples"), np.random.default_rng(seed)
    columns = signal.reshape(len(time), -1)
    places = index[:, None] + lags
    segments = columns[places]
    surrogates = np.array(
        [columns[(places + turn) % len(time)].mean(axis=0) for turn in rng.integers(0, len(time), samples)]
    )
    mean = segments.mean(axis=0)
    # The centre is that of data and surrogates together: under the null they are exchangeable, and stay so.
    centre = (mean + surrogates.sum(axis=0)) / (1 + samples)
    largest, largest_null = np.abs(mean - centre).max(axis=0), np.abs(surrogates - centre).max(axis=1)
    sem = segments.std(axis=0, ddof=1) / np.sqrt(len(index)) if len(index) > 1 else np.full(mean.shape, np.nan)
    low, high = np.percentile(surrogates, [5, 95], axis=0)
    null_mean = surrogates.mean(axis=0)
    test: NullTest[Any] = NullTest(largest, largest_null)
    if signal.ndim == 1:
        mean, sem, null_mean, low, high = (array[:, 0] for array in (mean, sem, null_mean, low, high))
        test = NullTest(float(largest[0]), largest_null[:, 0])
    return RewardTriggered(lags * step, mean, sem, null_mean, low, high, test, len(index))


def _even(time_ms: ArrayLike) -> FloatArray:
    time = floats(time_ms, "time_ms", axes=("time",), shortest=2)
    steps = np.diff(time)
    if not steps.min() > 0 or np.ptp(steps) > 1e-6 * steps.mean():
        raise ValueError(f"time_ms has steps from {steps.min():g} to {steps.max():g} ms: give evenly spaced times")
    return time


def _samples_at(rewards_ms: ArrayLike, time: FloatArray) -> IntArray:
    """Index of the last sample that is not later than each reward."""
    rewards = floats(rewards_ms, "rewards_ms", axes=("reward",))
    step = (time[-1] - time[0]) / (len(time) - 1)
    index = np.floor((rewards - time[0]) / step + 1e-6).astype(np.int64)
    if index.min() < 0 or index.max() >= len(time):
        raise ValueError(
            f"rewards_ms runs from {rewards.min():g} to {rewards.max():g} ms, the recording from {time[0]:g} to "
            f"{time[-1]:g} ms: leave out rewards beyond it"
        )
    return index
