"""The multi-event expectation task (MEET): a cue, then one of several events, each with its own latency."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np

from neurodyn.session import Label, Session, Trial
from neurodyn.tasks.draws import event_order, jittered
from neurodyn.tasks.fields import (
    event_names,
    event_probabilities,
    milliseconds,
    points_of_test,
    time_text,
    time_texts,
    whole,
)
from neurodyn.tasks.gates import GATES, Gate, gate_name, gate_values
from neurodyn.units import Time, si


@dataclass(frozen=True, kw_only=True)
class WhatWhen:
    """A cue announces that one of several events will follow: which one, and when, has to be learnt.

    In every training trial exactly one event c occurs, with probability p_c, at its latency t_c after the
    cue. A perfect observer then expects o*_c(t) = p_c y_c(t), with the unit bump
    y_c(t) = exp(-(t - t_cue - t_c)^2 / (2 width^2)).

    Time: sample k holds from t = k dt to (k + 1) dt and is computed at t = k dt. Onsets and ends go to the
    nearest sample; bumps are computed from the exact latency.

    Parameters
    ----------
    latencies : sequence of time, one per event
        From the cue to the onset of the event, positive; the event has to end within the trial. Recommended:
        100 to 450 ms. Much later, a cue that decays over 300 ms leaves little to read the time from.
    probability : float or sequence of float
        Of the first of two events, or one number per event, summing to 1.
    events : sequence of str, optional
        Names of the events; A, B, C, ... if not given (see `names`).
    width : time
        Standard deviation of the bumps.
    cue : time
        Onset of the cue.
    trial : time
        Length of a trial, a whole number of dt.
    cue_decay : time
        Time constant of the exponential decay of the cue.
    event_duration : time
        Length of the pulse that stands for an event.
    window : time
        Averaging window of the "what" readout, from the cue on; meant to be over before the first event.
    gate : "window", "local" or callable
        Where the "when" readout of the event that occurred may learn: from the cue to the end of the trial,
        within 90 ms of the latency, or a function of (ms after the cue, latency in ms) such as
        :func:`neurodyn.tasks.window_gate` and :func:`neurodyn.tasks.local_gate`.
    iid : bool
        Independent draws of the events. Otherwise shuffled mini-blocks of 10 trials with exact proportions.
    jitter : time
        Standard deviation of the latency over trials (normal, truncated so that the event stays between the
        cue and the end of the trial).
    dt : time
        Sampling interval of the inputs.

    Raises
    ------
    ValueError
        For values out of range; names the parameter.

    Notes
    -----
    Source: Yamada & Chao (2025) arXiv:2510.14382 (name and structure of the task); the numbers are this package's.
    """

    references: ClassVar[tuple[str, ...]] = ("yamada2025",)

    latencies: Sequence[Time] = ("150 ms", "300 ms")
    probability: float | Sequence[float] = 0.8
    events: Sequence[str] | None = None
    width: Time = "30 ms"
    cue: Time = "100 ms"
    trial: Time = "700 ms"
    cue_decay: Time = "300 ms"
    event_duration: Time = "30 ms"
    window: Time = "100 ms"
    gate: str | Gate = "window"
    iid: bool = False
    jitter: Time = "0 ms"
    dt: Time = "1 ms"

    def __post_init__(self) -> None:
        clean: dict[str, Any] = {"latencies": time_texts(self.latencies, "latencies")}
        for name in ("width", "trial", "cue_decay", "event_duration", "window", "dt"):
            clean[name] = time_text(getattr(self, name), name)
        for name in ("cue", "jitter"):
            clean[name] = time_text(getattr(self, name), name, zero=True)
        number = len(clean["latencies"])
        probabilities = event_probabilities(self.probability, number)
        clean["probability"] = probabilities if np.ndim(self.probability) else probabilities[0]
        names = event_names(self.events, number)
        clean["events"] = None if self.events is None else names
        for name, value in clean.items():
            object.__setattr__(self, name, value)
        self._check_times()
        if not callable(self.gate) and self.gate not in GATES:
            raise ValueError(f"gate={self.gate!r}: give 'window', 'local' or a function of (time_ms, latency_ms)")

    def _check_times(self) -> None:
        dt, length, cue = self._ms("dt"), self._ms("trial"), self.cue_ms
        if abs(self.steps * dt - length) > 1e-6 * dt:
            raise ValueError(f"trial={self.trial!r} is not a whole number of dt={self.dt!r}; change one of them")
        if cue >= length:
            raise ValueError(f"cue={self.cue!r}: the cue has to start before the trial ends at {self.trial}")
        if cue + self._ms("window") > length + 1e-6:
            raise ValueError(
                f"window={self.window!r} from the cue at {self.cue} ends after the trial of {self.trial}; "
                "shorten the window or lengthen the trial"
            )
        for text, latency in zip(self.latencies, self.latencies_ms, strict=True):
            if latency > self._latest_ms + 1e-6:
                raise ValueError(
                    f"latencies: {text!r} after the cue at {self.cue} an event of {self.event_duration} "
                    f"ends outside the trial of {self.trial}; use at most {self._latest_ms:g} ms"
                )

    def _ms(self, name: str) -> float:
        return milliseconds(getattr(self, name))

    @property
    def _latest_ms(self) -> float:
        return self._ms("trial") - self.cue_ms - self._ms("event_duration")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the events."""
        return event_names(self.events, len(self.latencies))

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Probability of every event."""
        return event_probabilities(self.probability, len(self.latencies))

    @property
    def latencies_ms(self) -> tuple[float, ...]:
        """Latency of every event in ms after the cue."""
        return tuple(milliseconds(text) for text in self.latencies)

    @property
    def cue_ms(self) -> float:
        """Onset of the cue in ms after the start of the trial."""
        return self._ms("cue")

    @property
    def steps(self) -> int:
        """Samples per trial."""
        return round(self._ms("trial") / self._ms("dt"))

    @property
    def time_ms(self) -> np.ndarray:
        """Time k dt of every sample in ms after the start of the trial, shape (steps,)."""
        return np.arange(self.steps) * self._ms("dt")

    def bumps(self, latencies_ms: Sequence[float] | None = None) -> np.ndarray:
        """Unit bumps y_c(t), shape (steps, events), at the task's or other latencies (ms after the cue)."""
        latencies = np.asarray(self.latencies_ms if latencies_ms is None else latencies_ms)
        distance = self.time_ms[:, None] - self.cue_ms - latencies
        return np.exp(-0.5 * (distance / self._ms("width")) ** 2)

    def expectation(self) -> np.ndarray:
        """What a perfect observer expects, o*_c(t) = p_c y_c(t), shape (steps, events), jitter left out."""
        return self.bumps() * np.array(self.probabilities)

    def with_(self, **changes: Any) -> WhatWhen:
        """The same task with some parameters changed."""
        return replace(self, **changes)

    def session(
        self,
        trials: int = 100,
        *,
        calibration: int = 5,
        tests: Sequence[int] | None = None,
        test_trials: int = 3,
        seed: int = 1,
        block: int = 0,
    ) -> Session:
        """One block of training, with cue-only trials for calibration and tests.

        Parameters
        ----------
        trials : int
            Training trials, at least 1, numbered from 1.
        calibration : int
            Cue-only trials without learning before the first training trial.
        tests : sequence of int, optional
            Numbers of the training trials that a test follows; 0 is a test before training. If not given,
            those of 1, 10, 25, 50, 100 that exist, and the last trial.
        test_trials : int
            Cue-only trials without learning per test.
        seed, block : int
            Key of the order of events and of their jitter, which don't depend on `tests` or `calibration`.

        Returns
        -------
        Session
            Sessions of several blocks are joined by ``+``. Every trial has the inputs

            ============  =================  =============================================================
            ``task``      (steps, 1+events)  channels cue, events: exp(-(t - t_cue)/cue_decay) from the
                                             cue on; 1 during the event, 0 in cue-only trials
            ``target``    (steps, events)    y_c(t), at the jittered latency for the event that occurs
            ``gate``      (steps, events)    gate of the event that occurs; otherwise 0
            ``occurred``  (events,)          1 for the event that occurs
            ``window``    (steps, 1)         1 from the cue on, for `window`
            ``scored``    (steps, 1)         1 from the cue to the end
            ``switch``    (1,)               1 in the first training trial of a block but the first
            ============  =================  =============================================================

            and the labels block, phase (calibration, train, test), exposure (number of the training trial, or of
            the one that a test follows), cue_ms, event (or "none"), latency_ms (or NaN), probability (of the
            first event) and, with more than two events, p_<name> of each. Arrays are shared between trials
            and read-only.

        Raises
        ------
        ValueError
            For numbers out of range and tests beyond the last trial.
        """
        trials, test_trials = whole(trials, "trials", 1), whole(test_trials, "test_trials", 1)
        calibration, seed = whole(calibration, "calibration", 0), whole(seed, "seed", 0)
        block, points = whole(block, "block", 0), points_of_test(tests, trials)

        order = event_order(self.probabilities, trials, seed=seed, block=block, iid=self.iid)
        latencies = np.array(self.latencies_ms)[order]
        if self._ms("jitter") > 0:
            earliest = min(self._ms("dt"), *self.latencies_ms)
            latencies = jittered(latencies, self._ms("jitter"), earliest, self._latest_ms, seed=seed, block=block)

        p_labels: dict[str, Label] = {"probability": self.probabilities[0]}
        if len(self.names) > 2:
            p_labels |= {f"p_{name}": p for name, p in zip(self.names, self.probabilities, strict=True)}
        inputs = functools.cache(self._inputs)

        def trial(phase: str, number: int, event: int | None = None, latency_ms: float = np.nan) -> Trial:
            return Trial(
                self.steps,
                {
                    **inputs(event, latency_ms),
                    "switch": np.array([float(phase == "train" and number == 1 and block > 0)]),
                },
                learning=phase == "train",
                calibration=phase == "calibration",
                labels={
                    "block": block,
                    "phase": phase,
                    "exposure": number,
                    "cue_ms": self.cue_ms,
                    "event": "none" if event is None else self.names[event],
                    "latency_ms": latency_ms,
                    **p_labels,
                },
            )

        made = [trial("calibration", 0) for _ in range(calibration)]
        for number in range(trials + 1):
            if number:
                made.append(trial("train", number, int(order[number - 1]), float(latencies[number - 1])))
            if number in points:
                made += [trial("test", number) for _ in range(test_trials)]
        plan = {"trials": trials, "calibration": calibration, "tests": list(points)}
        plan |= {"test_trials": test_trials, "seed": seed, "block": block}
        channels = {"task": ("cue", *self.names)} | dict.fromkeys(("target", "gate", "occurred"), self.names)
        channels |= {name: (name,) for name in ("window", "scored", "switch")}
        return Session(
            tuple(made),
            dt=float(si(self.dt, "ms", name="dt")),
            channels=channels,
            config={**self._config(), "session": plan},
        )

    def _inputs(self, event: int | None, latency_ms: float) -> dict[str, np.ndarray]:
        steps, number, dt = self.steps, len(self.latencies), self._ms("dt")
        since_cue = self.time_ms - self.cue_ms
        start = round(self.cue_ms / dt)

        task = np.zeros((steps, 1 + number))
        task[start:, 0] = np.exp(-np.maximum(since_cue[start:], 0.0) / self._ms("cue_decay"))
        gate, occurred, latencies = np.zeros((steps, number)), np.zeros(number), list(self.latencies_ms)
        if event is not None:
            onset = round((self.cue_ms + latency_ms) / dt)
            task[onset : onset + self._samples("event_duration"), 1 + event] = 1.0
            gate[:, event] = gate_values(self.gate, since_cue, latency_ms)
            occurred[event], latencies[event] = 1.0, latency_ms
        window, scored = np.zeros((steps, 1)), np.zeros((steps, 1))
        window[start : start + self._samples("window")] = 1.0
        scored[start:] = 1.0
        arrays = {"task": task, "target": self.bumps(latencies), "gate": gate, "occurred": occurred}
        arrays |= {"window": window, "scored": scored}
        for array in arrays.values():
            array.setflags(write=False)  # many trials share them
        return arrays

    def _samples(self, name: str) -> int:
        return max(1, round(self._ms(name) / self._ms("dt")))

    def _config(self) -> dict[str, Any]:
        """All parameters, for a file."""
        config = asdict(self) | {"latencies": list(self.latencies), "probability": list(self.probabilities)}
        return {"task": "WhatWhen"} | config | {"events": list(self.names), "gate": gate_name(self.gate)}


def expected(trial: Trial) -> np.ndarray:
    """What a perfect observer expects in one trial of a session, o*_c(t) = p_c y_c(t), shape (steps, events).

    From the labels and targets of the ``trial`` itself, so it follows the blocks of a session: score tests against it.

    Raises
    ------
    ValueError
        The trial isn't one of :meth:`WhatWhen.session`.
    """
    if "probability" not in trial.labels or "target" not in trial.inputs:
        raise ValueError("the trial has no label 'probability' or no input 'target': give trials of WhatWhen.session()")
    target = trial.inputs["target"]
    number, first = target.shape[-1], float(trial.labels["probability"])
    p = [first, round(1.0 - first, 12)][:number]
    if number > 2:
        p = [float(value) for name, value in trial.labels.items() if name.startswith("p_")]
    return target * np.array(p)
