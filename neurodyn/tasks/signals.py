"""Periodic signals that a network has to produce by itself, taught for some periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from neurodyn.session import Session, Trial
from neurodyn.tasks.fields import milliseconds, time_text, whole
from neurodyn.units import Time, si


@dataclass(frozen=True, kw_only=True)
class PeriodicSignal:
    """A periodic target, shown while learning is on; then the network goes on without it being used.

    f(t) = sum_k amplitudes[k] sin(2 pi (k + 1) t/period) ("sines"), or a triangle of amplitude amplitudes[0] that
    starts at 0 and rises.

    Parameters
    ----------
    shape : "sines" or "triangle"
    period : time
        A whole number of dt.
    amplitudes : sequence of float
        Of the fundamental and its harmonics; one for a triangle.
    dt : time
        Sampling interval.

    Raises
    ------
    ValueError
        For values out of range; names the parameter.

    Notes
    -----
    The task of Sussillo & Abbott (2009) Neuron 63:544 and, learnt from reward, of Hoerzer et al. (2014), task 1.
    """

    shape: str = "sines"
    period: Time = "1 s"
    amplitudes: Sequence[float] = (1.0,)
    dt: Time = "1 ms"

    def __post_init__(self) -> None:
        for name in ("period", "dt"):
            object.__setattr__(self, name, time_text(getattr(self, name), name))
        object.__setattr__(self, "amplitudes", tuple(float(a) for a in self.amplitudes))
        if self.shape not in ("sines", "triangle"):
            raise ValueError(f"shape={self.shape!r}: give 'sines' or 'triangle'")
        if not self.amplitudes or not np.isfinite(self.amplitudes).all():
            raise ValueError(f"amplitudes={self.amplitudes!r}: give one or more finite numbers")
        if self.shape == "triangle" and len(self.amplitudes) > 1:
            raise ValueError(f"amplitudes={self.amplitudes!r}: a triangle has one")
        ratio = milliseconds(str(self.period)) / milliseconds(str(self.dt))
        if abs(ratio - round(ratio)) > 1e-6:
            raise ValueError(f"period={self.period!r} is not a whole number of dt={self.dt!r}; change one")

    def values(self) -> np.ndarray:
        """One period, shape (steps,)."""
        steps = round(milliseconds(str(self.period)) / milliseconds(str(self.dt)))
        phase = np.arange(steps) / steps
        if self.shape == "triangle":
            return self.amplitudes[0] * (1.0 - 4.0 * np.abs((phase + 0.25) % 1.0 - 0.5))
        orders = np.arange(1, len(self.amplitudes) + 1)
        return np.sin(2 * np.pi * np.outer(phase, orders)) @ np.array(self.amplitudes)

    def session(self, periods: int = 100, *, tests: int = 5, before: int = 0) -> Session:
        """One trial a period, without a reset between them: ``before`` and ``tests`` without learning, around the others.

        Every trial has the input ``target`` (steps, 1), of channel "z", and the labels phase (before, train, test) and
        exposure (periods with learning so far, this one included). The target of a test is there to compare with; where
        learning is off no learner of this package looks at it.
        """
        before, periods = whole(before, "before", 0), whole(periods, "periods", 1)
        tests = whole(tests, "tests", 0)
        target = self.values()[:, None]
        target.setflags(write=False)
        phases = ["before"] * before + ["train"] * periods + ["test"] * tests
        made = [
            Trial(
                len(target),
                {"target": target},
                learning=phase == "train",
                reset=number == 0,
                labels={"phase": phase, "exposure": min(max(number - before + 1, 0), periods)},
            )
            for number, phase in enumerate(phases)
        ]
        return Session(
            tuple(made),
            dt=float(si(self.dt, "ms", name="dt")),  # type: ignore[arg-type]
            channels={"target": ("z",)},
            config={
                "task": "PeriodicSignal",
                **asdict(self),
                "amplitudes": list(self.amplitudes),
                "session": {"periods": periods, "tests": tests, "before": before},
            },
        )
