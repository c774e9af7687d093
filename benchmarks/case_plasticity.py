"""Case "plasticity": an hour of 1000 cells and 80 000 synapses with dopamine-modulated STDP on one core."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import plastic_network as plastic
from brian2_networks import brian2 as import_brian2
from limits import Ceiling
from measure import Times, cpu_seconds, in_turn, scratch
from naive_plasticity import Dopamine
from table import Case, at_most

import neurodyn as nd
from neurodyn.backends import engine_class
from neurodyn.network import Network, realize

MINUTE = 60_000
CHECKED = 20_000  # steps of the comparison with the naive port
SEEDS = 20  # of noise, for its spread
#: steps of each run, by contender
STEPS = {"events": MINUTE, "single": MINUTE, "per step": 2000, "torch": 200, "naive": CHECKED, "numpy": 300, "cython": 300}  # fmt: skip


class Ours:
    """The step loop of one runner; each run goes on where the last one ended, spikes recorded."""

    def __init__(self, circuit: nd.Circuit, *, backend: str = "numba", dtype: str = "float64") -> None:
        self.network: Network = realize(circuit)
        self.engine = engine_class(backend)(self.network, spikes=["cells"], dtype=dtype)
        self.engine.start_trial(learning=True, calibration=False, reset=True)
        self.spikes: list[tuple[np.ndarray, np.ndarray]] = []

    def run(self, steps: int) -> float:
        inputs = {i.name: np.zeros((steps, 1)) for i in self.network.circuit.inputs}
        start = time.process_time()
        records = self.engine.advance(steps, inputs)
        took = time.process_time() - start
        self.spikes.append(records.spikes["cells"])
        return took


class Handed:
    """The circuit as Brian2 objects on a runtime target; each run goes on where the last one ended."""

    def __init__(self, circuit: nd.Circuit, target: str, cache: Path) -> None:
        b = self.b = import_brian2()
        self.target = target
        b.prefs.codegen.target = target
        b.prefs.codegen.runtime.cython.cache_dir = str(cache)
        start = cpu_seconds()
        self.made = circuit.to_brian2()
        self.made.run("2 ms")
        self.build_s, self.steps = cpu_seconds() - start, 2

    def run(self, steps: int) -> float:
        """Return the time of Brian2's loop on the CPU clock; code generation before it is left out (see brian2_peer)."""
        from brian2.core import network as module

        self.b.prefs.codegen.target = self.target
        module.time = SimpleNamespace(time=time.process_time)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            self.made.run(f"{steps} ms")
        finally:
            module.time = time
        self.steps += steps
        return float(self.b.device._last_run_time)

    def result(self) -> np.ndarray:
        """Return (spikes, mean weight) so far."""
        return np.array([self.made.monitors["cells"].num_spikes, np.mean(self.made.synapses["excitation"].w)])


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time the hour as a whole, a step beside the other contenders, and with --full what each part costs."""
    return [_hour(ceiling, seeds=1 if quick else 3), _contenders(quick=quick), *([] if quick else [_parts(rounds=11)])]


def _hour(ceiling: Ceiling, *, seeds: int) -> Case:
    case = Case("An hour of dopamine-modulated STDP: 1000 cells, 80 000 plastic synapses, 3.6 million steps of 1 ms")
    minutes, spikes, limit = [], [], 0.0
    for seed in range(1, seeds + 1):
        ours = Ours(plastic.circuit(seed=seed))
        ours.run(1)  # compiles
        minutes.append([ours.run(MINUTE) for _ in range(plastic.HOUR_STEPS // MINUTE)])
        spikes.append([steps.size for steps, _ in ours.spikes[1:]])
        work, moved = plastic.count(ours.network, sum(spikes[-1]) / plastic.HOUR_STEPS)
        limit = plastic.seconds(ceiling, work, moved)
    hours = [sum(m) for m in minutes]
    row = case.add(
        "the hour, neurodyn numba float64, step loop, all of it run", hours, unit="s", limit=limit * plastic.HOUR_STEPS
    )
    for number in (1, 10, 20, 30, 40, 50, 60):
        rate = statistics.mean(s[number - 1] for s in spikes) / 1000 / 60
        case.add(
            f"minute {number}, a step", [m[number - 1] for m in minutes], unit="us", per=MINUTE, note=f"{rate:.2f} spikes/s"
        )  # fmt: skip
    case.goals.append(at_most("plasticity: an hour of 1000 cells and 80 000 plastic synapses, s", row.median, 12.0))
    case.notes += [
        f"Wiring and noise of {seeds} seed{'s' if seeds > 1 else ''}; CPU time; all spikes recorded; no trial borders",
        f"A step touches {moved.near / 1e3:.0f} kB in arrays over cells and {moved.far / 1e3:.0f} kB in arrays over synapses, "
        f"does {work.flops / 1e3:.0f} kflop; the limit takes the first from the cache and the second from memory",
    ]
    return case


def _contenders(*, quick: bool) -> Case:
    case = Case("Dopamine-modulated STDP, a step of 1 ms, beside other ways to compute it")
    circuit = plastic.circuit(seed=1)
    ours = {
        "events": Ours(circuit),
        "single": Ours(circuit, dtype="float32"),
        "per step": Ours(circuit.per_step()),
        "torch": Ours(circuit, backend="torch"),
    }
    network, ported = ours["events"].network, []
    for contender in ours.values():
        contender.run(1)  # compiles

    def naive() -> float:
        port = Dopamine(network, np.random.default_rng(len(ported)))
        start = time.process_time()
        port.run(CHECKED)
        ported.append([port.spikes, port.w.mean()])
        return time.process_time() - start

    with scratch() as folder:
        targets = ("numpy",) if quick else ("numpy", "cython")  # a minute and a half of g++
        brian2 = {name: Handed(circuit, name, folder) for name in targets}
        slow = 1 if quick else 5
        contenders = {n: (lambda n=n, c=c: c.run(STEPS[n])) for n, c in {**ours, **brian2}.items()}
        few = ("per step", "torch", "naive", *targets)
        times = in_turn({**contenders, "naive": naive}, 5 if quick else 11, dict.fromkeys(few, slow))

    _check_runners(case, ours)
    _agree(case, f"naive port, {len(ported)} runs of {CHECKED / 1e3:g} s", np.array(ported), _sample(circuit, CHECKED))
    for name, handed in brian2.items():
        found = handed.result()[None]
        _agree(case, f"Brian2 {name}, {handed.steps / 1e3:.3g} s", found, _sample(circuit, handed.steps))
    base = _row(case, "neurodyn numba float64, at events", times, "events")
    for what, name in (
        ("neurodyn numba float32, at events", "single"),
        ("neurodyn numba float64, every synapse in every step", "per step"),
        ("neurodyn torch float64 on the CPU, at events", "torch"),
        ("daspnet.m in NumPy, lists of synapses, weights every 10 ms", "naive"),
        *((f"Brian2 {name}, circuit.to_brian2(), run time it reports", name) for name in targets),
    ):
        _row(case, what, times, name, against=base)
    for name, handed in brian2.items():
        case.add(f"to build: Brian2 {name}", [handed.build_s], unit="s", note="empty cache")
    case.notes += [
        "From the start of the hour; hours are extrapolated from the steps that are named",
        "Brian2 gets the form per step, all it has, with network-wide values (dopamine, reward) set from Python in each step",
    ]
    return case


def _row(case: Case, what: str, times: Mapping[str, Times], name: str, against: Any = None) -> Any:
    """Add the time of a step, and what an hour of such steps would take."""
    hour = statistics.median(times[name].own) / STEPS[name] * plastic.HOUR_STEPS
    note = f"{STEPS[name]} steps a run; an hour: {hour:{'.0f' if hour >= 1000 else '.3g'}} s"
    return case.add(what, times[name].own, unit="us", per=STEPS[name], against=against, note=note)


def _check_runners(case: Case, ours: Mapping[str, Ours]) -> None:
    """Compare spikes of our runners over what the shortest of two ran."""

    def spikes(name: str, until: int) -> tuple[np.ndarray, np.ndarray]:
        steps, units = (np.concatenate(x) for x in zip(*ours[name].spikes, strict=True))
        return steps[steps < until], units[steps < until]

    for name, what in (("torch", "torch and numba"), ("per step", "the form per step and the form at events")):
        until = ours[name].engine.step
        a, b = spikes(name, until), spikes("events", until)
        same = all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        case.check(f"{what} give the same {a[0].size} spikes in {until} steps", same)
    until = ours["single"].engine.step
    a, b = spikes("single", until)[0].size, spikes("events", until)[0].size
    case.check(f"float32 fires {a} times in {until} steps, float64 {b} times, within 2 %", abs(a - b) <= 0.02 * b)


def _sample(circuit: nd.Circuit, steps: int) -> np.ndarray:
    """Return (spikes, mean weight) of our network after so many steps, one row a seed of noise."""
    session = nd.Session((nd.Trial(steps, {}, reset=False),), 1e-3, {"reward": ("reward",)})
    record = ["spikes/cells", nd.Sample("excitation.w", every=f"{steps} ms")]
    runs = (nd.simulate(circuit.with_(seed=seed), session, record=record) for seed in range(SEEDS))
    return np.array([[len(r["spikes/cells"]), float(np.mean(r["excitation.w"].values[-1]))] for r in runs])


def _agree(case: Case, what: str, theirs: np.ndarray, ours: np.ndarray) -> None:
    """Check that means of spikes and weights differ by less than four standard errors, by our spread over noise."""
    spread = ours.std(axis=0, ddof=1)
    error = spread * np.sqrt(1 / len(theirs) + 1 / len(ours))
    away = np.abs(theirs.mean(axis=0) - ours.mean(axis=0)) / error
    (n, w), (m, v) = theirs.mean(axis=0), ours.mean(axis=0)
    case.check(
        f"{what}: {n:.0f} spikes, mean weight {w:.4f}; ours over {len(ours)} seeds {m:.0f} (SD {spread[0]:.0f}), {v:.4f} "
        f"(SD {spread[1]:.1g}): {away[0]:.1f} and {away[1]:.1f} standard errors apart, at most 4",
        bool((away <= 4).all()),
    )


def _parts(*, rounds: int) -> Case:
    case = Case("Dopamine-modulated STDP, what a step is made of: one part less from row to row")
    engines = {name: Ours(c) for name, c in plastic.parts_left_out(plastic.circuit(seed=1)).items()}
    steps = CHECKED
    times = in_turn({n: (lambda e=e: e.run(steps)) for n, e in engines.items()}, rounds)
    base = None
    for name, engine in engines.items():
        fired = sum(s.size for s, _ in engine.spikes) / engine.engine.step
        row = case.add(
            name, times[name].own, unit="us", per=steps, against=base, note=f"{fired:.2f} spikes a step"
        )  # fmt: skip
        base = base or row
    case.notes.append(_shares([row.median for row in case.rows]))
    return case


def _shares(medians: Sequence[float]) -> str:
    whole = medians[0]
    costs = [a - b for a, b in zip(medians, [*medians[1:], 0.0], strict=True)]
    names = ("synapses learning", "who is paid", "synapses passing spikes on", "draws", "cells")
    return "Shares, by differences of medians: " + ", ".join(
        f"{n} {100 * c / whole:.0f} %" for n, c in zip(names, costs, strict=True)
    )
