"""Local learning rules at work: e-prop beside backpropagation, e-prop on a pattern, and a reward of one bit.

Run one experiment by ``neurodyn run simulations/local_learning.py --set experiment=gradient``. Each prints its numbers
with their spread over seeds and its checks; ``--out`` keeps them with the figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from local import gradient, hoerzer, pattern

import neurodyn as nd


@nd.simulation
def local_learning(
    *,
    experiment: Literal["gradient", "pattern", "hoerzer"] = "gradient",
    seeds: int = 5,
    seed: int = 101,
    cells: int | None = None,
    trials: int | None = None,
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Show what local learning rules compute, and what they learn beside controls.

    Parameters
    ----------
    experiment : str
        "gradient": e-prop's gradient of recurrent weights beside backpropagation through time, for strengths of
        recurrence. "pattern": e-prop learns to produce a pattern of 1 s. "hoerzer": a reservoir learns a periodic
        signal from one bit of reward.
    seeds : int
        Number of networks, each with its own wiring, inputs and target.
    seed : int
        First seed; thresholds were set on others, so the default set no threshold.
    cells : int, optional
        Cells of a network: 100, of the reservoir 1000.
    trials : int, optional
        Trials of "pattern", 500; periods of learning of "hoerzer", 60.
    backend : str
        Runner.
    """
    for name, value, least in (("seeds", seeds, 1), ("cells", cells, 2), ("trials", trials, 1)):
        if value is not None and value < least:
            raise ValueError(f"{name} = {value}, give at least {least}")
    if trials is not None and experiment == "gradient":
        raise ValueError(f"trials = {trials}: a gradient is that of one trial; leave trials out")
    chosen = {"gradient": gradient.gradient, "pattern": pattern.pattern, "hoerzer": hoerzer.hoerzer}[experiment]
    return chosen(seeds=range(seed, seed + seeds), cells=cells, trials=trials, backend=backend, out=out)


if __name__ == "__main__":
    local_learning.main()
