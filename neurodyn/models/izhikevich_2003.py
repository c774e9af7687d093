"""Izhikevich's neurons of 2003, v' = 0.04 v^2 + 5 v + 140 - u + I, in three numerical schemes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.citing import cites
from neurodyn.models.naming import nearest
from neurodyn.parts import Population, Uniform

#: a (1/ms), b, c (mV), d of the types of Izhikevich 2003, figure 2
TYPES_2003: Mapping[str, tuple[float, float, float, float]] = {
    "RS": (0.02, 0.2, -65.0, 8.0),
    "IB": (0.02, 0.2, -55.0, 4.0),
    "CH": (0.02, 0.2, -50.0, 2.0),
    "FS": (0.1, 0.2, -65.0, 2.0),
    "TC": (0.02, 0.25, -65.0, 0.05),
    "RZ": (0.1, 0.26, -65.0, 2.0),
    "LTS": (0.02, 0.25, -65.0, 2.0),
}

#: v and u of the 2003 form carry no dimension: its currents are pseudo-units that pA can't be mixed with
PSEUDO_UNITS = {
    "v": "mV (2003 form)",
    "u": "mV/ms (2003 form)",
    "I_syn": "mV/ms (2003 form)",
    "I_in": "mV/ms (2003 form)",
}

#: v' = 0.04 v^2 + linear v + constant - u + I, u' = a (b (v - v_b) - leak u)
_USUAL = {"linear": 5, "constant": 140, "leak": 1, "v_b": 0}

#: The numerical schemes: the assignments of one step, and when a spike is noticed after them.
SCHEMES: Mapping[str, tuple[str, str]] = {
    "half_steps": (
        "v += 0.5*(0.04*v*v + {linear}*v + {constant} - u + I)\n"
        "v += 0.5*(0.04*v*v + {linear}*v + {constant} - u + I)\n"
        "u += a*({recovery})\n",
        "v >= 30",
    ),
    "euler": (
        "h = dt/ms\ndv = 0.04*v*v + {linear}*v + {constant} - u + I\nu += h*(a*({recovery}))\nv += h*dv\n",
        "v >= 30",
    ),
    "sequential": (
        "h = dt/ms\nv += h*(0.04*v*v + {linear}*v + {constant} - u + I)\nu += h*(a*({recovery}))\n",
        "v > 30",
    ),
}


@cites("izhikevich2003")
def izhikevich_2003(
    name: str,
    size: int,
    *,
    cells: str | tuple[Any, Any, Any, Any] = "heterogeneous",
    scheme: str = "half_steps",
    dt: Any = None,
    inhibitory: float = 0.2,
    current: str = "bias + I_syn + I_in",
    tau_syn: Any = "5 ms",
    parameters: Mapping[str, Any] | None = None,
    v_start: Any = None,
    u_start: Any = None,
    jitter: float = 0.0,
    linear: Any = 5,
    constant: Any = 140,
    leak: Any = 1,
    v_b: Any = 0,
) -> Population:
    """Return a population of the 2003 form, v' = 0.04 v^2 + 5 v + 140 - u + I, u' = a (b v - u).

    A spike is v >= 30 after the update; then v = c, u += d in the same step. All numbers are pseudo-units (v in "mV",
    time in ms, currents in "mV/ms"). Parameters may be arrays (size,), so that one population holds many kinds.

    Parameters
    ----------
    name : str
        Of the population, a Python identifier.
    size : int
        Number of cells, 0 or more.
    cells : "heterogeneous", a type, or (a, b, c, d)
        "heterogeneous" is the recipe of the paper's network: with r uniform in (0, 1) per cell, excitatory a=0.02,
        b=0.2, c=-65+15 r^2, d=8-6 r^2, inhibitory a=0.02+0.08 r, b=0.25-0.05 r, c=-65, d=2. Types: RS, IB, CH, FS,
        TC, RZ, LTS (figure 2).
    scheme : "half_steps", "euler" or "sequential"
        "half_steps" is the published numerics, locked to 1 ms: two Euler half-steps of v, then u with the new v
        (NEST's ``consistent_integration=false``). "euler" is plain forward Euler of both from the old values, at
        any ``dt``. "sequential" is that of the author's scripts for the figures, at any ``dt``: an Euler step of v, then
        one of u with the new v; a spike is v > 30. At high drive their rates differ by a factor of two: never compare
        across schemes.
    dt : time
        Step, 0.1 ms unless the circuit says otherwise; "half_steps" takes 1 ms only.
    inhibitory : float
        Fraction of inhibitory cells in "heterogeneous", the last ones.
    current : str
        Expression of the input current; ``I_syn`` takes spikes, ``I_in`` weighted sums.
    tau_syn : time or None
        Time constant with which I_syn decays; None: it lasts one step, as in the author's network.
    parameters : mapping
        Further parameters of ``current``; ``bias`` is 0 unless given.
    v_start, jitter
        v at a reset: v_start (default uniform in -65..-55, fixed per cell) plus normal jitter of this SD.
    u_start
        u at a reset; b v unless given.
    linear, constant, leak, v_b
        Variants: v' = 0.04 v^2 + linear v + constant - u + I and u' = a (b (v - v_b) - leak u). The integrators of 2004
        (class 1) have linear=4.1, constant=108; their accommodating cell leak=0, v_b=-65.

    Raises
    ------
    ValueError
        For a type, a scheme, a step or a fraction that can't be, with what is allowed.

    References
    ----------
    Izhikevich (2003) IEEE Trans. Neural Netw. 14:1569; (2004) 15:1063; ModelDB 39948; the recipe as in its net.m.
    """
    if scheme not in SCHEMES:
        raise ValueError(
            f"scheme = {scheme!r}, allowed are 'half_steps' (the published 1-ms numerics), 'euler' and 'sequential'"
        )
    if scheme == "half_steps" and dt is not None and units.si(dt, "ms", name="dt") != 1e-3:
        raise ValueError(
            f"dt = {dt!r}: the scheme 'half_steps' is locked to 1 ms; scheme='euler' or 'sequential' take any step"
        )
    if not 0 <= inhibitory <= 1:
        raise ValueError(f"inhibitory = {inhibitory!r}: give a fraction of the cells, 0 to 1")
    variant: dict[str, Any] = {"linear": linear, "constant": constant, "leak": leak, "v_b": v_b}
    # What is as usual stands in the text as a number: then the form costs nothing that it doesn't need.
    changed = {k: value for k, value in variant.items() if np.ndim(value) or value != _USUAL[k]}
    words = {k: k if k in changed else str(usual) for k, usual in _USUAL.items()}
    recovery = "b*(v - {v_b}) - {leak}*u".format(**words) if {"leak", "v_b"} & changed.keys() else "b*v - u"
    body, threshold = SCHEMES[scheme]
    start = v_start if v_start is not None else Uniform(-65, -55)
    return Population(
        name,
        size,
        code=f"I = {current}\n"
        + body.format(recovery=recovery, **words)
        + ("I_syn = 0\n" if tau_syn is None else "I_syn *= exp(-dt/tau_syn)\n"),
        variables={"v": "1", "u": "1", "I_syn": "1", "I_in": "1"},
        threshold=threshold,
        reset="v = c\nu += d",
        parameters={
            **_shape(cells, size, inhibitory),
            **changed,
            "bias": 0.0,
            **({} if tau_syn is None else {"tau_syn": tau_syn}),
            "v_start": start,
            "jitter": jitter,
            **({} if u_start is None else {"u_start": u_start}),
            **(parameters or {}),
        },
        initial={"v": "v_start + jitter*randn()", "u": "b*v" if u_start is None else "u_start"},
        dt="1 ms" if scheme == "half_steps" else dt,
        labels=PSEUDO_UNITS,
    )


def _shape(cells: str | tuple[Any, Any, Any, Any], size: int, inhibitory: float) -> dict[str, Any]:
    """The parameters a, b, c, d."""
    if not isinstance(cells, str):
        if len(cells) != 4:
            raise ValueError(f"cells = {cells!r}: give a type, or the four numbers (a, b, c, d)")
        return dict(zip("abcd", cells, strict=True))
    if cells == "heterogeneous":
        return {
            "r": Uniform(0, 1),
            "first_inhibitory": float(size - round(size * inhibitory)),
            "inhibitory": "i >= first_inhibitory",
            "a": "where(inhibitory, 0.02 + 0.08*r, 0.02)",
            "b": "where(inhibitory, 0.25 - 0.05*r, 0.2)",
            "c": "where(inhibitory, -65, -65 + 15*r*r)",
            "d": "where(inhibitory, 2, 8 - 6*r*r)",
        }
    if cells not in TYPES_2003:
        raise ValueError(
            f"cells = {cells!r}, types of the 2003 form are heterogeneous, {', '.join(TYPES_2003)}"
            f"{nearest(cells, ('heterogeneous', *TYPES_2003))}"
        )
    return dict(zip("abcd", TYPES_2003[cells], strict=True))
