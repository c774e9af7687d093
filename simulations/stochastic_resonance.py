"""Stochastic resonance: noise helps a double well and a threshold detector to follow a weak signal, as theory says.

Paths are simulated over levels of noise and measured by the functions that measure recordings; beside them stand the exact
Fokker-Planck solution, linear response and closed forms. Run it by ``neurodyn run simulations/stochastic_resonance.py --quick``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import xarray
from resonance import double_well
from resonance.checks import Checks
from resonance.detector import detector
from resonance.double_well import GRID, SHEET, Size

import neurodyn as nd
from neurodyn import plots


@nd.simulation
def stochastic_resonance(
    *,
    quick: bool = False,
    seeds: int = 5,
    seed: int = 101,
    paths: int = 0,
    time: float = 2000.0,
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Measure resonance curves of a double well and a threshold detector, and compare them with theory.

    Parameters
    ----------
    quick : bool
        A tenth of the paths, and four times the tolerance beside exact values.
    seeds, seed : int
        Independent batches of paths, at least 4, and the seed of the first.
    paths : int
        Paths of a batch at each level of noise; 0 means 400, and 40 if quick.
    time : float
        Length of a path in units of time, at least 1500.
    backend : str
        Runner.
    """
    if seeds < 4 or time < 1500:
        raise ValueError(f"seeds = {seeds}, time = {time}: give at least 4 seeds and 1500 units of time")
    found = Checks(SHEET)
    size = Size(range(seed, seed + seeds), paths or (40 if quick else 400), time, backend, 0.2 if quick else 0.05)
    double_well.solver(found)
    double_well.relaxation(found, size)
    eta, exact = double_well.amplification(found, size)
    snr, linear = double_well.signal_to_noise(found, size)
    times, first, two = double_well.residence(found, size)
    detected, closed = detector(found, size)
    one = "unit of time"
    figures = {
        "amplification": plots.resonance_curve(
            eta,
            theory={name: (GRID, values) for name, values in exact.items()},
            ylabel="spectral amplification",
            title="Double well at W = 0.1: response to a weak force",
        ),
        "snr": plots.resonance_curve(
            snr,
            theory={name: (snr.noise, values) for name, values in linear.items()},
            ylabel=f"SNR / πA² (rad per {one})",
            title="Double well at W = 0.01: signal-to-noise ratio",
        ),
        "residence": times.plot(title="Double well at W = 0.1, D = 0.1: times between switches"),
        "first_peak": plots.resonance_curve(
            first,
            theory={name: (GRID, values) for name, values in two.items()},
            title="Double well at W = 0.1: residences of half a period",
        ),
        "detector_snr": plots.resonance_curve(
            detected["SNR"],
            theory=(detected["SNR"].noise, closed["SNR"]),
            ylabel="SNR (cycles per sample)",
            title="Threshold detector: a sine below its level",
        ),
        "detector_information": plots.resonance_curve(
            detected["information"],
            theory=(detected["information"].noise, closed["information"]),
            ylabel="information (bits per sample)",
            title="Threshold detector: a binary input below its level",
        ),
    }
    curves = {"amplification": eta, "snr": snr, "first peak": first}
    curves |= {f"detector {name}": curve for name, curve in detected.items()}
    data = {
        name: xarray.DataArray(curve.values, dims=("noise", "network"), coords={"noise": curve.noise})
        for name, curve in curves.items()
    }
    return nd.Outcome(found.results, found.checks, data, figures)


if __name__ == "__main__":
    stochastic_resonance.main()
