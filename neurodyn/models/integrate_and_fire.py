"""Leaky integrate-and-fire neurons (Lapicque 1907; Gerstner et al. 2014, Neuronal Dynamics, eq. 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurodyn.citing import cites
from neurodyn.parts import CircuitError, Population

_EQUATIONS = """
dv/dt = (v_rest - v + R*(bias + I_syn + I_in))/tau : volt (unless refractory)
dI_syn/dt = -I_syn/tau_syn : amp
I_in : amp
"""
#: Parameters unless given.
DEFAULTS = {
    "tau": "20 ms",
    "tau_syn": "5 ms",
    "R": "100 Mohm",
    "v_rest": "-70 mV",
    "v_threshold": "-50 mV",
    "v_reset": "-70 mV",
    "bias": "0 pA",
}


@cites("gerstner2014")
def leaky_integrate_and_fire(
    name: str,
    size: int,
    *,
    refractory: Any = "2 ms",
    method: str = "euler",
    parameters: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
) -> Population:
    """Return a population with tau v' = v_rest - v + R I; at v_threshold it spikes and v becomes v_reset.

    I = bias + I_syn + I_in, where I_syn decays with tau_syn (connect spikes to it) and I_in takes weighted sums. With a
    constant current the rate is 1/(refractory + tau ln((R I + v_rest - v_reset)/(R I + v_rest - v_threshold))).

    Parameters
    ----------
    name : str
        Of the population, a Python identifier.
    size : int
        Number of cells, 0 or more.
    refractory : quantity
        Time after a spike in which v rests.
    method : str
        Integrator. "exact" solves the equations for inputs that are constant over a step; spikes lie on the grid with either.
    parameters : mapping of name to quantity, array (size,) or distribution
        Any of tau (20 ms), tau_syn (5 ms; another value than tau where ``method`` is "exact"), R (100 Mohm), v_rest
        (-70 mV), v_threshold (-50 mV), v_reset (-70 mV), bias (0 pA).
    initial : mapping
        Start values; v starts at v_rest.

    Raises
    ------
    CircuitError
        For the name of a parameter that the model doesn't have.

    References
    ----------
    Gerstner, Kistler, Naud & Paninski (2014) Neuronal Dynamics, chapter 1.
    """
    given = dict(parameters or {})
    for key in given:
        if key not in DEFAULTS:
            raise CircuitError(f"population {name!r}: no parameter {key!r}; there are {', '.join(DEFAULTS)}")
    return Population(
        name,
        size,
        _EQUATIONS,
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=refractory,
        method=method,
        parameters={**DEFAULTS, **given},
        initial={"v": "v_rest", **(initial or {})},
    )
