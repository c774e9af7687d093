"""The static reservoir of the speed table: Nicola-Clopath cells whose bias alone drives about 32 spikes/s.

Cells and synapses as in Nicola & Clopath (2017) Nat. Commun. 8:2208, script IZFORCESINE of ModelDB 190565. With
its bias of 1000 pA these cells sit on their rheobase, k (v_t - v_r + b/k)^2/4 = 1000 pA, and fire at 0 Hz once the
start has died away; 1830 pA gives 32 spikes/s.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn.network import Network, realize

BIAS = "1830 pA"
DT_MS = 0.04
CELL = {
    "C": "250 pF",
    "k": "2.5 nS/mV",
    "v_r": "-60 mV",
    "v_t": "-19.2 mV",
    "v_peak": "30 mV",
    "v_reset": "-65 mV",
    "a": "0.01 /ms",
    "b": "-2 nS",
    "d": "200 pA",
    "tau_rise": "2 ms",
    "tau_decay": "20 ms",
}
EQUATIONS = """
dv/dt = (k*(v - v_r)*(v - v_t) - u + I + bias)/C : volt
du/dt = a*(b*(v - v_r) - u) : amp
dI/dt = -I/tau_rise + h : amp
dh/dt = -h/tau_decay : amp/second
"""


def circuit(
    neurons: int = 1000, *, bias: str = BIAS, probability: float = 0.1, gain: float = 5.0, seed: int = 1
) -> nd.Circuit:
    """Return the network: double-exponential synapses (2/20 ms), dt 0.04 ms, weights N(0, gain pA)/(p sqrt(N))."""
    scale = gain / (probability * np.sqrt(neurons)) / (2e-3 * 20e-3)
    cells = nd.Population(
        "cells",
        neurons,
        EQUATIONS,
        threshold="v >= v_peak",
        reset="v = v_reset\nu += d",
        method="euler",
        parameters={**CELL, "bias": bias},
        initial={"v": nd.Uniform("-60 mV", "30 mV")},
    )
    weight = nd.Normal("0 pA/s", f"{scale} pA/s")
    recurrent = nd.Connection(cells, cells, "h", probability=probability, weight=weight)
    return nd.Circuit([cells], [recurrent], dt=f"{DT_MS} ms", seed=seed, name="speed network")


def numbers(net: nd.Circuit) -> dict[str, np.ndarray]:
    """Return parameters, wiring and start values in SI units, for runs of the same network elsewhere."""
    network: Network = realize(net)
    wiring = network.wiring[net.connections[0].name]
    given: dict[str, Any] = {name: network.values[f"cells.{name}"] for name in (*CELL, "bias")}
    return {
        **{name: np.asarray(value) for name, value in given.items()},
        "v": network.values["cells.v@initial"],
        "sources": wiring.sources,
        "targets": wiring.targets,
        "weights": wiring.weights,
    }
