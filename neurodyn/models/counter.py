"""The baseline without a network: a leaky counter for "what" times a stored bump for "when".

It meets the learning targets of the what-when task, since q_n = p + (q_0 - p)(1 - eta)^n whatever holds q. So
it belongs beside every learning curve of a network. What a network adds has to show elsewhere: in a time
course found from its own activity, in its response to noise, in what survives a loss of neurons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodyn.session import Session, Trial
from neurodyn.tasks import expected
from neurodyn.units import Time, si


@dataclass(frozen=True, eq=False)
class CounterRun:
    """What the counter knew after each trial, and what it expected in each test.

    Attributes
    ----------
    q : array, shape (trial, event)
        Estimated probabilities after each trial of the session (calibration and tests included).
    latency_ms : array, shape (trial, event)
        Estimated latencies in ms after the cue, after each trial; NaN before the first occurrence.
    tests : array, shape (test,)
        Which trials of the session were tests.
    output : array, shape (test, time, event)
        Expectation q_c y_c(t) in each test; 0 for events that have not occurred yet.
    target : array, shape (test, time, event)
        What a perfect observer expected, p_c y_c(t).
    scored : array, shape (time,)
        1 where samples count.

    Examples
    --------
    >>> import neurodyn.tasks
    >>> from neurodyn.analysis import expectation_error
    >>> run = counter(neurodyn.tasks.protocol("P1"))
    >>> error = expectation_error(run.output, run.target, run.scored)
    >>> bool(error.nrmse[-1] < 0.1)
    True
    """

    q: np.ndarray
    latency_ms: np.ndarray
    tests: np.ndarray
    output: np.ndarray
    target: np.ndarray
    scored: np.ndarray


def counter(
    session: Session,
    *,
    eta: float = 0.04,
    eta_when: float = 0.5,
    q0: float = 0.0,
    width: Time = "30 ms",
) -> CounterRun:
    """Learn a what-when session by counting.

    After each trial with learning in which event X occurred at latency l::

        q_c <- q_c + eta (1[c = X] - q_c)     for every event c
        L_X <- L_X + eta_when (l - L_X)       (L_X <- l the first time)

    and the expectation is o_c(t) = q_c exp(-(t - t_cue - L_c)^2 / (2 width^2)).

    Parameters
    ----------
    session : Session
        From :meth:`neurodyn.tasks.WhatWhen.session` or a protocol; its tests have to be equally long.
    eta, eta_when : float
        Learning rates in (0, 1]: 1/eta trials are remembered; `eta_when` 1 keeps the latest latency only.
    q0 : float
        Estimate of every probability before the first trial, in [0, 1].
    width : time
        Standard deviation of the stored bump: give that of the task.

    Returns
    -------
    CounterRun

    Raises
    ------
    ValueError
        Rates out of range, or a session without the inputs and labels of a what-when task.

    Notes
    -----
    Against a stationary task of independent events E[q_n] = p + (q_0 - p)(1 - eta)^n and, in the limit,
    var q = p (1 - p) eta / (2 - eta).
    """
    for name, rate in (("eta", eta), ("eta_when", eta_when)):
        if not 0.0 < rate <= 1.0:
            raise ValueError(f"{name}={rate!r}: a learning rate lies above 0 and is at most 1")
    if not 0.0 <= q0 <= 1.0:
        raise ValueError(f"q0={q0!r}: a probability lies between 0 and 1")
    width_ms = float(si(width, "ms", name="width", above=0)) * 1e3
    events = _number_of_events(session)

    q, latency = np.full(events, float(q0)), np.full(events, np.nan)
    history, tests, output, target = [], [], [], []
    for index, trial in enumerate(session.trials):
        if trial.learning:
            occurred = trial.inputs["occurred"]
            q = q + eta * (occurred - q)
            for c in np.flatnonzero(occurred):
                seen, before = float(trial.labels["latency_ms"]), latency[c]
                latency = latency.copy()
                latency[c] = seen if np.isnan(before) else before + eta_when * (seen - before)
        elif trial.labels["phase"] == "test":
            tests.append(index)
            output.append(q * _bumps(trial, latency, width_ms, session.dt))
            target.append(expected(trial))
        history.append((q, latency))

    if len({traces.shape for traces in output}) > 1:
        raise ValueError("session: its tests differ in length; run the counter on each block by itself")
    first = session.trials[tests[0] if tests else 0]
    shape = (len(tests), first.steps, events)
    return CounterRun(
        q=np.array([entry for entry, _ in history]),
        latency_ms=np.array([entry for _, entry in history]),
        tests=np.array(tests, dtype=np.int64),
        output=np.array(output).reshape(shape),
        target=np.array(target).reshape(shape),
        scored=first.inputs["scored"][:, 0],
    )


def _bumps(trial: Trial, latency_ms: np.ndarray, width_ms: float, dt: float) -> np.ndarray:
    """Stored bumps on the time grid of a trial (steps, events), 0 for events that have not occurred yet."""
    time_ms = np.arange(trial.steps)[:, None] * (dt * 1e3)
    distance = time_ms - float(trial.labels["cue_ms"]) - latency_ms
    return np.nan_to_num(np.exp(-0.5 * (distance / width_ms) ** 2), nan=0.0)


def _number_of_events(session: Session) -> int:
    inputs, labels = {"occurred", "target", "scored"}, {"phase", "cue_ms", "latency_ms", "probability"}
    for number, trial in enumerate(session.trials):
        missing = sorted((inputs - set(trial.inputs)) | (labels - set(trial.labels)))
        if missing:
            raise ValueError(f"session: trial {number} has no {', '.join(missing)}; make it by neurodyn.tasks.WhatWhen")
    if not session.trials:
        raise ValueError("session: it has no trials")
    return session.trials[0].inputs["occurred"].shape[-1]
