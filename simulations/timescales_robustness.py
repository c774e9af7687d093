"""What trained networks lose: units silenced, weights and time constants perturbed, old N asked again, new N retrained.

It reads trainings that ``simulations/timescales_parity.py`` left, one file or more for each curriculum:
``neurodyn run simulations/timescales_robustness.py --single runs/p.single-head.101.h5 --multi runs/p.multi-head.101.h5``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from common.criteria import Criteria
from timescales.arms import PAPER, SMALL, SOURCE, Size
from timescales.lesions import ablations, memories, opened, perturbations, retrained

import neurodyn as nd


@nd.simulation
def timescales_robustness(
    *,
    single: tuple[Path, ...] = (),
    multi: tuple[Path, ...] = (),
    n: int = 0,
    experiment: Literal["lesions", "retraining"] = "lesions",
    quick: bool = False,
    retrain_at: int = 0,
    retrain_n: tuple[int, ...] = (),
    epochs: int = 20,
    seed: int = 1,
    out: Path | None = None,
) -> nd.Outcome:
    """Silence units, perturb weights and time constants, ask for old N, or retrain on new N; both curricula side by side.

    Parameters
    ----------
    single, multi : list of path
        Recordings of trainings under single- and multi-head curricula on N-parity; one kind may be left out.
    n : int
        N of the snapshots; 0 means the largest that all of them solved.
    experiment : str
        lesions: ablation, perturbation and memory of smaller N. retraining: single new N by head 0.
    quick : bool
        Fewer units, directions and streams.
    retrain_at : int
        N of the snapshots that are retrained; 0 means ``n``.
    retrain_n : list of int
        New N; by default 2, 4 and 6 above it.
    epochs : int
        Epochs of retraining.
    seed : int
        Key of streams and directions.
    """
    if not single and not multi:
        raise ValueError(
            "single and multi name no recordings; make them by simulations/timescales_parity.py, and give one or both"
        )
    if experiment == "retraining" and not (single and multi):
        raise ValueError("retraining compares curricula; give recordings of both, single and multi")
    given = {"single-head": opened(single, "SingleHead"), "multi-head": opened(multi, "MultiHead")}
    runs = {name: members for name, members in given.items() if members}
    common = set.intersection(*(set(r.snapshots) for members in runs.values() for r in members))
    if n == 0 and not common:
        raise ValueError("there is no N that all of these trainings solved; name recordings that went further")
    n = n or max(common)
    found = Criteria(SOURCE)
    found.note({"N": n})
    if experiment == "retraining":
        at = retrain_at or n
        wanted = retrain_n or [at + 2, at + 4, at + 6]
        size = SMALL if quick else PAPER
        figures, data = retrained(found, runs, at, wanted, epochs, Size(0, size.batch, size.steps, size.tests), seed)
        return nd.Outcome(found.results, found.checks, data, figures)
    group, repeats, directions = (10, 5, 5) if quick else (20, 10, 10)
    figures, data = {}, {}
    for part in (
        ablations(found, runs, n, group, repeats, seed),
        perturbations(found, runs, n, directions, repeats, seed),
        memories(found, runs, n, np.arange(2, n + 4), seed),
    ):
        figures |= part[0]
        data |= part[1]
    return nd.Outcome(found.results, found.checks, data, figures)


if __name__ == "__main__":
    timescales_robustness.main()
