"""Spiking networks that FORCE trains: the networks of Nicola and Clopath (2017), each published script by a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.citing import cites
from neurodyn.models.force_published import IZHIKEVICH, LIF, PUBLISHED, Published, published
from neurodyn.network import realize
from neurodyn.parts import CircuitError, Connection, Filter, Input, Normal, Population, Readout, Uniform
from neurodyn.plasticity.learners import FORCE, Signals
from neurodyn.units import Quantity, dimensions_of

__all__ = ["PUBLISHED", "NicolaClopath", "Published"]


@cites("nicola2017")
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
        Any field of :class:`neurodyn.models.force.Published` instead of its published value, such as ``neurons=1000`` or ``feedback="6000 pA"``.

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
    p = published(preset, changes)
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
