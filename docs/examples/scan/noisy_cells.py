"""What docs/scans.md scans: how fast and how regularly noisy leaky integrate-and-fire cells fire."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import neurodyn as nd


@nd.simulation
def noisy_cells(
    *, drive: float = 1.0, noise: float = 0.2, time: nd.Time = "1 s", seed: int = 1, out: Path | None = None
) -> nd.Outcome:
    """Let 100 unconnected cells fire under a constant drive and white noise.

    Parameters
    ----------
    drive : float
        Where the membrane would rest without a threshold; the threshold is 1, the reset 0.
    noise : float
        Standard deviation of the membrane without a threshold.
    time : quantity
        Length of the run.
    seed : int
        Of the noise.
    """
    cells = nd.Population(
        "cells",
        100,
        "dv/dt = (drive - v)/tau + noise*sqrt(2/tau)*xi : 1 (unless refractory)",
        threshold="v > 1",
        reset="v = 0",
        refractory="2 ms",
        method="euler",
        parameters={"drive": drive, "noise": noise, "tau": "20 ms"},
    )
    run = nd.simulate(nd.Circuit([cells], dt="0.1 ms", seed=seed), time, record=["spikes"], out=out)
    spikes = run["spikes"]
    intervals = np.concatenate([np.diff(train) for train in spikes.trains()])
    results = {
        "rate (Hz)": len(spikes) / spikes.size / spikes.duration_ms * 1000,
        "CV of intervals": float(intervals.std() / intervals.mean()) if len(intervals) > 1 else float("nan"),
    }
    return nd.Outcome(results=results)
