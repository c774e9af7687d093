"""Rate networks with learnable time constants learn the parity of the last N digits, N by N.

Under a single-head curriculum they pass through few N, and their time constants first fall, then grow a slow tail; under
a multi-head curriculum they learn much faster and further, while time constants fall towards one step
(Khajehabdollahi et al. 2024). Run it by ``neurodyn run simulations/timescales_parity.py --quick``, or one of the other
experiments by ``--experiment fixed`` and the like.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from timescales.arms import PAPER, SMALL
from timescales.figures import drawn
from timescales.parity import EXPERIMENTS

import neurodyn as nd


@nd.simulation
def timescales_parity(
    *,
    quick: bool = False,
    experiment: Literal["curricula", "fixed", "gated", "sliding", "continuous"] = "curricula",
    curriculum: Literal["both", "single-head", "multi-head"] = "both",
    until: int = 0,
    units: int = 0,
    patience: int = 60,
    seeds: int = 5,
    seed: int = 101,
    out: Path | None = None,
) -> nd.Outcome:
    """Train networks on N-parity under curricula; follow accuracy, time constants and network-mediated timescales.

    Parameters
    ----------
    quick : bool
        128 units, batches of 128, 300 steps an epoch, for minutes instead of hours.
    experiment : str
        curricula: single- and multi-head. fixed: time constants trained, or fixed at 1, 2 and 3. gated: GRU and LSTM.
        sliding: a window of ten N that moves by five. continuous: digits held for 7 to 10 steps, multi-head.
    curriculum : str
        One curriculum, or both.
    until : int
        Largest N; 0 means what the experiment's thresholds need.
    units : int
        Units of a network; 0 means 128 if quick and 500 otherwise.
    patience : int
        Epochs without a stage solved after which a training ends.
    seeds : int
        Networks for each condition.
    seed : int
        First seed; thresholds were set on seeds 0 and 1.
    """
    size = SMALL if quick else PAPER
    size = replace(size, units=units) if units else size
    chosen = list(range(seed, seed + seeds))
    names = ("single-head", "multi-head") if curriculum == "both" else (curriculum,)
    found, runs, tables, rows = EXPERIMENTS[experiment](names, until, patience, size, chosen, out)
    return nd.Outcome(found.results, found.checks, *drawn(runs, tables, rows, published=size.units == PAPER.units))


if __name__ == "__main__":
    timescales_parity.main()
