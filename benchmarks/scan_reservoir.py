"""The simulation of the case "scan_batch": a small reservoir, one point of a scan over gain and seed."""

from pathlib import Path
from typing import Any

import neurodyn as nd


@nd.simulation
def reservoir(
    *,
    gain: float = 1.0,
    seed: int = 1,
    neurons: int = 250,
    duration: nd.Time = "1 s",
    backend: str = "numba",
    out: Path | None = None,
):
    """Mean rate of a spiking reservoir whose weights are scaled by a gain."""
    weights: dict[str, Any] = {"excitatory_weight": 0.3 * gain, "inhibitory_weight": 1.2 * gain}
    run = nd.simulate(nd.SpikingReservoir(neurons, seed=seed, **weights), duration, out=out, backend=backend)
    return {"rate": run["spikes"].times.size / neurons}
