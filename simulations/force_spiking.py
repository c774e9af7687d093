"""FORCE training of spiking networks: the networks of Nicola & Clopath (2017) learn signals and go on alone.

Run one experiment by ``neurodyn run simulations/force_spiking.py --set experiment=E8``. Each prints its numbers with
their spread over seeds and its checks; ``--out`` keeps them with the figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from force import others, sine

import neurodyn as nd

Experiment = Literal["E8", "drift", "longer", "precision", "lif", "product", "lorenz", "song"]


@nd.simulation
def force_spiking(
    *,
    experiment: Experiment = "E8",
    seeds: int = 5,
    seed: int = 101,
    neurons: int = 1000,
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Train spiking networks to produce a signal by recursive least squares, and let them run freely.

    Parameters
    ----------
    experiment : str
        "E8": the published sine of 5 Hz. "drift": how its phase slips, for four intervals between updates and both gains.
        "longer": the same after 5 to 30 s of learning.
        "precision": float32 beside float64. "lif": integrate-and-fire cells. "product": a noisy product of sines.
        "lorenz": the Lorenz attractor. "song": ten channels with a clock.
    seeds : int
        Number of networks, each with its own wiring and start.
    seed : int
        First seed; thresholds were set on others, so the default set no threshold.
    neurons : int
        Cells of a network; published are 2000, for the song 1000.
    backend : str
        Runner.
    """
    if seeds < 1 or neurons < 10:
        raise ValueError(f"seeds = {seeds} and neurons = {neurons}; needed are at least 1 seed and 10 neurons")
    chosen = {
        "E8": sine.e8,
        "drift": sine.drift,
        "longer": sine.longer,
        "precision": sine.precision,
        "lif": sine.lif,
        "product": others.product,
        "lorenz": others.lorenz,
        "song": others.song,
    }[experiment]
    return chosen(seeds=range(seed, seed + seeds), neurons=neurons, backend=backend, out=out)


if __name__ == "__main__":
    force_spiking.main()
