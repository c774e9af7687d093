"""Noise-driven paths in the double well beside exact solutions: relaxation, amplification, signal-to-noise ratio, residence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import neurodyn as nd
from neurodyn import analysis
from resonance.checks import Checks

EXACT = "Fokker-Planck solution"
SHEET = "discretised Fokker-Planck operator of another program"
LEVELS = (0.05, 0.07, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.5)
#: what that other program found, at these levels
RELAXATION = (2.776e-3, 1.138e-2, 3.355e-2, 5.682e-2, 8.214e-2, 0.1348, 0.1872, 0.2380, 0.4229)
PASSAGE = {0.1: 66.27, 0.125: 41.04, 0.15: 29.55, 0.2: 19.09, 0.25: 14.28, 0.3: 11.50, 0.5: 6.698}
SQUARE = (0.9368, 0.9068, 0.8714, 0.8521, 0.8402, 0.8309, 0.8327, 0.8405, 0.8935)
AMPLIFICATION = {0.05: 0.643, 0.08: 4.12, 0.1: 7.91, 0.15: 12.73, 0.2: 11.16, 0.3: 6.68, 0.5: 3.03}  # at W = 0.1
RATIO = {
    0.05: 0.544,
    0.1: 1.526,
    0.125: 1.617,
    0.15: 1.599,
    0.2: 1.456,
    0.3: 1.150,
    0.5: 0.778,
}  # SNR / pi A^2 at W = 0.01

FAST, SLOW, AMPLITUDE = 0.1, 0.01, 0.1  # angular frequencies, and the force
WEAK = 0.05  # the force whose SNR is compared with that of a vanishing one
PERIOD, SAMPLE = 627.2, 0.98  # at W = 0.01, a whole number of samples, these of steps
GRID = np.round(np.geomspace(0.05, 0.5, 12), 4)  # of resonance curves
DT, PERIODS = 0.01, 8
FINE = (
    0.0025  # for passages: between two steps a path goes beyond unseen, which delays them by 0.58 sqrt(2 D dt) of way
)


@dataclass(frozen=True)
class Size:
    """How much is simulated: seeds are independent batches of paths."""

    seeds: range
    paths: int  # of a seed and level
    time: float
    backend: str
    tolerance: float = 0.05  # of means beside exact values


def potential(x: np.ndarray) -> np.ndarray:
    """V of the double well."""
    return x**4 / 4 - x**2 / 2


def solved(noise: float) -> analysis.FokkerPlanck:
    """The exact solution."""
    return analysis.FokkerPlanck(potential, noise=float(noise))


def solver(found: Checks) -> None:
    """The eigen-solver beside the numbers of another one."""
    wells = {noise: solved(noise) for noise in sorted({*LEVELS, *AMPLIFICATION, *RATIO})}
    columns = {
        "relaxation rate": ([wells[d].relaxation(2).rates[1] for d in LEVELS], RELAXATION),
        "mean first passage -1 to 1": ([wells[d].mean_first_passage(-1, 1) for d in PASSAGE], tuple(PASSAGE.values())),
        "mean square of x": ([wells[d].mean(np.square) for d in LEVELS], SQUARE),
        "amplification at W = 0.1": (
            [float(wells[d].response(FAST).amplification) for d in AMPLIFICATION],
            tuple(AMPLIFICATION.values()),
        ),
        "SNR / pi A^2 at W = 0.01": (
            [float(wells[d].response(SLOW).snr()) / np.pi for d in RATIO],
            tuple(RATIO.values()),
        ),
    }
    for name, (ours, theirs) in columns.items():
        found.note({f"solver: {name}": np.asarray(ours).tolist(), f"reference: {name}": list(theirs)})
        away = np.max(np.abs(np.asarray(ours) / np.asarray(theirs) - 1))
        found.that(f"solver: {name}, largest relative difference", away, "<= 0.01", 0)
    kramers = np.array([2 * analysis.kramers_rate(potential, noise=d, well=-1, barrier=0).rate for d in LEVELS])
    found.note({"2 x Kramers' rate / relaxation rate": (kramers / columns["relaxation rate"][0]).tolist()})


def relaxation(found: Checks, size: Size) -> None:
    """Mean first passage and mean square of simulated paths beside the exact ones."""
    late = 0
    passage, square = np.zeros((2, len(PASSAGE), len(size.seeds)))
    for j, seed in enumerate(size.seeds):
        wells = [nd.DoubleWell(2 * size.paths, noise=d, switch_at=1.0, dt=FINE, seed=seed) for d in PASSAGE]
        # after ten times the longest mean, one path in 20 000 is still on its way
        runs = nd.simulate(
            wells,
            f"{min(size.time, 700)} ms",
            record=["spikes", nd.Sample("well.x", every="1 ms")],
            backend=size.backend,
        )
        for k, run in enumerate(runs):
            first = [train[0] if len(train) else np.nan for train in run["spikes"].trains()]
            passage[k, j] = np.nanmean(first)
            late += int(np.isnan(first).sum())
            square[k, j] = float((run["well.x"].values[100:] ** 2).mean())
    exact = [(solved(d).mean_first_passage(-1, 1), solved(d).mean(np.square)) for d in PASSAGE]
    for name, measured, values in (
        ("mean first passage -1 to 1", passage, [e[0] for e in exact]),
        ("mean square of x", square, [e[1] for e in exact]),
    ):
        found.beside(f"paths: {name}", list(PASSAGE), measured, np.array(values), size.tolerance, EXACT)
    found.note({"paths that had not passed at the end": late})


def amplification(found: Checks, size: Size) -> tuple[analysis.ResonanceCurve, dict[str, np.ndarray]]:
    """Spectral amplification at W = 0.1 beside the exact one at this force, and linear response."""
    frequency, values = FAST / (2 * np.pi), np.zeros((len(GRID), len(size.seeds)))
    control = np.zeros_like(values)
    for j, seed in enumerate(size.seeds):
        wells = [nd.DoubleWell(size.paths, noise=d, amplitude=AMPLITUDE, frequency=frequency, seed=seed) for d in GRID]
        runs = nd.simulate(wells, f"{size.time} ms", record=[nd.Sample("well.x", every="1 ms")], backend=size.backend)
        for k, run in enumerate(runs):
            response = analysis.spectral_amplification(
                run["well.x"], dt=1.0, frequency=frequency, amplitude=AMPLITUDE, start=1.0, discard=_settling(GRID[k]), samples=100,
            )  # fmt: skip
            values[k, j], control[k, j] = response.eta, np.mean(response.null.null)
    curve = analysis.resonance_curve(GRID, values, control=control, name="spectral amplification")
    strong = np.array([solved(d).periodic_response(AMPLITUDE, FAST).amplification for d in GRID])
    weak = np.array([float(solved(d).response(FAST).amplification) for d in GRID])
    found.beside("paths: amplification at W = 0.1", GRID.tolist(), values, strong, size.tolerance, EXACT)
    found.curve("amplification", curve)
    place = np.argmax(curve.mean) - np.argmax(strong)
    found.that("paths: amplification, levels between its maximum and the exact one", abs(place), "<= 1", 0)
    return curve, {"exact at this force": strong, "linear response": weak}


def signal_to_noise(found: Checks, size: Size) -> tuple[analysis.ResonanceCurve, dict[str, np.ndarray]]:
    """Output SNR at W = 0.01, over A^2 and pi, beside linear response."""
    frequency, settle = 1 / PERIOD, 500.0
    levels = GRID[
        GRID >= 0.07
    ]  # below, switches are so rare that the force isn't weak for any SNR that could be measured
    values = np.zeros((len(levels), len(size.seeds)))
    for j, seed in enumerate(size.seeds):
        wells = [
            nd.DoubleWell(size.paths, noise=d, amplitude=WEAK, frequency=frequency, seed=1000 + seed) for d in levels
        ]
        record = [nd.Sample("well.x", every=f"{SAMPLE} ms")]
        runs = nd.simulate(wells, f"{settle + (PERIODS + 1) * PERIOD} ms", record=record, backend=size.backend)
        for k, run in enumerate(runs):
            ratio = analysis.output_snr(
                run["well.x"],
                dt=SAMPLE,
                frequency=frequency,
                periods=PERIODS,
                neighbours=4,
                discard=settle,
                samples=100,
            )
            values[k, j] = ratio.angular / np.pi / WEAK**2
    curve = analysis.resonance_curve(levels, values, name="SNR / pi A^2")
    linear = np.array([float(solved(d).response(2 * np.pi * frequency).snr()) / np.pi for d in levels])
    found.beside("paths: SNR / pi A^2 at W = 0.01", levels.tolist(), values, linear, 2 * size.tolerance, EXACT)
    found.curve("SNR", curve)
    found.that("paths: noise of the largest SNR at W = 0.01", curve.optimum, ">= 0.11 and <= 0.16", 0.133)
    return curve, {"linear response": linear}


def residence(
    found: Checks, size: Size
) -> tuple[analysis.ResidenceTimes, analysis.ResonanceCurve, dict[str, np.ndarray]]:
    """Residence times under a stronger force: peaks at odd multiples of half the period, the first one largest where rates match."""
    frequency, force = FAST / (2 * np.pi), 0.15
    values, shown = np.zeros((len(GRID), len(size.seeds))), None
    for j, seed in enumerate(size.seeds):
        wells = [
            nd.DoubleWell(size.paths, noise=d, amplitude=force, frequency=frequency, seed=2000 + seed) for d in GRID
        ]
        runs = nd.simulate(wells, f"{size.time} ms", record=[nd.Sample("well.x", every="0.2 ms")], backend=size.backend)
        for k, run in enumerate(runs):
            times = analysis.residence_times(
                run["well.x"], dt=0.2, low=-0.5, high=0.5, frequency=frequency, discard=_settling(GRID[k]), samples=50,
                time="unit of time",
            )  # fmt: skip
            values[k, j] = times.peaks[0] if times.peaks.size else 0.0
            if j == 0 and k == int(np.argmin(np.abs(GRID - 0.1))):
                shown = times
    curve = analysis.resonance_curve(GRID, values, name="share of residences near half a period")
    two = [analysis.TwoState.of_potential(potential, noise=float(d)) for d in GRID]
    theory = np.array([each.residence_times(force, FAST).peak_area(1) for each in two])
    found.curve("first peak of residence times", curve)
    found.note({"first peak of residence times, two-state theory": theory.tolist()})
    matched = float(np.interp(FAST, [each.matched_frequency for each in two], GRID))
    found.note({"noise at which half a period is the mean residence, by Kramers' rate": matched})
    assert shown is not None
    return shown, curve, {"two states": theory}


def _settling(noise: float) -> float:
    """Time after which a path has forgotten its start: three times the slowest relaxation, at most a thousand."""
    return float(min(1000.0, 3 / solved(noise).relaxation(2).rates[1] + 20))
