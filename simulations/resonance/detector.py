"""A threshold detector beside closed forms: SNR of its output, and the information that a sample carries."""

from __future__ import annotations

import numpy as np

import neurodyn as nd
from neurodyn import analysis
from resonance.checks import Checks
from resonance.double_well import Size

LEVEL, AMPLITUDE, PERIOD = 1.0, 0.5, 64
GRID = np.round(np.geomspace(0.15, 3.0, 12), 4)  # sigma


def detector(found: Checks, size: Size) -> tuple[dict[str, analysis.ResonanceCurve], dict[str, np.ndarray]]:
    """SNR of a sine below the threshold, and information about a binary input, against the noise."""
    snr, bits = np.zeros((2, len(GRID), len(size.seeds)))
    control, conventions = np.zeros_like(bits), analysis.Conventions(noise="sigma", time="sample")
    for j, seed in enumerate(size.seeds):
        common = {"level": LEVEL, "amplitude": AMPLITUDE, "seed": 3000 + seed}
        slow = [nd.ThresholdDetector(size.paths, noise=s, frequency=1 / PERIOD, **common) for s in GRID]
        # the cosine of half a cycle a step is +A and -A in turn: a binary input
        binary = [nd.ThresholdDetector(size.paths, noise=s, frequency=0.5, **common) for s in GRID]
        record = ["detector.above"]
        runs = nd.simulate(slow, f"{PERIOD * 32} ms", record=record, backend=size.backend)
        words = nd.simulate(binary, "500 ms", record=record, backend=size.backend)
        for k, (run, word) in enumerate(zip(runs, words, strict=True)):
            above = run["detector.above"].values
            snr[k, j] = analysis.output_snr(above, dt=1.0, frequency=1 / PERIOD, samples=50).ratio if above.any() else 0
            output = word["detector.above"].values.astype(int)
            if output.any():
                sent = np.repeat(np.arange(len(output)) % 2, output.shape[1])
                told = analysis.mutual_information(sent, output.ravel(), samples=20)
                bits[k, j], control[k, j] = told.bits, told.null.null.mean()
    exact = analysis.sampled_threshold_response(GRID, threshold=LEVEL, amplitude=AMPLITUDE, interval=1.0).snr(
        over="cycles"
    )
    channel = analysis.threshold_information(GRID, threshold=LEVEL, inputs=(-AMPLITUDE, AMPLITUDE)).information
    curves = {
        "SNR": analysis.resonance_curve(GRID, snr, name="SNR of the detector", conventions=conventions),
        "information": analysis.resonance_curve(
            GRID, bits, control=control, name="information of a sample", conventions=conventions
        ),
    }
    seen = GRID >= 0.2  # below, hardly any sample is above the level
    found.beside("detector: SNR", GRID[seen].tolist(), snr[seen], exact[seen], size.tolerance, "closed form")
    found.beside(
        "detector: bits a sample", GRID[seen].tolist(), bits[seen], channel[seen], size.tolerance, "closed form"
    )
    for name, curve in curves.items():
        found.curve(f"detector, {name}", curve)
        found.that(f"detector: {name}, a resonance", curve.resonance, "== 1", 1, "closed form")
    return curves, {"SNR": exact, "information": channel}
