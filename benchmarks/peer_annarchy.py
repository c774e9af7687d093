"""The speed network and those of Vogels & Abbott on ANNarchy, which writes C++ from equations as text.

Its equations are those of neurodyn in ms, mV and pA, integrated by Euler's method with the right-hand sides of the
step's start ("explicit" updates them one after the other only where they are marked so). Spikes arrive in the next step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import ANNarchy as ann  # pyright: ignore[reportMissingImports]
import numpy as np
from peer_loop import Run, serve, synapses
from scipy.sparse import csr_matrix

_MS = 1e3
_CUBA = "tau_m*dv/dt = g_exc + g_inh - (v - E_L) + drive"
_COBA = "tau_m*dv/dt = g_exc*(E_e - v) + g_inh*(E_i - v) - (v - E_L) + drive"
_SPEED = """
C*dv/dt = k*(v - v_r)*(v - v_t) - u + I + bias
du/dt = a*(b*(v - v_r) - u)
dI/dt = -I/tau_rise + g_exc
tau_decay*dg_exc/dt = -g_exc
"""
# the parameters of the speed network in pF, nS, mV, ms and pA
_UNITS = {"C": 1e12, "k": 1e6, "v_r": 1e3, "v_t": 1e3, "v_peak": 1e3, "v_reset": 1e3, "a": 1e-3, "b": 1e9}
_UNITS |= {"d": 1e12, "tau_rise": 1e3, "tau_decay": 1e3, "bias": 1e12}


def build(numbers: Mapping[str, Any], seconds: float) -> Run:
    """Compile the network and return what runs it from its start."""
    net = ann.Network(dt=numbers["dt_ms"])
    net.config(num_threads=1)
    cells, start = (_speed if numbers["kind"] == "speed" else _vogels_abbott)(net, numbers)
    spikes = net.monitor(cells, ["spike"])
    net.compile(directory=os.path.join(os.getcwd(), "build"), silent=True)

    def run() -> tuple[float, int]:
        net.reset(populations=True, projections=False, monitors=True)
        for name, values in start.items():
            setattr(cells, name, values)
        begin = time.process_time()
        net.simulate(seconds * _MS)
        took = time.process_time() - begin
        return took, sum(len(times) for times in spikes.get("spike").values())

    return run


def _vogels_abbott(net: Any, numbers: Mapping[str, Any]) -> tuple[Any, dict[str, np.ndarray]]:
    conductances = numbers["kind"] == "coba"
    of = ["tau_m", "tau_e", "tau_i", "V_t", "V_r", "E_L", "drive", *(("E_e", "E_i") if conductances else ())]
    decay = "tau_e*dg_exc/dt = -g_exc\ntau_i*dg_inh/dt = -g_inh"
    neuron = ann.Neuron(
        parameters={name: numbers[name] * _MS for name in of},
        equations=f"{_COBA if conductances else _CUBA}\n{decay}",
        spike="v > V_t",
        reset="v = V_r",
        refractory=numbers["refractory"] * _MS,
    )
    cells = net.create(numbers["v"].size, neuron)
    scale = 1.0 if conductances else _MS
    for name, target in (("excitation", "exc"), ("inhibition", "inh")):
        sources, targets, weight = synapses(numbers, name)
        _connect(net, cells, target, sources, targets, np.full(sources.size, weight * scale))
    return cells, {"v": numbers["v"] * _MS, "g_exc": numbers["ge"] * scale, "g_inh": numbers["gi"] * scale}


def _speed(net: Any, numbers: Mapping[str, Any]) -> tuple[Any, dict[str, np.ndarray]]:
    neuron = ann.Neuron(
        parameters={name: numbers[name] * scale for name, scale in _UNITS.items()},
        equations=_SPEED,
        spike="v >= v_peak",
        reset="v = v_reset\nu += d",
    )
    cells = net.create(numbers["v"].size, neuron)
    _connect(net, cells, "exc", numbers["sources"], numbers["targets"], numbers["weights"] * 1e9)  # pA/ms
    zero = np.zeros(numbers["v"].size)
    return cells, {"v": numbers["v"] * _MS, "u": zero, "I": zero, "g_exc": zero}


def _connect(net: Any, cells: Any, target: str, sources: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
    size = cells.size
    projection = net.connect(cells, cells, target)
    # both directions of its lists were timed: from the source is the faster one
    matrix = csr_matrix((weights, (sources, targets)), shape=(size, size))
    projection.from_sparse(matrix, storage_format="csr", storage_order="pre_to_post")


if __name__ == "__main__":
    serve(build, lambda: version("ANNarchy"))
