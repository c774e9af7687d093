"""The networks of the benchmarks as a user of Brian2 writes them, from numbers that hold wiring and start values.

Fair play: parameters are constants of the namespace, which Brian2 writes into its code as literals; connections have no
delay. With ``accumulate`` the spikes of a step are summed before they are added, as neurodyn does and as exact equality
needs; Brian2's natural form, which is what is timed, adds each weight to the variable itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

_SPEED = {
    "C": "farad",
    "k": "siemens/volt",
    "v_r": "volt",
    "v_t": "volt",
    "v_peak": "volt",
    "v_reset": "volt",
    "a": "1/second",
    "b": "siemens",
    "d": "amp",
    "tau_rise": "second",
    "tau_decay": "second",
    "bias": "amp",
}
_VOGELS_ABBOTT = {
    **dict.fromkeys(("tau_m", "tau_e", "tau_i"), "second"),
    **dict.fromkeys(("V_t", "V_r", "E_L", "E_e", "E_i", "drive"), "volt"),
}


def brian2() -> Any:
    """Import Brian2 without its warnings and its log file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import brian2 as b

        b.prefs.logging.file_log = False
        b.BrianLogger.log_level_error()
    return b


def network(numbers: Mapping[str, Any], *, accumulate: bool = False) -> tuple[Any, Any, dict]:
    """Return (network, spike monitor, namespace) of Brian2 objects for the present codegen target.

    ``numbers`` holds parameters in SI units, start values and wiring, and ``kind`` ("speed", "cuba", "coba"),
    ``equations``, ``dt_ms`` (and ``method`` and ``refractory`` in seconds where they are not Euler's and none).
    """
    b = brian2()
    b.defaultclock.dt = float(numbers["dt_ms"]) * b.ms
    return (_speed if numbers["kind"] == "speed" else _vogels_abbott)(b, numbers, accumulate)


def _speed(b: Any, numbers: Mapping[str, Any], accumulate: bool) -> tuple[Any, Any, dict]:
    namespace = _namespace(b, numbers, _SPEED)
    group = b.NeuronGroup(
        numbers["v"].size,
        str(numbers["equations"]) + ("\narrived : amp/second" if accumulate else ""),
        threshold="v >= v_peak",
        reset="v = v_reset\nu += d",
        method="euler",
        name="cells",
    )
    on_pre = "arrived_post += w" if accumulate else "h_post += w"
    synapses = b.Synapses(group, group, "w : amp/second", on_pre=on_pre, name="recurrent")
    synapses.connect(i=numbers["sources"], j=numbers["targets"])
    synapses.w = numbers["weights"] * b.amp / b.second
    group.v = numbers["v"] * b.volt
    if accumulate:
        group.run_regularly("h += arrived\narrived = 0*amp/second", when="synapses", order=1)
    return _whole(b, group, [synapses], namespace)


def _vogels_abbott(b: Any, numbers: Mapping[str, Any], accumulate: bool) -> tuple[Any, Any, dict]:
    namespace = _namespace(b, numbers, _VOGELS_ABBOTT)
    unit = "1" if numbers["kind"] == "coba" else "volt"
    of = b.Quantity(1.0) if unit == "1" else b.volt
    group = b.NeuronGroup(
        numbers["v"].size,
        str(numbers["equations"]) + (f"\nnew_e : {unit}\nnew_i : {unit}" if accumulate else ""),
        threshold="v > V_t",
        reset="v = V_r",
        refractory=float(numbers["refractory"]) * b.second,
        method=str(numbers["method"]),
        name="cells",
    )
    group.v, group.ge, group.gi = numbers["v"] * b.volt, numbers["ge"] * of, numbers["gi"] * of
    connections = []
    for name, variable in (("excitation", "e"), ("inhibition", "i")):
        namespace[f"w_{variable}"] = float(numbers[f"{name}_weight"]) * of
        target = f"new_{variable}" if accumulate else f"g{variable}"
        synapses = b.Synapses(group, group, on_pre=f"{target}_post += w_{variable}", name=name)
        synapses.connect(i=numbers[f"{name}_sources"], j=numbers[f"{name}_targets"])
        connections.append(synapses)
    if accumulate:
        zero = "0" if unit == "1" else "0*volt"
        group.run_regularly(f"ge += new_e\ngi += new_i\nnew_e = {zero}\nnew_i = {zero}", when="synapses", order=1)
    return _whole(b, group, connections, namespace)


def _namespace(b: Any, numbers: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    return {name: float(numbers[name]) * eval(unit, vars(b)) for name, unit in units.items() if name in numbers}


def _whole(b: Any, group: Any, connections: list[Any], namespace: dict[str, Any]) -> tuple[Any, Any, dict]:
    monitor = b.SpikeMonitor(group, name="spikes")
    return b.Network(group, *connections, monitor, *group.contained_objects), monitor, namespace
