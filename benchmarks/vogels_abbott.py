"""The two networks of Vogels & Abbott (2005) J. Neurosci. 25:10786 as in Brette et al. (2007) J. Comput. Neurosci. 23:349.

4000 leaky integrate-and-fire cells, 3200 of them excitatory, each pair joined with probability 0.02. In "cuba" (benchmark
2) a spike adds a current that decays, in "coba" (benchmark 1) a conductance in units of the leak. Start values of coba
are those of the authors' scripts, from which it keeps itself going; cuba is driven, since its cells rest above threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn.network import realize

CELLS, EXCITATORY, PROBABILITY, DT_MS = 4000, 3200, 0.02, 0.1
EQUATIONS = {
    "cuba": """
dv/dt = (ge + gi - (v - E_L) + drive)/tau_m : volt (unless refractory)
dge/dt = -ge/tau_e : volt
dgi/dt = -gi/tau_i : volt
""",
    "coba": """
dv/dt = (ge*(E_e - v) + gi*(E_i - v) - (v - E_L) + drive)/tau_m : volt (unless refractory)
dge/dt = -ge/tau_e : 1
dgi/dt = -gi/tau_i : 1
""",
}
_BOTH = {"tau_m": "20 ms", "tau_e": "5 ms", "tau_i": "10 ms", "V_t": "-50 mV", "V_r": "-60 mV"}
PARAMETERS = {
    "cuba": {**_BOTH, "E_L": "-49 mV"},
    "coba": {**_BOTH, "E_L": "-60 mV", "E_e": "0 mV", "E_i": "-80 mV"},
}
REFRACTORY = "5 ms"
THRESHOLD, RESET = "v > V_t", "v = V_r"
_INITIAL: dict[str, dict[str, Any]] = {
    "cuba": {"v": nd.Uniform("-60 mV", "-50 mV")},
    "coba": {"v": nd.Normal("-65 mV", "5 mV"), "ge": nd.Normal(4, 1.5), "gi": nd.Normal(20, 12)},
}
_WEIGHTS: dict[str, tuple[float, float, str]] = {"cuba": (1.62, -9.0, " mV"), "coba": (0.6, 6.7, "")}


def circuit(
    kind: str,
    *,
    method: str = "euler",
    drive: str = "0 mV",
    strength: float = 1.0,
    cells: int = CELLS,
    seed: int = 1,
) -> nd.Circuit:
    """Return "cuba" or "coba"; ``drive`` is a constant input, ``strength`` a factor of all weights."""
    population = nd.Population(
        "cells",
        cells,
        EQUATIONS[kind],
        threshold=THRESHOLD,
        reset=RESET,
        refractory=REFRACTORY,
        method=method,
        parameters={**PARAMETERS[kind], "drive": drive},
        initial=_INITIAL[kind],
    )
    pre, post = _pairs(cells, seed)
    first = pre < cells * EXCITATORY // CELLS
    excitation, inhibition, unit = _WEIGHTS[kind]
    connections = [
        nd.Connection(
            population,
            population,
            variable,
            pairs=(pre[which], post[which]),
            weight=f"{strength * weight}{unit}" if unit else strength * weight,
            name=name,
        )
        for name, variable, weight, which in (
            ("excitation", "ge", excitation, first),
            ("inhibition", "gi", inhibition, ~first),
        )
    ]
    return nd.Circuit([population], connections, dt=f"{DT_MS} ms", seed=seed, name=kind)


def _pairs(cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw which pairs are joined; no cell with itself."""
    joined = np.random.default_rng(seed).random((cells, cells)) < PROBABILITY
    np.fill_diagonal(joined, False)
    pre, post = np.nonzero(joined)
    return pre, post


def numbers(net: nd.Circuit) -> dict[str, Any]:
    """Return parameters, wiring and start values in SI units and what else describes the network, for runs elsewhere."""
    network, cells = realize(net), net["cells"]
    assert isinstance(cells, nd.Population)
    out: dict[str, Any] = {name: float(network.values[f"cells.{name}"]) for name in (*PARAMETERS[net.name], "drive")}
    for variable in ("v", "ge", "gi"):
        start = network.values.get(f"cells.{variable}@initial", 0.0)
        out[variable] = np.broadcast_to(np.asarray(start, dtype=float), network.sizes["cells"]).copy()
    for name in ("excitation", "inhibition"):
        wiring = network.wiring[name]
        out[f"{name}_sources"], out[f"{name}_targets"] = wiring.sources, wiring.targets
        out[f"{name}_weight"] = float(wiring.weights[0])
    about = {"kind": net.name, "equations": EQUATIONS[net.name], "method": cells.method, "dt_ms": DT_MS}
    return {**out, **about, "refractory": float(REFRACTORY.split()[0]) / 1e3}
