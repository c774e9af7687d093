"""Izhikevich's neurons of 2007, C v' = k (v - v_r)(v - v_t) - u + I, with the exceptions of their book chapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neurodyn.citing import cites
from neurodyn.models.naming import nearest
from neurodyn.parts import Population


@dataclass(frozen=True)
class Cell2007:
    """Parameters of the 2007 form as text with units; what is None the cell doesn't have.

    Parameters
    ----------
    C, k, v_r, v_t, v_peak, a, b, c, d : str
        C v' = k (v - v_r)(v - v_t) - u + I, u' = a (b (v - v_r) - u); at v >= v_peak v = c and u += d.
    b_below, v_switch : str, optional
        b is ``b_below`` where v <= v_switch (thalamic cells).
    cubic, v_b : str, optional
        u' = a (U - u) with U = cubic (v - v_b)^3 above v_b, 0 below, in the place of b (v - v_r) (fast spiking cells).
    peak_slope, reset_slope, u_max : str, optional
        A spike is v > v_peak + peak_slope u; then v = c + reset_slope u, and u += d up to at most u_max.

    Raises
    ------
    ValueError
        Parameters that belong together of which one is missing, or that exclude each other.
    """

    C: str
    k: str
    v_r: str
    v_t: str
    v_peak: str
    a: str
    b: str
    c: str
    d: str
    b_below: str | None = None
    v_switch: str | None = None
    cubic: str | None = None
    v_b: str | None = None
    peak_slope: str | None = None
    reset_slope: str | None = None
    u_max: str | None = None

    def __post_init__(self) -> None:
        for one, other in (("b_below", "v_switch"), ("cubic", "v_b"), ("peak_slope", "reset_slope")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise ValueError(
                    f"{one} = {getattr(self, one)!r}, {other} = {getattr(self, other)!r}: these belong together; give both or none"
                )
        if self.cubic is not None and self.b_below is not None:
            raise ValueError("cubic and b_below exclude each other: both take the place of b (v - v_r)")

    @property
    def parameters(self) -> dict[str, str]:
        """Those that the cell has, by name."""
        left_out = {"b"} if self.cubic is not None else set()
        return {key: value for key, value in vars(self).items() if value is not None and key not in left_out}


#: Cells of the 2007 form: chapter 8 of the book (RS to RTN), Open Source Brain (the adapting ones and LS), and the
#: cell of Nicola and Clopath's networks, whose v_t is v_r + 40 mV - b/k.
TYPES_2007: Mapping[str, Cell2007] = {
    "RS": Cell2007("100 pF", "0.7 nS/mV", "-60 mV", "-40 mV", "35 mV", "0.03 /ms", "-2 nS", "-50 mV", "100 pA"),
    "IB": Cell2007("150 pF", "1.2 nS/mV", "-75 mV", "-45 mV", "50 mV", "0.01 /ms", "5 nS", "-56 mV", "130 pA"),
    "CH": Cell2007("50 pF", "1.5 nS/mV", "-60 mV", "-40 mV", "25 mV", "0.03 /ms", "1 nS", "-40 mV", "150 pA"),
    "LTS": Cell2007(
        "100 pF", "1 nS/mV", "-56 mV", "-42 mV", "40 mV", "0.03 /ms", "8 nS", "-53 mV", "20 pA",
        peak_slope="-0.1 mV/pA", reset_slope="0.04 mV/pA", u_max="670 pA",
    ),
    "FS": Cell2007(
        "20 pF", "1 nS/mV", "-55 mV", "-40 mV", "25 mV", "0.2 /ms", "0 nS", "-45 mV", "0 pA",
        cubic="0.025 nS/mV**2", v_b="-55 mV",
    ),
    "TC": Cell2007(
        "200 pF", "1.6 nS/mV", "-60 mV", "-50 mV", "35 mV", "0.01 /ms", "0 nS", "-60 mV", "10 pA",
        b_below="15 nS", v_switch="-65 mV", peak_slope="0.1 mV/pA", reset_slope="-0.1 mV/pA",
    ),
    "RTN": Cell2007(
        "40 pF", "0.25 nS/mV", "-65 mV", "-45 mV", "0 mV", "0.015 /ms", "2 nS", "-55 mV", "50 pA",
        b_below="10 nS", v_switch="-65 mV",
    ),
    "weakly_adapting": Cell2007(
        "300 pF", "1 nS/mV", "-61.8 mV", "-57 mV", "22.6 mV", "0.001 /ms", "3 nS", "-65.8 mV", "5 pA"
    ),
    "strongly_adapting": Cell2007(
        "115 pF", "0.3 nS/mV", "-61.8 mV", "-57 mV", "22.6 mV", "0.0012 /ms", "3 nS", "-65.8 mV", "10 pA"
    ),
    "LS": Cell2007("20 pF", "0.3 nS/mV", "-66 mV", "-40 mV", "30 mV", "0.17 /ms", "5 nS", "-45 mV", "100 pA"),
    "nicola_clopath": Cell2007(
        "250 pF", "2.5 nS/mV", "-60 mV", "-19.2 mV", "30 mV", "0.01 /ms", "-2 nS", "-65 mV", "200 pA"
    ),
}  # fmt: skip


@cites("izhikevich2007")
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

    At v >= v_peak: v = c, u += d; some cells depart from this, see :class:`Cell2007`. In physical units.

    Parameters
    ----------
    name : str
        Of the population, a Python identifier.
    size : int
        Number of cells, 0 or more.
    cell : str or Cell2007
        RS, IB, CH, LTS, FS, TC, RTN (the book), weakly_adapting, strongly_adapting, LS, nicola_clopath.
    current : str
        Expression in amp of names that ``parameters`` or ``equations`` define; by default the parameter ``I`` (0 pA
        unless given).
    parameters : mapping
        Other values of the cell's parameters (quantities, arrays (size,), distributions), and those of ``current``.
    equations : str
        Further equations in Brian2's language, such as those of synaptic currents.
    method : str
        Integrator; the published numbers are those of "euler".
    initial : mapping
        Start values; v starts at v_r, u at 0.

    Raises
    ------
    ValueError
        For a cell that isn't there, with the nearest one.

    References
    ----------
    Izhikevich (2007) Dynamical Systems in Neuroscience, chapter 8; ModelDB 39948; OpenSourceBrain/IzhikevichModel;
    Nicola & Clopath (2017) Nat. Commun. 8:2208, ModelDB 190565.
    """
    references = ("nicola2017",) if cell == "nicola_clopath" else ()
    if isinstance(cell, str):
        if cell not in TYPES_2007:
            raise ValueError(
                f"cell = {cell!r}, cells of the 2007 form are {', '.join(TYPES_2007)}{nearest(cell, TYPES_2007)}"
            )
        cell = TYPES_2007[cell]
    recovery = "b*(v - v_r)"
    if cell.b_below is not None:
        recovery = "(b + (b_below - b)*int(v <= v_switch))*(v - v_r)"
    if cell.cubic is not None:
        # Not a third power: square times clipped is made of products, whose bits no math library decides.
        recovery = "cubic*(v - v_b)**2*clip(v - v_b, 0*mV, 1*volt)"
    sloped = cell.peak_slope is not None
    given = {"I": "0 pA"} if current == "I" else {}
    return Population(
        name,
        size,
        f"""dv/dt = (k*(v - v_r)*(v - v_t) - u + ({current}))/C : volt
            du/dt = a*({recovery} - u) : amp
            {equations}""",
        threshold="v > v_peak + peak_slope*u" if sloped else "v >= v_peak",
        reset=("v = c + reset_slope*u\n" if sloped else "v = c\n")
        + ("u += d" if cell.u_max is None else "u = clip(u + d, -1*amp, u_max)"),
        method=method,
        parameters={**cell.parameters, **given, **(parameters or {})},
        initial={"v": cell.v_r, **(initial or {})},
        references=references,
    )
