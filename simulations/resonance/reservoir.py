"""Spiking reservoirs that listen to a weak sine under noise: what cells tell about it that are silent without noise, and others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import neurodyn as nd
from neurodyn import analysis
from resonance.checks import Checks

FREQUENCY, BIN_MS, WINDOW_MS = 5.0, 5.0, 1000.0
LEVELS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # SD of the current noise, drawn anew each ms
GROUP, GROUPS = 20, 40  # cells that are asked together, and how many such groups
KINDS = ("silent", "firing", "all")  # without noise, though there is the signal
ARMS = {"recurrent": {}, "uncoupled": {"excitatory_weight": 0.0, "inhibitory_weight": 0.0}}
MEASURES = {
    "population": "SNR of summed spikes (cycles per s)",
    "cell": "SNR of a cell (cycles per s)",
    "response": "response (Hz per unit of current)",
    "information": "1 s of 20 cells tells (bits)",
}


@dataclass(frozen=True)
class Size:
    """How much is simulated."""

    seeds: range
    neurons: int
    seconds: float
    amplitude: float
    backend: str


@dataclass(frozen=True, eq=False)
class Measured:
    """Measures by name, (level, seed), with the signal and without it, for a kind of cells."""

    values: dict[str, np.ndarray]
    control: dict[str, np.ndarray]
    rate: np.ndarray
    cells: np.ndarray  # (seed,)


def measured(size: Size, arm: str) -> dict[str, Measured]:
    """Simulate all levels for each seed with the signal and without, and measure cells of each kind."""
    shape = (len(LEVELS), len(size.seeds))
    found = {
        kind: Measured(
            {m: np.zeros(shape) for m in MEASURES},
            {m: np.zeros(shape) for m in MEASURES},
            np.zeros(shape),
            np.zeros(shape[1], int),
        )
        for kind in KINDS
    }
    for j, seed in enumerate(size.seeds):
        quiet = nd.SpikingReservoir(size.neurons, noise=0.0, seed=seed, **ARMS[arm])
        alone = nd.simulate(quiet, session(size, size.amplitude), record=["spikes"], backend=size.backend)
        fires = alone["spikes"].between(500, 1000 * size.seconds).counts() > 0
        cells = {"silent": ~fires, "firing": fires, "all": np.ones(len(fires), dtype=bool)}
        nets = [nd.SpikingReservoir(size.neurons, noise=s, seed=seed, **ARMS[arm]) for s in LEVELS]
        with_signal, without = (
            nd.simulate(nets, session(size, amplitude), record=["spikes"], backend=size.backend)
            for amplitude in (size.amplitude, 0.0)
        )
        for k, (run, silent) in enumerate(zip(with_signal, without, strict=True)):
            counts, controls = (r["spikes"].array(BIN_MS) for r in (run, silent))
            for kind in KINDS:
                found[kind].cells[j] = cells[kind].sum()
                _measure(found[kind], (k, j), counts[:, cells[kind]], controls[:, cells[kind]], size)
    return found


def session(size: Size, amplitude: float) -> nd.Session:
    steps = round(size.seconds * 1000)
    values = np.zeros((steps, 3))
    values[:, 1] = amplitude * np.cos(2 * np.pi * FREQUENCY * np.arange(steps) * 1e-3)
    channels = {"task": ("cue", "A", "B")}
    return nd.Session((nd.Trial(steps, {"task": values}, reset=False),), dt=1e-3, channels=channels)


def _measure(found: Measured, at: tuple[int, int], counts: np.ndarray, controls: np.ndarray, size: Size) -> None:
    """Put the measures of one run and of its control in their place; where no cell fires there is nothing to tell: 0."""
    found.rate[at] = counts.mean() / BIN_MS * 1000
    for values, spikes in ((found.values, counts), (found.control, controls)):
        rate = spikes.mean(axis=1) / BIN_MS * 1000
        if not np.ptp(rate):
            continue
        how = {"dt": BIN_MS / 1000, "frequency": FREQUENCY, "samples": 20, "time": "s"}
        values["population"][at] = analysis.output_snr(rate, **how).ratio
        values["cell"][at] = analysis.output_snr(spikes, **how).ratio
        response = analysis.spectral_amplification(rate, amplitude=size.amplitude, **how)
        values["response"][at] = response.response / size.amplitude
    found.values["information"][at] = _information(counts, controls, seed=at[1])
    half = len(controls) // 2
    found.control["information"][at] = _information(controls[:half], controls[half:], seed=at[1])


def _information(there: np.ndarray, absent: np.ndarray, *, seed: int) -> float:
    """Bits about whether there is a signal, from a second of the spikes of a few cells: a filter at its phase, and a border.

    Phase and border come from the first half of the windows, the bits from the second.
    """
    bins = round(WINDOW_MS / BIN_MS)
    rng = np.random.default_rng(seed)
    wave = np.exp(-2j * np.pi * FREQUENCY * np.arange(bins) * BIN_MS / 1000)
    found = []
    for _ in range(GROUPS):
        cells = rng.choice(there.shape[1], min(GROUP, there.shape[1]), replace=False)
        phasors = [
            (each[: len(each) // bins * bins, cells].sum(axis=1).reshape(-1, bins) * wave).sum(axis=1)
            for each in (there, absent)
        ]
        train, test = zip(*((z[: len(z) // 2], z[len(z) // 2 :]) for z in phasors), strict=True)
        turn = np.exp(-1j * np.angle(train[0].mean()))
        border = sum((z * turn).real.mean() for z in train) / 2
        present = np.repeat([1, 0], [len(z) for z in test])
        said = ((np.concatenate(test) * turn).real > border).astype(int)
        if np.ptp(said):
            found.append(analysis.mutual_information(present, said, samples=2).bits)
        else:
            found.append(0.0)
    return float(np.mean(found))


def curves(found: Checks, cells: dict[str, Measured], arm: str) -> dict[tuple[str, str], analysis.ResonanceCurve]:
    """Say for each kind of cells and measure whether there is a resonance."""
    result = {}
    for kind, each in cells.items():
        found.note({f"{arm}, {kind}: rate (Hz), mean over networks": each.rate.mean(axis=1).tolist()})
        found.note({f"{arm}, {kind}: cells of each network": each.cells.tolist()})
        for measure, name in MEASURES.items():
            curve = analysis.resonance_curve(
                LEVELS,
                each.values[measure],
                control=each.control[measure],
                name=name,
                conventions=analysis.Conventions(noise="sigma", time="s"),
            )
            found.note(
                {
                    f"{arm}, {kind}, {measure}: mean over networks": curve.mean.tolist(),
                    f"{arm}, {kind}, {measure}: verdict": str(curve),
                }
            )
            result[kind, measure] = curve
    return result
