"""Spiking networks that FORCE trains: the networks of Nicola and Clopath (2017), each published script by a name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.network import realize
from neurodyn.parts import CircuitError, Connection, Filter, Input, Normal, Population, Readout, Uniform
from neurodyn.plasticity.learners import FORCE, Signals
from neurodyn.units import Quantity, dimensions_of

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

    ``gain`` is G: a synapse carries the charge G n/(p sqrt N) a spike, n standard normal ("5000 pA*ms"; for
    integrate-and-fire cells the integral of a voltage, "40 mV*ms"). ``feedback`` is Q: the output reaches each cell with a
    weight uniform in +-Q. ``inverse`` is the diagonal of P(0) for rates in spikes per ms, ``every`` the time between
    updates. ``clock`` and ``clock_weight`` are the number of channels of the input and their weights, uniform in
    +-clock_weight; with ``plane`` the input has two channels, (x, y), and cell i gets plane (x cos psi_i + y sin psi_i).
    ``learning`` and ``duration`` are when the script learns and how long it runs.
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

#: every published network by its name
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


def NicolaClopath(
    preset: str = "sine",
    *,
    outputs: tuple[str, ...] = ("z",),
    seed: int = 1,
    probability: float = 0.1,
    tau_rise: Any = "2 ms",
    tau_decay: Any = "20 ms",
    variant: str = "nicola_clopath",
    **changes: Any,
) -> Circuit:
    """Return a network whose output follows the input ``target`` once FORCE has trained it.

    Recurrent weights are random and stay; the output z = w r is fed back. Learning happens in the trials that allow it
    (see :class:`neurodyn.tasks.Supervisor`). Names: cells "cells" (v, u, I, I_in), filtered spikes "rate" in spikes per ms,
    readout "output" (y, w), rule "force", inputs "target" and, where the network has one, "clock".

    Each step dt: v and u by Euler from their old values; v >= v_peak is a spike, which adds its weight/(tau_rise tau_decay) to h
    of its targets; I <- I exp(-dt/tau_rise) + h dt, h <- h exp(-dt/tau_decay), and so for the rates with jumps of
    1/(tau_rise tau_decay). Total current: I + weight z + bias.

    Parameters
    ----------
    preset : str
        "sine", "product", "ode_to_joy", "songbird", "movie", "classifier" or "lif_sine" (see ``models.force.PUBLISHED``).
    outputs : tuple of str
        Names of the outputs; those of the target (``task.names``).
    probability : float
        Chance of each directed pair, autapses included, in (0, 1].
    tau_rise, tau_decay : quantity
        Of synapses and of the filter of the readout.
    variant : str
        Gain of recursive least squares, "nicola_clopath" as published, or "canonical" (see :class:`neurodyn.FORCE`).
    **changes
        Any field of :class:`Published` instead of its published value, such as ``neurons=1000`` or ``feedback="6000 pA"``.

    Raises
    ------
    CircuitError
        An unknown preset or field, or numbers out of range.

    Notes
    -----
    The rows of "lif_sine" are made to sum to zero, as published, so its wiring is that of ``seed``: make another network by
    another call, for ``with_(seed=...)`` changes only the start. P costs 8 N^2 bytes.

    References
    ----------
    Nicola & Clopath (2017) Nat. Commun. 8:2208; numbers of ModelDB 190565, files as named in ``PUBLISHED``.
    """
    p = _chosen(preset, changes)
    if not 0 < probability <= 1:
        raise CircuitError(f"probability = {probability!r}, allowed is above 0 up to 1")
    if not 0 < p.inverse < float("inf"):
        raise CircuitError(f"inverse = {p.inverse!r}: the diagonal of P(0) has to be positive and finite")
    current = "volt" if p.cell == "lif" else "amp"
    taus = {"tau_rise": tau_rise, "tau_decay": tau_decay}
    rise, decay = (float(units.si(value, "ms", name=name, above=0.0)) for name, value in taus.items())
    cells = _cells(p, current, taus)
    charge = float(units.si(p.gain, f"{current}*second", name="gain", low=0.0))
    jump = dimensions_of(f"{current}/second")
    scale = charge / (probability * np.sqrt(max(p.neurons, 1))) / (rise * decay)
    recurrent = Connection(
        cells,
        cells,
        "h",
        probability=probability,
        weight=Normal(Quantity(0.0, jump), Quantity(scale, jump)),
        autapses=True,
        name="recurrent",
    )
    connections = [recurrent, _spread("output.y", p.feedback, current, "feedback")]
    inputs = [Input("target", outputs)]
    if p.clock or p.plane is not None:
        channels = tuple(f"pulse{k}" for k in range(p.clock)) if p.plane is None else ("x", "y")
        inputs.append(Input("clock", channels))
        connections.append(_spread("clock", p.clock_weight, current, "clock_weight") if p.plane is None else _plane(p))
    rate = Filter("rate", cells, tau_decay, tau_rise=tau_rise, scale=1e-3, unit="kHz")
    force = FORCE(every=p.every, alpha=1 / p.inverse, gated=False, variant=variant)
    readout = Readout(
        "output",
        "rate",
        outputs,
        state={"y": "output"},
        memory={"w": "output*unit"},
        per_step="y = sum(w*r)",
        rule=force.rule("force", Signals(x="r"), dt=float(units.si(p.dt, "second", name="dt", above=0.0))),
    )
    circuit = Circuit(
        [cells],
        connections,
        inputs=inputs,
        filters=[rate],
        readouts=[readout],
        dt=p.dt,
        seed=seed,
        name="FORCE network",
    )
    return _balanced(circuit) if p.cell == "lif" else circuit


def _chosen(preset: str, changes: Mapping[str, Any]) -> Published:
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


def _cells(p: Published, current: str, taus: Mapping[str, Any]) -> Population:
    synapse = "I = I*exp(-dt/tau_rise) + h*dt\nh *= exp(-dt/tau_decay)\n"
    variables = {"v": "volt", "I": current, "h": f"{current}/second", "I_in": current}
    if p.cell == "lif":
        return Population(
            "cells",
            p.neurons,
            code="v += where(not_refractory, dt*(I + I_in + bias - v)/tau, 0*mV)\n" + synapse,
            variables=variables,
            threshold="v >= v_threshold",
            reset="v = v_reset",
            # the script lets v move again when more than 2 ms have passed: a step later than "2 ms" means here
            refractory=Quantity(2e-3 + float(units.si(p.dt, "second", name="dt")), dimensions_of("second")),
            parameters={**LIF, **taus, "bias": p.bias},
            initial={"v": Uniform("-65 mV", "30 mV")},
        )
    directions = {} if p.plane is None else {"psi": Uniform(0.0, 2 * np.pi)}
    return Population(
        "cells",
        p.neurons,
        code="dv = dt*(k*(v - v_r)*(v - v_t) - u + I + I_in + bias)/C\nu += dt*(a*(b*(v - v_r) - u))\nv += dv\n"
        + synapse,
        variables={**variables, "u": current},
        threshold="v >= v_peak",
        reset="v = c\nu += d",
        parameters={**IZHIKEVICH, "a": p.a, "b": p.b, "d": p.d, **taus, **directions, "bias": p.bias},
        initial={"v": Uniform(IZHIKEVICH["v_r"], IZHIKEVICH["v_peak"])},
    )


def _spread(source: str, weight: Any, current: str, name: str) -> Connection:
    """Connect to all cells with weights uniform in +-weight."""
    size = float(units.si(weight, current, name=name, low=0.0))
    low, high = (Quantity(x, dimensions_of(current)) for x in (-size, size))
    return Connection(source, "cells", "I_in", weight=Uniform(low, high), name=name.removesuffix("_weight") + "_in")


def _plane(p: Published) -> Connection:
    size = float(units.si(p.plane, "pA", name="plane", low=0.0)) / 1e-12
    return Connection(
        "clock", "cells", "I_in", weight=f"{size}*pA*where(i == 0, cos(psi_post), sin(psi_post))", name="clock_in"
    )


def _balanced(circuit: Circuit) -> Circuit:
    """Take from each weight the mean of all that reach the same cell."""
    w = realize(circuit).wiring["recurrent"]
    size = circuit["cells"].size
    count = np.maximum(np.bincount(w.targets, minlength=size), 1)
    mean = np.bincount(w.targets, w.weights, minlength=size) / count
    return circuit.with_values(
        {
            "recurrent.indptr": w.indptr,
            "recurrent.targets": w.targets,
            "recurrent.weights": w.weights - mean[w.targets],
        }
    )
