"""Networks driven by noise alone emulate hidden Markov models: trained, compared with their target, taken apart.

Rectified networks are trained by Sinkhorn divergence until their symbols are distributed as those of a hidden Markov model
(Torre et al. 2025). The loss rests on a plateau, where symbols are independent, and then drops. Run it by
``neurodyn run simulations/hmm_emulation.py --quick``, or at the published size for one target by ``--family two``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from common.criteria import Criteria
from emulation import thresholds
from emulation.families import FAMILIES, PAPER, SMALL, SOURCE
from emulation.figures import drawn
from emulation.training import left_plateau, train

import neurodyn as nd
from neurodyn import analysis


@nd.simulation
def hmm_emulation(
    *,
    quick: bool = False,
    family: Literal["chains", "two", "three", "four", "five", "fully", "cyclic"] = "chains",
    units: int = 0,
    noise_inputs: int = 0,
    batch: int = 0,
    updates: int = 0,
    bias: bool = False,
    sequences: int = 0,
    seeds: int = 3,
    seed: int = 101,
    out: Path | None = None,
) -> nd.Outcome:
    """Train networks to emulate a hidden Markov model, and compare their sequences, orbits and zones with it.

    Parameters
    ----------
    quick : bool
        50 units, 10 noise inputs and batches of 512, for minutes instead of hours.
    family : str
        two to five: linear chains of so many states; fully: fully connected, three states; cyclic: a ring of four; chains:
        two and three.
    units, noise_inputs, batch : int
        Size of networks and batches; 0 means 50, 10 and 512 if quick, and 150, 100 and 4096 otherwise.
    updates : int
        Updates of a training, a multiple of 25; 0 means as published, or fewer if quick.
    bias : bool
        Whether networks have biases.
    sequences : int
        Sequences that are compared with the target; 0 means 1000 if quick and 5000 otherwise.
    seeds : int
        Networks for each target.
    seed : int
        First seed; thresholds were set on others.
    """
    size = SMALL if quick else PAPER
    size = replace(
        size, units=units or size.units, noise_inputs=noise_inputs or size.noise_inputs, batch=batch or size.batch
    )
    found, count = Criteria(SOURCE), sequences or (1000 if quick else 5000)
    figures = {}
    for name in ("two", "three") if family == "chains" else (family,):
        trained = train(name, size, range(seed, seed + seeds), updates=updates, bias=bias, out=out)
        found.note({f"{name}: trained": len(trained.runs), f"{name}: diverged": len(trained.diverged)})
        found.note({f"{name}: still on the plateau": sum(not left_plateau(run) for run in trained.runs)})
        if not trained.runs:
            continue
        nets = [run.network("best") for run in trained.runs]
        found.note(nd.spread(f"{name}: lowest divergence", [r.recording.results["best_loss"] for r in trained.runs]))
        found.note(
            nd.spread(f"{name}: divergence of samples of the target", [r.history["floor"].mean() for r in trained.runs])
        )
        if size == SMALL and not bias and name in thresholds.SMALL:
            thresholds.training(found, name, trained.runs)
        target, length = FAMILIES[name].target, FAMILIES[name].length if name in ("fully", "cyclic") else 100
        qualities = [analysis.emulation_quality(net.generate(count, length).symbols, target) for net in nets]
        thresholds.quality(found, name, qualities)
        onsets = [analysis.training_onset(run) for run in trained.runs]
        maps = [analysis.residence_map(net) for net in nets]
        orbits = [analysis.driven_orbits(net, target=target) for net in nets]
        if name == "two":
            thresholds.transition(found, onsets)
            thresholds.orbits(found, orbits)
            thresholds.zones(found, maps)
        figures |= drawn(name, trained.runs, qualities, onsets, orbits, maps)
    return nd.Outcome(found.results, found.checks, figures=figures)


if __name__ == "__main__":
    hmm_emulation.main()
