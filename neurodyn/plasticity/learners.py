"""How the weights of a readout change: delta rules and recursive least squares, as rules in the model language.

A learner is told the names of the readout's arrays and returns a :class:`neurodyn.plasticity.rule.Rule`. All of them
are pre x error forms; what differs is the third factor (the gate), the normalisation and the memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from neurodyn.plasticity.features import RATE_SCALE
from neurodyn.plasticity.rule import Rule


@dataclass(frozen=True)
class Signals:
    """Names under which a learner finds features, weights, output, target and gate ("1" for an open gate)."""

    x: str = "x"
    w: str = "w"
    y: str = "y"
    target: str = "target"
    gate: str = "gate"
    power: str = "power"


def _positive(owner: str, **values: float) -> None:
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise ValueError(f"{owner}: {name} = {value!r}, give a positive number")


def _check_rls(owner: str, forgetting: float, alpha: float | None, reset: str | None) -> None:
    if not 0 < forgetting <= 1:
        raise ValueError(f"{owner}: forgetting = {forgetting!r}, allowed is above 0 up to 1")
    if reset not in (None, "switch"):
        raise ValueError(f"{owner}: reset = {reset!r}, allowed are None and 'switch'")
    if alpha is not None:
        _positive(owner, alpha=alpha)


@dataclass(frozen=True, kw_only=True)
class ThreeFactor:
    """Error-modulated, attention-gated Hebbian rule, normalised (Yamada & Chao 2025; the default when-rule).

    ``dw_ci = rate * G_c(t) * e_c(t) * x_i(t)/(|x|^2 + 0.1 <|x|^2>)``: presynaptic activity x error x gate. The division
    by ``|x|^2`` sums over presynaptic cells, so this is normalised LMS behind a gate and not strictly local; see
    :class:`LocalThreeFactor`. ``rate`` is dimensionless, above 0 and stable below 2.

    Raises
    ------
    ValueError
        For a rate out of range.
    """

    references: ClassVar[tuple[str, ...]] = ("yamada2025",)

    rate: float = 0.03

    def __post_init__(self) -> None:
        _positive("ThreeFactor", rate=self.rate)

    def rule(self, name: str, signals: Signals, *, dt: float) -> Rule:
        """Return the rule for a readout with these signals."""
        s = signals
        return Rule(
            name,
            references=self.references,
            parameters={"rate": self.rate},
            per_step=f"""
if sum({s.gate}) > 0:
    change = rate*{s.gate}*({s.target} - {s.y})/(sum({s.x}*{s.x}) + 0.1*{s.power})
    {s.w} += change*{s.x}
""",
        )


@dataclass(frozen=True, kw_only=True)
class LocalThreeFactor:
    """The factors of :class:`ThreeFactor` with a fixed rate: local to the synapse, given error and gate of its output.

    ``dw_ci = rate * G_c(t) * e_c(t) * x_i(t)``. To be used with ``features="running"``; ``rate`` is above 0, and stable
    while ``rate*|x|^2 < 2``.

    Raises
    ------
    ValueError
        For a rate out of range.

    References
    ----------
    The three factors of Yamada & Chao (2025) arXiv:2510.14382; normalisation and rates are ours.
    """

    references: ClassVar[tuple[str, ...]] = ("yamada2025",)

    rate: float = 1e-4

    def __post_init__(self) -> None:
        _positive("LocalThreeFactor", rate=self.rate)

    def rule(self, name: str, signals: Signals, *, dt: float) -> Rule:
        """Return the rule for a readout with these signals."""
        s = signals
        return Rule(
            name,
            references=self.references,
            parameters={"rate": self.rate},
            per_step=f"""
if sum({s.gate}) > 0:
    change = rate*{s.gate}*({s.target} - {s.y})
    {s.w} += change*{s.x}
""",
        )


@dataclass(frozen=True, kw_only=True)
class NLMS:
    """Normalised least mean squares (Nagumo & Noda 1967), without any gate: every output learns at every step.

    ``dw_ci = rate * e_c(t) * x_i(t)/(epsilon + |x|^2)``. ``rate`` is above 0 and stable below 2, ``epsilon`` above 0.

    Raises
    ------
    ValueError
        For numbers out of range.
    """

    references: ClassVar[tuple[str, ...]] = ("nagumo1967",)

    rate: float = 0.03
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        _positive("NLMS", rate=self.rate, epsilon=self.epsilon)

    def rule(self, name: str, signals: Signals, *, dt: float) -> Rule:
        """Return the rule for a readout with these signals."""
        s = signals
        return Rule(
            name,
            references=self.references,
            parameters={"rate": self.rate, "epsilon": self.epsilon},
            per_step=f"""
