"""e-prop (Bellec et al. 2020): the readout, its gradient, and the learning signals that it sends to the cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neurodyn.circuit import Circuit
from neurodyn.citing import cites
from neurodyn.parts import CircuitError, Connection, Filter, Input, Normal, Readout
from neurodyn.plasticity.rule import Rule, SynapticRule
from neurodyn.units import si


@dataclass(frozen=True, kw_only=True)
class EpropReadout:
    """Leaky outputs of spiking cells that descend the gradient of their squared error once a trial.

    y_k(t) = sum_i w_ki x_i(t), x = spikes low-passed with kappa = exp(-dt/tau), normalised by 1 - kappa. With the error
    e_k = y_k - y*_k and the loss E = 1/2 sum_t sum_k e_k^2 of a trial, ::

        dE/dw_ki = sum_t e_k(t) x_i(t)
        w <- w - rate dE/dw at the end of the trial.

    This is the exact gradient: of a readout e-prop and backpropagation through time are the same. Attached, it adds the
    input "target", the filter "<name>_trace", the readout ``name`` (with ``y``, ``error``, ``loss`` of the trial so far)
    and, if ``feedback`` isn't 0, the connection "<name>_error", by which the learning signal L_j = sum_k B_jk e_k
    arrives a step later in ``variable`` of every cell. B is random and fixed, normal with standard deviation
    feedback/sqrt(cells).

    Parameters
    ----------
    outputs : tuple of str
        The input "target" has the same channels.
    rate : float
        Learning rate, above 0.
    tau : quantity
        Time constant of the outputs.
    feedback : float
        Scale of B, >= 0.
    name, population, variable : str
        The readout; the cells, and their variable that takes learning signals.

    Raises
    ------
    ValueError
        For numbers out of range.

    References
    ----------
    Bellec et al. (2020) Nat. Commun. 11:3625, and the published tutorial, whose low-passes are all normalised.
    """

    references: ClassVar[tuple[str, ...]] = ("bellec2020",)

    outputs: tuple[str, ...] = ("z",)
    rate: float = 1e-4
    tau: Any = "30 ms"
    feedback: float = 1.0
    name: str = "output"
    population: str = "cells"
    variable: str = "learning_signal"

    def __post_init__(self) -> None:
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"EpropReadout: rate = {self.rate!r}, give a positive number")
        if not 0 <= self.feedback < float("inf"):
            raise ValueError(f"EpropReadout: feedback = {self.feedback!r}, give 0 or a positive number")
        si(self.tau, "second", name="EpropReadout: tau", above=0.0)

    def attach(self, circuit: Circuit) -> Circuit:
        """Return the circuit with filter, readout, rule, and learning signals."""
        cells = circuit[self.population]
        if not getattr(cells, "spiking", False):
            raise CircuitError(
                f"EpropReadout: population {self.population!r} emits no spikes; give one with a threshold"
            )
        tau = float(si(self.tau, "second", name="tau"))  # type: ignore[arg-type]
        # a filter jumps by scale/tau at a spike
        scale = -np.expm1(-circuit.timestep / tau) * tau
        trace = Filter(f"{self.name}_trace", self.population, self.tau, scale=scale, unit="1")
        rule = Rule(
            f"{self.name}_rule",
            references=self.references,
            parameters={"rate": self.rate},
            memory={"gradient": "output*unit"},
            trial_start="gradient = 0",
            per_step="gradient += error*r",
            trial_end="w -= rate*gradient",
        )
        readout = Readout(
            self.name,
            trace.name,
            self.outputs,
            state={"y": "output", "error": "output", "loss": "network"},
            memory={"w": "output*unit"},
            per_step="y = sum(w*r)\nerror = y - target\nloss += 0.5*sum(error*error)",
            rule=rule,
        )
        parts: list[Any] = [Input("target", self.outputs), trace, readout]
        if self.feedback:
            spread = self.feedback / np.sqrt(max(cells.size, 1))
            parts.append(
                Connection(
                    f"{self.name}.error",
                    self.population,
                    self.variable,
                    weight=Normal(0, spread),
                    name=f"{self.name}_error",
                )
            )
        for part in parts:
            circuit = circuit.with_part(part)
        return circuit


@cites("bellec2020")
def eprop(
    name: str = "eprop",
    *,
    rate: float = 1e-4,
    tau: Any = "30 ms",
    signal: str = "learning_signal",
    regularization: float = 300.0,
    target_rate: Any = "10 Hz",
) -> SynapticRule:
    """Return e-prop for synapses inside a network of :func:`neurodyn.surrogate_lif` cells.

    With the eligibility e_ji = psi_j(t) trace_i(t), low-passed by the output's kappa = exp(-dt/tau) to ebar, the
    gradient is approximately ::

        dE/dw_ji = sum_t L_j(t) ebar_ji(t) + c (f_j - f*) mean_t(e_ji)/dt,

    and w <- w - rate dE/dw at the end of the trial. Without recurrence the first term is the gradient where psi stands for
    the derivative of a spike; with recurrence the paths through other cells are left out. Learning signals arrive a step
    late and meet the eligibility of their own step; those of the last step of a trial are left out. The second term
    descends c/2 sum_j (f_j - f*)^2, with rates f_j since the last reset and f* in kHz and dt in ms: without it rates grow
    to hundreds of Hz and learning becomes unstable.

    Parameters
    ----------
    name : str
        Of the rule, a Python identifier; its values are recorded under it.
    rate : float
        Learning rate, above 0.
    tau : quantity
        Time constant of the outputs, that of :class:`EpropReadout`.
    signal : str
        Variable of the target that holds its learning signal.
    regularization : float
        c, >= 0.
    target_rate : quantity
        f*, >= 0.

    Raises
    ------
    ValueError
        For numbers out of range.

    References
    ----------
    Bellec et al. (2020) Nat. Commun. 11:3625, eq. 1, 23 and 28; c and f* as in the published tutorial.
    """
    if not 0 < rate < float("inf"):
        raise ValueError(f"eprop: rate = {rate!r}, give a positive number")
    if not 0 <= regularization < float("inf"):
        raise ValueError(f"eprop: regularization = {regularization!r}, give 0 or a positive number")
    si(tau, "second", name="eprop: tau", above=0.0)
    si(target_rate, "hertz", name="eprop: target_rate", low=0.0)
    return SynapticRule(
        name,
        parameters={"rate": rate, "tau": tau, "regularization": regularization, "target_rate": target_rate},
        state={"filtered": "synapse", "total": "synapse"},
        memory={"gradient": "synapse"},
        trial_start="gradient = 0",
        per_step=f"""
gradient += {signal}_post*filtered
kappa = exp(-dt/tau)
eligibility = psi_post*trace_pre
filtered = kappa*filtered + (1 - kappa)*eligibility
total += eligibility
""",
        trial_end="""
excess = (firing_post/dt - target_rate)/kHz
gradient += regularization*excess*total/age_post/(dt/ms)
w -= rate*gradient
""",
    )
