"""Case "vogels_abbott": the networks of Vogels & Abbott on one thread, ours beside Brian2 and the other peers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brian2_peer
import naive
import numpy as np
import peer
import vogels_abbott
from limits import Ceiling, count
from measure import in_turn, scratch
from step_loop import StepLoop
from table import Case, at_most

from neurodyn.network import realize

PUBLISHED_S = 10.0
# brainevent's examples/CUBA_2005.py (AMD Ryzen 7 7840HS) and COBA_2005.py (A6000), 10 s of 4000 cells
WANTED_S = {"cuba": 1.17, "coba": 2.66}
# what those examples compute: cells driven by 20 mV; in coba weights in mS meet volts in mV, so they act as a thousandth
EXAMPLE: dict[str, dict[str, Any]] = {"cuba": {"drive": "20 mV"}, "coba": {"drive": "20 mV", "strength": 1e-3}}
OTHER_METHOD = {"cuba": "exact", "coba": "exponential_euler"}
NAIVE_S, EXACT_S = 0.5, 0.3
PEERS = ("GeNN", "NEST", "brainevent", "ANNarchy")
# ANNarchy compiles for half a minute, NEST takes a second for 0.1 s of coba
QUICK_PEERS = {"cuba": ("GeNN", "NEST", "brainevent"), "coba": ("GeNN", "brainevent")}
_INTEGRATORS = {
    "NEST": {"cuba": "exact", "coba": "adaptive Runge-Kutta"},
    "brainevent": {"cuba": "exponential Euler, float32", "coba": "exponential Euler, float32"},
}


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time both networks."""
    for kind in ("cuba", "coba"):
        with scratch() as folder:
            yield _network(kind, ceiling, folder, quick=quick)


