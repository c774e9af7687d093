"""Case "growth": how the time of a step grows with units, synapses, networks of a batch, trials and recorded variables."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import speed_network
from growth import Growth
from limits import Ceiling
from table import Case

import neurodyn as nd
from neurodyn.backends import engine_class
from neurodyn.backends.engine import Begin, SampleSpec
from neurodyn.network import realize

FIGURE = Path(__file__).resolve().parent / "results" / "growth.png"
WARM_UP = 2500  # steps, 100 ms, after which the network fires as it goes on to
Timed = Callable[[], float]
#: what grows, and its sizes in full and in quick runs
AXES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "units": ((100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000), (100, 300, 1000, 3000)),
    "synapses of a unit": ((3, 10, 30, 100, 200, 500, 1000, 2000), (10, 50, 200, 1000)),
    "networks of a batch": ((1, 2, 4, 8, 16, 32, 64, 128, 256), (1, 2, 4, 8)),
    "trials": ((1, 2, 5, 10, 20, 50, 100, 200, 500), (1, 3, 10, 30)),
    "units recorded": ((1, 3, 10, 30, 100, 300, 1000, 2000), (1, 10, 100, 1000)),
}
LABELS = {
    "units": "units, each with 100 synapses",
    "synapses of a unit": "synapses of each of 2000 units",
    "networks of a batch": "networks of 100 units in a batch on torch",
    "trials": "trials of 10 ms of a session, 500 units",
    "units recorded": "units whose v is recorded at every step, of 2000",
}


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time every axis, fit it, and in full draw the figure."""
    makers: dict[str, Callable[[int], Timed]] = {
        "units": lambda n: _steps(_circuit(n, 100)),
        "synapses of a unit": lambda n: _steps(_circuit(2000, n)),
        "networks of a batch": _batch,
        "trials": _trials,
        "units recorded": lambda n: _steps(_circuit(2000, 100), recorded=n),
    }
    found: dict[str, Growth] = {}
    case = Case("How the time of a step grows, float64, one thread", figures=[] if quick else [FIGURE.name])
    for axis, (full, few) in AXES.items():
        sizes = few if quick else full
        times = _in_turn({n: makers[axis](n) for n in sizes}, rounds=3 if quick else 9)
        for n, seconds in times.items():
            case.add(f"{n} {axis}", seconds, unit="us")
        found[axis] = Growth.of(sizes, [float(np.median(s)) for s in times.values()])
        case.notes.append(f"{LABELS[axis]}: a {_of(axis)} {found[axis].text()}")
    if not quick:
        _draw(found, FIGURE)
    return [case]


def _of(axis: str) -> str:
    return "session" if axis == "trials" else "step"


def _in_turn(runs: Mapping[int, Timed], rounds: int) -> dict[int, list[float]]:
    times: dict[int, list[float]] = {n: [] for n in runs}
    for _ in range(rounds):
        for n, timed in runs.items():
            times[n].append(timed())
    return times


def _circuit(units: int, synapses: int, *, seed: int = 1) -> nd.Circuit:
    """Return units with so many synapses each, whose input varies as much as in the speed network, so that they fire as often."""
    probability = synapses / units
    return speed_network.circuit(units, probability=probability, gain=5.0 * (probability / 0.1) ** 0.5, seed=seed)


def _steps(circuit: nd.Circuit, *, recorded: int = 0) -> Timed:
    """Return what advances a network and gives the CPU seconds of a step."""
    samples = [SampleSpec("cells.v", np.arange(recorded))] if recorded else []
    engine = engine_class("numba")(realize(circuit), samples=samples)
    engine.start_trial(learning=False, calibration=False, reset=True)
    engine.advance(WARM_UP, {})
    units, synapses = circuit["cells"].size, engine.network.synapses
    steps = int(np.clip(3e7 / (units * 10 + synapses * 0.02 * units / 1000 + 10 * recorded), 200, 5000))
    return lambda: _timed(lambda: engine.advance(steps, {})) / steps


def _batch(networks: int) -> Timed:
    from neurodyn.backends.torch import TorchBatch

    made = [realize(_circuit(100, 50, seed=k)) for k in range(networks)]
    batch = TorchBatch(made, samples=[()] * networks, spikes=(), dtype="float64", device="cpu")
    batch.begin({k: Begin(False, False, True, {}) for k in range(networks)})
    steps, inputs = 100, {k: {} for k in range(networks)}
    batch.advance(steps, inputs)
    return lambda: _timed(lambda: batch.advance(steps, inputs)) / steps


def _trials(trials: int) -> Timed:
    circuit = speed_network.circuit(500)
    session = nd.Session((nd.Trial(10),) * trials, dt="1 ms")
    nd.simulate(circuit, session)
    return lambda: _timed(lambda: nd.simulate(circuit, session))


def _timed(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _draw(found: Mapping[str, Growth], path: Path) -> None:
    """Draw each axis with its law at large sizes and its bend."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    rows = -(-len(found) // 3)
    figure = Figure(figsize=(8.6, 0.6 + 2.7 * rows), layout="constrained")
    figure.suptitle("How cost grows: medians, the power law of the larger half, and where it bends", fontsize=10)
    panels = figure.subplots(rows, 3).ravel()
    for panel in panels[len(found) :]:
        panel.remove()
    for panel, (axis, growth) in zip(panels, found.items(), strict=False):
        scale = 1e3 if axis == "trials" else 1e6
        upper = growth.sizes[len(growth.sizes) // 2 :]
        middle, height = (np.exp(np.log(part[-len(upper) :]).mean()) for part in (growth.sizes, growth.times))
        law = height * (upper / middle) ** growth.exponent
        panel.loglog(upper, law * scale, color="0.6", label=f"power {growth.exponent:.2f}")
        panel.loglog(growth.sizes, growth.times * scale, "o", color="C0", markersize=4)
        if growth.bend is not None:
            panel.axvline(growth.bend, color="C3", linestyle=":", label=f"bend at {growth.bend:.3g}")
        panel.set_xlabel("\n".join(_wrapped(LABELS[axis])), fontsize=8)
        panel.set_ylabel("CPU time of a session (ms)" if axis == "trials" else "CPU time of a step (µs)", fontsize=8)
        panel.tick_params(which="both", labelsize=7)
        panel.yaxis.set_major_formatter(LogFormatter())
        panel.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.4)))
        panel.legend(fontsize=7, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 30)
