"""The networks of Vogels & Abbott on NEST's iaf_psc_exp (exact integration) and iaf_cond_exp (adaptive Runge-Kutta).

NEST's shortest delay is a step, so spikes arrive a step later than in neurodyn and Brian2.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import nest  # pyright: ignore[reportMissingImports]
import numpy as np
from peer_loop import Run, serve, synapses

_MS = 1e3
_CAPACITANCE = 200.0  # pF; with tau_m = 20 ms the leak is 10 nS


def build(numbers: Mapping[str, Any], seconds: float) -> Run:
    """Return what builds the network anew, runs it and times the run alone."""
    _network(numbers)

    def run() -> tuple[float, int]:
        recorder = _network(numbers)
        nest.Prepare()
        start = time.process_time()
        nest.Run(seconds * _MS)
        took = time.process_time() - start
        nest.Cleanup()
        return took, int(recorder.n_events)

    return run


def _network(numbers: Mapping[str, Any]) -> Any:
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.SetKernelStatus({"resolution": numbers["dt_ms"], "local_num_threads": 1})
    leak = _CAPACITANCE / (numbers["tau_m"] * _MS)  # nS
    conductances = numbers["kind"] == "coba"
    cells = nest.Create("iaf_cond_exp" if conductances else "iaf_psc_exp", numbers["v"].size)
    fixed = {
        "C_m": _CAPACITANCE,
        "E_L": numbers["E_L"] * _MS,
        "V_th": numbers["V_t"] * _MS,
        "V_reset": numbers["V_r"] * _MS,
        "t_ref": numbers["refractory"] * _MS,
        "tau_syn_ex": numbers["tau_e"] * _MS,
        "tau_syn_in": numbers["tau_i"] * _MS,
        "I_e": leak * numbers["drive"] * _MS,
    }
    if conductances:
        fixed |= {"g_L": leak, "E_ex": numbers["E_e"] * _MS, "E_in": numbers["E_i"] * _MS}
        states = {"g_ex": leak * numbers["ge"], "g_in": leak * numbers["gi"]}
    else:
        fixed["tau_m"] = numbers["tau_m"] * _MS
        states = {}
    cells.set(fixed)
    for name, values in {"V_m": numbers["v"] * _MS, **states}.items():
        cells.set({name: values.tolist()})
    # a weight is a current of the leak in pA, or a conductance in nS, that of inhibition negative in both
    for name, sign in (("excitation", 1.0), ("inhibition", -1.0)):
        sources, targets, weight = synapses(numbers, name)
        size = leak * abs(weight) * (1.0 if conductances else _MS)
        every = np.full(sources.size, sign * size)
        nest.Connect(
            sources + 1,  # NEST counts from 1
            targets + 1,
            "one_to_one",
            {"weight": every, "delay": np.full(sources.size, numbers["dt_ms"])},
        )
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    return recorder


if __name__ == "__main__":
    serve(build, lambda: str(nest.__version__))
