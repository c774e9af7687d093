"""Delayed nonmatch to sample: two stimuli with a delay between them, and a response that tells whether they differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from neurodyn.session import Session, Trial
from neurodyn.tasks.draws import uniforms
from neurodyn.tasks.fields import milliseconds, time_text, whole
from neurodyn.units import Time, si

#: kinds of trials: first and second stimulus
KINDS = ("AA", "AB", "BA", "BB")
_SIGN = np.array([-1.0, 1.0, 1.0, -1.0])  # the exclusive or of the two


@dataclass(frozen=True, kw_only=True)
class DelayedNonmatch:
    """Two stimuli, each A or B, with a delay between them: at the end of the trial, say whether they differ.

    Time: the first stimulus starts with the trial, the second a delay after the first has ended; the response counts
    in the last ``scored`` of the trial. The error of a trial is the mean of ``|target - output|`` there and the reward its
    negative; both are computed in the network (see :func:`neurodyn.PerturbedRateNetwork`).

    Parameters
    ----------
    stimulus, delay : time
        Length of each stimulus, and of the pause between them.
    trial : time
        Length of a trial; the second stimulus has to end before the response counts.
    scored : time
        Length of the response at the end of the trial.
    target : float
        Response to stimuli that differ, above 0; that to equal ones is its negative.
    dt : time
        Sampling interval of the inputs; all times are whole multiples of it.

    Raises
    ------
    ValueError
        For values out of range; names the parameter.

    Notes
    -----
    Source: Miconi (2017) eLife 6:e20899 and its code (there the first stimulus starts a sample later). He cycles
    through the kinds of trials in fixed order; here each four trials hold all kinds, shuffled.
    """

    references: ClassVar[tuple[str, ...]] = ("miconi2017",)

    stimulus: Time = "200 ms"
    delay: Time = "200 ms"
    trial: Time = "1000 ms"
    scored: Time = "200 ms"
    target: float = 0.98
    dt: Time = "1 ms"

    def __post_init__(self) -> None:
        for name in ("stimulus", "delay", "trial", "scored", "dt"):
            object.__setattr__(self, name, time_text(getattr(self, name), name, zero=name == "delay"))
            if abs(self._ms(name) / self._ms("dt") - self._samples(name)) > 1e-6:
                raise ValueError(f"{name}={getattr(self, name)!r} is not a whole number of dt={self.dt!r}; change one")
        used = 2 * self._samples("stimulus") + self._samples("delay")
        if used + self._samples("scored") > self._samples("trial"):
            raise ValueError(
                f"trial={self.trial!r}: two stimuli of {self.stimulus}, a delay of {self.delay} and a response of "
                f"{self.scored} don't fit; lengthen the trial"
            )
        if not 0 < self.target < float("inf"):
            raise ValueError(f"target={self.target!r}: give a positive number; a tanh unit can't exceed 1")

    def _ms(self, name: str) -> float:
        return milliseconds(getattr(self, name))

    def _samples(self, name: str) -> int:
        return round(self._ms(name) / self._ms("dt"))

    @property
    def steps(self) -> int:
        """Samples per trial."""
        return self._samples("trial")

    def session(self, trials: int = 1000, *, warm_up: int = 100, tests: int = 0, seed: int = 1) -> Session:
        """Trials without learning, in which reward comes to be expected, then trials with learning, then tests.

        Parameters
        ----------
        trials : int
            Trials with learning, at least 1.
        warm_up, tests : int
            Trials without learning before and after them.
        seed : int
            Key of the order of kinds; a longer session begins as a shorter one does.

        Returns
        -------
        Session
            Every trial has the inputs

            ==========  ==========  ============================================================
            ``task``    (steps, 2)  channels A and B: 1 while the stimulus is there
            ``kind``    (4,)        1 for the kind of this trial: AA, AB, BA or BB
            ``target``  (1,)        +target where the stimuli differ, -target where they don't
            ``scored``  (steps, 1)  1 in the last ``scored`` of the trial
            ==========  ==========  ============================================================

            and the labels phase (warm-up, train, test), exposure (trials with learning so far, this one included),
            kind, differ. Arrays are shared between trials and read-only.

        Raises
        ------
        ValueError
            For numbers out of range.
        """
        trials, warm_up = whole(trials, "trials", 1), whole(warm_up, "warm_up", 0)
        tests, seed = whole(tests, "tests", 0), whole(seed, "seed", 0)
        total = warm_up + trials + tests
        blocks = -(-total // len(KINDS))
        order = np.argsort(uniforms(seed, 0, 0, blocks * len(KINDS)).reshape(blocks, -1), axis=1, kind="stable").ravel()
        inputs = [self._inputs(kind) for kind in range(len(KINDS))]
        made = []
        for number, kind in enumerate(order[:total].tolist()):
            phase = "warm-up" if number < warm_up else "train" if number < warm_up + trials else "test"
            labels = {
                "phase": phase,
                "exposure": min(max(number - warm_up + 1, 0), trials),
                "kind": KINDS[kind],
                "differ": bool(_SIGN[kind] > 0),
            }
            made.append(Trial(self.steps, inputs[kind], learning=phase == "train", labels=labels))
        plan = {"trials": trials, "warm_up": warm_up, "tests": tests, "seed": seed}
        return Session(
            tuple(made),
            dt=float(si(self.dt, "ms", name="dt")),  # type: ignore[arg-type]
            channels={"task": ("A", "B"), "kind": KINDS, "target": ("target",), "scored": ("scored",)},
            config={"task": "DelayedNonmatch", **asdict(self), "session": plan},
        )

    def _inputs(self, kind: int) -> dict[str, Any]:
        task, scored = np.zeros((self.steps, 2)), np.zeros((self.steps, 1))
        length, start = self._samples("stimulus"), self._samples("stimulus") + self._samples("delay")
        first, second = divmod(kind, 2)
        task[:length, first] = 1.0
        task[start : start + length, second] = 1.0
        scored[-self._samples("scored") :] = 1.0
        arrays = {"task": task, "scored": scored, "kind": np.eye(len(KINDS))[kind]}
        arrays["target"] = np.array([self.target * _SIGN[kind]])
        for array in arrays.values():
            array.setflags(write=False)  # many trials share them
        return arrays
