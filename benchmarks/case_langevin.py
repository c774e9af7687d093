"""Case "langevin": noise-driven paths in a double well, ours beside the loop over steps in NumPy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import numpy as np
from limits import Ceiling, count
from measure import in_turn
from table import Case, at_least, at_most

import neurodyn as nd
from neurodyn.network import realize

DT, NOISE, AMPLITUDE, FREQUENCY = 0.01, 0.15, 0.1, 0.1 / (2 * np.pi)
SIZES = {1: 100_000, 40: 100_000, 2000: 10_000}  # steps by paths
CELLS, CELL_STEPS, EPSILON, A = 40, 60_000, 0.01, 1.05  # of each level of a sweep of excitable cells
LEVELS, PATHS, TIME = 12, 2000, 2000.0  # of the sweep that was asked for: paths in each level, units of time
WANTED, WANTED_S = 20, 20


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time paths at one level of noise on one thread, and a sweep over levels on two."""
    for paths, steps in SIZES.items():
        yield _paths(paths, steps, ceiling, rounds=5 if quick else 15)
    yield _cells(rounds=3 if quick else 9)
    yield _sweep(quick=quick)


def well(paths: int, noise: float = NOISE, seed: int = 1) -> nd.Circuit:
    """Return the forced double well."""
    return nd.DoubleWell(paths, noise=noise, amplitude=AMPLITUDE, frequency=FREQUENCY, dt=DT, seed=seed)


def loop(paths: int, steps: int, *, every: int = 100, seed: int = 1) -> np.ndarray:
    """Integrate as a careful person writes it in a script; return every hundredth state."""
    rng, x, kept = np.random.default_rng(seed), np.full(paths, -1.0), []
    spread = np.sqrt(2 * NOISE * DT)
    for k in range(steps):
        force = AMPLITUDE * np.cos(2 * np.pi * FREQUENCY * k * DT)
        x = x + DT * (x - x * x * x + force) + spread * rng.standard_normal(paths)
        if (k + 1) % every == 0:
            kept.append(x)
    return np.array(kept)


def as_printed(paths: int, steps: int) -> None:
    """The same with the cube written as a power, as in the equation: NumPy's power is slow."""
    rng, x = np.random.default_rng(1), np.full(paths, -1.0)
    for k in range(steps):
        force = AMPLITUDE * np.cos(2 * np.pi * FREQUENCY * k * DT)
        x = x + DT * (x - x**3 + force) + np.sqrt(2 * NOISE * DT) * rng.standard_normal(paths)


def ours(paths: int, steps: int, *, seed: int = 1) -> np.ndarray:
    """Simulate with everything that belongs to it: wiring, recording, the file in memory."""
    run = nd.simulate(well(paths, seed=seed), f"{steps * DT} ms", record=[nd.Sample("well.x", every=f"{100 * DT} ms")])
    return run["well.x"].values