change = rate*({s.target} - {s.y})/(epsilon + sum({s.x}*{s.x}))
{s.w} += change*{s.x}
""",
        )


@dataclass(frozen=True, kw_only=True)
class FORCE:
    """Recursive least squares with one inverse correlation matrix for all outputs (Sussillo & Abbott 2009).

    Every ``every``: k = P x/(lambda + x'P x), w_c += G_c (f_c - y_c) k, P <- (P - k x'P)/lambda, with P(0) =
    identity/alpha; ``alpha=None`` takes 0.1 ``<|x|^2>`` from calibration. ``forgetting`` (lambda in (0, 1]) applies at
    each update; with 1, RLS is a running mean over everything it has seen and can't follow a change by arithmetic.
    ``variant="nicola_clopath"`` uses the old P x as gain, as the published scripts of Nicola & Clopath 2017 do; it
    diverges when x'P(0)x is large. ``reset="switch"`` starts P again when the input ``switch`` is 1. P is float64 on
    every runner and costs 8 N^2 bytes.

    Parameters
    ----------
    every : quantity
        Time between updates, a whole number of steps.
    forgetting : float
        lambda, in (0, 1].
    alpha : float, optional
        Above 0; from calibration if not given.
    variant : "canonical" or "nicola_clopath"
        Which gain the update has.
    reset : None or "switch"
        When P starts again: never, or with the input ``switch``.
    gated : bool
        Whether errors are multiplied by the gate G and updates wait while all gates are shut; otherwise G = 1.

    Raises
    ------
    ValueError
        For values out of range; CircuitError, when it is attached, for an interval that is no whole number of steps.
    """

    references: ClassVar[tuple[str, ...]] = ("sussillo2009",)

    every: Any = "5 ms"
    forgetting: float = 1.0
    alpha: float | None = None
    variant: str = "canonical"
    reset: str | None = None
    gated: bool = True

    def __post_init__(self) -> None:
        if self.variant not in ("canonical", "nicola_clopath"):
            raise ValueError(f"FORCE: variant = {self.variant!r}, allowed are 'canonical' and 'nicola_clopath'")
        _check_rls("FORCE", self.forgetting, self.alpha, self.reset)

    def rule(self, name: str, signals: Signals, *, dt: float) -> Rule:
        """Return the rule for a readout with these signals; it adds the memory ``P`` (unit, unit)."""
        s = signals
        from neurodyn.specs import whole_steps

        steps = whole_steps(self.every, dt, "FORCE: every")
        old = ", 1" if self.variant == "nicola_clopath" else ""
        start = "1/alpha" if self.alpha is not None else f"1/(0.1*{s.power})"
        parameters: dict[str, float] = {"every_steps": float(steps), "forgetting": self.forgetting}
        if self.alpha is not None:
            parameters["alpha"] = self.alpha
        condition = f"sum({s.gate}) > 0 and " if self.gated else ""
        again = " or switch > 0" if self.reset == "switch" else ""
        return Rule(
            name,
            references=(*self.references, "nicola2017") if old else self.references,
            parameters=parameters,
            memory={"P": "unit*unit", "started": "network"},
            trial_start=f"""
if started < 0.5{again}:
    identity(P, {start})
    started = 1
""",
            per_step=f"""
if {condition}step % every_steps == 0:
    error = {s.gate if self.gated else "1"}*({s.target} - {s.y})
    k = rls(P, {s.x}, forgetting{old})
    {s.w} += error*k
""",
        )


@dataclass(frozen=True, kw_only=True)
class TrialDelta:
    """Two-factor delta rule once a trial (Yamada & Chao 2025; the default what-rule).

    ``dv_c = rate * (1[c = X] - q_c) * z/|z|^2`` with z the mean activity after the cue. Forgets exponentially with a
    time constant of 1/rate trials; ``rate`` is above 0 and stable below 2.

    Raises
    ------
    ValueError
        For a rate out of range.
    """

    references: ClassVar[tuple[str, ...]] = ("yamada2025",)

    rate: float = 0.04

    def __post_init__(self) -> None:
        _positive("TrialDelta", rate=self.rate)

    def rule(self, name: str, signals: Signals, *, dt: float) -> Rule:
        """Return the rule for a readout with these signals."""
        s = signals
        return Rule(
            name,
            references=self.references,
            parameters={"rate": self.rate},
            trial_end=f"""
