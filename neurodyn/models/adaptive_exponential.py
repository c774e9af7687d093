"""Adaptive exponential integrate-and-fire neurons (Brette & Gerstner 2005), with firing patterns of Naud et al. (2008)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurodyn.citing import cites
from neurodyn.models.naming import nearest
from neurodyn.parts import CircuitError, Population

_EQUATIONS = """
dv/dt = (g_L*(E_L - v) + g_L*delta_T*exp((v - v_T)/delta_T) - w + bias + I_syn + I_in)/C : volt
dw/dt = (a*(v - E_L) - w)/tau_w : amp
dI_syn/dt = -I_syn/tau_syn : amp
I_in : amp
"""
_COLUMNS = ("C", "g_L", "E_L", "v_T", "delta_T", "a", "tau_w", "b", "v_reset", "v_peak")


def _numbers(*values: str) -> Mapping[str, str]:
    return dict(zip(_COLUMNS, values, strict=True))


#: The cell of Brette & Gerstner (2005), fitted to a detailed model of a regular spiking pyramidal cell, and patterns of
#: Naud et al. (2008), table 1. Of its eight patterns, these six have the same numbers in every source that could be read.
TYPES_ADEX: Mapping[str, Mapping[str, str]] = {
    "regular_spiking": _numbers("281 pF", "30 nS", "-70.6 mV", "-50.4 mV", "2 mV", "4 nS", "144 ms", "80.5 pA", "-70.6 mV", "20 mV"),
    "tonic": _numbers("200 pF", "10 nS", "-70 mV", "-50 mV", "2 mV", "2 nS", "30 ms", "0 pA", "-58 mV", "0 mV"),
    "adapting": _numbers("200 pF", "12 nS", "-70 mV", "-50 mV", "2 mV", "2 nS", "300 ms", "60 pA", "-58 mV", "0 mV"),
    "initial_bursting": _numbers("130 pF", "18 nS", "-58 mV", "-50 mV", "2 mV", "4 nS", "150 ms", "120 pA", "-50 mV", "0 mV"),
    "regular_bursting": _numbers("200 pF", "10 nS", "-58 mV", "-50 mV", "2 mV", "2 nS", "120 ms", "100 pA", "-46 mV", "0 mV"),
    "delayed_accelerating": _numbers("200 pF", "12 nS", "-70 mV", "-50 mV", "2 mV", "-10 nS", "300 ms", "0 pA", "-58 mV", "0 mV"),
    "irregular": _numbers("100 pF", "12 nS", "-60 mV", "-50 mV", "2 mV", "-11 nS", "130 ms", "30 pA", "-48 mV", "0 mV"),
}  # fmt: skip


@cites("brette2005")
def adaptive_exponential(
    name: str,
    size: int,
    *,
    cell: str = "regular_spiking",
    refractory: Any = None,
    method: str = "euler",
    parameters: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
) -> Population:
    """Return a population with C v' = -g_L (v - E_L) + g_L delta_T exp((v - v_T)/delta_T) - w + I, tau_w w' = a (v - E_L) - w.

    When v > v_peak it spikes: v = v_reset, w += b. I = bias + I_syn + I_in, where I_syn decays with tau_syn (connect
    spikes to it) and I_in takes weighted sums. Where rest loses its stability: :func:`neurodyn.models.rest.rest_adex`.

    Parameters
    ----------
    name : str
        Of the population, a Python identifier.
    size : int
        Number of cells, 0 or more.
    cell : str
        "regular_spiking" is the cell of Brette & Gerstner (2005); patterns of Naud et al. (2008): tonic, adapting,
        initial_bursting, regular_bursting, delayed_accelerating, irregular.
    refractory : quantity
        Time after a spike in which no further one is emitted; none by default.
    method : str
        Integrator. Above v_T the exponential is fast: 0.1 ms or less for "euler".
    parameters : mapping of name to quantity, array (size,) or distribution
        Any of C, g_L, E_L, v_T, delta_T, a, tau_w, b, v_reset, v_peak, tau_syn (5 ms), bias (0 pA).
    initial : mapping
        Start values; v starts at E_L and w at 0.

    Raises
    ------
    CircuitError
        For a cell or the name of a parameter that the model doesn't have.

    References
    ----------
    Brette & Gerstner (2005) J. Neurophysiol. 94:3637; Naud et al. (2008) Biol. Cybern. 99:335.
    """
    if cell not in TYPES_ADEX:
        raise CircuitError(
            f"cell = {cell!r}, cells of this model are {', '.join(TYPES_ADEX)}{nearest(cell, TYPES_ADEX)}"
        )
    usual = {**TYPES_ADEX[cell], "tau_syn": "5 ms", "bias": "0 pA"}
    given = dict(parameters or {})
    for key in given:
        if key not in usual:
            raise CircuitError(
                f"population {name!r}: no parameter {key!r}; there are {', '.join(usual)}{nearest(key, usual)}"
            )
    return Population(
        name,
        size,
        _EQUATIONS,
        threshold="v > v_peak",
        reset="v = v_reset\nw += b",
        refractory=refractory,
        method=method,
        parameters={**usual, **given},
        initial={"v": "E_L", **(initial or {})},
        references=() if cell == "regular_spiking" else ("naud2008",),
    )
