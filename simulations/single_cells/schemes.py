"""The schemes of other simulators, written down from their sources, beside ours: same cell, same current, same spikes?

Each entry is one step of the 2003 form in the order of operations of that simulator, run here; the simulators themselves are
not. h is the step in ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import neurodyn as nd
from neurodyn.models.izhikevich_2003 import TYPES_2003
from single_cells.expected import MODELDB, RATES_2003

CELLS = ("RS", "IB", "CH", "FS", "LTS")
CURRENT, LENGTH, FROM_MS = 10.0, "3 s", 1000.0
#: So long spikes have to be the same. Simulators multiply in other orders, and in steps of 0.1 ms FS and LTS don't forget
#: it: rounding alone moves a spike sooner or later.
SAME_MS = 500.0


@dataclass(frozen=True)
class Peer:
    """One step of a simulator: code, spike condition, reset; the step it is used with, and which of our schemes it is."""

    code: str
    threshold: str
    reset: str | None
    dt_ms: float
    ours: str | None
    source: str


_F = "0.04*v*v + 5.0*v + 140.0 - u + I"
_RESET_FIRST = "fired = v >= 30\nv = where(fired, c, v)\nu = where(fired, u + d, u)\n"
_HALVES = f"v += h*0.5*({_F})\nv += h*0.5*({_F})\n"

PEERS = {
    "NEST, default": Peer(f"dv = h*({_F})\nu += h*a*(b*v - u)\nv += dv\n", "v >= 30", "v = c\nu += d", 0.1, "euler",
                          "nest-simulator, models/izhikevich.cpp"),
    "NEST, consistent_integration=False": Peer(_HALVES + "u += h*a*(b*v - u)\n", "v >= 30", "v = c\nu += d", 1.0, "half_steps",
                          "nest-simulator, models/izhikevich.cpp"),
    "GeNN": Peer(_RESET_FIRST + f"v += 0.5*({_F})*h\nv += 0.5*({_F})*h\nu += a*(b*v - u)*h\nv = clip(v, -1e9, 30)\n", "v >= 29.99", None, 1.0, "half_steps",
                          "genn, neuronModels.h"),
    "BindsNET": Peer(_RESET_FIRST + _HALVES + "u += h*a*(b*v - u)\n", "v >= 30", None, 1.0, "half_steps",
                          "bindsnet, network/nodes.py"),
    "ANNarchy": Peer(f"dv = {_F}\ndu = a*(b*v - u)\nv += h*dv\nu += h*du\n", "v > 30", "v = c\nu += d", 1.0, "euler",
                          "ANNarchy, models/Neurons.py"),
    "Norse, default": Peer(f"dv = h*({_F})\nu += h*a*(b*v - u)\nv += dv\n", "v > 30", "v = c\nu += d", 0.25, "euler",
                          "norse, functional/izhikevich.py: dt = 1 ms times tau_inv = 250 /s"),
    "Nengo": Peer(f"v += h*({_F})\nfired = v >= 30\nv = where(fired, c, v)\nu += h*(a*(b*v - u))\nu = where(fired, u + d, u)\ns = where(fired, 1, 0)\n", "s > 0.5", None, 1.0, None,
                          "nengo, neurons.py"),
    "Jaxley": Peer(f"u = u*exp(-a*h) + b*v*(1 - exp(-a*h))\nv += h*({_F})\n", "v >= 30", "v = c\nu += d", 0.025, None,
                          "jaxley, channels/non_capacitive/izhikevich.py"),
}  # fmt: skip


def run(backend: str) -> nd.Outcome:
    """Rates of five cells at one current under each scheme, and whether the spikes are those of one of ours."""
    checks, results = [], {}
    for name, peer in PEERS.items():
        trains = _trains(_theirs(peer), peer.dt_ms, backend)
        results[f"scheme of {name}: step (ms)"] = peer.dt_ms
        results[f"scheme of {name}: rates (Hz)"] = _rates(trains)
        results[f"scheme of {name}: ours"] = peer.ours or "none"
        same, apart = {}, {}
        for scheme in ("half_steps", "euler", "sequential") if peer.dt_ms == 1.0 else ("euler", "sequential"):
            first = _parting(trains, _trains(_ours(scheme, peer.dt_ms), peer.dt_ms, backend))
            same[scheme] = int(np.sum(first > SAME_MS))
            apart[scheme] = ", ".join(f"{k} {t:g} ms" for k, t in zip(CELLS, first, strict=True) if np.isfinite(t))
        found = ", ".join(f"{s} {n} of {len(CELLS)}" for s, n in same.items())
        results[f"scheme of {name}: cells with the spikes of ours for {SAME_MS:g} ms"] = found
        results[f"scheme of {name}: read from"] = peer.source
        if peer.ours:
            results[f"scheme of {name}: parts later"] = apart[peer.ours] or "never in 3 s"
            title = f"scheme of {name}, {peer.dt_ms:g} ms: cells with the spikes of {peer.ours} for {SAME_MS:g} ms"
            count = len(CELLS)
            checks.append(nd.check(title, same[peer.ours], f"== {count}", reference=count, source=peer.source))
    converged = _rates(_trains(_ours("euler", 0.01), 0.01, backend))
    results["scheme of none, converged: rates (Hz)"] = converged
    for kind, rate in zip(CELLS, converged, strict=True):
        if (kind, CURRENT) in RATES_2003:
            reference = RATES_2003[kind, CURRENT][0]
            low, high = reference - 1.01 - 0.012 * reference, reference + 1.01 + 0.012 * reference
            name = f"scheme converged, {kind}, I = {CURRENT:g}: rate (Hz)"
            checks.append(nd.check(name, rate, f">= {low:.4g} and <= {high:.4g}", reference=reference, source=MODELDB))
    return nd.Outcome(results=results, checks=checks)


def _theirs(peer: Peer) -> nd.Population:
    a, b, c, d = (np.array([TYPES_2003[kind][k] for kind in CELLS]) for k in range(4))
    return nd.Population(
        "cells",
        len(CELLS),
        code=peer.code,
        variables={"v": "1", "u": "1", **({"s": "1"} if "s =" in peer.code else {})},
        threshold=peer.threshold,
        reset=peer.reset,
        parameters={"a": a, "b": b, "c": c, "d": d, "h": peer.dt_ms, "I": CURRENT},
        initial={"v": -65.0, "u": "b*v"},
    )


def _ours(scheme: str, dt_ms: float) -> nd.Population:
    a, b, c, d = (np.array([TYPES_2003[kind][k] for kind in CELLS]) for k in range(4))
    return nd.izhikevich_2003(
        "cells",
        len(CELLS),
        cells=(a, b, c, d),
        scheme=scheme,
        dt=f"{dt_ms} ms",
        v_start=-65.0,
        parameters={"bias": CURRENT},
    )


def _trains(cells: nd.Population, dt_ms: float, backend: str) -> list[np.ndarray]:
    spikes = nd.simulate(nd.Circuit([cells], dt=f"{dt_ms} ms"), LENGTH, backend=backend, progress=False)["spikes"]
    return [np.asarray(spikes.times[spikes.ids == k]) for k in range(len(CELLS))]


def _rates(trains: list[np.ndarray]) -> list[float]:
    return [float(np.sum(t >= FROM_MS)) / 2.0 for t in trains]


def _parting(one: list[np.ndarray], other: list[np.ndarray]) -> np.ndarray:
    """For each cell the time of the first spike that only one of the two has; inf if there is none."""
    only = [np.setxor1d(x, y) for x, y in zip(one, other, strict=True)]
    return np.array([times[0] if times.size else np.inf for times in only])