def _paths(paths: int, steps: int, ceiling: Ceiling, *, rounds: int) -> Case:
    case = Case(f"Double well, {paths} path{'s' * (paths > 1)}, {steps} steps, float64, one thread (CPU time)")
    if paths > 1:
        a, b = (values[len(values) // 2 :].std(axis=1) for values in (ours(paths, steps), loop(paths, steps)))
        case.check(f"standard deviation over paths {a.mean():.3f}, of the loop {b.mean():.3f}", _near(a, b))
    contenders: dict[str, Callable[[], None]] = {
        "ours": _repeated(ours, paths, steps),
        "loop": _repeated(loop, paths, steps),
        "printed": _repeated(as_printed, paths, steps),
    }
    times = in_turn(contenders, rounds)
    limit = steps * ceiling.seconds(count(realize(well(paths)), 0.0))
    row = case.add("neurodyn, nd.simulate with its recording", times["ours"].cpu, limit=limit)
    for name, what in (("loop", "x*x*x"), ("printed", "x**3")):
        other = case.add(f"loop over steps in NumPy, {what}", times[name].cpu, against=row)
        case.goals.append(at_least(f"langevin: {paths} paths beside NumPy's loop, {what}", other.relative or 0, WANTED))
    case.notes.append(f"neurodyn: {row.median * 1e6 / steps / paths:.1f} ns a step and path")
    return case


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(abs(a.mean() - b.mean()) < 4 * np.hypot(a.std(), b.std()))


def _repeated(function: Callable[[int, int], object], paths: int, steps: int) -> Callable[[], None]:
    def run() -> None:
        function(paths, steps)

    return run


def cells_loop(noise: float, steps: int) -> int:
    """Integrate excitable cells in NumPy; return the number of their spikes."""
    dt, rng, spikes = EPSILON / 20, np.random.default_rng(1), 0
    x, y, armed = np.full(CELLS, -A), np.full(CELLS, A**3 / 3 - A), np.ones(CELLS, dtype=bool)
    for _ in range(steps):
        slope = (x - x * x * x / 3 - y) / EPSILON
        y = y + dt * (x + A) + noise * np.sqrt(dt) * rng.standard_normal(CELLS)
        x = x + dt * slope
        armed |= x < -0.5
        fired = armed & (x > 1)
        spikes += int(fired.sum())
        armed &= ~fired
    return spikes


def _cells(*, rounds: int) -> Case:
    case = Case(
        f"FitzHugh-Nagumo cells, {LEVELS} levels of noise, {CELLS} cells each, {CELL_STEPS} steps, ours as one batch on "
        "two threads (wall clock)"
    )
    levels = [float(s) for s in np.geomspace(0.05, 0.5, LEVELS)]
    circuits = [nd.FitzHughNagumo(CELLS, noise=s, epsilon=EPSILON, a=A) for s in levels]
    duration = f"{CELL_STEPS * EPSILON / 20} ms"
    counts: dict[str, list[int]] = {}

    def batch() -> None:
        counts["ours"] = [len(run["spikes"]) for run in nd.simulate(circuits, duration, threads=2)]

    def each() -> None:
        counts["loop"] = [cells_loop(s, CELL_STEPS) for s in levels]

    times = in_turn({"ours": batch, "loop": each}, rounds, fewer={"loop": 1})
    a, b = sum(counts["ours"]), sum(counts["loop"])
    case.check(f"{a} spikes, of the loop {b}", abs(a - b) < 0.05 * b)
    row = case.add("neurodyn, nd.simulate of all levels", times["ours"].wall)
    other = case.add("loop over steps in NumPy, level after level", times["loop"].wall, against=row)
    case.goals.append(at_least("langevin: sweep of cells beside NumPy's loop", other.relative or 0, WANTED))
    return case


def _sweep(*, quick: bool) -> Case:
    case = Case(f"Double well, {LEVELS} levels of noise as one batch, two threads (wall clock)")
    if (load := os.getloadavg()[0]) > (os.cpu_count() or 1):
        case.notes.append(f"Load average {load:.1f}: times are those of a busy machine")
    paths = PATHS // LEVELS if quick else PATHS
    circuits = [well(paths, noise=float(d)) for d in np.geomspace(0.05, 0.5, LEVELS)]
    start = time.perf_counter()
    nd.simulate(circuits, f"{TIME} ms", record=[nd.Sample("well.x", every="1 ms")], threads=2)
    took = time.perf_counter() - start
    row = case.add(f"{LEVELS} x {paths} paths, {TIME:g} units of time, dt {DT:g}", [took], unit="s")
    in_all = LEVELS * paths * TIME / DT
    case.notes.append(f"{row.median * 1e9 / in_all:.1f} ns a step and path")
    share = PATHS * TIME / DT / in_all
    case.goals.append(at_most(f"langevin: s for {PATHS} paths x {TIME:g}", row.median * share, WANTED_S))
    return case
