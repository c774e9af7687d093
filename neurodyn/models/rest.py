"""Where rest ends: the currents at which the state of rest loses its stability or vanishes, in closed form.

With v' = (f(v) - u + I)/C and u' = a (U(v) - u) a state of rest has I = U(v) - f(v). It vanishes in a saddle-node
bifurcation where f'(v) = U'(v). It loses its stability before, in a Hopf bifurcation, where f'(v) = a C while U'(v) > a C.
The smaller of the two currents is the rheobase of a slowly rising current.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from neurodyn import units
from neurodyn.models.adaptive_exponential import TYPES_ADEX
from neurodyn.models.izhikevich_2003 import TYPES_2003
from neurodyn.models.izhikevich_2007 import TYPES_2007, Cell2007
from neurodyn.models.naming import nearest


@dataclass(frozen=True)
class RestEnds:
    """Where rest loses its stability and where it vanishes; NaN where it doesn't.

    Attributes
    ----------
    hopf, hopf_v : float
        Current and membrane potential (mV) of the Hopf bifurcation.
    saddle_node, saddle_node_v : float
        Those of the saddle-node bifurcation. Currents are in pA, or in the pseudo-units of the 2003 form.
    """

    hopf: float
    hopf_v: float
    saddle_node: float
    saddle_node_v: float

    @property
    def rheobase(self) -> float:
        """The smaller of the two currents."""
        return min(x for x in (self.hopf, self.saddle_node) if not math.isnan(x))


def rest_2003(
    cell: str | tuple[float, float, float, float], *, linear: float = 5.0, constant: float = 140.0
) -> RestEnds:
    """Return where rest ends for a cell of the 2003 form.

    Saddle-node at v = (b - linear)/0.08, I = (linear - b)^2/0.16 - constant; Hopf, if b > a, at v = (a - linear)/0.08.

    Parameters
    ----------
    cell : str or (a, b, c, d)
        A type of :func:`neurodyn.izhikevich_2003`, or numbers with a > 0.
    linear, constant : float
        Of v' = 0.04 v^2 + linear v + constant - u + I.

    Raises
    ------
    ValueError
        For a type that isn't there, with the nearest one.
    """
    if isinstance(cell, str):
        if cell not in TYPES_2003:
            raise ValueError(f"cell = {cell!r}, types are {', '.join(TYPES_2003)}{nearest(cell, TYPES_2003)}")
        cell = TYPES_2003[cell]
    a, b = cell[:2]

    def current(v: float) -> float:
        return b * v - (0.04 * v * v + linear * v + constant)

    return _ends(current, (a - linear) / 0.08, b > a, (b - linear) / 0.08)


def rest_2007(cell: str | Cell2007) -> RestEnds:
    """Return where rest ends for a cell of the 2007 form, in pA and mV.

    With linear recovery the saddle-node bifurcation is at I = (k (v_t - v_r) + b)^2/4k; b is that above v_switch.

    Parameters
    ----------
    cell : str or Cell2007
        As in :func:`neurodyn.izhikevich_2007`.

    Raises
    ------
    ValueError
        For a cell that isn't there, with the nearest one.
    """
    if isinstance(cell, str):
        if cell not in TYPES_2007:
            raise ValueError(f"cell = {cell!r}, cells are {', '.join(TYPES_2007)}{nearest(cell, TYPES_2007)}")
        cell = TYPES_2007[cell]
    k, C = _number(cell.k, 1e-6), _number(cell.C, 1e-12)  # nS/mV, pF
    v_r, v_t, a = _number(cell.v_r, 1e-3), _number(cell.v_t, 1e-3), _number(cell.a, 1e3)
    middle = (v_r + v_t) / 2
    hopf_v = middle + a * C / (2 * k)
    if cell.cubic is None:
        b = _number(cell.b, 1e-9)
        return _ends(lambda v: b * (v - v_r) - k * (v - v_r) * (v - v_t), hopf_v, b > a * C, middle + b / (2 * k))
    q, v_b = _number(cell.cubic, 1e-3), _number(cell.v_b or "", 1e-3)
    # f' = U': 3 q x^2 = 2 k (x + v_b - middle), x = v - v_b; without a solution rest never vanishes
    root = k * k + 6 * q * k * (v_b - middle)
    x = (k - math.sqrt(root)) / (3 * q) if root >= 0 else math.nan
    slope = 3 * q * max(hopf_v - v_b, 0.0) ** 2
    return _ends(lambda v: q * max(v - v_b, 0.0) ** 3 - k * (v - v_r) * (v - v_t), hopf_v, slope > a * C, v_b + x)


def rest_adex(cell: str) -> RestEnds:
    """Return where rest ends for an adaptive exponential cell, in pA and mV.

    Saddle-node where exp((v - v_T)/delta_T) = 1 + a/g_L; Hopf, if a/g_L > tau_m/tau_w, where it is 1 + tau_m/tau_w
    (tau_m = C/g_L).

    Parameters
    ----------
    cell : str
        A type of :func:`neurodyn.adaptive_exponential`.

    Raises
    ------
    ValueError
        For a cell that isn't there, with the nearest one.

    References
    ----------
    Touboul & Brette (2008) Biol. Cybern. 99:319.
    """
    if cell not in TYPES_ADEX:
        raise ValueError(f"cell = {cell!r}, cells are {', '.join(TYPES_ADEX)}{nearest(cell, TYPES_ADEX)}")
    p = TYPES_ADEX[cell]
    C, g, E, v_T, D = (
        _number(p[n], s)
        for n, s in zip(("C", "g_L", "E_L", "v_T", "delta_T"), (1e-12, 1e-9, 1e-3, 1e-3, 1e-3), strict=True)
    )
    a, ratio = _number(p["a"], 1e-9), C / g / _number(p["tau_w"], 1e-3)

    def current(v: float) -> float:
        return (g + a) * (v - E) - g * D * math.exp((v - v_T) / D)

    # a < -g_L: the recovery outweighs the leak, and rest never vanishes in a saddle-node
    node = v_T + D * math.log1p(a / g) if a > -g else math.nan
    return _ends(current, v_T + D * math.log1p(ratio), a / g > ratio, node)


def _ends(current: Callable[[float], float], hopf_v: float, hopf: bool, node_v: float) -> RestEnds:
    node = math.nan if math.isnan(node_v) else current(node_v)
    return RestEnds(current(hopf_v) if hopf else math.nan, hopf_v if hopf else math.nan, node, node_v)


def _number(text: str, scale: float) -> float:
    return float(units.quantity(text).value) / scale
