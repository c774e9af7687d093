"""How well a network expects what happens when: traces over (event, time) against their targets.

Everywhere the time axis is the last but one and the events are the last axis, as in (trial, time, event); a
single trace (time,) is taken as well. Probabilities and expectations have no unit, times are in ms on one
clock of the caller's choice (for latencies: ms after the cue).

A perfect score here needs no network: a leaky counter for q times a stored bump has one as well
(`neurodyn.models.counter`, the baseline to show beside any result of these functions).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, number


@dataclass(frozen=True)
class ExpectationError:
    """Errors of an expectation over all scored samples and events; floats, or arrays over leading axes.

    Attributes
    ----------
    nrmse : float or array
        ``|o - o*| / |o*|`` in the Euclidean norm: 0 is perfect, zero output scores 1. NaN where the target is 0.
    rmse : float or array
        Root of the mean squared difference, in the unit of the traces.
    correlation : float or array
        Pearson's r between o and ``o*``. NaN where either is constant (such as zero output).
    """

    nrmse: float | FloatArray
    rmse: float | FloatArray
    correlation: float | FloatArray


def expectation_trace(q: ArrayLike, y: ArrayLike) -> FloatArray:
    """Expectation o_c(t) = max(q_c, 0) max(y_c(t), 0) from probabilities q and unit bumps y.

    Parameters
    ----------
    q : array, shape (..., event)
        Estimate of the probability of each event, one per trial.
    y : array, shape (..., time, event)
        Estimate of the time course of each event.

    Returns
    -------
    (..., time, event)
        Leading axes (trials) are broadcast.

    Raises
    ------
    ValueError
        Shapes that don't fit, or values that are not finite.
    """
    probability, course = _finite(q, "q"), _finite(y, "y")
    if probability.ndim < 1 or course.ndim < 2 or probability.shape[-1] != course.shape[-1]:
        raise ValueError(
            f"q has shape {probability.shape}, y has shape {course.shape}: give q (..., event) and y (..., time, event)"
        )
    return np.maximum(probability, 0.0)[..., None, :] * np.maximum(course, 0.0)


def expectation_error(output: ArrayLike, target: ArrayLike, scored: ArrayLike | None = None) -> ExpectationError:
    """Error of an expectation against its target, over the scored samples and all events together.

    Parameters
    ----------
    output : array, shape (..., time, event)
    target : array, shape (..., time, event)
        Leading axes are broadcast against those of `output`.
    scored : array, shape (time,) or (time, 1), optional
        Non-zero where samples count, such as the input "scored" of a trial; all if not given.

    Returns
    -------
    ExpectationError
        One value per leading index. The error of a test of several trials is the mean over them; averaging
        the outputs first gives a smaller number.

    Raises
    ------
    ValueError
        Shapes that don't fit, or no scored sample.
    """
    o, goal = _traces(output, "output"), _traces(target, "target")
    if o.shape[-2:] != goal.shape[-2:]:
        raise ValueError(f"output has shape {o.shape}, target has shape {goal.shape}: time and event must agree")
    if scored is not None:
        mask = np.asarray(scored).reshape(-1) != 0
        if mask.shape[0] != o.shape[-2] or not mask.any():
            raise ValueError(
                f"scored has shape {np.shape(scored)} and {int(mask.sum())} scored samples: give one entry "
                f"for each of the {o.shape[-2]} samples, at least one of them non-zero"
            )
        o, goal = o[..., mask, :], goal[..., mask, :]
    o, goal = np.broadcast_arrays(o, goal)
    o, goal = o.reshape(*o.shape[:-2], -1), goal.reshape(*goal.shape[:-2], -1)
    squares = np.sum((o - goal) ** 2, axis=-1)
    centred_o, centred_goal = o - o.mean(axis=-1, keepdims=True), goal - goal.mean(axis=-1, keepdims=True)
    # Constant traces leave rounding noise behind when centred: ask the traces themselves.
    varies = (np.ptp(o, axis=-1) > 0) & (np.ptp(goal, axis=-1) > 0)
    spread = np.sqrt(np.sum(centred_o**2, axis=-1)) * np.sqrt(np.sum(centred_goal**2, axis=-1))
    return ExpectationError(
        nrmse=_plain(_ratio(np.sqrt(squares), np.sqrt(np.sum(goal**2, axis=-1)))),
        rmse=_plain(np.sqrt(squares / o.shape[-1])),
        correlation=_plain(_ratio(np.sum(centred_o * centred_goal, axis=-1), np.where(varies, spread, 0.0))),
    )


def amplitude(output: ArrayLike, time_ms: ArrayLike, latency_ms: ArrayLike, width_ms: float) -> float | FloatArray:
    """Mean of the expectation within `width_ms` of the latency, ends included.

    Parameters
    ----------
    output : array, shape (..., time, event), or (time,)
    time_ms : array, shape (time,)
        Times of the samples.
    latency_ms : float or (event,)
        Latency of each event, on the same clock.
    width_ms : float
        Half the width of the window, usually the standard deviation of the bumps.

    Returns
    -------
    (..., event), or float for one trace
        NaN where the window holds no sample.

    Raises
    ------
    ValueError
        Latencies that are not one for all or one for each event, or shapes that don't fit.
    """
    o, time, single = _timed(output, time_ms)
    latency = np.asarray(latency_ms, dtype=np.float64)
    if latency.ndim > 1 or (latency.ndim == 1 and latency.shape[0] not in (1, o.shape[-1])):
        raise ValueError(
            f"latency_ms has shape {latency.shape}: give one number, or one for each of {o.shape[-1]} events"
        )
    half = number(width_ms, "width_ms", low=0.0)
    # The tolerance keeps the ends in whatever the last bit of k dt.
    inside = np.abs(time[:, None] - latency) <= half + 1e-9
    inside = np.broadcast_to(inside, o.shape[-2:])
    return _traced(_ratio(np.sum(o * inside, axis=-2), inside.sum(axis=0)), single)


def peak_times(output: ArrayLike, time_ms: ArrayLike, window: tuple[float, float] | None = None) -> float | FloatArray:
    """Time of the largest value of each trace in ms, the earliest one of equals.

    Parameters
    ----------
    output : array, shape (..., time, event), or (time,)
    time_ms : array, shape (time,)
    window : (first, last) in ms, optional
        Where to look, ends included; everywhere if not given.

    Returns
    -------
    (..., event), or float for one trace
        NaN where no value in the window is above zero: a silent trace has no peak.

    Raises
    ------
    ValueError
        A window without a sample, or shapes that don't fit.
    """
    o, time, single = _timed(output, time_ms)
    if window is not None:
        first, last = window
        inside = (time >= first - 1e-9) & (time <= last + 1e-9)
        if not inside.any():
            raise ValueError(f"window={window!r} holds no sample: time_ms runs from {time[0]:g} to {time[-1]:g} ms")
        o, time = o[..., inside, :], time[inside]
    peaks = np.where(o.max(axis=-2) > 0, time[o.argmax(axis=-2)], np.nan)
    return _traced(peaks, single)


def bump_ratio(
    output: ArrayLike,
    time_ms: ArrayLike,
    old_latency_ms: ArrayLike,
    new_latency_ms: ArrayLike,
    width_ms: float,
) -> float | FloatArray:
    """What is left of an old bump after a change: amplitude at the old latency over that at the new one.

    No unit: 0 when the old bump is gone, 1 when it is as high as the new one. If the latencies are less than about four
    standard deviations of the bump apart, one bump shows in both windows and the ratio stays above 0.

    Parameters
    ----------
    output : array, shape (..., time, event), or (time,)
    time_ms : array, shape (time,)
        Times of the samples.
    old_latency_ms, new_latency_ms : float or (event,)
        Latencies before and after the change.
    width_ms : float
        As in :func:`amplitude`.

    Returns
    -------
    (..., event), or float for one trace
        NaN where the amplitude at the new latency isn't above zero.
    """
    old = np.asarray(amplitude(output, time_ms, old_latency_ms, width_ms))
    new = np.asarray(amplitude(output, time_ms, new_latency_ms, width_ms))
    return _plain(_ratio(old, np.where(new > 0, new, 0.0)))


def trials_to_recover(
    trials: ArrayLike, errors: ArrayLike, before: ArrayLike, factor: float = 1.25
) -> float | FloatArray:
    """First tested trial after a switch whose error is at most `factor` times the error before the switch.

    Parameters
    ----------
    trials : array, shape (test,)
        Numbers of the training trials that the tests follow, increasing.
    errors : array, shape (..., test)
        Errors of these tests; a NaN never counts as recovered.
    before : float or array, shape (...)
        Error at the end of the block before the switch.
    factor : float

    Returns
    -------
    float or (...)
        In trials; NaN where no test recovers. Its resolution is that of the tests.

    Raises
    ------
    ValueError
        Trials that don't increase, or errors of another length.
    """
    at, values = np.asarray(trials, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if at.ndim != 1 or not at.size or values.shape[-1:] != at.shape or (np.diff(at) <= 0).any():
        raise ValueError(
            f"trials has shape {at.shape}, errors has shape {values.shape}: give increasing trial numbers "
            "(test,) and errors (..., test)"
        )
    limit = number(factor, "factor", unit="", low=0.0, strict=True) * np.asarray(before, dtype=np.float64)
    recovered = values <= np.asarray(limit)[..., None]
    return _plain(np.where(recovered.any(axis=-1), at[recovered.argmax(axis=-1)], np.nan))


def overshoot(q: ArrayLike, old: float, new: float) -> float | FloatArray:
    """How far an estimate goes beyond its new value after a switch from `old` to `new`.

    max over trials of sign(new - old) (q - new), at least 0; in the unit of q.

    Parameters
    ----------
    q : array, shape (..., trial)
        The estimate after the switch, such as the probability of one event.
    old, new : float
        True values before and after the switch.

    Returns
    -------
    float or (...)
        NaN when `old` and `new` are equal: there is no direction to go too far in.

    Raises
    ------
    ValueError
        No trial, or values that are not finite.
    """
    values = _finite(q, "q")
    if values.ndim < 1 or not values.shape[-1]:
        raise ValueError(f"q has shape {values.shape}: give (..., trial) with at least one trial")
    direction = np.sign(number(new, "new", unit="") - number(old, "old", unit=""))
    beyond = np.maximum((direction * (values - new)).max(axis=-1), 0.0)
    return _plain(beyond if direction else np.full_like(beyond, np.nan))


def _finite(values: ArrayLike, name: str) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} is {array[where]} at index {where}: values must be finite")
    return array


def _traces(values: ArrayLike, name: str) -> FloatArray:
    """(..., time, event); one trace (time,) becomes one event."""
    array = _finite(values, name)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim < 2 or 0 in array.shape[-2:]:
        raise ValueError(f"{name} has shape {array.shape}: give (..., time, event), none of them empty")
    return array


def _timed(output: ArrayLike, time_ms: ArrayLike) -> tuple[FloatArray, FloatArray, bool]:
    o, time = _traces(output, "output"), _finite(time_ms, "time_ms")
    if time.shape != (o.shape[-2],):
        raise ValueError(f"time_ms has shape {time.shape}: give one time for each of {o.shape[-2]} samples")
    return o, time, np.ndim(output) == 1


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """above / below, NaN where below is 0."""
    below = np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below != 0)


def _plain(values: FloatArray) -> float | FloatArray:
    return float(values) if np.ndim(values) == 0 else values


def _traced(values: FloatArray, single: bool) -> float | FloatArray:
    """A float for one trace, else (..., event)."""
    return float(values[0]) if single else values
