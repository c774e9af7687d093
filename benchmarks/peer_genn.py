"""The speed network and those of Vogels & Abbott on GeNN's CPU backend, through PyGeNN, in float64.

Cells are code snippets with Euler's method in ms, mV and pA; spikes of a step arrive in the next one, as in neurodyn and
Brian2. Its C++ is compiled as its option for speed says (-O3 -ffast-math), for this processor as Brian2's is. The loop
over steps is PyGeNN's, in Python.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pygenn as genn  # pyright: ignore[reportMissingImports]
from peer_loop import Run, serve, synapses

_MS = 1e3
# the parameters of the speed network in pF, nS, mV, ms and pA
_UNITS = {"C": 1e12, "k": 1e6, "v_r": 1e3, "v_t": 1e3, "v_peak": 1e3, "v_reset": 1e3, "a": 1e-3, "b": 1e9}
_UNITS |= {"d": 1e12, "tau_rise": 1e3, "tau_decay": 1e3, "bias": 1e12}
_SPEED = """
h += Isyn;
const scalar dv = (k*(V - v_r)*(V - v_t) - U + I + bias)/C;
const scalar du = a*(b*(V - v_r) - U);
I += dt*(h - I/tau_rise);
h -= dt*h/tau_decay;
V += dt*dv;
U += dt*du;
"""
_DRIVE = {"cuba": "ge + gi", "coba": "ge*(E_e - V) + gi*(E_i - V)"}
_VOGELS_ABBOTT = """
ge += new_e;
gi += new_i;
if (resting > 0) {{
    resting--;
}} else {{
    V += dt*({drive} - (V - E_L) + drive)/tau_m;
}}
ge -= dt*ge/tau_e;
gi -= dt*gi/tau_i;
"""


def build(numbers: Mapping[str, Any], seconds: float) -> Run:
    """Generate and compile the network and return what runs it from its start."""
    model = genn.GeNNModel("double", "network", backend="single_threaded_cpu", optimize_code=True)
    model.dt = numbers["dt_ms"]
    cells = (_speed if numbers["kind"] == "speed" else _vogels_abbott)(model, numbers)
    cells.spike_recording_enabled = True
    steps = round(seconds * _MS / numbers["dt_ms"])
    os.environ.setdefault("CXX", "g++ -march=native")  # GeNN leaves the choice of the processor to the caller
    model.build()

    def run() -> tuple[float, int]:
        model.load(num_recording_timesteps=steps)
        start = time.process_time()
        for _ in range(steps):
            model.step_time()
        took = time.process_time() - start
        model.pull_recording_buffers_from_device()
        spikes = len(cells.spike_recording_data[0][0])
        model.unload()
        return took, spikes

    return run


def _speed(model: Any, numbers: Mapping[str, Any]) -> Any:
    cell = genn.create_neuron_model(
        "speed",
        params=list(_UNITS),
        vars=[(name, "scalar") for name in ("V", "U", "I", "h")],
        sim_code=_SPEED,
        threshold_condition_code="V >= v_peak",
        reset_code="V = v_reset;\nU += d;",
    )
    parameters = {name: numbers[name] * scale for name, scale in _UNITS.items()}
    start = {"V": numbers["v"] * _MS, "U": 0.0, "I": 0.0, "h": 0.0}
    cells = model.add_neuron_population("cells", numbers["v"].size, cell, parameters, start)
    each = genn.init_weight_update("StaticPulse", {}, {"g": numbers["weights"] * 1e9})  # pA/ms
    joined = model.add_synapse_population(
        "recurrent", "SPARSE", cells, cells, each, genn.init_postsynaptic("DeltaCurr")
    )
    joined.set_sparse_connections(numbers["sources"], numbers["targets"])
    return cells


def _vogels_abbott(model: Any, numbers: Mapping[str, Any]) -> Any:
    conductances = numbers["kind"] == "coba"
    of = ["tau_m", "tau_e", "tau_i", "V_t", "V_r", "E_L", "drive", *(("E_e", "E_i") if conductances else ())]
    cell = genn.create_neuron_model(
        numbers["kind"],
        params=of,
        vars=[*((name, "scalar") for name in ("V", "ge", "gi")), ("resting", "int")],
        additional_input_vars=[("new_e", "scalar", 0.0), ("new_i", "scalar", 0.0)],
        sim_code=_VOGELS_ABBOTT.format(drive=_DRIVE[numbers["kind"]]),
        threshold_condition_code="V > V_t",
        # the step of the spike is the first of the period
        reset_code=f"V = V_r;\nresting = {round(numbers['refractory'] * _MS / numbers['dt_ms']) - 1};",
    )
    scale = 1.0 if conductances else _MS
    start = {"V": numbers["v"] * _MS, "ge": numbers["ge"] * scale, "gi": numbers["gi"] * scale, "resting": 0}
    parameters = {name: numbers[name] * _MS for name in of}
    cells = model.add_neuron_population("cells", numbers["v"].size, cell, parameters, start)
    for name, variable in (("excitation", "new_e"), ("inhibition", "new_i")):
        sources, targets, weight = synapses(numbers, name)
        same = genn.init_weight_update("StaticPulseConstantWeight", {"g": weight * scale})
        joined = model.add_synapse_population(name, "SPARSE", cells, cells, same, genn.init_postsynaptic("DeltaCurr"))
        joined.post_target_var = variable
        joined.set_sparse_connections(sources, targets)
    return cells


if __name__ == "__main__":
    serve(build, lambda: version("pygenn"))
