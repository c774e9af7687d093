"""Case "speed": one second of the speed network on one thread, ours beside the naive loop, Brian2 and the other peers."""

from __future__ import annotations

from pathlib import Path

import brian2_peer
import naive
import numpy as np
import peer
import speed_large
import speed_network
from limits import Ceiling, count
from measure import in_turn, scratch
from step_loop import StepLoop
from table import Case, at_least, at_most

import neurodyn as nd
from neurodyn.network import realize

SECONDS = 1.0
STEPS = round(SECONDS * 1e3 / speed_network.DT_MS)


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time the network at the bias that gives 32 spikes/s, with --full at its rheobase, and one of ten times the size."""
    with scratch() as folder:
        biases = [speed_network.BIAS] if quick else [speed_network.BIAS, "1000 pA"]
        cases = [_at(bias, ceiling, folder, quick=quick) for bias in biases]
        return [*cases, speed_large.case(ceiling, folder, quick=quick)]


def _at(bias: str, ceiling: Ceiling, folder: Path, *, quick: bool) -> Case:
    circuit = speed_network.circuit(bias=bias)
    network, numbers = realize(circuit), speed_large.numbers(circuit)
    ours, single = StepLoop(network, STEPS), StepLoop(network, STEPS, dtype="float32")
    numpy_ = brian2_peer.Runtime(numbers, target="numpy", seconds=SECONDS)
    exact = brian2_peer.Runtime(numbers, target="numpy", exact=True, seconds=SECONDS)
    cython = brian2_peer.Runtime(numbers, target="cython", cache=folder / "cython", seconds=SECONDS)
    standalone = brian2_peer.Standalone(
        numbers, folder=folder / f"standalone {bias}".replace(" ", "-"), seconds=SECONDS
    )
    main = bias == speed_network.BIAS
    peers, absent = peer.installed(
        (speed_large.QUICK_PEERS if quick else speed_large.PEERS) if main else (), numbers, SECONDS, folder=folder
    )
    found: dict[str, int] = {}

    def loop() -> None:
        found["naive"] = naive.speed_network(numbers, STEPS, speed_network.DT_MS / 1e3)[0].size

    def whole() -> None:
        found["whole"] = len(nd.simulate(circuit, f"{SECONDS} s")["spikes"])

    slow = 1 if quick else 11
    times = in_turn(
        {
            "ours": ours.run,
            "single": single.run,
            "standalone": standalone.run,
            "whole": whole,
            "cython": cython.run,
            "naive": loop,
            "numpy": numpy_.run,
            **{name: p.run for name, p in peers.items()},
        },
        rounds=7 if quick else 41,
        fewer=dict.fromkeys(("cython", "naive", "numpy", *peers), slow),
    )
    exact.run()

    spikes = ours.spikes[0].size
    case = Case(
        f"Speed network, 1000 cells, bias {bias}, {spikes / 1000 / SECONDS:.1f} spikes/s, {SECONDS:g} s of 0.04 ms steps"
    )
    same = all(np.array_equal(a, b) for a, b in zip(ours.spikes, exact.spikes(), strict=True))
    case.check("spike trains of neurodyn float64 and Brian2 numpy (sums as ours) are identical, spike for spike", same)
    counts = {
        "float32": single.spikes[0].size,
        "naive loop": found["naive"],
        "nd.simulate": found["whole"],
        "Brian2 numpy": numpy_.spikes()[0].size,
        "Brian2 cython": cython.spikes()[0].size,
        "Brian2 cpp_standalone": standalone.spikes()[0].size,
        **{name: p.spikes for name, p in peers.items()},
    }
    worst = max(abs(n - spikes) / spikes for n in counts.values())
    case.check(
        f"spike counts within 2 % of neurodyn float64 ({spikes}): {', '.join(f'{k} {n}' for k, n in counts.items())}",
        worst <= 0.02,
    )

    per_step = spikes / STEPS
    limit = STEPS * ceiling.seconds(count(network, per_step))
    base = case.add("neurodyn numba float64, step loop", times["ours"].own, limit=limit)
    half = case.add("neurodyn numba float32, step loop", times["single"].own, against=base)
    case.add("nd.simulate, all of it, recording in memory", times["whole"].cpu, against=base)
    case.add("naive NumPy loop", times["naive"].own, against=base)
    for name, p in peers.items():
        case.add(f"{name} {p.version}, run time", times[name].own, against=base)
        case.add(f"to build: {name}", [p.build_s], unit="s")
        p.close()
    case.notes += absent
    case.add("Brian2 numpy, run time it reports", times["numpy"].own, against=base)
    compiled = case.add("Brian2 cython, run time it reports", times["cython"].own, against=base)
    fast = case.add("Brian2 cpp_standalone, run time it reports", times["standalone"].own, against=base)
    case.add("Brian2 cpp_standalone, all of the program", times["standalone"].cpu, against=base)
    case.add("wall clock: nd.simulate, all of it", times["whole"].wall)
    case.add("wall clock: Brian2 cpp_standalone, all of the program", times["standalone"].wall)
    case.add("to build: neurodyn (its kernel may be cached)", [ours.build_s], unit="s")
    case.add("to build: Brian2 numpy", [numpy_.build_s], unit="s")
    case.add("to build: Brian2 cython", [cython.build_s], unit="s", note="empty cache" if main else "cached")
    case.add("to build: Brian2 cpp_standalone", [standalone.build_s], unit="s")
    if main:
        case.goals += [
            at_least("speed: Brian2 cpp_standalone / neurodyn, run time", fast.relative or 0.0, 2.0),
            at_least("speed: Brian2 cython / neurodyn, run time", compiled.relative or 0.0, 8.0),
            at_most("speed: ms for 1 s of 1000 cells, float64", base.median, 35.0),
            at_most("speed: the same in float32", half.median, 20.0),
        ]
        work = count(network, per_step)
        case.notes.append(
            f"Work of a step: {work.bytes / 1e3:.0f} kB, {work.flops / 1e3:.1f} kflop and {work.divisions / 1e3:.1f} k divisions "
            f"at {per_step:.2f} spikes; the limit here is {speed_large.binding(work, ceiling)}"
        )
    else:
        case.notes.append("At its rheobase of 1000 pA the network falls silent: the spikes are those of the start")
    return case
