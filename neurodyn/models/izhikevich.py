"""Izhikevich's neurons: the form of 2003 in both numerical schemes, and the plain form of 2007."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neurodyn import units
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

_HALF_STEPS = """
I = {current}
v += 0.5*(0.04*v*v + 5*v + 140 - u + I)
v += 0.5*(0.04*v*v + 5*v + 140 - u + I)
u += a*(b*v - u)
"""
_EULER = """
I = {current}
h = dt/ms
dv = 0.04*v*v + 5*v + 140 - u + I
u += h*(a*(b*v - u))
v += h*dv
"""


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
    jitter: float = 0.0,
) -> Population:
    """Return a population of the 2003 form, v' = 0.04 v^2 + 5 v + 140 - u + I, u' = a (b v - u).

    A spike is v >= 30 after the update; then v = c, u += d in the same step. All numbers are pseudo-units (v in "mV",
    time in ms, currents in "mV/ms").

    Parameters
    ----------
    cells : "heterogeneous", a type, or (a, b, c, d)
        "heterogeneous" is the recipe of the paper's network: with r uniform in (0, 1) per cell, excitatory a=0.02,
        b=0.2, c=-65+15 r^2, d=8-6 r^2, inhibitory a=0.02+0.08 r, b=0.25-0.05 r, c=-65, d=2. Types: RS, IB, CH, FS,
        TC, RZ, LTS (figure 2).
    scheme : "half_steps" or "euler"
        "half_steps" is the published numerics, locked to 1 ms: two Euler half-steps of v, then u with the new v
        (NEST's ``consistent_integration=false``). "euler" is plain forward Euler of both from the old values, at
        any ``dt``. At high drive their rates differ by a factor of two: never compare across schemes.
    inhibitory : float
        Fraction of inhibitory cells in "heterogeneous", the last ones.
    current : str
        Expression of the input current; ``I_syn`` takes spikes and decays with ``tau_syn``, ``I_in`` weighted sums.
    parameters : mapping
        Further parameters of ``current``; ``bias`` is 0 unless given.
    v_start, jitter
        v at a reset: v_start (default uniform in -65..-55, fixed per cell) plus normal jitter of this SD.

    References
    ----------
    Izhikevich (2003) IEEE Trans. Neural Netw. 14:1569; ModelDB 39948; the recipe as in its net.m.
    """
    if scheme not in ("half_steps", "euler"):
        raise ValueError(f"scheme = {scheme!r}, allowed are 'half_steps' (the published 1-ms numerics) and 'euler'")
    if scheme == "half_steps" and dt is not None and units.si(dt, "ms", name="dt") != 1e-3:
        raise ValueError(f"dt = {dt!r}: the scheme 'half_steps' is locked to 1 ms; scheme='euler' takes any step")
    if not 0 <= inhibitory <= 1:
        raise ValueError(f"inhibitory = {inhibitory!r}: give a fraction of the cells, 0 to 1")
    if not isinstance(cells, str) and len(cells) != 4:
        raise ValueError(f"cells = {cells!r}: give a type, or the four numbers (a, b, c, d)")
    if isinstance(cells, str) and cells == "heterogeneous":
        first = size - round(size * inhibitory)
        shape: dict[str, Any] = {
            "r": Uniform(0, 1),
            "first_inhibitory": float(first),
            "inhibitory": "i >= first_inhibitory",
            "a": "where(inhibitory, 0.02 + 0.08*r, 0.02)",
            "b": "where(inhibitory, 0.25 - 0.05*r, 0.2)",
            "c": "where(inhibitory, -65, -65 + 15*r*r)",
            "d": "where(inhibitory, 2, 8 - 6*r*r)",
        }
    elif isinstance(cells, str):
        if cells not in TYPES_2003:
            raise ValueError(f"cells = {cells!r}, types of the 2003 form are heterogeneous, {', '.join(TYPES_2003)}")
        shape = dict(zip("abcd", TYPES_2003[cells], strict=True))
    else:
        shape = dict(zip("abcd", cells, strict=True))
    body = (_HALF_STEPS if scheme == "half_steps" else _EULER).format(current=current)
    start = v_start if v_start is not None else Uniform(-65, -55)
    return Population(
        name,
        size,
        code=body + "I_syn *= exp(-dt/tau_syn)\n",
        variables={"v": "1", "u": "1", "I_syn": "1", "I_in": "1"},
        threshold="v >= 30",
        reset="v = c\nu += d",
        parameters={**shape, "bias": 0.0, "tau_syn": tau_syn, "v_start": start, "jitter": jitter, **(parameters or {})},
        initial={"v": "v_start + jitter*randn()", "u": "b*v"},
        dt="1 ms" if scheme == "half_steps" else dt,
        labels=PSEUDO_UNITS,
    )


@dataclass(frozen=True)
class Cell2007:
    """Parameters of the 2007 form as text with units."""

    C: str
    k: str
    v_r: str
    v_t: str
    v_peak: str
    a: str
    b: str
    c: str
    d: str


#: plain cells of the 2007 form (Izhikevich 2007, chapter 8)
TYPES_2007: Mapping[str, Cell2007] = {
    "RS": Cell2007("100 pF", "0.7 nS/mV", "-60 mV", "-40 mV", "35 mV", "0.03 /ms", "-2 nS", "-50 mV", "100 pA"),
}


def izhikevich_2007(
    name: str,
    size: int,
    *,
    cell: str | Cell2007 = "RS",
    current: str = "I",
    parameters: Mapping[str, Any] | None = None,
    equations: str = "",
    method: str = "euler",
    initial: Mapping[str, Any] | None = None,
) -> Population:
    """Return a population of the 2007 form, C v' = k (v - v_r)(v - v_t) - u + I, u' = a (b (v - v_r) - u).

    At v >= v_peak: v = c, u += d. In physical units. ``current`` is an expression in amp of names that ``parameters``
    or the extra ``equations`` define; by default the parameter ``I`` (0 pA unless given).

    References
    ----------
    Izhikevich (2007) Dynamical Systems in Neuroscience, chapter 8; ModelDB 39948.
    """
    if isinstance(cell, str):
        if cell not in TYPES_2007:
            raise ValueError(f"cell = {cell!r}, cells of the 2007 form are {', '.join(TYPES_2007)}")
        cell = TYPES_2007[cell]
    given = {"I": "0 pA"} if current == "I" else {}
    return Population(
        name,
        size,
        f"""dv/dt = (k*(v - v_r)*(v - v_t) - u + ({current}))/C : volt
            du/dt = a*(b*(v - v_r) - u) : amp
            {equations}""",
        threshold="v >= v_peak",
        reset="v = c\nu += d",
        method=method,
        parameters={**vars(cell), **given, **(parameters or {})},
        initial={"v": cell.v_r, **(initial or {})},
    )
