"""Excitable cells driven by noise alone: the regularity of their spikes against its level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import neurodyn as nd
from neurodyn import analysis
from resonance.checks import Checks

SHEET = "simulation of another program"
SLOW = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.14, 0.2, 0.3, 0.5)  # noise in the slow variable
SLOW_MEAN = (6.92, 4.93, 4.43, 4.22, 4.10, 3.98, 3.91, 3.82, 3.72, 3.55, 3.39, 3.23)
SLOW_CV = (0.464, 0.297, 0.228, 0.212, 0.198, 0.189, 0.193, 0.199, 0.221, 0.245, 0.289, 0.384)
FAST = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)  # noise in the fast one
FAST_MEAN = {
    0.001: (3.22, 2.92, 2.67, 2.42, 2.19, 1.95, 1.71, 1.45),
    0.01: (4.06, 3.56, 3.30, 3.10, 2.91, 2.73, 2.55, 2.37),
}
FAST_CV = {
    0.001: (0.033, 0.038, 0.049, 0.060, 0.072, 0.096, 0.121, 0.162),
    0.01: (0.138, 0.083, 0.081, 0.088, 0.098, 0.113, 0.125, 0.147),
}
CONVENTIONS = analysis.Conventions(noise="sigma", time="unit of time")
WINDOW = 100.0  # of counts, in units of time


@dataclass(frozen=True)
class Size:
    """How much is simulated: seeds are independent batches of cells."""

    seeds: range
    paths: int
    time: float
    backend: str


@dataclass(frozen=True, eq=False)
class Measured:
    """Measures (level, seed)."""

    mean: np.ndarray
    cv: np.ndarray
    correlation_time: np.ndarray
    peclet: np.ndarray
    trains: list[list[np.ndarray]]  # of the first seed, at each level


def measured(size: Size, levels: tuple[float, ...], *, traces: bool = False, **cell: object) -> Measured:
    """Simulate all levels as one batch for each seed, and measure spikes and, if asked for, the correlation time of x."""
    mean, cv, tau, peclet = np.full((4, len(levels), len(size.seeds)), np.nan)
    trains: list[list[np.ndarray]] = []
    for j, seed in enumerate(size.seeds):
        cells = [nd.FitzHughNagumo(size.paths, noise=s, seed=seed, **cell) for s in levels]  # type: ignore[arg-type]
        record = ["spikes", nd.Sample("cells.x", every="0.05 ms")] if traces else ["spikes"]
        for k, run in enumerate(nd.simulate(cells, f"{size.time} ms", record=record, backend=size.backend)):
            trains.append(run["spikes"].trains()) if j == 0 else None
            spikes = analysis.event_regularity(run["spikes"].trains(), window=WINDOW, samples=20, time="unit of time")
            mean[k, j], cv[k, j], peclet[k, j] = spikes.mean, spikes.cv, spikes.peclet
            if traces:
                found = analysis.correlation_time(run["cells.x"], dt=0.05, longest=30.0, discard=20.0, samples=2)
                tau[k, j] = found.value
    return Measured(mean, cv, tau, peclet, trains)


def coherence(found: Checks, size: Size) -> tuple[analysis.ResonanceCurve, Measured]:
    """Noise in the slow variable: intervals are most regular at a level between."""
    cells = measured(size, SLOW, traces=True)
    curve = analysis.resonance_curve(SLOW, cells.cv, best="min", name="CV of intervals", conventions=CONVENTIONS)
    for name, values, reference in (("mean interval", cells.mean, SLOW_MEAN), ("CV", cells.cv, SLOW_CV)):
        found.beside(f"coherence: {name}", SLOW, values, np.array(reference), 0.1)
    found.note({"coherence: correlation time, mean over seeds": cells.correlation_time.mean(axis=1).tolist()})
    found.note({"coherence: Peclet number, mean over seeds": cells.peclet.mean(axis=1).tolist()})
    found.curve("coherence", curve)
    found.each("A13: least CV", cells.cv.min(axis=0), "< 0.2", reference=0.189)
    found.each(
        "A13: noise of the least CV", np.array(SLOW)[cells.cv.argmin(axis=0)], ">= 0.05 and <= 0.1", reference=0.07
    )
    found.each("A13: CV at 0.02 / least CV", cells.cv[0] / cells.cv.min(axis=0), "> 2", reference=2.46)
    found.each("A13: CV at 0.5 / least CV", cells.cv[-1] / cells.cv.min(axis=0), "> 1.7", reference=2.03)
    return curve, cells


def self_induced(
    found: Checks, size: Size
) -> dict[float, tuple[analysis.ResonanceCurve, Measured, analysis.SelfInducedResonance]]:
    """Noise in the fast variable: regular spikes whose period the noise sets, as hazard theory says."""
    results = {}
    for epsilon in (0.001, 0.01):
        cells = measured(size, FAST, noise_in="fast", epsilon=epsilon)
        theory = analysis.self_induced_resonance(epsilon, noise=FAST)
        name = f"self-induced, epsilon = {epsilon:g}"
        for what, values, reference in (
            ("mean interval", cells.mean, FAST_MEAN[epsilon]),
            ("CV", cells.cv, FAST_CV[epsilon]),
        ):
            found.note({f"{name}: {what}, other program": list(reference), f"{name}: noise": list(FAST)})
            found.note({f"{name}: {what}, mean over seeds": values.mean(axis=1).tolist()})
        found.note({f"{name}: mean interval, theory": theory.mean.tolist(), f"{name}: CV, theory": theory.cv.tolist()})
        if epsilon == 0.001:
            found.beside("A14: mean interval beside hazard theory", FAST, cells.mean, theory.mean, 0.1, "hazard theory")
            found.beside("A14: CV beside hazard theory", FAST, cells.cv, theory.cv, 0.15, "hazard theory")
        falling = [float(np.all(np.diff(each) < 0)) for each in cells.mean.T]
        found.each(f"A14, epsilon = {epsilon:g}: the period falls at every level", falling, "== 1", reference=1)
        curve = analysis.resonance_curve(FAST, cells.cv, best="min", name="CV of intervals", conventions=CONVENTIONS)
        found.curve(name, curve)
        results[epsilon] = curve, cells, theory
    return results
