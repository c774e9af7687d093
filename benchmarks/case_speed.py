"""Case "speed": one second of the speed network on one thread, ours beside the naive loop and Brian2."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import brian2_peer
import naive
import numpy as np
import speed_network
from limits import Ceiling, count
from measure import cpu_seconds, in_turn, scratch
from table import Case, at_least

import neurodyn as nd
from neurodyn.backends import engine_class
from neurodyn.network import Network, realize

SECONDS = 1.0
STEPS = round(SECONDS * 1e3 / speed_network.DT_MS)


class Ours:
    """The step loop of one runner, from the start of a trial, spikes recorded."""

    def __init__(self, network: Network, *, backend: str = "numba", dtype: str = "float64") -> None:
        self.spikes: tuple[np.ndarray, np.ndarray] = (np.empty(0), np.empty(0))
        start = cpu_seconds()
        self.engine = engine_class(backend)(network, spikes=["cells"], dtype=dtype)
        self._rewind()
        self.engine.advance(1, {})
        self.build_s = cpu_seconds() - start

    def _rewind(self) -> None:
        self.engine.step = 0
        self.engine.start_trial(learning=False, calibration=False, reset=True)

    def run(self) -> float:
        self._rewind()
        start = time.process_time()
        records = self.engine.advance(STEPS, {})
        took = time.process_time() - start
        self.spikes = records.spikes["cells"]
        return took


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time the network at the bias that gives 32 spikes/s and at its rheobase."""
    with scratch() as folder:
        return [_at(bias, ceiling, folder, quick=quick) for bias in (speed_network.BIAS, "1000 pA")]


def _at(bias: str, ceiling: Ceiling, folder: Path, *, quick: bool) -> Case:
    circuit = speed_network.circuit(bias=bias)
    network, numbers = realize(circuit), speed_network.numbers(circuit)
    ours, single = Ours(network), Ours(network, dtype="float32")
    peer: dict[str, Any] = {"equations": speed_network.EQUATIONS, "dt_ms": speed_network.DT_MS, "seconds": SECONDS}
    numpy_ = brian2_peer.Runtime(numbers, target="numpy", **peer)
    exact = brian2_peer.Runtime(numbers, target="numpy", exact=True, **peer)
    cython = brian2_peer.Runtime(numbers, target="cython", cache=folder / "cython", **peer)
    standalone = brian2_peer.Standalone(numbers, folder=folder / f"standalone {bias}".replace(" ", "-"), **peer)
    found: dict[str, int] = {}

    def loop() -> None:
        found["naive"] = naive.speed_network(numbers, STEPS, speed_network.DT_MS / 1e3)[0].size

    def whole() -> None:
        found["whole"] = len(nd.simulate(circuit, f"{SECONDS} s")["spikes"])

    main = bias == speed_network.BIAS
    slow = (3 if main else 1) if quick else 11
    times = in_turn(
        {
            "ours": ours.run,
            "single": single.run,
            "standalone": standalone.run,
            "whole": whole,
            "cython": cython.run,
            "naive": loop,
            "numpy": numpy_.run,
        },
        rounds=11 if quick else 41,
        fewer=dict.fromkeys(("cython", "naive", "numpy"), slow),
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
    }
    worst = max(abs(n - spikes) / spikes for n in counts.values())
    case.check(
        f"spike counts within 2 % of neurodyn float64 ({spikes}): {', '.join(f'{k} {n}' for k, n in counts.items())}",
        worst <= 0.02,
    )

    per_step = spikes / STEPS
    limit = STEPS * ceiling.seconds(count(network, per_step))
    base = case.add("neurodyn numba float64, step loop", times["ours"].own, limit=limit)
    case.add("neurodyn numba float32, step loop", times["single"].own, against=base)
    case.add("nd.simulate, all of it, recording in memory", times["whole"].cpu, against=base)
    case.add("naive NumPy loop", times["naive"].own, against=base)
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
        ]
        work = count(network, per_step)
        case.notes.append(
            f"Work of a step: {work.bytes / 1e3:.0f} kB, {work.flops / 1e3:.1f} kflop and {work.divisions / 1e3:.1f} k divisions "
            f"at {per_step:.2f} spikes; the limit here is {_binding(work, ceiling)}"
        )
    else:
        case.notes.append("At its rheobase of 1000 pA the network falls silent: the spikes are those of the start")
    return case


def _binding(work: Any, ceiling: Ceiling) -> str:
    parts = {
        "the copying of bytes": work.bytes / ceiling.cache,
        "flops": work.flops / ceiling.flops,
        "divisions": work.divisions / ceiling.divisions,
    }
    return max(parts, key=lambda name: parts[name])