size = sum({s.x}*{s.x})
if size > 0:
    change = rate*({s.target} - {s.y})/size
    {s.w} += change*{s.x}
""",
        )


@dataclass(frozen=True, kw_only=True)
class TrialFORCE:
    """Recursive least squares once a trial, beside :class:`TrialDelta` (Sussillo & Abbott 2009).

    ``forgetting`` (in (0, 1]), ``alpha`` (above 0) and ``reset`` (None or "switch") are as in :class:`FORCE`.

    Raises
    ------
    ValueError
        For values out of range.
    """

    references: ClassVar[tuple[str, ...]] = ("sussillo2009",)

    forgetting: float = 1.0
    alpha: float = 1.0
    reset: str | None = None

    def __post_init__(self) -> None:
        _check_rls("TrialFORCE", self.forgetting, self.alpha, self.reset)

    def rule(self, name: str, signals: Signals, *, dt: float) -> Rule:
        """Return the rule for a readout with these signals."""
        s = signals
        again = " or switch > 0" if self.reset == "switch" else ""
        return Rule(
            name,
            references=self.references,
            parameters={"forgetting": self.forgetting, "alpha": self.alpha},
            memory={"P": "unit*unit", "started": "network"},
            trial_start=f"if started < 0.5{again}:\n    identity(P, 1/alpha)\n    started = 1",
            trial_end=f"""
error = {s.target} - {s.y}
k = rls(P, {s.x}, forgetting)
{s.w} += error*k
""",
        )


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """One learning readout for any supervisor signal: ``outputs`` follow the input ``target``.

    The readout ``name`` has features x, weights w and output y. Attach with
    ``nd.simulate(..., learn=nd.Supervised(...))``.

    Parameters
    ----------
    outputs : tuple of str
        Labels of the outputs, those of the input ``target``.
    learner : learner
        :class:`FORCE` (by default with ``alpha=1.0, gated=False``), :class:`NLMS`, :class:`ThreeFactor`, ...; gates are open.
    name : str
        Of the readout.
    population : str
        Whose activity is read.
    tau, tau_rise : quantity
        x are spikes of the population filtered with these time constants (see :class:`neurodyn.Filter`), in units of 100 Hz.
    rates : str, optional
        Of a rate network: x is this variable of the population as it is, and ``tau`` and ``tau_rise`` have no part.
    feedback : float
        Feedback of y goes to the population with weights uniform in +-feedback; 0: none.
    feedback_variable : str
        The variable of the population that takes it.
    """

    references: ClassVar[tuple[str, ...]] = ()

    outputs: tuple[str, ...] = ("z",)
    learner: Any = field(default_factory=lambda: FORCE(alpha=1.0, gated=False))
    name: str = "output"
    population: str = "cells"
    tau: Any = "20 ms"
    tau_rise: Any = None
    feedback: float = 0.0
    feedback_variable: str = "I_in"
    rates: str | None = None

    def attach(self, circuit: Any) -> Any:
        """Return the circuit with the readout, its rule and its feedback."""
        from neurodyn.parts import Connection, Filter, Input, Readout, Uniform

        filters = []
        if self.rates is None:
            filters = [Filter(f"{self.name}_rate", self.population, self.tau, tau_rise=self.tau_rise)]
        rule = self.learner.rule(f"{self.name}_rule", Signals(power="1", gate="1"), dt=circuit.timestep)
        readout = Readout(
            self.name,
            filters[0].name if filters else f"{self.population}.{self.rates}",
            self.outputs,
            state={"x": "unit", "y": "output"},
            memory={"w": "output*unit"},
            parameters={"scale": RATE_SCALE if filters else 1.0},
            per_step="x = r*scale\ny = sum(w*x)",
            rule=rule,
        )
        for part in (Input("target", self.outputs), *filters, readout):
            circuit = circuit.with_part(part)
        if self.feedback:
            circuit = circuit.with_part(
                Connection(
                    f"{self.name}.y",
                    self.population,
                    self.feedback_variable,
                    weight=Uniform(-self.feedback, self.feedback),
                    name=f"{self.name}_feedback",
                )
            )
        return circuit
