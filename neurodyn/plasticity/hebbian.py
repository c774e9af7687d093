"""Hebbian learning of readouts with a global reward: weights follow their own exploration where it paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from neurodyn.plasticity.learners import Signals
from neurodyn.plasticity.rule import Rule
from neurodyn.units import si


@dataclass(frozen=True, kw_only=True)
class RewardModulatedHebbian:
    """Pre x fluctuation of the output x a binary reward signal; no error reaches the synapse (Hoerzer et al. 2014).

    While learning is on, the outputs z_c = y_c + exploration*U(-1, 1) replace y_c, in the feedback too. Each step::

        P = -sum_c (z_c - f_c)^2,  M = 1 if P > P_mean, else 0
        dw_ci = eta(t) (z_c - z_mean_c) M x_i,  eta(t) = rate/(1 + t/decay)

    with running means z_mean and P_mean: m <- alpha m + (1 - alpha) value before they are used, where alpha is
    ``smoothing`` a millisecond. t counts the time in which learning was on. M is one bit, the same for
    all synapses and outputs. Without learning the output is y, free of exploration.

    Parameters
    ----------
    rate : float
        Learning rate at the start, above 0; per step of 1 ms (it scales with the step).
    decay : time
        When the rate has fallen to a half.
    exploration : float
        Greatest deviation of the outputs, above 0.
    smoothing : float
        alpha, in (0, 1).

    Raises
    ------
    ValueError
        For values out of range.

    References
    ----------
    Hoerzer, Legenstein & Maass (2014) Cereb. Cortex 24:677, eq. 3 to 7; Legenstein et al. (2010) J. Neurosci. 30:8400.
    """

    references: ClassVar[tuple[str, ...]] = ("hoerzer2014", "legenstein2010")

    rate: float = 5e-4
    decay: Any = "20 s"
    exploration: float = 0.5
    smoothing: float = 0.8

    def __post_init__(self) -> None:
        for name in ("rate", "exploration"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"RewardModulatedHebbian: {name} = {getattr(self, name)!r}, give a positive number")
        if not 0 < self.smoothing < 1:
            raise ValueError(f"RewardModulatedHebbian: smoothing = {self.smoothing!r}, allowed is between 0 and 1")
        si(self.decay, "second", name="RewardModulatedHebbian: decay", above=0.0)

    def rule(self, name: str, signals: Signals, *, dt: float) -> Rule:
        """Return the rule for a readout with these signals; it changes the output, and remembers how long it learnt."""
        s = signals
        return Rule(
            name,
            references=self.references,
            parameters={
                "rate": self.rate * dt * 1e3,
                "decay_steps": float(si(self.decay, "second", name="decay")) / dt,  # type: ignore[arg-type]
                "exploration": self.exploration,
                "smoothing": self.smoothing ** (dt * 1e3),
            },
            state={
                "mean_output": "output",
                "mean_performance": "network",
                "performance": "network",
                "reward": "network",
            },
            memory={"learnt_steps": "network"},
            per_step=f"""
{s.y} += exploration*(2*rand({s.y}) - 1)
deviation = {s.y} - {s.target}
performance = -sum(deviation*deviation)
mean_output = smoothing*mean_output + (1 - smoothing)*{s.y}
mean_performance = smoothing*mean_performance + (1 - smoothing)*performance
reward = where(performance > mean_performance, 1, 0)
change = rate/(1 + learnt_steps/decay_steps)*reward*({s.y} - mean_output)
{s.w} += change*{s.x}
learnt_steps += 1
""",
        )
