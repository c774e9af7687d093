"""The numbers of the networks of Nicola and Clopath (2017): each script of ModelDB 190565 by a name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from neurodyn.parts import CircuitError

#: the integrate-and-fire cell of script LIFFORCESINE; its bias is its threshold
LIF = {"tau": "10 ms", "v_threshold": "-40 mV", "v_reset": "-65 mV"}
#: the cell of the other scripts, in the form of 2007; v_t = v_r + 40 mV - b/k, so that its rheobase is 1000 pA for any b
IZHIKEVICH = {
    "C": "250 pF",
    "k": "2.5 nS/mV",
    "v_r": "-60 mV",
    "v_t": "v_r + 40*mV - b/k",
    "v_peak": "30 mV",
    "c": "-65 mV",
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """Numbers of one script of ModelDB 190565; :func:`NicolaClopath` takes each of them as a keyword.

    Attributes
    ----------
    script : str
        Figure, and name in ModelDB.
    cell : "izhikevich" or "lif"
    neurons : int
    gain : quantity
        G: a synapse carries the charge G n/(p sqrt N) a spike, n standard normal ("5000 pA*ms"; for integrate-and-fire
        cells the integral of a voltage, "40 mV*ms").
    feedback : quantity
        Q: the output reaches each cell with a weight uniform in +-Q.
    bias : quantity
        Constant input of each cell.
    a, b, d : quantity
        Of the cell, see :func:`neurodyn.izhikevich_2007`.
    every : time
        Between updates of the weights.
    inverse : float
        Diagonal of P(0) for rates in spikes per ms.
    clock, clock_weight : int, quantity
        Number of channels of the input and their weights, uniform in +-clock_weight.
    plane : quantity or None
        With it the input has two channels, (x, y), and cell i gets plane (x cos psi_i + y sin psi_i).
    learning : (time, time)
        When the script learns.
    duration : time
        How long it runs.
    dt : time
        Its step.
    """

    script: str = ""
    cell: str = "izhikevich"
    neurons: int = 2000
    gain: Any = "5000 pA*ms"
    feedback: Any = "5000 pA"
    bias: Any = "1000 pA"
    a: Any = "0.01 /ms"
    b: Any = "0 nS"
    d: Any = "200 pA"
    every: Any = "0.8 ms"
    inverse: float = 2.0
    clock: int = 0
    clock_weight: Any = "0 pA"
    plane: Any = None
    learning: tuple[str, str] = ("5 s", "10 s")
    duration: str = "15 s"
    dt: str = "0.04 ms"


_SLOW: Mapping[str, Any] = {"neurons": 1000, "a": "0.002 /ms", "d": "100 pA", "every": "4 ms"}

#: Every published network by its name.
PUBLISHED: Mapping[str, Published] = {
    "sine": Published(script="Fig. 2, IZFORCESINE", b="-2 nS"),
    "product": Published(
        script="Suppl., product of sines", gain="10000 pA*ms", feedback="8000 pA", b="-2 nS", duration="20 s"
    ),
    "ode_to_joy": Published(
        script="Fig. 3, Ode to Joy",
        neurons=5000,
        gain="10000 pA*ms",
        feedback="4000 pA",
        every="4 ms",
        learning=("1 s", "900 s"),
        duration="1000 s",
    ),
    "songbird": Published(
        script="Fig. 4, songbird",
        gain="13000 pA*ms",
        feedback="1000 pA",
        clock=500,
        clock_weight="8000 pA",
        learning=("1 s", "50 s"),
        duration="100 s",
        **_SLOW,
    ),
    "movie": Published(
        script="Fig. 5, movie",
        feedback="400 pA",
        clock=32,
        clock_weight="4000 pA",
        learning=("1 s", "50 s"),
        duration="100 s",
        **_SLOW,
    ),
    "classifier": Published(
        script="Suppl., classifier",
        gain="6000 pA*ms",
        inverse=30.0,
        plane="500 pA",
        learning=("1 s", "400 s"),
        duration="1000 s",
    ),
    "lif_sine": Published(
        script="Fig. 2, LIFFORCESINE",
        cell="lif",
        gain="40 mV*ms",
        feedback="10 mV",
        bias=LIF["v_threshold"],
        every="2.5 ms",
        inverse=5.0,
        clock_weight="0 mV",
        dt="0.05 ms",
    ),
}


def published(preset: str, changes: Mapping[str, Any]) -> Published:
    """Return the numbers of a script with changes; unknown names get the nearest known one."""
    for what, name, known in (
        ("preset", preset, tuple(PUBLISHED)),
        *(("keyword", name, tuple(f.name for f in fields(Published))) for name in changes),
    ):
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            raise CircuitError(
                f"{what} {name!r}: {f'did you mean {near[0]!r}? ' if near else ''}known are {', '.join(known)}"
            )
    chosen = replace(PUBLISHED[preset], **changes)
    if chosen.cell not in ("izhikevich", "lif"):
        raise CircuitError(f"cell = {chosen.cell!r}, allowed are 'izhikevich' and 'lif'")
    if chosen.clock < 0 or (chosen.clock and chosen.plane is not None):
        raise CircuitError(f"clock = {chosen.clock!r} and plane = {chosen.plane!r}: give one of them, clock 0 or more")
    return chosen
