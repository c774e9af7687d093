"""Case "large": how much memory networks take a synapse, while they are built, while they run and when they are written.

Each in a process of its own, whose peak the system tells: `python benchmarks/case_large.py UNITS DTYPE KIND` is one of them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import speed_network
from limits import Ceiling, count
from measure import ROOT, scratch
from table import Case, Row, at_most

PROBABILITY = 0.01
MS = 100.0
#: what a synapse may take beside its state: bytes by kind and precision
ALLOWED = {("static", "float64"): 12.0, ("static", "float32"): 8.0, ("plastic", "float64"): 24.0}
SHORT = 2**16  # up to so many units targets are there a second time, in two bytes


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Build and run each network once: 100 000 units with 10^8 synapses in full."""
    units = {"static": 20_000 if quick else 100_000, "plastic": 10_000 if quick else 30_000}
    case = Case(f"Large networks: {units['static']} units, each joined to 1 % of the others, {MS:g} ms")
    for kind, dtype in ALLOWED:
        found = _child(units[kind], dtype, kind)
        synapses, state = found["synapses"], found["state"]
        name = f"{kind} {dtype}, {synapses / 1e6:.3g} million synapses"
        held = found["running"] / synapses - state
        case.rows += [
            Row(f"{name}: to build, CPU time", (found["build_s"],), "s"),
            Row(f"{name}: a step", (found["step_s"] * 1e3,), "ms", limit=_limit(found, ceiling, dtype, kind)),
            Row(f"{name}: to write", (found["write_s"],), "s"),
            Row(f"{name}: while it runs", (found["running"] / synapses,), "bytes a synapse", note=_note(state)),
            Row(f"{name}: at most while it is built", (found["built"] / synapses,), "bytes a synapse"),
            Row(f"{name}: at most until it is written", (found["peak"] / synapses,), "bytes a synapse"),
            Row(f"{name}: estimated before", (found["estimate"] / synapses,), "bytes a synapse"),
            Row(f"{name}: resident at most, all of the process", (found["resident"] / 2**30,), "GiB"),
        ]
        case.check(f"{name}: {found['spikes']} spikes, every one finite and recorded", found["spikes"] > 0)
        # units, rings and what Python itself allocates count as synapses' here
        allowed = ALLOWED[kind, dtype] + (2 if kind == "static" and units[kind] <= SHORT else 0)
        case.goals.append(at_most(f"{name}: bytes a synapse beside its state", held, 1.05 * allowed))
    return [case]


def _note(state: float) -> str:
    return f"{state:g} of them weights and traces that change" if state else ""


def _limit(found: dict[str, Any], ceiling: Ceiling, dtype: str, kind: str) -> float | None:
    if kind == "plastic":
        return None
    from neurodyn.network import realize

    small = realize(speed_network.circuit(1000))  # the same Program; a step's work is counted for its size
    itemsize = 4 if dtype == "float32" else 8
    work = count(small, 0.0, itemsize=itemsize)
    scale = found["units"] / 1000
    events = found["spikes"] / found["steps"] * found["synapses"] / found["units"]
    seconds = max(work.bytes * scale / ceiling.cache, work.flops * scale / ceiling.flops)
    return (seconds + events * (3 * itemsize + 4) / ceiling.cache) * 1e3


def _child(units: int, dtype: str, kind: str) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__)), str(units), dtype, kind]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _circuit(units: int, kind: str) -> Any:
    import neurodyn as nd

    if kind == "static":
        return speed_network.circuit(units, probability=PROBABILITY)
    made = speed_network.circuit(units, probability=PROBABILITY)
    cells, link = made.populations[0], made.connections[0]
    rule = nd.stdp(A_plus="1e-4 pA/s", A_minus="1.05e-4 pA/s")  # so little that the rate stays
    plastic = nd.Connection(cells, cells, "h", probability=PROBABILITY, weight=link.weight, rules=rule, name="plastic")
    return nd.Circuit([cells], [plastic], dt=f"{speed_network.DT_MS} ms", seed=1, name="plastic network")


def _resident() -> int:
    """Return the resident memory now, in bytes; without /proc its peak until now."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else _peak()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(units: int, dtype: str, kind: str) -> dict[str, Any]:
    """Build, run and write one network, and return what each took."""
    import neurodyn as nd
    from neurodyn.backends import engine_class
    from neurodyn.network import realize
    from neurodyn.recording import Writer
    from neurodyn.trees.circuits import to_tree

    small = _circuit(200, kind)
    nd.simulate(small, "1 ms", dtype=dtype)  # compiles, imports
    circuit = _circuit(units, kind)
    expected = nd.estimate(circuit, f"{MS} ms", dtype=dtype).network
    before = _resident()
    start = time.process_time()
    network = realize(circuit, dtype=dtype)
    engine = engine_class("numba")(network, spikes=["cells"], dtype=dtype)
    build_s = time.process_time() - start
    built = _peak() - before
    steps = round(MS / speed_network.DT_MS)
    engine.start_trial(learning=True, calibration=False, reset=True)
    start, spikes = time.process_time(), 0
    for _ in range(5):
        spikes += engine.advance(steps // 5, {}).spikes["cells"][0].size
    step_s = (time.process_time() - start) / steps
    running = _resident() - before
    synapses = network.synapses
    changing = [a for a in network.program.arrays if a.kept and set(a.axes) & set(network.wiring)]
    with scratch() as folder:
        start = time.perf_counter()
        writer = Writer(folder / "network.h5", header={"seed": 1})
        writer.tree("network", to_tree(circuit, network), copy=False)
        writer.finish()
        write_s = time.perf_counter() - start
    return {
        "units": units,
        "synapses": synapses,
        "steps": steps,
        "spikes": spikes,
        "state": float(sum(engine.arrays[a.name].itemsize for a in changing)),
        "estimate": expected,
        "build_s": build_s,
        "built": built,
        "step_s": step_s,
        "running": running,
        "write_s": write_s,
        "peak": _peak() - before,
        "resident": _peak(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2], sys.argv[3])))
