"""The speed network of 10 000 cells and 10^7 synapses, whose 120 MB no second-level cache holds: part of case "speed"."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import brian2_peer
import numpy as np
import peer
import speed_network
from limits import Ceiling, Work, count
from measure import BUSY, cores_free, in_turn
from step_loop import StepLoop
from table import Case, at_most

import neurodyn as nd
from neurodyn.network import realize

NEURONS, SECONDS = 10_000, 1.0
STEPS = round(SECONDS * 1e3 / speed_network.DT_MS)
#: ANNarchy compiles for half a minute, so it takes part in --full
PEERS, QUICK_PEERS = ("GeNN", "ANNarchy"), ("GeNN",)
#: bytes of a synapse: target in two bytes and weight in float64
_SYNAPSE = 10


def numbers(circuit: nd.Circuit) -> dict[str, Any]:
    """Return all that the same network takes elsewhere."""
    about = {"kind": "speed", "equations": speed_network.EQUATIONS, "dt_ms": speed_network.DT_MS}
    return {**speed_network.numbers(circuit), **about}


def case(ceiling: Ceiling, folder: Path, *, quick: bool) -> Case:
    """Time the network beside Brian2's C++ program and the peers that are installed."""
    circuit = speed_network.circuit(NEURONS)
    network, given = realize(circuit), numbers(circuit)
    ours, single = StepLoop(network, STEPS), StepLoop(network, STEPS, dtype="float32")
    standalone = brian2_peer.Standalone(given, folder=folder / "large", seconds=SECONDS)
    peers, absent = peer.installed(QUICK_PEERS if quick else PEERS, given, SECONDS, folder=folder / "large-peers")
    contenders = {"ours": ours.run, "single": single.run, "standalone": standalone.run}
    two = StepLoop(network, STEPS, parts=2) if cores_free(2) else None
    contenders |= {} if two is None else {"two": two.run}
    contenders |= {name: p.run for name, p in peers.items()}
    times = in_turn(contenders, 3 if quick else 11, fewer=dict.fromkeys(peers, 1 if quick else 3))

    spikes = ours.spikes[0].size
    events = spikes / NEURONS * network.wiring[circuit.connections[0].name].targets.size
    made = Case(
        f"Speed network, {NEURONS} cells, {spikes / NEURONS / SECONDS:.1f} spikes/s, {events:.2g} synaptic events, "
        f"{SECONDS:g} s of {speed_network.DT_MS} ms steps"
    )
    counts = {"float32": single.spikes[0].size, "Brian2 cpp_standalone": standalone.spikes()[0].size}
    counts |= {name: p.spikes for name, p in peers.items()}
    if two is not None:
        same = all(np.array_equal(a, b) for a, b in zip(ours.spikes, two.spikes, strict=True))
        made.check("two threads give the spikes of one", same)
    text = ", ".join(f"{name} {n}" for name, n in counts.items())
    worst = max(abs(n - spikes) / spikes for n in counts.values())
    made.check(f"spike counts within 2 % of neurodyn float64 ({spikes}): {text}", worst <= 0.02)
    work = count(network, spikes / STEPS)
    # targets and weights come from where the weights lie, in the third cache or in memory; the rest of a step is near
    far = events / STEPS * _SYNAPSE
    reading = _reading(given["weights"])
    limit = STEPS * max(far / reading, ceiling.seconds(Work(work.bytes - far, work.flops, work.divisions)))
    made.notes.append(
        f"The limit is reading targets and weights once an event, at the {reading / 1e9:.1f} GB/s of a sum over the weights"
    )
    base = made.add("neurodyn numba float64, step loop", times["ours"].own, unit="s", limit=limit)
    made.add("neurodyn numba float32, step loop", times["single"].own, unit="s", against=base)
    if two is None:
        made.notes.append(f"Two threads: not measured, {BUSY}")
    else:
        both = made.add("neurodyn numba float64, two threads, wall clock", times["two"].wall, unit="s", against=base)
        made.goals.append(at_most("speed: seconds for 1 s of 10 000 cells, two cores", both.median, 0.35))
    made.add("Brian2 cpp_standalone, run time it reports", times["standalone"].own, unit="s", against=base)
    for name, p in peers.items():
        made.add(f"{name} {p.version}, run time", times[name].own, unit="s", against=base)
    for name, built in {"Brian2 cpp_standalone": standalone, **peers}.items():
        made.add(f"to build: {name}", [built.build_s], unit="s")
    for p in peers.values():
        p.close()
    made.notes += [*absent, *(["ANNarchy: in --full"] if quick else [])]
    made.goals.append(at_most("speed: seconds for 1 s of 10 000 cells, one core", base.median, 0.6))
    return made


def _reading(weights: np.ndarray) -> float:
    """Return the bytes/s of a sum over the weights, the best of several."""
    weights.sum()
    least = float("inf")
    for _ in range(7):
        start = time.process_time()
        weights.sum()
        least = min(least, time.process_time() - start)
    return weights.nbytes / least


def binding(work: Work, ceiling: Ceiling) -> str:
    """Return what sets the limit."""
    parts = {
        "the copying of bytes": work.bytes / ceiling.cache,
        "flops": work.flops / ceiling.flops,
        "divisions": work.divisions / ceiling.divisions,
    }
    return max(parts, key=lambda name: parts[name])
