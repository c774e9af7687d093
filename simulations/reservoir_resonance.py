"""Is there a stochastic resonance in the spiking reservoir? It listens to a sine too weak to make most of its cells fire.

The answer depends on whose spikes are asked, and what: cells that are silent without noise, those that fire anyway, or all. Run it by ``neurodyn run simulations/reservoir_resonance.py --quick``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from resonance.checks import Checks
from resonance.reservoir import ARMS, KINDS, LEVELS, MEASURES, Size, curves, measured

import neurodyn as nd
from neurodyn import plots


@nd.simulation
def reservoir_resonance(
    *,
    quick: bool = False,
    seeds: int = 12,
    seed: int = 101,
    neurons: int = 1000,
    seconds: float = 0.0,
    amplitude: float = 0.3,
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Measure what reservoirs tell about a weak periodic input at levels of their noise, beside reservoirs without recurrence.

    Parameters
    ----------
    quick : bool
        16 s a run instead of 64.
    seeds, seed : int
        Networks, at least 4, and the first seed. Below 8 only the clearest resonances are seen.
    neurons : int
        Cells of a network, at least 200.
    seconds : float
        Length of a run, at least 16; 0 means 64, and 16 if quick.
    amplitude : float
        Of the signal; it reaches half of the cells, with weights between 0 and 2.
    backend : str
        Runner.
    """
    seconds = seconds or (16.0 if quick else 64.0)
    if seeds < 4 or neurons < 200 or seconds < 16 or not amplitude > 0:
        raise ValueError(
            f"seeds = {seeds}, neurons = {neurons}, seconds = {seconds}, amplitude = {amplitude}: give at least 4 seeds, "
            "200 neurons, 16 s and an amplitude above 0"
        )
    found = Checks("this simulation")
    size = Size(range(seed, seed + seeds), neurons, seconds, amplitude, backend)
    arms = {arm: measured(size, arm) for arm in ARMS}
    told = {arm: curves(found, cells, arm) for arm, cells in arms.items()}
    figures = {}
    for measure, name in MEASURES.items():
        shown = {f"{kind} cells": told["recurrent"][kind, measure] for kind in KINDS}
        shown["silent cells, uncoupled network"] = told["uncoupled"]["silent", measure]
        figures[measure] = plots.resonance_curve(
            shown,
            ylabel=name,
            title="A spiking reservoir that listens to a weak sine; cells silent or firing without noise",
        )
    for kind in KINDS:
        for measure in MEASURES:
            curve = told["recurrent"][kind, measure]
            found.note({f"resonance, recurrent, {kind}, {measure}": bool(curve.resonance)})
            found.note({f"margin without signal, recurrent, {kind}, {measure}": float(curve.control_margin)})
            if curve.resonance:
                without = max(curve.control_margin, 0.0) / curve.margin
                found.that(f"{kind} cells, {measure}: margin without the signal / with it", without, "<= 0.1", 0)
    data = {
        f"{arm} {kind} {measure}": each.values[measure]
        for arm, cells in arms.items()
        for kind, each in cells.items()
        for measure in MEASURES
    }
    return nd.Outcome(found.results, found.checks, {"noise": np.array(LEVELS), **data}, figures)


if __name__ == "__main__":
    reservoir_resonance.main()