def _network(kind: str, ceiling: Ceiling, folder: Path, *, quick: bool) -> Case:
    seconds = 2.0 if quick else PUBLISHED_S
    steps = round(seconds * 1e3 / vogels_abbott.DT_MS)
    circuit = vogels_abbott.circuit(kind)
    network, numbers = realize(circuit), vogels_abbott.numbers(circuit)
    ours, single = StepLoop(network, steps), StepLoop(network, steps, dtype="float32")
    method = OTHER_METHOD[kind]
    other = StepLoop(realize(vogels_abbott.circuit(kind, method=method)), steps)
    example = StepLoop(realize(vogels_abbott.circuit(kind, **EXAMPLE[kind])), steps)
    example_other = StepLoop(realize(vogels_abbott.circuit(kind, method=method, **EXAMPLE[kind])), steps)
    standalone = brian2_peer.Standalone(numbers, folder=folder / "standalone", seconds=seconds)
    cython = None if quick else brian2_peer.Runtime(numbers, target="cython", cache=folder / "cython", seconds=seconds)
    # NEST's adaptive integration takes minutes for 10 s
    short = {"NEST": 0.5 if quick else 2.0}
    peers, absent = {}, []
    for name in QUICK_PEERS[kind] if quick else PEERS:
        there, missing = peer.installed([name], numbers, short.get(name, seconds), folder=folder)
        peers |= there
        absent += missing

    contenders = {
        "ours": ours.run,
        "single": single.run,
        "other": other.run,
        "example": example.run,
        "example other": example_other.run,
        "standalone": standalone.run,
        "naive": lambda: (naive.vogels_abbott(numbers, round(NAIVE_S * 1e3 / vogels_abbott.DT_MS)), None)[1],
        **({"cython": cython.run} if cython else {}),
        **{name: p.run for name, p in peers.items()},
    }
    times = in_turn(contenders, 3 if quick else 9, fewer=dict.fromkeys(("naive", "cython", *peers), 1 if quick else 3))
    case = Case(_title(kind, ours, seconds))
    case.notes += absent
    if quick:
        left = [name for name in PEERS if name not in QUICK_PEERS[kind]]
        case.notes.append(f"Brian2 cython, {', '.join(left)}: in --full")
    _check(case, ours, numbers)
    rates = {"float32": _rate(single, seconds), method: _rate(other, seconds)}
    rates["Brian2 cpp_standalone"] = standalone.spikes()[0].size / vogels_abbott.CELLS / seconds
    if cython:
        rates["Brian2 cython"] = cython.spikes()[0].size / vogels_abbott.CELLS / seconds
    for name, p in peers.items():
        rates[name] = p.spikes / vogels_abbott.CELLS / short.get(name, seconds)
    rate = _rate(ours, seconds)
    worst = max(abs(r - rate) / rate for r in rates.values())
    text = ", ".join(f"{name} {r:.2f}" for name, r in rates.items())
    case.check(f"spikes/s within 6 % of neurodyn's {rate:.2f} (chaotic networks): {text}", worst < 0.06)

    def add(what: str, name: str, biological: float = seconds, **options: Any) -> Any:
        note = f"{biological:g} s timed" if biological != PUBLISHED_S else ""
        given = "; ".join(filter(None, (options.pop("note", ""), note)))
        return case.add(what, times[name].own, unit="s", per=biological / PUBLISHED_S, note=given, **options)

    limit = steps * ceiling.seconds(count(network, rate * vogels_abbott.CELLS * vogels_abbott.DT_MS / 1e3))
    base = add("neurodyn numba float64, euler", "ours", limit=limit)
    add("neurodyn numba float32, euler", "single", against=base)
    add(f"neurodyn numba float64, {method}", "other", against=base)
    add("Brian2 cpp_standalone, euler", "standalone", against=base)
    if cython:
        add("Brian2 cython, euler", "cython", against=base)
    for name, p in peers.items():
        how = _INTEGRATORS.get(name, {}).get(kind, "euler")
        add(f"{name} {p.version}, {how}", name, short.get(name, seconds), against=base)
    add("naive NumPy loop, euler", "naive", NAIVE_S, against=base)
    rates_there = f"as brainevent's example computes it, {_rate(example, seconds):.1f} spikes/s"
    driven = add("neurodyn numba float64, euler", "example", note=rates_there)
    driven_other = add(f"neurodyn numba float64, {method}", "example other", note=rates_there)
    for name, built in {
        "Brian2 cpp_standalone": standalone.build_s,
        **{n: p.build_s for n, p in peers.items()},
    }.items():
        case.add(f"to build: {name}", [built], unit="s")
    for p in peers.values():
        p.close()
    for row, how in ((base, "euler"), (driven, "euler, brainevent's example"), (driven_other, f"{method}, the same")):
        case.goals.append(at_most(f"{kind}: seconds for 10 s of 4000 cells, {how}", row.median, WANTED_S[kind]))
    return case


def _title(kind: str, ours: StepLoop, seconds: float) -> str:
    rate = _rate(ours, seconds)
    return f"Vogels-Abbott {kind}, 4000 cells, {rate:.1f} spikes/s, seconds for 10 s of 0.1 ms steps, one thread"


def _rate(loop: StepLoop, seconds: float) -> float:
    return loop.spikes[0].size / vogels_abbott.CELLS / seconds


def _check(case: Case, ours: StepLoop, numbers: dict[str, Any]) -> None:
    """Compare spike trains with those of Brian2 and of the naive loop, both in our order of sums."""
    until = round(EXACT_S * 1e3 / vogels_abbott.DT_MS)
    kept = ours.spikes[0] < until
    mine = ours.spikes[0][kept], ours.spikes[1][kept]
    exact = brian2_peer.Runtime(numbers, target="numpy", exact=True, seconds=EXACT_S)
    exact.run()
    for name, theirs in {
        "Brian2 numpy (sums as ours)": exact.spikes(),
        "the naive loop": naive.vogels_abbott(numbers, until),
    }.items():
        same = all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
        case.check(f"{name}: the {mine[0].size} spikes of {EXACT_S:g} s are identical, spike for spike", same)
