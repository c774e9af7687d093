"""The pair of readouts that learn what comes and when (Yamada & Chao 2025), for any pair of learners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from neurodyn.circuit import Circuit
from neurodyn.parts import CircuitError, Connection, Filter, Input, Readout, Uniform
from neurodyn.plasticity.features import FEATURES, RATE_SCALE
from neurodyn.plasticity.learners import Signals, ThreeFactor, TrialDelta

_SIGNALS = ("scored", "window", "switch")


@dataclass(frozen=True, kw_only=True)
class WhatWhenRule:
    """Two readouts of the same cells: "when", every step, and "what", once a trial.

    when: y_c(t) = w_c x(t) learns a unit-height bump at the latency of event c, online, behind the gate.
    what: q_c = v_c z, z the mean activity after the cue, learns the probability of c, at the end of each trial.
    output: o_c(t) = max(q_c, 0) max(y_c, 0), recorded as ``expectation``.

    Parameters
    ----------
    when, what : learner
        For when :class:`ThreeFactor`, :class:`LocalThreeFactor`, :class:`NLMS` or :class:`FORCE`; for what
        :class:`TrialDelta` or :class:`TrialFORCE`.
    features : "standardized", "raw" or "running"
        x: rates less their mean over their standard deviation in the calibration trials; rates in units of 100 Hz; or
        rates by each cell's own running mean and standard deviation, with nothing shared between cells.
    feedback : float
        Weights of the feedback of clip(y, 0, 1.5) to the cells are uniform in +-feedback (0: none).
    merged : bool
        One readout instead of two: y_c learns 1[c occurred] * bump on all channels in every trial.
    population, variable : str
        Where the cells are and which of their variables takes the feedback.
    tau : quantity
        Time constant of the filter of the spikes.

    Raises
    ------
    ValueError
        Features that don't exist, or a feedback below 0.

    References
    ----------
    Yamada & Chao (2025) arXiv:2510.14382: two readouts of one reservoir; numbers and features are ours.
    """

    references: ClassVar[tuple[str, ...]] = ("yamada2025",)

    when: Any = field(default_factory=ThreeFactor)
    what: Any = field(default_factory=TrialDelta)
    features: str = "standardized"
    feedback: float = 1.5
    merged: bool = False
    population: str = "cells"
    variable: str = "I_in"
    tau: Any = "30 ms"

    def __post_init__(self) -> None:
        if self.features not in FEATURES:
            raise ValueError(f"features = {self.features!r}, allowed are {', '.join(FEATURES)}")
        if not 0 <= self.feedback < float("inf"):
            raise ValueError(f"feedback = {self.feedback!r}, give 0 or a positive number")

    def attach(self, circuit: Circuit) -> Circuit:
        """Return the circuit with filter, readouts, rules and feedback; its input "task" names the events."""
        outputs = self._events(circuit)
        signals = Signals(target="target*occurred", gate="ones") if self.merged else Signals()
        features = FEATURES[self.features]()
        ones = {"ones": ("output", 1.0)} if self.merged else {}
        when = Readout(
            "when",
            "rate",
            outputs,
            state={**features.state, "y": "output", "feedback": "output", **ones},
            memory={**features.memory, "w": "output*unit"},
            parameters=features.parameters,
            per_step=f"{features.per_step}\ny = sum(w*x)\nfeedback = clip(y, 0, 1.5)\n",
            trial_end=features.trial_end,
            rule=self.when.rule("when_rule", signals, dt=circuit.timestep),
        )
        expectation = "maximum(when.y, 0)" if self.merged else "maximum(q, 0)*maximum(when.y, 0)"
        what = Readout(
            "what",
            "rate",
            outputs,
            state={"z": "unit", "samples": "network", "q": "output", "expectation": "output"},
            memory={"v": "output*unit"},
            parameters={"scale": RATE_SCALE},
            per_step=f"""
if window > 0:
    samples += 1
    z += (r*scale - z)/samples
    q = sum(v*z)
expectation = {expectation}
""",
            rule=self.what.rule("what_rule", Signals(x="z", w="v", y="q", target="occurred"), dt=circuit.timestep),
        )
        parts: list[Any] = [Input(name, outputs) for name in ("target", "gate", "occurred")]
        parts += [Input(name, (name,)) for name in _SIGNALS]
        parts += [Filter("rate", self.population, self.tau), when, what]
        if self.feedback:
            parts.append(
                Connection(
                    "when.feedback",
                    self.population,
                    self.variable,
                    weight=Uniform(-self.feedback, self.feedback),
                    name="feedback",
                )
            )
        for part in parts:
            circuit = circuit.with_part(part)
        return circuit

    @staticmethod
    def _events(circuit: Circuit) -> tuple[str, ...]:
        for source in circuit.inputs:
            if source.name == "task":
                return source.channels[1:]
        raise CircuitError(
            "WhatWhenRule needs a circuit with an input 'task' whose channels are ('cue', *events), such as nd.SpikingReservoir"
        )
